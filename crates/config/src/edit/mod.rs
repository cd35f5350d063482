//! Changes of the configuration file that keep everything else in it byte for byte.

pub mod change;
#[cfg(test)]
mod comments;
pub mod file;
mod rewrite;

//! The configuration file from the outside.

mod editing;
mod fuzz;
mod mangled;
mod properties;
mod reading;

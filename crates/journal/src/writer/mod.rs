//! The thread that writes, and what it does to the file.

#[cfg(test)]
mod tests;
mod thread;
mod work;

pub(crate) use self::thread::run;

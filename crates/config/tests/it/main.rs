//! The configuration file from the outside.

mod fuzz;
mod properties;
mod reading;
mod rules;

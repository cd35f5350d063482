//! Checks the modules of every crate: no module imports another that imports it, directly or in a loop.
//!
//! The check is strict, file by file. A module imports each module whose items it names in a `use`, a path, a
//! macro's arguments or an attribute. The module in a path is the one with the longest name that fits. So a
//! face (`mod.rs`, `lib.rs`) imports the children that it re-exports, but not those that it only declares. A
//! child that names something through its face imports the face. Tests are left out: everything under
//! `#[cfg(test)]`, and every target other than libraries and programs.
//!
//! Two more rules protect this: a face contains only modules and re-exports, and no module names what
//! `main.rs` defines.

mod attributes;
mod check;
mod circles;
mod faces;
mod graph;
mod names;
mod tree;

pub(crate) use check::violations;

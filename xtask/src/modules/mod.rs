//! The modules of every crate: none imports another that imports it, directly or in a loop.
//!
//! Counted strictly, file by file. A module imports each module whose items it names, in a `use`, a
//! path, a macro's arguments or an attribute, and the module that a path ends in is the one with the
//! longest name that fits. So a face (`mod.rs`, `lib.rs`) imports the children that it re-exports, but
//! not those that it only declares, and a child that names something by way of its face imports the
//! face. Tests are left out: everything under `#[cfg(test)]`, and every target but libraries and programs.
//!
//! Two more rules keep it so: a face holds modules and re-exports only, and no module names what
//! `main.rs` defines.

mod attributes;
mod check;
mod circles;
mod faces;
mod graph;
mod names;
mod tree;

pub(crate) use check::violations;

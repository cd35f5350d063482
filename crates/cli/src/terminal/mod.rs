//! Text on a terminal.

mod columns;
mod look;
mod printable;
mod span;

pub(crate) use self::columns::{Align, Cell, Widths, columns};
pub(crate) use self::look::Look;
pub(crate) use self::printable::printable;
pub(crate) use self::span::span;

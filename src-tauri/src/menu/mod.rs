//! The tray's menu and icon as values: what to show, without drawing it.
//!
//! [`menu`] is a pure function of a snapshot and of what waits for a confirmation, so two menus can be compared. `tray` draws the first one, and
//! then only the differences.
//!
//! A few endpoints of one group are in the menu itself. Several groups get one submenu each, and so does a
//! longer list of endpoints.

mod entry;
mod icon;
mod phrase;
mod question;
#[cfg(test)]
mod tests;
mod view;

pub(crate) use self::entry::{Choice, Entry, Item, Mark, Menu};
pub(crate) use self::icon::{Icon, icon};
pub(crate) use self::phrase::tooltip;
pub(crate) use self::view::menu;

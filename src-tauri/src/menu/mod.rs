//! The tray's menu and icon as values: what is shown, without anything that draws it.
//!
//! [`menu`] is a pure function of a snapshot, so two menus can be compared; `tray` draws one and, from
//! then on, only what differs from the one before.
//!
//! A few endpoints of one group are in the menu itself. Several groups get a submenu each, and so do more
//! endpoints than a person takes in at a glance.

mod entry;
mod icon;
mod phrase;
#[cfg(test)]
mod tests;
mod view;

pub(crate) use self::entry::{Entry, Item, Mark, Menu};
pub(crate) use self::icon::{Icon, icon};
pub(crate) use self::phrase::tooltip;
pub(crate) use self::view::menu;

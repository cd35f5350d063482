//! A menu as a value. An entry's `key` says which entry it is; it stays the same while texts, marks and
//! commands change.

use zephyr_control::Command;

/// What the tray shows when it is clicked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Menu(pub(crate) Vec<Entry>);

/// One line of a menu.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Entry {
    Separator,
    Item(Item),
    Group(Group),
}

/// A line with a text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Item {
    /// Which one it is.
    pub(crate) key: String,
    pub(crate) text: String,
    pub(crate) mark: Mark,
    /// What choosing it does; without one it cannot be chosen.
    pub(crate) command: Option<Command>,
}

/// Whether a line can be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// It cannot.
    Plain,
    /// It can, and is not.
    Off,
    /// It is.
    On,
}

impl Mark {
    pub(super) fn of(on: bool) -> Self {
        if on { Self::On } else { Self::Off }
    }
}

/// A line with a menu of its own.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Group {
    pub(crate) key: String,
    pub(crate) text: String,
    pub(crate) entries: Vec<Entry>,
}

impl Menu {
    /// The command of the item with this key.
    pub(crate) fn command(&self, key: &str) -> Option<&Command> {
        fn find<'a>(entries: &'a [Entry], key: &str) -> Option<&'a Command> {
            entries.iter().find_map(|entry| match entry {
                Entry::Item(item) if item.key == key => item.command.as_ref(),
                Entry::Group(group) => find(&group.entries, key),
                Entry::Item(_) | Entry::Separator => None,
            })
        }
        find(&self.0, key)
    }
}

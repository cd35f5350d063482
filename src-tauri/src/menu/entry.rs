//! A menu as a value. The `key` of an entry identifies it. It stays the same while texts, marks and commands
//! change.

use zephyr_control::Command;

/// The menu that the tray shows after a click.
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
    /// Identifies the item.
    pub(crate) key: String,
    pub(crate) text: String,
    pub(crate) mark: Mark,
    /// What choosing it does. `None`: it cannot be chosen.
    pub(crate) choice: Option<Choice>,
}

/// What choosing a line does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Choice {
    Command(Command),
    /// Says yes or no to what a browser may not do by itself.
    Settle {
        number: u32,
        allow: bool,
    },
}

impl From<Command> for Choice {
    fn from(command: Command) -> Self {
        Self::Command(command)
    }
}

/// Whether a line has a check mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// It cannot have one.
    Plain,
    /// It can have one, and has none.
    Off,
    /// It has one.
    On,
}

impl Mark {
    pub(super) fn of(on: bool) -> Self {
        if on { Self::On } else { Self::Off }
    }
}

/// A line with a submenu.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Group {
    pub(crate) key: String,
    pub(crate) text: String,
    pub(crate) entries: Vec<Entry>,
}

impl Menu {
    /// What choosing the item with this key does.
    pub(crate) fn choice(&self, key: &str) -> Option<&Choice> {
        fn find<'a>(entries: &'a [Entry], key: &str) -> Option<&'a Choice> {
            entries.iter().find_map(|entry| match entry {
                Entry::Item(item) if item.key == key => item.choice.as_ref(),
                Entry::Group(group) => find(&group.entries, key),
                Entry::Item(_) | Entry::Separator => None,
            })
        }
        find(&self.0, key)
    }
}

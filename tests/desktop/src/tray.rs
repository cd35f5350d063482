//! A tray icon with its menu, read and clicked over D-Bus as a panel does.
//!
//! The icon is a StatusNotifierItem, the menu a `com.canonical.dbusmenu`. Both say when they change,
//! so waiting here is waiting for their signals.

use std::fmt;
use std::path::PathBuf;

use futures_util::StreamExt;
use zbus::proxy::CacheProperties;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Structure, Value};
use zbus::{Connection, MatchRule, MessageStream, Proxy};

use crate::desktop::Desktop;
use crate::icon::Icon;
use crate::waiting::patiently;
use crate::watcher::Address;

const ITEM: &str = "org.kde.StatusNotifierItem";
const MENU: &str = "com.canonical.dbusmenu";

/// A program's tray icon.
#[derive(Clone, Debug)]
pub struct Tray {
    connection: Connection,
    address: Address,
    menu: String,
}

/// A menu, or a part of one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Menu {
    /// What is visible, from top to bottom.
    pub items: Vec<Item>,
}

/// A line of a menu.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    id: i32,
    /// What it says, without mnemonics.
    pub label: String,
    /// Whether it can be clicked.
    pub enabled: bool,
    /// What it is.
    pub kind: Kind,
}

/// What a line of a menu is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// It can be clicked and has no state.
    Plain,
    /// It has a check mark, or has not.
    Check {
        /// Whether it has.
        checked: bool,
    },
    /// It parts what is above from what is below.
    Separator,
    /// It opens another menu.
    Submenu(Menu),
}

impl Tray {
    /// The only one on this desktop; waits for it.
    ///
    /// # Panics
    ///
    /// If none comes, or there are several.
    pub async fn on(desktop: &Desktop) -> Self {
        let (connection, address) = desktop.tray_host().item().await;
        let mut tray = Self {
            connection,
            address,
            menu: String::new(),
        };
        let item = tray.item().await;
        let menu: OwnedObjectPath = item
            .get_property("Menu")
            .await
            .expect("a tray item should have a menu");
        tray.menu = menu.to_string();
        tray
    }

    /// The menu as it is now.
    ///
    /// # Panics
    ///
    /// If the program does not answer; so do all the other functions here.
    pub async fn menu(&self) -> Menu {
        let everything = (0_i32, -1_i32, Vec::<&str>::new());
        let answer = self.dbusmenu().await;
        // Some menus are filled only when they are about to be shown.
        let _ = answer.call_method("AboutToShow", &(0_i32,)).await;
        let answer = answer.call_method("GetLayout", &everything).await;
        let answer = answer.expect("the menu should answer");
        let body = answer.body();
        let layout: Structure = body
            .deserialize()
            .expect("the answer should have the interface's form");
        let [_revision, Value::Structure(root)] = layout.fields() else {
            panic!("a revision and a root were expected: {layout:?}")
        };
        match Item::read(root).kind {
            Kind::Submenu(menu) => menu,
            Kind::Plain | Kind::Check { .. } | Kind::Separator => Menu::default(),
        }
    }

    /// Waits until `look` finds something in the menu, and returns that.
    ///
    /// # Panics
    ///
    /// After [`PATIENCE`](zephyr_testkit::PATIENCE), showing the menu.
    pub async fn until<T>(&self, what: &str, look: impl Fn(&Menu) -> Option<T>) -> T {
        let mut changes = self.signals(MENU, &self.menu).await;
        let mut last = self.menu().await;
        let found = async {
            loop {
                if let Some(found) = look(&last) {
                    return found;
                }
                changes.next().await;
                last = self.menu().await;
            }
        };
        let found = tokio::time::timeout(zephyr_testkit::PATIENCE, found).await;
        found.unwrap_or_else(|_| panic!("waited for {what} in vain; the menu is\n{last}"))
    }

    /// The item that begins so; waits for it. See [`Menu::find`].
    pub async fn item_named(&self, name: &str) -> Item {
        self.until(&format!("an item {name:?}"), |menu| {
            menu.find(name).cloned()
        })
        .await
    }

    /// Waits until the item that begins so is checked.
    pub async fn until_checked(&self, name: &str) {
        self.until_state(name, true).await;
    }

    /// Waits until the item that begins so is not checked.
    pub async fn until_unchecked(&self, name: &str) {
        self.until_state(name, false).await;
    }

    /// Clicks the item that begins so; waits until it is there and can be clicked.
    pub async fn click(&self, name: &str) {
        let what = format!("an item {name:?} that can be clicked");
        patiently(&what, async {
            // A menu that was made anew since it was read has other numbers: read again.
            while !self.has_clicked(&what, name).await {}
        })
        .await;
    }

    /// The icon as it is now; waits for its file.
    pub async fn icon(&self) -> Icon {
        let what = "the icon's file";
        self.icon_signal_until(what, |icon| Some(icon.clone()))
            .await
    }

    /// Waits until the icon looks different from these, and returns it.
    pub async fn icon_other_than(&self, known: &[&Icon]) -> Icon {
        self.icon_signal_until("another icon", |icon| {
            (!known.contains(&icon)).then(|| icon.clone())
        })
        .await
    }

    /// Waits until the icon looks like this.
    pub async fn until_icon(&self, expected: &Icon) {
        self.icon_signal_until("an icon that was seen before", |icon| {
            (icon == expected).then_some(())
        })
        .await;
    }

    /// False if the item is gone.
    async fn has_clicked(&self, what: &str, name: &str) -> bool {
        let item = self.until(what, |menu| {
            menu.find(name).filter(|item| item.enabled).cloned()
        });
        let event = (item.await.id, "clicked", Value::from(0_i32), 0_u32);
        let clicked = self.dbusmenu().await.call_method("Event", &event).await;
        clicked.is_ok()
    }

    async fn until_state(&self, name: &str, expected: bool) {
        let what = format!("{name:?} with checked = {expected}");
        self.until(&what, |menu| match menu.find(name)?.kind {
            Kind::Check { checked } => (checked == expected).then_some(()),
            Kind::Plain | Kind::Separator | Kind::Submenu(_) => None,
        })
        .await;
    }

    async fn icon_signal_until<T>(&self, what: &str, look: impl Fn(&Icon) -> Option<T>) -> T {
        let mut changes = self.signals(ITEM, &self.address.path).await;
        let item = self.item().await;
        patiently(what, async {
            loop {
                let name: String = item.get_property("IconName").await.unwrap_or_default();
                if let Some(found) = Icon::read(&PathBuf::from(name)).as_ref().and_then(&look) {
                    return found;
                }
                changes.next().await;
            }
        })
        .await
    }

    /// What an interface of the program signals, from now on.
    async fn signals(&self, interface: &str, path: &str) -> MessageStream {
        let rule = MatchRule::builder()
            .msg_type(zbus::message::Type::Signal)
            .sender(self.address.owner.as_str())
            .and_then(|rule| rule.interface(interface))
            .and_then(|rule| rule.path(path))
            .expect("the names came from the bus")
            .build();
        let stream = MessageStream::for_match_rule(rule, &self.connection, None).await;
        stream.expect("the bus should take a rule")
    }

    async fn item(&self) -> Proxy<'_> {
        self.proxy(ITEM, &self.address.path).await
    }

    async fn dbusmenu(&self) -> Proxy<'_> {
        self.proxy(MENU, &self.menu).await
    }

    async fn proxy<'a>(&'a self, interface: &'a str, path: &'a str) -> Proxy<'a> {
        let proxy = zbus::proxy::Builder::<Proxy>::new(&self.connection)
            .destination(self.address.owner.as_str())
            .and_then(|proxy| proxy.path(path))
            .and_then(|proxy| proxy.interface(interface))
            .expect("the names came from the bus")
            // libayatana does not say when a property changes.
            .cache_properties(CacheProperties::No);
        proxy.build().await.expect("the bus should be there")
    }
}

impl Menu {
    /// The first item, in this menu or one within it, whose label begins so; a flag before the label
    /// is passed over.
    pub fn find(&self, name: &str) -> Option<&Item> {
        self.items.iter().find_map(|item| {
            if item.is_named(name) {
                return Some(item);
            }
            match &item.kind {
                Kind::Submenu(menu) => menu.find(name),
                Kind::Plain | Kind::Check { .. } | Kind::Separator => None,
            }
        })
    }

    /// Whether the item that begins so is there and checked.
    pub fn is_checked(&self, name: &str) -> bool {
        let item = self.find(name);
        item.is_some_and(|item| item.kind == Kind::Check { checked: true })
    }

    /// The labels of this menu that are no separators, from top to bottom.
    pub fn labels(&self) -> Vec<&str> {
        let lines = self.items.iter();
        lines
            .filter(|item| item.kind != Kind::Separator)
            .map(|item| item.label.as_str())
            .collect()
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        for item in &self.items {
            let mark = match item.kind {
                Kind::Plain => "",
                Kind::Check { checked: true } => "[x] ",
                Kind::Check { checked: false } => "[ ] ",
                Kind::Separator => "---",
                Kind::Submenu(_) => "> ",
            };
            let end = if item.enabled { "" } else { " (disabled)" };
            writeln!(f, "{:depth$}{mark}{}{end}", "", item.label)?;
            if let Kind::Submenu(menu) = &item.kind {
                menu.write(f, depth + 2)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Menu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0)
    }
}

impl Item {
    fn is_named(&self, name: &str) -> bool {
        let without_flag = match self.label.split_once(' ') {
            Some((first, rest)) if !first.is_ascii() => rest,
            Some(_) | None => &self.label,
        };
        self.label.starts_with(name) || without_flag.starts_with(name)
    }

    /// Reads `(ia{sv}av)`: id, properties, children.
    fn read(node: &Structure) -> Self {
        let [
            Value::I32(id),
            Value::Dict(properties),
            Value::Array(children),
        ] = node.fields()
        else {
            panic!("a menu's item was expected: {node:?}")
        };
        let property = |name: &str| -> Option<OwnedValue> {
            let value = properties.get::<_, Value>(&name).ok()??;
            value.try_to_owned().ok()
        };
        let text = |name| {
            let value = property(name)?;
            value.downcast_ref::<&str>().ok().map(str::to_owned)
        };
        let flag = |name| property(name)?.downcast_ref::<bool>().ok();
        let number = |name| property(name)?.downcast_ref::<i32>().ok();

        let children = children.iter().filter_map(|child| {
            // A child is a variant with the structure in it.
            let child = if let Value::Value(inner) = child {
                inner
            } else {
                child
            };
            if let Value::Structure(child) = child {
                Some(child)
            } else {
                None
            }
        });
        let is_visible = |child: &&Structure| match child.fields() {
            [_, Value::Dict(properties), ..] => {
                let visible = properties.get::<_, bool>(&"visible");
                !matches!(visible, Ok(Some(false)))
            }
            _ => false,
        };
        let kind = if text("type").as_deref() == Some("separator") {
            Kind::Separator
        } else if text("children-display").as_deref() == Some("submenu") || *id == 0 {
            Kind::Submenu(Menu {
                items: children.filter(is_visible).map(Self::read).collect(),
            })
        } else if text("toggle-type").is_some_and(|kind| !kind.is_empty()) {
            Kind::Check {
                checked: number("toggle-state") == Some(1),
            }
        } else {
            Kind::Plain
        };
        Self {
            id: *id,
            label: without_mnemonics(&text("label").unwrap_or_default()),
            enabled: flag("enabled").unwrap_or(true),
            kind,
        }
    }
}

/// An underscore marks the next letter; two stand for one.
fn without_mnemonics(label: &str) -> String {
    let mut plain = String::with_capacity(label.len());
    let mut letters = label.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '_' => plain.extend(letters.next()),
            other => plain.push(other),
        }
    }
    plain
}

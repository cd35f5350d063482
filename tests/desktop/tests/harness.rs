//! What the other tests rely on: that a desktop here behaves as one.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "helpers of tests, too")]

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use tokio::net::UnixStream;
use zbus::connection::Builder;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};
use zbus::{Connection, MatchRule, MessageStream, interface};
use zephyr_desktop_test::{Desktop, Kind, Lock, Part, Tray, until};

#[tokio::test]
async fn a_notification_is_recorded_and_a_click_reaches_its_program() {
    use futures_util::StreamExt;

    let desktop = Desktop::complete().await;
    let program = session(&desktop).await;
    let rule = MatchRule::builder()
        .member("ActionInvoked")
        .unwrap()
        .build();
    let mut clicks = MessageStream::for_match_rule(rule, &program, None)
        .await
        .unwrap();

    notify(&program, "Hello", "from a test").await;
    let shown = desktop.notifications().saying(&["hello", "FROM"]).await;
    desktop.notifications().click(&shown).await;

    assert_eq!(shown.program, "test");
    let click = clicks.next().await.unwrap().unwrap();
    let clicked: (u32, String) = click.body().deserialize().unwrap();
    assert_eq!(clicked, (shown.id, "default".to_owned()));
}

#[tokio::test]
async fn a_menu_is_read_and_clicked_as_by_a_panel() {
    let desktop = Desktop::complete().await;
    let program = session(&desktop).await;
    let clicked = show_tray_item(&program).await;

    let tray = Tray::on(&desktop).await;
    let menu = tray.menu().await;
    tray.click("HK").await;
    tray.until_checked("HK").await;

    assert_eq!(menu.labels(), ["🇭🇰 HK – 84 ms", "More", "snake_case"]);
    assert_eq!(menu.items[1].kind, Kind::Separator);
    assert!(!menu.find("snake").unwrap().enabled);
    assert_eq!(menu.find("Inner").unwrap().kind, Kind::Plain);
    assert!(menu.find("Hidden").is_none(), "{menu}");
    assert_eq!(*clicked.lock().unwrap(), [1]);
}

#[tokio::test]
async fn a_tray_item_goes_with_its_program() {
    let desktop = Desktop::complete().await;
    let program = session(&desktop).await;
    show_tray_item(&program).await;
    desktop.tray_host().until_items(1).await;

    program.close().await.unwrap();

    desktop.tray_host().until_items(0).await;
}

#[tokio::test]
async fn a_tray_host_may_come_late_and_go_early() {
    let mut desktop = Desktop::lacking(&[Part::TrayHost]).await;
    let program = session(&desktop).await;
    let has_host = async || has_owner(&program, "org.kde.StatusNotifierWatcher").await;
    assert!(!has_host().await);

    desktop.start_tray_host().await;
    assert!(has_host().await);
    desktop.stop_tray_host();

    until("the tray host's end", async || {
        (!has_host().await).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_an_unlocked_keyring_is_given_outlives_its_daemon() {
    let desktop = Desktop::lacking(&[Part::Display]).await;
    let keyring = desktop.start_keyring(Lock::Unlocked).await;
    let stored = desktop.store("primary", "s3cret").await;
    assert_eq!(stored.code, Some(0), "{stored:?}");

    keyring.stop().await;
    let _again = desktop.start_keyring(Lock::Unlocked).await;

    assert_eq!(desktop.stored("primary").await.as_deref(), Some("s3cret"));
    assert_eq!(desktop.stored("secondary").await, None);
}

#[tokio::test]
async fn a_locked_keyring_takes_and_gives_nothing() {
    let desktop = Desktop::lacking(&[Part::Display]).await;
    let keyring = desktop.start_keyring(Lock::Unlocked).await;
    desktop.store("primary", "s3cret").await;
    keyring.stop().await;

    let _locked = desktop.start_keyring(Lock::Locked).await;

    assert_eq!(desktop.stored("primary").await, None);
    assert_ne!(desktop.store("secondary", "other").await.code, Some(0));
}

#[tokio::test]
async fn no_keyring_starts_by_itself() {
    let desktop = Desktop::lacking(&[Part::Display]).await;

    let stored = desktop.store("primary", "s3cret").await;

    assert_ne!(stored.code, Some(0));
    assert!(
        stored.said.contains("org.freedesktop.secrets"),
        "{stored:?}"
    );
}

#[tokio::test]
async fn two_desktops_do_not_meet() {
    let (one, other) = tokio::join!(Desktop::complete(), Desktop::complete());

    notify(&session(&one).await, "Only here", "").await;
    one.notifications().saying(&["only here"]).await;

    assert!(other.notifications().all().is_empty());
    assert_ne!(
        variable(&one, "DISPLAY").await,
        variable(&other, "DISPLAY").await
    );
    assert_ne!(one.home(), other.home());
    assert_eq!(one.windows(), 0);
}

#[tokio::test]
async fn a_desktop_ends_with_all_that_was_started_on_it() {
    let desktop = Desktop::complete().await;
    let home = desktop.home();
    let socket = home.join("socket");
    let listener = tokio::net::UnixListener::bind(&socket).unwrap();
    let mut command = desktop.command("sh");
    // A grandchild whose parent ends at once; it says its id and stays.
    command.args(["-c", "sleep 1000 & echo $!"]);
    let parent = desktop.start("parent", command);
    let grandchild = until("the grandchild's id", async || {
        parent.said().trim().parse::<u32>().ok()
    })
    .await;
    let process = format!("/proc/{grandchild}");
    assert!(Path::new(&process).exists());
    drop(listener);

    drop(desktop);

    assert!(!home.exists());
    assert!(UnixStream::connect(&socket).await.is_err());
    until("the grandchild's end", async || {
        let status = std::fs::read_to_string(format!("{process}/stat"));
        // Where nobody collects orphans, it stays as a zombie.
        let gone = status.map_or(true, |status| status.contains(") Z "));
        gone.then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_program_sees_nothing_of_this_machine() {
    let desktop = Desktop::lacking(&[Part::Display, Part::Bus]).await;

    for name in [
        "DISPLAY",
        "DBUS_SESSION_BUS_ADDRESS",
        "WAYLAND_DISPLAY",
        "CARGO",
    ] {
        assert_eq!(variable(&desktop, name).await, "", "{name}");
    }
    assert_eq!(
        variable(&desktop, "HOME").await,
        desktop.home().to_string_lossy()
    );
}

/// A connection of a program on this desktop.
async fn session(desktop: &Desktop) -> Connection {
    let address = variable(desktop, "DBUS_SESSION_BUS_ADDRESS").await;
    let builder = Builder::address(address.as_str()).unwrap();
    builder.build().await.unwrap()
}

async fn variable(desktop: &Desktop, name: &str) -> String {
    let mut command = desktop.command("sh");
    command.args(["-c", &format!("printf %s \"${name}\"")]);
    let ended = desktop.start("sh", command).ended().await;
    ended.said.trim_end().to_owned()
}

async fn has_owner(program: &Connection, name: &str) -> bool {
    let bus = zbus::fdo::DBusProxy::new(program).await.unwrap();
    bus.name_has_owner(name.try_into().unwrap()).await.unwrap()
}

async fn notify(program: &Connection, summary: &str, body: &str) {
    let actions = vec!["default", "Open"];
    let hints = HashMap::<&str, Value>::new();
    let arguments = ("test", 0_u32, "", summary, body, actions, hints, -1_i32);
    let name = "org.freedesktop.Notifications";
    let path = "/org/freedesktop/Notifications";
    program
        .call_method(Some(name), path, Some(name), "Notify", &arguments)
        .await
        .unwrap();
}

/// Registers an item whose menu checks what is clicked; returns the ids that were.
async fn show_tray_item(program: &Connection) -> Arc<Mutex<Vec<i32>>> {
    let clicked = Arc::new(Mutex::new(Vec::new()));
    let menu = fake::FakeMenu {
        clicked: Arc::clone(&clicked),
    };
    let objects = program.object_server();
    objects.at("/item", fake::FakeItem).await.unwrap();
    objects.at("/item/Menu", menu).await.unwrap();
    let watcher = "org.kde.StatusNotifierWatcher";
    let path = "/StatusNotifierWatcher";
    program
        .call_method(
            Some(watcher),
            path,
            Some(watcher),
            "RegisterStatusNotifierItem",
            &("/item",),
        )
        .await
        .unwrap();
    clicked
}

mod fake {
    //! A program with a tray item.

    use super::*;

    pub(super) struct FakeItem;

    #[interface(name = "org.kde.StatusNotifierItem")]
    impl FakeItem {
        #[zbus(property)]
        fn menu(&self) -> OwnedObjectPath {
            OwnedObjectPath::try_from("/item/Menu").unwrap()
        }
    }

    pub(super) struct FakeMenu {
        pub(super) clicked: Arc<Mutex<Vec<i32>>>,
    }

    type Properties = HashMap<&'static str, Value<'static>>;
    type Node = (i32, Properties, Vec<Value<'static>>);

    #[interface(name = "com.canonical.dbusmenu")]
    impl FakeMenu {
        fn get_layout(&self, _parent: i32, _depth: i32, _names: Vec<String>) -> (u32, Node) {
            let checked = i32::from(self.clicked.lock().unwrap().contains(&1));
            let text = |text: &'static str| ("label", Value::from(text));
            let leaf =
                |id: i32, properties: Vec<(&'static str, Value<'static>)>| -> Value<'static> {
                    let properties: Properties = properties.into_iter().collect();
                    Value::from((id, properties, Vec::<Value>::new()))
                };
            let check = ("toggle-type", Value::from("checkmark"));
            let state = ("toggle-state", Value::from(checked));
            let inner = leaf(4, vec![text("_Inner")]);
            let submenu =
                Properties::from([text("More"), ("children-display", Value::from("submenu"))]);
            let items = vec![
                leaf(1, vec![text("🇭🇰 HK – 84 ms"), check, state]),
                leaf(2, vec![("type", Value::from("separator"))]),
                Value::from((3, submenu, vec![inner])),
                leaf(
                    5,
                    vec![text("snake__case"), ("enabled", Value::from(false))],
                ),
                leaf(6, vec![text("Hidden"), ("visible", Value::from(false))]),
            ];
            (1, (0, Properties::new(), items))
        }

        async fn event(
            &self,
            #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
            id: i32,
            kind: &str,
            _data: OwnedValue,
            _time: u32,
        ) {
            assert_eq!(kind, "clicked");
            self.clicked.lock().unwrap().push(id);
            Self::layout_updated(&emitter, 2, 0).await.unwrap();
        }

        /// Says that the menu is to be read again.
        #[zbus(signal)]
        async fn layout_updated(
            emitter: &SignalEmitter<'_>,
            revision: u32,
            parent: i32,
        ) -> zbus::Result<()>;
    }
}

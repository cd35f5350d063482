//! The notification daemon: it records what it is told to show, and acts as the user who clicks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::OwnedValue;
use zbus::{Connection, interface};

use crate::bus::Bus;
use crate::waiting::patiently;

const NAME: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";

/// A running notification daemon.
#[derive(Debug)]
pub struct Notifications {
    connection: Connection,
    shown: Arc<Shown>,
}

/// A notification, as a program asked for it.
#[derive(Clone, Debug)]
pub struct Notification {
    /// The daemon's number for it. One that replaces another has the other's.
    pub id: u32,
    /// Who it is from.
    pub program: String,
    /// Its first line.
    pub summary: String,
    /// The rest.
    pub body: String,
    /// What can be clicked; `default` is the notification itself.
    pub actions: Vec<String>,
}

impl Notification {
    /// Whether all of these are in its text, in whatever case.
    pub fn says(&self, words: &[&str]) -> bool {
        let text = format!("{}\n{}", self.summary, self.body).to_lowercase();
        words.iter().all(|word| text.contains(&word.to_lowercase()))
    }
}

impl Notifications {
    pub(crate) async fn start(bus: &Bus) -> Self {
        let connection = bus.connect().await;
        let shown = Arc::new(Shown::default());
        let daemon = Daemon {
            shown: Arc::clone(&shown),
        };
        let served = connection.object_server().at(PATH, daemon).await;
        served.expect("the path is free on a new connection");
        let named = connection.request_name(NAME).await;
        named.expect("a desktop should have one notification daemon at most");
        Self { connection, shown }
    }

    /// Everything that was shown so far.
    pub fn all(&self) -> Vec<Notification> {
        self.shown.list().clone()
    }

    /// The first one, of all that were ever shown, that says all of these words; waits for it.
    ///
    /// # Panics
    ///
    /// After [`PATIENCE`](zephyr_testkit::PATIENCE).
    pub async fn saying(&self, words: &[&str]) -> Notification {
        let what = format!("a notification that says {words:?}");
        patiently(&what, async {
            loop {
                let mut changed = std::pin::pin!(self.shown.changed.notified());
                changed.as_mut().enable();
                let all = self.all();
                if let Some(found) = all.into_iter().find(|one| one.says(words)) {
                    return found;
                }
                changed.await;
            }
        })
        .await
    }

    /// Clicks a notification, as a user does: not before its program has had time to listen.
    ///
    /// # Panics
    ///
    /// If it has nothing to click.
    pub async fn click(&self, notification: &Notification) {
        let default = "default".to_owned();
        assert!(notification.actions.contains(&default), "{notification:?}");
        let emitter = SignalEmitter::new(&self.connection, PATH).expect("the path is valid");
        let id = notification.id;
        let clicked = Daemon::action_invoked(&emitter, id, &default).await;
        clicked.expect("the bus should take a signal");
        const DISMISSED: u32 = 2;
        let closed = Daemon::notification_closed(&emitter, id, DISMISSED).await;
        closed.expect("the bus should take a signal");
    }
}

#[derive(Debug, Default)]
struct Shown {
    list: Mutex<Vec<Notification>>,
    changed: Notify,
}

impl Shown {
    fn list(&self) -> MutexGuard<'_, Vec<Notification>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Daemon {
    shown: Arc<Shown>,
}

#[interface(name = "org.freedesktop.Notifications")]
impl Daemon {
    #[expect(clippy::too_many_arguments, reason = "the interface is so")]
    fn notify(
        &self,
        program: String,
        replaces: u32,
        _icon: &str,
        summary: String,
        body: String,
        actions: Vec<String>,
        _hints: HashMap<String, OwnedValue>,
        _timeout: i32,
    ) -> u32 {
        let mut list = self.shown.list();
        let next = list.iter().map(|shown| shown.id).max().unwrap_or(0) + 1;
        let id = if replaces == 0 { next } else { replaces };
        println!("notification {id}: {summary} | {body}");
        list.push(Notification {
            id,
            program,
            summary,
            body,
            // Pairs of a key and a label.
            actions: actions.into_iter().step_by(2).collect(),
        });
        drop(list);
        self.shown.changed.notify_waiters();
        id
    }

    async fn close_notification(
        &self,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
        id: u32,
    ) {
        const BY_ITS_PROGRAM: u32 = 3;
        let _ = Self::notification_closed(&emitter, id, BY_ITS_PROGRAM).await;
    }

    fn get_capabilities(&self) -> Vec<&'static str> {
        vec!["actions", "body"]
    }

    fn get_server_information(&self) -> (&'static str, &'static str, &'static str, &'static str) {
        ("zephyr-desktop-test", "Zephyr", "1", "1.2")
    }

    #[zbus(signal)]
    async fn action_invoked(emitter: &SignalEmitter<'_>, id: u32, key: &str) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn notification_closed(
        emitter: &SignalEmitter<'_>,
        id: u32,
        reason: u32,
    ) -> zbus::Result<()>;
}

//! The tray host: what a panel is to a program with a tray icon.
//!
//! It is the StatusNotifierWatcher with a host in it. It shows nothing; [`Tray`](crate::Tray) looks at
//! the items that register here.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::StreamExt;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use zbus::message::Header;
use zbus::object_server::SignalEmitter;
use zbus::{Connection, fdo, interface};

use crate::bus::Bus;
use crate::waiting::patiently;

const NAME: &str = "org.kde.StatusNotifierWatcher";
const PATH: &str = "/StatusNotifierWatcher";

/// A running tray host; it leaves the bus when dropped.
#[derive(Debug)]
pub struct TrayHost {
    connection: Connection,
    registered: Arc<Registered>,
    departures: JoinHandle<()>,
}

/// Where an item is on the bus.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Address {
    pub(crate) owner: String,
    pub(crate) path: String,
}

impl TrayHost {
    pub(crate) async fn start(bus: &Bus) -> Self {
        let connection = bus.connect().await;
        let registered = Arc::new(Registered::default());
        let watcher = Watcher {
            registered: Arc::clone(&registered),
        };
        let departures = tokio::spawn(forget_the_departed(
            connection.clone(),
            Arc::clone(&registered),
        ));
        let objects = connection.object_server();
        let served = objects.at(PATH, watcher).await;
        served.expect("the path is free on a new connection");
        let named = connection.request_name(NAME).await;
        named.expect("a desktop should have one tray host at most");
        let emitter = SignalEmitter::new(&connection, PATH).expect("the path is valid");
        let said = Watcher::status_notifier_host_registered(&emitter).await;
        said.expect("the bus should take a signal");
        Self {
            connection,
            registered,
            departures,
        }
    }

    /// How many items there are.
    pub fn items(&self) -> usize {
        self.registered.items().len()
    }

    /// Waits until this many items are there.
    ///
    /// # Panics
    ///
    /// After [`PATIENCE`](zephyr_testkit::PATIENCE).
    pub async fn until_items(&self, count: usize) {
        let what = format!("{count} tray items");
        self.registered
            .until(&what, |items| (items.len() == count).then_some(()))
            .await;
    }

    /// The one item there is; waits for it.
    pub(crate) async fn item(&self) -> (Connection, Address) {
        let item = self.registered.until("a tray item", |items| match items {
            [] => None,
            [item] => Some(item.clone()),
            [..] => panic!("one tray item was expected: {items:?}"),
        });
        (self.connection.clone(), item.await)
    }
}

impl Drop for TrayHost {
    fn drop(&mut self) {
        self.departures.abort();
        // Other handles on the connection may live on, in a `Tray`; the name must not.
        let connection = self.connection.clone();
        tokio::spawn(async move {
            let _ = connection.release_name(NAME).await;
        });
    }
}

#[derive(Debug, Default)]
struct Registered {
    items: Mutex<Vec<Address>>,
    changed: Notify,
}

impl Registered {
    fn items(&self) -> MutexGuard<'_, Vec<Address>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn until<T>(&self, what: &str, look: impl Fn(&[Address]) -> Option<T>) -> T {
        patiently(what, async {
            loop {
                let mut changed = std::pin::pin!(self.changed.notified());
                changed.as_mut().enable();
                if let Some(found) = look(&self.items()) {
                    return found;
                }
                changed.await;
            }
        })
        .await
    }
}

async fn forget_the_departed(connection: Connection, registered: Arc<Registered>) {
    let Ok(bus) = fdo::DBusProxy::new(&connection).await else {
        return;
    };
    let Ok(mut changes) = bus.receive_name_owner_changed().await else {
        return;
    };
    while let Some(change) = changes.next().await {
        let Ok(change) = change.args() else { continue };
        if change.new_owner.is_none() {
            let name = change.name.to_string();
            registered.items().retain(|item| item.owner != name);
            registered.changed.notify_waiters();
        }
    }
}

struct Watcher {
    registered: Arc<Registered>,
}

#[interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    async fn register_status_notifier_item(
        &self,
        #[zbus(header)] header: Header<'_>,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
        service: &str,
    ) {
        let sender = header.sender().map(ToString::to_string);
        // libayatana says its object's path, others their name on the bus.
        let item = match service.starts_with('/') {
            true => Address {
                owner: sender.unwrap_or_default(),
                path: service.to_owned(),
            },
            false => Address {
                owner: service.to_owned(),
                path: "/StatusNotifierItem".to_owned(),
            },
        };
        let reference = format!("{}{}", item.owner, item.path);
        let is_new = !self.registered.items().contains(&item);
        if is_new {
            self.registered.items().push(item);
            self.registered.changed.notify_waiters();
        }
        let _ = Self::status_notifier_item_registered(&emitter, &reference).await;
    }

    fn register_status_notifier_host(&self, _service: &str) {}

    #[zbus(property)]
    fn registered_status_notifier_items(&self) -> Vec<String> {
        let items = self.registered.items();
        let references = items.iter();
        references
            .map(|item| format!("{}{}", item.owner, item.path))
            .collect()
    }

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn protocol_version(&self) -> i32 {
        0
    }

    #[zbus(signal)]
    async fn status_notifier_item_registered(
        emitter: &SignalEmitter<'_>,
        service: &str,
    ) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn status_notifier_host_registered(emitter: &SignalEmitter<'_>) -> zbus::Result<()>;
}

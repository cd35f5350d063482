//! Whether anybody shows tray icons. Only Linux has to ask: elsewhere the system's own tray is always
//! there.
//!
//! A panel shows the icons, or an extension of GNOME. Without one the icon is nowhere, and nothing fails;
//! so it is looked for, and the window says what to do. A panel that starts later, as at login, finds the
//! icon by itself.

use std::time::Duration;

use futures_util::StreamExt;
use zbus::Connection;
use zbus::fdo::DBusProxy;
use zephyr_control::{Problem, ProblemKind};

use crate::supervisor::Supervisor;
use crate::surroundings::Topic;

/// A panel that starts together with us is there by then.
pub(crate) const SOON: Duration = Duration::from_secs(3);

/// The same, when a whole session starts together.
pub(crate) const AT_LOGIN: Duration = Duration::from_secs(30);

/// The name on the bus of whoever keeps the list of icons, on every desktop that has one.
const WATCHER: &str = "org.kde.StatusNotifierWatcher";

/// Whether there is a tray.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TrayHost {
    Present,
    Absent,
}

/// Watches for the tray until the program ends. Calls `absent` if there is none after the time that a
/// panel may need to start.
pub(crate) async fn run(supervisor: &Supervisor, patience: Duration, absent: impl FnOnce()) {
    if let Err(error) = watch(supervisor, patience, absent).await {
        tracing::warn!(%error, "whether there is a tray cannot be known any more");
    }
}

async fn watch(
    supervisor: &Supervisor,
    patience: Duration,
    absent: impl FnOnce(),
) -> zbus::Result<()> {
    let bus = match Connection::session().await {
        Ok(bus) => bus,
        Err(error) => {
            note(supervisor, TrayHost::Absent);
            absent();
            return Err(error);
        }
    };
    let names = DBusProxy::new(&bus).await?;
    let mut changes = names
        .receive_name_owner_changed_with_args(&[(0, WATCHER)])
        .await?;
    let mut host = look(&names).await?;
    if host == TrayHost::Absent
        && let Ok(Some(_)) = tokio::time::timeout(patience, changes.next()).await
    {
        host = look(&names).await?;
    }
    note(supervisor, host);
    if host == TrayHost::Absent {
        absent();
    }
    while changes.next().await.is_some() {
        note(supervisor, look(&names).await?);
    }
    Ok(())
}

fn note(supervisor: &Supervisor, host: TrayHost) {
    let problem = match host {
        TrayHost::Present => None,
        TrayHost::Absent => Some(Problem {
            kind: ProblemKind::Desktop,
            message: "this desktop shows no tray icons; Zephyr runs, and this window steers it"
                .to_owned(),
            remedy:
                "GNOME: install the extension \"AppIndicator and KStatusNotifierItem Support\"; \
                     other desktops: add a system tray to the panel. `zephyr-desktop --show` opens \
                     this window again"
                    .to_owned(),
        }),
    };
    supervisor.set_problem(Topic::Tray, problem);
}

async fn look(names: &DBusProxy<'_>) -> zbus::Result<TrayHost> {
    let watcher = WATCHER.try_into().expect("a well-formed name");
    if names.name_has_owner(watcher).await? {
        Ok(TrayHost::Present)
    } else {
        Ok(TrayHost::Absent)
    }
}

//! Whether any program shows tray icons. Only Linux needs this check: the other systems always have a tray.
//!
//! A panel or an extension of GNOME shows the icons. Without one the icon is not visible, and nothing reports
//! an error. So this module checks for it, and the window says what to do. A panel that starts later, for
//! example at login, finds the icon itself.

use std::time::Duration;

use futures_util::StreamExt;
use zbus::Connection;
use zbus::fdo::DBusProxy;
use zephyr_control::{Problem, ProblemKind};

use crate::supervisor::Supervisor;
use crate::surroundings::Topic;

/// A panel that starts at the same time as Zephyr is there after this time.
pub(crate) const SOON: Duration = Duration::from_secs(3);

/// The same, if the whole session starts.
pub(crate) const AT_LOGIN: Duration = Duration::from_secs(30);

/// The name on the bus of the program that keeps the list of icons. It is the same on every desktop that has
/// one.
const WATCHER: &str = "org.kde.StatusNotifierWatcher";

/// Whether there is a tray.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TrayHost {
    Present,
    Absent,
}

/// Watches the tray until the program ends. Calls `absent` if there is no tray after the time that a panel
/// may need to start.
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
        TrayHost::Absent => Some(Problem::new(
            ProblemKind::Desktop,
            "this desktop shows no tray icons; Zephyr runs, and this window steers it",
            "GNOME: install the extension \"AppIndicator and KStatusNotifierItem Support\"; \
             other desktops: add a system tray to the panel. `zephyr-desktop --show` opens this \
             window again",
        )),
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

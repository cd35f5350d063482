//! Whether anybody shows tray icons.
//!
//! On Linux that is up to the desktop: a panel, or an extension of GNOME. Without one the icon is
//! nowhere, and nothing fails; so it is looked for, and the window says what to do. A panel that
//! starts later than we, as at login, finds the icon by itself.

use std::time::Duration;

use zephyr_control::{Problem, ProblemKind};

use crate::supervisor::Supervisor;
use crate::surroundings::Topic;

/// Whether there is a tray.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TrayHost {
    Present,
    Absent,
}

/// A panel that starts together with us is there by then.
pub(crate) const SOON: Duration = Duration::from_secs(3);

/// So it is when a whole session starts together.
pub(crate) const AT_LOGIN: Duration = Duration::from_secs(30);

/// Watches for the tray until the program ends. `first` hears what was found to begin with, after
/// the time that a panel may need to start.
pub(crate) async fn run(supervisor: Supervisor, patience: Duration, first: impl FnOnce(TrayHost)) {
    platform::run(&supervisor, patience, first).await;
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

#[cfg(target_os = "linux")]
mod platform {
    use std::time::Duration;

    use futures_util::StreamExt;
    use zbus::Connection;
    use zbus::fdo::DBusProxy;

    use super::{Supervisor, TrayHost, note};

    /// Who keeps the list of icons, in every desktop that has one.
    const WATCHER: &str = "org.kde.StatusNotifierWatcher";

    pub(super) async fn run(
        supervisor: &Supervisor,
        patience: Duration,
        first: impl FnOnce(TrayHost),
    ) {
        if let Err(error) = watch(supervisor, patience, first).await {
            tracing::warn!(%error, "whether there is a tray cannot be known any more");
        }
    }

    async fn watch(
        supervisor: &Supervisor,
        patience: Duration,
        first: impl FnOnce(TrayHost),
    ) -> zbus::Result<()> {
        let bus = match Connection::session().await {
            Ok(bus) => bus,
            Err(error) => {
                note(supervisor, TrayHost::Absent);
                first(TrayHost::Absent);
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
        first(host);
        while changes.next().await.is_some() {
            note(supervisor, look(&names).await?);
        }
        Ok(())
    }

    async fn look(names: &DBusProxy<'_>) -> zbus::Result<TrayHost> {
        let watcher = WATCHER.try_into().expect("a well-formed name");
        if names.name_has_owner(watcher).await? {
            Ok(TrayHost::Present)
        } else {
            Ok(TrayHost::Absent)
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use super::{Supervisor, TrayHost, note};

    /// The system's own tray is always there.
    pub(super) async fn run(
        supervisor: &Supervisor,
        _patience: std::time::Duration,
        first: impl FnOnce(TrayHost),
    ) {
        note(supervisor, TrayHost::Present);
        first(TrayHost::Present);
    }
}

//! Shows notifications, and opens the window when one is clicked, where the system tells.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::watch;
use zephyr_control::{Problem, ProblemKind, Snapshot};

use crate::language;
use crate::notices::{Notice, Notices};
use crate::supervisor::Supervisor;
use crate::surroundings::Topic;

/// Tells what is worth telling until the program ends.
pub(crate) async fn run(supervisor: Supervisor) {
    let mut notices = Notices::new();
    let mut screen = platform::Screen::default();
    let mut snapshots = supervisor.watch();
    let mut config = supervisor.config();
    snapshots.mark_changed();
    config.mark_changed();
    let mut complaints = supervisor.complaints();
    loop {
        let due = notices.poll_timeout();
        tokio::select! {
            changed = config.changed() => match changed {
                Ok(()) => notices.set_choices(config.borrow_and_update().notifications.clone()),
                Err(_) => return,
            },
            changed = snapshots.changed() => match changed {
                Ok(()) => notices.handle_snapshot(&latest(&mut snapshots), Instant::now()),
                Err(_) => return,
            },
            changed = complaints.changed() => match changed {
                Ok(()) => notices.handle_complaint(&complaints.borrow_and_update(), Instant::now()),
                Err(_) => return,
            },
            () = sleep_until(due) => {}
        }
        let language = language::of(&snapshots.borrow());
        if let Some(notice) = notices.handle_timeout(Instant::now(), language) {
            let outcome = screen.show(&notice, &supervisor).await;
            supervisor.set_problem(Topic::Notifications, outcome.as_ref().err().map(unseen));
        }
    }
}

fn latest(snapshots: &mut watch::Receiver<Arc<Snapshot>>) -> Arc<Snapshot> {
    Arc::clone(&snapshots.borrow_and_update())
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

fn unseen(error: &notify_rust::error::Error) -> Problem {
    tracing::warn!(%error, "a notification could not be shown");
    Problem {
        kind: ProblemKind::Desktop,
        message: "notifications cannot be shown: nobody on this desktop takes them".to_owned(),
        remedy: "start a notification daemon, such as dunst or the one of your desktop, or switch \
                 notifications off in config.toml"
            .to_owned(),
    }
}

fn notification(notice: &Notice) -> notify_rust::Notification {
    let mut notification = notify_rust::Notification::new();
    notification
        .appname("Zephyr")
        .summary(&notice.summary)
        .body(&notice.body);
    notification
}

#[cfg(target_os = "linux")]
mod platform {
    use notify_rust::{Hint, error::Error};
    use tokio::task::JoinHandle;
    use zephyr_control::{Command, Control};

    use super::{Notice, Supervisor, notification};

    /// What the system calls "clicked", and a name for it.
    const CLICKED: &str = "default";

    /// The notification on the screen. A newer one takes its place: only the latest state counts, and
    /// nobody wants to close ten of them after a bad night.
    #[derive(Default)]
    pub(super) struct Screen {
        id: Option<u32>,
        clicks: Option<JoinHandle<()>>,
    }

    impl Screen {
        pub(super) async fn show(
            &mut self,
            notice: &Notice,
            supervisor: &Supervisor,
        ) -> Result<(), Error> {
            let mut notification = notification(notice);
            notification
                .icon("zephyr-desktop")
                .hint(Hint::DesktopEntry("zephyr-desktop".to_owned()))
                .action(CLICKED, "Zephyr");
            if let Some(id) = self.id {
                notification.id(id);
            }
            let handle = notification.show_async().await?;
            self.id = Some(handle.id());
            if let Some(earlier) = self.clicks.take() {
                earlier.abort();
            }
            let supervisor = supervisor.clone();
            self.clicks = Some(tokio::spawn(async move {
                let mut clicked = false;
                handle
                    .wait_for_action_async(|action| clicked = action.is_default_action())
                    .await;
                if clicked {
                    // Showing the window cannot fail.
                    let _ = Control::execute(&supervisor, Command::Show).await;
                }
            }));
            Ok(())
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use notify_rust::error::Error;

    use super::{Notice, Supervisor, notification};

    /// The system's own list of notifications; it does not tell of clicks.
    #[derive(Default)]
    pub(super) struct Screen;

    impl Screen {
        pub(super) async fn show(
            &mut self,
            notice: &Notice,
            _supervisor: &Supervisor,
        ) -> Result<(), Error> {
            let notification = notification(notice);
            let showing = tokio::task::spawn_blocking(move || notification.show().map(drop));
            showing.await.unwrap_or(Ok(()))
        }
    }
}

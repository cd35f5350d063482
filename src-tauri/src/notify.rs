//! Shows notifications, and opens the window when one is clicked, if the system reports that.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use zephyr_admin::server::Confirmations;
use zephyr_control::{Language, Problem, ProblemKind, Snapshot};
use zephyr_process::language;

use crate::notices::{Notice, Notices};
use crate::supervisor::Supervisor;
use crate::surroundings::Topic;

/// How long the program waits at its end for a notification to appear.
const LAST_WORD: Duration = Duration::from_secs(2);

/// Shows notifications until the program ends.
pub(crate) async fn run(supervisor: Supervisor, confirmations: Confirmations) {
    let mut notices = Notices::new();
    let mut screen = platform::Screen::new();
    let mut snapshots = supervisor.watch();
    let mut config = supervisor.config();
    snapshots.mark_changed();
    config.mark_changed();
    let mut complaints = supervisor.complaints();
    let mut asked = confirmations.changes();
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
            changed = asked.changed() => match changed {
                Ok(()) => notices.handle_confirmations(&confirmations.waiting(), Instant::now()),
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

/// Shows, before the program ends, which sessions of Claude Code still send their requests to it. The log has
/// this too, so if it cannot be shown in time, the program ends without it.
pub(crate) async fn say_of_sessions(body: String, language: Language, supervisor: &Supervisor) {
    let notice = Notice::of_sessions(body, language);
    let mut screen = platform::Screen::new();
    let _ = tokio::time::timeout(LAST_WORD, screen.show(&notice, supervisor)).await;
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
    Problem::new(
        ProblemKind::Desktop,
        "notifications cannot be shown: nobody on this desktop takes them",
        "start a notification daemon, such as dunst or the one of your desktop, or switch \
         notifications off in config.toml",
    )
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
    use std::sync::{Arc, Mutex, PoisonError};

    use futures_util::StreamExt;
    use notify_rust::{Hint, error::Error};
    use tokio_util::task::AbortOnDropHandle;
    use zbus::{Connection, MatchRule, MessageStream, message};

    use crate::notices::Notice;
    use crate::notify::notification;
    use crate::supervisor::Supervisor;

    /// The system's name for a click on the notification itself (Desktop Notifications Specification).
    const CLICKED: &str = "default";

    /// The name on the bus of the program that shows notifications, and of what it offers.
    const SERVER: &str = "org.freedesktop.Notifications";

    /// The notification on the screen. A newer one replaces it: only the latest state counts, and closing ten
    /// of them after a bad night would be a nuisance.
    #[derive(Default)]
    pub(super) struct Screen {
        id: Option<u32>,
        bus: Option<Connection>,
        /// Receives clicks, from before the first notification.
        clicks: Option<(Clicks, AbortOnDropHandle<()>)>,
    }

    impl Screen {
        pub(super) fn new() -> Self {
            Self::default()
        }

        pub(super) async fn show(
            &mut self,
            notice: &Notice,
            supervisor: &Supervisor,
        ) -> Result<(), Error> {
            if self.bus.is_none() {
                self.bus = Connection::session().await.ok();
            }
            let mut reads_markup = true;
            if let Some(bus) = &self.bus {
                reads_markup = offers_markup(bus).await;
                if self.clicks.is_none() {
                    self.clicks = listen(bus, supervisor).await.ok();
                }
            }
            let mut notification = notification(notice);
            if reads_markup {
                notification.body(&escaped(&notice.body));
            }
            notification
                .icon("zephyr-desktop")
                .hint(Hint::DesktopEntry("zephyr-desktop".to_owned()))
                .action(CLICKED, "Zephyr");
            if let Some(id) = self.id {
                notification.id(id);
            }
            let id = notification.show_async().await?.id();
            self.id = Some(id);
            if let Some((clicks, _)) = &self.clicks
                && clicks.shown(id)
            {
                supervisor.raise();
            }
            Ok(())
        }
    }

    /// Whether bodies are read as markup, with links and images. If nobody says so, they may be.
    async fn offers_markup(bus: &Connection) -> bool {
        let path = "/org/freedesktop/Notifications";
        let asking = bus.call_method(Some(SERVER), path, Some(SERVER), "GetCapabilities", &());
        let Ok(answer) = asking.await else {
            return true;
        };
        let capabilities = answer.body().deserialize::<Vec<String>>();
        capabilities.map_or(true, |all| all.iter().any(|one| one == "body-markup"))
    }

    /// Text as markup. Endpoints, and what they answered, have no say in how a notification looks.
    fn escaped(text: &str) -> String {
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
    }

    /// The number of our notification, and of the one that was clicked. A click may arrive before the system
    /// has said which number our notification has.
    #[derive(Clone, Default)]
    struct Clicks(Arc<Mutex<Numbers>>);

    #[derive(Default)]
    struct Numbers {
        ours: Option<u32>,
        clicked: Option<u32>,
    }

    impl Clicks {
        /// Notes the number of our notification. Returns whether it has been clicked already.
        fn shown(&self, id: u32) -> bool {
            self.note(|numbers| numbers.ours = Some(id))
        }

        /// Notes the number that was clicked. Returns whether it is ours.
        fn clicked(&self, id: u32) -> bool {
            self.note(|numbers| numbers.clicked = Some(id))
        }

        fn note(&self, what: impl FnOnce(&mut Numbers)) -> bool {
            let mut numbers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            what(&mut numbers);
            let ours = numbers.clicked.is_some() && numbers.clicked == numbers.ours;
            if ours {
                numbers.clicked = None;
            }
            ours
        }
    }

    /// One subscription for all notifications. notify-rust subscribes for each one after it is shown. That is
    /// too late for a fast click.
    async fn listen(
        bus: &Connection,
        supervisor: &Supervisor,
    ) -> zbus::Result<(Clicks, AbortOnDropHandle<()>)> {
        let invoked = MatchRule::builder()
            .msg_type(message::Type::Signal)
            .sender(SERVER)?
            .interface(SERVER)?
            .member("ActionInvoked")?
            .build();
        let mut signals = MessageStream::for_match_rule(invoked, bus, None).await?;
        let clicks = Clicks::default();
        let (numbers, supervisor) = (clicks.clone(), supervisor.clone());
        let listening = async move {
            while let Some(Ok(signal)) = signals.next().await {
                let Ok((id, action)) = signal.body().deserialize::<(u32, String)>() else {
                    continue;
                };
                if action == CLICKED && numbers.clicked(id) {
                    supervisor.raise();
                }
            }
        };
        let listening = AbortOnDropHandle::new(tokio::spawn(listening));
        Ok((clicks, listening))
    }

    #[cfg(test)]
    mod tests {
        use crate::notify::platform::*;

        #[test]
        fn the_name_of_an_endpoint_is_no_markup() {
            let body = "<a href=\"https://example.com\">HK & Tokyo</a>";

            let expected = "&lt;a href=\"https://example.com\"&gt;HK &amp; Tokyo&lt;/a&gt;";
            assert_eq!(escaped(body), expected);
        }

        #[test]
        fn a_click_counts_also_before_the_number_is_known() {
            let clicks = Clicks::default();

            assert!(!clicks.clicked(7));
            assert!(clicks.shown(7));
            assert!(!clicks.shown(7));
        }

        #[test]
        fn a_click_on_somebody_elses_notification_is_none_of_ours() {
            let clicks = Clicks::default();
            clicks.shown(7);

            assert!(!clicks.clicked(8));
            assert!(clicks.clicked(7));
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use notify_rust::error::Error;

    use crate::notices::Notice;
    use crate::notify::notification;
    use crate::supervisor::Supervisor;

    /// The system's own list of notifications. It does not report clicks.
    pub(super) struct Screen;

    impl Screen {
        pub(super) fn new() -> Self {
            Self
        }

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

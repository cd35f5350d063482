//! The supervisor, and what the rest of the program needs from it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use zephyr_control::{
    ClaudeCode, Control, ControlError, ErrorCode, Host, Listening, Problem, Program, Snapshot,
};
use zephyr_core::Config;

use super::start::Fleet;
use crate::autostart;
use crate::claude_code::{Link, Proxy};
use crate::nothing::nothing_runs;
use crate::surroundings::{Surroundings, Topic};

/// Keeps an engine running. Its clones are handles on the same supervisor.
#[derive(Clone)]
pub(crate) struct Supervisor(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) surroundings: Mutex<Surroundings>,
    pub(super) snapshots: watch::Sender<Arc<Snapshot>>,
    pub(super) config: watch::Sender<Config>,
    pub(super) complaints: watch::Sender<String>,
    /// The engine, or the program that runs it. `None`: no engine runs.
    pub(super) backend: Mutex<Option<Arc<dyn Control>>>,
    pub(super) claude_code: Option<Link>,
    /// The program that starts at login. It is looked up at the start, before an update can replace it.
    pub(super) program: Option<PathBuf>,
    /// What Claude Code should point to, while an engine listens there.
    pub(super) proxy: Mutex<Option<Proxy>>,
    pub(super) try_again: Notify,
    /// Notified when Claude Code's settings may have changed.
    pub(super) look_again: Notify,
    pub(super) show: Notify,
    pub(super) quit: CancellationToken,
    pub(super) quit_now: CancellationToken,
}

impl Supervisor {
    /// A supervisor before its start.
    pub(crate) fn new(data_dir: &Path, config: Config, fleet: &Fleet) -> Self {
        let (claude_code, launch_at_login) = match fleet {
            Fleet::Configured => (Link::locate(data_dir), Some(config.desktop.launch_at_login)),
            // A demo could not undo its changes, because its data folder is removed at its end.
            Fleet::Simulated(_) => (None, None),
        };
        let host = Host {
            program: Program::Desktop,
            launch_at_login,
            claude_code: ClaudeCode::Unknown,
        };
        let surroundings = Surroundings::new(nothing_runs(Listening::default(), None, None), host);
        let snapshots = watch::Sender::new(surroundings.snapshot());
        Self(Arc::new(Inner {
            surroundings: Mutex::new(surroundings),
            snapshots,
            config: watch::Sender::new(config),
            complaints: watch::Sender::new(String::new()),
            backend: Mutex::new(None),
            claude_code,
            program: autostart::program(),
            proxy: Mutex::new(None),
            try_again: Notify::new(),
            look_again: Notify::new(),
            show: Notify::new(),
            quit: CancellationToken::new(),
            quit_now: CancellationToken::new(),
        }))
    }

    /// The state, and every change of it.
    pub(crate) fn watch(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.0.snapshots.subscribe()
    }

    /// The configuration in force, and every change of it.
    pub(crate) fn config(&self) -> watch::Receiver<Config> {
        self.0.config.subscribe()
    }

    /// Waits until a front-end asks for the window.
    pub(crate) async fn show_asked(&self) {
        self.0.show.notified().await;
    }

    /// Opens the window.
    pub(crate) fn raise(&self) {
        self.0.show.notify_one();
    }

    /// Shows that an action that was clicked has failed.
    pub(crate) fn complain(&self, error: &ControlError) {
        tracing::warn!(%error, "what was chosen could not be done");
        self.0.complaints.send_replace(error.to_string());
    }

    /// Notes a problem of the desktop. `None`: it is gone.
    pub(crate) fn set_problem(&self, topic: Topic, problem: Option<Problem>) {
        let changed = self.surroundings().set_problem(topic, problem);
        if changed {
            self.publish();
        }
    }

    /// The failed actions, each as a sentence.
    pub(crate) fn complaints(&self) -> watch::Receiver<String> {
        self.0.complaints.subscribe()
    }

    /// Asks the program to end: the first time after a drain, the second time at once.
    pub(crate) fn quit(&self) {
        if self.0.quit.is_cancelled() {
            self.0.quit_now.cancel();
        }
        self.0.quit.cancel();
    }

    /// The current engine.
    pub(super) fn backend(&self) -> Result<Arc<dyn Control>, ControlError> {
        lock(&self.0.backend).clone().ok_or_else(|| {
            let message =
                "the proxy does not run, so there is nothing to ask; see the problems shown";
            ControlError::new(ErrorCode::Unreachable, message)
        })
    }

    pub(super) fn set_backend(&self, backend: Option<Arc<dyn Control>>) {
        *lock(&self.0.backend) = backend;
        *lock(&self.0.proxy) = None;
    }

    pub(super) fn set_base(&self, snapshot: Arc<Snapshot>) {
        self.surroundings().set_base(snapshot);
        self.publish();
    }

    pub(super) fn publish(&self) {
        let snapshot = self.surroundings().snapshot();
        self.0.snapshots.send_replace(snapshot);
    }

    pub(super) fn surroundings(&self) -> MutexGuard<'_, Surroundings> {
        lock(&self.0.surroundings)
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
    }
}

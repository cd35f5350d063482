//! Claude Code's connection, while an engine listens.

use zephyr_config::ConfigFile;
use zephyr_control::{ControlError, Done, ErrorCode, Language};
use zephyr_engine::Engine;
use zephyr_process::address::local_url;
use zephyr_process::language;

use super::handle::{Supervisor, blocking, lock};
use crate::claude_code::{self, Link, Proxy, Refused};
use crate::notify;
use crate::surroundings::Topic;

impl Supervisor {
    /// Watches Claude Code's settings until the program ends.
    pub(crate) async fn watch_claude_code(&self) {
        let Some(link) = self.0.claude_code.clone() else {
            return;
        };
        loop {
            let looking = link.clone();
            // The watch begins before the read, so that no change in between is missed.
            let (watch, state) = blocking(move || (looking.watch(), looking.state())).await;
            self.surroundings().host().claude_code = state;
            self.publish();
            let changed = async {
                match watch {
                    Some(mut watch) => watch.changed().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = changed => {}
                () = self.0.look_again.notified() => {}
            }
        }
    }

    pub(super) async fn connect_claude_code(&self) -> Result<Done, ControlError> {
        let proxy = lock(&self.0.proxy).clone();
        let Some(proxy) = proxy else {
            let message = "the proxy does not run, so Claude Code would be left without an answer";
            return Err(ControlError::new(ErrorCode::NotPossible, message));
        };
        self.with_claude_code(move |link, language| link.connect(&proxy, language))
            .await
    }

    pub(super) async fn disconnect_claude_code(&self) -> Result<Done, ControlError> {
        self.with_claude_code(Link::disconnect).await
    }

    pub(super) async fn with_claude_code(
        &self,
        work: impl FnOnce(&Link, Language) -> Result<String, Refused> + Send + 'static,
    ) -> Result<Done, ControlError> {
        let Some(link) = self.0.claude_code.clone() else {
            let message = "there is no home folder, and so no settings of Claude Code";
            return Err(ControlError::new(ErrorCode::NotPossible, message));
        };
        let language = language::of(&self.0.snapshots.borrow());
        let outcome = blocking(move || work(&link, language)).await;
        let problem = outcome.as_ref().err().map(claude_code::trouble);
        self.set_problem(Topic::ClaudeCode, problem);
        self.0.look_again.notify_one();
        match outcome {
            Ok(message) => Ok(Done { message }),
            Err(error) => Err(ControlError::new(ErrorCode::NotPossible, error.to_string())),
        }
    }

    /// Connects again what was connected before, once the engine listens.
    pub(super) async fn resume_claude_code(&self, engine: &Engine, file: Option<&ConfigFile>) {
        let proxy = Proxy {
            address: engine.proxy_addr(),
            config: engine.config(),
            file: file.cloned(),
        };
        *lock(&self.0.proxy) = Some(proxy.clone());
        if let Some(link) = self.0.claude_code.clone() {
            let problem = blocking(move || link.resume(&proxy)).await;
            self.set_problem(Topic::ClaudeCode, problem);
            self.0.look_again.notify_one();
        }
    }

    /// Restores Claude Code's settings if that is wanted, and reports which sessions still send their
    /// requests to the engine that ends.
    pub(super) async fn leave_claude_code(&self, engine: &Engine) {
        let Some(link) = self.0.claude_code.clone() else {
            return;
        };
        let restores = engine.config().desktop.restore_claude_code_on_quit;
        let url = local_url(engine.proxy_addr());
        let language = language::of(&self.0.snapshots.borrow());
        let leaving = blocking(move || {
            if restores {
                link.suspend(&url, language)
            } else {
                Ok(link.left(&url, language))
            }
        });
        match leaving.await {
            Ok(None) => {}
            Ok(Some(sessions)) => {
                tracing::warn!("{sessions}");
                notify::say_of_sessions(sessions, language, self).await;
            }
            Err(error) => {
                tracing::error!(%error, "Claude Code's settings could not be restored");
            }
        }
    }
}

//! Commands and questions of front-ends. This program answers those about itself, and the engine all others.

use std::sync::Arc;

use futures_util::stream;
use zephyr_control::{
    Command, Complaint, Configuration, Control, ControlError, ControlFuture, Diagnosis, Done,
    EndpointHistory, ErrorCode, HistoryQuery, Paging, RequestDetail, RequestFilter, RequestPage,
    Snapshot, Snapshots, Tested, UsageQuery, UsageReport,
};

use super::handle::Supervisor;

impl Supervisor {
    async fn execute(&self, command: Command) -> Result<Done, ControlError> {
        let done = |message: &str| {
            Ok(Done {
                message: message.to_owned(),
            })
        };
        match command {
            Command::Show => {
                self.raise();
                done("the window is opened")
            }
            Command::Quit => {
                self.quit();
                done("Zephyr ends as soon as its requests have finished")
            }
            Command::ConnectClaudeCode => self.connect_claude_code().await,
            Command::DisconnectClaudeCode => self.disconnect_claude_code().await,
            Command::LaunchAtLogin { enabled } => self.launch_at_login(enabled).await,
            Command::Use { .. }
            | Command::Auto
            | Command::Pause
            | Command::Resume
            | Command::Refresh
            | Command::Enable { .. }
            | Command::Disable { .. }
            | Command::Reinstate { .. }
            | Command::Reload
            | Command::AddEndpoint { .. }
            | Command::EditEndpoint { .. }
            | Command::MoveEndpoint { .. }
            | Command::RemoveEndpoint { .. }
            | Command::Set { .. }
            | Command::StoreToken { .. } => {
                let Ok(backend) = self.backend() else {
                    self.0.try_again.notify_one();
                    let message = "the proxy does not run; it is tried again now";
                    if matches!(command, Command::Refresh | Command::Reload) {
                        return done(message);
                    }
                    return Err(ControlError::new(ErrorCode::Unreachable, message));
                };
                let done = backend.execute(command).await?;
                // So that the effect of a click is shown at once.
                if let Ok(snapshot) = backend.snapshot().await {
                    self.set_base(snapshot);
                }
                Ok(done)
            }
        }
    }
}

impl Control for Supervisor {
    fn snapshot(&self) -> ControlFuture<'_, Arc<Snapshot>> {
        let snapshot = Arc::clone(&self.0.snapshots.borrow());
        Box::pin(async { Ok(snapshot) })
    }

    fn snapshots(&self) -> ControlFuture<'_, Snapshots> {
        let mut snapshots = self.watch();
        snapshots.mark_changed();
        let stream = stream::unfold(snapshots, |mut snapshots| async {
            snapshots.changed().await.ok()?;
            let snapshot = Arc::clone(&snapshots.borrow_and_update());
            Some((snapshot, snapshots))
        });
        Box::pin(async { Ok(Box::pin(stream) as Snapshots) })
    }

    fn execute(&self, command: Command) -> ControlFuture<'_, Done> {
        Box::pin(self.execute(command))
    }

    fn metrics(&self) -> ControlFuture<'_, String> {
        Box::pin(async { self.backend()?.metrics().await })
    }

    fn requests(&self, filter: RequestFilter, paging: Paging) -> ControlFuture<'_, RequestPage> {
        Box::pin(async move { self.backend()?.requests(filter, paging).await })
    }

    fn request(&self, id: u64) -> ControlFuture<'_, RequestDetail> {
        Box::pin(async move { self.backend()?.request(id).await })
    }

    fn usage(&self, query: UsageQuery) -> ControlFuture<'_, UsageReport> {
        Box::pin(async move { self.backend()?.usage(query).await })
    }

    fn history(&self, query: HistoryQuery) -> ControlFuture<'_, Vec<EndpointHistory>> {
        Box::pin(async move { self.backend()?.history(query).await })
    }

    fn configuration(&self) -> ControlFuture<'_, Configuration> {
        Box::pin(async { self.backend()?.configuration().await })
    }

    fn has_token(&self, reference: String) -> ControlFuture<'_, bool> {
        Box::pin(async move { self.backend()?.has_token(reference).await })
    }

    fn check(&self, command: Command) -> ControlFuture<'_, Vec<Complaint>> {
        Box::pin(async move { self.backend()?.check(command).await })
    }

    fn diagnose(&self, tested: Tested) -> ControlFuture<'_, Diagnosis> {
        Box::pin(async move { self.backend()?.diagnose(tested).await })
    }
}

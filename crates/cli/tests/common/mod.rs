//! A control that only remembers, and an admin server over it.

#![allow(dead_code, reason = "every test program uses a part")]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use futures_util::stream;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};
use zephyr_cli::admin::{self, Admin};
use zephyr_cli::client::Client;
use zephyr_cli::token::Token;
use zephyr_control::{
    Appearance, Command, Control, ControlError, ControlFuture, Done, Host, Listening, Mode,
    Snapshot, Snapshots, Strategy, Totals,
};
use zephyr_core::config::WebAdmin;

/// What a fake control has counted.
pub const COUNTED: &str = "# EOF\n";

/// Remembers the commands it is given, and shows the snapshot it was last told.
pub struct FakeControl {
    snapshot: watch::Sender<Arc<Snapshot>>,
    commands: Mutex<Vec<Command>>,
    refusal: Mutex<Option<ControlError>>,
}

impl FakeControl {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            snapshot: watch::Sender::new(Arc::new(snapshot(1))),
            commands: Mutex::default(),
            refusal: Mutex::default(),
        })
    }

    /// Shows this from now on.
    pub fn publish(&self, snapshot: Snapshot) {
        self.snapshot.send_replace(Arc::new(snapshot));
    }

    /// Answers the next command with this error.
    pub fn refuse(&self, error: ControlError) {
        *self.refusal.lock().unwrap() = Some(error);
    }

    /// The commands since the last call.
    pub fn commands(&self) -> Vec<Command> {
        std::mem::take(&mut self.commands.lock().unwrap())
    }
}

impl Control for FakeControl {
    fn snapshot(&self) -> ControlFuture<'_, Arc<Snapshot>> {
        let snapshot = self.snapshot.borrow().clone();
        Box::pin(async { Ok(snapshot) })
    }

    fn snapshots(&self) -> ControlFuture<'_, Snapshots> {
        let mut changes = self.snapshot.subscribe();
        changes.mark_changed();
        let snapshots = stream::unfold(changes, |mut changes| async {
            changes.changed().await.ok()?;
            let snapshot = changes.borrow_and_update().clone();
            Some((snapshot, changes))
        });
        Box::pin(async { Ok(Box::pin(snapshots) as Snapshots) })
    }

    fn metrics(&self) -> ControlFuture<'_, String> {
        Box::pin(async { Ok(COUNTED.to_owned()) })
    }

    fn execute(&self, command: Command) -> ControlFuture<'_, Done> {
        self.commands.lock().unwrap().push(command);
        let refusal = self.refusal.lock().unwrap().take();
        Box::pin(async {
            refusal.map_or_else(
                || {
                    Ok(Done {
                        message: "done".to_owned(),
                    })
                },
                Err,
            )
        })
    }
}

/// A snapshot that is told from others by its time.
pub fn snapshot(taken_at_ms: u64) -> Snapshot {
    Snapshot {
        version: "0.1.0".to_owned(),
        taken_at_ms,
        started_at_ms: 0,
        listening: Listening {
            proxy: "127.0.0.1:8080".to_owned(),
            admin: None,
        },
        config_path: None,
        mode: Mode::Auto,
        paused: false,
        strategy: Strategy::Latency,
        current: None,
        decision: None,
        endpoints: Vec::new(),
        events: Vec::new(),
        problems: Vec::new(),
        totals: Totals::default(),
        probes: zephyr_control::ProbeCosts::default(),
        drain: None,
        requests: Vec::new(),
        journal: zephyr_control::JournalStatus::default(),
        host: Host::default(),
        appearance: Appearance::default(),
        offline_since_ms: None,
    }
}

/// Every command there is.
pub fn every_command() -> Vec<Command> {
    let endpoint = || "HK".to_owned();
    vec![
        Command::Use {
            endpoint: endpoint(),
        },
        Command::Auto,
        Command::Pause,
        Command::Resume,
        Command::Refresh,
        Command::Enable {
            endpoint: endpoint(),
        },
        Command::Disable {
            endpoint: endpoint(),
        },
        Command::Reinstate {
            endpoint: Some(endpoint()),
        },
        Command::Reinstate { endpoint: None },
        Command::Reload,
    ]
}

/// An admin server over a fake control, in a data folder of its own. It stops when dropped.
pub struct Server {
    pub control: Arc<FakeControl>,
    pub address: SocketAddr,
    pub data_dir: TempDir,
    pub shutdown: CancellationToken,
    pub admin: Option<Admin>,
    _stop: DropGuard,
}

impl Server {
    pub async fn start() -> Self {
        Self::start_with(web_admin(0)).await
    }

    pub async fn start_with(config: WebAdmin) -> Self {
        let data_dir = tempfile::tempdir().unwrap();
        let token = Token::load_or_create(data_dir.path()).unwrap();
        let control = FakeControl::new();
        let shutdown = CancellationToken::new();
        let admin = admin::serve(control.clone(), &config, token, shutdown.clone())
            .await
            .unwrap();
        Self {
            control,
            address: admin.address(),
            data_dir,
            _stop: shutdown.clone().drop_guard(),
            shutdown,
            admin: Some(admin),
        }
    }

    /// A client that knows the token.
    pub fn client(&self) -> Client {
        Client::new(self.address, Token::load(self.data_dir.path()).unwrap()).unwrap()
    }

    /// The token as it is in its file.
    pub fn secret(&self) -> String {
        std::fs::read_to_string(self.data_dir.path().join("admin-token")).unwrap()
    }
}

pub fn web_admin(port: u16) -> WebAdmin {
    WebAdmin {
        enabled: true,
        host: Ipv4Addr::LOCALHOST.into(),
        port,
    }
}

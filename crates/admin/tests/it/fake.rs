//! A control that only remembers, and an admin server over it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use futures_util::stream;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};
use zephyr_admin::client::Client;
use zephyr_admin::server::{self, Access, Admin, Confirmations};
use zephyr_admin::token::{AccessTokens, Token};
use zephyr_control::{
    Appearance, AttemptOutcome, AttemptRecord, AuthType, Command, Complaint, Configuration,
    Control, ControlError, ControlFuture, Diagnosis, DiagnosisStage, DiagnosisStep, Done,
    EndpointForm, EndpointHistory, ErrorCode, HistoryPoint, HistoryQuery, Host, Listening, Mode,
    Paging, RecordedBody, RequestDetail, RequestEnd, RequestFilter, RequestPage, RequestRecord,
    SecretText, SettingValue, Snapshot, Snapshots, Strategy, Tested, TokenReference, Tokens,
    Totals, Usage, UsageQuery, UsageReport, UsageRow,
};
use zephyr_core::config::WebAdmin;

/// What a fake control has counted.
pub const COUNTED: &str = "# EOF\n";

/// Remembers the commands it is given, and shows the snapshot it was last told.
pub struct FakeControl {
    snapshot: watch::Sender<Arc<Snapshot>>,
    commands: Mutex<Vec<Command>>,
    refusal: Mutex<Option<ControlError>>,
    journal: Mutex<Vec<RequestRecord>>,
    asked: Mutex<Vec<Asked>>,
    /// What the keychain has.
    tokens: Mutex<Vec<String>>,
    configuration: Mutex<Configuration>,
}

/// A question, as it arrived.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    Requests(RequestFilter, Paging),
    Usage(UsageQuery),
    History(HistoryQuery),
    Check(Command),
    Diagnose(Tested),
}

impl FakeControl {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            snapshot: watch::Sender::new(Arc::new(snapshot(1))),
            commands: Mutex::default(),
            refusal: Mutex::default(),
            journal: Mutex::default(),
            asked: Mutex::default(),
            tokens: Mutex::new(vec!["hk".to_owned()]),
            configuration: Mutex::new(configuration()),
        })
    }

    /// Has another configuration.
    pub fn configure(&self, change: impl FnOnce(&mut Configuration)) {
        change(&mut self.configuration.lock().unwrap());
    }

    /// Has these requests in its journal, too.
    pub fn record(&self, records: impl IntoIterator<Item = RequestRecord>) {
        self.journal.lock().unwrap().extend(records);
    }

    /// The questions since the last call.
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    fn answer<T: Send + 'static>(&self, asked: Asked, answer: T) -> ControlFuture<'static, T> {
        self.asked.lock().unwrap().push(asked);
        let refusal = self.refusal.lock().unwrap().take();
        Box::pin(async { refusal.map_or(Ok(answer), Err) })
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

    fn requests(&self, filter: RequestFilter, paging: Paging) -> ControlFuture<'_, RequestPage> {
        let journal = self.journal.lock().unwrap();
        let limit = paging.limit.unwrap_or(100).min(1000) as usize;
        let matching = |record: &&RequestRecord| {
            (!filter.failed || record.end != RequestEnd::Answered)
                && paging.before.is_none_or(|before| record.id < before)
                && paging.after.is_none_or(|after| record.id > after)
        };
        let mut requests: Vec<_> = journal.iter().filter(matching).cloned().collect();
        if paging.after.is_none() {
            requests.reverse();
        }
        let more = requests.len() > limit;
        requests.truncate(limit);
        let next = requests.last().map(|record| record.id).filter(|_| more);
        drop(journal);
        let page = RequestPage { requests, next };
        self.answer(Asked::Requests(filter, paging), page)
    }

    fn request(&self, id: u64) -> ControlFuture<'_, RequestDetail> {
        let journal = self.journal.lock().unwrap();
        let found = journal.iter().find(|record| record.id == id).cloned();
        Box::pin(async move {
            let missing = || ControlError::new(ErrorCode::UnknownRequest, "no such request");
            found.map(detail).ok_or_else(missing)
        })
    }

    fn usage(&self, query: UsageQuery) -> ControlFuture<'_, UsageReport> {
        self.answer(Asked::Usage(query), usage())
    }

    fn history(&self, query: HistoryQuery) -> ControlFuture<'_, Vec<EndpointHistory>> {
        self.answer(Asked::History(query), history())
    }

    fn configuration(&self) -> ControlFuture<'_, Configuration> {
        let configuration = self.configuration.lock().unwrap().clone();
        Box::pin(async { Ok(configuration) })
    }

    fn has_token(&self, reference: String) -> ControlFuture<'_, bool> {
        let has_token = self.tokens.lock().unwrap().contains(&reference);
        Box::pin(async move { Ok(has_token) })
    }

    fn check(&self, command: Command) -> ControlFuture<'_, Vec<Complaint>> {
        self.answer(Asked::Check(command), complaints())
    }

    fn diagnose(&self, tested: Tested) -> ControlFuture<'_, Diagnosis> {
        self.answer(Asked::Diagnose(tested), diagnosis())
    }

    fn metrics(&self) -> ControlFuture<'_, String> {
        Box::pin(async { Ok(COUNTED.to_owned()) })
    }

    fn execute(&self, command: Command) -> ControlFuture<'_, Done> {
        if let Command::StoreToken { reference, .. } = &command {
            self.tokens.lock().unwrap().push(reference.clone());
        }
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

/// A request that is told from others by its number.
pub fn record(id: u64) -> RequestRecord {
    RequestRecord {
        id,
        request: format!("r{id}"),
        at_ms: 1_795_271_402_000 + id,
        method: "POST".to_owned(),
        path: "/v1/messages".to_owned(),
        status: Some(200),
        end: RequestEnd::Answered,
        client: Some("claude-cli/2.1".to_owned()),
        session: Some("s-1".to_owned()),
        agent: None,
        model: Some("claude-haiku-4-5".to_owned()),
        served_model: None,
        stream: Some(true),
        endpoint: Some("Tokyo".to_owned()),
        attempts: vec![AttemptRecord {
            endpoint: "Tokyo".to_owned(),
            why: None,
            outcome: AttemptOutcome::Answered,
            reason: None,
            verdict: None,
            status: Some(200),
            queue_ms: 0.5,
            connect_ms: None,
            tls_ms: None,
            headers_ms: Some(80.0),
            first_event_ms: Some(90.0),
            last_byte_ms: 400.0,
            rate_limits: vec![("retry-after".to_owned(), "3".to_owned())],
        }],
        duration_ms: 400.5,
        ttft_ms: Some(90.5),
        request_bytes: 1000,
        response_bytes: 2000,
        tokens: Some(Tokens {
            input: 10,
            output: 20,
            ..Tokens::default()
        }),
        stop_reason: Some("end_turn".to_owned()),
        cost_usd: None,
        cache_saved_usd: None,
        cache_lost_usd: None,
        overtaken_cost_usd: None,
        error: None,
    }
}

/// What a fake control tells of one of its requests.
pub fn detail(record: RequestRecord) -> RequestDetail {
    RequestDetail {
        record,
        request_headers: vec![("x-api-key".to_owned(), "[redacted]".to_owned())],
        response_headers: Vec::new(),
        request_body: None,
        response_body: Some(RecordedBody {
            text: "你好".to_owned(),
            truncated: true,
        }),
    }
}

/// What a fake control's requests came to.
pub fn usage() -> UsageReport {
    let usage = Usage {
        requests: 3,
        unpriced: 3,
        ..Usage::default()
    };
    UsageReport {
        rows: vec![UsageRow {
            key: "2026-11-21".to_owned(),
            split: String::new(),
            usage,
        }],
        total: usage,
        complete_since_ms: Some(1),
    }
}

/// How a fake control's endpoints were.
pub fn history() -> Vec<EndpointHistory> {
    vec![EndpointHistory {
        endpoint: "HK".to_owned(),
        points: vec![HistoryPoint {
            at_ms: 1,
            span_ms: 60_000,
            latency_ms: Some(80.5),
            ttft_ms: None,
            attempts: 2,
            failures: 1,
            state: Some(zephyr_control::EndpointState::Ready),
        }],
    }]
}

/// What a fake control's configuration is.
pub fn configuration() -> Configuration {
    Configuration {
        path: Some("/tmp/config.toml".to_owned()),
        groups: Vec::new(),
        endpoints: vec![form()],
        settings: Vec::new(),
    }
}

/// What a fake control has against every command.
pub fn complaints() -> Vec<Complaint> {
    vec![Complaint {
        field: Some("url".to_owned()),
        message: "no URL".into(),
        is_warning: false,
    }]
}

/// What a fake control finds out about every endpoint.
pub fn diagnosis() -> Diagnosis {
    Diagnosis {
        steps: vec![DiagnosisStep {
            stage: DiagnosisStage::Dns,
            passed: false,
            took_ms: 1.5,
            detail: "no such host".into(),
            remedy: None,
        }],
        cost_usd: 0.0,
    }
}

pub fn form() -> EndpointForm {
    EndpointForm {
        name: "HK".to_owned(),
        group: "primary".to_owned(),
        url: "https://hk.example.com".to_owned(),
        flag: None,
        enabled: true,
        priority: 1,
        weight: 1,
        price: 1.0,
        path_prefix: None,
        auth_type: Some(AuthType::ApiKey),
        token: TokenReference::Keychain("hk".to_owned()),
        proxy: None,
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
        status: zephyr_control::OverallStatus::default(),
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
        weighed: None,
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
        Command::AddEndpoint {
            endpoint: Box::new(form()),
        },
        Command::EditEndpoint {
            name: endpoint(),
            endpoint: Box::new(form()),
        },
        Command::MoveEndpoint {
            name: endpoint(),
            to: 2,
        },
        Command::RemoveEndpoint { name: endpoint() },
        Command::Set {
            key: "server.port".to_owned(),
            value: Some(SettingValue::Number(8080.0)),
        },
        Command::StoreToken {
            reference: "hk".to_owned(),
            token: SecretText::new("hunter2"),
        },
        Command::ConnectClaudeCode,
        Command::DisconnectClaudeCode,
        Command::LaunchAtLogin { enabled: true },
        Command::Show,
        Command::Quit,
    ]
}

/// An admin server over a fake control, in a data folder of its own. It stops when dropped.
pub struct Server {
    pub control: Arc<FakeControl>,
    pub address: SocketAddr,
    pub data_dir: TempDir,
    pub shutdown: CancellationToken,
    pub admin: Option<Admin>,
    pub confirmations: Confirmations,
    _stop: DropGuard,
}

impl Server {
    pub async fn start() -> Self {
        Self::start_with(web_admin(0)).await
    }

    pub async fn start_with(config: WebAdmin) -> Self {
        Self::open_to(config, false).await
    }

    pub async fn open_to(config: WebAdmin, allow_other_users: bool) -> Self {
        let data_dir = tempfile::tempdir().unwrap();
        let tokens = AccessTokens::load_or_create(data_dir.path()).unwrap();
        let control = FakeControl::new();
        let shutdown = CancellationToken::new();
        let confirmations = Confirmations::default();
        let serving = server::serve(
            control.clone(),
            &config,
            Access {
                tokens,
                allow_other_users,
            },
            confirmations.clone(),
            shutdown.clone(),
        );
        let admin = serving.await.unwrap();
        Self {
            control,
            address: admin.address(),
            data_dir,
            _stop: shutdown.clone().drop_guard(),
            shutdown,
            admin: Some(admin),
            confirmations,
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

    /// The token for the metrics, as it is in its file.
    pub fn metrics_secret(&self) -> String {
        std::fs::read_to_string(self.data_dir.path().join("metrics-token")).unwrap()
    }
}

pub fn web_admin(port: u16) -> WebAdmin {
    WebAdmin {
        enabled: true,
        host: Ipv4Addr::LOCALHOST.into(),
        port,
    }
}

//! Keeps an engine running, and is the one `Control` of everything this program shows.
//!
//! The program outlives engines. If another Zephyr of the same data folder runs already, it attaches to
//! that one. If the configuration has errors or the port is taken, it shows why and tries again. In every
//! case the tray, the window and the admin API hold this `Control`, and see one stream of snapshots.
//!
//! Commands about the program itself are carried out here, all others by whoever runs the engine.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use zephyr_admin::instance::{self, Found, Instance, Role, Running};
use zephyr_control::{
    ClaudeCode, Command, Complaint, Configuration, Control, ControlError, ControlFuture, Diagnosis,
    Done, EndpointHistory, ErrorCode, EventKind, HistoryQuery, Host, Language, Listening, Paging,
    Problem, ProblemKind, Program, RequestDetail, RequestFilter, RequestPage, Snapshot, Snapshots,
    Tested, UsageQuery, UsageReport,
};
use zephyr_core::Config;
use zephyr_demo::Demo;
use zephyr_engine::settings::{self, Loaded, edit};
use zephyr_engine::{Engine, Options, Source};
use zephyr_process::language;

use crate::autostart;
use crate::claude_code::{self, Link, Proxy, Refused};
use crate::follow;
use crate::nothing::nothing_runs;
use crate::surroundings::{Surroundings, Topic};
use crate::trouble::Trouble;

/// How often the countdown is shown while the program ends.
const COUNTDOWN: Duration = Duration::from_secs(1);

/// Where things are.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    /// What the user named.
    pub(crate) config: Option<PathBuf>,
    /// The folder for what Zephyr writes.
    pub(crate) data_dir: PathBuf,
    /// Where our admin API is.
    pub(crate) admin: SocketAddr,
}

/// What happens if there is nothing to use yet: no endpoint, or no engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Greeting {
    /// Somebody has started the program and waits for it: the window says what to do.
    Window,
    /// The system has started it.
    Silence,
}

/// What runs in the engine.
pub(crate) enum Fleet {
    /// What the configuration file says.
    Configured,
    /// Simulated endpoints.
    Simulated(Box<Demo>),
}

/// Keeps an engine running. Clones are handles on the same one.
#[derive(Clone)]
pub(crate) struct Supervisor(Arc<Inner>);

struct Inner {
    surroundings: Mutex<Surroundings>,
    snapshots: watch::Sender<Arc<Snapshot>>,
    config: watch::Sender<Config>,
    complaints: watch::Sender<String>,
    /// Who runs the engine, if it runs.
    backend: Mutex<Option<Arc<dyn Control>>>,
    claude_code: Option<Link>,
    /// The program that starts at login, found at the start, before anybody replaces it.
    program: Option<PathBuf>,
    /// Where Claude Code is to be pointed, while something listens there.
    proxy: Mutex<Option<Proxy>>,
    try_again: Notify,
    /// Claude Code's settings may have changed.
    look_again: Notify,
    show: Notify,
    quit: CancellationToken,
    quit_now: CancellationToken,
}

impl Supervisor {
    /// A supervisor that has not started anything yet.
    pub(crate) fn new(data_dir: &Path, config: Config, fleet: &Fleet) -> Self {
        let (claude_code, launch_at_login) = match fleet {
            Fleet::Configured => (Link::locate(data_dir), Some(config.desktop.launch_at_login)),
            // A demo could not undo what it did: its data folder goes with it.
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

    /// Waits until somebody wants to see the window.
    pub(crate) async fn show_asked(&self) {
        self.0.show.notified().await;
    }

    /// Opens the window.
    pub(crate) fn raise(&self) {
        self.0.show.notify_one();
    }

    /// Shows that something somebody clicked could not be done.
    pub(crate) fn complain(&self, error: &ControlError) {
        tracing::warn!(%error, "what was chosen could not be done");
        self.0.complaints.send_replace(error.to_string());
    }

    /// Notes a problem of the desktop, or that there is none any more.
    pub(crate) fn set_problem(&self, topic: Topic, problem: Option<Problem>) {
        let changed = self.surroundings().set_problem(topic, problem);
        if changed {
            self.publish();
        }
    }

    /// What somebody clicked and could not be done, each in a sentence.
    pub(crate) fn complaints(&self) -> watch::Receiver<String> {
        self.0.complaints.subscribe()
    }

    /// Asks for the end: the first time in order, the second time at once.
    pub(crate) fn quit(&self) {
        if self.0.quit.is_cancelled() {
            self.0.quit_now.cancel();
        }
        self.0.quit.cancel();
    }

    /// Runs until the program is to end. Then nothing is in flight any more.
    pub(crate) async fn run(&self, places: Places, fleet: Fleet, mut greeting: Greeting) {
        let mut told = String::new();
        while !self.0.quit.is_cancelled() {
            let outcome = match &fleet {
                Fleet::Configured => self.run_once(&places).await,
                Fleet::Simulated(demo) => {
                    self.run_engine(demo.loaded(), Source::Fixed, &places).await
                }
            };
            self.set_backend(None);
            if let Err(trouble) = outcome {
                // A port that stays taken is tried again every other second.
                if told != trouble.to_string() {
                    told = trouble.to_string();
                    tracing::error!("{trouble}");
                }
                if std::mem::replace(&mut greeting, Greeting::Silence) == Greeting::Window {
                    self.raise();
                }
                self.wait_out(&trouble, &places).await;
            }
        }
    }

    async fn run_once(&self, places: &Places) -> Result<(), Trouble> {
        if let Found::Running(running) = instance::find(&places.data_dir).await? {
            self.attach(running).await;
            return Ok(());
        }
        let named = places.config.clone();
        let (loaded, path) = blocking(move || {
            let located = settings::locate(named.as_deref(), |name| std::env::var_os(name))?;
            let loaded = settings::load(&located.path)?;
            // Front-ends read it from other folders.
            let path = std::path::absolute(located.path).map_err(Trouble::NoFolder)?;
            Ok::<_, Trouble>((loaded, path))
        })
        .await?;
        self.run_engine(loaded, Source::File(path), places).await
    }

    /// Shows what another program's engine does, until that ends or we do.
    async fn attach(&self, running: Running) {
        tracing::info!(
            pid = running.instance.pid,
            "attached to the Zephyr that runs already"
        );
        let path = running.snapshot.config_path.clone().map(PathBuf::from);
        let address = running.instance.proxy;
        let control: Arc<dyn Control> = Arc::new(running.client);
        self.set_backend(Some(Arc::clone(&control)));
        let mut seen = running.snapshot.events.last().map_or(0, |event| event.seq);
        self.set_base(running.snapshot);
        self.adopt_file(address, path.clone()).await;
        let follow = async {
            let mut states = pin!(follow::states(control, follow::PAUSE));
            while let Some(snapshot) = states.next().await {
                let reloaded = has_reloaded(&snapshot, &mut seen);
                self.set_base(snapshot);
                if reloaded {
                    self.adopt_file(address, path.clone()).await;
                }
            }
        };
        tokio::select! {
            () = follow => tracing::info!("the other Zephyr has ended"),
            () = self.0.quit.cancelled() => {}
        }
    }

    /// Runs an engine of our own until the program is to end.
    async fn run_engine(
        &self,
        loaded: Loaded,
        source: Source,
        places: &Places,
    ) -> Result<(), Trouble> {
        let path = source.path().map(Path::to_owned);
        let options = Options {
            // Nothing of simulated endpoints is remembered.
            data_dir: path.is_some().then(|| places.data_dir.clone()),
            ..Options::default()
        };
        let started = Engine::start_with(loaded, source, options).await;
        let engine = match started {
            Ok(engine) => engine,
            Err(error) => return Err(Trouble::of_start(error).await),
        };
        engine.set_admin_addr(places.admin);
        let proxy = engine.proxy_addr();
        let instance = Instance::this(proxy, places.admin);
        let registration = instance::register(&places.data_dir, Role::Engine, instance)?;
        self.set_backend(Some(engine.control()));
        self.adopt(engine.config(), path.as_deref()).await;
        self.resume_claude_code(&engine, path.as_deref()).await;
        tracing::info!(%proxy, admin = %places.admin, "Zephyr is ready");

        tokio::select! {
            never = self.follow(&engine, path.as_deref()) => match never {},
            () = self.0.quit.cancelled() => {}
        }
        self.end(&engine).await;
        drop(registration);
        Ok(())
    }

    async fn follow(&self, engine: &Engine, path: Option<&Path>) -> Infallible {
        let control = engine.control();
        let mut seen = 0;
        let snapshots = control.snapshots().await;
        let mut snapshots = snapshots.expect("an engine in this process always answers");
        while let Some(snapshot) = snapshots.next().await {
            let reloaded = has_reloaded(&snapshot, &mut seen);
            self.set_base(snapshot);
            if reloaded {
                self.adopt(engine.config(), path).await;
                self.resume_claude_code(engine, path).await;
            }
        }
        std::future::pending().await
    }

    /// Lets requests finish, with the countdown shown; a second wish to quit cuts them off.
    async fn end(&self, engine: &Engine) {
        tracing::info!("quitting; a second time quits at once");
        // First of all, so that no conversation begins at a port that is about to close.
        if engine.config().desktop.restore_claude_code_on_quit {
            self.suspend_claude_code().await;
        }
        let control = engine.control();
        let count_down = async {
            loop {
                if let Ok(snapshot) = control.snapshot().await {
                    self.set_base(snapshot);
                }
                tokio::time::sleep(COUNTDOWN).await;
            }
        };
        let mut drain = pin!(engine.drain());
        tokio::select! {
            biased;
            () = self.0.quit_now.cancelled() => tracing::warn!("requests in flight were cut off"),
            () = &mut drain => {}
            () = count_down => {}
        }
    }

    /// Shows what is wrong until it is worth trying again.
    async fn wait_out(&self, trouble: &Trouble, places: &Places) {
        let named = places.config.clone();
        let path = blocking(move || {
            settings::locate(named.as_deref(), |name| std::env::var_os(name))
                .ok()
                .map(|located| located.path)
        })
        .await;
        let listening = Listening {
            proxy: String::new(),
            admin: Some(places.admin.to_string()),
        };
        self.set_base(Arc::new(nothing_runs(
            listening,
            path.as_deref(),
            Some(trouble.problem()),
        )));
        let changed = async {
            match path.as_deref().map(settings::watch) {
                Some(Ok(mut watch)) => watch.changed().await,
                Some(Err(_)) | None => std::future::pending().await,
            }
        };
        let time = tokio::time::sleep(trouble.retry_after());
        tokio::select! {
            () = changed => {}
            () = time => {}
            () = self.0.try_again.notified() => {}
            () = self.0.quit.cancelled() => {}
        }
    }

    /// Takes over what another program's configuration file says.
    async fn adopt_file(&self, address: SocketAddr, path: Option<PathBuf>) {
        let readable = path.clone();
        let loaded = blocking(move || settings::load(&readable?).ok()).await;
        if let Some(Loaded { config, .. }) = loaded {
            self.adopt(config.clone(), path.as_deref()).await;
            *lock(&self.0.proxy) = Some(Proxy {
                address,
                config,
                path,
            });
        }
    }

    /// Applies a configuration to what this program does itself. Without a file, nothing says what happens
    /// at login, and nothing is changed there.
    async fn adopt(&self, config: Config, file: Option<&Path>) {
        let enabled = file.map(|_| config.desktop.launch_at_login);
        let problem = match (enabled, self.0.program.clone()) {
            (Some(enabled), Some(program)) => {
                let outcome = blocking(move || autostart::set(&program, enabled)).await;
                outcome.err().map(|error| Problem {
                    kind: ProblemKind::Desktop,
                    message: format!("launching at login could not be set up: {error}"),
                    remedy: "check that you may write to that place, then try again".to_owned(),
                })
            }
            (None, _) | (Some(_), None) => None,
        };
        {
            let mut surroundings = self.surroundings();
            surroundings.host().launch_at_login = enabled;
            surroundings.set_problem(Topic::Login, problem);
        }
        self.0.config.send_replace(config);
        self.publish();
    }

    async fn launch_at_login(&self, enabled: bool) -> Result<Done, ControlError> {
        let path = self.0.snapshots.borrow().config_path.clone();
        let Some(file) = path.map(PathBuf::from) else {
            let message = "this instance has no configuration file that could keep the setting";
            return Err(ControlError::new(ErrorCode::NotPossible, message));
        };
        let key = ["desktop", "launch_at_login"];
        let path = file.clone();
        let edited = blocking(move || edit::set(&path, &key, enabled)).await;
        edited.map_err(|error| ControlError::new(ErrorCode::NotPossible, error.to_string()))?;
        let mut config = self.0.config.borrow().clone();
        config.desktop.launch_at_login = enabled;
        self.adopt(config, Some(&file)).await;
        let message = if enabled {
            "Zephyr starts when you log in"
        } else {
            "Zephyr does not start when you log in"
        };
        Ok(Done {
            message: message.to_owned(),
        })
    }

    /// Watches Claude Code's settings until the program ends.
    pub(crate) async fn watch_claude_code(&self) {
        let Some(link) = self.0.claude_code.clone() else {
            return;
        };
        loop {
            let looking = link.clone();
            // Watched before it is read, so that nothing falls between the two.
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

    async fn connect_claude_code(&self) -> Result<Done, ControlError> {
        let proxy = lock(&self.0.proxy).clone();
        let Some(proxy) = proxy else {
            let message = "the proxy does not run, so Claude Code would be left without an answer";
            return Err(ControlError::new(ErrorCode::NotPossible, message));
        };
        self.with_claude_code(move |link, language| link.connect(&proxy, language))
            .await
    }

    async fn disconnect_claude_code(&self) -> Result<Done, ControlError> {
        self.with_claude_code(Link::disconnect).await
    }

    async fn with_claude_code(
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

    /// Connects what was connected before, now that somebody listens.
    async fn resume_claude_code(&self, engine: &Engine, path: Option<&Path>) {
        let proxy = Proxy {
            address: engine.proxy_addr(),
            config: engine.config(),
            path: path.map(Path::to_owned),
        };
        *lock(&self.0.proxy) = Some(proxy.clone());
        if let Some(link) = self.0.claude_code.clone() {
            let problem = blocking(move || link.resume(&proxy)).await;
            self.set_problem(Topic::ClaudeCode, problem);
            self.0.look_again.notify_one();
        }
    }

    async fn suspend_claude_code(&self) {
        if let Some(link) = self.0.claude_code.clone()
            && let Err(error) = blocking(move || link.suspend()).await
        {
            tracing::error!(%error, "Claude Code's settings could not be restored");
        }
    }

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
                // A click shows its effect at once.
                if let Ok(snapshot) = backend.snapshot().await {
                    self.set_base(snapshot);
                }
                Ok(done)
            }
        }
    }

    /// The engine to ask.
    fn backend(&self) -> Result<Arc<dyn Control>, ControlError> {
        lock(&self.0.backend).clone().ok_or_else(|| {
            let message =
                "the proxy does not run, so there is nothing to ask; see the problems shown";
            ControlError::new(ErrorCode::Unreachable, message)
        })
    }

    fn set_backend(&self, backend: Option<Arc<dyn Control>>) {
        *lock(&self.0.backend) = backend;
        *lock(&self.0.proxy) = None;
    }

    fn set_base(&self, snapshot: Arc<Snapshot>) {
        self.surroundings().set_base(snapshot);
        self.publish();
    }

    fn publish(&self) {
        let snapshot = self.surroundings().snapshot();
        self.0.snapshots.send_replace(snapshot);
    }

    fn surroundings(&self) -> MutexGuard<'_, Surroundings> {
        lock(&self.0.surroundings)
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

    fn check(&self, command: Command) -> ControlFuture<'_, Vec<Complaint>> {
        Box::pin(async move { self.backend()?.check(command).await })
    }

    fn diagnose(&self, tested: Tested) -> ControlFuture<'_, Diagnosis> {
        Box::pin(async move { self.backend()?.diagnose(tested).await })
    }
}

/// Whether a changed configuration is in force since the event `seen`, which becomes the newest.
fn has_reloaded(snapshot: &Snapshot, seen: &mut u64) -> bool {
    let mut new = snapshot.events.iter().filter(|event| event.seq > *seen);
    let reloaded = new.any(|event| event.kind == EventKind::ConfigReloaded);
    *seen = snapshot.events.last().map_or(*seen, |event| event.seq);
    reloaded
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
    }
}

//! Runs an engine of our own, follows another program's engine, or shows why there is none.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use zephyr_admin::instance::{self, Found, Instance, Role, Running};
use zephyr_config::{ConfigFile, Loaded, Trust};
use zephyr_control::{Control, EventKind, Listening, Snapshot};
use zephyr_engine::{Engine, Options, Source};

use super::handle::{Supervisor, blocking, lock};
use super::start::{Fleet, Greeting, Places};
use crate::claude_code::Proxy;
use crate::follow;
use crate::nothing::nothing_runs;
use crate::trouble::Trouble;

/// The time between two updates of the countdown while the program ends.
const COUNTDOWN: Duration = Duration::from_secs(1);

impl Supervisor {
    /// Runs until the program should end. After that no request is in flight.
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
                // A port that stays taken is tried again every two seconds.
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
            self.attach(running, places).await;
            return Ok(());
        }
        let named = places.config.clone();
        let (loaded, file) = blocking(move || {
            let located = zephyr_config::locate(named.as_deref(), |name| std::env::var_os(name))?;
            let loaded = located.file.load()?;
            // Front-ends read it from other folders.
            let file = located.file.absolute().map_err(Trouble::NoFolder)?;
            Ok::<_, Trouble>((loaded, file))
        })
        .await?;
        self.run_engine(loaded, Source::File(file), places).await
    }

    /// Shows the state of another program's engine, until that engine or this program ends.
    async fn attach(&self, running: Running, places: &Places) {
        tracing::info!(
            pid = running.instance.pid,
            "attached to the Zephyr that runs already"
        );
        let path = running.snapshot.config_path.clone();
        let trust = Trust::of(&places.data_dir);
        let file = path.map(|path| ConfigFile::of_instance(path.as_str(), trust));
        let address = running.instance.proxy;
        let control: Arc<dyn Control> = Arc::new(running.client);
        self.set_backend(Some(Arc::clone(&control)));
        let mut seen = running.snapshot.events.last().map_or(0, |event| event.seq);
        self.set_base(running.snapshot);
        self.adopt_file(address, file.clone()).await;
        let follow = async {
            let mut states = pin!(follow::states(control, follow::PAUSE));
            while let Some(snapshot) = states.next().await {
                let reloaded = has_reloaded(&snapshot, &mut seen);
                self.set_base(snapshot);
                if reloaded {
                    self.adopt_file(address, file.clone()).await;
                }
            }
        };
        tokio::select! {
            () = follow => tracing::info!("the other Zephyr has ended"),
            () = self.0.quit.cancelled() => {}
        }
    }

    /// Runs an engine of our own until the program should end.
    async fn run_engine(
        &self,
        loaded: Loaded,
        source: Source,
        places: &Places,
    ) -> Result<(), Trouble> {
        let file = source.file().cloned();
        let path = file.as_ref().map(|file| file.path().to_owned());
        let options = Options {
            // Nothing about simulated endpoints is saved.
            data_dir: path.is_some().then(|| places.data_dir.clone()),
            known: places.known.clone(),
            ..Options::default()
        };
        let started = Engine::start_with(loaded, source, options).await;
        let engine = match started {
            Ok(engine) => engine,
            Err(error) => return Err(Trouble::of_start(error, &places.data_dir).await),
        };
        engine.set_admin_addr(places.admin);
        let proxy = engine.proxy_addr();
        let instance = Instance::this(proxy, places.admin);
        let registration = instance::register(&places.data_dir, Role::Engine, instance)?;
        self.set_backend(Some(engine.control()));
        self.adopt(engine.config(), path.as_deref()).await;
        self.resume_claude_code(&engine, file.as_ref()).await;
        tracing::info!(%proxy, admin = %places.admin, "Zephyr is ready");

        tokio::select! {
            never = self.follow(&engine, file.as_ref()) => match never {},
            () = self.0.quit.cancelled() => {}
        }
        self.end(&engine).await;
        drop(registration);
        Ok(())
    }

    async fn follow(&self, engine: &Engine, file: Option<&ConfigFile>) -> Infallible {
        let control = engine.control();
        let mut seen = 0;
        let snapshots = control.snapshots().await;
        let mut snapshots = snapshots.expect("an engine in this process always answers");
        while let Some(snapshot) = snapshots.next().await {
            let reloaded = has_reloaded(&snapshot, &mut seen);
            self.set_base(snapshot);
            if reloaded {
                self.adopt(engine.config(), file.map(ConfigFile::path))
                    .await;
                self.resume_claude_code(engine, file).await;
            }
        }
        std::future::pending().await
    }

    /// Lets requests finish, and shows the countdown. A second request to quit ends them at once.
    async fn end(&self, engine: &Engine) {
        tracing::info!("quitting; a second time quits at once");
        // This comes first, so that no conversation begins at a port that is about to close.
        self.leave_claude_code(engine).await;
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

    /// Shows what is wrong until it is time to try again.
    async fn wait_out(&self, trouble: &Trouble, places: &Places) {
        let named = places.config.clone();
        let path = blocking(move || {
            zephyr_config::locate(named.as_deref(), |name| std::env::var_os(name))
                .ok()
                .map(|located| located.file.path().to_owned())
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
        let changed = async move {
            match blocking(move || zephyr_config::watch(&path?).ok()).await {
                Some(mut watch) => watch.changed().await,
                None => std::future::pending().await,
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

    /// Applies another program's configuration file.
    async fn adopt_file(&self, address: SocketAddr, file: Option<ConfigFile>) {
        let readable = file.clone();
        let loaded = blocking(move || readable?.load().ok()).await;
        if let Some(Loaded { config, .. }) = loaded {
            self.adopt(config.clone(), file.as_ref().map(ConfigFile::path))
                .await;
            *lock(&self.0.proxy) = Some(Proxy {
                address,
                config,
                file,
            });
        }
    }
}

/// Whether a changed configuration came into force after the event `seen`. Updates `seen` to the newest
/// event.
fn has_reloaded(snapshot: &Snapshot, seen: &mut u64) -> bool {
    let mut new = snapshot.events.iter().filter(|event| event.seq > *seen);
    let reloaded = new.any(|event| event.kind == EventKind::ConfigReloaded);
    *seen = snapshot.events.last().map_or(*seen, |event| event.seq);
    reloaded
}

//! `zephyr serve`: the engine, the admin port and the instance file, from a start to a drained end.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::anyhow;
use tokio_util::sync::CancellationToken;
use zephyr_cli::admin;
use zephyr_cli::instance::{self, Found, Instance};
use zephyr_cli::status;
use zephyr_cli::token::Token;
use zephyr_control::{Command, Control, Language, Snapshot};
use zephyr_engine::settings::Loaded;
use zephyr_engine::{Engine, Source, StartError};

use crate::failure::Failure;
use crate::signals::{Signal, Signals};
use crate::{configuration, logging, output};

/// `zephyr serve`.
pub(crate) async fn serve(config: Option<&Path>) -> Result<(), Failure> {
    let (loaded, path) = configuration::read(config)?;
    logging::start(loaded.config.logging.level);
    let data_dir = configuration::data_dir()?;
    run(loaded, Source::File(path), &data_dir, status::started).await
}

/// Runs until a signal ends it; `announce` says on stderr what was started.
pub(crate) async fn run(
    loaded: Loaded,
    source: Source,
    data_dir: &Path,
    announce: impl FnOnce(&Snapshot, Language) -> String,
) -> Result<(), Failure> {
    let mut signals = Signals::listen()?;
    let language = output::language(loaded.config.ui.language);
    let web_admin = loaded.config.web_admin.clone();

    let engine = match Engine::start(loaded, source).await {
        Ok(engine) => engine,
        Err(error) => return Err(not_started(error, data_dir).await),
    };
    let control = engine.control();
    let shutdown = CancellationToken::new();
    let token = Token::load_or_create(data_dir)?;
    let admin = admin::serve(control.clone(), &web_admin, token, shutdown.clone())
        .await
        .map_err(|error| Failure::operation(error, "the admin port cannot be opened"))?;
    engine.set_admin_addr(admin.address());
    let instance = Instance::this(engine.proxy_addr(), admin.address());
    let registration = instance::register(data_dir, instance)?;
    eprint!("{}", announce(&*control.snapshot().await?, language));

    until_stopped(&mut signals, &*control).await;
    tracing::info!("ending; a second signal ends at once");
    let end = async {
        engine.drain().await;
        shutdown.cancel();
        admin.stopped().await;
    };
    let outcome = tokio::select! {
        () = end => Ok(()),
        () = signals.stop() => Err(Failure::Operation(anyhow!(
            "ended at once; requests in flight were cut off"
        ))),
    };
    drop(registration);
    outcome
}

async fn until_stopped(signals: &mut Signals, control: &dyn Control) {
    while signals.next().await == Signal::Reload {
        match control.execute(Command::Reload).await {
            Ok(done) => tracing::info!("{done}", done = done.message),
            Err(error) => tracing::warn!(%error, "the configuration was not reloaded"),
        }
    }
}

/// A busy port is often ours: say so, since then nothing has to be changed.
async fn not_started(error: StartError, data_dir: &Path) -> Failure {
    if let StartError::Bind { address, .. } = &error
        && let Ok(Found::Running(running)) = instance::find(data_dir).await
        && same_port(running.instance.proxy, *address)
    {
        return Failure::usage(format!(
            "Zephyr is already running on {address} (process {}); see `zephyr status`, or give this \
             one another server.port",
            running.instance.pid
        ));
    }
    Failure::Usage(error.into())
}

fn same_port(held: SocketAddr, wanted: SocketAddr) -> bool {
    held.port() == wanted.port()
        && (held.ip() == wanted.ip() || held.ip().is_unspecified() || wanted.ip().is_unspecified())
}

//! `zephyr serve`: the engine, the admin port and the instance file, from the start to the end after a drain.

use std::io::ErrorKind;
use std::path::Path;

use anyhow::anyhow;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;
use zephyr_admin::instance::{self, Found, Instance, Role};
use zephyr_admin::server::{self, Access, Confirmations};
use zephyr_admin::token::AccessTokens;
use zephyr_config::Loaded;
use zephyr_control::{Command, Control, Language, Snapshot};
use zephyr_engine::{Engine, Options, Source, StartError};
use zephyr_process::holder::Holder;
use zephyr_process::logging::{self, Files};
use zephyr_process::signals::{Signal, Signals};
use zephyr_process::{data_folder, descriptors, language};
use zephyr_secrets::redact::Known;

use crate::configuration;
use crate::connect::tell_sessions;
use crate::failure::Failure;
use crate::status;

/// `zephyr serve`.
pub(crate) async fn serve(config: Option<&Path>) -> Result<(), Failure> {
    let (loaded, file) = configuration::read(config)?;
    let data_dir = configuration::data_dir()?;
    let logging = &loaded.config.logging;
    let log = logging::start(
        logging.level,
        Some(Files::of(logging, Some(file.path()), &data_dir)),
    );
    // The path must be absolute, because front-ends start in other folders.
    let source = Source::File(file.absolute()?);
    run(loaded, source, &data_dir, log.known(), status::started).await
}

/// Runs until a signal ends it. `announce` prints on stderr what was started.
pub(crate) async fn run(
    loaded: Loaded,
    source: Source,
    data_dir: &Path,
    known: Known,
    announce: impl FnOnce(&Snapshot, Language) -> String,
) -> Result<(), Failure> {
    descriptors::raise();
    let mut signals = Signals::listen()?;
    let language = language::spoken(loaded.config.ui.language);
    let web_admin = loaded.config.web_admin.clone();
    let allow_other_users = loaded.config.server.allow_other_users;

    data_folder::secure(data_dir)
        .map_err(|error| Failure::operation(error, "the data folder cannot be used"))?;
    refuse_second(data_dir).await?;
    let options = Options {
        // A demo has new endpoints every time, so nothing about them is saved.
        data_dir: source.path().map(|_| data_dir.to_owned()),
        known: known.clone(),
        ..Options::default()
    };
    let engine = match Engine::start_with(loaded, source, options).await {
        Ok(engine) => engine,
        Err(error) => return Err(not_started(error, data_dir).await),
    };
    let control = engine.control();
    let shutdown = CancellationToken::new();
    let access = Access {
        tokens: AccessTokens::load_or_create(data_dir)?,
        allow_other_users,
    };
    access.tokens.keep_out_of(&known);
    let confirmations = Confirmations::default();
    let serving = server::serve(
        control.clone(),
        &web_admin,
        access,
        confirmations,
        shutdown.clone(),
    );
    let admin = serving
        .await
        .map_err(|error| Failure::operation(error, "the admin port cannot be opened"))?;
    engine.set_admin_addr(admin.address());
    let instance = Instance::this(engine.proxy_addr(), admin.address());
    let registration = instance::register(data_dir, Role::Engine, instance)?;
    eprint!("{}", announce(&*control.snapshot().await?, language));

    until_stopped(&mut signals, &*control).await;
    tracing::info!("ending; a second signal ends at once");
    let end = async {
        tell_sessions(data_dir, engine.proxy_addr(), language).await;
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

/// Says who has the port, if somebody has it. If that is another user, the tokens that clients of this user send
/// there become worthless.
async fn not_started(error: StartError, data_dir: &Path) -> Failure {
    let address = match &error {
        StartError::Bind { address, source } if source.kind() == ErrorKind::AddrInUse => *address,
        StartError::Bind { .. } | StartError::Endpoint { .. } => {
            return Failure::Usage(error.into());
        }
    };
    let data_dir = data_dir.to_owned();
    let asked = spawn_blocking(move || {
        let holder = Holder::of(address);
        let squatted = holder
            .is_foreign()
            .then(|| zephyr_claude_code::squatted(&data_dir, address.port()));
        (holder, squatted)
    });
    let Ok((holder, squatted)) = asked.await else {
        return Failure::Usage(error.into());
    };
    let squatted = match squatted {
        Some(Ok(squatted)) => squatted.to_string(),
        Some(Err(error)) => format!("; {error}"),
        None => String::new(),
    };
    Failure::usage(format!("{error}. It is {holder}{squatted}"))
}

/// Fails if an instance of this data folder is running: each would hide the other from front-ends.
async fn refuse_second(data_dir: &Path) -> Result<(), Failure> {
    // An instance that does not answer is no reason to stop. If it holds our port, the engine reports it.
    let Ok(Found::Running(running)) = instance::find(data_dir).await else {
        return Ok(());
    };
    let Instance { pid, proxy, .. } = running.instance;
    Err(Failure::usage(format!(
        "Zephyr is already running: process {pid}, on {proxy}; see `zephyr status`, end that one \
         first, or give this one a data folder (ZEPHYR_DATA_DIR) and a server.port of its own"
    )))
}

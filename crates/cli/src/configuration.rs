//! The commands about the configuration file and the endpoints in it.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::anyhow;
use zephyr_admin::instance::{self, Found};
use zephyr_config::{ConfigFile, Exposed, Loaded, Located, Problem, Trust};
use zephyr_control::{Command, Control};
use zephyr_core::config::{Auth, Config, CredentialRef};
use zephyr_engine::{Source, diagnose_once, probe_once};
use zephyr_process::colours::Colours;
use zephyr_process::language;
use zephyr_secrets::environment::Environment;
use zephyr_secrets::vault::{Keychain, Vault};

use crate::failure::Failure;
use crate::output;
use crate::{names, status};

/// The file to read. If there is none, a default is written. Says on stderr which one it is, unless it is the
/// usual one.
pub(crate) fn locate(explicit: Option<&Path>) -> Result<Located, Failure> {
    zephyr_config::locate(explicit, |name| env::var_os(name))
        .map_err(|error| Failure::Usage(error.into()))
        .inspect(tell)
}

/// Says on stderr what a person should know about the choice of the file.
pub(crate) fn tell(located: &Located) {
    for notice in located.notices() {
        output::remark(notice);
    }
}

/// The configuration, and its file.
pub(crate) fn read(explicit: Option<&Path>) -> Result<(Loaded, ConfigFile), Failure> {
    load(locate(explicit)?.file)
}

/// The configuration of a running instance, which reads the file at `path`, and that file.
pub(crate) fn read_of_instance(path: &Path) -> Result<(Loaded, ConfigFile), Failure> {
    if !zephyr_config::is_usual(path) {
        let path = path.display();
        output::remark(format_args!(
            "the configuration is {path} (the running Zephyr reads it)"
        ));
    }
    load(ConfigFile::of_instance(path, Trust::of(&data_dir()?)))
}

fn load(file: ConfigFile) -> Result<(Loaded, ConfigFile), Failure> {
    let loaded = file.load().map_err(|error| Failure::Usage(error.into()))?;
    Ok((loaded, file))
}

/// The folder for Zephyr's own data.
pub(crate) fn data_dir() -> Result<PathBuf, Failure> {
    zephyr_config::data_dir().map_err(|error| Failure::Usage(error.into()))
}

/// `zephyr config trust [PATH]`.
pub(crate) async fn trust(path: &Path) -> Result<(), Failure> {
    let data_dir = data_dir()?;
    let trusted = Trust::of(&data_dir).give(path).map_err(|error| {
        Failure::Operation(anyhow!("{} cannot be trusted: {error}", path.display()))
    })?;
    output::print(&format!(
        "trusted as it is now, with the .env beside it: {}\n",
        trusted.display()
    ))?;
    reload_instance_of(&trusted, &data_dir).await;
    Ok(())
}

/// A running instance that has not taken over a change of this file takes it over now.
async fn reload_instance_of(trusted: &Path, data_dir: &Path) {
    let Ok(Found::Running(running)) = instance::find(data_dir).await else {
        return;
    };
    let its_own = running
        .snapshot
        .config_path
        .as_deref()
        .map(fs::canonicalize);
    let is_this = its_own.is_some_and(|path| path.ok() == fs::canonicalize(trusted).ok());
    if is_this && let Err(error) = running.client.execute(Command::Reload).await {
        output::remark(format_args!("the running Zephyr has not read it: {error}"));
    }
}

/// `zephyr config path`.
pub(crate) fn path(explicit: Option<&Path>) -> Result<(), Failure> {
    let located = locate(explicit)?;
    let path = std::path::absolute(located.file.path())?;
    output::print(&format!("{}\n", path.display()))
}

/// `zephyr config schema`.
pub(crate) fn schema() -> Result<(), Failure> {
    output::print(zephyr_config::SCHEMA)
}

/// `zephyr config check`.
pub(crate) fn check(explicit: Option<&Path>) -> Result<(), Failure> {
    let (loaded, file) = read(explicit)?;
    let environment = Environment::new(file.dotenv()?);
    let unreadable = environment.unreadable().iter().copied();
    let unreadable = unreadable.map(|line| Problem::from(line).to_string());
    let mut warnings: Vec<String> = loaded
        .warnings
        .iter()
        .map(ToString::to_string)
        .chain(unreadable)
        .collect();
    let references = credentials(&loaded.config).map(|(_, reference)| reference);
    let vault = Vault::open(environment, &Keychain::system(), references);
    warnings.extend(
        credentials(&loaded.config).filter_map(|(whose, reference)| {
            let error = vault.get(reference).err()?;
            Some(format!("{whose}: {error}; {}", error.remedy()))
        }),
    );
    let data_dir = data_dir().ok().and_then(Exposed::of);
    let exposed = file.exposures().into_iter().chain(data_dir);
    warnings.extend(exposed.map(|exposed| exposed.warning().to_string()));
    for warning in &warnings {
        writeln!(io::stderr(), "warning: {warning}")?;
    }
    let endpoints = loaded.config.endpoints.len();
    let warnings = warnings.len();
    output::print(&format!(
        "{}: no errors; warnings: {warnings}; endpoints: {endpoints}\n",
        file.path().display()
    ))
}

/// `zephyr probe`.
pub(crate) async fn probe(explicit: Option<&Path>, typed: &[String]) -> Result<(), Failure> {
    let (loaded, file) = read(explicit)?;
    let language = language::spoken(loaded.config.ui.language);
    let endpoints = loaded.config.endpoints.iter();
    let known: Vec<_> = endpoints.map(|endpoint| endpoint.name.clone()).collect();
    let chosen = typed
        .iter()
        .map(|name| names::resolve(name, known.iter().map(String::as_str)).map(str::to_owned))
        .collect::<Result<Vec<_>, _>>()?;
    if known.is_empty() {
        return Err(Failure::Operation(anyhow!(
            "no endpoint is configured; add one to {}",
            file.path().display()
        )));
    }

    let reports = probe_once(loaded, &Source::File(file), &chosen).await?;
    let results: Vec<_> = reports
        .into_iter()
        .map(|report| (report.endpoint, report.result))
        .collect();
    let colours = Colours::of(&io::stdout());
    output::print(&status::probes(&results, language, colours))?;
    if results.iter().any(|(_, result)| result.is_ok()) {
        Ok(())
    } else {
        Err(Failure::Operation(anyhow!("no endpoint is usable")))
    }
}

/// `zephyr diagnose NAME`.
pub(crate) async fn diagnose(explicit: Option<&Path>, typed: &str) -> Result<(), Failure> {
    let (loaded, file) = read(explicit)?;
    let language = language::spoken(loaded.config.ui.language);
    let endpoints = loaded.config.endpoints.iter();
    let known: Vec<_> = endpoints.map(|endpoint| endpoint.name.clone()).collect();
    let name = names::resolve(typed, known.iter().map(String::as_str))?;

    let diagnosis = diagnose_once(loaded, &Source::File(file), name).await;
    let diagnosis = diagnosis.ok_or_else(|| Failure::Operation(anyhow!("{name} is gone")))?;

    output::print(&status::diagnosis(&diagnosis, language))?;
    if diagnosis.steps.iter().all(|step| step.passed) {
        Ok(())
    } else {
        Err(Failure::Operation(anyhow!("{name} does not work")))
    }
}

/// The time between two connections to an endpoint during the test.
const TEST_INTERVAL: Duration = Duration::from_secs(1);
/// 95 % of the checks must begin no later than this.
const LATE: Duration = Duration::from_millis(50);
/// Every check must begin no later than this.
const TOO_LATE: Duration = Duration::from_millis(500);

/// `zephyr probe --test-timing`.
pub(crate) async fn test_timing(explicit: Option<&Path>, span: Duration) -> Result<(), Failure> {
    let (loaded, file) = read(explicit)?;
    let language = language::spoken(loaded.config.ui.language);
    if loaded.config.endpoints.is_empty() {
        return Err(Failure::Operation(anyhow!(
            "no endpoint is configured; add one to {}",
            file.path().display()
        )));
    }

    let source = Source::File(file);
    let lateness = zephyr_engine::test_timing(loaded, &source, TEST_INTERVAL, span).await?;

    output::print(&status::timing(&lateness, span, language))?;
    if lateness.probes == 0 {
        return Err(Failure::Operation(anyhow!(
            "nothing was checked: every endpoint is switched off"
        )));
    }
    if lateness.p95 > LATE || lateness.max > TOO_LATE {
        return Err(Failure::Operation(anyhow!(
            "the schedule is not kept: of 100 checks 95 should begin within {} ms, and all within {} ms; \
             this machine is busy",
            LATE.as_millis(),
            TOO_LATE.as_millis()
        )));
    }
    Ok(())
}

/// Every credential that the configuration names, and the endpoint or purpose it is for.
pub(crate) fn credentials(config: &Config) -> impl Iterator<Item = (String, &CredentialRef)> {
    let of_endpoints = config.endpoints.iter().filter_map(|endpoint| {
        let Auth::Ours { credential, .. } = &endpoint.auth else {
            return None;
        };
        Some((format!("endpoint {}", endpoint.name), credential))
    });
    let of_clients = config.server.client_token.iter();
    of_endpoints.chain(of_clients.map(|reference| ("the client token".to_owned(), reference)))
}

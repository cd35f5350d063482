//! The configuration in force, with what was made of it.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::HeaderValue;
use zephyr_control::{Problem, ProblemKind};
use zephyr_core::config::{Auth, Config};

use crate::guard::Guard;
use crate::secret::Secret;
use crate::settings::{self, Dotenv, Environment, Loaded};
use crate::vault::{Vault, VaultError};

/// Where a configuration comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file, with the `.env` beside it; watched and read again.
    File(PathBuf),
    /// Made by the program; cannot be read again.
    Fixed,
}

impl Source {
    /// The file, if there is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Fixed => None,
        }
    }
}

/// The configuration in force.
pub struct Live {
    /// What the file says.
    pub config: Config,
    /// Who may call.
    pub guard: Guard,
    /// Names this Zephyr in requests, so that a loop is noticed.
    pub instance: HeaderValue,
    /// The secrets of the endpoints, by name.
    secrets: HashMap<String, Secret>,
    /// What a person should look at.
    pub problems: Vec<Problem>,
}

impl Live {
    /// Looks up every secret that the configuration refers to. May block.
    pub fn prepare(loaded: Loaded, source: &Source, instance: HeaderValue) -> Self {
        let Loaded { config, warnings } = loaded;
        let mut problems: Vec<Problem> = warnings
            .iter()
            .map(|warning| problem(ProblemKind::ConfigWarning, warning))
            .collect();
        let environment = Environment::new(dotenv_of(source, &mut problems));
        problems.extend(
            environment
                .problems()
                .iter()
                .map(|warning| problem(ProblemKind::ConfigWarning, warning)),
        );
        let vault = Vault::new(environment);
        let mut secrets = HashMap::new();
        for endpoint in &config.endpoints {
            if let Auth::Ours { credential, .. } = &endpoint.auth {
                match vault.get(credential) {
                    Ok(secret) => drop(secrets.insert(endpoint.name.clone(), secret)),
                    Err(error) => {
                        problems.push(missing(&format!("endpoint {}", endpoint.name), &error));
                    }
                }
            }
        }
        let client_token = config.server.client_token.as_ref().and_then(|reference| {
            let found = vault.get(reference);
            found
                .map_err(|error| problems.push(missing("the client token", &error)))
                .ok()
        });
        if config.endpoints.is_empty() {
            problems.push(Problem {
                kind: ProblemKind::NoEndpoints,
                message: "no endpoint is configured; every request is answered with 503".to_owned(),
                remedy: "add a [[groups]] table with its endpoints to config.toml (see config.toml.example)".to_owned(),
            });
        }
        Self {
            guard: Guard::new(&config.server, client_token),
            config,
            instance,
            secrets,
            problems,
        }
    }

    /// The secret of an endpoint, if its reference led to one.
    pub fn secret(&self, endpoint: &str) -> Option<&Secret> {
        self.secrets.get(endpoint)
    }

    /// The endpoints whose credential was not found.
    pub fn without_credential(&self) -> BTreeSet<String> {
        let needy = self
            .config
            .endpoints
            .iter()
            .filter(|endpoint| endpoint.auth != Auth::Passthrough);
        let without = needy.filter(|endpoint| !self.secrets.contains_key(&endpoint.name));
        without.map(|endpoint| endpoint.name.clone()).collect()
    }

    /// The endpoints that are sent another credential than in `old`: another secret, or in another header.
    pub fn changed_since(&self, old: &Self) -> BTreeSet<String> {
        let changed = self.config.endpoints.iter().filter(|endpoint| {
            let name = endpoint.name.as_str();
            old.config.endpoint(name).map(|old| &old.auth) != Some(&endpoint.auth)
                || old.secret(name) != self.secret(name)
        });
        changed.map(|endpoint| endpoint.name.clone()).collect()
    }
}

/// Reads the configuration again. Blocks.
///
/// # Errors
///
/// The file cannot be read, or has errors: all of them.
pub fn reload(source: &Source, instance: HeaderValue) -> Result<Arc<Live>, settings::LoadError> {
    let loaded = match source {
        Source::File(path) => settings::load(path)?,
        Source::Fixed => Loaded {
            config: Config::default(),
            warnings: Vec::new(),
        },
    };
    Ok(Arc::new(Live::prepare(loaded, source, instance)))
}

fn dotenv_of(source: &Source, problems: &mut Vec<Problem>) -> Dotenv {
    let Some(path) = source.path().map(settings::dotenv_path) else {
        return Dotenv::default();
    };
    settings::dotenv(&path).unwrap_or_else(|error| {
        problems.push(Problem {
            kind: ProblemKind::ConfigWarning,
            message: format!("{}: {error}", path.display()),
            remedy: "make the file readable for this user, or remove it".to_owned(),
        });
        Dotenv::default()
    })
}

fn problem(kind: ProblemKind, found: &settings::Problem) -> Problem {
    let place = match found.line {
        Some(line) => format!("line {line}, {}: ", found.key),
        None => format!("{}: ", found.key),
    };
    Problem {
        kind,
        message: format!("{place}{}", found.message),
        remedy: found.remedy.clone(),
    }
}

fn missing(whose: &str, error: &VaultError) -> Problem {
    Problem {
        kind: ProblemKind::Credential,
        message: format!("{whose} has no credential: {error}"),
        remedy: format!("{}; it is not used until then", error.remedy()),
    }
}

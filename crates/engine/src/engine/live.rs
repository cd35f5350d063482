//! The configuration in force, and what was made of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use http::HeaderValue;
use zephyr_control::{Problem, ProblemKind};
use zephyr_core::config::{Auth, Config, CredentialRef, Endpoint};

use crate::clients::guard::Guard;
use zephyr_config::{ConfigFile, Loaded};
use zephyr_secrets::Secret;
use zephyr_secrets::environment::{Dotenv, Environment};
use zephyr_secrets::private::Exposure;
use zephyr_secrets::redact::Redactor;
use zephyr_secrets::vault::{Extent, Keychain, KeychainError, Vault, VaultError};

#[derive(Clone, Debug)]
pub enum Source {
    /// A file, with the `.env` beside it. It is watched and read again.
    File(ConfigFile),
    /// Made by the program. It cannot be read again.
    Fixed,
}

impl Source {
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::File(file) => Some(file.path()),
            Self::Fixed => None,
        }
    }

    pub fn file(&self) -> Option<&ConfigFile> {
        match self {
            Self::File(file) => Some(file),
            Self::Fixed => None,
        }
    }
}

pub struct Live {
    pub config: Config,
    /// Which clients may call.
    pub guard: Guard,
    /// Whether an endpoint gives its clients only a part of its paths.
    pub has_prefix: bool,
    /// The token that clients must send.
    client_token: Option<Secret>,
    /// Names this Zephyr in requests, so that loops are found.
    pub instance: HeaderValue,
    /// The secrets behind the references of the endpoints, by the endpoint's name.
    secrets: HashMap<String, Result<Secret, VaultError>>,
    /// What the keychain gave, by the entry's name.
    given: BTreeMap<String, Secret>,
    /// What the keychain did not give, by the entry's name.
    pub withheld: BTreeMap<String, KeychainError>,
    /// What a person should look at.
    pub problems: Vec<Problem>,
    /// Warnings about the file.
    warnings: Vec<zephyr_config::Problem>,
}

fn has_prefix(endpoint: &Endpoint) -> bool {
    !endpoint.url.path().is_empty()
}

impl Live {
    /// Looks up every secret that the configuration refers to. Blocks, with a slow keychain for a few
    /// seconds.
    pub fn prepare(
        loaded: Loaded,
        source: &Source,
        instance: HeaderValue,
        keychain: &Keychain,
    ) -> Self {
        Self::knowing(loaded, source, instance, keychain, &BTreeMap::new())
    }

    /// `known`: what the keychain gave before.
    fn knowing(
        loaded: Loaded,
        source: &Source,
        instance: HeaderValue,
        keychain: &Keychain,
        known: &BTreeMap<String, Secret>,
    ) -> Self {
        let Loaded {
            config, warnings, ..
        } = loaded;
        let mut problems: Vec<Problem> = warnings
            .iter()
            .map(|warning| problem(ProblemKind::ConfigWarning, warning))
            .collect();
        problems.extend(source.file().into_iter().flat_map(changeable_by_others));
        let environment = Environment::new(dotenv_of(source, &mut problems));
        let unreadable = environment.unreadable().iter().copied();
        problems.extend(unreadable.map(|line| problem(ProblemKind::ConfigWarning, &line.into())));
        let of_clients = config.server.client_token.as_ref();
        let of_endpoints = references(&config).map(|(_, reference)| reference);
        let wanted = of_endpoints.chain(of_clients);
        let vault = Vault::open(environment, keychain, wanted).or_known(known);
        let found = |(name, reference): (&str, _)| (name.to_owned(), vault.get(reference));
        let secrets: HashMap<_, _> = references(&config).map(found).collect();
        let client_token = of_clients.map(|reference| vault.get(reference));
        let mut missing = Missing::default();
        for endpoint in &config.endpoints {
            if let Some(Err(error)) = secrets.get(&endpoint.name) {
                missing.add(format!("endpoint {}", endpoint.name), error);
            }
        }
        if let Some(Err(error)) = &client_token {
            missing.add("the client token".to_owned(), error);
        }
        problems.extend(missing.problems());
        if config.endpoints.is_empty() {
            problems.push(Problem::new(
                ProblemKind::NoEndpoints,
                "no endpoint is configured; every request is answered with 503",
                "add a [[groups]] table with its endpoints to config.toml (see config.toml.example)",
            ));
        }
        let client_token = client_token.and_then(Result::ok);
        Self {
            guard: Guard::new(&config.server, client_token.clone()),
            has_prefix: config.endpoints.iter().any(has_prefix),
            client_token,
            config,
            instance,
            secrets,
            given: vault.given(),
            withheld: vault.withheld(),
            problems,
            warnings,
        }
    }

    /// The same configuration with the current secrets. `None`: the keychain still withholds the same
    /// entries. Blocks like [`Self::prepare`].
    pub fn look_again(&self, source: &Source, keychain: &Keychain) -> Option<Self> {
        let found = keychain.look_up(&self.withheld.keys().cloned().collect());
        let same = |(name, error): (&String, &KeychainError)| {
            found.get(name).and_then(|found| found.as_ref().err()) == Some(error)
        };
        if self.withheld.iter().all(same) {
            return None;
        }
        Some(self.renewed(source, keychain))
    }

    /// The same configuration with the current secrets. Blocks like [`Self::prepare`].
    pub fn renewed(&self, source: &Source, keychain: &Keychain) -> Self {
        let loaded = Loaded {
            config: self.config.clone(),
            warnings: self.warnings.clone(),
            fingerprint: None,
        };
        let instance = self.instance.clone();
        let known = &self.given;
        Self::knowing(loaded, source, instance, keychain, known)
    }

    /// The secret of an endpoint, if it was found.
    pub fn secret(&self, endpoint: &str) -> Option<&Secret> {
        self.secrets.get(endpoint)?.as_ref().ok()
    }

    /// Every known secret.
    pub fn secrets(&self) -> Vec<Secret> {
        let of_endpoints = self.secrets.values().flatten();
        let all = of_endpoints.chain(self.given.values());
        all.chain(&self.client_token).cloned().collect()
    }

    /// Takes every known secret out of a text.
    pub fn redactor(&self) -> Redactor {
        Redactor::of(self.secrets().iter().map(Secret::expose))
    }

    /// Why an endpoint that needs a secret has none.
    pub fn why_without(&self, endpoint: &str) -> Option<&VaultError> {
        self.secrets.get(endpoint)?.as_ref().err()
    }

    /// The endpoints whose credential was not found.
    pub fn without_credential(&self) -> BTreeSet<String> {
        let needy = self
            .config
            .endpoints
            .iter()
            .filter(|endpoint| endpoint.auth != Auth::Passthrough);
        let without = needy.filter(|endpoint| self.secret(&endpoint.name).is_none());
        without.map(|endpoint| endpoint.name.clone()).collect()
    }

    /// The endpoints that are sent another credential than in `old`: another secret, or another header.
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
/// The file cannot be read, or has errors. All errors are reported.
pub fn reload(
    source: &Source,
    old: &Live,
    keychain: &Keychain,
) -> Result<Arc<Live>, zephyr_config::LoadError> {
    let loaded = match source {
        Source::File(file) => file.load()?,
        Source::Fixed => Loaded {
            config: Config::default(),
            warnings: Vec::new(),
            fingerprint: None,
        },
    };
    let (instance, known) = (old.instance.clone(), &old.given);
    let live = Live::knowing(loaded, source, instance, keychain, known);
    Ok(Arc::new(live))
}

fn dotenv_of(source: &Source, problems: &mut Vec<Problem>) -> Dotenv {
    let Some(file) = source.file() else {
        return Dotenv::default();
    };
    file.dotenv().unwrap_or_else(|error| {
        problems.push(Problem::new(
            ProblemKind::ConfigWarning,
            format!("{}: {error}", file.dotenv_path().display()),
            "make the file readable for this user, or remove it",
        ));
        Dotenv::default()
    })
}

/// Whoever may change the file, or replace it, steers Zephyr and gets the user's credentials.
fn changeable_by_others(file: &ConfigFile) -> Vec<Problem> {
    let exposed = file.exposures().into_iter();
    exposed
        .filter(|exposed| exposed.exposure == Exposure::Writable)
        .map(|exposed| {
            let warning = exposed.warning();
            Problem::new(ProblemKind::ConfigWarning, warning.message, warning.remedy)
        })
        .collect()
}

fn problem(kind: ProblemKind, found: &zephyr_config::Problem) -> Problem {
    let place = match found.line {
        Some(line) => format!("line {line}, {}: ", found.key),
        None => format!("{}: ", found.key),
    };
    Problem::new(kind, format!("{place}{}", found.message), &found.remedy)
}

/// The endpoints without a credential. If several wait for the same one, that is one problem, not several.
#[derive(Default)]
struct Missing {
    one_by_one: Vec<(Vec<String>, VaultError)>,
    waiting: Vec<String>,
    keychain: Option<KeychainError>,
}

impl Missing {
    fn add(&mut self, whose: String, error: &VaultError) {
        if let VaultError::Keychain { error, .. } = error
            && error.extent() == Extent::Everything
        {
            self.waiting.push(whose);
            self.keychain = Some(error.clone());
            return;
        }
        match self.one_by_one.iter_mut().find(|(_, same)| same == error) {
            Some((whom, _)) => whom.push(whose),
            None => self.one_by_one.push((vec![whose], error.clone())),
        }
    }

    fn problems(self) -> Vec<Problem> {
        let of_keychain = self.keychain.map(|error| {
            let waiting = self.waiting.join(", ");
            let message = format!("{error}; without a credential: {waiting}");
            Problem::new(ProblemKind::Keychain, message, error.remedy())
        });
        let one_by_one = self.one_by_one.into_iter().map(|(whom, error)| {
            let message = format!("no credential for {}: {error}", whom.join(", "));
            let remedy = format!("{}; it is not used until then", error.remedy());
            Problem::new(ProblemKind::Credential, message, remedy)
        });
        of_keychain.into_iter().chain(one_by_one).collect()
    }
}

/// Every endpoint that needs a credential, with its reference.
fn references(config: &Config) -> impl Iterator<Item = (&str, &CredentialRef)> {
    config
        .endpoints
        .iter()
        .filter_map(|endpoint| match &endpoint.auth {
            Auth::Ours { credential, .. } => Some((endpoint.name.as_str(), credential)),
            Auth::Passthrough => None,
        })
}

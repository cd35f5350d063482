//! Runs the diagnosis of an endpoint with the right token. Its cost is counted with the checks.

use std::sync::Arc;

use zephyr_control::{
    ControlError, Diagnosis, EndpointForm, ErrorCode, SecretText, Tested, TokenReference,
};
use zephyr_core::Config;
use zephyr_core::config::{Auth, Endpoint};

use super::amend::{blocking, in_words, invalid, unreadable};
use super::live::{Live, Source};
use super::remotes::{instance_id, prepare};
use super::shared::Shared;
use crate::endpoints::network::Network;
use crate::probe::diagnosis::{self, Token, Wrong};
use crate::probe::likeness::LastSeen;
use zephyr_config::edit::change::Change;
use zephyr_config::edit::file::File;
use zephyr_config::{Loaded, form};
use zephyr_secrets::Secret;
use zephyr_secrets::environment::Environment;
use zephyr_secrets::vault::{Keychain, Vault, VaultError};

/// Tests an endpoint of the configuration step by step, without an engine. `None`: there is no endpoint of
/// that name.
pub async fn diagnose_once(loaded: Loaded, source: &Source, name: &str) -> Option<Diagnosis> {
    let keychain = Arc::new(Keychain::system());
    let live = prepare(loaded, source, &instance_id(), &keychain).await;
    let spec = live.config.endpoint(name)?;
    let token = token_of(&live, spec);
    let network = Network::new(Vec::new());
    let (diagnosis, _) = diagnosis::diagnose(
        spec,
        token,
        &live.config,
        &network,
        &LastSeen::default().likeness(),
        &live.redactor(),
    )
    .await;
    Some(diagnosis)
}

impl Shared {
    pub(super) async fn diagnose(&self, tested: Tested) -> Result<Diagnosis, ControlError> {
        let (spec, token, config) = match tested {
            Tested::Configured { endpoint } => {
                self.find(&endpoint)?;
                let live = self.live();
                let spec = live.config.endpoint(&endpoint).cloned();
                let spec = spec.ok_or_else(|| {
                    let message = format!("{endpoint} was taken out just now");
                    ControlError::new(ErrorCode::UnknownEndpoint, message)
                })?;
                let token = token_of(&live, &spec);
                (spec, token, live.config.clone())
            }
            Tested::Draft { endpoint, token } => self.draft(endpoint, token).await?,
        };
        let claude_code = self.door.claude_code().likeness();
        let redactor = self.traffic.known.redactor();
        let (diagnosis, cost) = diagnosis::diagnose(
            &spec,
            token,
            &config,
            &self.network,
            &claude_code,
            &redactor,
        )
        .await;
        self.door
            .step(|state, _| state.fleet.book_check(&spec.name, cost));
        Ok(diagnosis)
    }

    /// The endpoint as it would be if the form were saved.
    async fn draft(
        &self,
        mut form: EndpointForm,
        token: Option<SecretText>,
    ) -> Result<(Endpoint, Token, Config), ControlError> {
        let given = token.map(|token| Secret::new(token.expose())).transpose();
        let given = given.map_err(|why| {
            ControlError::new(ErrorCode::BadRequest, format!("this is no token: {why}"))
        })?;
        if given.is_some() && form.token == TokenReference::None {
            // The form does not say yet where the token will be stored.
            form.token = TokenReference::Keychain("draft".to_owned());
        }
        let source = self.source.clone();
        let keychain = Arc::clone(&self.keychain);
        blocking(move || {
            let text = match source.path() {
                Some(path) => {
                    let file = File::read(path).map_err(|error| unreadable(&error))?;
                    file.text().to_owned()
                }
                None => String::new(),
            };
            let config = config_with(&text, form.clone())?;
            let spec = config.endpoint(form.name.trim()).cloned();
            let spec = spec.ok_or_else(|| invalid("the endpoint was not understood"))?;
            let token = match (&spec.auth, given) {
                (Auth::Passthrough, _) => Token::OfClients,
                (Auth::Ours { .. }, Some(secret)) => Token::Ours(secret),
                (Auth::Ours { credential, .. }, None) => {
                    let dotenv = source.file().and_then(|file| file.dotenv().ok());
                    let environment = Environment::new(dotenv.unwrap_or_default());
                    let vault = Vault::open(environment, &keychain, [credential]);
                    vault
                        .get(credential)
                        .map_or_else(|error| missing(&error), Token::Ours)
                }
            };
            Ok((spec, token, config))
        })
        .await
    }
}

/// The configuration with the endpoint of the form in it: as a new one, or in place of the one with its name.
fn config_with(text: &str, form: EndpointForm) -> Result<Config, ControlError> {
    let shown = form::configuration(text).map_err(|problems| invalid(problems.to_string()))?;
    let name = form.name.trim().to_owned();
    let is_known = shown.endpoints.iter().any(|endpoint| endpoint.name == name);
    let change = if is_known {
        Change::Edit(name, Box::new(form))
    } else {
        Change::Add(Box::new(form))
    };
    let changed = change.applied(text);
    let changed = changed.map_err(|why| invalid(in_words(&[change.complaint(&why)])))?;
    let outcome = changed
        .outcome
        .map_err(|_| invalid(in_words(&changed.complaints)))?;
    Ok(outcome.loaded.config)
}

fn token_of(live: &Live, spec: &Endpoint) -> Token {
    match (&spec.auth, live.secret(&spec.name)) {
        (Auth::Passthrough, _) => Token::OfClients,
        (Auth::Ours { .. }, Some(secret)) => Token::Ours(secret.clone()),
        (Auth::Ours { .. }, None) => match live.why_without(&spec.name) {
            Some(error) => missing(error),
            None => Token::Missing(Wrong::new(
                "no token was found",
                "name one for this endpoint",
            )),
        },
    }
}

fn missing(error: &VaultError) -> Token {
    Token::Missing(Wrong::new(
        format!("there is no token: {error}"),
        error.remedy(),
    ))
}

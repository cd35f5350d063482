//! The credential that an endpoint gets.

use http::header::{AUTHORIZATION, HeaderName};
use http::{HeaderMap, HeaderValue};
use zephyr_core::config::{Auth, AuthHeader};
use zephyr_secrets::redact::is_credential;
use zephyr_secrets::{Secret, client_token};

/// The header in which the Messages API takes an API key.
pub const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

#[derive(Clone)]
pub enum Credential {
    /// The client's own credential, unchanged.
    Passthrough,
    /// `Authorization: Bearer …` with our secret.
    Bearer(HeaderValue),
    /// `x-api-key: …` with our secret.
    ApiKey(HeaderValue),
}

impl Credential {
    /// What the configuration asks for. `secret`: found through its reference.
    pub fn of(auth: &Auth, secret: Option<&Secret>) -> Self {
        let sensitive = |text: &str| {
            let mut value = HeaderValue::from_str(text)
                .expect("a Secret has only characters that a header may carry");
            value.set_sensitive(true);
            value
        };
        match (auth, secret) {
            (Auth::Passthrough, _) => Self::Passthrough,
            (
                Auth::Ours {
                    header: AuthHeader::Bearer,
                    ..
                },
                Some(secret),
            ) => Self::Bearer(sensitive(&format!("Bearer {}", secret.expose()))),
            (
                Auth::Ours {
                    header: AuthHeader::ApiKey,
                    ..
                },
                Some(secret),
            ) => Self::ApiKey(sensitive(secret.expose())),
            // The fleet never admits an endpoint without its secret. If it did, the client's credential must
            // not be sent in its place.
            (
                Auth::Ours {
                    header: AuthHeader::Bearer,
                    ..
                },
                None,
            ) => Self::Bearer(sensitive("Bearer")),
            (
                Auth::Ours {
                    header: AuthHeader::ApiKey,
                    ..
                },
                None,
            ) => Self::ApiKey(sensitive("")),
        }
    }

    /// Puts our credential in. Everything of the client's that may be a credential is then removed: it is nobody's
    /// business at that endpoint. If the endpoint gets the client's own, it gets no token that is for Zephyr alone.
    pub fn apply(&self, headers: &mut HeaderMap) {
        let (name, value) = match self {
            Self::Passthrough => return remove_tokens_of_ours(headers),
            Self::Bearer(value) => (AUTHORIZATION, value),
            Self::ApiKey(value) => (X_API_KEY, value),
        };
        let of_client = headers.keys().filter(|name| is_of_client(name));
        for name in of_client.cloned().collect::<Vec<_>>() {
            headers.remove(name);
        }
        headers.insert(name, value.clone());
    }

    /// Removes the headers of an answer that repeat our credential: the client must not learn it.
    pub fn keep_out_of(&self, answer: &mut HeaderMap) {
        let secret = match self {
            Self::Passthrough => return,
            Self::Bearer(value) => value.as_bytes().get(b"Bearer ".len()..),
            Self::ApiKey(value) => Some(value.as_bytes()),
        };
        let Some(secret) = secret.filter(|secret| !secret.is_empty()) else {
            return;
        };
        let repeats = |(name, value): (&HeaderName, &HeaderValue)| {
            memchr::memmem::find(value.as_bytes(), secret).map(|_| name.clone())
        };
        for name in answer.iter().filter_map(repeats).collect::<Vec<_>>() {
            answer.remove(name);
        }
    }

    /// Whether the credential is ours, not the client's.
    pub fn is_ours(&self) -> bool {
        match self {
            Self::Passthrough => false,
            Self::Bearer(_) | Self::ApiKey(_) => true,
        }
    }
}

/// Whether the header may hold a credential of the client. The API's own headers (`anthropic-*`) hold none, and an
/// endpoint may need those that nobody knows yet.
fn is_of_client(name: &HeaderName) -> bool {
    is_credential(name) && !name.as_str().starts_with("anthropic-")
}

/// Removes what `zephyr connect` wrote into the client's settings. It is good for Zephyr only.
fn remove_tokens_of_ours(headers: &mut HeaderMap) {
    for name in [AUTHORIZATION, X_API_KEY] {
        let mut values = headers.get_all(&name).iter();
        let is_ours = values.any(|value| {
            let value = value.as_bytes();
            let (scheme, token) = value.split_at_checked(7).unwrap_or_default();
            let token = if scheme.eq_ignore_ascii_case(b"bearer ") {
                token
            } else {
                value
            };
            token.starts_with(client_token::PREFIX.as_bytes())
        });
        if is_ours {
            headers.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::COOKIE;

    fn of_client() -> HeaderMap {
        HeaderMap::from_iter([
            (AUTHORIZATION, HeaderValue::from_static("Bearer client")),
            (X_API_KEY, HeaderValue::from_static("client")),
            (COOKIE, HeaderValue::from_static("client=1")),
            (
                HeaderName::from_static("api-key"),
                HeaderValue::from_static("client"),
            ),
            (
                HeaderName::from_static("cf-access-client-secret"),
                HeaderValue::from_static("client"),
            ),
            (
                HeaderName::from_static("anthropic-beta"),
                HeaderValue::from_static("harmless"),
            ),
        ])
    }

    #[test]
    fn the_clients_credential_never_accompanies_ours() {
        let client = of_client();
        for ours in [
            Credential::Bearer(HeaderValue::from_static("Bearer ours")),
            Credential::ApiKey(HeaderValue::from_static("ours")),
        ] {
            let mut headers = client.clone();

            ours.apply(&mut headers);

            assert_eq!(headers.len(), 2);
            assert_eq!(headers["anthropic-beta"], "harmless");
            assert!(
                headers
                    .values()
                    .all(|value| !value.to_str().unwrap().contains("client"))
            );
        }
    }

    #[test]
    fn passthrough_leaves_the_clients_headers_alone() {
        let mut headers = of_client();

        Credential::Passthrough.apply(&mut headers);

        assert_eq!(headers, of_client());
    }

    #[test]
    fn a_token_that_is_for_zephyr_alone_goes_nowhere() {
        for (name, value) in [
            (AUTHORIZATION, "Bearer zephyr-client-0123"),
            (AUTHORIZATION, "bearer zephyr-client-0123"),
            (X_API_KEY, "zephyr-client-0123"),
        ] {
            let mut headers = HeaderMap::from_iter([(name, HeaderValue::from_static(value))]);

            Credential::Passthrough.apply(&mut headers);

            assert!(headers.is_empty(), "{value}");
        }
    }
}

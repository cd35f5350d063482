//! The credential that an endpoint gets.

use http::header::{AUTHORIZATION, HeaderName};
use http::{HeaderMap, HeaderValue};
use zephyr_core::config::{Auth, AuthHeader};
use zephyr_secrets::Secret;

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

    /// Puts our credential in. The client's credential is then removed from both headers.
    pub fn apply(&self, headers: &mut HeaderMap) {
        let (name, value) = match self {
            Self::Passthrough => return,
            Self::Bearer(value) => (AUTHORIZATION, value),
            Self::ApiKey(value) => (X_API_KEY, value),
        };
        headers.remove(AUTHORIZATION);
        headers.remove(X_API_KEY);
        headers.insert(name, value.clone());
    }

    /// Whether the credential is ours, not the client's.
    pub fn is_ours(&self) -> bool {
        match self {
            Self::Passthrough => false,
            Self::Bearer(_) | Self::ApiKey(_) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_client() -> HeaderMap {
        HeaderMap::from_iter([
            (AUTHORIZATION, HeaderValue::from_static("Bearer client")),
            (X_API_KEY, HeaderValue::from_static("client")),
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

            assert_eq!(headers.len(), 1);
            assert!(
                headers
                    .values()
                    .all(|value| value.to_str().unwrap().contains("ours"))
            );
        }
    }

    #[test]
    fn passthrough_leaves_both_alone() {
        let mut headers = of_client();

        Credential::Passthrough.apply(&mut headers);

        assert_eq!(headers.len(), 2);
    }
}

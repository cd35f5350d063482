//! Which header is a credential, by its name.
//!
//! Words outrank beginnings: `x-claude-code-oauth-token` is a credential, although headers of Claude Code are
//! harmless. What counts tokens is none: `anthropic-ratelimit-tokens-limit`.

use http::HeaderName;

/// Whether the value of a header with this name is a credential.
pub fn is_credential(name: &HeaderName) -> bool {
    is_secret(name.as_str())
}

/// Whether what has this name, in small letters, is a credential: a header, a field, a parameter of a query.
pub(crate) fn is_secret(name: &str) -> bool {
    match name {
        // Half of a credential each: whoever has the other half is that client.
        "cf-access-client-id" | "x-amzn-oidc-data" | "x-amzn-oidc-identity" => true,
        _ if is_listed(name) || !has_trace(name.as_bytes()) => false,
        _ => {
            let mut seen = Words::default();
            name.split(['-', '_', '.', ' ', '[', ']'])
                .for_each(|word| seen.add(word));
            seen.are_secret()
        }
    }
}

/// Whether a name may have a word for a secret in it. Most have none, and this is asked for every header of every
/// request, so it looks at each letter once.
fn has_trace(name: &[u8]) -> bool {
    let begins = |rest: &[u8]| {
        matches!(
            rest,
            [b'a', b'u', b't', b'h', ..]
                | [b'a', b's', b's', b'e', b'r', ..]
                | [b'b', b'e', b'a', b'r', ..]
                | [b'c', b'o', b'o', b'k', ..]
                | [b'c', b'r', b'e', b'd', ..]
                | [b'j', b'w', b't', ..]
                | [b'k', b'e', b'y', ..]
                | [b'p', b'a', b's', b's', ..]
                | [b'p', b'w', b'd', ..]
                | [b's', b'e', b'c', b'r', ..]
                | [b't', b'o', b'k', b'e', ..]
        )
    };
    (0..name.len()).any(|at| begins(&name[at..]))
}

#[derive(Default)]
struct Words {
    /// A word that means a secret, whatever is beside it.
    secret: bool,
    /// `key`: maybe that of a cache.
    key: bool,
    /// `token`: maybe something to count.
    token: bool,
    tokens: bool,
    /// A word for a number.
    number: bool,
    /// A word for what has a key that opens nothing.
    index: bool,
}

impl Words {
    fn add(&mut self, word: &str) {
        if !word.is_ascii() || word.is_empty() {
            return;
        }
        match word {
            "token" => self.token = true,
            "tokens" => self.tokens = true,
            "key" | "keys" => self.key = true,
            "budget" | "count" | "cost" | "input" | "limit" | "max" | "min" | "num" | "number"
            | "continuation" | "next" | "page" | "previous" | "output" | "quota" | "ratelimit"
            | "rate" | "remaining" | "reset" | "total" | "usage" | "used" => self.number = true,
            "cache" | "idempotency" | "partition" | "routing" | "shard" | "sort" | "surrogate"
            | "websocket" => self.index = true,
            "pwd" | "pass" | "passwd" | "jwt" | "assertion" | "apikey" | "bearer" => {
                self.secret = true;
            }
            _ => self.secret |= has_secret_part(word),
        }
    }

    fn are_secret(&self) -> bool {
        let counts = self.number && !self.key;
        self.secret || (self.key && !self.index) || ((self.token || self.tokens) && !counts)
    }
}

/// Whether a longer word has a word for a secret in it. This is asked for every header of every request, so it
/// looks at each letter once.
fn has_secret_part(word: &str) -> bool {
    let bytes = word.as_bytes();
    if matches!(word, "donkey" | "monkey" | "turkey") {
        return false;
    }
    if bytes.len() < 5 {
        return word == "auth";
    }
    (0..bytes.len()).any(|at| {
        let rest = &bytes[at..];
        match rest[0] {
            b'a' => {
                let is_person = rest.starts_with(b"author") && !rest.starts_with(b"authori");
                let is_rank = rest.starts_with(b"authority");
                let is_question = rest.starts_with(b"authenticate");
                rest.starts_with(b"auth") && !is_person && !is_rank && !is_question
            }
            b'c' => rest.starts_with(b"cookie") || rest.starts_with(b"credential"),
            b'k' => rest == b"key" || rest == b"keys" || rest.starts_with(b"keyid"),
            b'p' => rest.starts_with(b"passw") || rest.starts_with(b"passphrase"),
            b's' => rest.starts_with(b"secret") && !rest.starts_with(b"secretar"),
            b't' => rest.starts_with(b"token") && !rest.starts_with(b"tokeni"),
            _ => false,
        }
    })
}

/// Whether the value of a header may be shown, since it is known to hold no credential.
pub(crate) fn is_harmless(name: &str, value: &str) -> bool {
    if is_listed(name) {
        return true;
    }
    if is_secret(name) {
        return false;
    }
    let is_of_a_family = FAMILIES.iter().any(|family| name.starts_with(family));
    is_of_a_family || is_measure(name, value)
}

/// Headers of Anthropic, its clients and Zephyr.
const FAMILIES: &[&str] = &[
    "anthropic-ratelimit-",
    "x-claude-code-",
    "x-ratelimit-",
    "x-stainless-",
    "x-zephyr-",
];

/// Whether a name that says what is counted has a number, a date or a duration.
fn is_measure(name: &str, value: &str) -> bool {
    let words = name.split('-');
    let counts = words.into_iter().any(|word| {
        matches!(
            word,
            "limit" | "remaining" | "reset" | "count" | "max" | "used"
        )
    });
    let fits = |byte: u8| byte.is_ascii_digit() || b".:-+ TZsmhd,%/".contains(&byte);
    counts && value.len() <= 40 && value.bytes().all(fits)
}

/// Headers whose value may be kept. This is code, which compares lengths first, and not a list.
fn is_listed(name: &str) -> bool {
    matches!(
        name,
        "accept"
            | "accept-encoding"
            | "accept-language"
            | "access-control-allow-credentials"
            | "age"
            | "anthropic-beta"
            | "anthropic-dangerous-direct-browser-access"
            | "anthropic-version"
            | "cache-control"
            | "cf-cache-status"
            | "cf-ray"
            | "connection"
            | "content-encoding"
            | "content-language"
            | "content-length"
            | "content-type"
            | "date"
            | "expect"
            | "expires"
            | "host"
            | "idempotency-key"
            | "keep-alive"
            | "last-modified"
            | "origin"
            | "pragma"
            | "request-id"
            | "retry-after"
            | "retry-after-ms"
            | "server"
            | "server-timing"
            | "strict-transport-security"
            | "trailer"
            | "transfer-encoding"
            | "user-agent"
            | "vary"
            | "via"
            | "x-app"
            | "x-content-type-options"
            | "x-endpoint-index"
            | "x-request-id"
            | "x-should-retry"
            | "x-used-endpoint"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_for_a_secret_outranks_every_beginning_of_a_name() {
        for name in [
            "authorization",
            "proxy-authorization",
            "x-api-key",
            "api-key",
            "apikey",
            "cookie",
            "cookie2",
            "set-cookie",
            "cf-access-client-id",
            "cf-access-client-secret",
            "cf-access-jwt-assertion",
            "x-goog-api-key",
            "x-goog-iap-jwt-assertion",
            "ocp-apim-subscription-key",
            "x-amz-security-token",
            "x-amzn-oidc-data",
            "x-auth",
            "x-auth-token",
            "x-access-token",
            "x-csrf-token",
            "x-vault-token",
            "x-claude-code-oauth-token",
            "x-stainless-api-key",
            "x-zephyr-client-token",
            "anthropic-ratelimit-auth-tokens",
            "anthropic-ratelimit-key",
            "x-ratelimit-secret",
            "x-user-password",
            "x-pwd",
            "x-credentials",
            "authentication-info",
            "accesstoken",
            "x-subscriptionkey",
        ] {
            assert!(is_credential(&HeaderName::from_static(name)), "{name}");
            assert!(!is_harmless(name, "1"), "{name}");
        }
    }

    #[test]
    fn counters_of_tokens_and_keys_of_caches_are_no_credentials() {
        for name in [
            "anthropic-beta",
            "anthropic-version",
            "anthropic-ratelimit-tokens-limit",
            "anthropic-ratelimit-input-tokens-remaining",
            "anthropic-ratelimit-output-tokens-reset",
            "anthropic-ratelimit-unified-5h-utilization",
            "x-ratelimit-remaining-tokens",
            "x-ratelimit-limit-tokens",
            "x-max-tokens",
            "x-token-count",
            "idempotency-key",
            "x-idempotency-key",
            "x-cache-key",
            "sec-websocket-key",
            "x-stainless-lang",
            "x-stainless-retry-count",
            "x-claude-code-session-id",
            "x-author",
            "www-authenticate",
            "x-request-id",
            "user-agent",
            "x-monkeypatch",
        ] {
            assert!(!is_credential(&HeaderName::from_static(name)), "{name}");
        }
    }

    #[test]
    fn what_counts_is_shown_with_a_number_a_date_or_a_duration() {
        assert!(is_harmless("anthropic-ratelimit-tokens-limit", "40000"));
        assert!(is_harmless("x-tokens-limit", "40000"));
        assert!(is_harmless("x-tokens-reset", "2026-12-01T10:00:00Z"));
        assert!(is_harmless("x-requests-reset", "6m0s"));
        assert!(!is_harmless("x-token-limit", "tomato-soup"));
        assert!(!is_harmless("x-surprise", "1"));
    }
}

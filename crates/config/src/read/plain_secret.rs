//! Recognizes secrets that somebody wrote into the file itself.

/// Stands for a secret that somebody put where a name or an address belongs.
pub(crate) const HIDDEN: &str = "(hidden)";

/// Keys that can only be meant to hold a secret.
const SECRET_KEYS: &[&str] = &[
    "api_key",
    "auth_token",
    "authorization",
    "client_token",
    "token",
    "x-api-key",
];

/// Whether this key can only be meant to hold a secret.
pub(crate) fn is_secret_key(key: &str) -> bool {
    SECRET_KEYS
        .iter()
        .any(|known| known.eq_ignore_ascii_case(key))
}

/// Whether this text is a secret beyond doubt, in any place.
pub(crate) fn is_secret(text: &str) -> bool {
    let long = |rest: &str| rest.bytes().take_while(|byte| is_token_byte(*byte)).count() >= 16;
    let begins = ["sk-", "sk_", "Bearer ", "bearer "]
        .iter()
        .any(|prefix| text.trim_start().strip_prefix(prefix).is_some_and(long));
    begins || text.split("sk-ant-").skip(1).any(|rest| rest.len() >= 8)
}

/// Whether this text is more likely a secret than a name.
pub(crate) fn is_likely_secret(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    is_secret(text) || text.contains("sk-") || (text.len() >= 32 && digits >= 6)
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

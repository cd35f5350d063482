//! The paths of the API. [`crate::server`] has a table of them.

pub(crate) const SNAPSHOT: &str = "/api/v1/snapshot";
pub(crate) const EVENTS: &str = "/api/v1/events";
pub(crate) const COMMANDS: &str = "/api/v1/commands";
pub(crate) const CHECK: &str = "/api/v1/check";
pub(crate) const DIAGNOSE: &str = "/api/v1/diagnose";
pub(crate) const CONFIGURATION: &str = "/api/v1/configuration";
pub(crate) const REQUESTS: &str = "/api/v1/requests";
pub(crate) const EXPORT: &str = "/api/v1/requests/export";
pub(crate) const USAGE: &str = "/api/v1/usage";
pub(crate) const HISTORY: &str = "/api/v1/history";
/// Codes are exchanged, and sessions asked for and ended.
pub(crate) const SESSION: &str = "/api/v1/session";
/// A program gets a code.
pub(crate) const CODES: &str = "/api/v1/session/codes";
/// What a browser asked for and the operating system's user has to confirm.
pub(crate) const CONFIRMATIONS: &str = "/api/v1/confirmations";
/// Whether the keychain has a token.
pub(crate) const TOKEN: &str = "/api/v1/token";
/// An instance proves that it knows the token, before a client sends the token.
pub(crate) const PROOF: &str = "/api/v1/proof";
pub(crate) const METRICS: &str = "/metrics";

/// The paths that an error lists, for people.
pub(crate) const TOLD: [&str; 11] = [
    SNAPSHOT,
    EVENTS,
    COMMANDS,
    CHECK,
    DIAGNOSE,
    CONFIGURATION,
    REQUESTS,
    USAGE,
    HISTORY,
    SESSION,
    METRICS,
];

/// One request of the journal.
pub(crate) fn request(id: u64) -> String {
    format!("{REQUESTS}/{id}")
}

/// One of the confirmations.
pub(crate) fn confirmation(number: u32) -> String {
    format!("{CONFIRMATIONS}/{number}")
}

/// Whether the path belongs to the API, and so needs a credential. This includes paths without a handler.
pub(crate) fn is_guarded(path: &str) -> bool {
    path.starts_with("/api") || path.starts_with(METRICS)
}

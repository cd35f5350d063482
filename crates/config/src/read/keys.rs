//! Keys that are accepted although they do nothing: keys of features that do not exist yet, and keys of
//! claude-zephyr that have lost their meaning. Whoever builds a feature deletes its row here.
//!
//! A pattern is a key's path without indices. A group's `health_check` counts as the global one.
//! `pricing.*` stands for every key directly in the table, `key=value` for one spelling of the value.

/// Keys of features that do not exist yet, and what happens meanwhile. The default value causes no
/// warning.
pub(crate) const NOT_YET: &[(&str, &str)] = &[
    (
        "groups[].endpoints[].model_map",
        "requests keep the model that the client names",
    ),
    (
        "groups[].endpoints[].headers",
        "requests keep the headers that the client sends",
    ),
];

/// Keys of claude-zephyr. A key with a note does nothing here. A key without one is read in place of the
/// key that has its meaning now.
pub(crate) const INHERITED: &[(&str, Option<&str>)] = &[
    ("health_check.switch_threshold_ms", None),
    ("health_check.graceful_switch_timeout_ms", None),
    (
        "groups[].health_check.switch_threshold_ms",
        Some(ONE_FOR_ALL),
    ),
    (
        "groups[].health_check.graceful_switch_timeout_ms",
        Some(ONE_FOR_ALL),
    ),
    ("retry.enabled", None),
    ("retry.max_attempts", None),
    (
        "retry.base_delay_ms",
        Some("a failed attempt moves to another endpoint without delay"),
    ),
    (
        "retry.backoff_multiplier",
        Some("a failed attempt moves to another endpoint without delay"),
    ),
    ("logging.detail_level", Some(LEVEL_DECIDES)),
    ("logging.output_level", Some(LEVEL_DECIDES)),
    ("logging.proxy_detail", Some(LEVEL_DECIDES)),
    ("logging.console_enabled", Some(STDERR_ONLY)),
    ("logging.file_enabled", Some(STDERR_ONLY)),
    ("logging.file_path", Some(STDERR_ONLY)),
    ("logging.max_file_size", Some(STDERR_ONLY)),
    ("logging.max_files", Some(STDERR_ONLY)),
    ("logging.json_format", Some(STDERR_ONLY)),
];

/// Keys that are read only when the program starts. `logging.log_directory` and `logging.retention_days`
/// are not among them, because the journal follows them at once. Only log files wait for the next start,
/// and the texts of these keys say so.
const AT_START: &[&str] = &[
    "server.host",
    "server.port",
    "logging.level",
    "web_admin.enabled",
    "web_admin.host",
    "web_admin.port",
];

const ONE_FOR_ALL: &str = "it is the same for all groups, and belongs in [server]";
const LEVEL_DECIDES: &str = "logging.level says how much is logged";
const STDERR_ONLY: &str = "log lines go to stderr and to a file a day, in logging.log_directory";

/// Whether a change of this key takes effect only after a restart.
pub(crate) fn is_read_at_start(pattern: &str) -> bool {
    AT_START.contains(&pattern)
}

/// Whether only claude-zephyr has the key.
pub(crate) fn is_inherited(pattern: &str) -> bool {
    INHERITED.iter().any(|(row, _)| *row == pattern)
}

/// What happens meanwhile, if a reader knows this key and its feature does not exist yet.
pub(crate) fn not_yet(pattern: &str) -> Option<&'static str> {
    let (table, _) = pattern.rsplit_once('.').unwrap_or(("", pattern));
    not_yet_exactly(pattern).or_else(|| not_yet_exactly(&format!("{table}.*")))
}

/// What happens meanwhile, if this key is listed here. For keys that no reader knows.
pub(crate) fn not_yet_exactly(pattern: &str) -> Option<&'static str> {
    let pattern = global(pattern);
    let row = NOT_YET.iter().find(|(row, _)| *row == pattern);
    row.map(|(_, meanwhile)| *meanwhile)
}

/// The note of a key of claude-zephyr that does nothing here.
pub(crate) fn without_effect(pattern: &str) -> Option<&'static str> {
    INHERITED
        .iter()
        .find(|(row, _)| *row == pattern)
        .and_then(|(_, note)| *note)
}

fn global(pattern: &str) -> &str {
    match pattern.strip_prefix("groups[].") {
        Some(rest) if rest.starts_with("health_check.") => rest,
        Some(_) | None => pattern,
    }
}

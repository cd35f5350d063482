//! `[logging]`: what is logged, and what the journal keeps.

/// `[logging]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logging {
    /// The lowest severity that is logged: `trace`, `debug`, `info`, `warn` or `error`.
    pub level: LogLevel,
    /// Which requests the journal keeps.
    pub request_types: LogRequests,
    /// How much of a request's body the journal keeps.
    pub request_body: LogBody,
    /// How much of an answer's body the journal keeps.
    pub response_body: LogBody,
    /// The folder of the journal. `None`: the platform's data folder.
    pub directory: Option<String>,
    /// Records are deleted after this many days.
    pub retention_days: u32,
    /// Above this size, in bytes, the oldest records are deleted.
    pub max_size: u64,
}

impl Default for Logging {
    fn default() -> Self {
        Self {
            level: LogLevel::Info,
            request_types: LogRequests::All,
            request_body: LogBody::None,
            response_body: LogBody::None,
            directory: None,
            retention_days: 14,
            max_size: 512 * 1024 * 1024,
        }
    }
}

/// Severity of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// Every chunk.
    Trace,
    /// Every attempt.
    Debug,
    /// What a user would notice.
    Info,
    /// What a person should look at.
    Warn,
    /// What stopped something from working.
    Error,
}

/// Which requests are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogRequests {
    /// Only those that failed.
    Failed,
    /// Only those that succeeded.
    Success,
    /// All of them.
    All,
}

/// How much of a body is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogBody {
    /// Nothing.
    None,
    /// Its beginning.
    Truncated,
    /// All of it.
    Full,
}

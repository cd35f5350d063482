//! The words of the menu.

use serde::Serialize;
use zephyr_control::{EndpointState, EndpointView, Headline, Language, Overall, Snapshot, text};

/// Longer explanations end with an ellipsis, because menus do not wrap.
const DETAIL_LENGTH: usize = 56;

/// The tooltip of the icon. Linux has none.
pub(crate) fn tooltip(snapshot: &Snapshot, language: Language) -> String {
    format!("Zephyr – {}", headline(snapshot, language))
}

/// The menu's own words. Their keys in the catalogues begin with `menu.`.
#[derive(Serialize)]
#[serde(tag = "menu", rename_all = "snake_case")]
pub(super) enum Phrase<'a> {
    /// The state in a word, and in a line.
    Status {
        overall: String,
        line: String,
    },
    InUse {
        endpoint: &'a str,
        detail: &'a str,
    },
    Problem {
        message: &'a str,
    },
    Problems {
        count: usize,
    },
    Endpoint {
        endpoint: &'a str,
        detail: &'a str,
    },
    Explained {
        state: &'a str,
        reason: &'a str,
    },
    NotMeasured,
    Milliseconds {
        ms: u64,
    },
    Group {
        group: &'a str,
        answering: usize,
        of: usize,
    },
    GroupInUse {
        group: &'a str,
        answering: usize,
        of: usize,
    },
    Automatic,
    Pause,
    Refresh,
    Open,
    ClaudeCode,
    ClaudeCodeChanged,
    LaunchAtLogin,
    Quit,
    Quitting {
        requests: u32,
        seconds: u64,
    },
    QuitNow,
    Confirm {
        number: u32,
    },
    Allow,
    Refuse,
}

/// The overall status in one line, with the latency of the endpoint in use.
pub(super) fn headline(snapshot: &Snapshot, language: Language) -> String {
    let status = &snapshot.status;
    let line = match (&status.headline, answering(snapshot)) {
        (Headline::InUse { .. }, Some(endpoint)) => text(
            language,
            &Phrase::InUse {
                endpoint: &named(endpoint),
                detail: &detail(endpoint, language),
            },
        ),
        (headline, _) => text(language, headline),
    };
    match status.overall {
        Overall::Well => line,
        Overall::Degraded
        | Overall::Out
        | Overall::Paused
        | Overall::Offline
        | Overall::Starting
        | Overall::Disconnected => text(
            language,
            &Phrase::Status {
                overall: text(language, &status.overall),
                line,
            },
        ),
    }
}

/// The endpoint that the status is about.
fn answering(snapshot: &Snapshot) -> Option<&EndpointView> {
    snapshot.endpoint(snapshot.status.answering()?)
}

pub(super) fn in_use(snapshot: &Snapshot) -> Option<&EndpointView> {
    let current = snapshot.current.as_deref()?;
    snapshot.endpoint(current)
}

pub(super) fn named(endpoint: &EndpointView) -> String {
    match &endpoint.flag {
        Some(flag) => format!("{flag} {}", endpoint.name),
        None => endpoint.name.clone(),
    }
}

/// The latency while the endpoint is well, or else what is wrong.
pub(super) fn detail(endpoint: &EndpointView, language: Language) -> String {
    let reason = endpoint.reason.as_ref().map(|why| text(language, why));
    match (endpoint.state, reason, endpoint.latency_ms) {
        (EndpointState::Ready, None, Some(latency)) => {
            text(language, &Phrase::Milliseconds { ms: whole(latency) })
        }
        (EndpointState::Ready, None, None) => text(language, &Phrase::NotMeasured),
        (EndpointState::Ready, Some(reason), _) => short(&reason),
        (state, None, _) => text(language, &state),
        (state, Some(reason), _) => short(&text(
            language,
            &Phrase::Explained {
                state: &text(language, &state),
                reason: &reason,
            },
        )),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rounded latency is small and positive"
)]
fn whole(latency: f64) -> u64 {
    latency.round().max(0.0) as u64
}

pub(super) fn short(text: &str) -> String {
    match text.char_indices().nth(DETAIL_LENGTH) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

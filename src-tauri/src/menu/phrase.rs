//! The words of the menu.

use serde::Serialize;
use zephyr_control::{EndpointState, EndpointView, Language, Snapshot, text};

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
    Starting,
    Stopped,
    NoEndpoints,
    NothingUsable,
    Offline,
    Distributing {
        usable: usize,
        of: usize,
    },
    InUse {
        endpoint: &'a str,
        detail: &'a str,
    },
    Paused {
        headline: &'a str,
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
        usable: usize,
        of: usize,
    },
    GroupInUse {
        group: &'a str,
        usable: usize,
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

pub(super) fn headline(snapshot: &Snapshot, language: Language) -> String {
    let say = |phrase: Phrase| text(language, &phrase);
    let enabled = snapshot.endpoints.iter().filter(|one| one.enabled).count();
    let line = if !snapshot.has_engine() {
        say(if snapshot.problems.is_empty() {
            Phrase::Starting
        } else {
            Phrase::Stopped
        })
    } else if snapshot.endpoints.is_empty() {
        say(Phrase::NoEndpoints)
    } else if snapshot.offline_since_ms.is_some() {
        say(Phrase::Offline)
    } else if snapshot.usable() == 0 {
        say(Phrase::NothingUsable)
    } else {
        match in_use(snapshot) {
            Some(endpoint) => say(Phrase::InUse {
                endpoint: &named(endpoint),
                detail: &detail(endpoint, language),
            }),
            None => say(Phrase::Distributing {
                usable: snapshot.usable(),
                of: enabled,
            }),
        }
    };
    if snapshot.paused {
        say(Phrase::Paused { headline: &line })
    } else {
        line
    }
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

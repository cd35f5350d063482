//! The tray's menu and icon as values: what is to be seen, without anything that draws it.
//!
//! [`menu`] is a pure function of a snapshot, so two menus can be compared; [`crate::tray`] draws one
//! and, from then on, only what differs from the one before. An entry's `key` says which entry it is;
//! it stays the same while texts, marks and commands change.
//!
//! Few endpoints of one group stand in the menu itself. Several groups get a submenu each, and so do
//! more endpoints than a person takes in at a glance.

use serde::Serialize;
use zephyr_control::{
    ClaudeCode, Command, EndpointState, EndpointView, Language, Mode, ProblemKind, Snapshot, text,
};

/// So many endpoints stand in the menu itself.
const FLAT: usize = 12;

/// Longer explanations end in an ellipsis: menus do not wrap.
const DETAIL_LENGTH: usize = 56;

/// What the tray shows when it is clicked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Menu(pub(crate) Vec<Entry>);

/// One line of a menu.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Entry {
    Separator,
    Item(Item),
    Group(Group),
}

/// A line with a text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Item {
    /// Which one it is.
    pub(crate) key: String,
    pub(crate) text: String,
    pub(crate) mark: Mark,
    /// What choosing it does; without one it cannot be chosen.
    pub(crate) command: Option<Command>,
}

/// Whether a line can be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// It cannot.
    Plain,
    /// It can, and is not.
    Off,
    /// It is.
    On,
}

impl Mark {
    fn of(on: bool) -> Self {
        if on { Self::On } else { Self::Off }
    }
}

/// A line with a menu of its own.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Group {
    pub(crate) key: String,
    pub(crate) text: String,
    pub(crate) entries: Vec<Entry>,
}

impl Menu {
    /// The command of the item with this key.
    pub(crate) fn command(&self, key: &str) -> Option<&Command> {
        fn find<'a>(entries: &'a [Entry], key: &str) -> Option<&'a Command> {
            entries.iter().find_map(|entry| match entry {
                Entry::Item(item) if item.key == key => item.command.as_ref(),
                Entry::Group(group) => find(&group.entries, key),
                Entry::Item(_) | Entry::Separator => None,
            })
        }
        find(&self.0, key)
    }
}

/// What the icon says at a glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Icon {
    /// Everything works.
    Healthy,
    /// Requests are answered, but something needs a look.
    Degraded,
    /// No endpoint is usable.
    AllDown,
    /// Monitoring is paused.
    Paused,
    /// The network is gone.
    Offline,
}

/// The icon for this state.
pub(crate) fn icon(snapshot: &Snapshot) -> Icon {
    if snapshot.offline_since_ms.is_some() {
        Icon::Offline
    } else if !snapshot.has_engine() && snapshot.problems.is_empty() {
        // It starts: nothing is wrong yet.
        Icon::Paused
    } else if !snapshot.endpoints.iter().any(is_ready) {
        // One that recovers is tried every minute; the icon waits for the outcome.
        Icon::AllDown
    } else if snapshot.paused {
        Icon::Paused
    } else if snapshot.endpoints.iter().any(ails) || snapshot.problems.iter().any(matters) {
        Icon::Degraded
    } else {
        Icon::Healthy
    }
}

/// The menu for this state.
pub(crate) fn menu(snapshot: &Snapshot, language: Language) -> Menu {
    let say = |phrase: Phrase| text(language, &phrase);
    let mut entries = vec![Entry::Item(Item {
        key: "status".to_owned(),
        text: headline(snapshot, language),
        mark: Mark::Plain,
        command: None,
    })];
    entries.extend(attention(snapshot, language).map(Entry::Item));
    entries.push(Entry::Separator);
    let endpoints = endpoints(snapshot, language);
    if !endpoints.is_empty() {
        entries.extend(endpoints);
        entries.push(Entry::Separator);
    }
    entries.extend(monitoring(snapshot, language).map(Entry::Item));
    entries.push(Entry::Separator);
    entries.push(Entry::Item(Item {
        key: "show".to_owned(),
        text: say(Phrase::Open),
        mark: Mark::Plain,
        command: Some(Command::Show),
    }));
    entries.push(Entry::Item(claude_code(snapshot, language)));
    if let Some(enabled) = snapshot.host.launch_at_login {
        entries.push(Entry::Item(Item {
            key: "launch-at-login".to_owned(),
            text: say(Phrase::LaunchAtLogin),
            mark: Mark::of(enabled),
            command: Some(Command::LaunchAtLogin { enabled: !enabled }),
        }));
    }
    entries.push(Entry::Separator);
    entries.extend(ending(snapshot, language).into_iter().map(Entry::Item));
    Menu(entries)
}

/// What the icon says when it is pointed at; Linux has no such thing.
pub(crate) fn tooltip(snapshot: &Snapshot, language: Language) -> String {
    format!("Zephyr – {}", headline(snapshot, language))
}

/// The menu's own words; their keys in the catalogues begin with `menu.`.
#[derive(Serialize)]
#[serde(tag = "menu", rename_all = "snake_case")]
enum Phrase<'a> {
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
}

fn headline(snapshot: &Snapshot, language: Language) -> String {
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

/// What a person should look at; the window says more.
fn attention(snapshot: &Snapshot, language: Language) -> Option<Item> {
    let problems: Vec<_> = snapshot
        .problems
        .iter()
        .filter(|one| matters(one))
        .collect();
    let text = match problems.as_slice() {
        [] => return None,
        [one] => {
            // A list has its heading first.
            let mut lines = one.message.lines();
            let telling = lines.find(|line| !line.ends_with(':'));
            let message = short(telling.unwrap_or(&one.message).trim());
            text(language, &Phrase::Problem { message: &message })
        }
        several => {
            let count = several.len();
            text(language, &Phrase::Problems { count })
        }
    };
    Some(Item {
        key: "problems".to_owned(),
        text,
        mark: Mark::Plain,
        command: Some(Command::Show),
    })
}

fn endpoints(snapshot: &Snapshot, language: Language) -> Vec<Entry> {
    let mut groups: Vec<(&str, Vec<&EndpointView>)> = Vec::new();
    for endpoint in &snapshot.endpoints {
        match groups.iter_mut().find(|(name, _)| *name == endpoint.group) {
            Some((_, members)) => members.push(endpoint),
            None => groups.push((&endpoint.group, vec![endpoint])),
        }
    }
    let items = |members: &[&EndpointView]| -> Vec<Entry> {
        let items = members.iter();
        items
            .map(|endpoint| Entry::Item(choice(endpoint, snapshot, language)))
            .collect()
    };
    if let [(_, members)] = groups.as_slice()
        && members.len() <= FLAT
    {
        return items(members);
    }
    let submenus = groups.iter().map(|(group, members)| {
        let usable = members.iter().filter(|one| one.state.is_usable()).count();
        let of = members.len();
        let holds_current = in_use(snapshot).is_some_and(|current| current.group == *group);
        let phrase = if holds_current {
            Phrase::GroupInUse { group, usable, of }
        } else {
            Phrase::Group { group, usable, of }
        };
        Entry::Group(Group {
            key: format!("group:{group}"),
            text: text(language, &phrase),
            entries: items(members),
        })
    });
    submenus.collect()
}

fn choice(endpoint: &EndpointView, snapshot: &Snapshot, language: Language) -> Item {
    // What a person chose stays marked while it is out; the headline says what is in use meanwhile.
    let marked = match &snapshot.mode {
        Mode::Manual { endpoint } => Some(endpoint),
        Mode::Auto => snapshot.current.as_ref(),
    };
    Item {
        key: format!("use:{}", endpoint.name),
        text: text(
            language,
            &Phrase::Endpoint {
                endpoint: &named(endpoint),
                detail: &detail(endpoint, language),
            },
        ),
        mark: Mark::of(marked == Some(&endpoint.name)),
        command: can_be_pinned(endpoint.state).then(|| Command::Use {
            endpoint: endpoint.name.clone(),
        }),
    }
}

fn monitoring(snapshot: &Snapshot, language: Language) -> [Item; 3] {
    let automatic = snapshot.mode == Mode::Auto;
    let item = |key: &str, phrase: Phrase, mark, command| Item {
        key: key.to_owned(),
        text: text(language, &phrase),
        mark,
        command: Some(command),
    };
    // Unchecking "Automatic" means staying where requests go now.
    let manual = snapshot.current.clone();
    let toggled = match manual.filter(|_| automatic) {
        Some(endpoint) => Command::Use { endpoint },
        None => Command::Auto,
    };
    let pause = if snapshot.paused {
        Command::Resume
    } else {
        Command::Pause
    };
    [
        item("automatic", Phrase::Automatic, Mark::of(automatic), toggled),
        item("pause", Phrase::Pause, Mark::of(snapshot.paused), pause),
        item("refresh", Phrase::Refresh, Mark::Plain, Command::Refresh),
    ]
}

fn claude_code(snapshot: &Snapshot, language: Language) -> Item {
    let (phrase, on, command) = match snapshot.host.claude_code {
        ClaudeCode::Unknown => (Phrase::ClaudeCode, false, None),
        ClaudeCode::Disconnected => (Phrase::ClaudeCode, false, Some(Command::ConnectClaudeCode)),
        ClaudeCode::Connected => (
            Phrase::ClaudeCode,
            true,
            Some(Command::DisconnectClaudeCode),
        ),
        ClaudeCode::Changed => (
            Phrase::ClaudeCodeChanged,
            false,
            Some(Command::ConnectClaudeCode),
        ),
    };
    // Nobody should be pointed at a port where nobody listens.
    let useful = on || snapshot.has_engine();
    Item {
        key: "claude-code".to_owned(),
        text: text(language, &phrase),
        mark: Mark::of(on),
        command: command.filter(|_| useful),
    }
}

fn ending(snapshot: &Snapshot, language: Language) -> Vec<Item> {
    let item = |key: &str, phrase: Phrase, command| Item {
        key: key.to_owned(),
        text: text(language, &phrase),
        mark: Mark::Plain,
        command,
    };
    match snapshot.drain {
        None => vec![item("quit", Phrase::Quit, Some(Command::Quit))],
        Some(drain) => {
            let left = drain.until_ms.saturating_sub(snapshot.taken_at_ms);
            let waiting = Phrase::Quitting {
                requests: drain.in_flight,
                seconds: left.div_ceil(1000),
            };
            vec![
                item("quitting", waiting, None),
                item("quit", Phrase::QuitNow, Some(Command::Quit)),
            ]
        }
    }
}

fn in_use(snapshot: &Snapshot) -> Option<&EndpointView> {
    let current = snapshot.current.as_deref()?;
    snapshot.endpoint(current)
}

fn named(endpoint: &EndpointView) -> String {
    match &endpoint.flag {
        Some(flag) => format!("{flag} {}", endpoint.name),
        None => endpoint.name.clone(),
    }
}

/// Its latency while all is well, else what is wrong.
fn detail(endpoint: &EndpointView, language: Language) -> String {
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

fn short(text: &str) -> String {
    match text.char_indices().nth(DETAIL_LENGTH) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

/// Whether a person may pin an endpoint in this state: one that fails may be tried, one without a
/// credential may not.
fn can_be_pinned(state: EndpointState) -> bool {
    match state {
        EndpointState::Ready
        | EndpointState::Recovering
        | EndpointState::Failing
        | EndpointState::Throttled
        | EndpointState::Refused
        | EndpointState::Exhausted => true,
        EndpointState::Draining | EndpointState::Disabled | EndpointState::NoCredential => false,
    }
}

fn is_ready(endpoint: &EndpointView) -> bool {
    endpoint.state == EndpointState::Ready
}

/// Whether an endpoint is not as its owner wants it. One that is switched off is.
fn ails(endpoint: &EndpointView) -> bool {
    match endpoint.state {
        EndpointState::Ready => endpoint.reason.is_some(),
        EndpointState::Disabled | EndpointState::Draining => false,
        EndpointState::Recovering
        | EndpointState::Failing
        | EndpointState::Throttled
        | EndpointState::Refused
        | EndpointState::Exhausted
        | EndpointState::NoCredential => true,
    }
}

/// Whether a problem deserves a glance at the tray, and not only a line in the window.
fn matters(problem: &zephyr_control::Problem) -> bool {
    match problem.kind {
        ProblemKind::ConfigError
        | ProblemKind::Credential
        | ProblemKind::Keychain
        | ProblemKind::Port
        | ProblemKind::ClaudeCode
        | ProblemKind::Journal
        | ProblemKind::Desktop => true,
        // The headline says that there are none.
        ProblemKind::ConfigWarning | ProblemKind::NoEndpoints => false,
    }
}

#[cfg(test)]
#[path = "menu_tests.rs"]
mod tests;

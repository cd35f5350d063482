//! The menu of a snapshot.

use zephyr_control::privilege::Confirmation;
use zephyr_control::{
    ClaudeCode, Command, EndpointState, EndpointView, Language, Mode, Snapshot, text,
};

use super::entry::{Choice, Entry, Group, Item, Mark, Menu};
use super::phrase::{Phrase, detail, headline, in_use, named, short};
use super::question::questions;

/// The most endpoints of one group that are in the menu itself.
const FLAT: usize = 12;

/// The menu for this state.
pub(crate) fn menu(
    snapshot: &Snapshot,
    confirmations: &[Confirmation],
    language: Language,
) -> Menu {
    let say = |phrase: Phrase| text(language, &phrase);
    let mut entries = vec![Entry::Item(Item {
        key: "status".to_owned(),
        text: headline(snapshot, language),
        mark: Mark::Plain,
        choice: None,
    })];
    entries.extend(attention(snapshot, language).map(Entry::Item));
    entries.extend(questions(confirmations, language));
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
        choice: Some(Command::Show.into()),
    }));
    entries.push(Entry::Item(claude_code(snapshot, language)));
    if let Some(enabled) = snapshot.host.launch_at_login {
        entries.push(Entry::Item(Item {
            key: "launch-at-login".to_owned(),
            text: say(Phrase::LaunchAtLogin),
            mark: Mark::of(enabled),
            choice: Some(Command::LaunchAtLogin { enabled: !enabled }.into()),
        }));
    }
    entries.push(Entry::Separator);
    entries.extend(ending(snapshot, language).into_iter().map(Entry::Item));
    Menu(entries)
}

/// What a person should look at. The window says more.
fn attention(snapshot: &Snapshot, language: Language) -> Option<Item> {
    let problems: Vec<_> = snapshot
        .problems
        .iter()
        .filter(|one| one.kind.needs_attention())
        .collect();
    let text = match problems.as_slice() {
        [] => return None,
        [one] => {
            // The first line of a list is its heading.
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
        choice: Some(Command::Show.into()),
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
        let answering = members.iter().filter(|one| one.state.answers()).count();
        let of = members.iter().filter(|one| one.enabled).count();
        let holds_current = in_use(snapshot).is_some_and(|current| current.group == *group);
        let phrase = if holds_current {
            Phrase::GroupInUse {
                group,
                answering,
                of,
            }
        } else {
            Phrase::Group {
                group,
                answering,
                of,
            }
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
    // A person's choice stays marked while that endpoint is out. The first line of the menu says what is in
    // use instead.
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
        choice: can_be_pinned(endpoint.state).then(|| {
            let endpoint = endpoint.name.clone();
            Command::Use { endpoint }.into()
        }),
    }
}

fn monitoring(snapshot: &Snapshot, language: Language) -> [Item; 3] {
    let automatic = snapshot.mode == Mode::Auto;
    let item = |key: &str, phrase: Phrase, mark, command| Item {
        key: key.to_owned(),
        text: text(language, &phrase),
        mark,
        choice: Some(Command::into(command)),
    };
    // Unchecking "Automatic" pins the endpoint that requests go to now.
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
    // Connecting is useless while nothing listens on the port.
    let useful = on || snapshot.has_engine();
    Item {
        key: "claude-code".to_owned(),
        text: text(language, &phrase),
        mark: Mark::of(on),
        choice: command.filter(|_| useful).map(Choice::Command),
    }
}

fn ending(snapshot: &Snapshot, language: Language) -> Vec<Item> {
    let item = |key: &str, phrase: Phrase, command| Item {
        key: key.to_owned(),
        text: text(language, &phrase),
        mark: Mark::Plain,
        choice: Option::map(command, Choice::Command),
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

/// Whether a person may pin an endpoint in this state. A failing one may be tried; one without a credential
/// may not.
fn can_be_pinned(state: EndpointState) -> bool {
    match state {
        EndpointState::Ready
        | EndpointState::Faltering
        | EndpointState::Unreachable
        | EndpointState::Recovering
        | EndpointState::Failing
        | EndpointState::Throttled
        | EndpointState::Refused
        | EndpointState::Exhausted => true,
        EndpointState::Draining | EndpointState::Disabled | EndpointState::NoCredential => false,
    }
}

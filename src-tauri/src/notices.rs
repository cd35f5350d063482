//! Which notifications follow from what happened: decisions only, [`crate::notify`] shows them.
//!
//! A notification interrupts, so there are few. What happens within a moment is told in one, because
//! it belongs together: an endpoint dies, and another is used. What happens sooner than
//! `notifications.min_interval_seconds` after a notification waits, and by then may have become
//! untrue: a switch there and back, a failure that is over, are not told at all.
//!
//! Like everything that decides, it takes the time as an argument: `handle_snapshot`, `poll_timeout`,
//! `handle_timeout`.

use std::time::{Duration, Instant};

use serde::Serialize;
use zephyr_control::{Decision, Event, EventKind, Language, Reason, Snapshot, text};
use zephyr_core::config::Notifications;

/// What belongs together arrives within this time.
const MOMENT: Duration = Duration::from_millis(300);

/// What is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    /// One line.
    pub(crate) summary: String,
    /// What, from where to where, and why.
    pub(crate) body: String,
}

/// What happened and has not been told.
#[derive(Debug)]
pub(crate) struct Notices {
    choices: Notifications,
    /// The engine that was looked at, by its start, and its last event that was.
    seen: Option<(u64, u64)>,
    last_told: Option<Instant>,
    waiting: Vec<News>,
    due: Option<Instant>,
}

impl Notices {
    /// Nothing has happened yet.
    pub(crate) fn new() -> Self {
        Self {
            choices: Notifications::default(),
            seen: None,
            last_told: None,
            waiting: Vec::new(),
            due: None,
        }
    }

    /// Takes over what the user wants to be told, also of what waits already.
    pub(crate) fn set_choices(&mut self, choices: Notifications) {
        self.waiting.retain(|news| news.is_wanted(&choices));
        self.choices = choices;
    }

    /// Looks at what is new in a snapshot. What happened before an engine's first one is no news.
    pub(crate) fn handle_snapshot(&mut self, snapshot: &Snapshot, now: Instant) {
        let newest = snapshot.events.last().map_or(0, |event| event.seq);
        let seen = match self.seen {
            Some((engine, seen)) if engine == snapshot.started_at_ms => seen,
            // Another engine counts anew.
            Some(_) | None => newest,
        };
        let news = snapshot.events.iter().filter(|event| event.seq > seen);
        for event in news {
            self.take_in(event);
        }
        self.seen = Some((snapshot.started_at_ms, newest));
        if self.waiting.is_empty() {
            self.due = None;
        } else if self.due.is_none() {
            let allowed = self.last_told.map(|told| told + self.choices.min_interval);
            let soon = now + MOMENT;
            self.due = Some(allowed.map_or(soon, |allowed| allowed.max(soon)));
        }
    }

    /// Takes in why something that was clicked could not be done: whoever clicked waits for it.
    pub(crate) fn handle_complaint(&mut self, complaint: &str, now: Instant) {
        self.waiting.push(News::Complaint(complaint.to_owned()));
        self.due = Some(now);
    }

    /// When [`Self::handle_timeout`] has something to tell.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }

    /// What is to be told now, in one notification.
    pub(crate) fn handle_timeout(&mut self, now: Instant, language: Language) -> Option<Notice> {
        if self.due.is_none_or(|due| due > now) {
            return None;
        }
        self.due = None;
        let mut news = std::mem::take(&mut self.waiting);
        news.sort_by_key(News::rank);
        let summary = news.first()?.summary(language);
        let lines = news.iter().flat_map(|one| one.lines(language));
        let body = lines.collect::<Vec<_>>().join("\n");
        self.last_told = Some(now);
        Some(Notice { summary, body })
    }

    fn take_in(&mut self, event: &Event) {
        let Some(news) = News::of(&event.kind) else {
            return;
        };
        if !news.is_wanted(&self.choices) {
            // It may still make something untrue that waits.
            self.forget_what_ends_with(&news);
            return;
        }
        match news {
            News::Switched { from, to, decision } => self.switched(from, to, decision),
            News::AllDown
            | News::Recovered
            | News::Offline
            | News::Online
            | News::BudgetReached(_) => {
                if !self.forget_what_ends_with(&news) && !self.waiting.contains(&news) {
                    self.waiting.push(news);
                }
            }
            News::Refused { endpoint, why } => {
                self.waiting.retain(|other| !other.is_refusal_of(&endpoint));
                self.waiting.push(News::Refused { endpoint, why });
            }
            News::Complaint(_) => self.waiting.push(news),
        }
    }

    /// Several switches are one, from the first endpoint to the last.
    fn switched(&mut self, from: String, to: String, decision: Decision) {
        let earlier = self.waiting.iter().position(|news| match news {
            News::Switched { .. } => true,
            News::AllDown
            | News::Recovered
            | News::Offline
            | News::Online
            | News::Refused { .. }
            | News::BudgetReached(_)
            | News::Complaint(_) => false,
        });
        let from = match earlier.map(|at| self.waiting.swap_remove(at)) {
            Some(News::Switched { from, .. }) => from,
            Some(_) | None => from,
        };
        if from != to {
            self.waiting.push(News::Switched { from, to, decision });
        }
    }

    /// Drops the news that this one ends, untold; says whether there was one.
    fn forget_what_ends_with(&mut self, news: &News) -> bool {
        let ended = match news {
            News::Recovered => News::AllDown,
            News::Online => News::Offline,
            // The end of a spell that was told, and has begun again before the end was.
            News::AllDown => News::Recovered,
            News::Offline => News::Online,
            News::Switched { .. }
            | News::Refused { .. }
            | News::BudgetReached(_)
            | News::Complaint(_) => return false,
        };
        let before = self.waiting.len();
        self.waiting.retain(|other| *other != ended);
        self.waiting.len() < before
    }
}

/// Something worth an interruption.
#[derive(Clone, Debug, PartialEq)]
enum News {
    /// Something that was clicked could not be done.
    Complaint(String),
    Offline,
    AllDown,
    Refused {
        endpoint: String,
        why: Reason,
    },
    Online,
    Recovered,
    Switched {
        from: String,
        to: String,
        decision: Decision,
    },
    /// Checks have cost so many dollars.
    BudgetReached(f64),
}

impl News {
    fn of(event: &EventKind) -> Option<Self> {
        match event {
            EventKind::Switched { from, to, decision } => Some(Self::Switched {
                from: from.clone(),
                to: to.clone(),
                decision: decision.clone(),
            }),
            EventKind::TakenOut { endpoint, why, .. } if needs_a_person(why) => {
                Some(Self::Refused {
                    endpoint: endpoint.clone(),
                    why: why.clone(),
                })
            }
            EventKind::AllDown => Some(Self::AllDown),
            EventKind::SomethingUp => Some(Self::Recovered),
            EventKind::Offline => Some(Self::Offline),
            EventKind::Online => Some(Self::Online),
            EventKind::BudgetReached { budget_usd } => Some(Self::BudgetReached(*budget_usd)),
            EventKind::Chosen { .. }
            | EventKind::FailedOver { .. }
            | EventKind::Moved { .. }
            | EventKind::Aborted { .. }
            | EventKind::PassedOn { .. }
            | EventKind::TakenOut { .. }
            | EventKind::Recovered { .. }
            | EventKind::Pinned { .. }
            | EventKind::Automatic
            | EventKind::Paused
            | EventKind::Resumed
            | EventKind::Enabled { .. }
            | EventKind::Disabled { .. }
            | EventKind::ConfigReloaded
            | EventKind::ConfigRejected => None,
        }
    }

    fn is_wanted(&self, choices: &Notifications) -> bool {
        match self {
            Self::Switched { .. } => choices.on_switch,
            Self::AllDown => choices.on_all_down,
            Self::Recovered => choices.on_recovery,
            Self::Offline | Self::Online => choices.on_offline,
            Self::Refused { .. } => choices.on_refused,
            Self::BudgetReached(_) => choices.on_budget,
            Self::Complaint(_) => true,
        }
    }

    fn is_refusal_of(&self, name: &str) -> bool {
        match self {
            Self::Refused { endpoint, .. } => endpoint == name,
            Self::Complaint(_)
            | Self::Offline
            | Self::AllDown
            | Self::Online
            | Self::Recovered
            | Self::BudgetReached(_)
            | Self::Switched { .. } => false,
        }
    }

    /// What is most important gives its line to the summary.
    fn rank(&self) -> u8 {
        match self {
            Self::Complaint(_) => 0,
            Self::Offline => 1,
            Self::AllDown => 2,
            Self::Online => 3,
            Self::Recovered => 4,
            Self::Refused { .. } => 5,
            Self::Switched { .. } => 6,
            Self::BudgetReached(_) => 7,
        }
    }

    fn summary(&self, language: Language) -> String {
        let phrase = match self {
            Self::Switched { to, .. } => Phrase::Switched { endpoint: to },
            Self::Refused { endpoint, .. } => Phrase::Refused { endpoint },
            Self::AllDown => Phrase::AllDown,
            Self::Recovered => Phrase::Recovered,
            Self::Offline => Phrase::Offline,
            Self::Online => Phrase::Online,
            Self::Complaint(_) => Phrase::Complaint,
            Self::BudgetReached(_) => Phrase::BudgetReached,
        };
        text(language, &phrase)
    }

    fn lines(&self, language: Language) -> Vec<String> {
        match self {
            Self::Switched { from, to, decision } => {
                let event = EventKind::Switched {
                    from: from.clone(),
                    to: to.clone(),
                    decision: decision.clone(),
                };
                let mut lines = vec![text(language, &event)];
                lines.extend(why_it_was_left(from, decision, language));
                lines
            }
            Self::Refused { endpoint, why } => {
                vec![text(language, &Phrase::Out { endpoint, why })]
            }
            Self::Complaint(complaint) => vec![complaint.clone()],
            Self::AllDown => vec![text(language, &Phrase::Down)],
            Self::Recovered => vec![text(language, &EventKind::SomethingUp)],
            Self::Offline => vec![text(language, &EventKind::Offline)],
            Self::Online => vec![text(language, &EventKind::Online)],
            Self::BudgetReached(budget_usd) => {
                let budget_usd = *budget_usd;
                vec![text(language, &EventKind::BudgetReached { budget_usd })]
            }
        }
    }
}

/// The words of notifications; their keys in the catalogues begin with `notice.`.
#[derive(Serialize)]
#[serde(tag = "notice", rename_all = "snake_case")]
enum Phrase<'a> {
    Switched { endpoint: &'a str },
    AllDown,
    Recovered,
    Offline,
    Online,
    Complaint,
    BudgetReached,
    Refused { endpoint: &'a str },
    Out { endpoint: &'a str, why: &'a Reason },
    Down,
}

/// What became of the endpoint that was left, where the decision itself says only that it is unusable.
fn why_it_was_left(from: &str, decision: &Decision, language: Language) -> Option<String> {
    let left = decision
        .others
        .iter()
        .find(|other| other.endpoint == from)?;
    (decision.why == Reason::Replaces).then(|| {
        let why = &left.why;
        text(
            language,
            &Phrase::Out {
                endpoint: from,
                why,
            },
        )
    })
}

/// Whether an endpoint stays out until somebody does something about it.
fn needs_a_person(why: &Reason) -> bool {
    matches!(
        why,
        Reason::CredentialRefused { .. } | Reason::QuotaUsedUp { .. }
    )
}

#[cfg(test)]
#[path = "notices_tests.rs"]
mod tests;

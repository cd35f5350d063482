//! Events that have not been shown yet, and when to show them.

use std::time::{Duration, Instant};

use zephyr_control::privilege::Confirmation;
use zephyr_control::{Decision, Event, Language, OverallStatus, Snapshot};
use zephyr_core::config::Notifications;

use super::news::News;
use super::notice::Notice;

/// Events that belong together arrive within this time.
const MOMENT: Duration = Duration::from_millis(300);

/// Events that have not been shown yet.
#[derive(Debug)]
pub(crate) struct Notices {
    choices: Notifications,
    /// The engine that was last looked at, by its start, and its last event that was seen.
    seen: Option<(u64, u64)>,
    last_told: Option<Instant>,
    /// How things were as a whole at the last snapshot.
    status: OverallStatus,
    waiting: Vec<News>,
    /// The numbers of the confirmations that wait and have been told of.
    asked: Vec<u32>,
    due: Option<Instant>,
}

impl Notices {
    /// Nothing has happened yet.
    pub(crate) fn new() -> Self {
        Self {
            choices: Notifications::default(),
            seen: None,
            last_told: None,
            status: OverallStatus::default(),
            waiting: Vec::new(),
            asked: Vec::new(),
            due: None,
        }
    }

    /// Sets which events the user wants to see, also for those that already wait.
    pub(crate) fn set_choices(&mut self, choices: Notifications) {
        self.waiting.retain(|news| news.is_wanted(&choices));
        self.choices = choices;
    }

    /// Looks for new events in a snapshot. Events before an engine's first snapshot are not news.
    pub(crate) fn handle_snapshot(&mut self, snapshot: &Snapshot, now: Instant) {
        let newest = snapshot.events.last().map_or(0, |event| event.seq);
        let seen = match self.seen {
            Some((engine, seen)) if engine == snapshot.started_at_ms => seen,
            // Another engine counts from its own beginning.
            Some(_) | None => newest,
        };
        let news = snapshot.events.iter().filter(|event| event.seq > seen);
        for event in news {
            self.take_in(event);
        }
        self.seen = Some((snapshot.started_at_ms, newest));
        self.status = snapshot.status.clone();
        if self.waiting.is_empty() {
            self.due = None;
        } else if self.due.is_none() {
            let allowed = self.last_told.map(|told| told + self.choices.min_interval);
            let soon = now + MOMENT;
            self.due = Some(allowed.map_or(soon, |allowed| allowed.max(soon)));
        }
    }

    /// Notes why an action that was clicked has failed. The person who clicked waits for the answer.
    pub(crate) fn handle_complaint(&mut self, complaint: &str, now: Instant) {
        self.waiting.push(News::Complaint(complaint.to_owned()));
        self.due = Some(now);
    }

    /// Notes what waits for the user, who waits for it in a browser. It is told once, whatever the user wants
    /// to hear of: who asks may have changed that.
    pub(crate) fn handle_confirmations(&mut self, waiting: &[Confirmation], now: Instant) {
        let is_new = |one: &&Confirmation| !self.asked.contains(&one.number);
        let news: Vec<_> = waiting
            .iter()
            .filter(is_new)
            .map(|one| News::Question {
                number: one.number,
                effect: one.effect.clone(),
            })
            .collect();
        if !news.is_empty() {
            self.waiting.extend(news);
            self.due = Some(now);
        }
        self.asked = waiting.iter().map(|one| one.number).collect();
    }

    /// When [`Self::handle_timeout`] has something to show.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }

    /// What to show now, in one notification.
    pub(crate) fn handle_timeout(&mut self, now: Instant, language: Language) -> Option<Notice> {
        if self.due.is_none_or(|due| due > now) {
            return None;
        }
        self.due = None;
        let mut news = std::mem::take(&mut self.waiting);
        news.sort_by_key(News::rank);
        let summary = news.first()?.summary(&self.status, language);
        let lines = news
            .iter()
            .flat_map(|one| one.lines(&self.status, language));
        let body = lines.collect::<Vec<_>>().join("\n");
        self.last_told = Some(now);
        Some(Notice { summary, body })
    }

    fn take_in(&mut self, event: &Event) {
        let Some(news) = News::of(&event.kind) else {
            return;
        };
        if !news.is_wanted(&self.choices) {
            // It may still end other news that wait.
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
            News::Complaint(_) | News::Question { .. } => self.waiting.push(news),
        }
    }

    /// Several switches count as one, from the first endpoint to the last.
    fn switched(&mut self, from: String, to: String, decision: Decision) {
        let earlier = self.waiting.iter().position(|news| match news {
            News::Switched { .. } => true,
            News::AllDown
            | News::Recovered
            | News::Offline
            | News::Online
            | News::Refused { .. }
            | News::BudgetReached(_)
            | News::Complaint(_)
            | News::Question { .. } => false,
        });
        let from = match earlier.map(|at| self.waiting.swap_remove(at)) {
            Some(News::Switched { from, .. }) => from,
            Some(_) | None => from,
        };
        if from != to {
            self.waiting.push(News::Switched { from, to, decision });
        }
    }

    /// Drops the news that this one ends, before they were shown. Returns whether there were any.
    fn forget_what_ends_with(&mut self, news: &News) -> bool {
        let ended = match news {
            News::Recovered => News::AllDown,
            News::Online => News::Offline,
            // The failure was shown. It has begun again before its end was shown.
            News::AllDown => News::Recovered,
            News::Offline => News::Online,
            News::Switched { .. }
            | News::Refused { .. }
            | News::BudgetReached(_)
            | News::Complaint(_)
            | News::Question { .. } => return false,
        };
        let before = self.waiting.len();
        self.waiting.retain(|other| *other != ended);
        self.waiting.len() < before
    }
}

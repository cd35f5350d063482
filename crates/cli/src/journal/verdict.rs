//! What answers meant: for each attempt of a request, or for a recorded answer.

use std::time::Duration;

use zephyr_control::{AttemptOutcome, AttemptRecord, Reason, RequestRecord, Verdict, text};
use zephyr_engine::Explanation;

use super::amount::{NOTHING, duration, money, time, was_overtaken};
use super::phrase::{self, Phrase};
use crate::terminal::{Align, Cell, Look, columns, printable, span};

/// A shorter time is told in seconds.
const EXACTLY_BELOW: Duration = Duration::from_secs(300);

/// For each attempt of a request: what came back, what it meant, what it was about, and until when it counts.
pub(crate) fn why(record: &RequestRecord, look: &Look) -> String {
    let view = View { look };
    let head = view.say(&Phrase::Request {
        id: record.id,
        time: time(record.at_ms, &look.zone),
    });
    let status = record
        .status
        .map_or_else(|| NOTHING.to_owned(), |status| status.to_string());
    let end = view.say(&phrase::end(record.end));
    let asked = format!("{} {} → {status}, {end}", record.method, record.path);
    let mut parts = vec![format!("{head}\n  {}\n", printable(&asked))];
    if record.attempts.is_empty() {
        parts.push(format!("{}\n", view.say(&Phrase::NoAttempts)));
    }
    for (at, attempt) in record.attempts.iter().enumerate() {
        let cost = was_overtaken(attempt).then(|| view.at_most(record.overtaken_cost_usd));
        parts.push(view.attempt(at + 1, attempt, cost));
    }
    parts.join("\n")
}

/// What a recorded answer means.
pub(crate) fn explained(status: u16, explanation: &Explanation, look: &Look) -> String {
    let view = View { look };
    let told = Told {
        came_back: status.to_string(),
        outcome: explanation.outcome,
        reason: explanation.reason.as_ref(),
        verdict: explanation.verdict.as_ref(),
        lasts: explanation.lasts.map(|lasts| view.lasting(lasts)),
        cost: None,
    };
    let next = if explanation.moves_on {
        Phrase::NextMovesOn
    } else {
        Phrase::NextPassesOn
    };
    format!("{}{}\n", view.facts(&told), view.say(&next))
}

/// What is shown of one answer.
struct Told<'a> {
    came_back: String,
    outcome: AttemptOutcome,
    reason: Option<&'a Reason>,
    verdict: Option<&'a Verdict>,
    lasts: Option<String>,
    /// What it cost, if it was overtaken.
    cost: Option<String>,
}

struct View<'a> {
    look: &'a Look,
}

impl View<'_> {
    fn attempt(&self, number: usize, attempt: &AttemptRecord, cost: Option<String>) -> String {
        let language = self.look.language;
        let why = attempt.why.as_ref().map(|why| text(language, why));
        let head = match why {
            Some(why) => format!("{number}. {}: {why}", attempt.endpoint),
            None => format!("{number}. {}", attempt.endpoint),
        };
        let status = attempt.status.map(|status| status.to_string());
        let came_back = self.say(&Phrase::CameBack {
            what: status.unwrap_or_else(|| self.say(&Phrase::NoHead)),
            after: duration(attempt.headers_ms.unwrap_or(attempt.last_byte_ms), language),
        });
        let until = attempt.verdict.as_ref().and_then(|it| it.until_ms);
        let told = Told {
            came_back,
            outcome: attempt.outcome,
            reason: attempt.reason.as_ref(),
            verdict: attempt.verdict.as_ref(),
            lasts: until.map(|until| time(until, &self.look.zone)),
            cost,
        };
        format!("{}\n{}", printable(&head), self.facts(&told))
    }

    fn facts(&self, told: &Told<'_>) -> String {
        let language = self.look.language;
        let outcome = self.say(&phrase::outcome(told.outcome));
        let taken_for = match told.reason {
            Some(reason) => format!("{outcome}: {}", text(language, reason)),
            None => outcome,
        };
        let facts = [
            (Phrase::LabelCameBack, Some(told.came_back.clone())),
            (Phrase::LabelTakenFor, Some(taken_for)),
            (
                Phrase::LabelAbout,
                told.verdict.map(|it| text(language, &it.about)),
            ),
            (
                Phrase::LabelGround,
                told.verdict.map(|it| text(language, &it.ground)),
            ),
            (Phrase::LabelUntil, told.lasts.clone()),
            (Phrase::LabelOvertakenCost, told.cost.clone()),
        ];
        let rows: Vec<_> = facts
            .into_iter()
            .filter_map(|(label, fact)| {
                Some([
                    Cell::new(format!("   {}", self.say(&label)), Align::Left),
                    Cell::new(printable(&fact?), Align::Left),
                ])
            })
            .collect();
        columns(&rows)
    }

    fn at_most(&self, usd: Option<f64>) -> String {
        self.say(&match usd {
            Some(usd) => Phrase::AtMost { cost: money(usd) },
            None => Phrase::Unknown,
        })
    }

    fn lasting(&self, lasts: Duration) -> String {
        let language = self.look.language;
        let milliseconds = u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX);
        let span = match lasts < EXACTLY_BELOW {
            true => duration(lasts.as_secs_f64() * 1000.0, language),
            false => span(milliseconds, language),
        };
        self.say(&Phrase::FromTheAnswerOn { span })
    }

    fn say(&self, phrase: &Phrase<'_>) -> String {
        text(self.look.language, phrase)
    }
}

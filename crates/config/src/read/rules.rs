//! `[[failover.rules]]`: what the user says that answers mean.

use std::time::Duration;

use jiff::SignedDuration;
use zephyr_core::classify::{Rule, Then};

use super::spans::YEAR_SECONDS;
use super::table::{Spelled, Table};

const EXAMPLE: &str =
    "[[failover.rules]] with for example status = 403, contains = \"余额\", then = \"exhausted\"";

impl Spelled for Then {
    const SPELLINGS: &'static [(&'static str, Self)] = &[
        ("next", Self::Next),
        ("stop", Self::Stop),
        ("exhausted", Self::Exhausted),
        ("refused", Self::Refused),
        ("not_served", Self::NotServed),
    ];
}

/// The rules in the file's order, which is the order in which they are asked.
pub(crate) fn rules(failover: &Table<'_>) -> Vec<Rule> {
    let tables = failover.tables("rules", EXAMPLE).unwrap_or_default();
    tables.iter().map(rule).collect()
}

fn rule(table: &Table<'_>) -> Rule {
    let then = table.choice("then", Then::Next);
    let rule = Rule {
        status: table.statuses("status"),
        contains: table.text("contains").map(str::to_lowercase),
        matches: table.understood("matches", |text| {
            Rule::pattern(text).map_err(|error| {
                let remedy = "write a regular expression in the syntax of RE2, in '…'";
                (
                    format!("is no pattern: {}", last_line(&error)),
                    remedy.to_owned(),
                )
            })
        }),
        endpoint: table.text("endpoint").map(str::to_owned),
        model: table.text("model").map(str::to_owned),
        then,
        cooldown: table.understood("cooldown", span),
    };
    if rule.status.is_empty() && rule.contains.is_none() && rule.matches.is_none() {
        table.error(
            "status",
            "is missing, and so are contains and matches: the rule would fit every answer",
            "write at least one of status, contains and matches",
        );
    }
    if rule.cooldown.is_some() && matches!(rule.then, Then::Stop | Then::Refused) {
        table.warn(
            "cooldown",
            "has no effect here: with this `then` nothing ends by itself",
            "delete it, or write then = \"next\" or \"exhausted\"",
        );
    }
    rule
}

/// What a pattern's error ends with: before it stands the pattern, over several lines.
fn last_line(error: &impl ToString) -> String {
    let told = error.to_string();
    told.lines().last().unwrap_or_default().trim().to_owned()
}

fn span(text: &str) -> Result<Duration, (String, String)> {
    let read = text.parse::<SignedDuration>().ok();
    let span = read.and_then(|span| Duration::try_from(span).ok());
    span.filter(|span| (1..=YEAR_SECONDS).contains(&span.as_secs()))
        .ok_or_else(|| {
            let remedy =
                "write a span of time from a second on, such as \"90s\", \"15m\" or \"2h\"";
            ("is no span of time".to_owned(), remedy.to_owned())
        })
}

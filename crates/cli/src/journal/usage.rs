//! Sums as a table.

use zephyr_control::{Usage, UsageBy, UsageReport, text};

use super::amount::{NOTHING, cache_written, count, money, time};
use super::phrase::Phrase;
use crate::terminal::{Align, Cell, Look, columns, printable};

/// The sums, their total in the last line, and what no sum contains.
pub(crate) fn usage(
    report: &UsageReport,
    by: UsageBy,
    since_ms: Option<u64>,
    look: &Look,
) -> String {
    let say = |phrase: &Phrase<'_>| text(look.language, phrase);
    if report.rows.is_empty() {
        return say(&Phrase::NoUsage) + "\n";
    }
    let head = [
        (key(by), Align::Left),
        (Phrase::ColumnRequests, Align::Right),
        (Phrase::ColumnFailed, Align::Right),
        (Phrase::ColumnInput, Align::Right),
        (Phrase::ColumnCacheWritten, Align::Right),
        (Phrase::ColumnCacheRead, Align::Right),
        (Phrase::ColumnOutput, Align::Right),
        (Phrase::ColumnCost, Align::Right),
        (Phrase::ColumnSaved, Align::Right),
        (Phrase::ColumnLost, Align::Right),
        (Phrase::ColumnChecks, Align::Right),
    ];
    let head = head.map(|(phrase, align)| Cell::new(say(&phrase), align));
    let rows = report.rows.iter().map(|row| {
        let name = match row.key.as_str() {
            "" => say(&Phrase::Unknown),
            name => printable(name),
        };
        cells(name, &row.usage, look)
    });
    let total = cells(say(&Phrase::Total), &report.total, look);
    let lines: Vec<_> = std::iter::once(head).chain(rows).chain([total]).collect();

    let unpriced = (report.total.unpriced > 0).then(|| Phrase::Unpriced {
        requests: count(report.total.unpriced),
    });
    let second = second_attempts(&report.total);
    let begun = report
        .complete_since_ms
        .filter(|begun| since_ms.is_none_or(|since| since < *begun));
    let begun = begun.map(|begun| Phrase::CompleteSince {
        time: time(begun, &look.zone),
    });
    let notes = second.into_iter().chain(unpriced).chain(begun);
    let notes: String = notes.map(|note| say(&note) + "\n").collect();
    let gap = if notes.is_empty() { "" } else { "\n" };
    format!("{}{gap}{notes}", columns(&lines))
}

fn cells(name: String, usage: &Usage, look: &Look) -> [Cell; 11] {
    let right = |text: String| Cell::new(text, Align::Right);
    let tokens = &usage.tokens;
    [
        Cell::new(name, Align::Left),
        right(count(usage.requests)),
        right(count(usage.failed)),
        right(count(tokens.input)),
        right(count(cache_written(tokens))),
        right(count(tokens.cache_read)),
        right(count(tokens.output)),
        right(cost(usage, look)),
        right(if_any(usage.cache_saved_usd)),
        right(if_any(usage.cache_lost_usd)),
        right(if_any(usage.probes_usd)),
    ]
}

/// The cost, with a note if it leaves something out.
fn cost(usage: &Usage, look: &Look) -> String {
    if usage.unpriced == 0 {
        money(usage.cost_usd)
    } else if usage.cost_usd == 0.0 {
        text(look.language, &Phrase::Unknown)
    } else {
        let known = money(usage.cost_usd);
        text(look.language, &Phrase::AndUnknown { known })
    }
}

/// How many requests had a second attempt, and what the overtaken ones cost. `None`: none had.
fn second_attempts(total: &Usage) -> Option<Phrase<'static>> {
    let requests = count(total.second_attempts);
    match (total.second_attempts, total.overtaken_cost_usd) {
        (0, _) => None,
        (_, 0.0) => Some(Phrase::SecondAttempts { requests }),
        (_, usd) => Some(Phrase::SecondAttemptsCost {
            requests,
            cost: money(usd),
        }),
    }
}

fn if_any(usd: f64) -> String {
    if usd == 0.0 {
        NOTHING.to_owned()
    } else {
        money(usd)
    }
}

fn key(by: UsageBy) -> Phrase<'static> {
    match by {
        UsageBy::Day => Phrase::ColumnDay,
        UsageBy::Hour => Phrase::ColumnHour,
        UsageBy::Endpoint => Phrase::ColumnEndpoint,
        UsageBy::Model => Phrase::ColumnModel,
        UsageBy::Session => Phrase::ColumnSession,
    }
}

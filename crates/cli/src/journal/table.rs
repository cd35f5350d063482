//! Requests as a table that grows: the head comes once, and each row is at least as wide as those before it.

use zephyr_control::{RequestEnd, RequestRecord, text};
use zephyr_process::colours::Colours;

use super::amount::{NOTHING, cost, count, duration, input, time};
use super::phrase::{self, Phrase};
use crate::terminal::{Align, Cell, Look, Widths, printable};

const COLUMNS: usize = 11;

/// A table of requests, printed piece by piece.
#[derive(Debug)]
pub(crate) struct Table {
    look: Look,
    least: [usize; COLUMNS],
    widths: Option<Widths<COLUMNS>>,
}

/// The usual widths, for a table that begins before its rows are known.
const USUAL: [usize; COLUMNS] = [5, 19, 15, 26, 12, 0, 0, 7, 6, 7, 0];

impl Table {
    /// An empty table.
    pub(crate) fn new(look: Look) -> Self {
        Self {
            look,
            least: [0; COLUMNS],
            widths: None,
        }
    }

    /// An empty table, with room for rows that come later.
    pub(crate) fn with_room(look: Look) -> Self {
        Self {
            least: USUAL,
            ..Self::new(look)
        }
    }

    /// The next rows, in the given order. The head comes before the first row.
    pub(crate) fn rows(&mut self, records: &[RequestRecord]) -> String {
        let head = self.widths.is_none().then(|| self.head());
        let rows = records.iter().map(|record| self.row(record));
        let rows: Vec<_> = head.into_iter().chain(rows).collect();
        let least = self.least;
        let widths = self.widths.get_or_insert_with(|| Widths::at_least(least));
        widths.lines(&rows)
    }

    /// The text to show if there are no requests.
    pub(crate) fn empty(&self) -> String {
        self.say(&Phrase::NoRequests) + "\n"
    }

    fn head(&self) -> [Cell; COLUMNS] {
        [
            (Phrase::ColumnId, Align::Right),
            (Phrase::ColumnTime, Align::Left),
            (Phrase::ColumnEnd, Align::Left),
            (Phrase::ColumnModel, Align::Left),
            (Phrase::ColumnEndpoint, Align::Left),
            (Phrase::ColumnTtft, Align::Right),
            (Phrase::ColumnDuration, Align::Right),
            (Phrase::ColumnInput, Align::Right),
            (Phrase::ColumnOutput, Align::Right),
            (Phrase::ColumnCost, Align::Right),
            (Phrase::ColumnNote, Align::Left),
        ]
        .map(|(phrase, align)| Cell::new(self.say(&phrase), align))
    }

    fn row(&self, record: &RequestRecord) -> [Cell; COLUMNS] {
        let language = self.look.language;
        let left = |text: &str| Cell::new(printable(text), Align::Left);
        let right = |text: String| Cell::new(text, Align::Right);
        let or_nothing = |text: Option<String>| text.unwrap_or_else(|| NOTHING.to_owned());
        let tokens = record.tokens.as_ref();
        [
            right(record.id.to_string()),
            left(&time(record.at_ms, &self.look.zone)),
            self.end(record),
            left(record.model.as_deref().unwrap_or(NOTHING)),
            left(record.endpoint.as_deref().unwrap_or(NOTHING)),
            right(or_nothing(record.ttft_ms.map(|ms| duration(ms, language)))),
            right(duration(record.duration_ms, language)),
            right(or_nothing(tokens.map(|tokens| count(input(tokens))))),
            right(or_nothing(tokens.map(|tokens| count(tokens.output)))),
            right(cost(record, language)),
            left(&self.note(record)),
        ]
    }

    fn end(&self, record: &RequestRecord) -> Cell {
        let word = self.say(&phrase::end(record.end));
        let text = match (record.status, record.end) {
            (Some(status), RequestEnd::Answered) => status.to_string(),
            (Some(status), _) => format!("{status} {word}"),
            (None, _) => word,
        };
        let mut cell = Cell::new(text, Align::Left);
        if self.look.colours == Colours::Ansi {
            cell.colour = Some(colour(record.end));
        }
        cell
    }

    /// What went wrong. For an answered request: what went wrong before the answer.
    fn note(&self, record: &RequestRecord) -> String {
        let language = self.look.language;
        let missed = record
            .attempts
            .iter()
            .rev()
            .find_map(|attempt| Some((attempt, attempt.reason.as_ref()?)));
        match (&record.error, missed) {
            (Some(error), None) => error.clone(),
            (_, Some((attempt, why))) if record.end == RequestEnd::Answered => {
                self.say(&Phrase::AfterAttempt {
                    endpoint: attempt.endpoint.clone(),
                    why,
                })
            }
            (_, Some((attempt, why))) => format!("{}: {}", attempt.endpoint, text(language, why)),
            (None, None) => String::new(),
        }
    }

    fn say(&self, phrase: &Phrase<'_>) -> String {
        text(self.look.language, phrase)
    }
}

/// The parameters of an ANSI sequence.
fn colour(end: RequestEnd) -> &'static str {
    match end {
        RequestEnd::Answered => "32",
        RequestEnd::Abandoned | RequestEnd::Refused => "33",
        RequestEnd::Failed | RequestEnd::Aborted => "31",
    }
}

//! One request with everything that was kept of it.

use zephyr_control::{AttemptRecord, RecordedBody, RequestDetail, RequestRecord, text};

use super::amount::{
    NOTHING, bytes, cost, count, duration, has_failed, money, time, was_overtaken,
};
use super::phrase::{self, Phrase};
use crate::terminal::{Align, Cell, Look, columns, printable};

/// A request in full: its facts, its attempts, its headers and bodies as far as they were kept.
pub(crate) fn detail(detail: &RequestDetail, look: &Look) -> String {
    let view = View {
        record: &detail.record,
        look,
    };
    let sections = [
        view.facts(),
        view.attempts(),
        view.rate_limits(),
        view.headers(&Phrase::RequestHeaders, &detail.request_headers),
        view.body(&Phrase::RequestBody, detail.request_body.as_ref()),
        view.headers(&Phrase::ResponseHeaders, &detail.response_headers),
        view.body(&Phrase::ResponseBody, detail.response_body.as_ref()),
    ];
    let shown: Vec<_> = sections
        .into_iter()
        .filter(|section| !section.is_empty())
        .collect();
    shown.join("\n")
}

struct View<'a> {
    record: &'a RequestRecord,
    look: &'a Look,
}

impl View<'_> {
    fn facts(&self) -> String {
        let record = self.record;
        let head = self.say(&Phrase::Request {
            id: record.id,
            time: time(record.at_ms, &self.look.zone),
        });
        let end = self.say(&phrase::end(record.end));
        let status = record
            .status
            .map_or_else(|| NOTHING.to_owned(), |status| status.to_string());
        let asked = format!("{} {} → {status}, {end}", record.method, record.path);
        let facts = [
            (Phrase::LabelIdentifier, Some(record.request.clone())),
            (Phrase::LabelClient, record.client.clone()),
            (Phrase::LabelSession, record.session.clone()),
            (Phrase::LabelAgent, record.agent.clone()),
            (Phrase::LabelModel, self.model()),
            (Phrase::LabelEndpoint, record.endpoint.clone()),
            (Phrase::LabelDuration, Some(self.duration())),
            (Phrase::LabelSize, Some(self.sizes())),
            (Phrase::LabelTokens, self.tokens()),
            (Phrase::LabelCost, Some(self.cost())),
            (Phrase::LabelSecondAttempt, self.second_attempt()),
            (Phrase::LabelStop, record.stop_reason.clone()),
            (Phrase::LabelError, record.error.clone()),
        ];
        let rows: Vec<_> = facts
            .into_iter()
            .filter_map(|(label, fact)| {
                Some([
                    Cell::new(format!("  {}", self.say(&label)), Align::Left),
                    Cell::new(printable(&fact?), Align::Left),
                ])
            })
            .collect();
        format!("{head}\n  {}\n{}", printable(&asked), columns(&rows))
    }

    fn model(&self) -> Option<String> {
        let record = self.record;
        let asked = record.model.clone()?;
        let model = match &record.served_model {
            Some(served) if *served != asked => self.say(&Phrase::ServedModel {
                model: asked,
                served: served.clone(),
            }),
            Some(_) | None => asked,
        };
        Some(match record.stream {
            Some(true) => self.say(&Phrase::Streamed { model }),
            Some(false) | None => model,
        })
    }

    fn duration(&self) -> String {
        let language = self.look.language;
        let whole = duration(self.record.duration_ms, language);
        match self.record.ttft_ms {
            Some(first) => self.say(&Phrase::Lasted {
                duration: whole,
                first: duration(first, language),
            }),
            None => whole,
        }
    }

    fn sizes(&self) -> String {
        self.say(&Phrase::Sizes {
            request: bytes(self.record.request_bytes),
            response: bytes(self.record.response_bytes),
        })
    }

    fn tokens(&self) -> Option<String> {
        let Some(tokens) = self.record.tokens else {
            let unknown = !has_failed(self.record) && !self.record.attempts.is_empty();
            return unknown.then(|| self.say(&Phrase::Unknown));
        };
        Some(self.say(&Phrase::TokensAre {
            input: count(tokens.input),
            written_5m: count(tokens.cache_write_5m),
            written_1h: count(tokens.cache_write_1h),
            read: count(tokens.cache_read),
            output: count(tokens.output),
            thinking: count(tokens.thinking),
        }))
    }

    fn cost(&self) -> String {
        let record = self.record;
        let cost = cost(record, self.look.language);
        if record.cache_saved_usd.is_none() && record.cache_lost_usd.is_none() {
            return cost;
        }
        self.say(&Phrase::CostAnd {
            cost,
            saved: money(record.cache_saved_usd.unwrap_or_default()),
            lost: money(record.cache_lost_usd.unwrap_or_default()),
        })
    }

    /// What an overtaken attempt cost besides.
    fn second_attempt(&self) -> Option<String> {
        let record = self.record;
        record.attempts.iter().find(|it| was_overtaken(it))?;
        Some(self.say(&match record.overtaken_cost_usd {
            Some(usd) => Phrase::AtMostMore { cost: money(usd) },
            None => Phrase::Unknown,
        }))
    }

    fn attempts(&self) -> String {
        let title = self.say(&Phrase::Attempts);
        if self.record.attempts.is_empty() {
            return format!("{title}\n  {}\n", self.say(&Phrase::NoAttempts));
        }
        let head = [
            (Phrase::ColumnEndpoint, Align::Left),
            (Phrase::ColumnOutcome, Align::Left),
            (Phrase::ColumnQueue, Align::Right),
            (Phrase::ColumnConnect, Align::Right),
            (Phrase::ColumnTls, Align::Right),
            (Phrase::ColumnHead, Align::Right),
            (Phrase::ColumnTtft, Align::Right),
            (Phrase::ColumnDuration, Align::Right),
            (Phrase::ColumnReason, Align::Left),
        ];
        let head = head.map(|(phrase, align)| Cell::new(self.say(&phrase), align));
        let rows = self.record.attempts.iter().map(|attempt| self.row(attempt));
        let rows: Vec<_> = std::iter::once(head).chain(rows).map(indented).collect();
        format!("{title}\n{}", columns(&rows))
    }

    fn row(&self, attempt: &AttemptRecord) -> [Cell; 9] {
        let language = self.look.language;
        let took = |milliseconds: Option<f64>| {
            let text = milliseconds.map(|ms| duration(ms, language));
            Cell::new(text.unwrap_or_else(|| NOTHING.to_owned()), Align::Right)
        };
        let outcome = self.say(&phrase::outcome(attempt.outcome));
        let outcome = match attempt.status {
            Some(status) => format!("{status} {outcome}"),
            None => outcome,
        };
        let why = attempt.reason.as_ref().or(attempt.why.as_ref());
        let why = why.map_or_else(String::new, |why| text(language, why));
        [
            Cell::new(printable(&attempt.endpoint), Align::Left),
            Cell::new(outcome, Align::Left),
            took(Some(attempt.queue_ms)),
            took(attempt.connect_ms),
            took(attempt.tls_ms),
            took(attempt.headers_ms),
            took(attempt.first_event_ms),
            took(Some(attempt.last_byte_ms)),
            Cell::new(printable(&why), Align::Left),
        ]
    }

    fn rate_limits(&self) -> String {
        let limited = self.record.attempts.iter();
        let limited = limited.filter(|attempt| !attempt.rate_limits.is_empty());
        let lists: Vec<_> = limited
            .map(|attempt| {
                let title = Phrase::RateLimits {
                    endpoint: attempt.endpoint.clone(),
                };
                self.headers(&title, &attempt.rate_limits)
            })
            .collect();
        lists.join("\n")
    }

    fn headers(&self, title: &Phrase<'_>, headers: &[(String, String)]) -> String {
        if headers.is_empty() {
            return String::new();
        }
        let lines: String = headers
            .iter()
            .map(|(name, value)| format!("  {}\n", printable(&format!("{name}: {value}"))))
            .collect();
        format!("{}\n{lines}", printable(&self.say(title)))
    }

    fn body(&self, title: &Phrase<'_>, body: Option<&RecordedBody>) -> String {
        let Some(RecordedBody { text, truncated }) = body else {
            return String::new();
        };
        let mut lines: String = text
            .lines()
            .map(|line| format!("  {}", printable(line)).trim_end().to_owned() + "\n")
            .collect();
        if *truncated {
            lines.push_str(&format!("  {}\n", self.say(&Phrase::CutOff)));
        }
        format!("{}\n{lines}", self.say(title))
    }

    fn say(&self, phrase: &Phrase<'_>) -> String {
        text(self.look.language, phrase)
    }
}

fn indented<const N: usize>(mut row: [Cell; N]) -> [Cell; N] {
    if let Some(first) = row.first_mut() {
        first.indent();
    }
    row
}

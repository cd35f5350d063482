//! Requests and sums for other programs: CSV as RFC 4180 has it, or a JSON object per line.
//!
//! A spreadsheet takes a cell that begins like a formula for one and calculates it, wherever its text
//! came from: a model's name or an error of an endpoint could so run on the reader's machine. Such a
//! text gets an apostrophe before it, which a spreadsheet does not show. Numbers are left alone.

use std::fmt::{Display, Write};

use serde::Serialize;
use serde_json::Value;
use zephyr_control::{RequestRecord, Tokens, Usage, UsageReport};

use super::amount::timestamp;

/// How requests are written for other programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A table; attempts only as far as they fit into one.
    Csv,
    /// Everything, a JSON object per line.
    JsonLines,
}

impl Format {
    /// What comes before the first request.
    pub fn head(self) -> String {
        match self {
            Self::Csv => REQUESTS.join(",") + "\r\n",
            Self::JsonLines => String::new(),
        }
    }

    /// A line for each request.
    pub fn lines(self, records: &[RequestRecord]) -> String {
        let lines = records.iter().map(|record| match self {
            Self::Csv => request(record),
            Self::JsonLines => json(record),
        });
        lines.collect()
    }

    /// What it is on the wire.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::JsonLines => "application/jsonl; charset=utf-8",
        }
    }

    /// How a file of it ends.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
        }
    }
}

/// Sums as a table, without their total.
pub fn usage_csv(report: &UsageReport) -> String {
    let mut text = USAGE.join(",") + "\r\n";
    for row in &report.rows {
        let Usage {
            requests,
            failed,
            tokens,
            cost_usd,
            unpriced,
            cache_saved_usd,
            cache_lost_usd,
            probes_usd,
        } = row.usage;
        let mut line = Line::default();
        line.text(&row.key).number(requests).number(failed);
        line.tokens(Some(&tokens));
        line.number(cost_usd).number(unpriced);
        line.number(cache_saved_usd).number(cache_lost_usd);
        line.number(probes_usd);
        text.push_str(&line.end());
    }
    text
}

const REQUESTS: [&str; 30] = [
    "id",
    "time",
    "request",
    "method",
    "path",
    "status",
    "end",
    "client",
    "session",
    "agent",
    "model",
    "served_model",
    "stream",
    "endpoint",
    "attempts",
    "duration_ms",
    "ttft_ms",
    "request_bytes",
    "response_bytes",
    "input_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cache_read_tokens",
    "output_tokens",
    "thinking_tokens",
    "stop_reason",
    "cost_usd",
    "cache_saved_usd",
    "cache_lost_usd",
    "error",
];

const USAGE: [&str; 14] = [
    "key",
    "requests",
    "failed",
    "input_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cache_read_tokens",
    "output_tokens",
    "thinking_tokens",
    "cost_usd",
    "unpriced_requests",
    "cache_saved_usd",
    "cache_lost_usd",
    "checks_usd",
];

fn request(record: &RequestRecord) -> String {
    let mut line = Line::default();
    let time = timestamp(record.at_ms).map(|at| at.to_string());
    line.number(record.id).text(&time.unwrap_or_default());
    line.text(&record.request);
    line.text(&record.method).text(&record.path);
    line.number_if(record.status).text(&name(&record.end));
    line.text_if(record.client.as_deref());
    line.text_if(record.session.as_deref());
    line.text_if(record.agent.as_deref());
    line.text_if(record.model.as_deref());
    line.text_if(record.served_model.as_deref());
    line.number_if(record.stream);
    line.text_if(record.endpoint.as_deref());
    line.number(record.attempts.len());
    line.number(record.duration_ms).number_if(record.ttft_ms);
    line.number(record.request_bytes);
    line.number(record.response_bytes);
    line.tokens(record.tokens.as_ref());
    line.text_if(record.stop_reason.as_deref());
    line.number_if(record.cost_usd);
    line.number_if(record.cache_saved_usd);
    line.number_if(record.cache_lost_usd);
    line.text_if(record.error.as_deref());
    line.end()
}

fn json(record: &RequestRecord) -> String {
    serde_json::to_string(record).map_or_else(
        |error| {
            tracing::error!(%error, "a record could not be written as JSON");
            String::new()
        },
        |json| json + "\n",
    )
}

/// As JSON has it.
fn name(coded: &impl Serialize) -> String {
    match serde_json::to_value(coded) {
        Ok(Value::String(name)) => name,
        Ok(_) | Err(_) => String::new(),
    }
}

/// Cells, each with a comma after it.
#[derive(Default)]
struct Line(String);

impl Line {
    fn text(&mut self, text: &str) -> &mut Self {
        let formula =
            text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
        let guarded = if formula { "'" } else { "" };
        if formula || text.contains([',', '"', '\r', '\n', ';', '\t']) {
            let doubled = text.replace('"', "\"\"");
            self.cell(format_args!("\"{guarded}{doubled}\""))
        } else {
            self.cell(text)
        }
    }

    fn text_if(&mut self, text: Option<&str>) -> &mut Self {
        self.text(text.unwrap_or_default())
    }

    fn number(&mut self, number: impl Display) -> &mut Self {
        self.cell(number)
    }

    /// An empty cell says that it is not known.
    fn number_if(&mut self, number: Option<impl Display>) -> &mut Self {
        match number {
            Some(number) => self.cell(number),
            None => self.cell(""),
        }
    }

    fn tokens(&mut self, tokens: Option<&Tokens>) {
        self.number_if(tokens.map(|tokens| tokens.input));
        self.number_if(tokens.map(|tokens| tokens.cache_write_5m));
        self.number_if(tokens.map(|tokens| tokens.cache_write_1h));
        self.number_if(tokens.map(|tokens| tokens.cache_read));
        self.number_if(tokens.map(|tokens| tokens.output));
        self.number_if(tokens.map(|tokens| tokens.thinking));
    }

    fn cell(&mut self, cell: impl Display) -> &mut Self {
        // Writing to a string cannot fail.
        let _ = write!(self.0, "{cell},");
        self
    }

    fn end(mut self) -> String {
        self.0.pop();
        self.0 + "\r\n"
    }
}

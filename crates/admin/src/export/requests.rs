//! Requests: one line each.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use zephyr_control::RequestRecord;

use super::line::Line;

/// How requests are written for other programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A table, with as much of the attempts as fits.
    Csv,
    /// Everything, a JSON object per line.
    JsonLines,
}

impl Format {
    /// The lines before the first request.
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

    /// The media type.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::JsonLines => "application/jsonl; charset=utf-8",
        }
    }

    /// The extension of a file.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
        }
    }
}

const REQUESTS: [&str; 31] = [
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
    "overtaken_cost_usd",
    "error",
];

fn request(record: &RequestRecord) -> String {
    let mut line = Line::default();
    let time = i64::try_from(record.at_ms).ok();
    let time = time.and_then(|at| Timestamp::from_millisecond(at).ok());
    let time = time.map(|at| at.to_string());
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
    line.number_if(record.overtaken_cost_usd);
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

/// The name that it has in JSON.
fn name(coded: &impl Serialize) -> String {
    match serde_json::to_value(coded) {
        Ok(Value::String(name)) => name,
        Ok(_) | Err(_) => String::new(),
    }
}

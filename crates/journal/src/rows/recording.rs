//! What is kept of a request besides its record: headers and bodies.

use http::HeaderMap;
use rusqlite::{Connection, params};
use zephyr_core::config::{LogBody, Logging};
use zephyr_secrets::redact::{Redacted, Redactor};

use crate::bodies::{Body, FULL, TRUNCATED, indexed, words};
use crate::entry::{Captured, Finished};

pub(super) struct Recording {
    request: Half,
    response: Half,
    /// What a search finds in the bodies.
    words: Vec<Redacted>,
}

/// One direction.
struct Half {
    headers: Option<Vec<(Redacted, Redacted)>>,
    body: Option<Body>,
}

impl Recording {
    /// `None`: nothing is to be kept.
    pub(super) fn of(finished: &Finished, logging: &Logging, redactor: &Redactor) -> Option<Self> {
        let (of_request, of_response) = (most(logging.request_body), most(logging.response_body));
        if of_request.is_none() && of_response.is_none() {
            return None;
        }
        let (headers, body) = (&finished.request_headers, &finished.request_body);
        let request = Half::of(headers, body.as_ref(), of_request, redactor);
        let (headers, body) = (&finished.response_headers, &finished.response_body);
        let response = Half::of(headers, body.as_ref(), of_response, redactor);
        let words = [&request, &response]
            .into_iter()
            .filter_map(|half| half.body.as_ref())
            // Redacted once more: what was escaped is plain now.
            .map(|body| redactor.text(&words(body.text.as_str())))
            .collect();
        Some(Self {
            request,
            response,
            words,
        })
    }

    pub(super) fn insert(&self, connection: &Connection, request: i64) -> rusqlite::Result<()> {
        connection
            .prepare_cached("INSERT INTO recordings VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?
            .execute(params![
                request,
                self.request.headers_as_json(),
                self.response.headers_as_json(),
                self.request.compressed_body()?,
                self.request.is_truncated(),
                self.response.compressed_body()?,
                self.response.is_truncated(),
            ])?;
        if !self.words.is_empty() {
            let words = self.words.iter().map(|words| indexed(words.as_str()));
            let words = words.collect::<Vec<_>>().join("\n");
            connection
                .prepare_cached("INSERT INTO recording_search (rowid, text) VALUES (?1, ?2)")?
                // With two characters more, the last two begin a trigram too, as among strings.
                .execute(params![request, words + "\n\n"])?;
        }
        Ok(())
    }
}

impl Half {
    /// `most`: bytes of the body; `None`: nothing is to be kept.
    fn of(
        headers: &HeaderMap,
        captured: Option<&Captured>,
        most: Option<usize>,
        redactor: &Redactor,
    ) -> Self {
        Self {
            headers: most.map(|_| redactor.headers(headers)),
            body: most
                .zip(captured)
                .and_then(|(most, captured)| Body::of(headers, captured, most, redactor)),
        }
    }

    fn headers_as_json(&self) -> Option<String> {
        let pairs = self.headers.as_ref()?;
        let pairs: Vec<[&str; 2]> = pairs
            .iter()
            .map(|(name, value)| [name.as_str(), value.as_str()])
            .collect();
        Some(serde_json::to_string(&pairs).unwrap_or_default())
    }

    fn compressed_body(&self) -> rusqlite::Result<Option<Vec<u8>>> {
        let compressed = self.body.as_ref().map(Body::compressed).transpose();
        compressed.map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
    }

    fn is_truncated(&self) -> bool {
        self.body.as_ref().is_some_and(|body| body.truncated)
    }
}

fn most(body: LogBody) -> Option<usize> {
    match body {
        LogBody::None => None,
        LogBody::Truncated => Some(TRUNCATED),
        LogBody::Full => Some(FULL),
    }
}

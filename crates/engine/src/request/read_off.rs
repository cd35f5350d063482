//! Reads what an endpoint sends behind the end of its answer, and drops it.
//!
//! The client has its answer by then. But a connection can be used again only after its body has ended, and
//! the end of a chunked body often comes in a packet of its own.

use std::time::Duration;

use http_body_util::BodyExt;

use super::transcode::Passing;

/// How long the end may take. A connection that is not free by then is closed.
const MOST_TIME: Duration = Duration::from_secs(2);
/// The most bytes that may come in that time.
const MOST_BYTES: usize = 64 * 1024;

/// Reads the rest of a body and drops it.
pub fn read_off(mut rest: Passing) {
    let reading = async move {
        let mut bytes = 0;
        while bytes < MOST_BYTES
            && let Some(Ok(frame)) = rest.frame().await
        {
            bytes += frame.data_ref().map_or(0, |data| data.len());
        }
    };
    tokio::spawn(tokio::time::timeout(MOST_TIME, reading));
}

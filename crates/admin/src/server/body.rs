//! Reads the body of a request. It may hold a token on its way into the keychain, so it is never logged,
//! and no answer repeats it.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::timeout;

use super::failure::Failure;

/// How much is read, and for how long.
struct Bounds {
    bytes: usize,
    time: Duration,
}

const KNOWN: Bounds = Bounds {
    bytes: 64 * 1024,
    time: Duration::from_secs(10),
};
const ANONYMOUS: Bounds = Bounds {
    bytes: 1024,
    time: Duration::from_secs(1),
};

/// The body as what is `expected`, from somebody who is known.
pub(super) async fn read<T: DeserializeOwned>(
    body: Body,
    expected: &'static str,
) -> Result<T, Failure> {
    read_within(body, expected, KNOWN).await
}

/// The same from anybody.
pub(super) async fn read_short<T: DeserializeOwned>(
    body: Body,
    expected: &'static str,
) -> Result<T, Failure> {
    read_within(body, expected, ANONYMOUS).await
}

async fn read_within<T: DeserializeOwned>(
    body: Body,
    expected: &'static str,
    bounds: Bounds,
) -> Result<T, Failure> {
    let body = match timeout(bounds.time, to_bytes(body, bounds.bytes)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return Err(Failure::TooLarge(bounds.bytes)),
        Err(_) => return Err(Failure::TooSlow(bounds.time)),
    };
    // Only an escaped one can be in JSON. No name, path or token has it, and C code takes it for an end.
    if serde_json::from_slice::<Value>(&body).is_ok_and(|value| has_nul(&value)) {
        return Err(Failure::Nul);
    }
    serde_json::from_slice(&body).map_err(|error| Failure::NotJson(expected, error))
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(has_nul),
        Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| name.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

//! Reads the body of a request. It may hold a token on its way into the keychain, so it is never logged,
//! and no answer repeats it.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::failure::Failure;

const LIMIT: usize = 64 * 1024;
const TIMEOUT: Duration = Duration::from_secs(10);

/// The body as what is `expected`.
pub(super) async fn read<T: DeserializeOwned>(
    body: Body,
    expected: &'static str,
) -> Result<T, Failure> {
    match timeout(TIMEOUT, to_bytes(body, LIMIT)).await {
        Ok(Ok(body)) => {
            serde_json::from_slice(&body).map_err(|error| Failure::NotJson(expected, error))
        }
        Ok(Err(_)) => Err(Failure::TooLarge),
        Err(_) => Err(Failure::TooSlow),
    }
}

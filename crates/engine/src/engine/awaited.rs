//! Looks again for what the keychain did not give: it may be unlocked or started later, and an entry
//! may be stored later. Nothing is looked at while nothing is missing.
//!
//! The pause between two looks doubles. News (the configuration was read, somebody asked for a check,
//! the person has unlocked the keychain) end it and make it short again.

use std::sync::Arc;
use std::time::Duration;

use super::shared::Shared;

const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);

/// Runs for ever.
pub async fn drive(shared: Arc<Shared>) {
    let mut pause = SHORTEST;
    loop {
        if shared.awaits_keychain() {
            match tokio::time::timeout(pause, shared.keychain_news()).await {
                Ok(()) => pause = SHORTEST,
                Err(_) => pause = LONGEST.min(pause * 2),
            }
        } else {
            shared.keychain_news().await;
            pause = SHORTEST;
        }
        shared.look_again().await;
    }
}

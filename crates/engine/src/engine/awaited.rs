//! Looks again for the secrets that the keychain did not give. It may be unlocked or started later, and an
//! entry may be stored later. While no secret is missing, this does nothing.
//!
//! The pause between two looks doubles. News end the pause and make it short again: the configuration was
//! read, a check was asked for, or the person has unlocked the keychain.

use std::sync::Arc;
use std::time::Duration;

use super::shared::Shared;

const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);

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

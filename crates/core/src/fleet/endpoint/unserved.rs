//! What an endpoint does not serve.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::fleet::asked::Asked;

/// How long "this model is not served here" is believed.
const BELIEVED_FOR: Duration = Duration::from_secs(600);
/// Maximum number of models remembered as not served.
const MOST: usize = 32;

#[derive(Debug, Default)]
pub(crate) struct Unserved {
    known: Vec<(Arc<Asked>, Instant)>,
}

impl Unserved {
    pub(super) fn has(&self, asked: &Asked, now: Instant) -> bool {
        self.known
            .iter()
            .any(|(unserved, until)| *until > now && **unserved == *asked)
    }

    pub(super) fn note(&mut self, asked: Arc<Asked>, now: Instant) {
        self.known
            .retain(|(unserved, until)| *until > now && *unserved != asked);
        if self.known.len() >= MOST {
            self.known.remove(0);
        }
        self.known.push((asked, now + BELIEVED_FOR));
    }

    pub(super) fn clear(&mut self) {
        self.known.clear();
    }
}

//! How much of a request's body has come, and what of it is kept for the journal.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use zephyr_core::config::LogBody;
use zephyr_journal::Captured;

use super::capture::Capture;

/// What has come of a request's body.
pub struct Received {
    bytes: AtomicU64,
    keeps: bool,
    body: Mutex<Option<Capture>>,
}

impl Received {
    /// Nothing yet; `body`: how much of it is to be kept.
    pub fn nothing(body: LogBody) -> Self {
        Self {
            bytes: AtomicU64::new(0),
            keeps: body != LogBody::None,
            body: Mutex::new(Capture::of(body)),
        }
    }

    /// Whether the body is kept.
    pub fn keeps(&self) -> bool {
        self.keeps
    }

    /// Bytes so far.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Takes in the next piece.
    pub fn take_in(&self, piece: &Bytes) {
        self.bytes.fetch_add(piece.len() as u64, Ordering::Relaxed);
        if self.keeps
            && let Some(body) = &mut *self.body.lock().unwrap_or_else(PoisonError::into_inner)
        {
            body.push(piece);
        }
    }

    /// Gives away what was kept.
    pub fn take(&self) -> Option<Captured> {
        let body = self
            .body
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        body.map(Capture::finish)
    }
}

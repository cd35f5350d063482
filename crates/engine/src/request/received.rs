//! Counts what has come of a request's body, and keeps a part of it for the journal.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use zephyr_core::config::LogBody;
use zephyr_journal::Captured;

use super::capture::Capture;

pub struct Received {
    bytes: AtomicU64,
    keeps: bool,
    body: Mutex<Option<Capture>>,
}

impl Received {
    /// No bytes yet. `body`: how much of the body is kept.
    pub fn nothing(body: LogBody) -> Self {
        Self {
            bytes: AtomicU64::new(0),
            keeps: body != LogBody::None,
            body: Mutex::new(Capture::of(body)),
        }
    }

    pub fn keeps(&self) -> bool {
        self.keeps
    }

    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

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

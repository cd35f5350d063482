//! The tap: reads an answer while it passes, and never changes it.

use bytes::Bytes;
use http::HeaderMap;
use zephyr_core::classify::Fault;
use zephyr_core::config::Validation;
use zephyr_core::price::Usage;
use zephyr_core::proof::{Stage, StreamJudge};
use zephyr_core::usage::Opening;

use crate::decode::Decoder;

/// Watches a streamed answer through its encoding.
pub struct Inspector {
    decoder: Decoder,
    judge: StreamJudge,
    on_invalid: OnInvalid,
    opening: Opening,
}

/// What becomes of an answer that is found wrong after its client has seen a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnInvalid {
    /// It is aborted.
    Abort,
    /// It is passed on, and the fault is noted.
    PassOn,
}

impl Inspector {
    /// An inspector for an answer with these headers; `None` if it cannot be looked into.
    pub fn of(headers: &HeaderMap, validation: &Validation) -> Option<Self> {
        Some(Self {
            decoder: Decoder::of(headers)?,
            judge: StreamJudge::new(validation.format()),
            on_invalid: if validation.disconnect_on_invalid {
                OnInvalid::Abort
            } else {
                OnInvalid::PassOn
            },
            opening: Opening::default(),
        })
    }

    /// Looks at the next piece.
    ///
    /// # Errors
    ///
    /// The first fault in the answer.
    pub fn look(&mut self, bytes: &Bytes) -> Result<Stage, Fault> {
        let (judge, opening) = (&mut self.judge, &mut self.opening);
        match self.decoder.decode(bytes, |decoded| {
            opening.push(decoded);
            judge.push(decoded)
        }) {
            Ok(stage) => stage,
            Err(error) => Err(undecodable(&error)),
        }
    }

    /// What becomes of the answer if it is wrong.
    pub fn on_invalid(&self) -> OnInvalid {
        self.on_invalid
    }

    /// The tokens that the stream's beginning tells.
    pub fn usage(&self) -> Option<Usage> {
        self.opening.usage()
    }

    /// How far the answer has come.
    pub fn stage(&self) -> Stage {
        self.judge.stage()
    }

    /// The answer ended; was it whole?
    ///
    /// # Errors
    ///
    /// What is missing.
    pub fn finish(&self) -> Result<(), Fault> {
        self.judge.finish()
    }
}

/// The whole of a body in plain, up to `limit` bytes of it.
///
/// # Errors
///
/// It is not of the encoding that its headers announce.
pub fn plain(
    headers: &HeaderMap,
    pieces: &[Bytes],
    limit: usize,
) -> Result<Option<Vec<u8>>, Fault> {
    let Some(mut decoder) = Decoder::of(headers) else {
        return Ok(None);
    };
    let mut plain = Vec::new();
    for piece in pieces {
        let take = |decoded: &[u8]| {
            plain.extend_from_slice(&decoded[..decoded.len().min(limit - plain.len())]);
        };
        decoder
            .decode(piece, take)
            .map_err(|error| undecodable(&error))?;
    }
    Ok(Some(plain))
}

/// The fault of bytes that are not of their encoding.
pub fn undecodable(error: &std::io::Error) -> Fault {
    Fault::NotMessages(format!(
        "expected the announced content-encoding, seen {error}"
    ))
}

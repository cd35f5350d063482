//! Reads an answer while it passes, and never changes it.

use bytes::Bytes;
use http::HeaderMap;
use zephyr_core::classify::Fault;
use zephyr_core::config::Validation;
use zephyr_core::price::Usage;
use zephyr_core::proof::{Activity, Stage, StreamJudge};
use zephyr_core::usage::Tally;

use zephyr_encoding::Decoder;

/// Watches a streamed answer. It decodes what it reads.
pub struct Inspector {
    decoder: Decoder,
    judge: StreamJudge,
    on_invalid: OnInvalid,
}

/// What was seen of an answer.
#[derive(Default)]
pub enum Sight {
    /// A stream that is passing.
    Passing(Box<Inspector>),
    /// What an answer in one piece says about itself.
    Whole(Tally),
    #[default]
    Nothing,
}

/// What happens to an answer that is found wrong after its client has seen a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnInvalid {
    Abort,
    /// It is passed on, and the fault is noted.
    PassOn,
    /// It is passed on, and its content is not checked.
    Ignore,
}

impl Inspector {
    /// An inspector for an answer with these headers. `None`: the encoding cannot be read.
    pub fn of(headers: &HeaderMap, validation: &Validation) -> Option<Self> {
        Some(Self {
            decoder: Decoder::of(headers)?,
            judge: StreamJudge::new(validation.format()),
            on_invalid: match validation {
                Validation {
                    streaming: false, ..
                } => OnInvalid::Ignore,
                Validation {
                    disconnect_on_invalid: true,
                    ..
                } => OnInvalid::Abort,
                Validation {
                    disconnect_on_invalid: false,
                    ..
                } => OnInvalid::PassOn,
            },
        })
    }

    /// Looks at the next piece.
    ///
    /// # Errors
    ///
    /// The first fault in the answer.
    pub fn look(&mut self, bytes: &Bytes) -> Result<Stage, Fault> {
        let (judge, on_invalid) = (&mut self.judge, self.on_invalid);
        let judged = self.decoder.decode(bytes, |decoded| match on_invalid {
            OnInvalid::Abort | OnInvalid::PassOn => judge.push(decoded),
            OnInvalid::Ignore => {
                judge.read_along(decoded);
                Ok(judge.stage())
            }
        });
        match (judged, on_invalid) {
            (Ok(stage), _) => stage,
            (Err(_), OnInvalid::Ignore) => Ok(self.judge.stage()),
            (Err(error), OnInvalid::Abort | OnInvalid::PassOn) => Err(undecodable(&error)),
        }
    }

    /// Whether the answer is checked, and not only read.
    pub fn judges(&self) -> bool {
        match self.on_invalid {
            OnInvalid::Abort | OnInvalid::PassOn => true,
            OnInvalid::Ignore => false,
        }
    }

    /// Stops the checks: one fault is enough.
    pub fn stop_judging(&mut self) {
        self.on_invalid = OnInvalid::Ignore;
    }

    /// What happens to the answer if it is wrong.
    pub fn on_invalid(&self) -> OnInvalid {
        self.on_invalid
    }

    /// What the stream has said about itself.
    pub fn tally(&self) -> &Tally {
        self.judge.tally()
    }

    /// How far the answer has come.
    pub fn stage(&self) -> Stage {
        self.judge.stage()
    }

    /// How many of the last bytes are behind the end of the message. `None`: the bytes are encoded, so
    /// nothing can be cut off or added.
    pub fn surplus(&self) -> Option<usize> {
        self.decoder.is_identity().then(|| self.judge.surplus())
    }

    /// Whether the whole message is there, with or without its `message_stop`.
    pub fn has_said_all(&self) -> bool {
        self.judges() && (self.stage() == Stage::Complete || self.judge.has_stopped())
    }

    /// The number of parts so far: all events but pings and comments.
    pub fn parts(&self) -> u64 {
        self.judge.parts()
    }

    /// What the model does until the next part comes.
    pub fn activity(&self) -> Activity {
        self.judge.activity()
    }

    /// What a stream that has said all still needs to be complete, if that can be added.
    pub fn missing(&self) -> &'static [u8] {
        if self.decoder.is_identity() {
            self.judge.missing()
        } else {
            b""
        }
    }

    /// The answer ended. Checks that it is whole.
    ///
    /// # Errors
    ///
    /// What is missing.
    pub fn finish(&self) -> Result<(), Fault> {
        if self.judges() {
            self.judge.finish()
        } else {
            Ok(())
        }
    }
}

impl Sight {
    /// The inspector, if the answer is a stream.
    pub fn inspector(&self) -> Option<&Inspector> {
        match self {
            Self::Passing(inspector) => Some(inspector),
            Self::Whole(_) | Self::Nothing => None,
        }
    }

    /// The inspector, for the next piece.
    pub fn inspector_mut(&mut self) -> Option<&mut Inspector> {
        match self {
            Self::Passing(inspector) => Some(inspector),
            Self::Whole(_) | Self::Nothing => None,
        }
    }

    /// Whether the answer is a stream that is checked.
    pub fn judges(&self) -> bool {
        self.inspector().is_some_and(Inspector::judges)
    }

    /// What the answer has said about itself.
    pub fn tally(&self) -> Option<&Tally> {
        match self {
            Self::Passing(inspector) => Some(inspector.tally()),
            Self::Whole(tally) => Some(tally),
            Self::Nothing => None,
        }
    }

    /// The answer's tokens, as far as it named them.
    pub fn usage(&self) -> Option<Usage> {
        Some(self.tally()?.consumption()?.tokens)
    }
}

/// A body decoded, up to `limit` bytes of it.
///
/// # Errors
///
/// The body does not have the encoding that its headers announce.
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

/// The fault for bytes that do not have the announced encoding.
pub fn undecodable(error: &std::io::Error) -> Fault {
    Fault::NotMessages(format!(
        "expected the announced content-encoding, seen {error}"
    ))
}

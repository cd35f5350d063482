//! Holds an answer until it has proven real: until the first content of a stream, or until a JSON answer is
//! whole.

use zephyr_core::classify::Fault;
use zephyr_core::profile::CallKind;
use zephyr_core::proof::{self, Stage};

use super::held::{Held, JSON_ANSWER, Next};
use super::inspect::{Inspector, Sight};
use super::outgoing::Outgoing;
use super::patience::Bounds;

/// The most bytes of a stream that are held before its first content.
const HELD_STREAM: usize = 1024 * 1024;
/// The faults of a stream, and of an answer in one piece, that has not begun within that size.
const NO_START: &str = "expected message_start within 1 MB, seen other events only";
const NO_OBJECT: &str = "expected a JSON object within 1 MB, seen white space only";

pub enum Judged {
    /// It is real. The sight is what was seen of it.
    Real(Box<Held>, Sight),
    /// It is not real, for this reason. The held answer comes along if it is whole.
    False(Fault, Option<Box<Held>>),
}

/// Holds an answer whose status says success, within the bounds of its attempt.
pub async fn until_proven(outgoing: &Outgoing, held: Held, bounds: &Bounds) -> Judged {
    let held = Box::new(held);
    if is_streamed(outgoing, &held) {
        stream(outgoing, held, bounds).await
    } else {
        json(outgoing, held, bounds).await
    }
}

/// Holds a stream until its first content, its end, or the end of patience.
async fn stream(outgoing: &Outgoing, mut held: Box<Held>, bounds: &Bounds) -> Judged {
    let validation = &outgoing.live.config.validation;
    let Some(mut inspector) = Inspector::of(&held.head.headers, validation) else {
        return Judged::Real(held, Sight::Nothing);
    };
    let patience = &outgoing.patience;
    let fault = loop {
        if !inspector.judges() {
            break None;
        }
        let next = if inspector.stage() == Stage::Silent {
            patience.within(bounds, held.next()).await.map(Some)
        } else {
            patience.for_content(bounds, held.next()).await
        };
        let next = match next {
            Ok(Some(next)) => next,
            Ok(None) => break None,
            Err(fault) => return Judged::False(fault, None),
        };
        let stage = match next {
            Next::Piece(piece) => inspector.look(&piece),
            Next::End => match inspector.finish() {
                Ok(()) => break None,
                Err(fault) => Err(fault),
            },
            Next::Broken(fault) => Err(fault),
        };
        match stage {
            Ok(Stage::Content | Stage::Complete) => break None,
            Ok(Stage::Started) if held.is_over(HELD_STREAM) => break None,
            Ok(Stage::Silent) if held.is_over(HELD_STREAM) => {
                return Judged::False(Fault::NotMessages(NO_START.to_owned()), None);
            }
            Ok(Stage::Started | Stage::Silent) => {}
            Err(fault) => break Some(fault),
        }
    };
    match fault {
        None => Judged::Real(held, Sight::Passing(Box::new(inspector))),
        Some(fault) => Judged::False(fault, Some(held)),
    }
}

/// Holds an answer without a stream until it is whole, or too long to be held.
async fn json(outgoing: &Outgoing, mut held: Box<Held>, bounds: &Bounds) -> Judged {
    if held.is_event_stream() {
        let fault = "expected JSON, seen a stream of events".to_owned();
        return Judged::False(Fault::NotMessages(fault), None);
    }
    let format = outgoing.live.config.validation.format();
    let kind = outgoing.trail.kind;
    let is_whole = loop {
        match outgoing.patience.within(bounds, held.next()).await {
            Err(fault) | Ok(Next::Broken(fault)) => return Judged::False(fault, None),
            Ok(Next::Piece(_)) if !held.is_over(JSON_ANSWER) => {}
            Ok(Next::Piece(_)) => break false,
            Ok(Next::End) => break true,
        }
    };
    let body = match held.plain() {
        Ok(body) => body,
        Err(fault) => return Judged::False(fault, None),
    };
    let judged = match body {
        None => Ok(Sight::Nothing),
        Some(body) if !is_whole && body.trim_ascii_start().is_empty() => {
            Err(Fault::NotMessages(NO_OBJECT.to_owned()))
        }
        // Only the beginning is judged, even if the compressed answer was short enough.
        Some(body) if !is_whole || body.len() >= JSON_ANSWER => {
            proof::judge_json_head(format, kind, &body).map(|()| Sight::Nothing)
        }
        Some(body) => proof::read_json(format, kind, &body).map(Sight::Whole),
    };
    match judged {
        Ok(sight) => Judged::Real(held, sight),
        Err(fault) => Judged::False(fault, is_whole.then_some(held)),
    }
}

/// Whether an answer is held as a stream: yes if a stream was asked for. The answer's own headers also decide
/// if the request does not tell, if any format counts, or if events are not checked.
fn is_streamed(outgoing: &Outgoing, held: &Held) -> bool {
    let trail = &outgoing.trail;
    if trail.kind != CallKind::Messages {
        return false;
    }
    let validation = &outgoing.live.config.validation;
    let asked = outgoing.patience.wants_stream();
    let asked = asked.unwrap_or_else(|| held.is_event_stream());
    if !validation.strict_format {
        held.is_event_stream() || (asked && !held.is_json_or_page())
    } else if !validation.streaming {
        asked && !held.is_json_or_page()
    } else {
        asked
    }
}

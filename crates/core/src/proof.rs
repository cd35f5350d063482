//! Is this answer real? The judge between a 200 and the client.
//!
//! A 200 says little: relays answer with login pages, empty bodies, errors inside the body, or another vendor's
//! format. So an answer is held until it has proven itself. A stream is real from its first content block, or
//! from its end; a JSON answer when the whole of it is a message, or its head if it is long. Until then a fault
//! moves the request on; afterwards the same reader only watches how the stream ends.

use crate::classify::Fault;
use crate::messages::course::{Course, no_stream};
use crate::messages::format::Format;
use crate::sse::{MAX_EVENT, Oversized, Reader};
use crate::usage::Tally;

pub use crate::messages::answer::{judge_json, judge_json_head, read_json};
pub use crate::messages::stage::Stage;

/// Watches a stream of the Messages API.
#[derive(Debug)]
pub struct StreamJudge {
    reader: Reader,
    course: Course,
    tally: Tally,
    fault: Option<Fault>,
}

impl StreamJudge {
    /// Judges a stream that is about to begin.
    pub fn new(format: Format) -> Self {
        Self {
            reader: Reader::default(),
            course: Course::new(format),
            tally: Tally::default(),
            fault: None,
        }
    }

    /// Takes in decoded bytes.
    ///
    /// # Errors
    ///
    /// The first fault: an `error` event, or something that is no stream of the Messages API. Further
    /// bytes give the same fault again.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Stage, Fault> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let (course, tally, fault) = (&mut self.course, &mut self.tally, &mut self.fault);
        let read = self.reader.push(bytes, |event| {
            tally.take_in(&event);
            if fault.is_none() {
                *fault = course.take_in(&event).err();
            }
        });
        if read == Err(Oversized) && self.fault.is_none() {
            let most = MAX_EVENT / (1024 * 1024);
            self.fault = Some(Fault::NotMessages(format!(
                "expected an event of at most {most} MB, seen one without end"
            )));
        }
        match &self.fault {
            Some(fault) => Err(fault.clone()),
            None => Ok(self.course.stage()),
        }
    }

    /// Takes in decoded bytes of a stream that is passed on in any case: only what it tells of itself is
    /// read.
    pub fn read_along(&mut self, bytes: &[u8]) {
        let tally = &mut self.tally;
        // Nothing is learned from an endless event, or from what follows it.
        let _ = self.reader.push(bytes, |event| tally.take_in(&event));
    }

    /// How far it has come.
    pub fn stage(&self) -> Stage {
        self.course.stage()
    }

    /// What it has told of itself.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The stream has ended; whether it is whole.
    ///
    /// # Errors
    ///
    /// What is missing.
    pub fn finish(&self) -> Result<(), Fault> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        match self.course.stage() {
            _ if self.course.may_end() => Ok(()),
            Stage::Started | Stage::Content | Stage::Complete => Err(Fault::Cut),
            Stage::Silent if self.reader.is_midway() => Err(no_stream(self.reader.rest())),
            Stage::Silent => Err(Fault::Empty),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::CallKind;

    const START: &[u8] = b"event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[],\"stop_reason\":null,\"usage\":{\"input_tokens\":1,\"output_tokens\":1}}}\n\n";
    const PING: &[u8] = b"event: ping\ndata: {\"type\":\"ping\"}\n\n";
    const BLOCK: &[u8] = b"event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n";
    const REASON: &[u8] = b"event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\n";
    const STOP: &[u8] = b"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
    const OVERLOADED: &[u8] =
        b"event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"x\"}}\n\n";

    fn after(chunks: &[&[u8]]) -> (Result<Stage, Fault>, Result<(), Fault>) {
        let mut judge = StreamJudge::new(Format::Messages);
        let mut last = Ok(Stage::Silent);
        for chunk in chunks {
            last = judge.push(chunk);
        }
        (last, judge.finish())
    }

    #[test]
    fn a_stream_is_real_from_its_first_content_block() {
        assert_eq!(after(&[PING]).0, Ok(Stage::Silent));
        assert_eq!(after(&[PING, START, PING]).0, Ok(Stage::Started));
        assert_eq!(after(&[START, BLOCK]).0, Ok(Stage::Content));
    }

    #[test]
    fn a_stream_without_content_is_real_at_its_end() {
        assert_eq!(after(&[START, REASON, STOP]), (Ok(Stage::Complete), Ok(())));
    }

    #[test]
    fn a_stream_that_ends_early_is_cut_and_one_that_says_nothing_is_empty() {
        assert_eq!(after(&[START, BLOCK]).1, Err(Fault::Cut));
        assert_eq!(after(&[START]).1, Err(Fault::Cut));
        assert_eq!(after(&[]).1, Err(Fault::Empty));
        assert_eq!(after(&[PING]).1, Err(Fault::Empty));
    }

    #[test]
    fn an_error_event_carries_its_type() {
        let fault = Err(Fault::ErrorEvent("overloaded_error".to_owned()));

        assert_eq!(after(&[OVERLOADED]).0, fault);
        assert_eq!(after(&[START, BLOCK, OVERLOADED]).0, fault);
    }

    #[test]
    fn another_vendors_stream_is_refused() {
        let openai =
            b"data: {\"id\":\"1\",\"object\":\"chat.completion.chunk\",\"choices\":[]}\n\n";

        assert!(matches!(after(&[openai]).0, Err(Fault::NotMessages(_))));
    }

    #[test]
    fn a_page_and_an_error_object_instead_of_a_stream_are_told_apart() {
        let page = b"<!DOCTYPE html><html><body>Bad gateway</body></html>";
        let error = br#"{"type":"error","error":{"type":"api_error","message":"x"}}"#;

        assert_eq!(after(&[page]).1, Err(Fault::Html));
        assert_eq!(
            after(&[error]).1,
            Err(Fault::ErrorEvent("api_error".to_owned()))
        );
    }

    #[test]
    fn content_before_message_start_is_refused() {
        assert!(matches!(after(&[BLOCK]).0, Err(Fault::NotMessages(_))));
    }

    #[test]
    fn unknown_events_pass() {
        let news = b"event: something_new\ndata: {}\n\n";

        assert_eq!(after(&[news, START, news]).0, Ok(Stage::Started));
    }

    #[test]
    fn a_json_answer_is_a_message_or_it_says_why_not() {
        assert_eq!(json(b""), Err(Fault::Empty));
        assert_eq!(json(b"<html></html>"), Err(Fault::Html));
        let error = br#"{"type":"error","error":{"type":"overloaded_error"}}"#;
        assert_eq!(
            json(error),
            Err(Fault::ErrorEvent("overloaded_error".to_owned()))
        );
        for other in [
            &br#"{"object":"chat.completion"}"#[..],
            br#"{"type":"message","ro"#,
        ] {
            assert!(matches!(json(other), Err(Fault::NotMessages(_))));
        }
    }

    #[test]
    fn a_fault_never_repeats_what_the_endpoint_wrote() {
        let echoes = [
            &br#""invalid key sk-secret""#[..],
            br#"{"type":"error","error":{"type":"invalid key sk-secret"}}"#,
            br#"{"type":"sk-secret","role":{},"content":"sk-secret"}"#,
            br#"{"sk-secret":1,"sk-secret":sk-secret}"#,
        ];

        for echo in echoes {
            let fault = json(echo).unwrap_err();
            assert!(!format!("{fault:?}").contains("sk-secret"), "{fault:?}");
        }
    }

    fn json(body: &[u8]) -> Result<(), Fault> {
        judge_json(Format::Messages, CallKind::Messages, body)
    }
}

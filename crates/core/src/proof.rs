//! Decides whether an answer is real, before the client gets it.
//!
//! A 200 says little: relays answer with login pages, empty bodies, errors inside the body, or another
//! vendor's format. So an answer is held until it has proven real. A stream is real from its first content
//! block, or from its end. A JSON answer is real when the whole of it is a message; a long one when its
//! beginning is. Until then a fault moves the request on. After that the same reader only watches how the
//! stream ends.
//!
//! `message_stop` ends a stream, whatever follows. [`ends_there`] judges what follows.

use std::ops::ControlFlow;

use crate::classify::Fault;
use crate::messages::course::{Course, no_stream};
use crate::messages::format::Format;
use crate::messages::known::Known;
use crate::sse::{Event, MAX_EVENT, Oversized, Reader};
use crate::usage::Tally;

pub use crate::messages::answer::{judge_json, judge_json_head, read_json};
pub use crate::messages::stage::{Activity, Stage};

/// Watches a stream of the Messages API.
#[derive(Debug)]
pub struct StreamJudge {
    reader: Reader,
    course: Course,
    tally: Tally,
    fault: Option<Fault>,
    /// How many of the last bytes are behind the end of the message.
    surplus: usize,
}

/// The event that ends a message, as the API writes it.
const STOP: &[u8] = b"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
/// The same, after an event that has not ended.
const END_AND_STOP: &[u8] = b"\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

impl StreamJudge {
    /// Judges a stream from its beginning.
    pub fn new(format: Format) -> Self {
        Self {
            reader: Reader::default(),
            course: Course::new(format),
            tally: Tally::default(),
            fault: None,
            surplus: 0,
        }
    }

    /// Reads decoded bytes, up to the end of the message.
    ///
    /// # Errors
    ///
    /// The first fault: an `error` event, or something that is not a stream of the Messages API. Further
    /// bytes give the same fault again.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Stage, Fault> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        if self.course.stage() == Stage::Complete {
            self.surplus = bytes.len();
            return Ok(Stage::Complete);
        }
        let (course, tally, fault) = (&mut self.course, &mut self.tally, &mut self.fault);
        let read = self.reader.push_until(bytes, |event| {
            tally.take_in(&event);
            *fault = course.take_in(&event).err();
            if fault.is_some() || course.stage() == Stage::Complete {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        match read {
            Ok(taken) => self.surplus = bytes.len() - taken,
            Err(Oversized) => {
                let most = MAX_EVENT / (1024 * 1024);
                self.fault = Some(Fault::NotMessages(format!(
                    "expected an event of at most {most} MB, seen one without end"
                )));
            }
        }
        match &self.fault {
            Some(fault) => Err(fault.clone()),
            None => Ok(self.course.stage()),
        }
    }

    /// How many of the last bytes that were pushed are behind the end of the message.
    pub fn surplus(&self) -> usize {
        self.surplus
    }

    /// Reads decoded bytes of a stream that is passed on in any case. It only collects the model, the tokens
    /// and so on.
    pub fn read_along(&mut self, bytes: &[u8]) {
        let tally = &mut self.tally;
        // An endless event, and what follows it, is ignored.
        let _ = self.reader.push(bytes, |event| tally.take_in(&event));
    }

    /// How far the stream has come.
    pub fn stage(&self) -> Stage {
        self.course.stage()
    }

    /// What the stream has said about itself.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Whether only `message_stop` is missing: every block has ended, and the stream has said why it stops.
    pub fn has_stopped(&self) -> bool {
        self.fault.is_none() && self.course.has_stopped()
    }

    /// The number of parts so far: all events but pings, comments and unknown ones.
    pub fn parts(&self) -> u64 {
        self.course.parts()
    }

    /// What the model does until the next part comes.
    pub fn activity(&self) -> Activity {
        self.course.activity()
    }

    /// The bytes that complete a stream that [has stopped](Self::has_stopped), so that clients accept the
    /// message. Empty if it stopped inside another part of the message, because more bytes would break that
    /// part.
    pub fn missing(&self) -> &'static [u8] {
        if !self.has_stopped() {
            return b"";
        }
        if let Some(missing) = STOP.strip_prefix(self.reader.rest()) {
            return missing;
        }
        let rest = Event::of(self.reader.rest());
        match Known::of(&rest) {
            Some(Known::MessageStop) if self.is_all_but_ended() => b"\n\n",
            None if rest.name == "ping" || !rest.has_data() => END_AND_STOP,
            Some(_) | None => b"",
        }
    }

    /// Whether only the blank line after `message_stop` is missing.
    fn is_all_but_ended(&self) -> bool {
        let rest = Event::of(self.reader.rest());
        self.has_stopped() && Known::of(&rest) == Some(Known::MessageStop) && rest.has_json()
    }

    /// The stream has ended. Checks that it is whole.
    ///
    /// # Errors
    ///
    /// What is missing.
    pub fn finish(&self) -> Result<(), Fault> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        match self.course.stage() {
            _ if self.course.may_end() || self.is_all_but_ended() => Ok(()),
            Stage::Started | Stage::Content | Stage::Complete => Err(Fault::Cut),
            Stage::Silent if self.reader.is_midway() => Err(no_stream(self.reader.rest())),
            Stage::Silent if self.course.has_noise() => Err(no_stream(b"")),
            Stage::Silent => Err(Fault::Empty),
        }
    }
}

/// Checks that nothing behind the end of a message changes it: a client would add a further part to the
/// message, or treat an error as its own. A second `message_stop`, pings and `[DONE]` are harmless.
///
/// # Errors
///
/// Something changes it.
pub fn ends_there(behind: &[u8]) -> Result<(), Fault> {
    let mut seen = None;
    // An endless event is ignored.
    let _ = Reader::default().push_until(behind, |event| {
        seen = match Known::of(&event) {
            Some(Known::MessageStop) => None,
            Some(known) => Some(known.name()),
            None => (event.name == "error").then_some("error"),
        };
        if seen.is_some() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    match seen {
        Some(name) => Err(Fault::NotMessages(format!(
            "expected nothing behind message_stop, seen {name}"
        ))),
        None => Ok(()),
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
    fn behind_a_call_and_a_result_of_the_servers_tools_the_model_is_patiently_waited_for() {
        let block = |kind: &str| {
            let started = String::from_utf8_lossy(BLOCK).replace("text", kind);
            let stopped = "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n";
            started + stopped
        };
        let activity = |kind: &str| {
            let mut judge = StreamJudge::new(Format::Messages);
            judge.push(START).unwrap();
            judge.push(block(kind).as_bytes()).unwrap();
            judge.activity()
        };

        let kinds = [
            "text",
            "tool_use",
            "server_tool_use",
            "web_search_tool_result",
        ];
        let (writing, tool) = (Activity::Writing, Activity::Tool);
        assert_eq!(kinds.map(activity), [writing, writing, tool, tool]);
    }

    #[test]
    fn a_call_of_a_tool_without_any_tool_is_no_answer() {
        let calls = String::from_utf8_lossy(REASON).replace("end_turn", "tool_use");

        let judged = after(&[START, calls.as_bytes(), STOP]).0;

        assert!(matches!(judged, Err(Fault::NotMessages(_))), "{judged:?}");
    }

    #[test]
    fn a_stream_that_ends_early_is_cut_and_one_that_says_nothing_is_empty() {
        assert_eq!(after(&[START, BLOCK]).1, Err(Fault::Cut));
        assert_eq!(after(&[START]).1, Err(Fault::Cut));
        assert_eq!(after(&[]).1, Err(Fault::Empty));
        assert_eq!(after(&[PING]).1, Err(Fault::Empty));
    }

    #[test]
    fn what_follows_message_stop_is_not_looked_at() {
        for behind in [
            BLOCK,
            REASON,
            START,
            OVERLOADED,
            PING,
            b"<html>",
            b"event: cont",
        ] {
            let text = [START, REASON, STOP, behind].concat();
            let mut judge = StreamJudge::new(Format::Messages);

            assert_eq!(judge.push(&text), Ok(Stage::Complete));
            assert_eq!(judge.surplus(), behind.len());
            assert_eq!(judge.push(behind), Ok(Stage::Complete));
            assert_eq!((judge.surplus(), judge.finish()), (behind.len(), Ok(())));
        }
    }

    #[test]
    fn a_message_goes_on_behind_its_end_only_if_a_client_would_see_it() {
        for (seen, name) in [
            (START, "message_start"),
            (BLOCK, "content_block_start"),
            (
                b"event: content_block_delta\ndata: {}\n\n",
                "content_block_delta",
            ),
            (REASON, "message_delta"),
            (OVERLOADED, "error"),
        ] {
            let words = format!("expected nothing behind message_stop, seen {name}");
            let fault = Err(Fault::NotMessages(words));
            assert_eq!(ends_there(seen), fault);
            assert_eq!(ends_there(&[PING, STOP, seen, PING].concat()), fault);
        }
        for harmless in [
            PING,
            STOP,
            b"data: [DONE]\n\n",
            b": bye\n\n",
            b"\n\n\n",
            b"data: {\"type\":\"ping\"}\n\n",
            b"event: done\ndata: {}\n\n",
            b"event: content_block_delta\ndata: {}",
        ] {
            assert_eq!(ends_there(harmless), Ok(()), "{}", harmless.escape_ascii());
        }
    }

    #[test]
    fn a_stream_has_stopped_once_it_has_said_why_and_every_block_has_ended() {
        const END: &[u8] =
            b"event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n";
        const USAGE: &[u8] = b"event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":null}}\n\n";
        let has_stopped = |chunks: &[&[u8]]| {
            let mut judge = StreamJudge::new(Format::Messages);
            judge.push(&chunks.concat()).unwrap();
            judge.has_stopped()
        };

        assert!(has_stopped(&[START, REASON]));
        assert!(has_stopped(&[START, BLOCK, END, REASON, PING, b": x\n"]));
        assert!(has_stopped(&[START, BLOCK, END, REASON, USAGE]));
        assert!(!has_stopped(&[START]));
        assert!(!has_stopped(&[START, BLOCK, REASON]));
        assert!(!has_stopped(&[START, BLOCK, END, USAGE]));
        assert!(!has_stopped(&[START, REASON, BLOCK]));
        assert!(!has_stopped(&[START, REASON, STOP]));
    }

    #[test]
    fn what_a_stopped_stream_lacks_makes_it_complete_wherever_it_stands_still() {
        let standing = [
            &b""[..],
            PING,
            b": a comm",
            b": a comment\n",
            b"event: pi",
            b"event: ping\ndata: {\"ty",
            &STOP[..7],
            &STOP[..30],
            &STOP[..STOP.len() - 1],
            b"data: {\"type\": \"message_stop\"}\revent: message_stop",
        ];
        for rest in standing {
            let mut judge = StreamJudge::new(Format::Messages);
            judge.push(&[START, REASON, rest].concat()).unwrap();

            let missing = judge.missing();

            let shown = rest.escape_ascii();
            assert_eq!(judge.push(missing), Ok(Stage::Complete), "{shown}");
            assert_eq!(judge.surplus(), 0, "{shown}");
        }
        for broken in [
            &b"event: message_delta\ndata: {\"ty"[..],
            b"event: message_stop\ndata: {\"a",
        ] {
            let mut judge = StreamJudge::new(Format::Messages);
            judge.push(&[START, REASON, broken].concat()).unwrap();
            assert_eq!(judge.missing(), b"");
        }
    }

    #[test]
    fn a_stream_that_ends_without_its_last_blank_line_is_whole() {
        for end in [&STOP[..STOP.len() - 1], &STOP[..STOP.len() - 2]] {
            assert_eq!(after(&[START, REASON, end]).1, Ok(()));
        }
        assert_eq!(
            after(&[START, REASON, &STOP[..STOP.len() - 3]]).1,
            Err(Fault::Cut)
        );
        assert_eq!(
            after(&[START, BLOCK, &STOP[..STOP.len() - 1]]).1,
            Err(Fault::Cut)
        );
    }

    #[test]
    fn what_is_before_the_message_and_nobody_reads_is_no_fault_until_the_end() {
        for noise in [
            &b"data: hello\n\n"[..],
            b"data: {\"type\":\"ping\"}\n\n",
            b"data: {\"provider\":\"x\"}\n\n",
            b"id: 7\n\n",
            b"data: [1]\n\n",
            b"event: ping\ndata: hello\n\n",
        ] {
            assert_eq!(after(&[noise, START, noise, REASON, STOP]).1, Ok(()));
        }
        assert!(matches!(
            after(&[b"data: hello\n\n"]).1,
            Err(Fault::NotMessages(_))
        ));
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

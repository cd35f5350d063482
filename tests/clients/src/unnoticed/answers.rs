//! What the model says: to a task a few words and the call of a tool, to the tool's result a text.
//!
//! An answer is written as a real endpoint writes it, event by event, with the gaps of a model that
//! thinks as it speaks. [`Place`] names the points at which that can go wrong.

use std::time::Duration;

use serde_json::{Value, json};
use zephyr_testkit::{Received, Step};

/// The file that the task is about.
pub const FILE: &str = "notes.txt";

/// What stands in it.
pub const NOTE: &str = "The kite flies at 412 metres.";

/// What Claude Code is asked to do.
pub const TASK: &str = "Read notes.txt and tell me what it says.";

/// What Claude Code prints in the end.
pub fn result() -> String {
    told(NOTE)
}

/// An answer to one request.
#[derive(Clone, Debug)]
pub struct Answer {
    id: String,
    model: String,
    blocks: Vec<Block>,
    stop_reason: &'static str,
}

#[derive(Clone, Debug)]
enum Block {
    Thinking(&'static str),
    Text(String),
    Call { tool: &'static str, input: Value },
}

/// A point of a streamed answer, in the order of the wire.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// The head was sent.
    AfterHead,
    /// Half of `message_start` was sent.
    InMessageStart,
    /// `message_start` was sent.
    AfterMessageStart,
    /// `message_start` and a `ping` were sent.
    AfterPing,
    /// Half of the first piece of text was sent.
    InFirstDelta,
    /// Half of the first text was sent.
    Midway,
    /// The first block was sent.
    AfterFirstBlock,
    /// Half of the model's thinking was sent; only where it thinks.
    InThinking,
    /// Half of what a tool is called with was sent; only where one is called.
    InCall,
    /// Every block was sent.
    BeforeMessageDelta,
    /// Everything but `message_stop` was sent.
    BeforeMessageStop,
}

impl Place {
    /// Whether an event is half sent here.
    pub fn is_inside_of_an_event(self) -> bool {
        matches!(self, Self::InMessageStart | Self::InFirstDelta)
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::AfterHead => "after the head",
            Self::InMessageStart => "inside message_start",
            Self::AfterMessageStart => "after message_start",
            Self::AfterPing => "after the first ping",
            Self::InFirstDelta => "inside the first delta",
            Self::Midway => "halfway through the text",
            Self::AfterFirstBlock => "after the first content block",
            Self::InThinking => "inside a thinking block",
            Self::InCall => "inside a tool_use block",
            Self::BeforeMessageDelta => "before message_delta",
            Self::BeforeMessageStop => "before message_stop",
        }
    }
}

impl Answer {
    /// What the model says to this request.
    pub fn to(request: &Received) -> Self {
        let asked: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let model = asked["model"].as_str().unwrap_or_default().to_owned();
        let id = format!("msg_01Zephyr{:06}", request.number);
        let (blocks, stop_reason) = match tool_result(&asked) {
            Some(result) => (vec![Block::Text(told(&result))], "end_turn"),
            None => (call(), "tool_use"),
        };
        Self {
            id,
            model,
            blocks,
            stop_reason,
        }
    }

    /// The same after some thinking.
    pub fn after_thinking(mut self) -> Self {
        self.blocks.insert(0, Block::Thinking(THOUGHT));
        self
    }

    /// In one piece.
    pub fn message(&self) -> Value {
        let blocks: Vec<Value> = self.blocks.iter().map(Block::whole).collect();
        json!({
            "id": self.id,
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": blocks,
            "stop_reason": self.stop_reason,
            "stop_sequence": null,
            "usage": usage(24),
        })
    }

    /// As a stream.
    pub fn steps(&self) -> Vec<Step> {
        self.marked().into_iter().filter_map(Mark::step).collect()
    }

    /// What was sent before a place, and what was not. `None`: there is no such place in it.
    pub fn split(&self, place: Place) -> Option<(Vec<Step>, Vec<Step>)> {
        let mut sent = self.marked();
        let at = sent
            .iter()
            .position(|mark| matches!(mark, Mark::At(here) if *here == place))?;
        let mut rest = sent.split_off(at + 1);
        if place.is_inside_of_an_event()
            && let Some(Mark::Event(event)) = rest.first().cloned()
        {
            let (first, second) = event.split_at(event.len() / 2);
            sent.push(Mark::Event(first.to_owned()));
            rest[0] = Mark::Event(second.to_owned());
        }
        let steps = |marks: Vec<Mark>| marks.into_iter().filter_map(Mark::step).collect();
        Some((steps(sent), steps(rest)))
    }

    fn marked(&self) -> Vec<Mark> {
        let mut stream = Stream::default();
        stream.at(Place::AfterHead);
        stream.at(Place::InMessageStart);
        let message = json!({
            "id": self.id,
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": [],
            "stop_reason": null,
            "stop_sequence": null,
            "usage": usage(1),
        });
        stream.event("message_start", json!({"message": message}));
        stream.at(Place::AfterMessageStart);
        stream.event("ping", json!({}));
        stream.at(Place::AfterPing);
        for (index, block) in self.blocks.iter().enumerate() {
            block.stream(index, &mut stream);
            if index == 0 {
                stream.at(Place::AfterFirstBlock);
            }
        }
        stream.at(Place::BeforeMessageDelta);
        let delta = json!({"stop_reason": self.stop_reason, "stop_sequence": null});
        stream.event("message_delta", json!({"delta": delta, "usage": usage(24)}));
        stream.at(Place::BeforeMessageStop);
        stream.event("message_stop", json!({}));
        stream.marks
    }
}

impl Block {
    fn whole(&self) -> Value {
        match self {
            Self::Thinking(thought) => {
                json!({"type": "thinking", "thinking": thought, "signature": SIGNATURE})
            }
            Self::Text(text) => json!({"type": "text", "text": text}),
            Self::Call { tool, input } => {
                json!({"type": "tool_use", "id": CALL, "name": tool, "input": input})
            }
        }
    }

    fn stream(&self, index: usize, stream: &mut Stream) {
        let (start, deltas, half) = match self {
            Self::Thinking(thought) => {
                let start = json!({"type": "thinking", "thinking": "", "signature": ""});
                let mut deltas = pieces(
                    thought,
                    |piece| json!({"type": "thinking_delta", "thinking": piece}),
                );
                deltas.push(json!({"type": "signature_delta", "signature": SIGNATURE}));
                (start, deltas, Place::InThinking)
            }
            Self::Text(text) => {
                let delta = |piece: &str| json!({"type": "text_delta", "text": piece});
                let start = json!({"type": "text", "text": ""});
                (start, pieces(text, delta), Place::Midway)
            }
            Self::Call { tool, input } => {
                let delta =
                    |piece: &str| json!({"type": "input_json_delta", "partial_json": piece});
                let start = json!({"type": "tool_use", "id": CALL, "name": tool, "input": {}});
                let input = input.to_string();
                let (first, second) = input.split_at(input.len() / 2);
                let deltas = ["", first, second].map(delta).to_vec();
                (start, deltas, Place::InCall)
            }
        };
        stream.event(
            "content_block_start",
            json!({"index": index, "content_block": start}),
        );
        let middle = deltas.len() / 2 + 1;
        for (number, delta) in deltas.into_iter().enumerate() {
            stream.marks.push(Mark::Gap);
            if number == middle {
                stream.at(half);
            }
            if number == 0 && half == Place::Midway {
                stream.at(Place::InFirstDelta);
            }
            stream.event(
                "content_block_delta",
                json!({"index": index, "delta": delta}),
            );
        }
        stream.event("content_block_stop", json!({"index": index}));
    }
}

/// A `ping`, as a step.
pub fn ping() -> Step {
    Step::raw(event("ping", json!({})))
}

#[derive(Clone, Debug)]
enum Mark {
    At(Place),
    Event(String),
    /// The time between two pieces.
    Gap,
}

impl Mark {
    fn step(self) -> Option<Step> {
        match self {
            Self::At(_) => None,
            Self::Event(event) => Some(Step::raw(event)),
            Self::Gap => Some(Step::Wait(GAP)),
        }
    }
}

#[derive(Debug, Default)]
struct Stream {
    marks: Vec<Mark>,
}

impl Stream {
    fn at(&mut self, place: Place) {
        self.marks.push(Mark::At(place));
    }

    fn event(&mut self, name: &str, data: Value) {
        self.marks.push(Mark::Event(event(name, data)));
    }
}

fn event(name: &str, mut data: Value) -> String {
    data["type"] = name.into();
    format!("event: {name}\ndata: {data}\n\n")
}

/// What the newest tool result in a conversation begins with, without the number of its line.
fn tool_result(asked: &Value) -> Option<String> {
    let messages = asked["messages"].as_array()?;
    let blocks = messages
        .iter()
        .filter_map(|message| message["content"].as_array());
    let result = blocks
        .flatten()
        .rfind(|block| block["type"] == "tool_result")?;
    let content = &result["content"];
    let text = content.as_str().or_else(|| content[0]["text"].as_str())?;
    let line = text.lines().next().unwrap_or_default();
    let note = line.split_once('\t').map_or(line, |(_, note)| note);
    Some(note.to_owned())
}

fn call() -> Vec<Block> {
    let before = "I will read the file first, and then tell you what it says.";
    vec![
        Block::Text(before.to_owned()),
        Block::Call {
            tool: "Read",
            input: json!({"file_path": FILE}),
        },
    ]
}

fn told(note: &str) -> String {
    format!(
        "The file has one line, and it says: \"{note}\" There is nothing else in it, neither a date nor a \
         name, so this is all that I can tell you about it."
    )
}

/// By words.
fn pieces(text: &str, delta: impl Fn(&str) -> Value) -> Vec<Value> {
    text.split_inclusive(' ').map(delta).collect()
}

fn usage(output: u64) -> Value {
    json!({
        "input_tokens": 12,
        "cache_creation_input_tokens": 340,
        "cache_read_input_tokens": 12_000,
        "output_tokens": output,
    })
}

/// Between two pieces of text: fifty a second, as a fast model has it.
const GAP: Duration = Duration::from_millis(20);

const CALL: &str = "toolu_01Zephyr";
const THOUGHT: &str = "The person wants to know what the file says, so it has to be read first.";
const SIGNATURE: &str = "RXBsYWluZWQgYnkgbm9ib2R5IGJ1dCB0aGUgbW9kZWwgaXRzZWxm";

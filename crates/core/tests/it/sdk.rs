//! How the clients read a stream, written down a second time: `@anthropic-ai/sdk`, `anthropic` for Python and
//! Claude Code. As simple as can be, and with nothing of the reader that it is compared with.
//!
//! Where they differ, the reading that takes more counts: a proxy that is stricter than one of them breaks what
//! works without it. What Claude Code loses (a block that never ends, a part of a message without a name) is
//! lost here too.

use std::collections::BTreeMap;

/// A message as a client has it in the end.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    start: Json,
    blocks: Vec<(Json, String)>,
    deltas: Vec<Json>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    Number(f64),
    Text(Vec<u16>),
    List(Vec<Json>),
    Object(BTreeMap<Vec<u16>, Json>),
}

/// What a client makes of a stream; `None`: an exception, or no complete message.
pub fn read(stream: &[u8]) -> Option<Message> {
    let mut message: Option<Message> = None;
    let mut open: BTreeMap<u64, (Json, String)> = BTreeMap::new();
    for (name, data) in events(stream) {
        let json = json(&data);
        let kind = json.as_ref().and_then(|json| json.get("type"));
        let kind = kind.map(Json::text).unwrap_or_default();
        let is_part = PARTS.contains(&kind.as_str());
        match name.as_str() {
            "" if is_part || kind == "error" => return None, // Lost.
            "" if ANOTHER.iter().any(|field| has(&json, field)) => return None,
            "" | "ping" => continue,
            "error" => return None,
            _ if PARTS.contains(&name.as_str()) && !is_part => return None,
            _ if !is_part => continue,
            _ => {}
        }
        let json = json?;
        let Some(message) = &mut message else {
            if kind != "message_start" {
                return None;
            }
            message = Some(Message {
                start: json.get("message")?.clone(),
                blocks: Vec::new(),
                deltas: Vec::new(),
            });
            continue;
        };
        let index = || json.get("index").and_then(Json::natural);
        match kind.as_str() {
            "content_block_start" => {
                let block = (json.get("content_block")?.clone(), String::new());
                if open.insert(index()?, block).is_some() {
                    return None;
                }
            }
            "content_block_delta" => {
                let (_, text) = open.get_mut(&index()?)?;
                text.push_str(&format!("{:?}", json.get("delta")?));
            }
            "content_block_stop" => message.blocks.push(open.remove(&index()?)?),
            "message_delta" => {
                json.get("delta")?.get("x"); // An object.
                message.deltas.push(Json::List(vec![
                    json.get("delta")?.clone(),
                    json.get("usage").cloned().unwrap_or(Json::Null),
                ]));
            }
            "message_stop" if open.is_empty() => return Some(message.clone()),
            _ => return None,
        }
    }
    None
}

const PARTS: [&str; 6] = [
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
];

/// Without a name, these tell of an error or of another vendor's stream. No client reads them, but nothing that
/// is worth waiting for follows.
const ANOTHER: [&str; 4] = ["error", "choices", "object", "candidates"];

fn has(json: &Option<Json>, field: &str) -> bool {
    json.as_ref().is_some_and(|json| json.get(field).is_some())
}

/// Name and data of every event whose blank line has come. What a client would have to skip between them is
/// told by an event that nobody can read: HTML and JSON where fields should be.
fn events(stream: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(stream);
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut lines: Vec<&str> = text.split('\n').collect();
    lines.pop(); // What has no line end.
    let (mut events, mut name, mut data) = (Vec::new(), String::new(), Vec::new());
    for line in lines {
        let line = line.strip_prefix('\u{feff}').unwrap_or(line);
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" if line.is_empty() => {
                // The SDKs skip what has no data, and so does this; of a name that would carry a part of the
                // message, the part is lost.
                if !data.is_empty() || PARTS.contains(&name.as_str()) || name == "error" {
                    events.push((name, data.join("\n")));
                }
                (name, data) = (String::new(), Vec::new());
            }
            "event" => value.clone_into(&mut name),
            "data" => data.push(value),
            _ if line.trim_start().starts_with(['<', '{', '[']) => {
                events.push(("error".to_owned(), "null".to_owned()));
            }
            _ => {}
        }
    }
    events
}

impl Json {
    fn get(&self, name: &str) -> Option<&Json> {
        let Self::Object(fields) = self else {
            return None;
        };
        fields.get(&name.encode_utf16().collect::<Vec<_>>())
    }

    fn natural(&self) -> Option<u64> {
        let Self::Number(number) = *self else {
            return None;
        };
        ((0.0..1e9).contains(&number) && number.fract() == 0.0).then_some(number as u64)
    }

    fn text(&self) -> String {
        match self {
            Self::Text(units) => String::from_utf16_lossy(units),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::List(_) | Self::Object(_) => {
                String::new()
            }
        }
    }
}

/// What `JSON.parse` or `json.loads` make of a text.
pub fn json(text: &str) -> Option<Json> {
    let chars: Vec<char> = text.chars().collect();
    let mut parser = Parser { chars, at: 0 };
    let value = parser.value(0)?;
    parser.space();
    (parser.at == parser.chars.len()).then_some(value)
}

struct Parser {
    chars: Vec<char>,
    at: usize,
}

impl Parser {
    fn space(&mut self) {
        while matches!(self.chars.get(self.at), Some(' ' | '\t' | '\n' | '\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, word: &str) -> bool {
        self.space();
        let word: Vec<char> = word.chars().collect();
        let matches = self.chars[self.at..].starts_with(&word);
        if matches {
            self.at += word.len();
        }
        matches
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        if depth > 500 {
            return None;
        }
        if self.take("{") {
            let mut fields = BTreeMap::new();
            if self.take("}") {
                return Some(Json::Object(fields));
            }
            loop {
                let name = self.take("\"").then(|| self.string())??;
                let value = self.take(":").then(|| self.value(depth + 1))??;
                fields.insert(name, value);
                if self.take("}") {
                    return Some(Json::Object(fields));
                }
                self.take(",").then_some(())?;
            }
        }
        if self.take("[") {
            let mut elements = Vec::new();
            if self.take("]") {
                return Some(Json::List(elements));
            }
            loop {
                elements.push(self.value(depth + 1)?);
                if self.take("]") {
                    return Some(Json::List(elements));
                }
                self.take(",").then_some(())?;
            }
        }
        if self.take("\"") {
            return self.string().map(Json::Text);
        }
        for (word, value) in [
            ("null", Json::Null),
            ("true", Json::Bool(true)),
            ("false", Json::Bool(false)),
        ] {
            if self.take(word) {
                return Some(value);
            }
        }
        self.number().map(Json::Number)
    }

    fn number(&mut self) -> Option<f64> {
        let start = self.at;
        while matches!(
            self.chars.get(self.at),
            Some('0'..='9' | '-' | '+' | '.' | 'e' | 'E')
        ) {
            self.at += 1;
        }
        let text: String = self.chars[start..self.at].iter().collect();
        let digits = text.trim_start_matches('-');
        let leads = digits.len() > 1
            && digits.starts_with('0')
            && !digits.starts_with("0.")
            && !digits.starts_with("0e")
            && !digits.starts_with("0E");
        let is_json = digits.starts_with(|first: char| first.is_ascii_digit())
            && !leads
            && !text.contains(".e")
            && !text.contains(".E")
            && !text.ends_with('.');
        is_json.then(|| text.parse().ok())?
    }

    fn string(&mut self) -> Option<Vec<u16>> {
        let mut units = Vec::new();
        loop {
            let char = *self.chars.get(self.at)?;
            self.at += 1;
            match char {
                '"' => return Some(units),
                '\0'..='\x1f' => return None,
                '\\' => {
                    let escape = *self.chars.get(self.at)?;
                    self.at += 1;
                    units.push(match escape {
                        'u' => {
                            let digits: String =
                                self.chars.get(self.at..self.at + 4)?.iter().collect();
                            self.at += 4;
                            let is_hex = digits.chars().all(|digit| digit.is_ascii_hexdigit());
                            is_hex.then(|| u16::from_str_radix(&digits, 16).ok())??
                        }
                        '"' | '\\' | '/' => escape as u16,
                        'b' => 8,
                        'f' => 12,
                        'n' => 10,
                        'r' => 13,
                        't' => 9,
                        _ => return None,
                    });
                }
                char => units.extend(char.encode_utf16(&mut [0; 2]).iter()),
            }
        }
    }
}

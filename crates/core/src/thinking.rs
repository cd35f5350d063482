//! Takes the thinking out of a request, for endpoints that cannot read it because others have signed it.
//!
//! Spans are cut out of the text: a block of thinking with the comma that parts it from its neighbours. Every
//! other byte stays. An assistant's message of nothing but thinking goes as a whole, since no message may be
//! empty. No answer to a tool can depend on it, and the API takes two messages of the user in a row for one turn.

use std::borrow::Cow;
use std::ops::Range;

use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Request<'b> {
    #[serde(borrow)]
    messages: Vec<&'b RawValue>,
}

#[derive(Deserialize)]
struct Message<'b> {
    #[serde(borrow)]
    role: Cow<'b, str>,
    #[serde(borrow)]
    content: &'b RawValue,
}

#[derive(Deserialize)]
struct Block<'b> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'b, str>,
}

/// An element of an array.
struct Element {
    span: Range<usize>,
    goes: bool,
}

/// The body of a Messages request without its thinking. `None`: it is no such body, or has none.
pub fn without_thinking(body: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok()?;
    if !text.trim_start().starts_with('{') {
        return None;
    }
    let request: Request<'_> = serde_json::from_str(text).ok()?;
    let mut messages = Vec::new();
    let mut of_blocks = Vec::new();
    for message in request.messages {
        let blocks = blocks(text, message)?;
        let goes = !blocks.is_empty() && blocks.iter().all(|block| block.goes);
        messages.push(Element {
            span: span(text, message),
            goes,
        });
        of_blocks.push(if goes { Vec::new() } else { cuts(&blocks) });
    }
    if messages.iter().all(|message| message.goes) {
        return None;
    }
    let mut all: Vec<_> = of_blocks.into_iter().flatten().collect();
    all.extend(cuts(&messages));
    all.sort_unstable_by_key(|cut| cut.start);
    (!all.is_empty()).then(|| without(body, &all))
}

/// The blocks of a message that may have thinking; `None`: the message is not of the format.
fn blocks(text: &str, message: &RawValue) -> Option<Vec<Element>> {
    let message: Message<'_> = serde_json::from_str(message.get()).ok()?;
    if message.role != "assistant" || !message.content.get().starts_with('[') {
        return Some(Vec::new());
    }
    let blocks: Vec<&RawValue> = serde_json::from_str(message.content.get()).ok()?;
    let element = |block: &RawValue| {
        let kind = serde_json::from_str::<Block<'_>>(block.get()).ok()?.kind;
        Some(Element {
            span: span(text, block),
            goes: matches!(kind.as_ref(), "thinking" | "redacted_thinking"),
        })
    };
    blocks.into_iter().map(element).collect()
}

/// Where a part of `text` stands in it.
fn span(text: &str, part: &RawValue) -> Range<usize> {
    let start = part.get().as_ptr().addr() - text.as_ptr().addr();
    start..start + part.get().len()
}

/// What to cut so that elements go, each with one comma.
fn cuts(elements: &[Element]) -> Vec<Range<usize>> {
    let mut cuts = Vec::new();
    let mut one_stays = false;
    for (at, element) in elements.iter().enumerate() {
        if !element.goes {
            one_stays = true;
        } else if one_stays {
            cuts.push(elements[at - 1].span.end..element.span.end);
        } else {
            let next = elements.get(at + 1);
            cuts.push(element.span.start..next.map_or(element.span.end, |next| next.span.start));
        }
    }
    cuts
}

/// The bytes that are in none of the cuts, which are in order.
fn without(bytes: &[u8], cuts: &[Range<usize>]) -> Vec<u8> {
    let mut rest = Vec::with_capacity(bytes.len());
    let mut from = 0;
    for cut in cuts {
        rest.extend_from_slice(&bytes[from..cut.start]);
        from = cut.end;
    }
    rest.extend_from_slice(&bytes[from..]);
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const THOUGHT: &str = r#"{"type": "thinking", "thinking": "[{,}]\"", "signature": "s"}"#;
    const REDACTED: &str = r#"{"data":"x","type":"redacted_thinking"}"#;
    const TEXT: &str = r#"{"type":"text","text":"a \"thinking\" b"}"#;
    const TOOL: &str = r#"{"type":"tool_use","id":"t","name":"n","input":{"type":"thinking"}}"#;

    fn assistant(content: &str) -> String {
        format!(r#"{{ "role":"assistant" , "content": [ {content} ] , "x":1.0e5}}"#)
    }

    fn user(text: &str) -> String {
        format!(r#"{{"role":"user","content":"{text}"}}"#)
    }

    fn body(messages: &[String]) -> String {
        let messages = messages.join(" ,\n ");
        format!(
            r#" {{"model":"m","messages" : [ {messages} ], "thinking":{{"type":"adaptive"}}}} "#
        )
    }

    fn repaired(messages: &[String]) -> Option<String> {
        let bytes = without_thinking(body(messages).as_bytes())?;
        Some(String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn blocks_of_thinking_go_and_every_other_byte_stays() {
        for (content, rest) in [
            (format!("{THOUGHT}, {TEXT}"), TEXT.to_owned()),
            (format!("{THOUGHT},{REDACTED} ,{TEXT}"), TEXT.to_owned()),
            (format!("{TEXT} ,{THOUGHT}"), TEXT.to_owned()),
            (
                format!("{TEXT},  {THOUGHT} , {REDACTED},{TOOL}"),
                format!("{TEXT},{TOOL}"),
            ),
            (
                format!("{REDACTED}, {TEXT}, {THOUGHT}, {TOOL}"),
                format!("{TEXT}, {TOOL}"),
            ),
        ] {
            let messages = |content: &str| [user("a"), assistant(content), user("b")];

            let expected = body(&messages(&rest));

            assert_eq!(repaired(&messages(&content)), Some(expected), "{content}");
        }
    }

    #[test]
    fn an_assistants_message_of_nothing_but_thinking_goes_as_a_whole() {
        let (a, b, c) = (user("a"), user("b"), assistant(TEXT));
        let empty = || assistant(&format!("{THOUGHT}, {REDACTED}"));

        for (messages, rest) in [
            (
                vec![a.clone(), empty(), b.clone()],
                vec![a.clone(), b.clone()],
            ),
            (vec![a.clone(), empty()], vec![a.clone()]),
            (vec![empty(), empty(), a.clone()], vec![a.clone()]),
            (
                vec![a.clone(), empty(), b.clone(), c.clone(), empty()],
                vec![a, b, c],
            ),
        ] {
            assert_eq!(repaired(&messages), Some(body(&rest)), "{messages:?}");
        }
    }

    #[test]
    fn what_has_no_thinking_or_is_no_request_is_left_alone() {
        let of_user = format!(r#"{{"role":"user","content":[{THOUGHT}]}}"#);
        for messages in [
            vec![user("a"), assistant(TEXT)],
            vec![user("thinking"), assistant("")],
            vec![of_user],
            vec![assistant(THOUGHT)],
            vec![user("a"), r#""assistant""#.to_owned()],
            vec![user("a"), assistant(r#""thinking""#)],
        ] {
            assert_eq!(repaired(&messages), None, "{messages:?}");
        }
        for body in [
            "",
            "[]",
            "[[]]",
            "{}",
            r#"{"messages":{}}"#,
            r#"{"messages":["#,
            "\u{fffd}",
        ] {
            assert_eq!(without_thinking(body.as_bytes()), None, "{body}");
        }
    }
}

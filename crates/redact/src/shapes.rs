//! What looks like a credential: one with a shape of its own, or one behind its name.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::bytes::Regex;

use crate::spelling::{begins_escape, deepest};

/// Where credentials are, by their shape. Ranges may overlap.
pub(crate) fn spans(text: &str) -> Vec<Range<usize>> {
    let text = text.as_bytes();
    let has_anchor = ANCHORS.is_match(text);
    let mut spans = Vec::new();
    if has_anchor {
        find(text, &mut |span| spans.push(span));
    }
    let escapes = Escapes::of(text);
    if escapes == Escapes::Unusual || (escapes == Escapes::Usual && has_anchor) {
        let (meant, origins) = deepest(text);
        if has_anchor || ANCHORS.is_match(&meant) {
            find(&meant, &mut |span| {
                spans.push(origins[span.start]..origins[span.end]);
            });
        }
    }
    spans
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Escapes {
    None,
    /// Those that every JSON text has: of quotes and line breaks.
    Usual,
    Unusual,
}

impl Escapes {
    fn of(text: &[u8]) -> Self {
        let mut found = Self::None;
        let mut at = 0;
        while let Some(next) = text[at..].iter().position(|byte| begins_escape(*byte)) {
            let here = at + next;
            match (text[here], text.get(here + 1)) {
                (b'\\', Some(b'n' | b'r' | b't' | b'"' | b'\\')) => found = Self::Usual,
                (b'\\', Some(b'/' | b'u' | b'x' | b'0'..=b'3'))
                | (b'%', Some(b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F' | b'u'))
                | (b'&', Some(b'#' | b'a'..=b'z' | b'A'..=b'Z')) => return Self::Unusual,
                _ => {}
            }
            // What is escaped twice begins with two backslashes, so only the first is skipped.
            at = here + 1;
        }
        found
    }
}

fn find(text: &[u8], found: &mut dyn FnMut(Range<usize>)) {
    for credential in LABELLED.captures_iter(text) {
        if let Some(value) = credential.name("value") {
            found(value.range());
        }
    }
    for credential in BEARER.captures_iter(text) {
        if let Some(token) = credential.name("token")
            && !is_a_word(token.as_bytes())
        {
            found(token.range());
        }
    }
    for credential in SHAPED.find_iter(text) {
        found(credential.range());
    }
}

/// Every credential that the expressions find has one of these in it. Most texts have none, so they are not
/// searched further.
static ANCHORS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let anchors = [
        "authorization",
        "key",
        "token",
        "secret",
        "passw",
        "cookie",
        "bearer",
        "sk-",
        "ghp",
        "gho",
        "ghu",
        "ghs",
        "ghr",
        "github_pat",
        "glpat",
        "hf_",
        "hf-",
        "npm_",
        "npm-",
        "pypi",
        "xox",
        "akia",
        "asia",
        "aiza",
        "eyj",
        "c2stYW50",
        "NrLWFudC",
        "zay1hbnQt",
        "736b2d616e742d",
    ];
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .kind(Some(AhoCorasickKind::DFA)) // One step for each byte, at a cost of some 20 KB.
        .prefilter(false)
        .build(anchors)
        .expect("a test uses it")
});

/// A credential behind its name, in headers, JSON, JSON within JSON, queries or shell commands.
static LABELLED: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r#"(?i-u:(?:authorization|api[_-]?key|(?:auth|access|refresh|session|bearer|security|id)[_-]?token"#,
        r#"|client[_-]?secret|secret[_-]?(?:access[_-]?)?key|subscription[_-]?key|passw(?:or)?d|cookie)"#,
        r#"\\*["'`]?[ \t]*(?::|=|%3[ad])[ \t]*\\*["'`]?(?:(?:bearer|basic|token)(?:[ +]|%20)+)?"#,
        r#"(?P<value>[!#-&*-+./0-:<-@A-Z^_a-z|~-]{4,}))"#
    ))
});

/// A credential behind the name of the scheme, in any place.
static BEARER: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?i-u:\bbearer(?:[ +]|%20)+(?P<token>[A-Z0-9._~+/=%-]{6,}))"));

/// Credentials that have a shape of their own, and the base64 and the hex of the most important one.
static SHAPED: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r"(?-u:(?i:sk-ant-)[A-Za-z0-9_%-]+",
        // The tokens that `zephyr connect` gives to clients.
        r"|\bzephyr-client-[A-Za-z0-9]{16,}",
        r"|\bsk-[A-Za-z0-9_-]{16,}",
        r"|\b(?:ghp|gho|ghu|ghs|ghr|github_pat|glpat|hf|npm|pypi)[_-][A-Za-z0-9_-]{16,}",
        r"|\bxox[abeoprs]-[A-Za-z0-9-]{10,}",
        r"|\bA(?:KIA|SIA)[A-Z0-9]{16}\b",
        r"|\bAIza[A-Za-z0-9_-]{30,}",
        r"|\beyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}",
        r"|[A-Za-z0-9+/_-]*(?i:c2stYW50|NrLWFudC|zay1hbnQt)[A-Za-z0-9+/_=-]{6,}",
        r"|(?i:736b2d616e742d)[0-9A-Fa-f]+)"
    ))
});

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a test uses it")
}

/// Whether the text behind "bearer" is probably a word of prose and no credential.
fn is_a_word(token: &[u8]) -> bool {
    let token = token.trim_ascii_end();
    let length = token.iter().rev().skip_while(|byte| **byte == b'.').count();
    length < 20 && token[..length].iter().all(u8::is_ascii_alphabetic)
}

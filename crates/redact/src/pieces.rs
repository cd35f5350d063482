//! Strings that belong together: a secret may be spread over the deltas of a stream, the strings of a list, or
//! fields side by side. Each is searched as one text.

use std::collections::HashMap;
use std::ops::Range;

use crate::patterns::{End, Patterns};

/// Texts with this many names of fields are not put together by name.
const MOST_NAMES: usize = 256;

/// Where the pieces of secrets are that are spread over several strings. For each secret, in order.
pub(crate) fn spans(text: &[u8], patterns: &Patterns) -> Vec<Vec<Range<usize>>> {
    if patterns.is_empty() || text.iter().filter(|byte| **byte == b'"').count() < 4 {
        return Vec::new();
    }
    let mut all = Together::default();
    let mut by_name: HashMap<&[u8], Together> = HashMap::new();
    let mut name: &[u8] = b"";
    for string in strings(text) {
        let rest = text[string.end + 1..].iter();
        let is_name = rest.clone().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':');
        if is_name {
            name = &text[string];
            continue;
        }
        all.add(text, &string);
        if by_name.contains_key(name) || by_name.len() < MOST_NAMES {
            by_name.entry(name).or_default().add(text, &string);
        }
    }
    let by_name = by_name.into_values().filter(|texts| texts.starts.len() > 1);
    let all = Some(all).filter(|texts| texts.starts.len() > 1);
    let found = by_name.chain(all).flat_map(|texts| texts.spans(patterns));
    found.collect()
}

/// Several strings as one text.
#[derive(Default)]
struct Together {
    text: Vec<u8>,
    /// Where each string begins: here, and in the whole text.
    starts: Vec<(usize, usize)>,
}

impl Together {
    fn add(&mut self, text: &[u8], string: &Range<usize>) {
        if !string.is_empty() {
            self.starts.push((self.text.len(), string.start));
            self.text.extend_from_slice(&text[string.clone()]);
        }
    }

    fn spans(&self, patterns: &Patterns) -> Vec<Vec<Range<usize>>> {
        let found = patterns.spans(&self.text, End::Whole);
        let pieces = found.into_iter().map(|span| self.pieces(&span));
        pieces.filter(|pieces| pieces.len() > 1).collect()
    }

    /// The parts of this range, each in the whole text.
    fn pieces(&self, span: &Range<usize>) -> Vec<Range<usize>> {
        let first = self.starts.partition_point(|(here, _)| *here <= span.start);
        let mut pieces = Vec::new();
        for at in first.saturating_sub(1)..self.starts.len() {
            let (here, there) = self.starts[at];
            let next = self.starts.get(at + 1);
            let end = next.map_or(self.text.len(), |(next, _)| *next);
            if here >= span.end {
                break;
            }
            let (from, until) = (span.start.max(here), span.end.min(end));
            pieces.push(there + from - here..there + until - here);
        }
        pieces
    }
}

/// What is between quotes. An escaped quote is none, and neither is that of a string within a string.
fn strings(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].iter().position(|byte| *byte == b'"')? + 1;
        let mut end = start;
        loop {
            match text.get(end)? {
                b'"' => break,
                b'\\' => end += 2,
                _ => end += 1,
            }
        }
        at = end + 1;
        Some(start..end)
    })
}

//! The name of an event that is too long to be kept, wherever the name is in it.

use std::ops::ControlFlow;

use memchr::memchr2;

use super::event::Event;
use super::limits::MAX_READ;
use super::line::{Lines, field, is_blank, is_line_end, name_of};

/// The most bytes that are read of a line behind the kept part of an event: enough for `event:` and any known
/// name.
const LINE_HEAD: usize = 64;

/// Looks for the name of an event in the lines behind the kept part.
#[derive(Debug, Default)]
pub(super) struct Behind {
    /// The beginning of the current line, with the line end before it.
    pub(super) line: Vec<u8>,
    /// The name, if it was found.
    name: Option<String>,
}

impl Behind {
    /// Reads what follows `kept`.
    pub(super) fn take_in(&mut self, kept: &[u8], mut piece: &[u8]) {
        if self.line.is_empty() {
            // The line that is cut at the end of `kept`.
            let start = kept.iter().rposition(|&byte| is_line_end(byte));
            let line = start.map_or(kept, |start| &kept[start..]);
            self.line
                .extend_from_slice(&line[..line.len().min(LINE_HEAD)]);
        }
        while let Some(end) = memchr2(b'\n', b'\r', piece) {
            self.extend(&piece[..end]);
            self.read_line();
            self.line.clear();
            self.line.push(piece[end]);
            piece = &piece[end + 1..];
        }
        self.extend(piece);
    }

    fn extend(&mut self, piece: &[u8]) {
        let room = LINE_HEAD.saturating_sub(self.line.len());
        self.line.extend_from_slice(&piece[..piece.len().min(room)]);
    }

    fn read_line(&mut self) {
        for line in Lines(&self.line) {
            if let (b"event", name) = field(line) {
                self.name = Some(name_of(name).to_owned());
            }
        }
    }

    /// Passes on the event. `kept`: its beginning. The event itself has this length.
    pub(super) fn emit(
        &mut self,
        kept: &[u8],
        length: usize,
        on_event: &mut impl FnMut(Event<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if length <= MAX_READ {
            return if is_blank(kept) {
                ControlFlow::Continue(())
            } else {
                on_event(Event::of(kept))
            };
        }
        let name = self.name.take();
        let name = name.as_deref().unwrap_or_else(|| Event::of(kept).name);
        on_event(Event::too_long(kept, name))
    }
}

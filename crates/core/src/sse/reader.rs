//! Splits a stream into events.

use std::ops::ControlFlow;

use super::behind::Behind;
use super::blank_line::At;
use super::event::Event;
use super::limits::{MAX_EVENT, MAX_READ};
use super::line::is_blank;

/// How many bytes of the buffer are kept between two events.
pub(super) const SPARE: usize = 4 * 1024;

/// Splits a byte stream into events.
#[derive(Debug, Default)]
pub struct Reader {
    /// The beginning of an unfinished event.
    pub(super) rest: Vec<u8>,
    /// The length of the unfinished event.
    length: usize,
    /// Looks for the name behind `rest`.
    behind: Behind,
    at: At,
}

/// An event grew beyond [`MAX_EVENT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Oversized;

impl Reader {
    /// Reads a chunk, and passes every event that it completes to `on_event`.
    ///
    /// # Errors
    ///
    /// [`Oversized`] if an event is too long.
    pub fn push(
        &mut self,
        chunk: &[u8],
        mut on_event: impl FnMut(Event<'_>),
    ) -> Result<(), Oversized> {
        let read = self.push_until(chunk, |event| {
            on_event(event);
            ControlFlow::Continue(())
        });
        read.map(drop)
    }

    /// The same, until `on_event` breaks. Returns how many bytes of the chunk were read. They include the
    /// whole event at which it broke.
    ///
    /// # Errors
    ///
    /// [`Oversized`] if an event is too long.
    pub fn push_until(
        &mut self,
        chunk: &[u8],
        mut on_event: impl FnMut(Event<'_>) -> ControlFlow<()>,
    ) -> Result<usize, Oversized> {
        let mut taken = 0;
        while let Some(end) = self.at.end_of_event(&chunk[taken..]) {
            let event = &chunk[taken..taken + end];
            taken += end;
            let flow = if self.length == 0 {
                whole(event, &mut on_event)?
            } else {
                self.keep(event)?;
                let flow = self.behind.emit(&self.rest, self.length, &mut on_event);
                self.length = 0;
                self.rest.clear();
                self.rest.shrink_to(SPARE);
                self.behind.line.clear();
                flow
            };
            if flow.is_break() {
                return Ok(taken);
            }
        }
        self.keep(&chunk[taken..])?;
        Ok(chunk.len())
    }

    /// Whether an event has begun and not ended.
    pub fn is_midway(&self) -> bool {
        self.rest.iter().any(|byte| !byte.is_ascii_whitespace())
    }

    /// What has arrived of an unfinished event, up to [`MAX_READ`].
    pub fn rest(&self) -> &[u8] {
        &self.rest
    }

    fn keep(&mut self, piece: &[u8]) -> Result<(), Oversized> {
        self.length = self.length.saturating_add(piece.len());
        if self.length > MAX_EVENT {
            return Err(Oversized);
        }
        let room = MAX_READ.saturating_sub(self.rest.len());
        let (kept, behind) = piece.split_at(piece.len().min(room));
        self.rest.extend_from_slice(kept);
        if !behind.is_empty() {
            self.behind.take_in(&self.rest, behind);
        }
        Ok(())
    }
}

/// Passes on an event that is in one piece.
fn whole(
    lines: &[u8],
    on_event: &mut impl FnMut(Event<'_>) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, Oversized> {
    if lines.len() > MAX_EVENT {
        return Err(Oversized);
    }
    if is_blank(lines) {
        return Ok(ControlFlow::Continue(()));
    }
    let event = Event::of(lines);
    Ok(on_event(if lines.len() > MAX_READ {
        Event::too_long(&lines[..MAX_READ], event.name)
    } else {
        event
    }))
}

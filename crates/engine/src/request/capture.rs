//! Keeps a body for the journal while it passes. It does so only if the configuration asks for it, copies
//! nothing, and keeps no more than a fixed size.

use bytes::Bytes;
use zephyr_core::config::LogBody;

use zephyr_journal::Captured;

/// The size that `truncated` keeps of a body, in bytes.
const BEGINNING: usize = 16 * 1024;
/// The most that `full` keeps of a body, in bytes. No conversation is as long, and the memory for it does no
/// harm.
const MOST: usize = 8 * 1024 * 1024;

#[derive(Debug)]
pub struct Capture {
    captured: Captured,
    /// Bytes that may still be kept.
    room: usize,
}

impl Capture {
    /// `None`: the configuration keeps no bodies.
    pub fn of(wanted: LogBody) -> Option<Self> {
        let room = match wanted {
            LogBody::None => return None,
            LogBody::Truncated => BEGINNING,
            LogBody::Full => MOST,
        };
        Some(Self {
            captured: Captured::default(),
            room,
        })
    }

    pub fn push(&mut self, piece: &Bytes) {
        if piece.len() > self.room {
            self.captured.truncated = true;
        }
        let piece = piece.slice(..piece.len().min(self.room));
        if !piece.is_empty() {
            self.room -= piece.len();
            self.captured.pieces.push(piece);
        }
    }

    pub fn finish(self) -> Captured {
        self.captured
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(wanted: LogBody, pieces: &[&[u8]]) -> (usize, bool) {
        let mut capture = Capture::of(wanted).unwrap();
        for piece in pieces {
            capture.push(&Bytes::copy_from_slice(piece));
        }
        let captured = capture.finish();
        let bytes = captured.pieces.iter().map(Bytes::len).sum();
        (bytes, captured.truncated)
    }

    #[test]
    fn nothing_is_kept_of_what_is_not_wanted() {
        assert!(Capture::of(LogBody::None).is_none());
    }

    #[test]
    fn a_body_is_cut_off_where_its_room_ends_and_says_so() {
        let half = vec![b'x'; BEGINNING / 2];

        assert_eq!(
            captured(LogBody::Truncated, &[&half, &half]),
            (BEGINNING, false)
        );
        assert_eq!(
            captured(LogBody::Truncated, &[&half, &half, b"y", b"z"]),
            (BEGINNING, true)
        );
        assert_eq!(
            captured(LogBody::Full, &[&half, &half, b"y"]),
            (BEGINNING + 1, false)
        );
        let whole = vec![b'x'; MOST + 1];
        assert_eq!(captured(LogBody::Full, &[&whole]), (MOST, true));
    }
}

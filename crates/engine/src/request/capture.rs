//! Keeps a body for the journal while it passes: only where the configuration asks for it, no copies, and
//! never more than a bound.

use bytes::Bytes;
use zephyr_core::config::LogBody;

use zephyr_journal::Captured;

/// What `truncated` keeps of a body.
const BEGINNING: usize = 16 * 1024;
/// What `full` keeps of a body: more than any conversation has, less than what would hurt.
const MOST: usize = 8 * 1024 * 1024;

/// A body that is being kept.
#[derive(Debug)]
pub struct Capture {
    captured: Captured,
    /// How many bytes more are kept.
    room: usize,
}

impl Capture {
    /// As the configuration says; `None`: nothing is to be kept.
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

    /// Takes in the next piece.
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

    /// What was kept.
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

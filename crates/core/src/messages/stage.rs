//! How far a stream has come.

/// How far a stream has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Nothing but pings and comments.
    Silent,
    /// `message_start` was seen: somebody who speaks the protocol is there.
    Started,
    /// A content block began: this is an answer.
    Content,
    /// `message_stop` was seen: complete.
    Complete,
}

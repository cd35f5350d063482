//! How far a stream has come.

/// How far a stream has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Only pings and comments have come.
    Silent,
    /// `message_start` has come: the server speaks the protocol.
    Started,
    /// A content block has begun: this is an answer.
    Content,
    /// `message_stop` has come: the answer is complete.
    Complete,
}

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

/// What a model does until the next part of its message comes. How long it may be silent depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Activity {
    /// It writes text, or begins the next block.
    #[default]
    Writing,
    /// It thinks. Its thinking may be hidden, so nothing comes for a minute or longer.
    Thinking,
    /// It writes the input of a tool, which the API sends in large pieces, or waits for the result of a tool of
    /// the server, or does something unknown.
    Tool,
}

impl Activity {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Writing, Self::Thinking, Self::Tool];
}

//! What was seen to go wrong in an attempt.

use std::time::Duration;

use crate::certificate::BadCertificate;

/// What was seen to go wrong in an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An HTTP status.
    Status(u16),
    /// A status of a gateway in front of the endpoint: the endpoint itself did not speak.
    Gateway {
        /// The status.
        status: u16,
        /// What the gateway said.
        said: Gateway,
    },
    /// No connection: DNS, TCP, proxy or TLS. What the system said.
    Connect(String),
    /// No connection, because the endpoint's certificate is not trusted.
    Certificate(Box<BadCertificate>),
    /// The connection broke before an answer. What the system said.
    Lost(String),
    /// No answer within this time.
    TimedOut(Duration),
    /// A web page.
    Html,
    /// Nothing.
    Empty,
    /// Not the Messages format: what was expected, what was seen.
    NotMessages(String),
    /// An error inside the answer: its type.
    ErrorEvent(String),
    /// The answer ended before it was complete.
    Cut,
    /// The answer stood still for this long.
    Stalled(Duration),
    /// The Claude CLI, which a probe ran, failed: how it ended.
    ClaudeCli(String),
    /// The time to finish requests was over.
    DrainTimeout,
}

/// What a gateway says in place of its endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gateway {
    /// Its origin does not answer: Cloudflare's 520 to 527 and 530.
    OriginDown,
    /// A challenge that only a browser passes.
    Challenge,
    /// A page of its own that refuses the request.
    Page,
}

/// What an attempt tells of the network between us and its endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contact {
    /// The endpoint answered, whatever it said.
    Made,
    /// No connection came about.
    NotMade,
    /// A connection that was there broke, or nothing came over it.
    Broken,
    /// It tells nothing.
    Unknown,
}

impl Fault {
    pub(super) fn contact(&self) -> Contact {
        match self {
            Self::Status(_)
            | Self::Gateway { .. }
            | Self::Html
            | Self::Empty
            | Self::NotMessages(_)
            | Self::ErrorEvent(_) => Contact::Made,
            Self::Connect(_) => Contact::NotMade,
            Self::Certificate(bad) if bad.is_of_a_stranger() => Contact::NotMade,
            Self::Lost(_) | Self::TimedOut(_) | Self::Cut | Self::Stalled(_) => Contact::Broken,
            Self::Certificate(_) | Self::ClaudeCli(_) | Self::DrainTimeout => Contact::Unknown,
        }
    }
}

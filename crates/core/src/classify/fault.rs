//! What went wrong in an attempt.

use std::time::Duration;

use crate::certificate::BadCertificate;

/// What went wrong in an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The answer had this HTTP status.
    Status(u16),
    /// A gateway in front of the endpoint answered. The endpoint itself did not.
    Gateway {
        /// The status.
        status: u16,
        /// What the gateway said.
        said: Gateway,
    },
    /// No connection: DNS, TCP, proxy or TLS failed. The error of the system.
    Connect(String),
    /// No connection, because the endpoint's certificate is not trusted.
    Certificate(Box<BadCertificate>),
    /// No connection, because everybody on the way could have read the credential.
    ClearText,
    /// The connection broke before an answer. The error of the system.
    Lost(String),
    /// No answer within this time.
    TimedOut(Duration),
    /// The answer was a web page.
    Html,
    /// The answer was empty.
    Empty,
    /// Not the Messages format: what was expected, and what was seen.
    NotMessages(String),
    /// An error inside the answer. Its type.
    ErrorEvent(String),
    /// The answer ended before it was complete.
    Cut,
    /// Nothing more of the answer came for this long.
    Stalled(Duration),
    /// The Claude CLI, which a probe ran, failed. How it ended.
    ClaudeCli(String),
    /// The time to finish requests during a drain was over.
    DrainTimeout,
}

/// What a gateway says in place of its endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gateway {
    /// The server behind the gateway does not answer: Cloudflare's 520 to 527 and 530.
    OriginDown,
    /// A challenge that only a browser passes.
    Challenge,
    /// A page of the gateway itself that refuses the request.
    Page,
}

/// What an attempt says about the network between us and its endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contact {
    /// The endpoint answered something.
    Made,
    /// The connection could not be opened.
    NotMade,
    /// An open connection broke, or nothing came over it.
    Broken,
    /// It says nothing.
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
            Self::Certificate(_) | Self::ClearText | Self::ClaudeCli(_) | Self::DrainTimeout => {
                Contact::Unknown
            }
        }
    }
}

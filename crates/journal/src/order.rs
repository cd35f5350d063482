//! The handles' orders to the writer.

use tokio::sync::oneshot;

use crate::settings::Settings;

/// Whether entries were lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// All of them are in the file.
    Nothing,
    /// Some could not be written.
    Some,
}

pub(crate) enum Order {
    /// Answers when everything handed over so far is written.
    Flush(oneshot::Sender<Dropped>),
    /// The same. Then the file stays closed until the next entry.
    Close(oneshot::Sender<Dropped>),
    /// From now on, these settings count.
    Configure(Box<Settings>),
}

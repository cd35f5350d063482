//! Decides which notifications follow from events. `notify` shows them.
//!
//! A notification interrupts a person, so there are few. Events within a moment share one notification,
//! because they belong together: an endpoint dies, and another is used. An event that comes less than
//! `notifications.min_interval_seconds` after a notification waits. If it is no longer true by then (a switch
//! there and back, a failure that is over), it is not shown at all.
//!
//! Like everything that decides, it takes the time as an argument: `handle_snapshot`, `poll_timeout`,
//! `handle_timeout`.

mod news;
mod notice;
mod queue;
#[cfg(test)]
mod tests;

pub(crate) use self::notice::Notice;
pub(crate) use self::queue::Notices;

//! Which notifications follow from what happened: decisions only, `notify` shows them.
//!
//! A notification interrupts, so there are few. What happens within a moment is told in one, because
//! it belongs together: an endpoint dies, and another is used. What happens sooner than
//! `notifications.min_interval_seconds` after a notification waits, and by then may have become
//! untrue: a switch there and back, a failure that is over, are not told at all.
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

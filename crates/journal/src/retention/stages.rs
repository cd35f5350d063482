//! What retention does next: one step after the other, in stages.

use rusqlite::Connection;
use zephyr_core::config::Logging;

use super::progress::Progress;
use super::requests::delete_oldest;
use super::roll_up::{roll_history_up, roll_usage_up};
use super::space::{SUMS, SUMS_AND_NAMES, give_back, used, used_by};
use super::unused::delete_unused;
use crate::tables::DAY;

/// How far below the limit a file that was too large is brought, in percent of the limit.
const ENOUGH: u64 = 95;
/// What requests are left with whatever else fills the file, in percent of the limit.
const OF_REQUESTS: u64 = 25;
/// Deleted requests after which it is worth looking for unused strings.
const UNSEEN: usize = 8192;
/// How long sums are kept by hour and session, in milliseconds. `retention_days` may make it longer. Then
/// days stay.
const SESSIONS_KEPT: i64 = 35 * DAY;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Idle,
    Requests,
    /// Sums fill the file: those by hour and session become days.
    Condense,
    /// The strings that only those sums needed.
    CondensedStrings,
    Oversize,
    /// The strings that only the requests deleted so far needed.
    OversizeStrings,
    History,
    Usage,
    Strings,
    Pages,
}

/// The work: begun now and then, done step by step.
#[derive(Default)]
pub(crate) struct Retention {
    stage: Stage,
    /// Requests deleted since unused strings were last looked for.
    deleted: usize,
}

impl Retention {
    /// Begins, unless it has begun already.
    pub(crate) fn begin(&mut self) {
        if self.stage == Stage::Idle {
            self.stage = Stage::Requests;
        }
    }

    /// Whether the next step may delete strings and shapes. Their numbers must not be used after it.
    pub(crate) fn deletes_names(&self) -> bool {
        match self.stage {
            Stage::CondensedStrings | Stage::OversizeStrings | Stage::Strings => true,
            Stage::Idle
            | Stage::Requests
            | Stage::Condense
            | Stage::Oversize
            | Stage::History
            | Stage::Usage
            | Stage::Pages => false,
        }
    }

    /// Does one step. `now`: milliseconds since 1970.
    pub(crate) fn step(
        &mut self,
        connection: &mut Connection,
        logging: &Logging,
        now: i64,
    ) -> rusqlite::Result<Progress> {
        self.stage = match self.stage {
            Stage::Idle => return Ok(Progress::Done),
            Stage::Requests => {
                let kept_from = now - i64::from(logging.retention_days) * DAY;
                match self.delete_oldest(connection, kept_from, now)? {
                    Progress::More => Stage::Requests,
                    Progress::Done if used(connection)? <= logging.max_size => Stage::History,
                    Progress::Done
                        if used_by(connection, SUMS_AND_NAMES)? > logging.max_size / 2 =>
                    {
                        Stage::Condense
                    }
                    Progress::Done => Stage::Oversize,
                }
            }
            Stage::Condense => match roll_usage_up(connection, now - DAY)? {
                Progress::More => Stage::Condense,
                Progress::Done => Stage::CondensedStrings,
            },
            Stage::CondensedStrings => match delete_unused(connection)? {
                Progress::More => Stage::CondensedStrings,
                Progress::Done => Stage::Oversize,
            },
            Stage::Oversize if self.deleted >= UNSEEN => Stage::OversizeStrings,
            Stage::Oversize => {
                let used = used(connection)?;
                let of_requests = used.saturating_sub(used_by(connection, SUMS)?);
                let is_too_much = used > logging.max_size / 100 * ENOUGH
                    && of_requests > logging.max_size / 100 * OF_REQUESTS;
                if is_too_much && self.delete_oldest(connection, i64::MAX, now)? == Progress::More {
                    Stage::Oversize
                } else {
                    Stage::History
                }
            }
            Stage::OversizeStrings => match delete_unused(connection)? {
                Progress::More => Stage::OversizeStrings,
                Progress::Done => {
                    self.deleted = 0;
                    Stage::Oversize
                }
            },
            Stage::History => match roll_history_up(connection, now)? {
                Progress::More => Stage::History,
                Progress::Done => Stage::Usage,
            },
            Stage::Usage => {
                let kept = SESSIONS_KEPT.max(i64::from(logging.retention_days) * DAY);
                match roll_usage_up(connection, now - kept)? {
                    Progress::More => Stage::Usage,
                    Progress::Done if self.deleted > 0 => Stage::Strings,
                    Progress::Done => Stage::Pages,
                }
            }
            Stage::Strings => match delete_unused(connection)? {
                Progress::More => Stage::Strings,
                Progress::Done => {
                    self.deleted = 0;
                    Stage::Pages
                }
            },
            Stage::Pages => match give_back(connection)? {
                Progress::More => Stage::Pages,
                Progress::Done => Stage::Idle,
            },
        };
        Ok(match self.stage {
            Stage::Idle => Progress::Done,
            Stage::Requests
            | Stage::Condense
            | Stage::CondensedStrings
            | Stage::Oversize
            | Stage::OversizeStrings
            | Stage::History
            | Stage::Usage
            | Stage::Strings
            | Stage::Pages => Progress::More,
        })
    }

    fn delete_oldest(
        &mut self,
        connection: &mut Connection,
        before: i64,
        now: i64,
    ) -> rusqlite::Result<Progress> {
        let deleted = delete_oldest(connection, before, now)?;
        self.deleted += deleted;
        Ok(Progress::after(deleted))
    }
}

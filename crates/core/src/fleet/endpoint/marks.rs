//! What an endpoint does not serve: marks for a part of the requests, not for the whole endpoint.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::call::CallKind;
use crate::classify::{ClientKind, Family, Subject};
use crate::fleet::asked::{Asked, Traits};
use crate::fleet::reason::WhyNot;

/// How long a mark holds if the answer did not say.
const BELIEVED_FOR: Duration = Duration::from_secs(600);
/// The window of a family may be a week long. No mark holds longer than this.
const LONGEST: Duration = Duration::from_secs(8 * 24 * 3600);
/// Maximum number of marks.
const MOST: usize = 32;

#[derive(Debug, Default)]
pub(crate) struct Marks {
    known: Vec<(Mark, Instant)>,
}

/// Which requests are not served.
#[derive(Debug, PartialEq, Eq)]
enum Mark {
    /// Requests that ask for the same.
    Asked(Arc<Asked>),
    /// Requests for a model of this family.
    Family(Family),
    /// Requests of this kind that are at least as large, in bytes.
    Size(CallKind, u64),
    /// Requests of such clients.
    Client(ClientKind),
}

impl Marks {
    /// Whether a request is served. A mark says why not.
    pub(crate) fn check(&self, asked: &Asked, traits: Traits, now: Instant) -> Result<(), WhyNot> {
        let holds = self.known.iter().filter(|(_, until)| *until > now);
        for (mark, until) in holds {
            let until = *until;
            match mark {
                Mark::Asked(unserved) if **unserved == *asked => {
                    return Err(WhyNot::ModelNotServed);
                }
                Mark::Family(family) if asked.model.as_deref().is_some_and(|it| family.has(it)) => {
                    return Err(WhyNot::FamilySpent { until });
                }
                Mark::Size(kind, bytes)
                    if *kind == asked.kind && traits.bytes.is_some_and(|size| size >= *bytes) =>
                {
                    return Err(WhyNot::TooLarge);
                }
                Mark::Client(kind) if *kind == traits.client => {
                    return Err(WhyNot::ClientNotAdmitted);
                }
                Mark::Asked(_) | Mark::Family(_) | Mark::Size(..) | Mark::Client(_) => {}
            }
        }
        Ok(())
    }

    /// Sets a mark if the answer was about a part of the requests. Returns when it ends.
    pub(super) fn note(
        &mut self,
        subject: &Subject,
        asked: &Arc<Asked>,
        traits: Traits,
        lasts: Option<Duration>,
        now: Instant,
    ) -> Option<Instant> {
        let mark = match subject {
            Subject::Model => Mark::Asked(Arc::clone(asked)),
            Subject::Family(family) => Mark::Family(family.clone()),
            // The size of the request is unknown, so no mark can be set.
            Subject::Size => Mark::Size(asked.kind, traits.bytes?),
            Subject::ClientKind => Mark::Client(traits.client),
            Subject::Endpoint
            | Subject::Account
            | Subject::Conversation
            | Subject::Login
            | Subject::Signature
            | Subject::Request
            | Subject::Client => return None,
        };
        let until = now + lasts.unwrap_or(BELIEVED_FOR).min(LONGEST);
        let is_covered = |known: &Mark| match (known, &mark) {
            // A mark with a smaller size covers the larger one.
            (Mark::Size(kind, known), Mark::Size(of, bytes)) => kind == of && known >= bytes,
            (known, mark) => known == mark,
        };
        self.known
            .retain(|(known, until)| *until > now && !is_covered(known));
        if self.known.len() >= MOST {
            self.known.remove(0);
        }
        self.known.push((mark, until));
        Some(until)
    }

    /// An answer shows that such requests are served.
    pub(super) fn lift(&mut self, asked: &Asked, traits: Traits) {
        self.known.retain(|(mark, _)| match mark {
            Mark::Asked(unserved) => **unserved != *asked,
            Mark::Family(family) => !asked.model.as_deref().is_some_and(|it| family.has(it)),
            Mark::Size(kind, bytes) => {
                *kind != asked.kind || traits.bytes.is_none_or(|size| size < *bytes)
            }
            Mark::Client(kind) => *kind != traits.client,
        });
    }

    pub(super) fn clear(&mut self) {
        self.known.clear();
    }
}

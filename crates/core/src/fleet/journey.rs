//! One request on its way: what routing knows of it, and where it has been.

use std::sync::Arc;
use std::time::Instant;

use super::asked::Asked;
use super::queue::{Errand, Ticket};
use crate::call::CallKind;
use crate::endpoint_id::EndpointId;
use crate::session::SessionKey;

/// One request on its way: what routing knows of it, and where it has been.
#[derive(Clone, Debug)]
pub struct Journey {
    pub(super) asked: Arc<Asked>,
    pub(super) session: Option<SessionKey>,
    pub(super) tried: Vec<EndpointId>,
    pub(super) last_resort: bool,
    /// Number of attempts before it last waited.
    pub(super) before_waiting: usize,
    /// Its place in the queue, once it has waited.
    pub(super) ticket: Option<Ticket>,
    /// When its time to wait is over.
    pub(super) wait_until: Option<Instant>,
    /// How many times in a row it was called and then denied.
    pub(super) denials: u32,
    /// It goes to find out whether anything is back.
    pub(super) scouts: bool,
    /// The endpoint that broke off the last answer to this request: it goes elsewhere if it can.
    pub(super) avoids: Option<EndpointId>,
}

impl Journey {
    /// A request that has not been anywhere.
    pub fn new(kind: CallKind, model: Option<String>, session: Option<SessionKey>) -> Self {
        Self {
            asked: Arc::new(Asked { kind, model }),
            session,
            tried: Vec::new(),
            last_resort: false,
            before_waiting: 0,
            ticket: None,
            wait_until: None,
            denials: 0,
            scouts: false,
            avoids: None,
        }
    }

    /// Attempts so far.
    pub fn attempts(&self) -> usize {
        self.before_waiting + self.tried.len()
    }

    /// The model asked for.
    pub fn model(&self) -> Option<&str> {
        self.asked.model.as_deref()
    }

    /// Whether it belongs to a conversation.
    pub fn is_conversation(&self) -> bool {
        self.session.is_some()
    }

    /// Whether it has failed before: here, or as the request that it repeats.
    pub(super) fn has_failed(&self) -> bool {
        !self.tried.is_empty() || self.avoids.is_some()
    }

    /// It has waited, and starts again.
    pub(super) fn set_out_again(&mut self, errand: Errand) {
        self.before_waiting += self.tried.len();
        self.tried.clear();
        self.last_resort = false;
        self.scouts = errand == Errand::Scout;
    }
}

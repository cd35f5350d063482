//! One request on its way: what routing knows about it, and where it has been.

use std::sync::Arc;
use std::time::Instant;

use super::asked::{Asked, Traits};
use super::queue::{Errand, Ticket};
use super::reason::WhyNot;
use crate::call::CallKind;
use crate::classify::{Outcome, Subject};
use crate::endpoint_id::EndpointId;
use crate::session::SessionKey;

/// One request on its way: what routing knows about it, and where it has been.
#[derive(Clone, Debug)]
pub struct Journey {
    pub(super) asked: Arc<Asked>,
    pub(super) session: Option<SessionKey>,
    pub(super) tried: Vec<EndpointId>,
    pub(super) last_resort: bool,
    /// Number of attempts that are no longer in `tried`.
    pub(super) earlier: usize,
    /// Its place in the queue, once it has waited.
    pub(super) ticket: Option<Ticket>,
    /// When it has waited long enough.
    pub(super) wait_until: Option<Instant>,
    /// How many times in a row it was called and then denied an attempt.
    pub(super) denials: u32,
    /// It is a scout.
    pub(super) scouts: bool,
    /// Endpoints that it goes to only if no other is fit.
    pub(super) avoids: Vec<(EndpointId, Shunned)>,
    /// Which endpoints can still help.
    pub(super) needs: Needs,
    /// The endpoints that could not read its thinking.
    pub(super) unreadable_at: Vec<EndpointId>,
    /// Its thinking was left out.
    pub(super) lacks_thinking: bool,
    /// How many endpoints said that they cannot take this one request.
    pub(super) turned_away: u32,
    /// It repeats a request whose answer broke off.
    pub(super) repeats_a_break: bool,
    /// An attempt was sent beside a late first one.
    pub(super) is_hedged: bool,
    /// Other properties of the request.
    pub(super) traits: Traits,
}

/// Why a request avoids an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shunned {
    /// It broke off the last answer to this request.
    BrokeOff,
    /// It refused the conversation.
    Refused,
}

/// Which endpoints can still help a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Needs {
    /// Any endpoint.
    #[default]
    Anything,
    /// An endpoint with a credential of ours.
    OwnCredential,
    /// The endpoint that answered the conversation last.
    Home,
    /// This endpoint.
    Only(EndpointId),
    /// No endpoint.
    Nothing,
}

impl Journey {
    /// A request before its first attempt.
    pub fn new(kind: CallKind, model: Option<String>, session: Option<SessionKey>) -> Self {
        Self {
            asked: Arc::new(Asked { kind, model }),
            session,
            tried: Vec::new(),
            last_resort: false,
            earlier: 0,
            ticket: None,
            wait_until: None,
            denials: 0,
            scouts: false,
            avoids: Vec::new(),
            needs: Needs::default(),
            unreadable_at: Vec::new(),
            lacks_thinking: false,
            turned_away: 0,
            repeats_a_break: false,
            is_hedged: false,
            traits: Traits::default(),
        }
    }

    /// The same request with its other properties.
    #[must_use]
    pub fn with_traits(mut self, traits: Traits) -> Self {
        self.traits = traits;
        self
    }

    /// An attempt at the endpoint had nothing to pass on. This limits which other endpoints can help.
    pub fn note_miss(&mut self, id: EndpointId, outcome: &Outcome) {
        let Outcome::NotServed { subject, .. } = outcome else {
            return;
        };
        match subject {
            Subject::Login => self.needs = Needs::OwnCredential,
            Subject::Signature => {
                self.needs = Needs::Home;
                self.unreadable_at.push(id);
            }
            // What is not understood has no shape to be judged by: every endpoint is asked.
            Subject::Request if self.asked.kind.is_understood() => self.turned_away += 1,
            Subject::Request => {}
            Subject::Endpoint
            | Subject::Account
            | Subject::Model
            | Subject::Family(_)
            | Subject::Size
            | Subject::ClientKind
            | Subject::Conversation
            | Subject::Client => {}
        }
    }

    /// Attempts so far.
    pub fn attempts(&self) -> usize {
        self.earlier + self.tried.len()
    }

    /// Whether it would help to leave its thinking out, which no endpoint can read that may be asked.
    pub fn may_lack_thinking(&self) -> bool {
        let only_home_can_help = match self.needs {
            Needs::Home | Needs::Only(_) | Needs::Nothing => true,
            Needs::Anything | Needs::OwnCredential => false,
        };
        only_home_can_help && !self.lacks_thinking
    }

    /// Its thinking is left out from now on, so that those who could not read that may be asked once more.
    pub fn leave_thinking_out(&mut self) {
        let unreadable_at = std::mem::take(&mut self.unreadable_at);
        let tried = self.tried.len();
        self.tried.retain(|id| !unreadable_at.contains(id));
        self.earlier += tried - self.tried.len();
        self.needs = Needs::Anything;
        self.lacks_thinking = true;
    }

    /// The requested model.
    pub fn model(&self) -> Option<&str> {
        self.asked.model.as_deref()
    }

    /// Whether it belongs to a conversation.
    pub fn is_conversation(&self) -> bool {
        self.session.is_some()
    }

    /// Whether it has failed before: itself, or the request that it repeats.
    pub(super) fn has_failed(&self) -> bool {
        !self.tried.is_empty() || !self.avoids.is_empty()
    }

    /// It has waited, and is sent again.
    pub(super) fn set_out_again(&mut self, errand: Errand) {
        self.earlier += self.tried.len();
        self.tried.clear();
        self.last_resort = false;
        self.scouts = errand == Errand::Scout;
    }

    pub(super) fn check_needs(&self, id: EndpointId, is_ours: bool) -> Result<(), WhyNot> {
        match self.needs {
            Needs::Anything => Ok(()),
            Needs::OwnCredential if is_ours => Ok(()),
            Needs::OwnCredential => Err(WhyNot::NeedsOwnCredential),
            Needs::Only(home) if home == id => Ok(()),
            Needs::Only(_) | Needs::Home | Needs::Nothing => Err(WhyNot::NeedsHome),
        }
    }

    pub(super) fn check_avoided(&self, id: EndpointId) -> Result<(), WhyNot> {
        match self.avoids.iter().find(|(avoided, _)| *avoided == id) {
            Some((_, Shunned::BrokeOff)) => Err(WhyNot::BrokeOff),
            Some((_, Shunned::Refused)) => Err(WhyNot::ConversationRefused),
            None => Ok(()),
        }
    }

    /// The endpoint that broke off the last answer to this request, if one did.
    pub(super) fn left_broken(&self) -> Option<EndpointId> {
        let broken = |(_, why): &&(EndpointId, Shunned)| *why == Shunned::BrokeOff;
        self.avoids.iter().rev().find(broken).map(|(id, _)| *id)
    }
}

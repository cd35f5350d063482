//! A request as its attempts send it: the same bytes and headers to every endpoint.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONTENT_LENGTH, HeaderValue, ORIGIN, USER_AGENT};
use http::uri::PathAndQuery;
use hyper::body::Incoming;
use zephyr_core::classify::{ClientKind, Fault, Outcome};
use zephyr_core::fleet::{Journey, Traits};
use zephyr_core::price::Usage;
use zephyr_core::profile::{CallKind, LOOKED_AT, Profile};
use zephyr_core::thinking::without_thinking;
use zephyr_secrets::redact::may_have_credentials;

use super::inspect::Sight;
use super::patience::Patience;
use super::record;
use super::traffic::Traffic;
use super::trail::{SESSION_ID, Trail, beginning, named};
use super::upload::{Upload, UploadError};
use crate::clients::reply::Code;
use crate::endpoints::headers::{self, Repeatable, VIA_ZEPHYR};
use crate::endpoints::remote::Remote;
use crate::engine::live::Live;

/// How long the beginning of a request's body may take.
const BODY_PATIENCE: Duration = Duration::from_secs(75);

pub struct Outgoing {
    pub traffic: Arc<Traffic>,
    /// The configuration that was in force when the request came.
    pub live: Arc<Live>,
    pub trail: Arc<Trail>,
    /// The path and query that the client asked for.
    pub target: PathAndQuery,
    /// The headers that every endpoint gets.
    pub headers: Repeatable,
    pub upload: Upload,
    pub patience: Patience,
    /// Whether an allowed web page asked.
    pub for_page: bool,
    /// Whether it belongs to a conversation.
    is_conversation: bool,
    /// Whether it is no longer what the client sent.
    pub is_repaired: bool,
}

impl Outgoing {
    /// Reads as much of the body as routing needs. The journey is where the request has been, for the fleet.
    ///
    /// # Errors
    ///
    /// The body is too large, or broke off. The error is what the client is told.
    pub async fn prepare(
        traffic: &Arc<Traffic>,
        live: &Arc<Live>,
        trail: &Arc<Trail>,
        target: PathAndQuery,
        body: Incoming,
    ) -> Result<(Self, Journey), (Code, String)> {
        let kind = trail.kind;
        let failover = &live.config.failover;
        let (size, replay) = if kind.is_understood() {
            (live.config.server.max_body, failover.replay_limit)
        } else {
            (u64::MAX, 0) // On other paths the body has no limit and is sent once.
        };
        let announced = http_body::Body::size_hint(&body).exact();
        if announced.is_some_and(|length| length > size) {
            return Err(too_large(size));
        }
        let received = Arc::clone(&trail.received);
        let upload = Upload::new(body, (size, replay), &traffic.budget, received);
        let (headers, session) = {
            let mut notes = trail.notes();
            let headers = std::mem::take(&mut notes.headers);
            if trail.received.keeps() {
                notes.headers = headers.clone();
            } else if traffic.journal.is_kept() {
                notes.headers = record::essential(&headers);
            }
            let session = named(&headers, &SESSION_ID);
            (headers, session)
        };
        let mut profile = Profile::default();
        if kind.is_understood() {
            let looking =
                tokio::time::timeout(BODY_PATIENCE, look_into(&upload, session.as_deref()));
            profile = looking
                .await
                .unwrap_or(Err(UploadError::Stalled))
                .map_err(|error| upload_error(error, size))?;
        }
        let profile = profile.with_session_header(session.as_deref());
        let user_agent = headers
            .get(USER_AGENT)
            .and_then(|agent| agent.to_str().ok());
        let traits = Traits {
            client: ClientKind::of(user_agent),
            bytes: announced,
        };
        if traits.client == ClientKind::ClaudeCode && kind == CallKind::Messages {
            traffic.door.claude_code().note(&headers, &target);
        }
        let patience = Patience::of(&headers, failover, Arc::clone(trail), upload.clone());
        let for_page = headers.contains_key(ORIGIN);
        let mut headers = headers::for_upstream(headers);
        headers.append(VIA_ZEPHYR, live.instance.clone());
        if let Some(known) = profile.stream {
            let _ = trail.stream.set(known);
        }
        {
            let mut notes = trail.notes();
            let shown = |name: &str| trail.redactor.text(beginning(name));
            notes.model = profile.model.as_deref().map(shown);
            notes.session = session
                .as_deref()
                .or(profile.session_id.as_deref())
                .map(shown);
        }
        let journey = Journey::new(kind, profile.model, profile.session).with_traits(traits);
        let outgoing = Self {
            traffic: Arc::clone(traffic),
            live: Arc::clone(live),
            trail: Arc::clone(trail),
            target,
            headers: Repeatable::new(headers),
            upload,
            patience,
            for_page,
            is_conversation: journey.is_conversation(),
            is_repaired: false,
        };
        Ok((outgoing, journey))
    }

    /// What the conversation has cached. `None` for a request outside any conversation and for a count
    /// of tokens: nothing needs it there.
    pub fn usage(&self, sight: &Sight) -> Option<Usage> {
        let asks = self.is_conversation && self.trail.kind == CallKind::Messages;
        asks.then(|| sight.usage())?
    }

    /// The path and query for that endpoint. If it gets a credential of ours, it gets none that the client has written
    /// into the query.
    pub fn target_for(&self, remote: &Remote) -> Cow<'_, PathAndQuery> {
        let query = self
            .target
            .query()
            .filter(|query| may_have_credentials(query));
        let Some(query) = query.filter(|_| remote.credential.is_ours()) else {
            return Cow::Borrowed(&self.target);
        };
        let pairs = query.split('&').filter(|pair| !may_have_credentials(pair));
        let kept = pairs.collect::<Vec<_>>().join("&");
        let path = self.target.path();
        let target = match kept.as_str() {
            "" => path.parse(),
            kept => format!("{path}?{kept}").parse(),
        };
        Cow::Owned(target.expect("a part of a valid query is valid"))
    }

    /// Whether another endpoint should be asked after this.
    pub fn moves_on(&self, outcome: &Outcome) -> bool {
        outcome.moves_on(self.live.config.failover.on_client_errors)
    }

    /// Whether the client gets this answer, because only the client can fix it.
    pub fn passes_on(&self, outcome: &Outcome) -> bool {
        matches!(outcome, Outcome::ClientFault(_)) && !self.moves_on(outcome)
    }

    /// Leaves the request's thinking out if nobody who may be asked can read it, and if that is wanted. Says
    /// whether the request has changed, so that it is worth asking once more.
    pub fn repair_thinking(&mut self, journey: &mut Journey) -> bool {
        let may = self.live.config.failover.repair_thinking
            && journey.may_lack_thinking()
            && self.upload.is_whole();
        let Some(body) = may.then(|| without_thinking(&self.upload.peek())).flatten() else {
            return false;
        };
        let mut headers = self.headers.again();
        if let Some(length) = headers.get_mut(CONTENT_LENGTH) {
            *length = HeaderValue::from(body.len());
        }
        self.headers = Repeatable::new(headers);
        self.upload.replace(body.into());
        journey.leave_thinking_out();
        self.is_repaired = true;
        true
    }

    /// Whether the configuration lets the request be sent once more after this.
    pub fn may_repeat(&self, fault: &Fault) -> bool {
        let was_sent_without_answer = match fault {
            Fault::Lost(_)
            | Fault::TimedOut(_)
            | Fault::Cut
            | Fault::Stalled(_)
            | Fault::Empty
            | Fault::DrainTimeout => true,
            Fault::Status(_)
            | Fault::Gateway { .. }
            | Fault::Connect(_)
            | Fault::Certificate(_)
            | Fault::ClearText
            | Fault::Html
            | Fault::NotMessages(_)
            | Fault::ErrorEvent(_)
            | Fault::ClaudeCli(_) => false,
        };
        self.live.config.failover.retry_sent_requests || !was_sent_without_answer
    }
}

/// Reads what routing needs from the beginning of the body. It reads as little as possible, because nothing
/// is sent on meanwhile. `session`: known from the headers.
async fn look_into(upload: &Upload, session: Option<&str>) -> Result<Profile, UploadError> {
    if session.is_some() {
        upload.prefetch(1).await?;
        let profile = Profile::read_to_model(&upload.peek());
        if profile.model.is_some() {
            return Ok(profile);
        }
    }
    let whole = upload.prefetch(LOOKED_AT as u64).await?;
    Ok(Profile::read(&upload.peek(), whole))
}

/// What the client is told of a body that broke off, or is too large.
pub fn upload_error(error: UploadError, size: u64) -> (Code, String) {
    match error {
        UploadError::TooLarge => too_large(size),
        UploadError::ClientGone | UploadError::Superseded | UploadError::Stalled => (
            Code::BodyIncomplete,
            "the request body ended before it was complete".to_owned(),
        ),
    }
}

/// What the client is told of a body of more than `size` bytes.
fn too_large(size: u64) -> (Code, String) {
    let limit = size / (1024 * 1024);
    (
        Code::BodyTooLarge,
        format!("the request body is larger than {limit} MB (server.max_body_mb)"),
    )
}

//! The client itself.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, TryFutureExt, stream};
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zephyr_control::{
    Command, Complaint, Configuration, Control, ControlError, ControlFuture, Diagnosis, Done,
    EndpointHistory, ErrorCode, HistoryQuery, Paging, RequestDetail, RequestFilter, RequestPage,
    Snapshot, Snapshots, Tested, UsageQuery, UsageReport,
};

use zephyr_control::privilege::Confirmation;

use super::obstacle::{Obstacle, not_running};
use super::sse::Parser;
use crate::protocol::confirmation::Answer;
use crate::protocol::events::KEEP_ALIVE;
use crate::protocol::refusal::Refusal;
use crate::protocol::sign_in::{Code, FRAGMENT};
use crate::protocol::{path, query};
use crate::token::{self, Token};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const QUERY_TIMEOUT: Duration = Duration::from_secs(5);
/// A search may read a whole journal.
const JOURNAL_TIMEOUT: Duration = Duration::from_secs(60);
/// A command that probes every endpoint waits for the slowest.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(120);
/// In bytes; more than any proof has.
const LONGEST_PROOF: usize = 1024;
const SILENCE: Duration = KEEP_ALIVE.saturating_mul(3);

/// A handle on an instance in another process.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    address: SocketAddr,
    token: Token,
}

impl Client {
    /// A client of the admin API at `address`; nothing is asked yet.
    ///
    /// # Errors
    ///
    /// If the system has no resources for it.
    pub fn new(address: SocketAddr, token: Token) -> Result<Self, ControlError> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(SILENCE)
            .build()
            .map_err(|error| ControlError::new(ErrorCode::Internal, error.to_string()))?;
        Ok(Self {
            http,
            address,
            token,
        })
    }

    /// The address of the admin API.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A URL that signs a browser on this machine in: once, and within a minute. Whoever opens it may do
    /// everything, so only the user may see it.
    ///
    /// # Errors
    ///
    /// The instance has no page, or cannot be asked.
    pub async fn sign_in_url(&self) -> Result<String, ControlError> {
        let request = self.to(Method::POST, path::CODES);
        let code = self.ask::<Code>(request.timeout(QUERY_TIMEOUT)).await;
        let Code { code } = code.map_err(|obstacle| self.error(obstacle))?;
        Ok(format!("http://{}{}{code}", self.address, FRAGMENT))
    }

    /// What waits for the confirmation of the operating system's user, oldest first.
    ///
    /// # Errors
    ///
    /// The instance cannot be asked.
    pub async fn confirmations(&self) -> Result<Vec<Confirmation>, ControlError> {
        self.read(path::CONFIRMATIONS, "").await
    }

    /// Answers for the operating system's user.
    ///
    /// # Errors
    ///
    /// No such number waits, or the instance cannot be asked.
    pub async fn settle(&self, number: u32, allow: bool) -> Result<Confirmation, ControlError> {
        let answer = Answer { allow };
        self.post(&path::confirmation(number), &answer).await
    }

    /// The state, or why it cannot be had.
    pub(crate) async fn current(&self) -> Result<Arc<Snapshot>, Obstacle> {
        let request = self.to(Method::GET, path::SNAPSHOT);
        let snapshot = self.ask(request.timeout(QUERY_TIMEOUT)).await;
        snapshot.map(Arc::new)
    }

    async fn ask<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, Obstacle> {
        let response = self.send(request).await?;
        response.json().await.map_err(|error| Obstacle::of(&error))
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, Obstacle> {
        self.demand_proof().await?;
        let sent = request.send().await;
        let response = sent.map_err(|error| Obstacle::of(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let refusal = response.json::<Refusal>().await;
        let refusal = refusal.map_err(|error| Obstacle::of(&error))?;
        Err(Obstacle::Refused(refusal.into_error()))
    }

    async fn demand_proof(&self) -> Result<(), Obstacle> {
        let challenge = token::challenge().map_err(|error| {
            Obstacle::Refused(ControlError::new(ErrorCode::Internal, error.to_string()))
        })?;
        let url = format!("http://{}{}?{challenge}", self.address, path::PROOF);
        let asked = self.http.get(url).timeout(QUERY_TIMEOUT).send().await;
        let mut response = asked.map_err(|error| Obstacle::of(&error))?;
        let mut proof = Vec::new();
        while let Some(piece) = response
            .chunk()
            .await
            .map_err(|error| Obstacle::of(&error))?
        {
            proof.extend_from_slice(&piece);
            if proof.len() > LONGEST_PROOF {
                return Err(Obstacle::Stranger);
            }
        }
        let proof = String::from_utf8_lossy(&proof);
        if self
            .token
            .is_proven(self.address.port(), &challenge, &proof)
        {
            Ok(())
        } else {
            Err(Obstacle::Stranger)
        }
    }

    /// Asks for `path`, with this query string.
    fn read<T: DeserializeOwned + Send + 'static>(
        &self,
        path: &str,
        query: &str,
    ) -> ControlFuture<'_, T> {
        let request = self.to(Method::GET, &format!("{path}?{query}"));
        let answer = self.ask(request.timeout(JOURNAL_TIMEOUT));
        Box::pin(answer.map_err(|obstacle| self.error(obstacle)))
    }

    fn post<T: DeserializeOwned + Send + 'static>(
        &self,
        path: &str,
        body: &(impl Serialize + ?Sized),
    ) -> ControlFuture<'_, T> {
        let request = self.to(Method::POST, path).json(body);
        let answer = self.ask(request.timeout(COMMAND_TIMEOUT));
        Box::pin(answer.map_err(|obstacle| self.error(obstacle)))
    }

    fn to(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("http://{}{path}", self.address))
            .bearer_auth(self.token.reveal())
    }

    /// The obstacle, for people.
    pub(crate) fn error(&self, obstacle: Obstacle) -> ControlError {
        let what = match obstacle {
            Obstacle::Refused(error) => return error,
            Obstacle::NobodyListens => return not_running(),
            Obstacle::Silent => "does not answer in time",
            Obstacle::Broken => "breaks the connection",
            Obstacle::Stranger => "does not answer as this version of Zephyr would",
        };
        ControlError::new(
            ErrorCode::Unreachable,
            format!(
                "what listens on {} {what}: look at its log, or end it and start `zephyr serve` again",
                self.address
            ),
        )
    }
}

impl Control for Client {
    fn snapshot(&self) -> ControlFuture<'_, Arc<Snapshot>> {
        let snapshot = self.current();
        Box::pin(snapshot.map_err(|obstacle| self.error(obstacle)))
    }

    fn snapshots(&self) -> ControlFuture<'_, Snapshots> {
        let response = self.send(self.to(Method::GET, path::EVENTS));
        Box::pin(
            response
                .map_ok(snapshots_of)
                .map_err(|obstacle| self.error(obstacle)),
        )
    }

    fn execute(&self, command: Command) -> ControlFuture<'_, Done> {
        self.post(path::COMMANDS, &command)
    }

    fn metrics(&self) -> ControlFuture<'_, String> {
        let request = self.to(Method::GET, path::METRICS);
        Box::pin(async move {
            let response = self.send(request.timeout(QUERY_TIMEOUT)).await;
            let text = match response {
                Ok(response) => response.text().await.map_err(|error| Obstacle::of(&error)),
                Err(obstacle) => Err(obstacle),
            };
            text.map_err(|obstacle| self.error(obstacle))
        })
    }

    fn requests(&self, filter: RequestFilter, paging: Paging) -> ControlFuture<'_, RequestPage> {
        self.read(path::REQUESTS, &query::of_requests(&filter, paging))
    }

    fn request(&self, id: u64) -> ControlFuture<'_, RequestDetail> {
        self.read(&path::request(id), "")
    }

    fn usage(&self, query: UsageQuery) -> ControlFuture<'_, UsageReport> {
        self.read(path::USAGE, &query::of_usage(&query))
    }

    fn history(&self, query: HistoryQuery) -> ControlFuture<'_, Vec<EndpointHistory>> {
        self.read(path::HISTORY, &query::of_history(&query))
    }

    fn configuration(&self) -> ControlFuture<'_, Configuration> {
        self.read(path::CONFIGURATION, "")
    }

    fn has_token(&self, reference: String) -> ControlFuture<'_, bool> {
        self.read(path::TOKEN, &query::of_token(&reference))
    }

    fn check(&self, command: Command) -> ControlFuture<'_, Vec<Complaint>> {
        self.post(path::CHECK, &command)
    }

    fn diagnose(&self, tested: Tested) -> ControlFuture<'_, Diagnosis> {
        self.post(path::DIAGNOSE, &tested)
    }
}

fn snapshots_of(response: Response) -> Snapshots {
    let state = (response, Parser::default());
    let snapshots = stream::unfold(state, async |(mut response, mut parser)| {
        loop {
            if let Some(event) = parser.next() {
                let Ok(snapshot) = serde_json::from_str(&event.data) else {
                    tracing::debug!(name = event.name, "an event that is no snapshot");
                    continue;
                };
                return Some((Arc::new(snapshot), (response, parser)));
            }
            let chunk = response.chunk().await.ok().flatten()?;
            parser.push(&chunk).ok()?;
        }
    });
    snapshots.boxed()
}

//! A second attempt beside a late first one (hedging). The first one that proves real is passed on; the other
//! one is dropped, and with it its request to the endpoint.
//!
//! When an answer is late says [`Patience::late`](super::patience::Patience::late). Whether another endpoint is
//! asked, and which, says [`Fleet::hedge`](zephyr_core::Fleet::hedge).

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::HeaderMap;
use tracing::Instrument;
use zephyr_core::fleet::{Journey, NoHedge};

use super::attempt::{Attempt, Attempted, Miss};
use super::outgoing::Outgoing;
use super::patience::{Bounds, Sent};
use crate::endpoints::remote::Remote;
use crate::metrics::{Metrics, Winner};

/// How an attempt ended, or two of them.
pub struct Raced {
    pub end: Attempted,
    /// The other attempt, if it brought nothing.
    pub other: Option<Box<Miss>>,
}

/// Runs an attempt, and a second one beside it if the answer is late and the fleet grants that.
pub async fn run(
    outgoing: &Outgoing,
    journey: &mut Journey,
    first: Attempt,
    headers: HeaderMap,
) -> Raced {
    let one = Runner::of(&first);
    let mut first = pin!(first.run(outgoing, headers).instrument(one.span()));
    let second = tokio::select! {
        biased;
        end = &mut first => return Raced { end, other: None },
        second = one.second(outgoing, journey) => second,
    };
    let mut counted = Counted::begin(outgoing);
    let two = Runner::of(&second);
    let headers = outgoing.headers.again();
    let mut second = pin!(second.run(outgoing, headers).instrument(two.span()));
    let (end, is_first) = tokio::select! {
        biased;
        end = &mut first => (end, true),
        end = &mut second => (end, false),
    };
    if let Attempted::Missed(miss) = end {
        let end = if is_first { second.await } else { first.await };
        counted.note(&end, !is_first);
        return Raced {
            end,
            other: Some(miss),
        };
    }
    counted.note(&end, is_first);
    let (winner, loser) = if is_first { (one, two) } else { (two, one) };
    let took = winner.bounds.began.elapsed();
    outgoing
        .trail
        .note(loser.leg, |leg| leg.overtaken = Some(took));
    Raced { end, other: None }
}

/// Counts a race when it is over, also if the client leaves.
struct Counted<'a> {
    metrics: &'a Metrics,
    winner: Winner,
}

impl<'a> Counted<'a> {
    fn begin(outgoing: &'a Outgoing) -> Self {
        Self {
            metrics: &outgoing.traffic.metrics,
            winner: Winner::Neither,
        }
    }

    /// The race ended with the end of this attempt.
    fn note(&mut self, end: &Attempted, is_first: bool) {
        self.winner = match end {
            Attempted::Answered(_) | Attempted::PassedOn(_) if is_first => Winner::First,
            Attempted::Answered(_) | Attempted::PassedOn(_) => Winner::Second,
            Attempted::Missed(_) | Attempted::Upload(_) => Winner::Neither,
        };
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.metrics.hedge(self.winner);
    }
}

/// What is known of an attempt that runs.
struct Runner {
    leg: usize,
    remote: Arc<Remote>,
    bounds: Bounds,
}

impl Runner {
    fn of(attempt: &Attempt) -> Self {
        Self {
            leg: attempt.leg(),
            remote: Arc::clone(&attempt.remote),
            bounds: attempt.bounds.clone(),
        }
    }

    /// The span of its log lines.
    fn span(&self) -> tracing::Span {
        tracing::debug_span!("attempt", number = self.leg + 1, endpoint = %self.remote.spec.name)
    }

    /// Waits until the answer is late and a second attempt is granted. Never ready if none is.
    async fn second(&self, outgoing: &Outgoing, journey: &mut Journey) -> Attempt {
        match self.try_second(outgoing, journey).await {
            Some(second) => second,
            None => std::future::pending().await,
        }
    }

    async fn try_second(&self, outgoing: &Outgoing, journey: &mut Journey) -> Option<Attempt> {
        let (patience, pace) = (&outgoing.patience, &self.bounds.pace);
        let soonest = patience.soonest_late(&self.bounds)?;
        let mut at = self.bounds.began + soonest;
        let mut not_before = Duration::ZERO;
        loop {
            tokio::time::sleep_until(at.into()).await;
            let now = Instant::now();
            let Sent::At(sent) = self.bounds.sent() else {
                at = now + soonest; // The upload goes on.
                continue;
            };
            at = sent + patience.late(pace)?.max(not_before);
            if at > now {
                continue;
            }
            let waited = now.saturating_duration_since(sent);
            let upload = outgoing.upload.twin()?;
            match Attempt::beside(outgoing, upload, journey, (&self.remote, waited)) {
                Ok(second) => {
                    tracing::debug!(
                        late = %self.remote.spec.name,
                        ?waited,
                        beside = %second.remote.spec.name,
                        "another endpoint is asked as well",
                    );
                    return Some(second);
                }
                Err(NoHedge::NotBefore(wait)) => not_before = wait,
                Err(NoHedge::Never) => return None,
            }
        }
    }
}

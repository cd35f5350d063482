//! A second attempt beside a late first one (hedging). The first one that proves real is passed on; the other
//! one is dropped, and with it its request to the endpoint.
//!
//! When an answer is late says [`Patience::late`](super::patience::Patience::late). Whether another endpoint is
//! asked, and which, says [`Fleet::hedge`](zephyr_core::Fleet::hedge).

use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use http::HeaderMap;
use tracing::Instrument;
use zephyr_core::fleet::{Journey, NoHedge, NoneLeft};

use super::attempt::{Attempt, Attempted, Miss};
use super::outgoing::Outgoing;
use super::patience::{Bounds, Sent};
use crate::endpoints::remote::Remote;
use crate::metrics::{Metrics, Winner};

/// How an attempt ended, or several.
pub struct Raced {
    pub end: Attempted,
    /// The other attempts that brought nothing.
    pub others: Vec<Miss>,
}

/// Runs an attempt, and a second one beside it if the answer is late and the fleet grants that.
pub async fn run(
    outgoing: &Outgoing,
    journey: &mut Journey,
    first: Attempt,
    headers: HeaderMap,
) -> Raced {
    let runner = Runner::of(&first);
    let mut first = pin!(first.run(outgoing, headers).instrument(runner.span()));
    let second = tokio::select! {
        biased;
        end = &mut first => return Raced { end, others: Vec::new() },
        second = runner.second(outgoing, journey) => second,
    };
    let first = Racer {
        runner,
        run: Box::pin(first),
    };
    race(outgoing, journey, vec![first, Racer::of(second, outgoing)]).await
}

/// Runs two attempts until one of them has an answer, and others in place of one that fails.
async fn race(outgoing: &Outgoing, journey: &mut Journey, mut racers: Vec<Racer<'_>>) -> Raced {
    let mut counted = Counted::begin(outgoing);
    let first = racers.first().map(|racer| racer.runner.bounds.leg);
    let mut others = Vec::new();
    // A refusal of the request itself, and until when another answer is waited for in its place.
    let mut refusal: Option<(Attempted, Instant)> = None;
    loop {
        let (place, end) = match racers.as_mut_slice() {
            [Racer { runner, run }] => tokio::select! {
                biased;
                end = run.as_mut() => (0, end),
                end = in_time(&mut refusal) => {
                    let waited = runner.bounds.began.elapsed();
                    racers[0].is_overtaken(outgoing, waited);
                    return Raced { end, others };
                }
                next = runner.anew(outgoing, journey), if refusal.is_none() => {
                    racers.push(Racer::of(next, outgoing));
                    continue;
                }
            },
            both => {
                let runners = both.iter().map(|racer| racer.runner.clone());
                let runners: Vec<Runner> = runners.collect();
                tokio::select! {
                    biased;
                    ended = first_to_end(both) => ended,
                    next = in_place_of_the_second(&runners, outgoing, journey), if refusal.is_none() => {
                        if let Some(second) = racers.pop() {
                            second.is_overtaken(outgoing, second.runner.bounds.began.elapsed());
                        }
                        racers.push(Racer::of(next, outgoing));
                        continue;
                    }
                }
            }
        };
        let ended = racers.remove(place);
        let is_first = first == Some(ended.runner.bounds.leg);
        match end {
            Attempted::Missed(miss) if !racers.is_empty() => {
                journey.note_miss(miss.id, &miss.outcome);
                others.push(*miss);
            }
            Attempted::PassedOn(_) if refusal.is_none() && !racers.is_empty() => {
                refusal = Some((end, Instant::now() + ended.runner.bounds.pace.late));
            }
            Attempted::Missed(miss) => {
                if let Some((end, _)) = refusal {
                    others.push(*miss);
                    return Raced { end, others };
                }
                let end = Attempted::Missed(miss);
                return Raced { end, others };
            }
            Attempted::Upload(_) | Attempted::PassedOn(_) => return Raced { end, others },
            Attempted::Answered(_) => {
                counted.note(&end, is_first);
                let took = ended.runner.bounds.began.elapsed();
                for racer in &racers {
                    racer.is_overtaken(outgoing, took);
                }
                return Raced { end, others };
            }
        }
    }
}

/// Waits for the end of the time in which an answer may still come in place of the refusal. Never ready without one.
async fn in_time(refusal: &mut Option<(Attempted, Instant)>) -> Attempted {
    if let Some((_, until)) = refusal {
        tokio::time::sleep_until((*until).into()).await;
    }
    match refusal.take() {
        Some((end, _)) => end,
        None => pending().await,
    }
}

/// Waits for the first of them that ends. Returns its place and its end.
async fn first_to_end(racers: &mut [Racer<'_>]) -> (usize, Attempted) {
    poll_fn(|cx| {
        let mut racers = racers.iter_mut().enumerate();
        let ended = racers.find_map(|(place, racer)| match racer.run.as_mut().poll(cx) {
            Poll::Ready(end) => Some((place, end)),
            Poll::Pending => None,
        });
        ended.map_or(Poll::Pending, Poll::Ready)
    })
    .await
}

/// An attempt that runs.
struct Racer<'a> {
    runner: Runner,
    run: Pin<Box<dyn Future<Output = Attempted> + Send + 'a>>,
}

impl<'a> Racer<'a> {
    fn of(attempt: Attempt, outgoing: &'a Outgoing) -> Self {
        let runner = Runner::of(&attempt);
        let run = attempt.run(outgoing, outgoing.headers.again());
        Self {
            run: Box::pin(run.instrument(runner.span())),
            runner,
        }
    }
}

impl Racer<'_> {
    /// Another one was first after this time, or takes its place. To be noted before it is dropped.
    fn is_overtaken(&self, outgoing: &Outgoing, took: Duration) {
        let leg = self.runner.bounds.leg;
        outgoing.trail.note(leg, |leg| leg.overtaken = Some(took));
    }
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

/// Waits until the second of two attempts is late too, by what answers have told, and another one is granted in its
/// place. Never ready if none is.
async fn in_place_of_the_second(
    runners: &[Runner],
    outgoing: &Outgoing,
    journey: &mut Journey,
) -> Attempt {
    if let [first, second] = runners
        && second.bounds.pace.is_late_known
        && let Some(waited) = second.is_late(outgoing, Duration::ZERO).await
        && let Some(upload) = outgoing.upload.twin().await
    {
        let since_first = first.bounds.began.elapsed().max(waited);
        if let Ok(next) = Attempt::anew(outgoing, upload, journey, (false, since_first)) {
            return next;
        }
    }
    pending().await
}

/// What is known of an attempt that runs.
#[derive(Clone)]
struct Runner {
    remote: Arc<Remote>,
    bounds: Bounds,
}

impl Runner {
    fn of(attempt: &Attempt) -> Self {
        Self {
            remote: Arc::clone(&attempt.remote),
            bounds: attempt.bounds.clone(),
        }
    }

    /// The span of its log lines.
    fn span(&self) -> tracing::Span {
        tracing::debug_span!("attempt", number = self.bounds.leg + 1, endpoint = %self.remote.spec.name)
    }

    /// Waits until the answer is late and a second attempt is granted. Never ready if none is.
    async fn second(&self, outgoing: &Outgoing, journey: &mut Journey) -> Attempt {
        let mut not_before = Duration::ZERO;
        while let Some(waited) = self.is_late(outgoing, not_before).await {
            let Some(upload) = outgoing.upload.twin().await else {
                break;
            };
            match Attempt::beside(outgoing, upload, journey, (&self.remote, waited)) {
                Ok(second) => {
                    if second.bounds.is_last {
                        self.is_last(outgoing);
                    }
                    tracing::debug!(
                        late = %self.remote.spec.name,
                        ?waited,
                        beside = %second.remote.spec.name,
                        "another endpoint is asked as well",
                    );
                    return second;
                }
                Err(NoHedge::NotBefore(wait)) => not_before = wait,
                Err(NoHedge::Never) => break,
            }
        }
        pending().await
    }

    /// Another attempt beside this one has failed. Waits until the answer of this one is late and an attempt in
    /// place of the other one is granted. Never ready if none is.
    async fn anew(&self, outgoing: &Outgoing, journey: &mut Journey) -> Attempt {
        if let Some(waited) = self.is_late(outgoing, Duration::ZERO).await
            && let Some(upload) = outgoing.upload.twin().await
        {
            match Attempt::anew(outgoing, upload, journey, (true, waited)) {
                Ok(next) => return next,
                Err(NoneLeft(true)) => self.is_last(outgoing),
                Err(NoneLeft(false)) => {}
            }
        }
        pending().await
    }

    /// Nobody else can help, so this one has all the time that there is.
    fn is_last(&self, outgoing: &Outgoing) {
        let leg = self.bounds.leg;
        outgoing.trail.note(leg, |leg| leg.is_last = true);
    }

    /// Waits until the answer is late, and has taken at least `not_before`. Returns how long it has taken.
    /// `None`: it is never late.
    async fn is_late(&self, outgoing: &Outgoing, not_before: Duration) -> Option<Duration> {
        let (patience, pace) = (&outgoing.patience, &self.bounds.pace);
        let soonest = patience.soonest_late(&self.bounds)?;
        let mut at = self.bounds.began + soonest;
        loop {
            tokio::time::sleep_until(at.into()).await;
            let now = Instant::now();
            let Sent::At(sent) = self.bounds.sent() else {
                at = now + soonest; // The upload goes on.
                continue;
            };
            at = sent + patience.late(pace)?.max(not_before);
            if at <= now {
                return Some(now.saturating_duration_since(sent));
            }
        }
    }
}

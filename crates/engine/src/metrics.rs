//! What is counted, for Prometheus.
//!
//! The hot path adds to plain atomics, nothing else: no lock, no map, no allocation. A scrape puts them
//! together with what a snapshot says anyway (states, what is in flight), in the OpenMetrics text format. What is shown of an endpoint begins with the configuration that names it and
//! ends with the one that does not, so the number of series is bounded by the configuration.
//!
//! Labels are names of endpoints, outcomes, error codes, states: never a model, a session, a URL or
//! anything else that a client can choose.
//!
//! Not for front-ends, which have the snapshot, and not for single requests, which have log lines.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeGaugeValue, MetricEncoder, NoLabelSet, text,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};
use zephyr_control::{EndpointState, Snapshot};
use zephyr_core::classify::Outcome;
use zephyr_core::fleet::ProbeResult;
use zephyr_core::price::{Cost, Usage};

use crate::reply::Code;

/// Upper bounds of a histogram's buckets, in milliseconds: from a warm connection nearby to a long
/// answer.
const BUCKETS: [u64; 16] = [
    5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 20_000, 60_000, 120_000, 300_000,
    600_000,
];

/// Everything that is counted.
#[derive(Debug, Default)]
pub struct Metrics {
    /// The connections of clients.
    pub clients: ClientMeter,
    /// How often the endpoint in use changed.
    pub switches: Count,
    /// The journal.
    pub journal: Arc<zephyr_journal::Meter>,
    requests: [Count; RequestEnd::ALL.len()],
    request_time: Histogram,
    endpoints: Mutex<BTreeMap<String, Arc<EndpointMeter>>>,
    /// Errors are rare enough for a lock.
    errors: Mutex<BTreeMap<&'static str, u64>>,
}

/// What is counted of the connections of clients.
#[derive(Debug, Default)]
pub struct ClientMeter {
    /// Connections taken.
    pub accepted: Count,
    /// Connections refused because there were too many.
    pub refused: Count,
    /// Connections that have ended.
    pub ended: Count,
    /// What came and what went, on the wire.
    pub traffic: Arc<Traffic>,
}

/// What is counted of an endpoint.
#[derive(Debug, Default)]
pub struct EndpointMeter {
    /// What went to it and what came, on the wire.
    pub traffic: Arc<Traffic>,
    /// Until a new connection was ready.
    pub connect: Histogram,
    /// Until an answer had proven real.
    pub first_event: Histogram,
    attempts: [Count; ATTEMPT_OUTCOMES.len()],
    attempt_time: Histogram,
    probes: [Count; PROBE_RESULTS.len()],
    probe_time: Histogram,
    tokens: [Count; TOKEN_KINDS.len()],
    /// In billionths of a dollar.
    cost: Count,
}

/// Bytes in both directions.
#[derive(Debug, Default)]
pub struct Traffic {
    /// To us.
    pub received: Count,
    /// From us.
    pub sent: Count,
}

/// Something that only grows.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

/// How long something took, by buckets.
#[derive(Debug, Default)]
pub struct Histogram {
    buckets: [AtomicU64; BUCKETS.len() + 1],
    sum_micros: AtomicU64,
}

/// How a request ended for its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestEnd {
    /// With an endpoint's answer, whole.
    Answered,
    /// With an error, because every attempt failed or none was possible.
    Failed,
    /// With a broken connection, in the middle of an answer.
    Aborted,
    /// By leaving.
    Abandoned,
    /// With an error, for a mistake of its own.
    Refused,
}

impl RequestEnd {
    const ALL: [Self; 5] = [
        Self::Answered,
        Self::Failed,
        Self::Aborted,
        Self::Abandoned,
        Self::Refused,
    ];

    /// As a label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Failed => "failed",
            Self::Aborted => "aborted",
            Self::Abandoned => "abandoned",
            Self::Refused => "refused",
        }
    }
}

impl Metrics {
    /// Where an endpoint is counted; the same for everyone who asks by this name.
    pub fn endpoint(&self, name: &str) -> Arc<EndpointMeter> {
        Arc::clone(lock(&self.endpoints).entry(name.to_owned()).or_default())
    }

    /// Forgets the endpoints that `is_named` denies.
    pub fn keep(&self, is_named: impl Fn(&str) -> bool) {
        lock(&self.endpoints).retain(|name, _| is_named(name));
    }

    /// Counts a request that has ended.
    pub fn request(&self, end: RequestEnd, took: Duration) {
        self.requests[end as usize].add(1);
        self.request_time.observe(took);
    }

    /// Counts an error of our own.
    pub fn error(&self, code: Code) {
        *lock(&self.errors).entry(code.as_str()).or_default() += 1;
    }

    /// All of it with what `snapshot` says, in the OpenMetrics text format.
    pub fn text(self: &Arc<Self>, snapshot: Arc<Snapshot>) -> String {
        let mut registry = Registry::with_prefix("zephyr");
        registry.register_collector(Box::new(Scrape {
            metrics: Arc::clone(self),
            snapshot,
        }));
        let mut text = String::new();
        text::encode(&mut text, &registry).expect("writing to a String does not fail");
        text
    }
}

impl EndpointMeter {
    /// Counts an attempt that has ended.
    pub fn attempt(&self, outcome: &Outcome, took: Duration) {
        self.attempts[attempt_outcome(outcome)].add(1);
        self.attempt_time.observe(took);
    }

    /// Counts what an answer has told of its tokens, and what they cost, where that is known.
    pub fn answer(&self, tokens: &Usage, cost: Option<Cost>) {
        let told = [
            tokens.input,
            tokens.cache_write_5m,
            tokens.cache_write_1h,
            tokens.cache_read,
            tokens.output,
        ];
        for (count, tokens) in self.tokens.iter().zip(told) {
            count.add(tokens);
        }
        self.cost.add(cost.unwrap_or_default().billionths());
    }

    /// Counts a probe that has ended.
    pub fn probe(&self, result: &ProbeResult) {
        let (index, took) = match result {
            ProbeResult::Answered(took) => (0, Some(*took)),
            ProbeResult::Reached(took) => (1, Some(*took)),
            ProbeResult::Failed(_) => (2, None),
        };
        self.probes[index].add(1);
        if let Some(took) = took {
            self.probe_time.observe(took);
        }
    }
}

/// What becomes of attempts, in the order of [`attempt_outcome`].
const ATTEMPT_OUTCOMES: [&str; 8] = [
    "answered",
    "client_fault",
    "not_served",
    "refused",
    "exhausted",
    "throttled",
    "failed",
    "abandoned",
];

fn attempt_outcome(outcome: &Outcome) -> usize {
    match outcome {
        Outcome::Answered => 0,
        Outcome::ClientFault(_) => 1,
        Outcome::NotServed(_) => 2,
        Outcome::Refused(_) => 3,
        Outcome::Exhausted { .. } => 4,
        Outcome::Throttled { .. } => 5,
        Outcome::Failed(_) => 6,
        Outcome::Abandoned => 7,
    }
}

/// Tokens by their rates, in the order of [`EndpointMeter::answer`].
const TOKEN_KINDS: [&str; 5] = [
    "input",
    "cache_write_5m",
    "cache_write_1h",
    "cache_read",
    "output",
];

/// What becomes of probes, in the order of [`EndpointMeter::probe`].
const PROBE_RESULTS: [&str; 3] = ["answered", "reached", "failed"];

const STATES: [EndpointState; 9] = [
    EndpointState::Ready,
    EndpointState::Recovering,
    EndpointState::Failing,
    EndpointState::Throttled,
    EndpointState::Refused,
    EndpointState::Exhausted,
    EndpointState::Draining,
    EndpointState::Disabled,
    EndpointState::NoCredential,
];

fn state(state: EndpointState) -> &'static str {
    match state {
        EndpointState::Ready => "ready",
        EndpointState::Recovering => "recovering",
        EndpointState::Failing => "failing",
        EndpointState::Throttled => "throttled",
        EndpointState::Refused => "refused",
        EndpointState::Exhausted => "exhausted",
        EndpointState::Draining => "draining",
        EndpointState::Disabled => "disabled",
        EndpointState::NoCredential => "no_credential",
    }
}

impl Count {
    /// Adds to it.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// How much it is.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Histogram {
    /// Takes in how long something took.
    pub fn observe(&self, took: Duration) {
        let millis = took.as_millis();
        let bucket = BUCKETS.partition_point(|bound| u128::from(*bound) < millis);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.sum_micros.fetch_add(micros, Ordering::Relaxed);
    }
}

/// One scrape.
struct Scrape {
    metrics: Arc<Metrics>,
    snapshot: Arc<Snapshot>,
}

impl fmt::Debug for Scrape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scrape(…)")
    }
}

impl Collector for Scrape {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut out = Out(encoder);
        self.of_program(&mut out)?;
        self.of_requests(&mut out)?;
        self.of_attempts(&mut out)?;
        self.of_probes(&mut out)?;
        self.of_endpoints(&mut out)?;
        self.of_journal(&mut out)
    }
}

impl Scrape {
    fn of_program(&self, out: &mut Out<'_>) -> fmt::Result {
        let (snapshot, clients) = (&self.snapshot, &self.metrics.clients);
        let mut family = out.gauges("build_info", "The version of the program", None)?;
        family.add(&[("version", &snapshot.version)], 1_i64)?;
        let started = Duration::from_millis(snapshot.started_at_ms).as_secs_f64();
        out.gauges(
            "start_time",
            "When the engine started, in Unix time",
            SECONDS,
        )?
        .add(&[], started)?;
        out.gauges("paused", "1 while monitoring is paused", None)?
            .add(&[], i64::from(snapshot.paused))?;
        let offline = snapshot.offline_since_ms.is_some();
        out.gauges("offline", "1 while nothing at all can be reached", None)?
            .add(&[], i64::from(offline))?;

        let help = "Connections of clients that were taken";
        out.counters("client_connections", help, None)?
            .add(&[], clients.accepted.get())?;
        let help = "Connections of clients that were refused because there were too many";
        out.counters("client_connections_refused", help, None)?
            .add(&[], clients.refused.get())?;
        let open = clients.accepted.get().saturating_sub(clients.ended.get());
        out.gauges("client_connections_open", "Connections of clients", None)?
            .add(&[], i64::try_from(open).unwrap_or(i64::MAX))?;
        out.counters(
            "client_received",
            "What came from clients, on the wire",
            BYTES,
        )?
        .add(&[], clients.traffic.received.get())?;
        out.counters("client_sent", "What went to clients, on the wire", BYTES)?
            .add(&[], clients.traffic.sent.get())
    }

    fn of_requests(&self, out: &mut Out<'_>) -> fmt::Result {
        let (metrics, totals) = (&self.metrics, &self.snapshot.totals);
        let help = "Requests that have ended, by how they ended for their client";
        let mut family = out.counters("requests", help, None)?;
        for end in RequestEnd::ALL {
            let count = metrics.requests[end as usize].get();
            family.add(&[("outcome", end.as_str())], count)?;
        }
        let help = "From a request's head to the end of its answer";
        out.histograms("request_duration", help)?
            .observed(&[], &metrics.request_time)?;
        out.gauges("requests_in_flight", "Requests being answered", None)?
            .add(&[], i64::from(totals.in_flight))?;
        let help = "Requests that wait for an endpoint to return";
        out.gauges("requests_waiting", help, None)?
            .add(&[], i64::from(totals.waiting))?;
        let help = "Requests that another endpoint answered than the first asked";
        out.counters("failovers", help, None)?
            .add(&[], totals.failed_over)?;
        let help = "How often the endpoint in use changed";
        out.counters("switches", help, None)?
            .add(&[], metrics.switches.get())?;
        let help = "Errors of Zephyr's own that clients got, by x-zephyr-error";
        let mut family = out.counters("errors", help, None)?;
        for (code, count) in lock(&metrics.errors).iter() {
            family.add(&[("code", code)], *count)?;
        }
        Ok(())
    }

    fn of_attempts(&self, out: &mut Out<'_>) -> fmt::Result {
        let meters = self.meters();
        let help = "Attempts that have ended, by what the end means for the endpoint";
        let mut family = out.counters("attempts", help, None)?;
        for (name, meter) in &meters {
            for (outcome, count) in ATTEMPT_OUTCOMES.iter().zip(&meter.attempts) {
                family.add(&[("endpoint", name), ("outcome", outcome)], count.get())?;
            }
        }
        let help = "Until a new connection to the endpoint was ready, with TLS and proxy";
        out.by_endpoint("connect_duration", help, &meters, |meter| &meter.connect)?;
        let help = "From an attempt's start until its answer had proven real";
        out.by_endpoint("first_event_duration", help, &meters, |meter| {
            &meter.first_event
        })?;
        let help = "From an attempt's start to its end";
        out.by_endpoint("attempt_duration", help, &meters, |meter| {
            &meter.attempt_time
        })
    }

    fn of_probes(&self, out: &mut Out<'_>) -> fmt::Result {
        let meters = self.meters();
        let help = "Probes that have ended, by what came of them";
        let mut family = out.counters("probes", help, None)?;
        for (name, meter) in &meters {
            for (result, count) in PROBE_RESULTS.iter().zip(&meter.probes) {
                family.add(&[("endpoint", name), ("result", result)], count.get())?;
            }
        }
        let help = "Of probes that were answered";
        out.by_endpoint("probe_duration", help, &meters, |meter| &meter.probe_time)?;
        let help = "What probes have cost today, estimated";
        let mut family = out.gauges("probe_cost_today", help, Some(&USD))?;
        for endpoint in &self.snapshot.endpoints {
            family.add(&[("endpoint", &endpoint.name)], endpoint.probe_cost_usd)?;
        }
        Ok(())
    }

    fn of_endpoints(&self, out: &mut Out<'_>) -> fmt::Result {
        let help = "1 for the state that the endpoint is in, 0 for the others";
        let mut family = out.gauges("endpoint_state", help, None)?;
        for endpoint in &self.snapshot.endpoints {
            for each in STATES {
                let labels = [("endpoint", endpoint.name.as_str()), ("state", state(each))];
                family.add(&labels, i64::from(each == endpoint.state))?;
            }
        }
        let help = "1 for the endpoint in use";
        let mut family = out.gauges("endpoint_in_use", help, None)?;
        for endpoint in &self.snapshot.endpoints {
            let in_use = self.snapshot.current.as_ref() == Some(&endpoint.name);
            family.add(&[("endpoint", &endpoint.name)], i64::from(in_use))?;
        }
        let mut family = out.gauges("attempts_in_flight", "Attempts that are out", None)?;
        for endpoint in &self.snapshot.endpoints {
            let in_flight = i64::from(endpoint.in_flight);
            family.add(&[("endpoint", &endpoint.name)], in_flight)?;
        }
        let meters = self.meters();
        let help = "What came from the endpoint, on the wire";
        let mut family = out.counters("endpoint_received", help, BYTES)?;
        for (name, meter) in &meters {
            family.add(&[("endpoint", name)], meter.traffic.received.get())?;
        }
        let help = "What went to the endpoint, on the wire";
        let mut family = out.counters("endpoint_sent", help, BYTES)?;
        for (name, meter) in &meters {
            family.add(&[("endpoint", name)], meter.traffic.sent.get())?;
        }
        let help = "Tokens that answers have told, by their rate";
        let mut family = out.counters("tokens", help, None)?;
        for (name, meter) in &meters {
            for (kind, count) in TOKEN_KINDS.iter().zip(&meter.tokens) {
                family.add(&[("endpoint", name), ("kind", kind)], count.get())?;
            }
        }
        let help = "What answers cost by list prices, where these are known";
        let mut family = out.counters("cost", help, Some(&USD))?;
        for (name, meter) in &meters {
            let cost = Cost::from_billionths(meter.cost.get());
            family.add_float(&[("endpoint", name)], cost.usd())?;
        }
        Ok(())
    }

    fn of_journal(&self, out: &mut Out<'_>) -> fmt::Result {
        let journal = &self.metrics.journal;
        let help = "Requests written into the journal";
        out.counters("journal_requests", help, None)?
            .add(&[], journal.written())?;
        let help = "Entries that the journal lost, because writing did not keep up or failed";
        out.counters("journal_dropped", help, None)?
            .add(&[], journal.dropped())?;
        let help = "Entries that wait to be written into the journal";
        let queued = i64::try_from(journal.queued()).unwrap_or(i64::MAX);
        out.gauges("journal_queued", help, None)?.add(&[], queued)?;
        let size = i64::try_from(journal.bytes()).unwrap_or(i64::MAX);
        out.gauges("journal_size", "Size of the journal's file", BYTES)?
            .add(&[], size)
    }

    /// The endpoints of the configuration in force with what was counted of them.
    fn meters(&self) -> Vec<(&str, Arc<EndpointMeter>)> {
        let endpoints = self.snapshot.endpoints.iter();
        endpoints
            .map(|endpoint| {
                let name = endpoint.name.as_str();
                (name, self.metrics.endpoint(name))
            })
            .collect()
    }
}

const SECONDS: Option<&'static Unit> = Some(&Unit::Seconds);
const BYTES: Option<&'static Unit> = Some(&Unit::Bytes);
static USD: LazyLock<Unit> = LazyLock::new(|| Unit::Other("usd".to_owned()));

/// The text on its way out.
struct Out<'a>(DescriptorEncoder<'a>);

/// The series of one metric.
struct Family<'a>(MetricEncoder<'a>);
struct Counters<'a>(Family<'a>);
struct Gauges<'a>(Family<'a>);
struct Histograms<'a>(Family<'a>);

impl Out<'_> {
    fn counters(
        &mut self,
        name: &'static str,
        help: &str,
        unit: Option<&'static Unit>,
    ) -> Result<Counters<'_>, fmt::Error> {
        let family = self.family(name, help, unit, MetricType::Counter)?;
        Ok(Counters(family))
    }

    fn gauges(
        &mut self,
        name: &'static str,
        help: &str,
        unit: Option<&'static Unit>,
    ) -> Result<Gauges<'_>, fmt::Error> {
        Ok(Gauges(self.family(name, help, unit, MetricType::Gauge)?))
    }

    fn histograms(&mut self, name: &'static str, help: &str) -> Result<Histograms<'_>, fmt::Error> {
        let family = self.family(name, help, SECONDS, MetricType::Histogram)?;
        Ok(Histograms(family))
    }

    fn by_endpoint(
        &mut self,
        name: &'static str,
        help: &str,
        meters: &[(&str, Arc<EndpointMeter>)],
        of: impl Fn(&EndpointMeter) -> &Histogram,
    ) -> fmt::Result {
        let mut family = self.histograms(name, help)?;
        for (name, meter) in meters {
            family.observed(&[("endpoint", name)], of(meter))?;
        }
        Ok(())
    }

    fn family(
        &mut self,
        name: &'static str,
        help: &str,
        unit: Option<&'static Unit>,
        kind: MetricType,
    ) -> Result<Family<'_>, fmt::Error> {
        Ok(Family(self.0.encode_descriptor(name, help, unit, kind)?))
    }
}

impl Counters<'_> {
    fn add(&mut self, labels: &[(&str, &str)], value: u64) -> fmt::Result {
        self.0.series(labels, |series| {
            series.encode_counter::<NoLabelSet, _, f64>(&value, None)
        })
    }

    fn add_float(&mut self, labels: &[(&str, &str)], value: f64) -> fmt::Result {
        self.0.series(labels, |series| {
            series.encode_counter::<NoLabelSet, _, f64>(&value, None)
        })
    }
}

impl Gauges<'_> {
    fn add(&mut self, labels: &[(&str, &str)], value: impl EncodeGaugeValue + Copy) -> fmt::Result {
        self.0.series(labels, |series| series.encode_gauge(&value))
    }
}

impl Histograms<'_> {
    fn observed(&mut self, labels: &[(&str, &str)], histogram: &Histogram) -> fmt::Result {
        let bounds = BUCKETS.iter().map(|millis| Duration::from_millis(*millis));
        let bounds = bounds
            .map(|bound| bound.as_secs_f64())
            .chain([f64::INFINITY]);
        let counts = histogram
            .buckets
            .iter()
            .map(|count| count.load(Ordering::Relaxed));
        let buckets: Vec<(f64, u64)> = bounds.zip(counts).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        let sum = Duration::from_micros(histogram.sum_micros.load(Ordering::Relaxed));
        self.0.series(labels, |series| {
            series.encode_histogram::<NoLabelSet>(sum.as_secs_f64(), count, &buckets, None)
        })
    }
}

impl Family<'_> {
    fn series(
        &mut self,
        labels: &[(&str, &str)],
        encode: impl FnOnce(&mut MetricEncoder<'_>) -> fmt::Result,
    ) -> fmt::Result {
        // Without labels there are no braces either.
        if labels.is_empty() {
            encode(&mut self.0)
        } else {
            encode(&mut self.0.encode_family(&labels)?)
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_counts_in_the_first_bucket_that_it_fits_in() {
        let histogram = Histogram::default();
        for millis in [0, 5, 6, 600_000, 600_001] {
            histogram.observe(Duration::from_millis(millis));
        }

        let counts = histogram
            .buckets
            .each_ref()
            .map(|count| count.load(Ordering::Relaxed));

        assert_eq!((counts[0], counts[1]), (2, 1));
        assert_eq!((counts[15], counts[16]), (1, 1));
    }

    #[test]
    fn an_endpoint_is_counted_in_one_place_until_no_configuration_names_it() {
        let metrics = Metrics::default();
        metrics.endpoint("A").traffic.sent.add(1);
        metrics.endpoint("A").traffic.sent.add(1);
        metrics.endpoint("B").traffic.sent.add(1);

        metrics.keep(|name| name == "A");

        assert_eq!(metrics.endpoint("A").traffic.sent.get(), 2);
        assert_eq!(metrics.endpoint("B").traffic.sent.get(), 0);
    }
}

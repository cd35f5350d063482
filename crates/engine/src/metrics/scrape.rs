//! Joins the counts with what a snapshot says, in the OpenMetrics text format.

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeGaugeValue, MetricEncoder, NoLabelSet, text,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};
use zephyr_control::{EndpointState, Snapshot};
use zephyr_core::price::Cost;

use super::count::{BUCKETS, Histogram};
use super::meters::{
    ATTEMPT_OUTCOMES, EndpointMeter, Metrics, PROBE_RESULTS, REQUEST_ENDS, TOKEN_KINDS, WINNERS,
    lock,
};

/// All counts, and what `snapshot` says.
pub fn text(metrics: &Arc<Metrics>, snapshot: Arc<Snapshot>) -> String {
    let mut registry = Registry::with_prefix("zephyr");
    registry.register_collector(Box::new(Scrape {
        metrics: Arc::clone(metrics),
        snapshot,
    }));
    let mut text = String::new();
    text::encode(&mut text, &registry).expect("writing to a String does not fail");
    text
}

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
        let help = "What is kept of requests and answers on their way";
        let kept = clients.kept.load(Ordering::Relaxed);
        out.gauges("kept", help, BYTES)?
            .add(&[], i64::try_from(kept).unwrap_or(i64::MAX))?;
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
        for (end, count) in REQUEST_ENDS.iter().zip(&metrics.requests) {
            family.add(&[("outcome", end.as_str())], count.get())?;
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
        let help = "Second attempts beside a late first one, by which of the two was first";
        let mut family = out.counters("hedges", help, None)?;
        for (winner, count) in WINNERS.iter().zip(&metrics.hedges) {
            family.add(&[("winner", winner)], count.get())?;
        }
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

    /// The endpoints of the configuration in force, with their counts.
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

/// The text that is written.
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
        // Without labels there are no braces.
        if labels.is_empty() {
            encode(&mut self.0)
        } else {
            encode(&mut self.0.encode_family(&labels)?)
        }
    }
}

const STATES: [EndpointState; 11] = [
    EndpointState::Ready,
    EndpointState::Recovering,
    EndpointState::Failing,
    EndpointState::Throttled,
    EndpointState::Refused,
    EndpointState::Exhausted,
    EndpointState::Draining,
    EndpointState::Disabled,
    EndpointState::NoCredential,
    EndpointState::Faltering,
    EndpointState::Unreachable,
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
        EndpointState::Faltering => "faltering",
        EndpointState::Unreachable => "unreachable",
    }
}

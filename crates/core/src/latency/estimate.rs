//! Everything that is measured about one endpoint's speed. Each measurement comes in once, as a [`Sample`],
//! and goes to every estimator that needs it.
//!
//! Only comparable times are compared: probes with probes of the same kind, real traffic with real traffic,
//! and streams with streams of the same model. Prompts differ, so traffic and probes are never mixed.

use std::time::{Duration, Instant};

use super::brownout::{Brownout, Slowness};
use super::decline::{Decline, Slower};
use super::ewma::{Ewma, Remembered};
use super::pace::{Known, Paces, Silences};
use super::percentiles::{ByModel, Percentiles};
use crate::config::ProbeMode;

/// How fast probe latencies fade: about one interval.
const PROBE_TAU: Duration = Duration::from_secs(60);
/// How fast first events of real traffic fade.
const TRAFFIC_TAU: Duration = Duration::from_secs(30);

/// One measurement.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sample<'a> {
    /// A probe was answered.
    Probe { mode: ProbeMode, took: Duration },
    /// The answer to a real message has begun, streamed or not.
    Answer {
        model: Option<&'a str>,
        took: Duration,
    },
    /// A real stream has begun. `bytes`: the size of its request, if it is known. `elsewhere`: the usual time of
    /// the fastest other endpoint for this model.
    Stream {
        model: &'a str,
        bytes: Option<u64>,
        took: Duration,
        elsewhere: Option<Duration>,
    },
    /// A real answer without a stream is there.
    Whole { model: &'a str, took: Duration },
    /// The longest silences of a stream that is complete.
    Silences {
        model: &'a str,
        longest: &'a Silences,
    },
    /// A real stream had not begun after this time, and nobody waits for it any longer. `elsewhere`: as above.
    Late {
        model: &'a str,
        waited: Duration,
        elsewhere: Option<Duration>,
    },
}

/// The estimators of one endpoint.
#[derive(Debug)]
pub(crate) struct Latency {
    probes: Ewma,
    /// The kind of probe that measured them.
    measured_by: ProbeMode,
    /// Whether probes take longer than before.
    probe_decline: Decline,
    /// The time to the first event of real traffic.
    traffic: Ewma,
    /// The same, by model.
    by_model: ByModel,
    /// How long healthy answers take.
    paces: Paces,
    /// Whether streams begin as soon as usual.
    brownout: Brownout,
}

impl Latency {
    pub(crate) fn new(mode: ProbeMode) -> Self {
        Self {
            probes: Ewma::new(PROBE_TAU),
            measured_by: mode,
            probe_decline: Decline::default(),
            traffic: Ewma::new(TRAFFIC_TAU),
            by_model: ByModel::default(),
            paces: Paces::default(),
            brownout: Brownout::default(),
        }
    }

    /// Notes one measurement.
    pub(crate) fn observe(&mut self, sample: Sample<'_>, now: Instant) {
        match sample {
            Sample::Probe { mode, took } => {
                if self.measured_by != mode {
                    self.forget_probes();
                    self.measured_by = mode;
                }
                self.probes.observe(took, now);
                self.probe_decline.observe(took, now);
            }
            Sample::Answer { model, took } => {
                self.traffic.observe(took, now);
                if let Some(model) = model {
                    self.by_model.observe(model, took, now);
                }
            }
            Sample::Stream {
                model,
                bytes,
                took,
                elsewhere,
            } => {
                self.paces.note_begin(model, bytes, took);
                self.brownout.observe(model, took, elsewhere, now);
            }
            Sample::Whole { model, took } => self.paces.note_whole(model, took),
            Sample::Silences { model, longest } => self.paces.note_silences(model, longest),
            Sample::Late {
                model,
                waited,
                elsewhere,
            } => self
                .brownout
                .observe_at_least(model, waited, elsewhere, now),
        }
    }

    /// Smoothed latency of probes.
    pub(crate) fn of_probes(&self) -> Option<Duration> {
        self.probes.get()
    }

    /// Smoothed time to the first event of real traffic.
    pub(crate) fn of_traffic(&self) -> Option<Duration> {
        self.traffic.get()
    }

    /// The best known estimate: of probes, or else of traffic.
    pub(crate) fn best_known(&self) -> Option<Duration> {
        self.of_probes().or(self.of_traffic())
    }

    /// Both latencies, measured in the same way: probes with probes, or else traffic with traffic.
    pub(crate) fn compare(&self, other: &Self) -> Option<(Duration, Duration)> {
        let probes = self.of_probes().zip(other.of_probes());
        probes
            .filter(|_| self.measured_by == other.measured_by)
            .or_else(|| self.of_traffic().zip(other.of_traffic()))
    }

    /// The kind of probe that measured [`Self::of_probes`].
    pub(crate) fn measured_by(&self) -> ProbeMode {
        self.measured_by
    }

    /// How much slower probes have become, if they have.
    pub(crate) fn slower_probes(&self) -> Option<Slower> {
        self.probe_decline.get()
    }

    /// How much slower traffic has become, if it has.
    pub(crate) fn slower_traffic(&self) -> Option<Slower> {
        self.by_model.slower()
    }

    /// Whether the last first event came later than usual.
    pub(crate) fn is_traffic_suspected(&self) -> bool {
        self.by_model.is_suspected()
    }

    /// What is known about how long a request may take. `bytes`: its size, if it is known.
    pub(crate) fn known_pace(&self, model: Option<&str>, bytes: Option<u64>) -> Known {
        self.paces.known(model, bytes)
    }

    /// Times to first event by model; the model used last comes first.
    pub(crate) fn percentiles(&self) -> impl Iterator<Item = Percentiles<'_>> {
        self.by_model.percentiles()
    }

    /// How slow it is. `None`: it is not in a brownout.
    pub(crate) fn slowness(&self) -> Option<Slowness> {
        self.brownout.slowness()
    }

    /// The usual time to the first event of this model's streams, once it is known.
    pub(crate) fn usual(&self, model: &str) -> Option<Duration> {
        self.brownout.usual(model)
    }

    /// Whether a new conversation may try whether it is still slow.
    pub(crate) fn may_be_tried(&self, now: Instant) -> bool {
        self.brownout.may_be_tried(now)
    }

    /// A new conversation tries it.
    pub(crate) fn is_tried(&mut self, now: Instant) {
        self.brownout.is_tried(now);
    }

    /// The measurements are from before a sleep, or from another network.
    pub(crate) fn weaken(&mut self) {
        self.probes.weaken();
        self.traffic.weaken();
        self.probe_decline.clear();
        self.by_model.weaken();
    }

    /// The kind of probe changes, so the old latencies are not comparable.
    pub(crate) fn forget_probes(&mut self) {
        self.probes.clear();
        self.probe_decline.clear();
    }

    /// A person says that it is no longer slow.
    pub(crate) fn forget_slowness(&mut self) {
        self.brownout = Brownout::default();
    }

    /// The probe latency and the time to first event, for the next run.
    pub(crate) fn remember(&self, now: Instant) -> (Option<Remembered>, Option<Remembered>) {
        (self.probes.remember(now), self.traffic.remember(now))
    }

    /// Restores the probe latency of an earlier run, measured by `mode`.
    pub(crate) fn recall_probes(
        &mut self,
        mode: ProbeMode,
        latency: Option<Remembered>,
        now: Instant,
    ) {
        self.measured_by = mode;
        if let Some(latency) = latency {
            self.probes.recall(latency, now);
        }
    }

    /// Restores the time to first event of an earlier run.
    pub(crate) fn recall_traffic(&mut self, ttft: Remembered, now: Instant) {
        self.traffic.recall(ttft, now);
    }
}

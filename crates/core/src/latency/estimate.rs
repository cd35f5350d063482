//! Everything that is measured about one endpoint's speed. Each measurement comes in once, as a [`Sample`],
//! and goes to every estimator that needs it.
//!
//! Only comparable times are compared: probes with probes of the same kind, and streams with streams of the
//! same model and about the same size. Prompts differ, so traffic and probes are never mixed.

use std::time::{Duration, Instant};

use super::brownout::{Brownout, Slowness};
use super::comparison::{Comparison, Measure};
use super::decline::{Decline, Slower};
use super::first_events::FirstEvents;
use super::pace::{Known, Paces, Silences};
use super::percentiles::{ByModel, Percentiles};
use super::recent::{Recent, Remembered};
use super::size::Size;
use crate::config::ProbeMode;

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
    /// A real stream has begun. `size`: of its request. `elsewhere`: the usual time of the fastest other endpoint
    /// for this model.
    Stream {
        model: &'a str,
        size: Size,
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
    probes: Recent,
    /// The kind of probe that measured them.
    measured_by: ProbeMode,
    /// Whether probes take longer than before.
    probe_decline: Decline,
    /// How soon real answers begin, streamed or not.
    answers: Recent,
    /// The same, by model.
    by_model: ByModel,
    /// How long healthy answers take.
    paces: Paces,
    /// How soon real streams begin.
    first_events: FirstEvents,
    /// Whether streams begin as soon as usual.
    brownout: Brownout,
}

impl Latency {
    pub(crate) fn new(mode: ProbeMode) -> Self {
        Self {
            probes: Recent::default(),
            measured_by: mode,
            probe_decline: Decline::default(),
            answers: Recent::default(),
            by_model: ByModel::default(),
            paces: Paces::default(),
            first_events: FirstEvents::default(),
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
                self.answers.observe(took, now);
                if let Some(model) = model {
                    self.by_model.observe(model, took, now);
                }
            }
            Sample::Stream {
                model,
                size,
                took,
                elsewhere,
            } => {
                self.first_events.observe((model, size), took, now);
                self.paces.note_begin(model, size, took);
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

    /// The median of the last probes.
    pub(crate) fn of_probes(&self) -> Option<Duration> {
        self.probes.usual()
    }

    /// The median time to the last first events of real traffic: of streams, or else of any answers.
    pub(crate) fn of_traffic(&self) -> Option<Duration> {
        self.first_events.latest().or(self.answers.usual())
    }

    /// The same for streams of this model and size, if there were some lately.
    pub(crate) fn lately(&self, kind: (&str, Size), now: Instant) -> Option<Duration> {
        self.first_events.lately(kind, now)
    }

    /// Whether the streams that came last begin later than before, by at least `threshold`. It is told once.
    pub(crate) fn take_rise(&mut self, threshold: Duration) -> bool {
        self.first_events.take_rise(threshold)
    }

    /// The best known estimate: of probes, or else of traffic.
    pub(crate) fn best_known(&self) -> Option<Duration> {
        self.of_probes().or(self.of_traffic())
    }

    /// Compares this endpoint with another one, measured in the same way: probes with probes, or else traffic
    /// with traffic.
    pub(crate) fn compare(&self, there: &Self) -> Option<Comparison> {
        let figures = |here: &Recent, there: &Recent| here.figures().zip(there.figures());
        let probes = figures(&self.probes, &there.probes)
            .filter(|_| self.measured_by == there.measured_by)
            .map(|figures| (Measure::Checks, figures));
        let traffic = || {
            let streams = self.first_events.in_common(&there.first_events);
            let figures = streams.or_else(|| figures(&self.answers, &there.answers))?;
            Some((Measure::FirstEvents, figures))
        };
        let (measure, (here, there)) = probes.or_else(traffic)?;
        Some(Comparison {
            measure,
            here,
            there,
        })
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

    /// What is known about how long a request of this size may take.
    pub(crate) fn known_pace(&self, model: Option<&str>, size: Size) -> Known {
        self.paces.known(model, size)
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
        self.answers.weaken();
        self.first_events.weaken();
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
        (self.probes.remember(now), self.answers.remember(now))
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
        self.answers.recall(ttft, now);
    }
}

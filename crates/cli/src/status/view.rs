//! The state of a running instance: which endpoint is in use and why, each endpoint, problems, and events.

use zephyr_control::{
    Drain, EndpointView, Event, Language, Measure, Mode, Overall, ProbeCosts, Reason, Snapshot,
    Strategy, Totals, Weighed, text,
};
use zephyr_process::colours::Colours;

use super::parts::{in_words, labelled, state_cell};
use super::phrase::Phrase;
use crate::terminal::{Align, Cell, columns, printable, span};

const EVENTS_SHOWN: usize = 5;

/// The state of a running instance.
pub(crate) fn view(snapshot: &Snapshot, language: Language, colours: Colours) -> String {
    let view = View {
        snapshot,
        language,
        colours,
    };
    let sections = [
        view.head(),
        view.endpoints(),
        view.problems(),
        view.events(),
    ];
    let shown: Vec<_> = sections
        .into_iter()
        .filter(|section| !section.is_empty())
        .collect();
    shown.join("\n")
}

struct View<'a> {
    snapshot: &'a Snapshot,
    language: Language,
    colours: Colours,
}

impl View<'_> {
    fn head(&self) -> String {
        let snapshot = self.snapshot;
        let lines = [
            Some(self.say(&Phrase::Heading {
                version: &snapshot.version,
                proxy: &snapshot.listening.proxy,
                age: self.span(snapshot.taken_at_ms.saturating_sub(snapshot.started_at_ms)),
            })),
            Some(self.status()),
            self.in_use(),
            Some(self.mode()),
            snapshot
                .weighed
                .as_ref()
                .map(|weighed| self.weighed(weighed)),
            snapshot.paused.then(|| self.say(&Phrase::MonitoringPaused)),
            snapshot.offline_since_ms.map(|since| self.offline(since)),
            snapshot.drain.as_ref().map(|drain| self.drain(drain)),
            Some(self.totals(&snapshot.totals)),
            self.checks(&snapshot.probes),
            self.waiting(snapshot.totals.waiting),
        ];
        lines
            .into_iter()
            .flatten()
            .map(|line| printable(&line) + "\n")
            .collect()
    }

    /// How things are as a whole.
    fn status(&self) -> String {
        let status = &self.snapshot.status;
        self.say(&Phrase::Overall {
            overall: text(self.language, &status.overall),
            headline: &status.headline,
        })
    }

    /// The endpoint that new requests go to, while they are answered.
    fn in_use(&self) -> Option<String> {
        let snapshot = self.snapshot;
        let name = snapshot.current.as_deref()?;
        if matches!(snapshot.status.overall, Overall::Out | Overall::Offline) {
            return None;
        }
        let endpoint = snapshot
            .endpoint(name)
            .map_or_else(|| name.to_owned(), labelled);
        let why = snapshot.decision.as_ref().map(|decision| &decision.why);
        Some(self.say(&match why {
            // Saying that it is in use because it is in use would explain nothing.
            None | Some(Reason::InUse) => Phrase::InUseUnexplained { endpoint },
            Some(reason) => Phrase::InUse { endpoint, reason },
        }))
    }

    fn mode(&self) -> String {
        match &self.snapshot.mode {
            Mode::Manual { endpoint } => self.say(&Phrase::Manual { endpoint }),
            Mode::Auto => self.say(&Phrase::Automatic {
                strategy: self.say(&match self.snapshot.strategy {
                    Strategy::Latency => Phrase::ByLatency,
                    Strategy::Priority => Phrase::ByPriority,
                    Strategy::Price => Phrase::ByPrice,
                    Strategy::RoundRobin => Phrase::ByTurn,
                    Strategy::WeightedRoundRobin => Phrase::ByWeight,
                    Strategy::Random => Phrase::ByChance,
                }),
            }),
        }
    }

    /// Whether a conversation left its prompt cache for a faster endpoint.
    fn weighed(&self, weighed: &Weighed) -> String {
        let saved = match weighed.saved_ms {
            ms @ ..1000 => self.say(&Phrase::Milliseconds { ms: ms.to_string() }),
            ms => self.say(&Phrase::ExactSeconds {
                seconds: format!("{}.{}", ms / 1000, ms % 1000 / 100),
            }),
        };
        let cost = format!("${:.2}", weighed.cost_usd);
        let (from, to) = (weighed.from.as_str(), weighed.to.as_str());
        let what = if weighed.moved {
            Phrase::WeighedMoved {
                from,
                to,
                saved,
                cost,
            }
        } else {
            Phrase::WeighedStays {
                from,
                to,
                saved,
                cost,
            }
        };
        self.say(&Phrase::Weighed {
            span: self.span(self.snapshot.taken_at_ms.saturating_sub(weighed.at_ms)),
            what: self.say(&what),
        })
    }

    fn offline(&self, since_ms: u64) -> String {
        self.say(&Phrase::Offline {
            span: self.span(self.snapshot.taken_at_ms.saturating_sub(since_ms)),
        })
    }

    fn drain(&self, drain: &Drain) -> String {
        self.say(&Phrase::Ending {
            in_flight: drain.in_flight,
            left: self.left(drain.until_ms),
        })
    }

    fn waiting(&self, count: u32) -> Option<String> {
        (count > 0).then(|| self.say(&Phrase::Waiting { count }))
    }

    fn totals(&self, totals: &Totals) -> String {
        self.say(&Phrase::Totals {
            requests: totals.requests,
            in_flight: totals.in_flight,
            failed_over: totals.failed_over,
            failed: totals.failed,
            aborted: totals.aborted,
            abandoned: totals.abandoned,
        })
    }

    /// What checks cost, once they cost anything.
    fn checks(&self, costs: &ProbeCosts) -> Option<String> {
        let spent = format!("{:.6}", costs.today_usd);
        let budget = costs.budget_usd;
        if costs.reached {
            Some(self.say(&Phrase::ChecksFree { spent, budget }))
        } else if costs.today_usd > 0.0 {
            Some(self.say(&Phrase::Checks { spent, budget }))
        } else {
            None
        }
    }

    fn endpoints(&self) -> String {
        if self.snapshot.endpoints.is_empty() {
            return String::new();
        }
        let head = [
            (String::new(), Align::Left),
            (self.say(&Phrase::ColumnEndpoint), Align::Left),
            (self.say(&Phrase::ColumnState), Align::Left),
            (self.say(&Phrase::ColumnChecks), Align::Right),
            (self.say(&Phrase::ColumnTtft), Align::Right),
            (self.say(&Phrase::ColumnInFlight), Align::Right),
            (self.say(&Phrase::ColumnReason), Align::Left),
        ];
        let head = head.map(|(text, align)| Cell::new(printable(&text), align));
        let rows = self
            .snapshot
            .endpoints
            .iter()
            .map(|endpoint| self.row(endpoint));
        let table = columns(&std::iter::once(head).chain(rows).collect::<Vec<_>>());
        let mut endpoints = self.snapshot.endpoints.iter();
        let are_compared = endpoints.any(|endpoint| endpoint.compared_by.is_some());
        if are_compared {
            format!("{table}{}\n", printable(&self.say(&Phrase::Medians)))
        } else {
            table
        }
    }

    fn row(&self, endpoint: &EndpointView) -> [Cell; 7] {
        let in_use = self.snapshot.current.as_deref() == Some(endpoint.name.as_str());
        let milliseconds = |latency: Option<f64>| {
            latency.map_or_else(
                || "–".to_owned(),
                |ms| {
                    self.say(&Phrase::Milliseconds {
                        ms: format!("{ms:.0}"),
                    })
                },
            )
        };
        let compared = |latency: Option<f64>, by: Measure| {
            let time = milliseconds(latency);
            let counts = endpoint.compared_by.is_none_or(|compared| compared == by);
            if counts || latency.is_none() {
                time
            } else {
                self.say(&Phrase::NotCompared { time })
            }
        };
        let left = |text: String| Cell::new(printable(&text), Align::Left);
        let right = |text: String| Cell::new(printable(&text), Align::Right);
        [
            left(if in_use { "*" } else { "" }.to_owned()),
            left(labelled(endpoint)),
            state_cell(endpoint.state, self.language, self.colours),
            right(compared(endpoint.latency_ms, Measure::Checks)),
            right(compared(endpoint.ttft_ms, Measure::FirstEvents)),
            right(endpoint.in_flight.to_string()),
            left(self.reason(endpoint)),
        ]
    }

    /// Why the endpoint is in its state. If it is fit: why it is not the one in use.
    fn reason(&self, endpoint: &EndpointView) -> String {
        let left = endpoint.until_ms.map(|until| self.left(until));
        let reason = endpoint.reason.as_ref();
        match (reason.or_else(|| self.not_chosen(endpoint)), left) {
            (Some(reason), Some(left)) => self.say(&Phrase::ReasonUntil { reason, left }),
            (Some(reason), None) => text(self.language, reason),
            (None, Some(left)) => self.say(&Phrase::Until { left }),
            (None, None) => String::new(),
        }
    }

    fn not_chosen(&self, endpoint: &EndpointView) -> Option<&Reason> {
        let others = &self.snapshot.decision.as_ref()?.others;
        let other = others
            .iter()
            .find(|other| other.endpoint == endpoint.name)?;
        endpoint.state.is_usable().then_some(&other.why)
    }

    fn problems(&self) -> String {
        let problems = self.snapshot.problems.iter();
        self.list(&Phrase::Problems, problems.map(in_words))
    }

    fn events(&self) -> String {
        let newest = self.snapshot.events.iter().rev().take(EVENTS_SHOWN);
        self.list(&Phrase::Lately, newest.map(|event| self.event(event)))
    }

    fn event(&self, event: &Event) -> String {
        let since = self.snapshot.taken_at_ms.saturating_sub(event.at_ms);
        printable(&self.say(&Phrase::Ago {
            span: self.span(since),
            what: text(self.language, &event.kind),
        }))
    }

    /// A title and its lines, made printable.
    fn list(&self, title: &Phrase<'_>, lines: impl Iterator<Item = String>) -> String {
        let lines: String = lines.map(|line| format!("  {line}\n")).collect();
        if lines.is_empty() {
            return lines;
        }
        format!("{}\n{lines}", self.say(title))
    }

    fn left(&self, until_ms: u64) -> String {
        self.span(until_ms.saturating_sub(self.snapshot.taken_at_ms))
    }

    fn span(&self, milliseconds: u64) -> String {
        span(milliseconds, self.language)
    }

    fn say(&self, phrase: &Phrase<'_>) -> String {
        text(self.language, phrase)
    }
}

//! A snapshot as text for a terminal: what is in use and why, each endpoint, what is wrong, what happened.
//!
//! A pure function of its arguments: "ago" and "to go" are counted from the moment of the snapshot, not
//! from a clock. All words come from the message catalogues.

pub(crate) mod columns;
mod phrase;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use zephyr_control::{
    Diagnosis, DiagnosisStage, Drain, EndpointState, EndpointView, Event, Language, Mode,
    ProbeCosts, Problem, Reason, Snapshot, Strategy, Totals, text,
};

use zephyr_engine::Lateness;
use zephyr_process::address::local_url;
use zephyr_process::colours::Colours;

use self::columns::{Align, Cell, columns};
use self::phrase::Phrase;

const EVENTS_SHOWN: usize = 5;

/// The state of a running instance.
pub fn view(snapshot: &Snapshot, language: Language, colours: Colours) -> String {
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

/// What to do where no instance runs; `ended` is the process that left its instance file behind.
pub fn not_running(language: Language, ended: Option<u32>) -> String {
    let first = match ended {
        Some(pid) => Phrase::EndedUncleanly { pid },
        None => Phrase::NotRunning,
    };
    let phrases = [first, Phrase::StartIt, Phrase::TryDemo, Phrase::FindConfig];
    lines(language, &phrases)
}

/// What was started, and where to point clients.
pub fn started(snapshot: &Snapshot, language: Language) -> String {
    let version = &snapshot.version;
    let names: Vec<_> = snapshot.endpoints.iter().map(labelled).collect();
    let mut phrases = vec![Phrase::Started { version }];
    phrases.push(Phrase::PointClients {
        url: proxy_url(snapshot),
    });
    if let Some(admin) = &snapshot.listening.admin {
        phrases.push(Phrase::AdminAt { admin });
    }
    if !names.is_empty() {
        phrases.push(Phrase::EndpointsAre {
            names: names.join(", "),
        });
    }
    if let Some(path) = &snapshot.config_path {
        phrases.push(Phrase::ConfiguredBy { path });
    }
    phrases.extend(snapshot.problems.iter().map(|problem| Phrase::Attention {
        problem: in_words(problem),
    }));
    lines(language, &phrases)
}

/// That the page was opened in the browser.
pub fn opened(admin: SocketAddr, language: Language) -> String {
    let url = local_url(admin);
    lines(language, &[Phrase::Opened { url }])
}

/// Where there is no browser to open: what the user is to open elsewhere.
pub fn open_by_hand(url: &str, language: Language) -> String {
    lines(language, &[Phrase::OpenByHand { url }])
}

/// What the demo started, and what to try.
pub fn demo_started(snapshot: &Snapshot, data_dir: &Path, language: Language) -> String {
    let version = &snapshot.version;
    let data_dir = data_dir.display();
    let [first, try_it, watch_it] = [
        Phrase::DemoStarted { version },
        Phrase::DemoTry,
        Phrase::DemoWatch,
    ]
    .map(|phrase| text(language, &phrase));
    let body = r#"{"model":"claude-haiku-4-5","max_tokens":256,"stream":true,"messages":[{"role":"user","content":"Hello"}]}"#;
    let url = proxy_url(snapshot);
    format!(
        "{first}\n\n{try_it}\n\n  \
         curl -N {url}/v1/messages -H 'content-type: application/json' \
         -H 'anthropic-version: 2023-06-01' -H 'x-api-key: demo' -d '{body}'\n\n\
         {watch_it}\n\n  ZEPHYR_DATA_DIR='{data_dir}' zephyr status\n\n"
    )
}

/// How each endpoint's probe ended, as a table: how long it took, or what went wrong.
pub fn probes(
    results: &[(String, Result<Duration, String>)],
    language: Language,
    colours: Colours,
) -> String {
    let head = [
        (Phrase::ColumnEndpoint, Align::Left),
        (Phrase::ColumnState, Align::Left),
        (Phrase::ColumnLatency, Align::Right),
        (Phrase::ColumnReason, Align::Left),
    ];
    let head = head.map(|(phrase, align)| Cell::new(text(language, &phrase), align));
    let rows = results.iter().map(|(name, result)| {
        let (state, latency, reason) = match result {
            Ok(latency) => {
                let ms = latency.as_millis().to_string();
                let latency = text(language, &Phrase::Milliseconds { ms });
                (EndpointState::Ready, latency, String::new())
            }
            Err(reason) => (EndpointState::Failing, "–".to_owned(), printable(reason)),
        };
        [
            Cell::new(printable(name), Align::Left),
            state_cell(state, language, colours),
            Cell::new(latency, Align::Right),
            Cell::new(reason, Align::Left),
        ]
    });
    columns(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
}

/// The steps of a test as a table, with what to do below the one that failed.
pub fn diagnosis(diagnosis: &Diagnosis, language: Language) -> String {
    let rows = diagnosis.steps.iter().map(|step| {
        let mark = if step.passed { "✓" } else { "✗" };
        let ms = format!("{:.0}", step.took_ms);
        [
            Cell::new(mark.to_owned(), Align::Left),
            Cell::new(text(language, &stage(step.stage)), Align::Left),
            Cell::new(text(language, &Phrase::Milliseconds { ms }), Align::Right),
            Cell::new(printable(&step.detail), Align::Left),
        ]
    });
    let mut out = columns(&rows.collect::<Vec<_>>());
    for remedy in diagnosis
        .steps
        .iter()
        .filter_map(|step| step.remedy.as_ref())
    {
        out.push_str(&format!("\n{}\n", printable(remedy)));
    }
    if diagnosis.cost_usd > 0.0 {
        let cost = format!("{:.6}", diagnosis.cost_usd);
        out.push_str(&format!(
            "\n{}\n",
            text(language, &Phrase::StageCost { cost })
        ));
    }
    out
}

fn stage(stage: DiagnosisStage) -> Phrase<'static> {
    match stage {
        DiagnosisStage::Dns => Phrase::StageDns,
        DiagnosisStage::Tcp => Phrase::StageTcp,
        DiagnosisStage::Tls => Phrase::StageTls,
        DiagnosisStage::Auth => Phrase::StageAuth,
        DiagnosisStage::Model => Phrase::StageModel,
        DiagnosisStage::FirstToken => Phrase::StageFirstToken,
    }
}

/// How punctual checks were.
pub fn timing(lateness: &Lateness, span: Duration, language: Language) -> String {
    let ms = |duration: Duration| format!("{:.1}", duration.as_secs_f64() * 1000.0);
    let phrase = Phrase::Timing {
        probes: lateness.probes,
        seconds: span.as_secs(),
        mean: ms(lateness.mean),
        p95: ms(lateness.p95),
        max: ms(lateness.max),
    };
    text(language, &phrase) + "\n"
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
            Some(self.in_use()),
            Some(self.mode()),
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

    fn in_use(&self) -> String {
        let snapshot = self.snapshot;
        let Some(name) = snapshot.current.as_deref() else {
            return self.say(&if snapshot.endpoints.is_empty() {
                Phrase::NoEndpoints
            } else if snapshot.usable() == 0 {
                Phrase::NothingUsable
            } else {
                Phrase::Distributing
            });
        };
        let endpoint = snapshot
            .endpoint(name)
            .map_or_else(|| name.to_owned(), labelled);
        self.say(&match snapshot.decision.as_ref() {
            Some(decision) => Phrase::InUse {
                endpoint,
                reason: &decision.why,
            },
            None => Phrase::InUseUnexplained { endpoint },
        })
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

    /// What checks cost, once they do.
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
            (self.say(&Phrase::ColumnLatency), Align::Right),
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
        columns(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
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
        let left = |text: String| Cell::new(printable(&text), Align::Left);
        let right = |text: String| Cell::new(printable(&text), Align::Right);
        [
            left(if in_use { "*" } else { "" }.to_owned()),
            left(labelled(endpoint)),
            state_cell(endpoint.state, self.language, self.colours),
            right(milliseconds(endpoint.latency_ms)),
            right(milliseconds(endpoint.ttft_ms)),
            right(endpoint.in_flight.to_string()),
            left(self.reason(endpoint)),
        ]
    }

    /// Why it is in its state; of one that is fit, why it is not the one in use.
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

    /// A title and its lines, which are printable.
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

    /// A duration, as exactly as it matters.
    fn span(&self, milliseconds: u64) -> String {
        let seconds = milliseconds.div_ceil(1000);
        let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
        self.say(&match (days, hours, minutes) {
            (0, 0, 0) => Phrase::Seconds { seconds },
            (0, 0, _) => Phrase::Minutes { minutes },
            (0, _, _) => Phrase::Hours {
                hours,
                minutes: minutes % 60,
            },
            (_, _, _) => Phrase::Days {
                days,
                hours: hours % 24,
            },
        })
    }

    fn say(&self, phrase: &Phrase<'_>) -> String {
        text(self.language, phrase)
    }
}

fn labelled(endpoint: &EndpointView) -> String {
    match &endpoint.flag {
        Some(flag) => format!("{flag} {}", endpoint.name),
        None => endpoint.name.clone(),
    }
}

fn lines(language: Language, phrases: &[Phrase<'_>]) -> String {
    phrases
        .iter()
        .flat_map(|phrase| {
            let text = text(language, phrase);
            text.lines().map(printable).collect::<Vec<_>>()
        })
        .map(|line| line + "\n")
        .collect()
}

/// A problem that has several lines, such as the errors of a configuration, keeps them.
fn in_words(
    Problem {
        message, remedy, ..
    }: &Problem,
) -> String {
    if !message.contains('\n') {
        return printable(&format!("{message}: {remedy}"));
    }
    let lines: Vec<_> = message
        .lines()
        .chain([remedy.as_str()])
        .map(printable)
        .collect();
    lines.join("\n    ")
}

/// Where clients find the proxy; from this machine, if it listens on every address.
fn proxy_url(snapshot: &Snapshot) -> String {
    let listening = &snapshot.listening.proxy;
    listening
        .parse()
        .map_or_else(|_| format!("http://{listening}"), local_url)
}

fn state_cell(state: EndpointState, language: Language, colours: Colours) -> Cell {
    let mut cell = Cell::new(text(language, &state), Align::Left);
    if colours == Colours::Ansi {
        cell.colour = Some(colour(state));
    }
    cell
}

/// What an endpoint or a file said may hold escape sequences; a terminal would obey them.
pub(crate) fn printable(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}

/// The parameters of an ANSI sequence.
fn colour(state: EndpointState) -> &'static str {
    match state {
        EndpointState::Ready => "32",
        EndpointState::Recovering | EndpointState::Throttled | EndpointState::Draining => "33",
        EndpointState::Failing
        | EndpointState::Refused
        | EndpointState::Exhausted
        | EndpointState::NoCredential => "31",
        EndpointState::Disabled => "2",
    }
}

#[cfg(test)]
mod tests;

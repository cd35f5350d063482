//! The measures, one after the other, and the tables that they end in.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::client::{Ask, request};
use crate::failover::{self, FAULTS};
use crate::footprint::Stage;
use crate::load::{self, Until};
use crate::table::{Basis, Row, Series, markdown};
use crate::target::{Endpoints, Kind, Target};

const ROUNDS: usize = 11;
const GROWTH_REQUESTS: usize = 200_000;
const STREAMS: usize = 1000;

/// Measures what the filters name, or everything; prints the tables.
pub(crate) fn run(zephyr: &Path, arguments: &[&str]) -> Result<()> {
    let (rounds, filters) = match arguments {
        ["--rounds", rounds, filters @ ..] => (rounds.parse().context("--rounds N")?, filters),
        filters => (ROUNDS, filters),
    };
    if let Some(unknown) = filters
        .iter()
        .find(|filter| !MEASURES.iter().any(|name| name.contains(*filter)))
    {
        bail!(
            "no measure is called {unknown}; there are {}",
            MEASURES.join(", ")
        );
    }
    let wanted =
        |name: &str| filters.is_empty() || filters.iter().any(|filter| name.contains(filter));
    let scratch = tempfile::tempdir()?;
    let kinds: Vec<Kind> = Kind::ALL
        .into_iter()
        .filter(|kind| kind.is_installed())
        .collect();
    for kind in Kind::ALL.into_iter().filter(|kind| !kinds.contains(kind)) {
        eprintln!("{} is not installed, so it is left out", kind.name());
    }
    let bench = Bench {
        endpoints: Endpoints::start(1)?,
        zephyr,
        scratch: scratch.path(),
        kinds,
        rounds,
    };
    let mut rows = Vec::new();
    for name in MEASURES.iter().filter(|name| wanted(name)) {
        eprintln!("{name} …");
        if !matches!(*name, "failover" | "journal") {
            rows.extend(bench.measure(name).context(*name)?);
        }
    }
    if !rows.is_empty() {
        println!("{}", markdown(&rows));
    }
    if wanted("journal") {
        println!("{}", bench.journal()?);
    }
    if wanted("failover") {
        println!("{}", bench.failover()?);
    }
    Ok(())
}

/// What can be measured.
const MEASURES: &[&str] = &[
    "latency-1k",
    "latency-100k",
    "latency-1m",
    "first-byte",
    "throughput",
    "events-8",
    "events-100",
    "flood",
    "streams",
    "memory",
    "growth",
    "start",
    "idle",
    "journal",
    "failover",
];

struct Bench<'a> {
    endpoints: Endpoints,
    zephyr: &'a Path,
    scratch: &'a Path,
    kinds: Vec<Kind>,
    rounds: usize,
}

impl Bench<'_> {
    fn measure(&self, name: &str) -> Result<Vec<Row>> {
        let stage = self.stage();
        let rows = match name {
            "latency-1k" => {
                let series = self.latency(1024, 1000)?;
                let mut cpu = series.row("CPU for a request, 1 KB, µs", &[2], Basis::Whole, 0);
                cpu.bar = "≤ 1.5 ×";
                vec![
                    series.added("1 KB request: added p50 / p99, µs", "≤ 1.5 ×"),
                    cpu,
                ]
            }
            "latency-100k" => {
                let series = self.latency(100 * 1024, 400)?;
                vec![series.added(
                    "100 KB request: added p50 / p99, µs",
                    "≤ 1.25 ×, below nginx and HAProxy",
                )]
            }
            "latency-1m" => {
                let series = self.latency(1024 * 1024, 120)?;
                vec![series.added(
                    "1 MB request: added p50 / p99, µs",
                    "≤ 1.3 ×, below nginx and HAProxy",
                )]
            }
            "first-byte" => {
                let request = request(Ask::Stream, 100 * 1024);
                let series = self
                    .interleave(|target| load::one_by_one(target, &request, 400, Until::First))?;
                vec![series.added(
                    "first byte of a stream, 100 KB request: added p50 / p99, µs",
                    "≤ 1.25 ×",
                )]
            }
            "throughput" => {
                let slice = Duration::from_millis(500);
                let series = self.interleave(|target| load::at_once(target, 32, 1024, slice))?;
                let mut rate =
                    series.row("requests/s, 32 connections, 1 KB", &[0], Basis::Whole, 0);
                rate.bar = "≥ 0.8 ×";
                let cpu = series.row("the same: CPU for a request, µs", &[1], Basis::Whole, 1);
                vec![rate, cpu]
            }
            "events-8" | "events-100" => {
                let streams = if name == "events-8" { 8 } else { 100 };
                let gap = Duration::from_millis(20);
                let series = self.interleave(|target| {
                    load::paced(target.address, streams, 60, gap, || Ok(()))
                })?;
                let title =
                    format!("{streams} streams of 50 events/s: an event's way, p50 / p99, µs");
                let mut whole = series.row(&title, &[0, 1], Basis::Whole, 1);
                whole.bar = "p99 ≤ 1.2 ×, ≤ nginx";
                let title = format!("{streams} streams: added p50 / p99, µs");
                vec![whole, series.row(&title, &[0, 1], Basis::Added, 1)]
            }
            "flood" => {
                let series = self.interleave(|target| load::flood(target, 100_000))?;
                let mut rate = series.row("tiny events flat out, events/s", &[0], Basis::Whole, 0);
                rate.bar = "≥ 0.9 ×";
                vec![rate]
            }
            "streams" => {
                let series = self.fresh(1, |kind| stage.streams(kind, STREAMS))?;
                let mut row = series.row(
                    "1,000 streams at once: KB for each / MB in all",
                    &[0, 1],
                    Basis::Whole,
                    0,
                );
                row.bar = "≤ 64 KB";
                vec![row]
            }
            "memory" => {
                let series = self.fresh(3, |kind| stage.memory(kind))?;
                let mut row = series.row(
                    "memory idle / at most with 32 connections and 100 KB bodies, MB",
                    &[0, 1],
                    Basis::Whole,
                    0,
                );
                row.bar = "≤ 10 / ≤ 30";
                vec![row]
            }
            "growth" => {
                let series = self.fresh(1, |kind| stage.growth(kind, GROWTH_REQUESTS))?;
                let title = format!(
                    "growth over {GROWTH_REQUESTS} requests after as many: MB for each million"
                );
                let mut row = series.row(&title, &[0], Basis::Whole, 0);
                row.bar = "≤ 1";
                vec![row]
            }
            "start" => {
                let series = self.fresh(self.rounds, |kind| stage.start_time(kind))?;
                let mut row = series.row("start to first answer, ms", &[0], Basis::Whole, 0);
                row.bar = "≤ 20";
                vec![row]
            }
            "idle" => {
                let span = Duration::from_secs(5);
                let series = self.fresh(1, |kind| stage.wake_ups(kind, span))?;
                let mut row = series.row("idle: wake-ups a second", &[0], Basis::Whole, 0);
                row.bar = "< 5";
                vec![row]
            }
            _ => Vec::new(),
        };
        Ok(rows)
    }

    fn stage(&self) -> Stage<'_> {
        Stage {
            endpoints: &self.endpoints,
            zephyr: self.zephyr,
            scratch: self.scratch,
        }
    }

    fn latency(&self, body: usize, count: usize) -> Result<Series> {
        let request = request(Ask::Message, body);
        self.interleave(|target| load::one_by_one(target, &request, count, Until::Whole))
    }

    /// What keeping records costs.
    fn journal(&self) -> Result<String> {
        let kinds = [
            Kind::Direct,
            Kind::Unrecorded,
            Kind::Zephyr,
            Kind::WithBodies,
        ];
        let request = request(Ask::Message, 1024);
        let latency = self.interleave_these(&kinds, |target| {
            load::one_by_one(target, &request, 1000, Until::Whole)
        })?;
        let slice = Duration::from_millis(500);
        let rate =
            self.interleave_these(&kinds, |target| load::at_once(target, 32, 1024, slice))?;
        let mut text = String::from(
            "| the journal | no records | records (default) | of none | with bodies in full | of none | bar |\n\
             | --- | ---: | ---: | ---: | ---: | ---: | --- |\n",
        );
        for (measure, series, basis, bar) in [
            (
                "1 KB request: added p50, µs",
                &latency,
                Basis::Added,
                "≤ 1.05 ×",
            ),
            (
                "requests/s, 32 connections, 1 KB",
                &rate,
                Basis::Whole,
                "≥ 0.9 ×",
            ),
        ] {
            let figure = |kind| series.of(kind, 0, basis).map_or_else(String::new, rounded);
            let ratio = |kind| {
                let ratio = series.ratio(kind, Kind::Unrecorded, 0, basis);
                ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"))
            };
            text += &format!(
                "| {measure} | {} | {} | {} | {} | {} | {bar} |\n",
                figure(Kind::Unrecorded),
                figure(Kind::Zephyr),
                ratio(Kind::Zephyr),
                figure(Kind::WithBodies),
                ratio(Kind::WithBodies),
            );
        }
        Ok(text)
    }

    /// Measures every target in every round, each round beginning with another one.
    fn interleave(&self, measure: impl Fn(&Target) -> Result<Vec<f64>>) -> Result<Series> {
        self.interleave_these(&self.kinds, measure)
    }

    fn interleave_these(
        &self,
        kinds: &[Kind],
        measure: impl Fn(&Target) -> Result<Vec<f64>>,
    ) -> Result<Series> {
        let stage = self.stage();
        let started = kinds.iter().map(|&kind| stage.start(kind));
        let mut targets: Vec<Target> = started.collect::<Result<_>>()?;
        for target in &targets {
            measure(target)?;
        }
        let mut series = Series::default();
        for _ in 0..self.rounds {
            let figures = targets
                .iter()
                .map(|target| Ok((target.kind, measure(target)?)));
            series.push(figures.collect::<Result<_>>()?);
            targets.rotate_left(1);
        }
        Ok(series)
    }

    /// Measures programs that are started for it.
    fn fresh(&self, rounds: usize, measure: impl Fn(Kind) -> Result<Vec<f64>>) -> Result<Series> {
        let mut series = Series::default();
        for _ in 0..rounds {
            let proxies = self.kinds.iter().filter(|kind| **kind != Kind::Direct);
            let figures = proxies.map(|&kind| Ok((kind, measure(kind)?)));
            series.push(figures.collect::<Result<_>>()?);
        }
        Ok(series)
    }

    fn failover(&self) -> Result<String> {
        // The bare forwarder has one endpoint.
        let kinds: Vec<Kind> = self
            .kinds
            .iter()
            .copied()
            .filter(|kind| *kind != Kind::Bare)
            .collect();
        let mut text = String::from(
            "| one of two endpoints bad for 5 s | proxy | client errors | requests spent on the bad one | p99, ms |\n\
             | --- | --- | ---: | ---: | ---: |\n",
        );
        for fault in FAULTS {
            for outcome in failover::fail(fault, &kinds, self.zephyr, self.scratch)? {
                let wasted = match outcome.kind {
                    Kind::Direct => "–".to_owned(),
                    Kind::Bare
                    | Kind::Nginx
                    | Kind::Haproxy
                    | Kind::Zephyr
                    | Kind::Unrecorded
                    | Kind::WithBodies => outcome.wasted.to_string(),
                };
                text += &format!(
                    "| {} | {} | {} of {} | {wasted} | {:.1} |\n",
                    fault.name,
                    outcome.kind.name(),
                    outcome.errors,
                    outcome.requests,
                    outcome.p99,
                );
            }
        }
        Ok(text)
    }
}

impl Series {
    /// A row of added p50 and p99; the ratio is p50's.
    fn added(&self, measure: &str, bar: &'static str) -> Row {
        let mut row = self.row(measure, &[0, 1], Basis::Added, 0);
        row.bar = bar;
        row
    }

    /// A row of these figures; the ratio is that of the figure `compared`.
    fn row(&self, measure: &str, figures: &[usize], basis: Basis, compared: usize) -> Row {
        let cell = |kind| {
            let told = figures
                .iter()
                .map(|&figure| self.of(kind, figure, basis).map(rounded));
            let told: Option<Vec<String>> = told.collect();
            Some((kind, told?.join(" / ")))
        };
        let compared = if figures.len() == 1 {
            figures[0]
        } else {
            compared
        };
        Row {
            measure: measure.to_owned(),
            cells: Kind::ALL.into_iter().filter_map(cell).collect(),
            ratio: self
                .ratio(Kind::Zephyr, Kind::Bare, compared, basis)
                .map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}")),
            bar: "",
        }
    }
}

fn rounded(value: f64) -> String {
    if value.abs() < 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    }
}

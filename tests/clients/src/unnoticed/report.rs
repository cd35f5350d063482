//! What came of all trials, as lines while they run, and as a page.

use std::fmt::Write as _;
use std::time::Duration;

use super::fault::{Bar, Fault};
use super::start::Start;
use super::trial::{LIMIT, Trial, Usual};

/// One fault with what came of it.
#[derive(Clone, Debug)]
pub struct Row {
    pub fault: Fault,
    pub warm: Option<Trial>,
    pub cold: Option<Trial>,
}

/// All of them.
#[derive(Debug)]
pub struct Report<'u> {
    pub usual: &'u Usual,
    pub rows: Vec<Row>,
    /// How many trials ran at the same time.
    pub at_once: usize,
    /// The day, the commit and the machine.
    pub machine: String,
}

impl Row {
    /// The trials that there were.
    pub fn trials(&self) -> impl Iterator<Item = &Trial> {
        self.warm.iter().chain(&self.cold)
    }

    /// The trial with this start, if there was one.
    pub fn trial(&self, start: Start) -> Option<&Trial> {
        match start {
            Start::Warm => self.warm.as_ref(),
            Start::Cold => self.cold.as_ref(),
        }
    }

    /// Whether Zephyr did what is asked of it. `None`: nothing is asked, or it was not tried.
    pub fn is_held(&self, start: Start, usual: &Usual) -> Option<bool> {
        self.trial(start)?.holds(&self.fault, start, usual)
    }
}

impl Trial {
    /// Whether Zephyr did what is asked of it. `None`: nothing is.
    pub fn holds(&self, fault: &Fault, start: Start, usual: &Usual) -> Option<bool> {
        let is_done = self.finished && self.same;
        match fault.bar {
            Bar::Unnoticed => {
                let is_soon = fault
                    .bar
                    .allows(start)
                    .is_none_or(|allowed| self.more(start, usual) <= allowed.as_secs_f64());
                Some(is_done && is_soon)
            }
            Bar::WaitedFor => Some(is_done && self.requests == usual.requests()),
            Bar::None => None,
        }
    }

    /// How many seconds longer than usual it took.
    pub fn more(&self, start: Start, usual: &Usual) -> f64 {
        self.took.as_secs_f64() - usual.took(start).as_secs_f64()
    }

    /// In a line.
    pub fn line(&self, fault: &Fault, start: Start, usual: &Usual) -> String {
        let finished = if self.finished {
            "finished"
        } else {
            "NOT FINISHED"
        };
        let same = if self.same { "same" } else { "OTHER OUTPUT" };
        let held = match self.holds(fault, start, usual) {
            Some(true) => "",
            Some(false) => "  <- missed",
            None => "  (no bar)",
        };
        let asked = self.asked.map_or("?".to_owned(), |count| count.to_string());
        format!(
            "{}: {}, {start:?}: {finished}, {same}, {:+} requests, asked {asked} times, {:+.1} s{held}",
            fault.family,
            fault.name,
            self.requests.cast_signed() - usual.requests().cast_signed(),
            self.more(start, usual),
        )
    }
}

impl Report<'_> {
    /// How many faults were held, and how many there are to hold.
    pub fn held(&self, start: Start) -> (usize, usize) {
        let held = self
            .rows
            .iter()
            .filter_map(|row| row.is_held(start, self.usual));
        held.fold((0, 0), |(held, all), this| {
            (held + usize::from(this), all + 1)
        })
    }

    /// How many faults were tried.
    pub fn tried(&self, start: Start) -> usize {
        let tried = self.rows.iter().filter(|row| row.trial(start).is_some());
        tried.count()
    }

    /// As Markdown.
    pub fn page(&self) -> String {
        let mut page = String::from(INTRODUCTION);
        let _ = writeln!(page, "\n{}\n", self.machine);
        self.summary(&mut page);
        self.method(&mut page);
        let mut family = "";
        for row in &self.rows {
            if row.fault.family != family {
                family = row.fault.family;
                let _ = write!(page, "\n## {family}\n{}\n{HEAD}", preface(family));
            }
            self.row(row, &mut page);
        }
        page
    }

    fn summary(&self, page: &mut String) {
        let with_bar = self.rows.iter().filter(|row| row.fault.bar != Bar::None);
        let _ = writeln!(
            page,
            "**{} faults, {} of them with a bar: {}; {}.**\n",
            self.rows.len(),
            with_bar.count(),
            self.sum(Start::Warm, "warm"),
            self.sum(Start::Cold, "cold"),
        );
    }

    fn sum(&self, start: Start, word: &str) -> String {
        let (held, all) = self.held(start);
        let trials = self.rows.iter().filter_map(|row| {
            let trial = row.trial(start)?;
            (row.fault.bar == Bar::Unnoticed).then(|| trial.more(start, self.usual))
        });
        let longest = trials.fold(0.0, f64::max);
        let trials = self.rows.iter().filter_map(|row| row.trial(start));
        let noticed = trials.filter(|trial| trial.requests > self.usual.requests());
        format!(
            "{word}, {held} of {all} held, {longest:.1} s more at most, and in {} Claude Code had to ask again",
            noticed.count()
        )
    }

    fn method(&self, page: &mut String) {
        let one_at_a_time = match self.at_once {
            1 => "one trial at a time".to_owned(),
            count => format!("{count} trials at a time"),
        };
        let _ = writeln!(
            page,
            "The job without a fault: {} warm, {} cold (median; shortest and longest in brackets), {} \
             requests, the first of {} KB. Run with {one_at_a_time}. A job that takes more than {} s is ended.",
            self.times(Start::Warm),
            self.times(Start::Cold),
            self.usual.requests(),
            self.usual.size() / 1000,
            LIMIT.as_secs(),
        );
    }

    fn times(&self, start: Start) -> String {
        let seconds = |time: Option<&Duration>| time.copied().unwrap_or_default().as_secs_f64();
        let times = self.usual.times(start);
        format!(
            "{:.2} s ({:.2} to {:.2})",
            self.usual.took(start).as_secs_f64(),
            seconds(times.first()),
            seconds(times.last()),
        )
    }

    fn row(&self, row: &Row, page: &mut String) {
        let checks = row.fault.checks_in_words();
        let has_bar = row.fault.bar != Bar::None;
        let finished = both(row, |trial| yes(trial.finished, has_bar));
        let same = both(row, |trial| yes(trial.same, has_bar));
        let requests = both(row, |trial| {
            trial
                .requests
                .saturating_sub(self.usual.requests())
                .to_string()
        });
        let asked = both(row, |trial| {
            trial
                .asked
                .map_or("–".to_owned(), |count| count.to_string())
        });
        let _ = writeln!(
            page,
            "| {} | {checks} | {asked} | {finished} | {same} | {requests} | {} | {} |",
            row.fault.name.replace('|', "\\|"),
            self.more(row, Start::Warm),
            self.more(row, Start::Cold),
        );
    }

    fn more(&self, row: &Row, start: Start) -> String {
        let Some(trial) = row.trial(start) else {
            return "–".to_owned();
        };
        // Less than without a fault is no gain but what times differ by themselves.
        let more = trial.more(start, self.usual).max(0.0);
        match row.is_held(start, self.usual) {
            Some(false) => format!("**{more:.1}**"),
            Some(true) | None => format!("{more:.1}"),
        }
    }
}

/// What is true of both trials, or of the warm and of the cold one.
fn both(row: &Row, show: impl Fn(&Trial) -> String) -> String {
    let mut shown: Vec<String> = row.trials().map(show).collect();
    shown.dedup();
    shown.join(" / ")
}

fn yes(is_so: bool, has_bar: bool) -> String {
    match (is_so, has_bar) {
        (true, _) => "yes",
        (false, true) => "**no**",
        (false, false) => "no",
    }
    .to_owned()
}

/// What has to be said before a table.
fn preface(family: &str) -> &'static str {
    if family == super::faults::PATIENCE {
        PATIENCE
    } else {
        ""
    }
}

const HEAD: &str = "\
| fault | checks | asked | finished | same output | more requests | s more, warm | s more, cold |
| --- | --- | --- | --- | --- | --- | --- | --- |
";

const INTRODUCTION: &str = "\
# What Claude Code notices

Written by `cargo xtask unnoticed`; do not edit. The list of faults is `tests/clients/src/unnoticed/faults.rs`.

The real Claude Code, from npm in the version that `tests/clients/package.json` pins, does a job of two turns
through a release build of Zephyr with default settings: it calls a tool that reads a file, and tells what the file
says. Behind Zephyr are three endpoints on this machine. The first is the fastest and is named first, so that Zephyr
prefers it, and it has a fault **for good**: it does nothing else. (Where three are bad, there are four.) Each trial
has a Zephyr, a data folder and a home of its own, and each fault is tried twice:

- **warm**: all endpoints have been checked, and 24 answers (20 streams, 4 in one piece) to requests of Claude Code's
  have come through before the fault begins. (A wrong address is there from the beginning.) The job may take 3 s
  longer than without a fault.
- **cold**: the fault is there first, then Zephyr starts, and Claude Code as soon as the port listens. Nothing has
  been measured. The job may take 8 s longer.

An endpoint that works takes 0.30 s to the first event (the second 0.42 s, the third 0.54 s, the fourth 0.66 s) and
then sends fifty pieces a second, so that a part of what a fault costs is the slower endpoint. One that is told to go
on with an answer that broke off says the answer again from its start.

| column | says |
| --- | --- |
| checks | What becomes of Zephyr's own checks at the endpoint that fails. *Pass* is the worse of the two: a check of \
one token is answered as if all were well, and only real requests fail. It is used wherever a check gets as far as a \
request, except where the name of the fault says otherwise. |
| asked | How many requests of the job that endpoint received. –: none gets so far. |
| finished | Claude Code ended with exit code 0. |
| same output | It printed what it prints without a fault. |
| more requests | How many it made in addition. Whenever an answer breaks off after its first content, Claude Code \
notices and asks again by itself. |
| s more | How many seconds longer than without a fault the job took. |

Two values in a cell are warm / cold. What misses its bar is **bold**.
";

const PATIENCE: &str = "
Models pause for long while they think, and while they write a tool's input. Nobody can tell such a pause from an
endpoint that is dead, so a program that lost patience here would break what works. Where the answer goes on, it has to
be waited for: the same output, and no request more. Where it never does, there is no bar.
";

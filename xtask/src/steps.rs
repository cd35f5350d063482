//! Named steps, one after the other. The first step that fails ends the run, and the error names it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::tally::Tally;

/// The steps that have run so far.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    done: Vec<(&'static str, Duration)>,
    tally: Tally,
}

impl Steps {
    /// Runs a step that counts no tests.
    pub(crate) fn step(
        &mut self,
        name: &'static str,
        carry_out: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        self.counted(name, || carry_out().map(|()| Tally::default()))
    }

    /// Runs a step that counts its tests.
    pub(crate) fn counted(
        &mut self,
        name: &'static str,
        carry_out: impl FnOnce() -> Result<Tally>,
    ) -> Result<()> {
        println!("\n==> {name}");
        let started = Instant::now();
        let outcome = carry_out();
        let took = started.elapsed();
        let tally =
            outcome.with_context(|| format!("step `{name}` failed after {}", Seconds(took)))?;
        println!("<== {name}: ok, {}", Seconds(took));
        self.tally += tally;
        self.done.push((name, took));
        Ok(())
    }

    /// Prints how long each step and the whole run took, and the number of tests.
    pub(crate) fn summarise(&self) {
        println!();
        for (name, took) in &self.done {
            println!("{name:<12} {:>10}", Seconds(*took).to_string());
        }
        let total = self.done.iter().map(|(_, took)| *took).sum();
        println!("{:<12} {:>10}", "all steps", Seconds(total).to_string());
        println!("{}", self.tally);
    }
}

/// A duration as people write it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seconds(pub(crate) Duration);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.1} s", self.0.as_secs_f64())
    }
}

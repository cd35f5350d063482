//! Memory, start and idleness of programs that have just been started.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::load;
use crate::process;
use crate::target::{Endpoints, Kind, Target};

/// How long a program that was started is left alone before it counts as idle.
const SETTLE: Duration = Duration::from_secs(2);

/// Where the programs are, and in front of what they are started.
pub(crate) struct Stage<'a> {
    /// The endpoint.
    pub(crate) endpoints: &'a Endpoints,
    /// `zephyr`.
    pub(crate) zephyr: &'a Path,
    /// For their files.
    pub(crate) scratch: &'a Path,
}

impl Stage<'_> {
    /// Starts one, fresh.
    pub(crate) fn start(&self, kind: Kind) -> Result<Target> {
        Target::start(
            kind,
            &self.endpoints.addresses[..1],
            self.zephyr,
            self.scratch,
        )
    }

    /// Milliseconds from the start to the first answer.
    pub(crate) fn start_time(&self, kind: Kind) -> Result<Vec<f64>> {
        Ok(vec![self.start(kind)?.took.as_secs_f64() * 1e3])
    }

    /// Megabytes when idle; the most of 32 connections with 100 KB bodies.
    pub(crate) fn memory(&self, kind: Kind) -> Result<Vec<f64>> {
        let target = self.start(kind)?;
        let pid = target.pid().context("the direct way has no memory")?;
        thread::sleep(SETTLE);
        let idle = process::resident(pid)?;
        load::at_once(&target, 32, 100 * 1024, Duration::from_secs(3))?;
        Ok(vec![
            megabytes(idle),
            megabytes(process::most_resident(pid)?),
        ])
    }

    /// Kilobytes for each of so many streams at once, and the most megabytes of all.
    pub(crate) fn streams(&self, kind: Kind, streams: usize) -> Result<Vec<f64>> {
        let target = self.start(kind)?;
        let pid = target.pid().context("the direct way has no memory")?;
        load::at_once(&target, 1, 1024, Duration::from_millis(500))?;
        let before = process::resident(pid)?;
        let mut during = 0;
        load::paced(target.address, streams, 8, Duration::from_secs(1), || {
            during = process::resident(pid)?;
            Ok(())
        })?;
        let each = during.saturating_sub(before) as f64 / 1024.0 / streams as f64;
        Ok(vec![each, megabytes(during)])
    }

    /// Megabytes that so many requests add, after as many again that do not count; for each million.
    pub(crate) fn growth(&self, kind: Kind, requests: usize) -> Result<Vec<f64>> {
        let target = self.start(kind)?;
        let pid = target.pid().context("the direct way has no memory")?;
        load::many(&target, 32, 1024, requests)?;
        let before = process::resident(pid)?;
        load::many(&target, 32, 1024, requests)?;
        let grown = megabytes(process::resident(pid)?) - megabytes(before);
        Ok(vec![grown / (requests as f64 / 1e6)])
    }

    /// Wake-ups a second while nothing is asked.
    pub(crate) fn wake_ups(&self, kind: Kind, span: Duration) -> Result<Vec<f64>> {
        let target = self.start(kind)?;
        let pid = target.pid().context("the direct way has no process")?;
        thread::sleep(SETTLE);
        let begun = Instant::now();
        let before = process::wake_ups(pid)?;
        thread::sleep(span);
        let woken = process::wake_ups(pid)? - before;
        Ok(vec![woken as f64 / begun.elapsed().as_secs_f64()])
    }
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}

//! What the system says of a process: processor time, memory, wake-ups.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};

/// Processor time of all its threads that are still there. In nanoseconds, where `/proc/PID/stat` has
/// hundredths of seconds.
pub(crate) fn cpu_time(pid: u32) -> Result<Duration> {
    let mut nanos = 0;
    for task in tasks(pid)? {
        let text = fs::read_to_string(task.join("schedstat"))?;
        let spent = text.split(' ').next().context("an empty schedstat")?;
        nanos += spent.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanos))
}

/// How often its threads have gone to sleep of their own accord.
pub(crate) fn wake_ups(pid: u32) -> Result<u64> {
    let mut count = 0;
    for task in tasks(pid)? {
        count += field(&task.join("status"), "voluntary_ctxt_switches")?;
    }
    Ok(count)
}

/// Memory that is resident now, in bytes.
pub(crate) fn resident(pid: u32) -> Result<u64> {
    Ok(field(&status(pid), "VmRSS")? * 1024)
}

/// The most memory that was ever resident, in bytes.
pub(crate) fn most_resident(pid: u32) -> Result<u64> {
    Ok(field(&status(pid), "VmHWM")? * 1024)
}

fn status(pid: u32) -> PathBuf {
    format!("/proc/{pid}/status").into()
}

fn tasks(pid: u32) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(format!("/proc/{pid}/task"))?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

fn field(path: &PathBuf, name: &str) -> Result<u64> {
    let text = fs::read_to_string(path)?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .with_context(|| format!("{} has no {name}", path.display()))?;
    let number = line.split_whitespace().next().unwrap_or_default();
    Ok(number.parse()?)
}

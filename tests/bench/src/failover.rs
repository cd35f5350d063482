//! One of two endpoints fails for five seconds, under sixty requests a second.

use std::net::SocketAddr;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

use crate::client::{Ask, Line, request};
use crate::statistics::percentile;
use crate::target::{Endpoints, Kind, Target};

const PACE: Duration = Duration::from_nanos(1_000_000_000 / 60);
const BEFORE: Duration = Duration::from_millis(1500);
const BAD: Duration = Duration::from_secs(5);
const AFTER: Duration = Duration::from_millis(1500);

/// A way to be bad.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    /// As the table calls it.
    pub(crate) name: &'static str,
    /// As the endpoint knows it.
    mode: &'static str,
    /// Size of the requests' bodies.
    body: usize,
}

/// All of them.
pub(crate) const FAULTS: [Fault; 4] = [
    Fault {
        name: "reset",
        mode: "reset",
        body: 1024,
    },
    Fault {
        name: "reset, 200 KB bodies",
        mode: "reset",
        body: 200 * 1024,
    },
    Fault {
        name: "500",
        mode: "500",
        body: 1024,
    },
    Fault {
        name: "529",
        mode: "529",
        body: 1024,
    },
];

/// What became of a program's requests.
pub(crate) struct Outcome {
    /// Which program.
    pub(crate) kind: Kind,
    /// Requests in all.
    pub(crate) requests: usize,
    /// Requests that their client had an error from.
    pub(crate) errors: usize,
    /// Requests that the bad endpoint was sent while it was bad.
    pub(crate) wasted: u64,
    /// 99 of 100 took no longer, in milliseconds.
    pub(crate) p99: f64,
}

/// Lets the first of two endpoints fail, for all programs at once, each with endpoints of its own.
pub(crate) fn fail(
    fault: Fault,
    kinds: &[Kind],
    zephyr: &Path,
    scratch: &Path,
) -> Result<Vec<Outcome>> {
    thread::scope(|scope| {
        let running: Vec<_> = kinds
            .iter()
            .map(|&kind| scope.spawn(move || fail_one(fault, kind, zephyr, scratch)))
            .collect();
        let ended = running.into_iter().map(|running| {
            let outcome = running.join();
            outcome.unwrap_or_else(|_| Err(anyhow!("a client has panicked")))
        });
        ended.collect()
    })
}

fn fail_one(fault: Fault, kind: Kind, zephyr: &Path, scratch: &Path) -> Result<Outcome> {
    let endpoints = Endpoints::start(2)?;
    let target = Target::start(kind, &endpoints.addresses, zephyr, scratch)?;
    let address = target.address;
    thread::scope(|scope| {
        let calls = scope.spawn(move || call(address, fault.body));
        thread::sleep(BEFORE);
        let mut wasted = 0;
        // The direct way has nowhere else to go: it is there for its latency.
        if kind != Kind::Direct {
            endpoints.switch(0, fault.mode)?;
            thread::sleep(BAD);
            wasted = endpoints.switch(0, "good")?;
        }
        let calls = calls.join().map_err(|_| anyhow!("a client has panicked"))?;
        let mut times: Vec<f64> = calls.iter().map(|call| call.millis).collect();
        Ok(Outcome {
            kind,
            requests: calls.len(),
            errors: calls.iter().filter(|call| call.failed).count(),
            wasted,
            p99: percentile(&mut times, 99.0),
        })
    })
}

struct Call {
    millis: f64,
    failed: bool,
}

fn call(address: SocketAddr, body: usize) -> Vec<Call> {
    let request = request(Ask::Message, body);
    let begun = Instant::now();
    let mut due = begun;
    let mut line = None;
    let mut calls = Vec::new();
    while begun.elapsed() < BEFORE + BAD + AFTER {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        due += PACE;
        let sent = Instant::now();
        let answered = match line.take() {
            Some(line) => Ok(line),
            None => Line::open(address),
        };
        let answered = answered.and_then(|mut line| Ok((line.exchange(&request)?, line)));
        let failed = match answered {
            Ok((timing, kept)) => {
                line = Some(kept);
                timing.status != 200
            }
            Err(_) => true,
        };
        calls.push(Call {
            millis: sent.elapsed().as_secs_f64() * 1e3,
            failed,
        });
    }
    calls
}

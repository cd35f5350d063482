//! What Zephyr costs, beside a bare forwarder, nginx and HAProxy, all against the same fake endpoint.
//!
//! Every proxy is a process of its own, and so is the endpoint; this one is the client. A round
//! measures all of them one after the other, the next round in another order, so that whatever else
//! the machine does falls on all of them; what is told is the median of the rounds. The method is
//! described in `docs/performance.md`. The programs measured read nothing of this crate.

#[cfg(target_os = "linux")]
mod answer;
#[cfg(target_os = "linux")]
mod client;
#[cfg(target_os = "linux")]
mod endpoint;
#[cfg(target_os = "linux")]
mod failover;
#[cfg(target_os = "linux")]
mod footprint;
#[cfg(target_os = "linux")]
mod forwarder;
#[cfg(target_os = "linux")]
mod load;
#[cfg(target_os = "linux")]
mod process;
#[cfg(target_os = "linux")]
mod run;
#[cfg(target_os = "linux")]
mod statistics;
#[cfg(target_os = "linux")]
mod table;
#[cfg(target_os = "linux")]
mod target;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["endpoint", listeners] => endpoint::run(listeners),
        ["forwarder", upstream] => forwarder::run(upstream),
        ["run", zephyr, filters @ ..] => run::run(zephyr.as_ref(), filters),
        _ => Err(anyhow::anyhow!(
            "usage: zephyr-bench run ZEPHYR [--rounds N] [FILTER]..."
        )),
    };
    match outcome {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("zephyr-bench: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn main() -> std::process::ExitCode {
    eprintln!("zephyr-bench: it reads /proc, which only Linux has");
    std::process::ExitCode::FAILURE
}

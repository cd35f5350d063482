//! Log lines on stderr: the configured level for our own crates, `info` for what we are built of, and
//! `RUST_LOG` instead of both.

use std::env;
use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;
use zephyr_core::config::LogLevel;

use crate::status::Colours;

/// Writes log lines from now on. To be called once.
pub fn start(level: LogLevel) {
    let filter = env::var("RUST_LOG").ok().filter(|value| !value.is_empty());
    let filter = filter.unwrap_or_else(|| directives(level));
    let no_colour = env::var("NO_COLOR").ok();
    let colours = Colours::choose(io::stderr().is_terminal(), no_colour.as_deref());
    tracing_subscriber::fmt()
        .compact()
        .with_target(false)
        .with_writer(io::stderr)
        .with_ansi(colours == Colours::Ansi)
        .with_env_filter(EnvFilter::new(filter))
        .init();
}

fn directives(level: LogLevel) -> String {
    let (others, ours) = match level {
        LogLevel::Error => return "error".to_owned(),
        LogLevel::Warn => return "warn".to_owned(),
        LogLevel::Info => return "info".to_owned(),
        LogLevel::Debug => ("info", "debug"),
        LogLevel::Trace => ("info", "trace"),
    };
    format!(
        "{others},zephyr={ours},zephyr_cli={ours},zephyr_core={ours},zephyr_desktop={ours},zephyr_engine={ours}"
    )
}

//! `[health_check]` of the file and of groups.

use zephyr_core::config::{HealthCheck, ProbeMode};

use super::spans::{DAY_SECONDS, YEAR_SECONDS};
use super::table::Table;
use crate::program::find_program;

/// Reads the table. `defaults` are those of the file for a group's table.
pub(crate) fn health_check(table: &Table<'_>, defaults: &HealthCheck) -> HealthCheck {
    let interval = table.seconds("interval_seconds", 1..=YEAR_SECONDS, defaults.interval);
    // An interval without bounds moves the default bounds, so that it never contradicts them.
    let shortest = defaults.min_interval.min(interval);
    let longest = defaults.max_interval.max(interval);
    let check = HealthCheck {
        mode: table.choice("mode", defaults.mode),
        model: table.filled_text("model", &defaults.model),
        interval,
        dynamic_scaling: table.flag("dynamic_scaling", defaults.dynamic_scaling),
        min_interval: table.seconds("min_interval_seconds", 1..=YEAR_SECONDS, shortest),
        max_interval: table.seconds("max_interval_seconds", 1..=YEAR_SECONDS, longest),
        timeout: table.seconds("timeout_seconds", 1..=DAY_SECONDS, defaults.timeout),
        daily_budget_usd: table.amount("daily_budget_usd", defaults.daily_budget_usd),
        claude_binary_path: table.filled_text("claude_binary_path", &defaults.claude_binary_path),
    };
    let says = |key| table.has(key);
    if check.timeout >= check.interval && (says("timeout_seconds") || says("interval_seconds")) {
        let key = if says("timeout_seconds") {
            "timeout_seconds"
        } else {
            "interval_seconds"
        };
        table.warn(
            key,
            "lets a probe last as long as the time between two probes",
            "make timeout_seconds smaller than interval_seconds",
        );
    }
    if check.mode == ProbeMode::ClaudeCli
        && (says("mode") || says("claude_binary_path"))
        && find_program(&check.claude_binary_path).is_none()
    {
        table.warn(
            "claude_binary_path",
            "names no program that can be started, so endpoints are checked for free instead",
            "write the whole path of the Claude CLI, or install it and save this file again, or choose \
             another mode",
        );
    }
    if check.dynamic_scaling && check.min_interval > check.interval {
        table.error(
            "min_interval_seconds",
            "is longer than interval_seconds",
            "write at most the value of interval_seconds",
        );
    }
    if check.dynamic_scaling && check.max_interval < check.interval {
        table.error(
            "max_interval_seconds",
            "is shorter than interval_seconds",
            "write at least the value of interval_seconds",
        );
    }
    check
}

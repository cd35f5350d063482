//! Sums: one line each.

use zephyr_control::{Usage, UsageReport};

use super::line::Line;

/// Sums as a table, without their total.
pub fn usage_csv(report: &UsageReport) -> String {
    let mut text = USAGE.join(",") + "\r\n";
    for row in &report.rows {
        let Usage {
            requests,
            failed,
            tokens,
            cost_usd,
            unpriced,
            cache_saved_usd,
            cache_lost_usd,
            probes_usd,
            second_attempts,
            overtaken_cost_usd,
        } = row.usage;
        let mut line = Line::default();
        line.text(&row.key).number(requests).number(failed);
        line.tokens(Some(&tokens));
        line.number(cost_usd).number(unpriced);
        line.number(cache_saved_usd).number(cache_lost_usd);
        line.number(probes_usd);
        line.number(second_attempts).number(overtaken_cost_usd);
        text.push_str(&line.end());
    }
    text
}

const USAGE: [&str; 16] = [
    "key",
    "requests",
    "failed",
    "input_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cache_read_tokens",
    "output_tokens",
    "thinking_tokens",
    "cost_usd",
    "unpriced_requests",
    "cache_saved_usd",
    "cache_lost_usd",
    "checks_usd",
    "second_attempts",
    "overtaken_cost_usd",
];

//! The words that the file has for values.

use zephyr_core::config::{
    Language, LogBody, LogLevel, LogRequests, Patience, ProbeAs, ProbeMode, Strategy, Theme,
};

use super::table::Spelled;

impl Spelled for Strategy {
    const SPELLINGS: &'static [(&'static str, Self)] = &[
        ("latency", Self::Latency),
        ("priority", Self::Priority),
        ("price", Self::Price),
        ("round_robin", Self::RoundRobin),
        ("weighted_round_robin", Self::WeightedRoundRobin),
        ("random", Self::Random),
    ];
}

impl Spelled for Patience {
    const SPELLINGS: &'static [(&'static str, Self)] =
        &[("auto", Self::Auto), ("fixed", Self::Fixed)];
}

impl Spelled for ProbeMode {
    const SPELLINGS: &'static [(&'static str, Self)] = &[
        ("message", Self::Message),
        ("count_tokens", Self::CountTokens),
        ("models", Self::Models),
        ("connect", Self::Connect),
        ("claude_cli", Self::ClaudeCli),
        ("off", Self::Off),
    ];
}

impl Spelled for ProbeAs {
    const SPELLINGS: &'static [(&'static str, Self)] =
        &[("zephyr", Self::Zephyr), ("claude-code", Self::ClaudeCode)];
}

impl Spelled for LogLevel {
    const SPELLINGS: &'static [(&'static str, Self)] = &[
        ("trace", Self::Trace),
        ("debug", Self::Debug),
        ("info", Self::Info),
        ("warn", Self::Warn),
        ("error", Self::Error),
    ];
}

impl Spelled for LogRequests {
    const SPELLINGS: &'static [(&'static str, Self)] = &[
        ("failed", Self::Failed),
        ("success", Self::Success),
        ("all", Self::All),
    ];
}

impl Spelled for LogBody {
    const SPELLINGS: &'static [(&'static str, Self)] = &[
        ("none", Self::None),
        ("truncated", Self::Truncated),
        ("full", Self::Full),
    ];
}

impl Spelled for Language {
    const SPELLINGS: &'static [(&'static str, Self)] =
        &[("auto", Self::Auto), ("en", Self::En), ("zh", Self::Zh)];
}

impl Spelled for Theme {
    const SPELLINGS: &'static [(&'static str, Self)] = &[
        ("auto", Self::Auto),
        ("light", Self::Light),
        ("dark", Self::Dark),
    ];
}

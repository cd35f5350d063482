//! Shows what Zephyr makes of a recorded answer, and which of the user's rules it meets.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::anyhow;
use zephyr_control::text;
use zephyr_core::config::{Auth, Config};
use zephyr_engine::{AskedOf, Recorded, explain};
use zephyr_process::language;

use crate::arguments::Answer;
use crate::configuration;
use crate::failure::Failure;
use crate::journal::{self, Phrase};
use crate::names;
use crate::output;

/// Any recorded answer is shorter than this, in bytes.
const LARGEST: u64 = 16 * 1024 * 1024;

/// `zephyr explain FILE`.
pub(crate) fn answer(config: Option<&Path>, asked: &Answer) -> Result<(), Failure> {
    let config = configuration::read(config)?.0.config;
    let recorded = read(&asked.file)?;
    let explanation = explain(&recorded, asked_of(asked, &config)?, &config);
    let look = output::look(language::spoken(config.ui.language));
    output::print(&journal::explained(recorded.status(), &explanation, &look))
}

/// `zephyr rules test FILE`.
pub(crate) fn test_rules(config: Option<&Path>, asked: &Answer) -> Result<(), Failure> {
    let config = configuration::read(config)?.0.config;
    if config.failover.rules.is_empty() {
        return Err(Failure::Operation(anyhow!(
            "there are no rules; write [[failover.rules]] into the configuration (see config.toml.example)"
        )));
    }
    let recorded = read(&asked.file)?;
    let of = asked_of(asked, &config)?;
    let language = language::spoken(config.ui.language);
    let body = recorded.plain();
    let mut lines = String::new();
    let mut decided = false;
    for (at, rule) in config.failover.rules.iter().enumerate() {
        let number = at + 1;
        let phrase = match rule.meets(recorded.status(), &body, of.endpoint, of.model) {
            false => Phrase::RuleDoesNotFit { number },
            true if decided => Phrase::RuleFitsLater { number },
            true => Phrase::RuleDecides { number },
        };
        decided |= matches!(phrase, Phrase::RuleDecides { .. });
        lines.push_str(&text(language, &phrase));
        lines.push('\n');
    }
    let explanation = explain(&recorded, of, &config);
    let told = journal::explained(recorded.status(), &explanation, &output::look(language));
    output::print(&format!("{lines}\n{told}"))
}

fn asked_of<'a>(asked: &'a Answer, config: &'a Config) -> Result<AskedOf<'a>, Failure> {
    let known = config
        .endpoints
        .iter()
        .map(|endpoint| endpoint.name.as_str());
    let endpoint = match &asked.endpoint {
        Some(typed) => names::resolve(typed, known)?,
        None => "",
    };
    let spec = config.endpoints.iter().find(|spec| spec.name == endpoint);
    Ok(AskedOf {
        endpoint,
        model: asked.model.as_deref(),
        own_credential: spec.is_none_or(|spec| matches!(spec.auth, Auth::Ours { .. })),
    })
}

/// Reads `-` as stdin.
fn read(path: &Path) -> Result<Recorded, Failure> {
    let name = path.display();
    let text = if path == Path::new("-") {
        whole(io::stdin())
    } else {
        File::open(path).and_then(whole)
    };
    let text = text.map_err(|error| Failure::usage(format!("{name} cannot be read: {error}")))?;
    Recorded::read(&text).map_err(|error| {
        Failure::usage(format!(
            "{name} is no recorded answer: {error}; record one with `curl -i`"
        ))
    })
}

fn whole(file: impl Read) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    file.take(LARGEST).read_to_end(&mut text)?;
    Ok(text)
}

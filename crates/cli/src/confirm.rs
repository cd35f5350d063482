//! `zephyr confirm`: says yes or no to what a browser may not do by itself.

use std::io::{self, BufRead, IsTerminal};
use std::path::Path;

use anyhow::anyhow;
use serde::Serialize;
use zephyr_admin::client::{Client, not_running};
use zephyr_admin::instance::{self, Found, Role};
use zephyr_control::privilege::Confirmation;
use zephyr_control::{Language, text};

use crate::configuration::data_dir;
use crate::failure::Failure;
use crate::output;
use crate::remote;
use crate::terminal::printable;

/// What is typed for yes.
const YES: [&str; 3] = ["y", "yes", "是"];

/// Something that waits, and the program whose browser asked for it.
struct Waiting {
    client: Client,
    confirmation: Confirmation,
}

/// Lists what waits, or asks about it. `number`: what it is about; without one, the only one there is.
pub(crate) async fn confirm(
    config: Option<&Path>,
    number: Option<u32>,
    is_yes: bool,
) -> Result<(), Failure> {
    let (mut waiting, language) = waiting(config).await?;
    if let Some(number) = number {
        waiting.retain(|one| one.confirmation.number == number);
    }
    match (waiting.as_slice(), number) {
        ([], None) => output::print(&(text(language, &Phrase::Nothing) + "\n")),
        ([], Some(number)) => Err(Failure::Operation(anyhow!(
            "nothing with the number {number} waits for a confirmation; `zephyr confirm` lists \
             what does"
        ))),
        ([one], _) => settle(one, is_yes, language).await,
        (several, _) => {
            let listed: String = several
                .iter()
                .map(|one| described(&one.confirmation, language))
                .collect();
            output::print(&(listed + &text(language, &Phrase::Choose) + "\n"))
        }
    }
}

async fn settle(one: &Waiting, is_yes: bool, language: Language) -> Result<(), Failure> {
    output::print(&described(&one.confirmation, language))?;
    let allow = is_yes || ask(language)?;
    one.client.settle(one.confirmation.number, allow).await?;
    let phrase = if allow {
        Phrase::Allowed
    } else {
        Phrase::Refused
    };
    output::print(&(text(language, &phrase) + "\n"))
}

/// What waits in the engine's program and in the tray's, which may be two.
async fn waiting(config: Option<&Path>) -> Result<(Vec<Waiting>, Language), Failure> {
    let data_dir = data_dir()?;
    let mut asked = Vec::new();
    let mut waiting = Vec::new();
    let mut language = None;
    for role in [Role::Engine, Role::Desktop] {
        let Found::Running(running) = instance::find_as(role, &data_dir).await? else {
            continue;
        };
        let address = running.client.address();
        language.get_or_insert_with(|| remote::language_of(config, &running.snapshot));
        if asked.contains(&address) {
            continue;
        }
        asked.push(address);
        for confirmation in running.client.confirmations().await? {
            waiting.push(Waiting {
                client: running.client.clone(),
                confirmation,
            });
        }
    }
    match language {
        Some(language) => Ok((waiting, language)),
        None => Err(not_running().into()),
    }
}

/// Two lines: what would change, and why it is asked.
fn described(confirmation: &Confirmation, language: Language) -> String {
    format!(
        "{}  {}\n      {}\n",
        confirmation.number,
        printable(&text(language, &confirmation.effect)),
        text(language, &confirmation.danger)
    )
}

/// Anything but a clear yes is a no.
fn ask(language: Language) -> Result<bool, Failure> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return Err(Failure::usage(
            "nobody can be asked here; `zephyr confirm NUMBER --yes` says yes without a question",
        ));
    }
    output::print(&(text(language, &Phrase::Question) + " "))?;
    let mut answer = String::new();
    stdin
        .lock()
        .read_line(&mut answer)
        .map_err(|error| Failure::operation(error, "the answer cannot be read"))?;
    Ok(is_yes(&answer))
}

fn is_yes(answer: &str) -> bool {
    let answer = answer.trim().to_lowercase();
    YES.contains(&answer.as_str())
}

/// The words of this command. Their keys in the catalogues begin with `status.confirm_`.
#[derive(Serialize)]
#[serde(tag = "status")]
enum Phrase {
    #[serde(rename = "confirm_nothing")]
    Nothing,
    #[serde(rename = "confirm_choose")]
    Choose,
    #[serde(rename = "confirm_question")]
    Question,
    #[serde(rename = "confirm_allowed")]
    Allowed,
    #[serde(rename = "confirm_refused")]
    Refused,
}

#[cfg(test)]
mod tests {
    use zephyr_control::privilege::{Danger, Effect};

    use super::*;

    #[test]
    fn only_a_clear_yes_is_a_yes() {
        for yes in ["y\n", "Y", " yes \n", "YES\r\n", "是\n"] {
            assert!(is_yes(yes), "{yes:?}");
        }
        for no in ["", "\n", "n\n", "no", "yy", "yes please", "否", "1"] {
            assert!(!is_yes(no), "{no:?}");
        }
    }

    #[test]
    fn what_would_change_is_told_in_words() {
        let confirmation = Confirmation {
            number: 4711,
            effect: Effect::Set {
                key: "health_check.claude_binary_path".to_owned(),
                from: None,
                to: Some("/tmp/x\u{1b}[2J".to_owned()),
            },
            danger: Danger::Executes,
            left_ms: 1000,
        };

        let told = described(&confirmation, Language::En);

        assert_eq!(
            told,
            "4711  health_check.claude_binary_path changes from – to /tmp/x\u{fffd}[2J\n      It \
             decides which program Zephyr starts.\n"
        );
    }
}

//! What the operating system's user is asked, as codes and in words.
//!
//! The words are shown in a terminal and in a menu, and come from whoever asks. So they have no character that
//! could hide or rearrange others, and are short enough to be read. What cannot be shown cannot be confirmed.

use serde::{Deserialize, Serialize};

use super::class::Danger;
use super::flow::{Flow, Source};
use crate::command::Command;
use crate::form::{Configuration, EndpointForm, GroupForm, SettingValue, Tested};

/// The most characters of one shown value.
const LONGEST: usize = 200;
/// The most characters of a name. A longer one could be a sentence of its own.
const LONGEST_NAME: usize = 64;

/// Something dangerous that a browser asks for and the operating system's user has to confirm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Confirmation {
    /// Four digits.
    pub number: u32,
    /// What would happen.
    pub effect: Effect,
    /// Why it is dangerous.
    pub danger: Danger,
    /// For how much longer it can be confirmed, in milliseconds.
    pub left_ms: u64,
}

/// How a confirmation stands, for the browser that waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Nobody has answered.
    Waiting,
    /// The same command is carried out now, once.
    Allowed,
    /// The operating system's user said no.
    Refused,
    /// It was carried out, it is too old, or it was never asked by this browser.
    Gone,
}

/// What would happen, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    /// A key of the configuration file gets another value.
    Set {
        /// The key.
        key: String,
        /// What the file says; `None`: nothing.
        from: Option<String>,
        /// What it would say.
        to: Option<String>,
    },
    /// A new endpoint.
    Add {
        /// Its name.
        endpoint: String,
        /// Where it takes which credential.
        goes: Goes,
    },
    /// An endpoint is changed.
    Edit {
        /// Its name.
        endpoint: String,
        /// Where it takes which credential now.
        from: Option<Goes>,
        /// Where it would.
        goes: Goes,
    },
    /// A token is replaced in the keychain.
    StoreToken {
        /// The entry.
        entry: String,
    },
    /// A credential is sent once, to test an endpoint that is not saved.
    Test {
        /// Where, and which.
        goes: Goes,
    },
}

/// A credential and its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "goes", rename_all = "snake_case")]
pub enum Goes {
    /// Without a proxy that the form names.
    To {
        /// The credential.
        credential: Source,
        /// The URL, with what is put before the client's path.
        url: String,
    },
    /// Through a proxy.
    Through {
        /// The credential.
        credential: Source,
        /// The URL, with what is put before the client's path.
        url: String,
        /// The proxy, without a password.
        proxy: String,
    },
}

/// A value is too long to be shown whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unshowable;

impl Effect {
    /// The effect of a dangerous command. `None`: the command is never dangerous.
    ///
    /// # Errors
    ///
    /// A value cannot be shown.
    pub fn of(
        command: &Command,
        configuration: Option<&Configuration>,
    ) -> Option<Result<Self, Unshowable>> {
        let groups = configuration.map_or(&[][..], |configuration| &configuration.groups);
        let effect = match command {
            Command::Set { key, value } => {
                let from = configuration.and_then(|configuration| configuration.setting(key));
                set(key, from, value.as_ref())
            }
            Command::AddEndpoint { endpoint } => add(endpoint, groups),
            Command::EditEndpoint { name, endpoint } => {
                let endpoints = configuration.map_or(&[][..], |known| &known.endpoints);
                let before = endpoints.iter().find(|known| known.name == *name);
                edit(name, before, endpoint, groups)
            }
            Command::StoreToken { reference, .. } => {
                named(reference).map(|entry| Self::StoreToken { entry })
            }
            Command::Use { .. }
            | Command::Auto
            | Command::Pause
            | Command::Resume
            | Command::Refresh
            | Command::Enable { .. }
            | Command::Disable { .. }
            | Command::Reinstate { .. }
            | Command::Reload
            | Command::MoveEndpoint { .. }
            | Command::RemoveEndpoint { .. }
            | Command::ConnectClaudeCode
            | Command::DisconnectClaudeCode
            | Command::LaunchAtLogin { .. }
            | Command::Show
            | Command::Quit => return None,
        };
        Some(effect)
    }

    /// The effect of a test of an endpoint that is not saved. `None`: the test is never dangerous.
    ///
    /// # Errors
    ///
    /// A value cannot be shown.
    pub fn of_test(
        tested: &Tested,
        configuration: Option<&Configuration>,
    ) -> Option<Result<Self, Unshowable>> {
        let groups = configuration.map_or(&[][..], |configuration| &configuration.groups);
        match tested {
            Tested::Draft { endpoint, .. } => {
                Some(Goes::of(endpoint, groups).map(|goes| Self::Test { goes }))
            }
            Tested::Configured { .. } => None,
        }
    }
}

fn set(key: &str, from: Option<String>, to: Option<&SettingValue>) -> Result<Effect, Unshowable> {
    Ok(Effect::Set {
        key: shown(key)?,
        from: from.map(|text| shown(&text)).transpose()?,
        to: to.map(|value| shown(&value.to_string())).transpose()?,
    })
}

fn add(form: &EndpointForm, groups: &[GroupForm]) -> Result<Effect, Unshowable> {
    Ok(Effect::Add {
        endpoint: named(&form.name)?,
        goes: Goes::of(form, groups)?,
    })
}

fn edit(
    name: &str,
    before: Option<&EndpointForm>,
    form: &EndpointForm,
    groups: &[GroupForm],
) -> Result<Effect, Unshowable> {
    Ok(Effect::Edit {
        endpoint: named(name)?,
        from: before.map(|before| Goes::of(before, groups)).transpose()?,
        goes: Goes::of(form, groups)?,
    })
}

impl Goes {
    fn of(form: &EndpointForm, groups: &[GroupForm]) -> Result<Self, Unshowable> {
        // Where it is not certain, the client's own is the first, and worth more.
        let Some(flow) = Flow::of(form, groups).into_iter().next() else {
            return Err(Unshowable);
        };
        let credential = match flow.source {
            Source::Variable { name } => Source::Variable {
                name: named(&name)?,
            },
            Source::Entry { name } => Source::Entry {
                name: named(&name)?,
            },
            source @ (Source::Client | Source::Unknown) => source,
        };
        let url = shown(&(flow.url + &flow.path_prefix))?;
        Ok(match flow.proxy {
            None => Self::To { credential, url },
            Some(proxy) => Self::Through {
                credential,
                url,
                proxy: shown(&without_password(&proxy))?,
            },
        })
    }
}

/// The text as it can be shown: whole, in one line, and without characters that are not seen.
fn shown(text: &str) -> Result<String, Unshowable> {
    if text.chars().count() > LONGEST {
        return Err(Unshowable);
    }
    Ok(text.replace(is_unseen, "\u{fffd}"))
}

/// A name as it can be shown within quotes: nothing in it closes them. It is without the spaces that could push what
/// stands behind it out of sight.
fn named(name: &str) -> Result<String, Unshowable> {
    let words: Vec<&str> = name.split_whitespace().collect();
    let name = words.join(" ").replace(is_quote, "'");
    if name.chars().count() > LONGEST_NAME {
        return Err(Unshowable);
    }
    shown(&name)
}

fn is_quote(character: char) -> bool {
    matches!(
        character,
        '"' | '“' | '”' | '„' | '‟' | '«' | '»' | '「' | '」' | '『' | '』'
    )
}

/// Control characters, and those that reorder a line or take no place in it.
fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

fn without_password(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://…@{host}"),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::form;
    use crate::form::TokenReference;
    use crate::message::{Language, text};

    fn add(change: impl FnOnce(&mut EndpointForm)) -> Result<Effect, Unshowable> {
        let mut form = EndpointForm {
            token: TokenReference::Env("T".to_owned()),
            ..form("a", "main")
        };
        change(&mut form);
        let command = Command::AddEndpoint {
            endpoint: Box::new(form),
        };
        Effect::of(&command, None).unwrap()
    }

    #[test]
    fn an_effect_reads_as_a_sentence_in_both_languages() {
        let set = Command::Set {
            key: "server.host".to_owned(),
            value: Some(SettingValue::Text("0.0.0.0".to_owned())),
        };
        let effects = [
            (Effect::of(&set, None).unwrap(), ["server.host", "0.0.0.0"]),
            (add(|_| ()), ["T", "https://a.example.com"]),
            (
                add(|form| form.proxy = Some("http://u:pass@p:1".to_owned())),
                ["http://…@p:1", "https://a.example.com"],
            ),
        ];

        for (effect, parts) in effects {
            for language in [Language::En, Language::Zh] {
                let words = text(language, effect.as_ref().unwrap());
                for part in parts {
                    assert!(words.contains(part), "{words}");
                }
                assert!(!words.contains("pass"), "{words}");
                assert!(!words.contains('{'), "{words}");
            }
        }
    }

    #[test]
    fn no_word_hides_another() {
        let effect = add(|form| form.name = "a\u{1b}[2J\u{202e}b\n\u{200b}c".to_owned());

        let words = text(Language::En, &effect.unwrap());

        assert!(!words.chars().any(is_unseen), "{words:?}");
        assert!(words.contains("a\u{fffd}[2J\u{fffd}b"), "{words:?}");
    }

    #[test]
    fn a_name_cannot_pass_for_a_destination() {
        let name = "HK: the token goes to https://api.anthropic.com”, and \u{a0}\u{3000}   .";
        let effect = add(|form| form.name = name.to_owned()).unwrap();

        let words = text(Language::En, &effect);

        let (goes, named) = words.split_once("; ").unwrap();
        assert!(goes.ends_with("goes to https://a.example.com"), "{words}");
        assert!(named.ends_with("anthropic.com', and .”"), "{words}");
    }

    #[test]
    fn what_is_too_long_to_be_read_cannot_be_confirmed() {
        let long = "x".repeat(LONGEST_NAME);

        assert!(add(|form| form.name = long.clone()).is_ok());
        assert_eq!(add(|form| form.name = long + "y"), Err(Unshowable));
    }
}

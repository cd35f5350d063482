//! The new text of a settings file, as a function of its old text: it sets our keys, or takes them back.
//!
//! A key is taken back only while it has the value that we wrote. The first key is wrapped in everything that
//! was missing (the file, `env`), so keys are taken back in reverse order.

use std::path::{Path, PathBuf};

use crate::document::{self, Document};
use crate::key::Key;
use crate::reader::Malformed;
use crate::record::{Before, FileBefore, Held, Raw, Record, Standing};
use crate::target::Target;

/// A text, and what is needed to undo it. It may contain secrets.
pub(crate) struct Applied {
    pub(crate) text: String,
    pub(crate) record: Record,
}

/// The settings without our keys. They may contain secrets.
pub(crate) struct TakenBack {
    /// `None`: no file.
    pub(crate) content: Option<String>,
    pub(crate) taken: Vec<Key>,
    /// Keys that were changed since. They stay as they are.
    pub(crate) changed: Vec<Key>,
}

/// Why no keys are set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Malformed(Malformed),
    /// The file is not plain JSON, so Claude Code ignores it.
    NotRead,
}

/// What `target` sets in these settings. They contain nothing of ours.
pub(crate) fn values(
    target: &Target,
    former: Option<&str>,
    older: Option<&Record>,
) -> Result<Vec<(Key, Raw)>, Refusal> {
    let document = settings_in(former).map(parse).transpose()?;
    Ok(target.values(document.as_ref(), older))
}

/// Sets these values. `folders`: the folders that are missing.
pub(crate) fn apply(
    settings: &Path,
    folders: Vec<PathBuf>,
    content: Option<&str>,
    values: &[(Key, Raw)],
) -> Result<Applied, Refusal> {
    let file = match content {
        None => FileBefore::Absent { folders },
        Some(text) if document::is_blank(text) => FileBefore::Blank {
            text: text.to_owned(),
        },
        Some(_) => FileBefore::Settings,
    };
    let before = match (&file, content) {
        (FileBefore::Settings, Some(text)) => Some(text),
        (FileBefore::Absent { .. } | FileBefore::Blank { .. } | FileBefore::Settings, _) => None,
    };
    if let Some(text) = before
        && !parse(text)?.is_strict()
    {
        return Err(Refusal::NotRead);
    }
    let has_env = before
        .map(parse)
        .transpose()?
        .is_some_and(|it| it.has_env());
    let mut record = Record::new(settings.to_owned(), file, !has_env);
    let mut text = before.map(str::to_owned);
    for (key, raw) in values {
        let (edited, before) = match &text {
            None => {
                let wrapping = document::new_file();
                let file = format!("{}{}{}", wrapping.before, raw.0, wrapping.after);
                (file, Before::Absent(wrapping))
            }
            Some(text) => {
                let document = parse(text)?;
                let former = document.value(*key).map(|value| Raw(value.to_owned()));
                let (edited, wrapping) = document.set(*key, &raw.0);
                let before = match former {
                    Some(former) => Before::Value(former),
                    None => Before::Absent(wrapping.unwrap_or_default()),
                };
                (edited, before)
            }
        };
        text = Some(edited);
        record.keys.push(Held {
            key: *key,
            ours: vec![raw.clone()],
            before,
        });
    }
    Ok(Applied {
        text: text.unwrap_or_default(),
        record,
    })
}

/// Takes back every key that has the value that we wrote.
pub(crate) fn take_back(record: &Record, content: Option<&str>) -> Result<TakenBack, Malformed> {
    let mut back = TakenBack {
        content: content.map(str::to_owned),
        taken: Vec::new(),
        changed: Vec::new(),
    };
    for held in record.keys.iter().rev() {
        let Some(text) = settings_in(back.content.as_deref()) else {
            // An empty file cannot contain anything of ours.
            if held.standing(None) == Standing::Changed {
                back.changed.push(held.key);
            }
            continue;
        };
        let document = Document::parse(text)?;
        match held.standing(document.value(held.key)) {
            Standing::Before => {}
            Standing::Changed => back.changed.push(held.key),
            Standing::Ours => {
                let edited = match &held.before {
                    Before::Absent(wrapping) => document.unset(held.key, wrapping),
                    Before::Value(raw) => document.set(held.key, &raw.0).0,
                };
                back.content = Some(edited);
                back.taken.push(held.key);
            }
        }
    }
    back.taken.reverse();
    back.changed.reverse();
    if !back.taken.is_empty() {
        back.content = without_our_shells(record, back.content)?;
    }
    Ok(back)
}

/// The standing of each key of the record in that file.
pub(crate) fn standings(
    record: &Record,
    content: Option<&str>,
) -> Result<Vec<(Key, Standing)>, Malformed> {
    let document = settings_in(content).map(Document::parse).transpose()?;
    let value = |key| document.as_ref().and_then(|document| document.value(key));
    let keys = record.keys.iter();
    Ok(keys
        .map(|held| (held.key, held.standing(value(held.key))))
        .collect())
}

/// Removes the `env` and the file that we made, if they are empty.
fn without_our_shells(
    record: &Record,
    content: Option<String>,
) -> Result<Option<String>, Malformed> {
    let mut content = content;
    if record.env_is_ours
        && let Some(text) = settings_in(content.as_deref())
    {
        content = Some(Document::parse(text)?.without_empty_env());
    }
    let is_empty = match settings_in(content.as_deref()) {
        Some(text) => Document::parse(text)?.is_empty(),
        None => true,
    };
    Ok(match &record.file {
        FileBefore::Absent { .. } if is_empty => None,
        FileBefore::Blank { text } if is_empty => Some(text.clone()),
        FileBefore::Absent { .. } | FileBefore::Blank { .. } | FileBefore::Settings => content,
    })
}

fn settings_in(content: Option<&str>) -> Option<&str> {
    content.filter(|text| !document::is_blank(text))
}

fn parse(text: &str) -> Result<Document<'_>, Refusal> {
    Document::parse(text).map_err(Refusal::Malformed)
}

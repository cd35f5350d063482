//! The earlier settings. They are kept in the data folder while something of ours may be in the settings.
//!
//! The record is written before the settings are changed, so that everything a killed program leaves can be
//! undone. The values in the settings count, not the last intention. The record contains secrets (the client
//! token, and any token that was there before), so only the user may read it, and nothing shows it.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use zephyr_secrets::ownership;

use crate::document::Wrapping;
use crate::key::Key;

/// What to restore, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub(crate) struct Record {
    /// The file as it was named. It may be a link.
    pub(crate) settings: PathBuf,
    pub(crate) intent: Intent,
    /// When it was first connected, in milliseconds since 1970. Earlier releases did not record it.
    pub(crate) since_ms: Option<u64>,
    pub(crate) file: FileBefore,
    /// The file's mode before we took the rights of others away, if it gave them any.
    pub(crate) mode: Option<u32>,
    /// Whether we added `env`. If so, it is removed when it is empty.
    pub(crate) env_is_ours: bool,
    /// In the order in which they were set.
    pub(crate) keys: Vec<Held>,
}

/// A record as it is written. Earlier releases know two keys and ignore further fields, so the other keys
/// have a field of their own. A `disconnect` of an earlier release then restores what it knows.
#[derive(Serialize, Deserialize)]
struct Stored {
    version: Version,
    settings: PathBuf,
    intent: Intent,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since_ms: Option<u64>,
    file: FileBefore,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mode: Option<u32>,
    env_is_ours: bool,
    keys: Vec<Held>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    proxy_keys: Vec<Held>,
}

/// What happens at the next start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Intent {
    /// Connected now.
    Connected,
    /// Restored while no Zephyr runs. Connected again at the next start.
    Suspended,
}

/// The file before we changed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "was", rename_all = "snake_case")]
pub(crate) enum FileBefore {
    /// It did not exist, and these folders did not either, outermost first.
    Absent { folders: Vec<PathBuf> },
    /// It was blank.
    Blank { text: String },
    /// It contained settings.
    Settings,
}

/// A key that we have set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Held {
    pub(crate) key: Key,
    /// The values that we wrote or were about to write. Empty if the key was changed since.
    pub(crate) ours: Vec<Raw>,
    pub(crate) before: Before,
}

/// The value of a key before we changed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Before {
    /// There was none. This text was added around ours.
    Absent(Wrapping),
    /// This value.
    Value(Raw),
}

/// Whether a key was changed since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It has the value that we wrote.
    Ours,
    /// It has the earlier value.
    Before,
    /// It has another value.
    Changed,
}

/// A value as written in the file. It may be a secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Raw(pub(crate) String);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Version {
    #[default]
    #[serde(rename = "1")]
    One,
}

impl Record {
    pub(crate) fn new(settings: PathBuf, file: FileBefore, env_is_ours: bool) -> Self {
        Self {
            settings,
            intent: Intent::Connected,
            since_ms: None,
            file,
            mode: None,
            env_is_ours,
            keys: Vec::new(),
        }
    }

    /// This record without these keys. They are not ours any more.
    #[must_use]
    pub(crate) fn but_for(&self, theirs: &[Key]) -> Self {
        let mut record = self.clone();
        for held in &mut record.keys {
            if theirs.contains(&held.key) {
                held.ours.clear();
            }
        }
        record
    }

    /// The mode to restore, if the file still has the one that we gave it. `now`: the mode that it has.
    pub(crate) fn former_mode(&self, now: Option<u32>) -> Option<u32> {
        self.mode
            .filter(|former| now == Some(ownership::for_the_owner(*former)))
    }

    pub(crate) fn given_up(&self) -> Vec<Key> {
        let keys = self.keys.iter().filter(|held| held.ours.is_empty());
        keys.map(|held| held.key).collect()
    }

    /// This record, extended so that it also undoes `older`. When the program is killed, either of them may
    /// be in the file.
    #[must_use]
    pub(crate) fn covering(&self, older: Option<&Self>) -> Self {
        let mut both = self.clone();
        for older in older.iter().flat_map(|older| &older.keys) {
            match both.keys.iter_mut().find(|held| held.key == older.key) {
                Some(held) => {
                    for raw in &older.ours {
                        if !held.ours.contains(raw) {
                            held.ours.insert(0, raw.clone());
                        }
                    }
                }
                None => both.keys.push(older.clone()),
            }
        }
        both
    }
}

impl From<Record> for Stored {
    fn from(record: Record) -> Self {
        let (keys, proxy_keys) = record
            .keys
            .into_iter()
            .partition(|held: &Held| match held.key {
                Key::BaseUrl | Key::AuthToken => true,
                Key::NoProxy | Key::NoProxyLower => false,
            });
        Self {
            version: Version::default(),
            settings: record.settings,
            intent: record.intent,
            since_ms: record.since_ms,
            file: record.file,
            mode: record.mode,
            env_is_ours: record.env_is_ours,
            keys,
            proxy_keys,
        }
    }
}

impl From<Stored> for Record {
    fn from(stored: Stored) -> Self {
        let mut keys = stored.keys;
        keys.extend(stored.proxy_keys);
        Self {
            settings: stored.settings,
            intent: stored.intent,
            since_ms: stored.since_ms,
            file: stored.file,
            mode: stored.mode,
            env_is_ours: stored.env_is_ours,
            keys,
        }
    }
}

impl Held {
    /// Whether this was the earlier value.
    pub(crate) fn was(&self, value: Option<&str>) -> bool {
        match (&self.before, value) {
            (Before::Absent(_), None) => true,
            (Before::Value(raw), Some(now)) => raw.is(now),
            (Before::Absent(_), Some(_)) | (Before::Value(_), None) => false,
        }
    }

    /// The standing of the key if the file has this value.
    pub(crate) fn standing(&self, now: Option<&str>) -> Standing {
        if let Some(now) = now
            && self.ours.iter().any(|ours| ours.is(now))
        {
            return Standing::Ours;
        }
        if self.was(now) {
            Standing::Before
        } else {
            Standing::Changed
        }
    }
}

impl Raw {
    /// That text as a JSON string.
    pub(crate) fn string(text: &str) -> Self {
        Self(Value::from(text).to_string())
    }

    /// Whether the value in the file means the same, in any notation.
    fn is(&self, now: &str) -> bool {
        if self.0 == now {
            return true;
        }
        let parsed = |text: &str| serde_json::from_str::<Value>(text).ok();
        matches!((parsed(&self.0), parsed(now)), (Some(this), Some(now)) if this == now)
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Raw(…)")
    }
}

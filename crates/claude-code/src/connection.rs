//! Connects and disconnects the settings, also across restarts.

use std::env;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use http::Uri;
use zephyr_core::config::Config;
use zephyr_secrets::client_token::ClientTokens;
use zephyr_secrets::{Secret, ownership};

use crate::document::Document;
use crate::error::Error;
use crate::file::{Access, SettingsFile};
use crate::key::Key;
use crate::outcome::{Connected, Disconnected, Resumed};
use crate::plan::{self, Refusal};
use crate::proxies::Proxies;
use crate::record::{FileBefore, Intent, Raw, Record, Standing};
use crate::rewrite::{Planned, rewrite};
use crate::store::Store;
use crate::target::{Target, check_url};

/// Claude Code's settings, and our record of them.
#[derive(Clone, Debug)]
pub struct ClaudeCode {
    settings: PathBuf,
    pub(crate) store: Store,
}

impl ClaudeCode {
    /// Finds the settings as Claude Code does: by `CLAUDE_CONFIG_DIR`, or else in the home folder.
    ///
    /// # Errors
    ///
    /// There is no home folder.
    pub fn locate(data_dir: &Path) -> Result<Self, Error> {
        let named = env::var_os("CLAUDE_CONFIG_DIR").filter(|folder| !folder.is_empty());
        let folder = match named {
            Some(folder) => PathBuf::from(folder),
            None => env::home_dir()
                .filter(|home| !home.as_os_str().is_empty())
                .ok_or(Error::NoHome)?
                .join(".claude"),
        };
        Self::at(&folder.join("settings.json"), data_dir)
    }

    /// This settings file, with its record in this data folder.
    ///
    /// # Errors
    ///
    /// The path is empty, or relative to a folder that is gone.
    pub fn at(settings: &Path, data_dir: &Path) -> Result<Self, Error> {
        // The record must also be right for a program that reads it from another folder.
        let absolute = std::path::absolute(settings).map_err(|source| Error::Unreadable {
            path: settings.to_owned(),
            source,
        })?;
        Ok(Self {
            settings: absolute,
            store: Store::new(data_dir.to_owned()),
        })
    }

    /// The settings file.
    pub fn settings(&self) -> &Path {
        &self.settings
    }

    /// Where the settings point to. Reads two small files.
    pub fn state(&self) -> zephyr_control::ClaudeCode {
        let Ok(standings) = self.standings() else {
            return zephyr_control::ClaudeCode::Unknown;
        };
        let standings = standings.unwrap_or_default();
        let url = standings.iter().find(|(key, _)| *key == Key::BaseUrl);
        let all_ours = standings
            .iter()
            .all(|(_, standing)| *standing == Standing::Ours);
        match url.map(|(_, standing)| standing) {
            None | Some(Standing::Before) => zephyr_control::ClaudeCode::Disconnected,
            Some(Standing::Ours) if all_ours => zephyr_control::ClaudeCode::Connected,
            Some(Standing::Ours | Standing::Changed) => zephyr_control::ClaudeCode::Changed,
        }
    }

    /// Points the settings at `target`. Earlier changes by others no longer count.
    ///
    /// # Errors
    ///
    /// Why nothing was changed.
    pub fn connect(&self, target: &Target) -> Result<Connected, Error> {
        let _lock = self.store.lock()?;
        let older = self.store.load()?;
        if let Some(older) = &older
            && older.settings != self.settings
        {
            return Err(Error::Elsewhere(older.settings.clone()));
        }
        if !target.wants_own_token() {
            return self.point(&self.settings, older.as_ref(), target, &[]);
        }
        let rotation = ClientTokens::rotate(self.store.data_dir())?;
        let target = target.with_own_token(rotation.token());
        self.point(&self.settings, older.as_ref(), &target, &[])
            .inspect_err(|_| {
                // Each failed try would otherwise push a former token out that a session still sends.
                if self.is_surely_without(rotation.token()) {
                    // Without this, a token that nobody has stays valid.
                    let _ = rotation.undo();
                }
            })
    }

    /// Whether the settings send Claude Code to this port of this machine, whoever has set that.
    pub fn leads_to(&self, port: u16) -> bool {
        let file = SettingsFile::resolve(&self.settings, self.store.data_dir());
        let Ok(seen) = file.and_then(|file| file.see()) else {
            return false;
        };
        let document = seen.content.as_deref().map(Document::parse);
        let Some(Ok(document)) = document else {
            return false;
        };
        let raw = document.value(Key::BaseUrl).map(|raw| Raw(raw.to_owned()));
        let url = raw.as_ref().and_then(Raw::text).unwrap_or_default();
        check_url(&url, &Config::default()).is_ok()
            && url
                .parse::<Uri>()
                .is_ok_and(|url| url.port_u16() == Some(port))
    }

    fn is_surely_without(&self, token: &Secret) -> bool {
        let file = SettingsFile::resolve(&self.settings, self.store.data_dir());
        let seen = file.and_then(|file| file.see());
        seen.is_ok_and(|seen| !seen.content.unwrap_or_default().contains(token.expose()))
    }

    /// Restores the earlier settings, permanently.
    ///
    /// # Errors
    ///
    /// Why nothing was changed.
    pub fn disconnect(&self) -> Result<Disconnected, Error> {
        self.restore(|_, _| None)
    }

    /// Restores the earlier settings while no Zephyr runs. [`resume`](Self::resume) connects again, unless
    /// the settings have been changed in the meantime.
    ///
    /// # Errors
    ///
    /// Why nothing was changed.
    pub fn suspend(&self) -> Result<Disconnected, Error> {
        self.restore(|record, standings| match record.intent {
            Intent::Suspended => Some(record.clone()),
            Intent::Connected => {
                let theirs = keys_that(standings, |standing| standing != Standing::Ours);
                let mut suspended = record.but_for(&theirs);
                suspended.intent = Intent::Suspended;
                (!theirs.contains(&Key::BaseUrl)).then_some(suspended)
            }
        })
    }

    /// At a start: connects again what was suspended, and points the settings at `target` that a killed
    /// Zephyr left connected. Keys that were changed since are not touched.
    ///
    /// # Errors
    ///
    /// Why nothing was changed.
    pub fn resume(&self, target: &Target) -> Result<Resumed, Error> {
        if self.store.load()?.is_none() {
            return Ok(Resumed::NotConnected);
        }
        let _lock = self.store.lock()?;
        let Some(record) = self.store.load()? else {
            return Ok(Resumed::NotConnected);
        };
        let settings = record.settings.clone();
        let standings = self.standings_of(&record)?;
        // While connected, a key that a person restored by hand counts as changed too.
        let theirs = keys_that(&standings, |standing| match (record.intent, standing) {
            (_, Standing::Ours) | (Intent::Suspended, Standing::Before) => false,
            (_, Standing::Changed) | (Intent::Connected, Standing::Before) => true,
        });
        let url_is = standings.iter().find(|(key, _)| *key == Key::BaseUrl);
        match (record.intent, url_is.map(|(_, standing)| standing)) {
            (_, Some(Standing::Ours)) | (Intent::Suspended, Some(Standing::Before)) => {
                let theirs = record
                    .given_up()
                    .into_iter()
                    .chain(theirs)
                    .collect::<Vec<_>>();
                let own = match target.wants_own_token() {
                    true => Some(ClientTokens::current_or_new(self.store.data_dir())?),
                    false => None,
                };
                let with_own = own.map(|token| target.with_own_token(&token));
                let target = with_own.as_ref().unwrap_or(target);
                let connected = self.point(&settings, Some(&record), target, &theirs)?;
                Ok(Resumed::Connected(connected))
            }
            // Zephyr was killed before it connected or after it disconnected, or a person disconnected by
            // hand.
            (Intent::Connected, Some(Standing::Before)) | (_, None) => {
                self.take_back(&record, None)?;
                Ok(Resumed::NotConnected)
            }
            (intent, Some(Standing::Changed)) => {
                if intent == Intent::Suspended {
                    self.take_back(&record, None)?;
                }
                Ok(Resumed::LeftAlone {
                    settings,
                    keys: theirs,
                })
            }
        }
    }

    /// The values that keep requests to `url` away from these proxies, including what the settings already
    /// say.
    pub(crate) fn bypass(&self, url: &str, proxies: &Proxies) -> Result<Vec<(Key, String)>, Error> {
        let older = self.store.load()?;
        let malformed = |why| Error::malformed(&self.settings, why);
        let seen = SettingsFile::resolve(&self.settings, self.store.data_dir())?.see()?;
        let former = match &older {
            Some(older) => {
                plan::take_back(older, seen.content.as_deref())
                    .map_err(malformed)?
                    .content
            }
            None => seen.content,
        };
        let target = Target::unchecked(url.to_owned()).past(proxies.clone());
        let values = plan::values(&target, former.as_deref(), older.as_ref());
        let values = values.map_err(|why| refused(&self.settings, why))?;
        let bypass = values.into_iter().filter(|(key, _)| match key {
            Key::NoProxy | Key::NoProxyLower => true,
            Key::BaseUrl | Key::AuthToken => false,
        });
        Ok(bypass
            .filter_map(|(key, raw)| Some((key, raw.text()?)))
            .collect())
    }

    /// Sets what `target` says, except for the keys in `theirs`.
    fn point(
        &self,
        settings: &Path,
        older: Option<&Record>,
        target: &Target,
        theirs: &[Key],
    ) -> Result<Connected, Error> {
        let mut keys = Vec::new();
        let change = rewrite(&self.store, settings, older, |file, mode, content| {
            let back = older.map(|older| plan::take_back(older, content));
            let former = match back {
                Some(back) => back.map_err(|why| Error::malformed(settings, why))?.content,
                None => content.map(str::to_owned),
            };
            let mut values = plan::values(target, former.as_deref(), older)
                .map_err(|why| refused(settings, why))?;
            values.retain(|(key, _)| !theirs.contains(key));
            keys = values.iter().map(|(key, _)| *key).collect();
            let mut folders = match older.map(|older| &older.file) {
                Some(FileBefore::Absent { folders }) => folders.clone(),
                Some(FileBefore::Blank { .. } | FileBefore::Settings) | None => Vec::new(),
            };
            for missing in file.missing_folders() {
                if !folders.contains(&missing) {
                    folders.push(missing);
                }
            }
            let applied = plan::apply(settings, folders, former.as_deref(), &values)
                .map_err(|why| refused(settings, why))?;
            let mut record = applied.record;
            let former_mode = older.and_then(|older| older.former_mode(mode));
            let access = match (keys.contains(&Key::AuthToken), former_mode) {
                (true, _) => {
                    let before = former_mode.or(mode);
                    record.mode = before.filter(|mode| ownership::for_the_owner(*mode) != *mode);
                    Access::Owner
                }
                (false, Some(before)) => Access::Restored(before),
                (false, None) => Access::Kept,
            };
            record.since_ms = match older {
                Some(older) => older.since_ms,
                None => since_1970_ms(),
            };
            if let Some(older) = older {
                let given_up = older.but_for(theirs).keys.into_iter();
                record
                    .keys
                    .extend(given_up.filter(|held| theirs.contains(&held.key)));
            }
            Ok(Planned {
                content: Some(applied.text),
                access,
                during: record.covering(older),
                after: Some(record),
            })
        })?;
        Ok(Connected {
            settings: settings.to_owned(),
            url: target.url().to_owned(),
            keys,
            change,
        })
    }

    /// Takes our keys back. `remember` returns the record that stays.
    fn restore(
        &self,
        remember: impl FnOnce(&Record, &[(Key, Standing)]) -> Option<Record>,
    ) -> Result<Disconnected, Error> {
        if self.store.load()?.is_none() {
            return Ok(Disconnected::NotConnected);
        }
        let _lock = self.store.lock()?;
        let Some(record) = self.store.load()? else {
            return Ok(Disconnected::NotConnected);
        };
        let standings = self.standings_of(&record)?;
        self.take_back(&record, remember(&record, &standings).as_ref())
    }

    fn take_back(&self, record: &Record, after: Option<&Record>) -> Result<Disconnected, Error> {
        let settings = record.settings.clone();
        let (mut keys, mut left_alone) = (Vec::new(), Vec::new());
        let change = rewrite(&self.store, &settings, Some(record), |_, mode, content| {
            let back =
                plan::take_back(record, content).map_err(|why| Error::malformed(&settings, why))?;
            (keys, left_alone) = (back.taken, back.changed);
            // A token that somebody has put in the place of ours was written into a private file.
            let access = match record.former_mode(mode) {
                Some(before) if !left_alone.contains(&Key::AuthToken) => Access::Restored(before),
                Some(_) | None => Access::Kept,
            };
            Ok(Planned {
                content: back.content,
                access,
                during: after.unwrap_or(record).clone(),
                after: after.cloned(),
            })
        })?;
        Ok(match (keys.is_empty(), left_alone.is_empty()) {
            (true, true) => Disconnected::AlreadyRestored { settings },
            (true, false) => Disconnected::LeftAlone {
                settings,
                keys: left_alone,
            },
            (false, _) => Disconnected::Restored {
                settings,
                change,
                keys,
                left_alone,
            },
        })
    }

    fn standings(&self) -> Result<Option<Vec<(Key, Standing)>>, Error> {
        let record = self.store.load()?;
        record.map(|record| self.standings_of(&record)).transpose()
    }

    fn standings_of(&self, record: &Record) -> Result<Vec<(Key, Standing)>, Error> {
        let file = SettingsFile::resolve(&record.settings, self.store.data_dir())?;
        let seen = file.see()?;
        plan::standings(record, seen.content.as_deref())
            .map_err(|why| Error::malformed(&record.settings, why))
    }
}

fn since_1970_ms() -> Option<u64> {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(since_1970.as_millis()).ok()
}

fn keys_that(standings: &[(Key, Standing)], are: impl Fn(Standing) -> bool) -> Vec<Key> {
    let standings = standings.iter().filter(|(_, standing)| are(*standing));
    standings.map(|(key, _)| *key).collect()
}

fn refused(settings: &Path, why: Refusal) -> Error {
    match why {
        Refusal::Malformed(why) => Error::malformed(settings, why),
        Refusal::NotRead => Error::NotRead(settings.to_owned()),
    }
}

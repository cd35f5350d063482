//! Reads one table of the document key by key. Every key that is asked for counts as known. The other keys
//! of the table are reported when the reader is dropped. A wrong value is reported and replaced by the
//! default, so that reading goes on and finds all errors at once.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use zephyr_control::{SettingKind, SettingValue};

use super::keys;
use super::plain_secret::is_secret_key;
use super::report::{Report, Shape, key_path, key_pattern, nearest, no_effect_yet};

/// An enum with a spelling for each of its values.
pub(crate) trait Spelled: Copy + PartialEq + 'static {
    /// Every value with its spelling.
    const SPELLINGS: &'static [(&'static str, Self)];

    fn spelling(self) -> &'static str {
        let own = Self::SPELLINGS.iter().find(|(_, value)| *value == self);
        own.map_or("", |(spelling, _)| spelling)
    }
}

/// A number that may be written for a key.
pub(crate) trait WholeNumber:
    Copy + PartialEq + PartialOrd + std::fmt::Display + TryFrom<i128> + Into<u64>
{
}

impl<N> WholeNumber for N where
    N: Copy + PartialEq + PartialOrd + std::fmt::Display + TryFrom<i128> + Into<u64>
{
}

/// The value of a key that takes a word or a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum WordOr<T, N> {
    Word(T),
    Number(N),
}

const NO_SUCH_WORD: &str = "is none of the words possible here";

/// A table of the document. A missing table reads as an empty one.
pub(crate) struct Table<'a> {
    report: &'a Report<'a>,
    path: String,
    pattern: String,
    at: Option<usize>,
    entries: Option<&'a DeTable<'a>>,
    asked: RefCell<BTreeSet<&'static str>>,
}

impl<'a> Table<'a> {
    /// The whole document.
    pub(crate) fn root(report: &'a Report<'a>, document: &'a DeTable<'a>) -> Self {
        Self::new(report, String::new(), String::new(), None, Some(document))
    }

    pub(crate) fn table(&self, key: &'static str) -> Table<'a> {
        let path = key_path(&self.path, key);
        let pattern = key_pattern(&self.pattern, key);
        self.ask(key);
        let Some((key_at, value)) = self.entry(key) else {
            return Self::new(self.report, path, pattern, self.at, None);
        };
        let entries = value.get_ref().as_table();
        if entries.is_none() {
            let message = format!("is {}, not a table", kind(value.get_ref()));
            self.error(key, message, format!("write [{key}] and its keys below"));
        }
        Self::new(self.report, path, pattern, Some(key_at), entries)
    }

    /// The tables of that array. `None` if the key is missing or is something else.
    pub(crate) fn tables(&self, key: &'static str, example: &str) -> Option<Vec<Table<'a>>> {
        self.ask(key);
        let (_, value) = self.entry(key)?;
        let Some(items) = value.get_ref().as_array() else {
            let message = format!("is {}, not an array of tables", kind(value.get_ref()));
            self.error(key, message, format!("write {example}"));
            return None;
        };
        let mut tables = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let path = format!("{}[{index}]", key_path(&self.path, key));
            let pattern = format!("{}[]", key_pattern(&self.pattern, key));
            let at = Some(item.span().start);
            let entries = item.get_ref().as_table();
            if entries.is_none() {
                let message = format!("is {}, not a table", kind(item.get_ref()));
                self.report
                    .error(at, &path, message, format!("write {example}"));
                continue;
            }
            tables.push(Self::new(self.report, path, pattern, at, entries));
        }
        Some(tables)
    }

    /// Every entry as a table, with its name.
    pub(crate) fn named_tables(mut self, example: &str) -> Vec<(String, Table<'a>)> {
        let mut tables = Vec::new();
        for (key, value) in self.entries.take().into_iter().flat_map(DeTable::iter) {
            let name = key.get_ref().as_ref();
            let path = key_path(&self.path, name);
            let at = Some(key.span().start);
            let entries = value.get_ref().as_table();
            if entries.is_none() {
                let message = format!("is {}, not a table", kind(value.get_ref()));
                self.report
                    .error(at, &path, message, format!("write {example}"));
                continue;
            }
            let pattern = key_pattern(&self.pattern, "*");
            if let Some(meanwhile) = keys::not_yet(&pattern) {
                let (message, remedy) = no_effect_yet(meanwhile);
                self.report.warn(at, &path, message, remedy);
            }
            let table = Self::new(self.report, path, pattern, at, entries);
            tables.push((name.to_owned(), table));
        }
        tables
    }

    pub(crate) fn flag(&self, key: &'static str, default: bool) -> bool {
        self.describe(key, SettingKind::Switch, SettingValue::Switch(default));
        self.read(key, default, |value| {
            value.as_bool().ok_or_else(|| {
                (
                    format!("is {}, not a boolean", kind(value)),
                    "write true or false, without quotes".to_owned(),
                )
            })
        })
    }

    pub(crate) fn whole<N>(&self, key: &'static str, range: RangeInclusive<N>, default: N) -> N
    where
        N: WholeNumber,
    {
        let takes = SettingKind::Number {
            min: as_number(*range.start()),
            max: as_number(*range.end()),
            whole: true,
        };
        self.describe(key, takes, SettingValue::Number(as_number(default)));
        self.read(key, default, |value| {
            let remedy = || format!("write {}", a_whole_number(&range));
            whole_of(value, &range).map_err(|message| (message, remedy()))
        })
    }

    /// A whole number, if the key is there.
    pub(crate) fn whole_if_there<N: WholeNumber>(
        &self,
        key: &'static str,
        range: RangeInclusive<N>,
    ) -> Option<N> {
        self.decode(key, |value| {
            let remedy = || format!("write {}", a_whole_number(&range));
            whole_of(value, &range).map_err(|message| (message, remedy()))
        })
    }

    /// A whole number, or one of an enum's spellings, if the key is there.
    pub(crate) fn word_or_whole<T: Spelled, N: WholeNumber>(
        &self,
        key: &'static str,
        range: RangeInclusive<N>,
        usual: T,
    ) -> Option<WordOr<T, N>> {
        let number = SettingKind::ChoiceOrNumber {
            options: spellings::<T>().map(str::to_owned).collect(),
            min: as_number(*range.start()),
            max: as_number(*range.end()),
            whole: true,
        };
        self.describe(key, number, SettingValue::Text(usual.spelling().to_owned()));
        self.decode(key, |value| {
            let remedy = || format!("write {}, or {}", words::<T>(), a_whole_number(&range));
            word_or(value, |value| whole_of(value, &range)).map_err(|message| (message, remedy()))
        })
    }

    /// A number of seconds, perhaps with a fraction, or one of an enum's spellings, if the key is there.
    pub(crate) fn word_or_seconds<T: Spelled>(
        &self,
        key: &'static str,
        range: RangeInclusive<f64>,
        usual: T,
    ) -> Option<WordOr<T, Duration>> {
        let number = SettingKind::ChoiceOrNumber {
            options: spellings::<T>().map(str::to_owned).collect(),
            min: *range.start(),
            max: *range.end(),
            whole: false,
        };
        self.describe(key, number, SettingValue::Text(usual.spelling().to_owned()));
        self.decode(key, |value| {
            let remedy = || {
                format!(
                    "write {}, or a number of seconds from {} to {}",
                    words::<T>(),
                    range.start(),
                    range.end()
                )
            };
            let seconds =
                |value: &DeValue<'_>| number_of(value, &range).map(Duration::from_secs_f64);
            word_or(value, seconds).map_err(|message| (message, remedy()))
        })
    }

    /// A whole number of seconds.
    pub(crate) fn seconds(
        &self,
        key: &'static str,
        range: RangeInclusive<u64>,
        default: Duration,
    ) -> Duration {
        Duration::from_secs(self.whole(key, range, default.as_secs()))
    }

    /// A whole number of milliseconds.
    pub(crate) fn millis(
        &self,
        key: &'static str,
        range: RangeInclusive<u64>,
        default: Duration,
    ) -> Duration {
        let default = u64::try_from(default.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.whole(key, range, default))
    }

    /// A whole number of mebibytes, in bytes.
    pub(crate) fn mebibytes(
        &self,
        key: &'static str,
        range: RangeInclusive<u64>,
        default: u64,
    ) -> u64 {
        const MIB: u64 = 1024 * 1024;
        self.whole(key, range, default / MIB) * MIB
    }

    /// A number that is not negative.
    pub(crate) fn amount(&self, key: &'static str, default: f64) -> f64 {
        self.number(key, 0.0..=1e9, default, || {
            "write a number that is not negative, such as 0.5".to_owned()
        })
    }

    /// A number that is not negative, and at most this large.
    pub(crate) fn amount_up_to(&self, key: &'static str, most: f64, default: f64) -> f64 {
        self.number(key, 0.0..=most, default, || {
            format!("write a number from 0 to {most}, such as {default}")
        })
    }

    fn number(
        &self,
        key: &'static str,
        range: RangeInclusive<f64>,
        default: f64,
        remedy: impl FnOnce() -> String,
    ) -> f64 {
        let takes = SettingKind::Number {
            min: *range.start(),
            max: *range.end(),
            whole: false,
        };
        self.describe(key, takes, SettingValue::Number(default));
        self.read(key, default, |value| {
            number_of(value, &range).map_err(|message| (message, remedy()))
        })
    }

    /// One of an enum's spellings.
    pub(crate) fn choice<T: Spelled>(&self, key: &'static str, default: T) -> T {
        self.chosen(key, default).unwrap_or(default)
    }

    /// One of an enum's spellings, if the key is there. `usual` causes no warning about a feature that does
    /// not exist yet.
    pub(crate) fn chosen<T: Spelled>(&self, key: &'static str, usual: T) -> Option<T> {
        let takes = SettingKind::Choice {
            options: spellings::<T>().map(str::to_owned).collect(),
        };
        self.describe(key, takes, SettingValue::Text(usual.spelling().to_owned()));
        let value: T = self.decode(key, |value| {
            let Some(text) = value.as_str() else {
                let message = format!("is {}, not a word in quotes", kind(value));
                return Err((message, one_of::<T>()));
            };
            spelled(text).ok_or_else(|| {
                let message = NO_SUCH_WORD.to_owned();
                match nearest(text, spellings::<T>()) {
                    Some(near) => (message, format!("write \"{near}\" if that is meant")),
                    None => (message, one_of::<T>()),
                }
            })
        })?;
        if value != usual {
            self.note_not_yet(key, Some(value.spelling()));
        }
        Some(value)
    }

    /// Text, if the key is there and not empty.
    pub(crate) fn text(&self, key: &'static str) -> Option<&'a str> {
        self.describe(key, SettingKind::Text, SettingValue::Text(String::new()));
        self.read(key, None, |value| match value.as_str() {
            Some(text) => Ok(Some(text.trim()).filter(|text| !text.is_empty())),
            None => Err((
                format!("is {}, not text", kind(value)),
                "write text in quotes".to_owned(),
            )),
        })
    }

    /// Text that `accept` understands, if the key is there.
    pub(crate) fn understood<T>(
        &self,
        key: &'static str,
        accept: impl FnOnce(&str) -> Result<T, (String, String)>,
    ) -> Option<T> {
        self.describe(key, SettingKind::Text, SettingValue::Text(String::new()));
        self.decode(key, |value| match value.as_str() {
            Some(text) => accept(text.trim()),
            None => Err((
                format!("is {}, not text", kind(value)),
                "write text in quotes".to_owned(),
            )),
        })
    }

    /// One HTTP status, or an array of them.
    pub(crate) fn statuses(&self, key: &'static str) -> Vec<u16> {
        self.describe(key, SettingKind::List, SettingValue::List(Vec::new()));
        let status = |value: &DeValue<'_>| {
            let DeValue::Integer(integer) = value else {
                return Err(format!("is {}, not a status", kind(value)));
            };
            let number = u16::from_str_radix(integer.as_str(), integer.radix()).ok();
            number
                .filter(|number| (200..600).contains(number))
                .ok_or_else(|| format!("is {integer}, which is no status"))
        };
        let read = self.decode(key, |value| {
            let statuses: Result<Vec<u16>, String> = match value.as_array() {
                Some(items) => items.iter().map(|item| status(item.get_ref())).collect(),
                None => status(value).map(|one| vec![one]),
            };
            let remedy = "write an HTTP status from 200 to 599, or several in brackets";
            statuses.map_err(|message| (message, remedy.to_owned()))
        });
        read.unwrap_or_default()
    }

    /// Text that may not be empty.
    pub(crate) fn filled_text(&self, key: &'static str, default: &str) -> String {
        self.describe(
            key,
            SettingKind::Text,
            SettingValue::Text(default.to_owned()),
        );
        self.read(key, default.to_owned(), |value| match value.as_str() {
            Some(text) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
            Some(_) => Err((
                "is empty".to_owned(),
                format!("write for example \"{default}\""),
            )),
            None => Err((
                format!("is {}, not text", kind(value)),
                "write text in quotes".to_owned(),
            )),
        })
    }

    /// The texts of an array that `accept` understands. The others are reported with its message and remedy.
    pub(crate) fn texts(
        &self,
        key: &'static str,
        accept: impl Fn(&str) -> Result<String, (&'static str, &'static str)>,
    ) -> Vec<String> {
        self.describe(key, SettingKind::List, SettingValue::List(Vec::new()));
        self.ask(key);
        let Some((_, value)) = self.entry(key) else {
            return Vec::new();
        };
        let Some(items) = value.get_ref().as_array() else {
            let message = format!("is {}, not an array", kind(value.get_ref()));
            self.error(key, message, "write texts in brackets, such as [\"…\"]");
            return Vec::new();
        };
        let mut texts = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let path = format!("{}[{index}]", key_path(&self.path, key));
            let accepted = match item.get_ref().as_str() {
                Some(text) => accept(text.trim()),
                None => Err(("is not text", "write text in quotes")),
            };
            match accepted {
                Ok(text) => texts.push(text),
                Err((message, remedy)) => {
                    self.report
                        .error(Some(item.span().start), &path, message, remedy);
                }
            }
        }
        texts
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    /// Whether the key is there with something other than empty text.
    pub(crate) fn is_filled(&self, key: &str) -> bool {
        let text = |value: &'a Spanned<DeValue<'a>>| value.get_ref().as_str();
        self.entry(key)
            .is_some_and(|(_, value)| text(value).is_none_or(|text| !text.trim().is_empty()))
    }

    /// Whether the table has a key that can only hold a secret. `refusal` reports it.
    pub(crate) fn has_plain_secret(&self) -> bool {
        self.entries
            .into_iter()
            .flat_map(DeTable::keys)
            .any(|key| is_secret_key(key.get_ref()))
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The line of the key, otherwise of the table.
    pub(crate) fn line_of(&self, key: &str) -> Option<usize> {
        self.report.line(self.at_of(key))
    }

    /// Reports an error in this key, or its absence.
    pub(crate) fn error(&self, key: &str, message: impl Into<String>, remedy: impl Into<String>) {
        let path = key_path(&self.path, key);
        self.report.error(self.at_of(key), &path, message, remedy);
    }

    /// Reports that something about this key is probably not meant.
    pub(crate) fn warn(&self, key: &str, message: impl Into<String>, remedy: impl Into<String>) {
        let path = key_path(&self.path, key);
        self.report.warn(self.at_of(key), &path, message, remedy);
    }

    fn new(
        report: &'a Report<'a>,
        path: String,
        pattern: String,
        at: Option<usize>,
        entries: Option<&'a DeTable<'a>>,
    ) -> Self {
        Self {
            report,
            path,
            pattern,
            at,
            entries,
            asked: RefCell::default(),
        }
    }

    fn describe(&self, key: &str, kind: SettingKind, default: SettingValue) {
        let pattern = self.pattern_of(key);
        self.report.describe(pattern, Shape { kind, default });
    }

    fn read<T: Clone + PartialEq>(
        &self,
        key: &'static str,
        default: T,
        decode: impl FnOnce(&'a DeValue<'a>) -> Result<T, (String, String)>,
    ) -> T {
        match self.decode(key, decode) {
            Some(value) => {
                if value != default {
                    self.note_not_yet(key, None);
                }
                value
            }
            None => default,
        }
    }

    /// `None` if the key is missing, or its value wrong.
    fn decode<T>(
        &self,
        key: &'static str,
        decode: impl FnOnce(&'a DeValue<'a>) -> Result<T, (String, String)>,
    ) -> Option<T> {
        self.ask(key);
        let (_, value) = self.entry(key)?;
        match decode(value.get_ref()) {
            Ok(value) => Some(value),
            Err((message, remedy)) => {
                self.error(key, message, remedy);
                None
            }
        }
    }

    fn ask(&self, key: &'static str) {
        self.asked.borrow_mut().insert(key);
        self.report.know(&self.pattern_of(key));
    }

    fn note_not_yet(&self, key: &str, spelling: Option<&str>) {
        let pattern = self.pattern_of(key);
        let this_spelling = || keys::not_yet(&format!("{pattern}={}", spelling?));
        if let Some(meanwhile) = keys::not_yet(&pattern).or_else(this_spelling) {
            let (message, remedy) = no_effect_yet(meanwhile);
            self.warn(key, message, remedy);
        }
    }

    fn entry(&self, key: &str) -> Option<(usize, &'a Spanned<DeValue<'a>>)> {
        let (key, value) = self.entries?.get_key_value(key)?;
        Some((key.span().start, value))
    }

    fn at_of(&self, key: &str) -> Option<usize> {
        self.entry(key).map(|(at, _)| at).or(self.at)
    }

    fn pattern_of(&self, key: &str) -> String {
        key_pattern(&self.pattern, key)
    }
}

impl Drop for Table<'_> {
    fn drop(&mut self) {
        let asked = self.asked.get_mut();
        for key in self.entries.into_iter().flat_map(DeTable::keys) {
            let name = key.get_ref().as_ref();
            if !asked.contains(name) {
                let path = key_path(&self.path, name);
                self.report
                    .unknown(key.span().start, &path, &self.pattern, name);
            }
        }
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}

/// No bound needs more than 32 bits.
fn as_number(whole: impl Into<u64>) -> f64 {
    u32::try_from(whole.into()).map_or(f64::INFINITY, f64::from)
}

/// What a whole number of the file is, or what is wrong with it.
fn whole_of<N: WholeNumber>(value: &DeValue<'_>, range: &RangeInclusive<N>) -> Result<N, String> {
    let DeValue::Integer(integer) = value else {
        return Err(format!("is {}, not a whole number", kind(value)));
    };
    i128::from_str_radix(integer.as_str(), integer.radix())
        .ok()
        .and_then(|number| N::try_from(number).ok())
        .filter(|number| range.contains(number))
        .ok_or_else(|| format!("is {integer}, which is out of range"))
}

/// What a number of the file is, or what is wrong with it.
fn number_of(value: &DeValue<'_>, range: &RangeInclusive<f64>) -> Result<f64, String> {
    let (written, number) = match value {
        DeValue::Integer(integer) => {
            let number = i128::from_str_radix(integer.as_str(), integer.radix());
            let number = number
                .ok()
                .and_then(|number| number.to_string().parse().ok());
            (integer.to_string(), number)
        }
        DeValue::Float(float) => (float.to_string(), float.as_str().parse().ok()),
        DeValue::String(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)
        | DeValue::Array(_)
        | DeValue::Table(_) => return Err(format!("is {}, not a number", kind(value))),
    };
    number
        .filter(|number| range.contains(number))
        .ok_or_else(|| format!("is {written}, which is out of range"))
}

/// One of an enum's spellings, or what `number` makes of anything but text.
fn word_or<T: Spelled, N>(
    value: &DeValue<'_>,
    number: impl FnOnce(&DeValue<'_>) -> Result<N, String>,
) -> Result<WordOr<T, N>, String> {
    match value.as_str() {
        Some(text) => spelled(text)
            .map(WordOr::Word)
            .ok_or_else(|| NO_SUCH_WORD.to_owned()),
        None => number(value).map(WordOr::Number),
    }
}

fn spelled<T: Spelled>(text: &str) -> Option<T> {
    let mut spellings = T::SPELLINGS.iter();
    let found = spellings.find(|(spelling, _)| *spelling == text);
    found.map(|(_, value)| *value)
}

fn spellings<T: Spelled>() -> impl Iterator<Item = &'static str> {
    T::SPELLINGS.iter().map(|(spelling, _)| *spelling)
}

fn a_whole_number<N: WholeNumber>(range: &RangeInclusive<N>) -> String {
    format!("a whole number from {} to {}", range.start(), range.end())
}

fn one_of<T: Spelled>() -> String {
    format!("write one of {}", words::<T>())
}

/// An enum's spellings in quotes, between commas.
fn words<T: Spelled>() -> String {
    let quoted: Vec<String> = spellings::<T>().map(|word| format!("\"{word}\"")).collect();
    quoted.join(", ")
}

//! A setting that a form changes, and its value in the file's terms.

use toml_edit::{Array, Value};
use zephyr_control::{Setting, SettingKind, SettingValue};

use super::document::{self, NotRewritten};
use super::refusal::NotChanged;
use crate::form;
use crate::read::nearest;

/// The text with this value for the key, or without the key.
pub(super) fn set(
    text: &str,
    key: &str,
    value: Option<&SettingValue>,
) -> Result<Result<String, NotRewritten>, NotChanged> {
    let settings = form::settings();
    let setting = settings.iter().find(|setting| setting.key == key);
    let (Some(setting), Some((table, name))) = (setting, key.split_once('.')) else {
        let keys = settings.iter().map(|setting| setting.key.as_str());
        return Err(NotChanged::UnknownKey(nearest(key, keys)));
    };
    Ok(match value {
        Some(value) => document::set(text, [table, name], written(setting, value)?),
        None => document::unset(text, [table, name]),
    })
}

fn written(setting: &Setting, value: &SettingValue) -> Result<Value, NotChanged> {
    let takes = |what: &str| Err(NotChanged::OtherKind(what.to_owned()));
    match (&setting.kind, value) {
        (SettingKind::Switch, SettingValue::Switch(flag)) => Ok((*flag).into()),
        (SettingKind::Switch, _) => takes("true or false"),
        (SettingKind::Number { min, max, whole }, SettingValue::Number(number)) => {
            in_bounds(*number, (*min, *max), *whole).map_err(NotChanged::OtherKind)
        }
        (SettingKind::Number { .. }, _) => takes("a number"),
        (
            SettingKind::ChoiceOrNumber {
                options,
                min,
                max,
                whole,
            },
            value,
        ) => match value {
            SettingValue::Text(text) if options.contains(text) => Ok(text.clone().into()),
            SettingValue::Number(number) => in_bounds(*number, (*min, *max), *whole)
                .map_err(|number| NotChanged::OtherKind(or(options, &number))),
            SettingValue::Text(_) | SettingValue::Switch(_) | SettingValue::List(_) => {
                takes(&or(options, &numbers((*min, *max), *whole)))
            }
        },
        (SettingKind::Choice { options }, SettingValue::Text(text)) => {
            if options.contains(text) {
                Ok(text.clone().into())
            } else {
                takes(&format!("one of {}", options.join(", ")))
            }
        }
        (SettingKind::Text, SettingValue::Text(text)) => Ok(text.trim().into()),
        (SettingKind::Choice { options }, _) => takes(&format!("one of {}", options.join(", "))),
        (SettingKind::Text, _) => takes("text"),
        (SettingKind::List, SettingValue::List(texts)) => {
            let texts = texts.iter().map(|text| text.trim());
            Ok(texts.collect::<Array>().into())
        }
        (SettingKind::List, _) => takes("a list of texts"),
    }
}

/// The number as the file has it, or which numbers are taken.
fn in_bounds(number: f64, bounds: (f64, f64), whole: bool) -> Result<Value, String> {
    let (min, max) = bounds;
    let taken = if !(min..=max).contains(&number) {
        None
    } else if whole {
        format!("{number}").parse::<i64>().ok().map(Value::from)
    } else {
        Some(number.into())
    };
    taken.ok_or_else(|| numbers(bounds, whole))
}

fn numbers((min, max): (f64, f64), whole: bool) -> String {
    let kind = if whole { "a whole number" } else { "a number" };
    format!("{kind} from {min} to {max}")
}

fn or(options: &[String], number: &str) -> String {
    format!("{}, or {number}", options.join(", "))
}

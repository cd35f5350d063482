//! The JSON Schema of `config.toml` against the example and against the reader of the file.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use zephyr_config::{EXAMPLE, SCHEMA, parse};

type Keys = Map<String, Value>;

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

/// Every key of the plain tables: table, key, what the schema says of it.
fn keys(schema: &Value) -> Vec<(&str, &str, &Value)> {
    let tables = schema["properties"].as_object().unwrap();
    tables
        .iter()
        .filter_map(|(table, says)| Some((table, says["properties"].as_object()?)))
        .flat_map(|(table, keys)| {
            let key = move |(key, says)| (table.as_str(), String::as_str(key), says);
            keys.iter().map(key)
        })
        .collect()
}

/// The same, with an entry for each of the kinds of values that a key takes.
fn alternatives(schema: &Value) -> Vec<(&str, &str, &Value)> {
    let kinds = |(table, key, says)| {
        let says: &Value = says;
        let kinds = says["anyOf"].as_array().map(Vec::as_slice);
        let kinds = kinds.unwrap_or(std::slice::from_ref(says)).iter();
        kinds.map(move |says| (table, key, says))
    };
    keys(schema).into_iter().flat_map(kinds).collect()
}

/// Whether the file's reader takes this value, with what has to stand beside it.
fn is_taken(table: &str, key: &str, value: impl std::fmt::Display) -> bool {
    let beside = match (table, key) {
        ("breaker", "cooldown_seconds") => "max_cooldown_seconds = 31622400",
        ("breaker", "max_cooldown_seconds") => "cooldown_seconds = 1",
        _ => "",
    };
    parse(&format!("[{table}]\n{key} = {value}\n{beside}\n")).is_ok()
}

#[test]
fn it_has_the_keys_of_the_example_with_their_defaults() {
    let example: Keys = serde_json::to_value(EXAMPLE.parse::<toml::Table>().unwrap())
        .unwrap()
        .as_object()
        .unwrap()
        .clone();
    let schema = schema();
    let shown: BTreeSet<_> = schema["properties"].as_object().unwrap().keys().collect();

    assert_eq!(shown, example.keys().collect());
    for (table, keys) in &example {
        let Value::Object(keys) = keys else { continue };
        for (key, value) in keys {
            let says = &schema["properties"][table]["properties"][key];
            assert_eq!(&says["default"], value, "{table}.{key}");
        }
    }
}

#[test]
fn it_has_no_key_that_the_example_has_not() {
    let schema = schema();
    let group = &schema["properties"]["groups"]["items"]["properties"];
    let endpoint = &group["endpoints"]["items"]["properties"];
    let nested = [group, endpoint].map(|keys| keys.as_object().unwrap().keys());
    let nested = nested.into_iter().flatten().map(String::as_str);

    let plain = keys(&schema);
    for key in plain.iter().map(|(_, key, _)| *key).chain(nested) {
        let mut words = EXAMPLE.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        assert!(words.any(|word| word == key), "{key}");
    }
}

#[test]
fn its_choices_are_those_of_the_reader() {
    let schema = schema();
    for (table, key, says) in alternatives(&schema) {
        let Some(choices) = says["enum"].as_array() else {
            continue;
        };
        for choice in choices {
            assert!(is_taken(table, key, choice), "{table}.{key} = {choice}");
        }
        assert!(!is_taken(table, key, "\"none of them\""), "{table}.{key}");
    }
}

#[test]
fn its_bounds_are_those_of_the_reader() {
    let schema = schema();
    let mut seen = 0;
    for (table, key, says) in alternatives(&schema) {
        let (Some(least), Some(most)) = (says["minimum"].as_f64(), says["maximum"].as_f64()) else {
            let is_number = says["type"] == "integer" || says["type"] == "number";
            assert!(!is_number, "{table}.{key} has no bounds");
            continue;
        };
        for inside in [least, most] {
            assert!(is_taken(table, key, inside), "{table}.{key} = {inside}");
        }
        let has_fractions = says["type"] == "number";
        let step = if has_fractions { 0.001 } else { 1.0 };
        for outside in [least - step, most + step] {
            assert!(!is_taken(table, key, outside), "{table}.{key} = {outside}");
        }
        let fraction = f64::midpoint(least, most) + 0.25;
        assert_eq!(
            is_taken(table, key, fraction),
            has_fractions,
            "{table}.{key}"
        );
        seen += 1;
    }
    assert!(seen > 20, "{seen}");
}

//! Every way in which a key can be written stays as it is.

use super::setting::{set, unset};
use super::text::NotRewritten;
use crate::example::{EXAMPLE, commented_default};
use crate::read::parse;

const LAUNCH: [&str; 2] = ["desktop", "launch_at_login"];

/// The value as toml_edit has it.
fn edited(value: &toml::Value) -> toml_edit::Value {
    value.to_string().parse().unwrap()
}

fn launched(text: &str) -> String {
    set(text, LAUNCH, true.into()).unwrap()
}

#[test]
fn the_value_gives_way_and_nothing_else() {
    let cases = [
        (
            "# a\n[desktop] # b\nlaunch_at_login=false# c\n\n[ui]\n",
            "# a\n[desktop] # b\nlaunch_at_login=true# c\n\n[ui]\n",
        ),
        (
            "desktop = {launch_at_login   =   false} # x",
            "desktop = {launch_at_login   =   true} # x",
        ),
        (
            "desktop.\"launch_at_login\" = false\r\n",
            "desktop.\"launch_at_login\" = true\r\n",
        ),
    ];

    for (before, after) in cases {
        assert_eq!(launched(before), after);
    }
}

#[test]
fn a_missing_key_goes_where_its_table_is() {
    let cases = [
        ("", "[desktop]\nlaunch_at_login = true\n"),
        (
            "[ui]\r\ntheme = \"dark\"\r\n",
            "[ui]\r\ntheme = \"dark\"\r\n\r\n[desktop]\r\nlaunch_at_login = true\r\n",
        ),
        (
            "[ui]\ntheme = \"dark\"",
            "[ui]\ntheme = \"dark\"\n\n[desktop]\nlaunch_at_login = true\n",
        ),
        (
            "[desktop]\nstart_hidden = true # x\n# y\n\n[ui]\n",
            "[desktop]\nstart_hidden = true # x\nlaunch_at_login = true\n# y\n\n[ui]\n",
        ),
        ("[desktop]", "[desktop]\nlaunch_at_login = true\n"),
        (
            "desktop.start_hidden = true\n[ui]\n",
            "desktop.start_hidden = true\ndesktop.launch_at_login = true\n[ui]\n",
        ),
        ("desktop = {}\n", "desktop = { launch_at_login = true }\n"),
        (
            "desktop = { start_hidden = true }\n",
            "desktop = { start_hidden = true, launch_at_login = true }\n",
        ),
        (
            "[desktop]\n# Whether.\n#launch_at_login = false\n# Other.\n#x = 1\n",
            "[desktop]\n# Whether.\n#launch_at_login = false\nlaunch_at_login = true\n# Other.\n#x = 1\n",
        ),
        (
            "[desktop.more]\na = 1\n",
            "[desktop.more]\na = 1\n\n[desktop]\nlaunch_at_login = true\n",
        ),
    ];

    for (before, after) in cases {
        assert_eq!(launched(before), after);
    }
}

#[test]
fn a_key_is_taken_out_and_comments_stay() {
    let cases = [
        (
            "# a\n[desktop] # b\n# Whether.\nlaunch_at_login = true\nstart_hidden = true\n",
            "# a\n[desktop] # b\n# Whether.\nstart_hidden = true\n",
        ),
        (
            "[desktop]\r\nlaunch_at_login = true # mine\r\n[ui]\r\n",
            "[desktop]\r\n# mine\r\n[ui]\r\n",
        ),
        ("[desktop]\nlaunch_at_login = true", "[desktop]\n"),
        ("desktop.launch_at_login = true\n[ui]\n", "[ui]\n"),
        (
            "desktop = { launch_at_login = true, start_hidden = true }\n",
            "desktop = { start_hidden = true }\n",
        ),
        (
            "desktop = { start_hidden = true, launch_at_login = true }\n",
            "desktop = { start_hidden = true }\n",
        ),
        ("desktop = { launch_at_login = true }\n", "desktop = {  }\n"),
        (
            "[desktop]\n#launch_at_login = true\n",
            "[desktop]\n#launch_at_login = true\n",
        ),
        ("[ui]\n", "[ui]\n"),
    ];

    for (before, after) in cases {
        assert_eq!(unset(before, LAUNCH).as_deref(), Ok(after), "{before}");
    }
    let lines = "[server]\nallowed_hosts = [\n  \"a\", # a\n] # b\nport = 1\n";
    let hosts = unset(lines, ["server", "allowed_hosts"]);
    assert_eq!(hosts.as_deref(), Ok("[server]\n# b\nport = 1\n"));
}

#[test]
fn every_key_of_the_example_can_be_taken_out() {
    let document: toml::Table = toml::from_str(EXAMPLE).unwrap();
    for (table, entries) in &document {
        for name in entries.as_table().into_iter().flat_map(toml::Table::keys) {
            let shorter = unset(EXAMPLE, [table, name]).unwrap();

            let lines = (EXAMPLE.lines().count(), shorter.lines().count());
            assert_eq!(lines.0, lines.1 + 1, "{table}.{name}");
        }
    }
}

#[test]
fn what_is_no_single_value_is_left_alone() {
    for text in [
        "[desktop.launch_at_login]\nx = 1\n",
        "desktop = 3\n",
        "[[desktop]]\nx = 1\n",
        "[[desktop.launch_at_login]]\nx = 1\n",
    ] {
        assert_eq!(
            set(text, LAUNCH, true.into()),
            Err(NotRewritten::Refused),
            "{text}"
        );
    }
}

#[test]
fn every_key_of_the_example_can_be_changed_and_changed_back() {
    for text in [EXAMPLE, &EXAMPLE.replace('\n', "\r\n")] {
        let document: toml::Table = toml::from_str(text).unwrap();
        let tables = document.iter().filter_map(|(table, entries)| {
            let entries = entries.as_table()?.iter();
            Some(entries.map(move |(name, value)| ([table.as_str(), name.as_str()], value)))
        });
        let mut changes = 0;
        for (key, value) in tables.flatten().filter(|(_, value)| !value.is_table()) {
            let changed = set(text, key, "something else".into()).unwrap();
            let back = set(&changed, key, edited(value)).unwrap();

            // A number may come back in another spelling.
            assert_eq!(other_lines(text, &changed), 1, "{key:?}");
            assert!(other_lines(text, &back) <= 1, "{key:?}");
            assert_eq!(set(text, key, edited(value)).unwrap(), text, "{key:?}");
            changes += 1;
        }
        assert!(changes > 50, "{changes}");
    }
}

/// How many lines differ, line ends included.
fn other_lines(one: &str, other: &str) -> usize {
    let lines = |text: &str| {
        text.split_inclusive('\n')
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let (one, other) = (lines(one), lines(other));
    assert_eq!(one.len(), other.len());
    one.iter()
        .zip(&other)
        .filter(|(one, other)| one != other)
        .count()
}

#[test]
fn in_the_default_file_a_key_appears_below_its_own_comment() {
    let text = commented_default();

    let changed = launched(&text);

    let (before, after) = changed.split_once("launch_at_login = true\n").unwrap();
    let (_, last_line) = before.trim_end().rsplit_once('\n').unwrap();
    assert_eq!(last_line, "#launch_at_login = false");
    assert_eq!(format!("{before}{after}"), text);
    assert!(parse(&changed).unwrap().config.desktop.launch_at_login);
}

//! Whatever the reader accepts, the editor can edit.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use zephyr_config::edit::NotChanged;
use zephyr_config::edit::change::Change;
use zephyr_config::{form, parse};
use zephyr_control::{EndpointForm, SettingValue, TokenReference};

use crate::mangled;

const NO_FINAL_NEWLINE: &str = "[[groups]]\nname = \"a\"\nauth_token_env = \"A\"\n\
    endpoints = [{ name = \"x\", url = \"https://x.example.com\" }]";

fn endpoint(name: &str, group: &str) -> Box<EndpointForm> {
    Box::new(EndpointForm {
        name: name.to_owned(),
        group: group.to_owned(),
        url: format!("https://{name}.example.com"),
        flag: None,
        enabled: true,
        priority: 1,
        weight: 1,
        price: 1.0,
        path_prefix: None,
        auth_type: None,
        token: TokenReference::None,
        proxy: None,
    })
}

fn changed(text: &str, change: &Change) -> String {
    let changed = change.applied(text).unwrap();
    changed.outcome.unwrap().text
}

#[test]
fn endpoints_of_a_file_without_a_final_newline_are_added_edited_moved_and_removed() {
    let text = NO_FINAL_NEWLINE;
    let disabled = EndpointForm {
        enabled: false,
        token: TokenReference::None,
        ..*endpoint("x", "a")
    };

    let added = changed(text, &Change::Add(endpoint("y", "a")));
    let edited = changed(text, &Change::Edit("x".to_owned(), Box::new(disabled)));
    let moved = changed(&added, &Change::Move("y".to_owned(), 0));
    let removed = changed(&added, &Change::Remove("y".to_owned()));
    let empty = changed(text, &Change::Remove("x".to_owned()));

    let x = "{ name = \"x\", url = \"https://x.example.com\" }";
    let y = "{ name = \"y\", url = \"https://y.example.com\" }";
    let with = |endpoints: &str| text.replace(x, endpoints);
    assert_eq!(added, with(&format!("{x}, {y}")));
    assert_eq!(edited, with(&x.replace(" }", ", enabled = false }")));
    assert_eq!(moved, with(&format!("{y}, {x}")));
    assert_eq!(removed, text);
    assert_eq!(empty, with(""));
}

#[test]
fn what_is_added_behind_a_file_without_a_final_newline_ends_with_one() {
    let other = EndpointForm {
        token: TokenReference::Env("B".to_owned()),
        ..*endpoint("y", "b")
    };
    let theme = SettingValue::Text("dark".to_owned());

    let group = changed(NO_FINAL_NEWLINE, &Change::Add(Box::new(other)));
    let set = changed(
        NO_FINAL_NEWLINE,
        &Change::Set("ui.theme".to_owned(), Some(theme)),
    );

    let lines = "[[groups]]\nname = \"b\"\nauth_token_env = \"B\"\nendpoints = [\n  \
                 { name = \"y\", url = \"https://y.example.com\" },\n]\n";
    assert_eq!(group, format!("{NO_FINAL_NEWLINE}\n\n{lines}"));
    assert_eq!(
        set,
        format!("{NO_FINAL_NEWLINE}\n\n[ui]\ntheme = \"dark\"\n")
    );
}

#[test]
fn a_refusal_names_line_and_reason() {
    for (text, line) in [
        ("[ui]\nx = 0x\n", "line 2: "),
        ("[ui\n", "line 1: "),
        ("\ngroups = 3\n", "line 2: groups is a whole number"),
    ] {
        let refused = Change::Add(endpoint("y", "a")).applied(text).err().unwrap();

        assert!(refused.to_string().starts_with(line), "{refused}");
    }
    let theme = SettingValue::Text("dark".to_owned());
    let refused = Change::Set("ui.theme".to_owned(), Some(theme)).applied("\nui = 3\n");

    let refused = refused.err().unwrap().to_string();
    assert!(
        refused.starts_with("line 2: ui is a whole number"),
        "{refused}"
    );
}

/// Every change that could be asked for, one of each kind.
fn changes(text: &str, at: Index) -> Vec<Change> {
    let shown = form::configuration(text).unwrap();
    let setting = at.get(&shown.settings);
    let mut all = vec![
        Change::Set(setting.key.clone(), Some(setting.default.clone())),
        Change::Set(setting.key.clone(), None),
        Change::Set(
            "desktop.start_hidden".to_owned(),
            Some(SettingValue::Switch(false)),
        ),
        Change::Set(
            "server.allowed_hosts".to_owned(),
            Some(SettingValue::List(vec!["z.lan".to_owned()])),
        ),
        Change::Set(
            "failover.last_resort".to_owned(),
            Some(SettingValue::Switch(false)),
        ),
        Change::Add(endpoint("new one", "new group")),
    ];
    if !shown.groups.is_empty() {
        let group = at.get(&shown.groups);
        all.push(Change::Add(endpoint("new one", &group.name)));
    }
    if !shown.endpoints.is_empty() {
        let endpoint = at.get(&shown.endpoints);
        let count = u32::try_from(shown.endpoints.len()).unwrap();
        let other = EndpointForm {
            url: "https://other.example.com".to_owned(),
            flag: Some("x".to_owned()),
            enabled: !endpoint.enabled,
            ..endpoint.clone()
        };
        let elsewhere = EndpointForm {
            group: "new group".to_owned(),
            token: TokenReference::Env("NEW".to_owned()),
            ..endpoint.clone()
        };
        all.extend([
            Change::Edit(endpoint.name.clone(), Box::new(other)),
            Change::Edit(endpoint.name.clone(), Box::new(elsewhere)),
            Change::Move(endpoint.name.clone(), 0),
            Change::Move(endpoint.name.clone(), count),
            Change::Remove(endpoint.name.clone()),
        ]);
    }
    all
}

/// What the text says of everything that a form shows.
fn said(text: &str) -> (BTreeMap<String, Option<String>>, BTreeMap<String, String>) {
    let shown = form::configuration(text).unwrap_or_else(|problems| panic!("{problems}\n{text}"));
    let settings = shown.settings.into_iter();
    let endpoints = shown.endpoints.into_iter();
    (
        settings
            .map(|setting| (setting.key, setting.value.map(|value| format!("{value:?}"))))
            .collect(),
        endpoints
            .map(|endpoint| (endpoint.name.clone(), format!("{endpoint:?}")))
            .collect(),
    )
}

/// The changed text says the same as before but for what the change is about.
fn check(text: &str, change: &Change) {
    let changed = match change.applied(text) {
        Ok(changed) => changed,
        Err(NotChanged::Apart(_)) => return,
        Err(why) => panic!("{change:?}: {why}\n{text}"),
    };
    let Ok(outcome) = changed.outcome else {
        return;
    };
    let (mut before, mut after) = (said(text), said(&outcome.text));
    match change {
        Change::Set(key, value) => {
            let value = value.as_ref().map(|value| format!("{value:?}"));
            assert_eq!(
                after.0.insert(key.clone(), None),
                Some(value),
                "{change:?}\n{text}"
            );
            before.0.insert(key.clone(), None);
        }
        Change::Add(form) => {
            assert!(after.1.remove(&form.name).is_some(), "{change:?}\n{text}");
        }
        Change::Edit(name, form) => {
            before.1.remove(name);
            assert!(after.1.remove(&form.name).is_some(), "{change:?}\n{text}");
        }
        Change::Move(..) => {}
        Change::Remove(name) => {
            before.1.remove(name);
        }
    }
    assert_eq!(before, after, "{change:?}\n{text}\n{}", outcome.text);
    let is_unended = |text: &str| !text.is_empty() && !text.ends_with('\n');
    if !is_unended(text) {
        assert!(!is_unended(&outcome.text), "{change:?}\n{text}");
    }
}

/// How a table is written.
#[derive(Clone, Copy, Debug)]
enum Style {
    Dotted,
    Header,
    Braces,
}

const KEYS: [(&str, &str); 9] = [
    ("server", "port = 1"),
    ("server", "\"host\" = \"127.0.0.1\""),
    (
        "server",
        "allowed_hosts = [\n  \"a.lan\", # a\n  \"b.lan\",\n]",
    ),
    ("ui", "theme = \"dark\""),
    ("ui", "language = 'en'"),
    ("desktop", "launch_at_login = true"),
    ("desktop", "unknown.dotted.key = 0x1F"),
    ("failover", "enabled = false"),
    ("failover", "hold_seconds = 1_0"),
];

/// The end of a file, below its tables.
const ENDS: [&str; 5] = [
    "",
    "[[failover.rules]] # first\nx = 1\n\n# second\n[[failover.rules]]\nx = 2\n",
    "[[groups]]\nname = \"a\"\nauth_token_env = \"A\"\nendpoints = [ # x\n  { name = \"x\", \
     url = \"https://x.example.com\" },\n  # y\n  { name = \"y\", url = \"https://y.example.com\" }\n]\n\
     [[ groups ]]\nname = \"b\"\nauth_token_env = \"B\"\nendpoints = [{ name = \"z\", \
     url = \"https://z.example.com\" }]\n[groups.health_check] # b\nmode = \"connect\"\n",
    "[[groups]]\nname = \"a\"\nauth_token_env = \"A\"\n[[groups.endpoints]]\nname = \"x\"\n\
     url = \"https://x.example.com\"\n# y\n[[ groups . endpoints ]]\nname = \"y\"\n\
     url = \"https://y.example.com\"\nflag = \"y\"\n",
    "[[groups]]\nname.x = 1\n",
];

fn document() -> impl Strategy<Value = String> {
    let styles =
        prop::collection::vec(select(vec![Style::Dotted, Style::Header, Style::Braces]), 4);
    let keys = subsequence(KEYS.to_vec(), 0..=KEYS.len()).prop_shuffle();
    (styles, keys, select(ENDS.to_vec()), any::<[bool; 4]>()).prop_map(
        |(styles, keys, groups, [windows, unended, mark, commented])| {
            let tables = ["server", "ui", "desktop", "failover"];
            let style = |table: &str| styles[tables.iter().position(|t| *t == table).unwrap()];
            let comment = if commented { "# above\n" } else { "" };
            let mut root = String::new();
            let mut headers = String::new();
            for (table, line) in &keys {
                if let Style::Dotted = style(table) {
                    root += &format!("{comment}{table}.{line} # behind\n");
                }
            }
            for table in tables {
                let own = keys.iter().filter(|(of, _)| *of == table);
                let own: Vec<&str> = own.map(|(_, line)| *line).collect();
                match style(table) {
                    Style::Dotted => {}
                    Style::Header if own.is_empty() => {}
                    Style::Header => {
                        headers += &format!("{comment}[{table}]\n{comment}{}\n", own.join("\n"));
                    }
                    Style::Braces => root += &format!("{table} = {{ {} }}\n", own.join(", ")),
                }
            }
            let mut text = format!("{root}{headers}{groups}");
            if windows {
                text = text.replace('\n', "\r\n");
            }
            if unended {
                text.truncate(text.trim_end().len());
            }
            format!("{}{text}", if mark { "\u{feff}" } else { "" })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(300)
    })]

    #[test]
    fn however_a_file_is_written_it_can_be_edited(text in document(), at in any::<Index>()) {
        prop_assume!(parse(&text).is_ok());
        for change in changes(&text, at) {
            check(&text, &change);
        }
    }

    #[test]
    fn an_edited_example_that_is_accepted_can_be_edited_by_forms(
        edits in prop::collection::vec(mangled::edit(), 0..4),
        windows in any::<bool>(),
        at in any::<Index>(),
    ) {
        let text = mangled::edited(&edits);
        let text = if windows { text.replace('\n', "\r\n") } else { text };
        if parse(&text).is_ok() {
            for change in changes(&text, at) {
                check(&text, &change);
            }
        }
    }
}

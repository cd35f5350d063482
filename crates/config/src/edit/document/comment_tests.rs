//! No change loses a comment, or a line that it is not about.

use zephyr_control::{EndpointForm, SettingKind, SettingValue, TokenReference};

use crate::edit::change::Change;
use crate::form;

/// What begins with an endpoint's name stands at that endpoint.
const ARRAY: &str = r#"# The head of the file.

# Where it listens.

[server] # behind a header
# above a key
port = 9090 # behind a key
# above a list
allowed_hosts = [ # behind a bracket
  # The first section.

  # above a
  "a.lan", # behind a

  # The second section.

  # above b
  "b.lan", "c.lan", # behind a line
  # before a bracket
] # behind a list
# below a key

# A section.

[[groups]] # one
name = "one"
# above a token
auth_token_env = "ONE" # behind a token
# above endpoints
endpoints = [ # behind endpoints
  # Near ones.

  # a: above
  { name = "a", url = "https://a.example.com", flag = "🇯🇵", priority = 3 }, # a: behind

  # Far ones.

  # b: above
  {
    # b: in braces
    name = "b", # b: name
    # b: above flag
    flag = "🇯🇵", # b: flag
    # b: above url
    url = "https://b.example.com", # b: url
    # b: above proxy
    proxy = "direct" # b: proxy
    # b: below
  }, # b: behind

  # Dear ones.

  # c: above
  { name = "c", url = "https://c.example.com", api_key_env = "C" } # c: behind

  # none below
]

# Another group.

# above two
[[groups]]
name = "two"
auth_token_env = "TWO"
endpoints = [{ name = "d", url = "https://d.example.com" }] # behind two

# Below groups.

[ui] # mine
# above theme
theme = "dark" # behind theme
# The end.
"#;

const HEADERS: &str = r#"# The head of the file.

server.port = 9090 # behind a dotted key
# above a table in braces
desktop = { # in braces
  # above a pair
  start_hidden = true, # behind a pair
  # above the last pair, with a comma,
  launch_at_login = true # behind the last pair
  # before a brace
}

# A section.

[[groups]] # one
name = "one"
# above a token
auth_token_env = "ONE" # behind a token

# Near ones.

# a: above
[[groups.endpoints]] # a: header
# a: above name
name = "a" # a: name
# a: above flag
flag = "🇯🇵" # a: flag
url = "https://a.example.com" # a: url

# a: above the token

# a: right above the token
auth_token_env = "A" # a: token

# Far ones.

# b: above
[[groups.endpoints]]
name = "b"
url = "https://b.example.com"
# b: above proxy
proxy = "direct" # b: proxy

# b: headers
[groups.endpoints.headers] # b: behind headers
# b: above a header
x-b = "b" # b: a header

# Another group.

# above two
[[groups]]
name = "two"
# above a shared token
auth_token_env = "TWO"

# Its only one.

[[groups.endpoints]] # d: header
name = "d"
url = "https://d.example.com"

# Below groups.

[ui] # mine
# above theme
theme = "dark" # behind theme
# The end.
"#;

/// The last endpoint of all is what the text ends with.
const AT_THE_END: &str = r#"[[groups]]
name = "one"
auth_token_env = "ONE"
endpoints = [{ name = "a", url = "https://a.example.com" }] # behind endpoints

[[groups]]
name = "two"
auth_token_env = "TWO"

# The only one.

# d: above
[[groups.endpoints]]
name = "d" # d: name
url = "https://d.example.com"

# The end.
"#;

const TEXTS: [&str; 3] = [ARRAY, HEADERS, AT_THE_END];

fn endpoints(text: &str) -> Vec<EndpointForm> {
    form::configuration(text).unwrap().endpoints
}

/// The change, where the result is one that may be written.
fn changed(text: &str, change: &Change) -> Option<String> {
    let changed = change.applied(text).ok()?;
    Some(changed.outcome.ok()?.text)
}

fn comments(text: &str) -> Vec<&str> {
    let lines = text.lines();
    lines
        .filter_map(|line| line.find('#').map(|at| line[at..].trim_end()))
        .collect()
}

/// What is in the first list more often than in the second one.
fn without<'t>(all: Vec<&'t str>, some: Vec<&str>) -> Vec<&'t str> {
    let mut some = some;
    let mut rest = all;
    rest.retain(|one| match some.iter().position(|other| other == one) {
        Some(at) => {
            some.remove(at);
            false
        }
        None => true,
    });
    rest
}

/// Every comment that is in the text before and not after, or the other way round.
fn other_comments<'t>(before: &'t str, after: &'t str) -> Vec<&'t str> {
    let (old, new) = (comments(before), comments(after));
    let mut other = without(old.clone(), new.clone());
    other.extend(without(new, old));
    other
}

/// The lines that are gone, where a comma and the place on the line count for nothing.
fn gone_lines(before: &str, after: &str) -> Vec<String> {
    let lines = |text: &str| -> Vec<String> {
        let lines = text
            .lines()
            .map(|line| line.replace(',', "").trim().to_owned());
        lines.filter(|line| !line.is_empty()).collect()
    };
    let (before, after) = (lines(before), lines(after));
    let gone = without(
        before.iter().map(String::as_str).collect(),
        after.iter().map(String::as_str).collect(),
    );
    gone.into_iter().map(str::to_owned).collect()
}

fn other_values(kind: &SettingKind) -> Vec<SettingValue> {
    let list =
        |texts: &[&str]| SettingValue::List(texts.iter().map(|&text| text.to_owned()).collect());
    match kind {
        SettingKind::Switch => [true, false].map(SettingValue::Switch).to_vec(),
        SettingKind::Number { min, .. } => vec![SettingValue::Number(*min)],
        SettingKind::Choice { options } => {
            options.iter().cloned().map(SettingValue::Text).collect()
        }
        SettingKind::ChoiceOrNumber { options, min, .. } => {
            let options = options.iter().cloned().map(SettingValue::Text);
            options.chain([SettingValue::Number(*min)]).collect()
        }
        SettingKind::Text => vec![SettingValue::Text("other".to_owned())],
        SettingKind::List => vec![
            list(&["a.lan", "b.lan", "c.lan", "d.lan"]),
            list(&["d.lan", "c.lan", "b.lan", "a.lan"]),
            list(&["d.lan", "a.lan", "a.lan", "b.lan", "c.lan"]),
        ],
    }
}

#[test]
fn a_setting_that_is_set_or_taken_out_leaves_every_other_line_and_every_comment() {
    for text in TEXTS {
        let mut changes = 0;
        for setting in form::settings() {
            let name = setting.key.rsplit('.').next().unwrap();
            let others = other_values(&setting.kind).into_iter().map(Some);
            let is_list = matches!(setting.kind, SettingKind::List);
            for value in others.chain((!is_list).then_some(None)) {
                let change = Change::Set(setting.key.clone(), value);
                let Some(after) = changed(text, &change) else {
                    continue;
                };

                assert_eq!(other_comments(text, &after), [""; 0], "{change:?}\n{after}");
                let gone = gone_lines(text, &after).into_iter();
                let gone = gone.filter(|line| !line.contains(name) && !line.contains(".lan"));
                assert_eq!(gone.collect::<Vec<_>>(), [""; 0], "{change:?}\n{after}");
                changes += 1;
            }
        }
        assert!(changes > 80, "{changes}");
    }
}

#[test]
fn an_entry_of_a_list_leaves_with_its_own_comments_only() {
    let hosts = |hosts: &[&str]| {
        let hosts = hosts.iter().map(|&host| host.to_owned()).collect();
        let change = Change::Set(
            "server.allowed_hosts".to_owned(),
            Some(SettingValue::List(hosts)),
        );
        changed(ARRAY, &change).unwrap()
    };

    let (first, second) = (hosts(&["b.lan", "c.lan"]), hosts(&["a.lan", "c.lan"]));
    let (third, none) = (hosts(&["a.lan", "b.lan"]), hosts(&[]));
    let other = hosts(&["e.lan", "b.lan", "c.lan"]);

    let of_a = "\n  # above a\n  \"a.lan\", # behind a\n";
    assert_eq!(first, ARRAY.replace(of_a, ""));
    assert_eq!(second, ARRAY.replace("\"b.lan\", ", ""));
    assert_eq!(third, ARRAY.replace(", \"c.lan\"", ""));
    let of_lines = ["# above a", "# behind a", "# above b", "# behind a line"];
    assert_eq!(other_comments(ARRAY, &none), of_lines);
    assert_eq!(other_comments(ARRAY, &other), of_lines[..2]);
}

#[test]
fn a_new_endpoint_leaves_every_line_and_every_comment() {
    for text in TEXTS {
        for group in ["one", "two", "three"] {
            let form = EndpointForm {
                name: "new".to_owned(),
                url: "https://new.example.com".to_owned(),
                flag: Some("🇩🇪".to_owned()),
                token: TokenReference::Env("NEW".to_owned()),
                ..form::blank(group)
            };

            let after = changed(text, &Change::Add(Box::new(form.clone()))).unwrap();
            let back = changed(&after, &Change::Remove("new".to_owned())).unwrap();

            assert_eq!(other_comments(text, &after), [""; 0], "{after}");
            let gone = gone_lines(text, &after).into_iter();
            let gone = gone.filter(|line| !line.starts_with("endpoints = [{"));
            assert_eq!(gone.collect::<Vec<_>>(), [""; 0], "{after}");
            if group != "three" {
                assert_eq!(back, text);
            }
        }
    }
}

/// The same endpoint with each of its fields another, one at a time.
fn variations(form: &EndpointForm) -> Vec<EndpointForm> {
    let text = |text: &str| Some(text.to_owned());
    let with = |change: &dyn Fn(&mut EndpointForm)| {
        let mut other = form.clone();
        change(&mut other);
        other
    };
    vec![
        with(&|form| form.name = "renamed".to_owned()),
        with(&|form| form.url = "https://other.example.com".to_owned()),
        with(&|form| form.flag = None),
        with(&|form| form.flag = text("🇩🇪")),
        with(&|form| form.proxy = None),
        with(&|form| form.proxy = text("http://proxy.example.com")),
        with(&|form| form.path_prefix = text("/prefix")),
        with(&|form| form.enabled = false),
        with(&|form| form.priority = 7),
        with(&|form| form.token = TokenReference::None),
        with(&|form| form.token = TokenReference::Env("OTHER".to_owned())),
        with(&|form| form.token = TokenReference::Keychain("other".to_owned())),
        with(&|form| {
            form.flag = None;
            form.proxy = None;
            form.token = TokenReference::None;
        }),
    ]
}

#[test]
fn an_endpoint_that_is_edited_keeps_its_comments_and_every_other_line() {
    const KEYS: [&str; 9] = [
        "name",
        "url",
        "flag",
        "proxy",
        "path_prefix",
        "enabled",
        "priority",
        "auth_token",
        "api_key",
    ];
    for text in TEXTS {
        for before in endpoints(text) {
            for other in variations(&before) {
                let change = Change::Edit(before.name.clone(), Box::new(other));
                let after = changed(text, &change).unwrap();

                assert_eq!(other_comments(text, &after), [""; 0], "{change:?}\n{after}");
                let is_other = |line: &String| !KEYS.iter().any(|key| line.contains(key));
                let gone = gone_lines(text, &after).into_iter().filter(is_other);
                assert_eq!(gone.collect::<Vec<_>>(), [""; 0], "{change:?}\n{after}");
            }
        }
    }
}

#[test]
fn an_endpoint_that_moves_leaves_every_line_and_every_comment() {
    for text in TEXTS {
        let all = endpoints(text);
        let mut moves = 0;
        for endpoint in &all {
            for to in 0..all.len() {
                let change = Change::Move(endpoint.name.clone(), u32::try_from(to).unwrap());
                let Some(after) = changed(text, &change) else {
                    continue;
                };

                assert_eq!(other_comments(text, &after), [""; 0], "{change:?}\n{after}");
                assert_eq!(gone_lines(text, &after), [""; 0], "{change:?}\n{after}");
                moves += 1;
            }
        }
        assert!(moves > all.len(), "{moves}");
    }
}

#[test]
fn an_endpoint_takes_all_its_comments_to_another_group_and_no_others() {
    for text in TEXTS {
        for before in endpoints(text) {
            for group in ["one", "two", "three"] {
                let moved = EndpointForm {
                    group: group.to_owned(),
                    token: TokenReference::Env("MOVED".to_owned()),
                    ..before.clone()
                };
                let change = Change::Edit(before.name.clone(), Box::new(moved));
                let after = changed(text, &change).unwrap();

                assert_eq!(other_comments(text, &after), [""; 0], "{change:?}\n{after}");
            }
        }
    }
}

#[test]
fn an_endpoint_that_is_removed_takes_its_own_comments_and_no_others() {
    for text in TEXTS {
        for endpoint in endpoints(text) {
            let own = format!("# {}: ", endpoint.name);

            let after = changed(text, &Change::Remove(endpoint.name.clone())).unwrap();

            let before = comments(text).into_iter();
            let own: Vec<&str> = before.filter(|comment| comment.starts_with(&own)).collect();
            assert_eq!(other_comments(text, &after), own, "{after}");
            let gone = gone_lines(text, &after);
            let others = endpoints(text);
            let others = others.iter().filter(|other| other.name != endpoint.name);
            for other in others {
                let url = format!("\"https://{}.example.com\"", other.name);
                assert!(!gone.iter().any(|line| line.contains(&url)), "{gone:?}");
            }
        }
    }
}

#[test]
fn all_endpoints_can_go_one_by_one_and_what_they_stood_below_stays() {
    for text in TEXTS {
        let names: Vec<String> = endpoints(text).into_iter().map(|one| one.name).collect();
        let mut after = text.to_owned();

        for name in &names {
            let rewritten = super::endpoints::remove(&after, name);
            after = rewritten.unwrap_or_else(|_| panic!("{name}")).text;
        }

        let is_own = |comment: &&str| {
            names
                .iter()
                .any(|name| comment.starts_with(&format!("# {name}: ")))
        };
        let own: Vec<&str> = comments(text).into_iter().filter(is_own).collect();
        assert_eq!(other_comments(text, &after), own, "{after}");
    }
}

#[test]
fn what_stands_above_the_last_endpoint_that_goes_stays_where_it_was() {
    let after = changed(HEADERS, &Change::Remove("d".to_owned())).unwrap();
    let at_the_end = changed(AT_THE_END, &Change::Remove("d".to_owned())).unwrap();

    let lines = "\n# Its only one.\n\n[[groups.endpoints]] # d: header\nname = \"d\"\n\
                 url = \"https://d.example.com\"\n";
    let expected = HEADERS.replace(lines, "endpoints = []\n\n# Its only one.\n");
    assert_eq!(after, expected);
    assert!(
        at_the_end.ends_with("endpoints = []\n\n# The only one.\n\n# The end.\n"),
        "{at_the_end}"
    );
}

#[test]
fn line_ends_of_windows_change_nothing_of_this() {
    let windows = |text: &str| text.replace('\n', "\r\n");
    let hosts = SettingValue::List(vec!["c.lan".to_owned(), "x.lan".to_owned()]);
    let changes = [
        Change::Set("server.allowed_hosts".to_owned(), Some(hosts)),
        Change::Set("server.port".to_owned(), None),
        Change::Remove("b".to_owned()),
        Change::Move("c".to_owned(), 0),
    ];

    for change in changes {
        let after = changed(ARRAY, &change).unwrap();
        let after_windows = changed(&windows(ARRAY), &change).unwrap();

        assert_eq!(after_windows, windows(&after), "{change:?}");
    }
}

//! Endpoints are written as the others are, and nothing else changes.

use zephyr_control::{AuthType, EndpointForm, TokenReference};

use super::endpoints::{add, edit, forms, relocate, remove};
use super::text::NotRewritten;
use crate::form::{self, blank};

const ARRAY: &str = r#"# Mine.
[server]
port = 9090 # taken: 8080

[[groups]] # the first
name = "one"
auth_token_env = "ONE"
# What I have.
endpoints = [ # best first
  # near
  { name = "a", url = "https://a.example.com", priority = 3 }, # fast
  # far
  { name = "b", url = "https://b.example.com" }, # slow
  # dear
  { name = "c", url = "https://c.example.com", flag = "🇯🇵" } # last
  # nothing more
]

# The second.
[[groups]]
name = "two"
auth_token_env = "TWO"
endpoints = [{ name = "d", url = "https://d.example.com" }]

[ui] # mine
theme = "dark"
# end
"#;

const HEADERS: &str = r#"# Mine.

# The first.
[[groups]]
name = "one"
auth_token_env = "ONE"

# near
[[groups.endpoints]]
name = "a" # fast
url = "https://a.example.com"
priority = 3

# far
[[groups.endpoints]]
name = "b"
# over there
url = "https://b.example.com"

# The second.
[[groups]]
name = "two"
auth_token_env = "TWO"

[[groups.endpoints]]
name = "d"
url = "https://d.example.com"

[ui] # mine
theme = "dark"
# end
"#;

fn form(name: &str, group: &str) -> EndpointForm {
    EndpointForm {
        name: name.to_owned(),
        url: format!("https://{name}.example.com"),
        ..blank(group)
    }
}

fn written(text: &str, name: &str) -> EndpointForm {
    let mut all = forms(text).unwrap_or_else(|_| panic!("{text}")).into_iter();
    all.find(|endpoint| endpoint.name == name).unwrap()
}

fn names(text: &str) -> Vec<String> {
    let all = forms(text).unwrap().into_iter();
    all.map(|endpoint| endpoint.name).collect()
}

/// The lines that are only in one of the two texts.
fn difference<'t>(before: &'t str, after: &'t str) -> (Vec<&'t str>, Vec<&'t str>) {
    let mut new: Vec<&str> = after.split_inclusive('\n').collect();
    let mut gone = Vec::new();
    for line in before.split_inclusive('\n') {
        match new.iter().position(|other| *other == line) {
            Some(at) => drop(new.remove(at)),
            None => gone.push(line),
        }
    }
    (gone, new)
}

#[test]
fn a_new_endpoint_stands_below_the_others_of_its_group() {
    let after = add(ARRAY, &form("e", "one")).unwrap();

    assert_eq!(after.at, Some((0, 3)));
    let expected = ARRAY.replace(
        "flag = \"🇯🇵\" } # last\n",
        "flag = \"🇯🇵\" }, # last\n  { name = \"e\", url = \"https://e.example.com\" }\n",
    );
    assert_eq!(after.text, expected);
}

#[test]
fn a_new_endpoint_stands_on_the_line_of_the_others() {
    let after = add(ARRAY, &form("e", "two")).unwrap();

    let expected = ARRAY.replace(
        "d.example.com\" }]",
        "d.example.com\" }, { name = \"e\", url = \"https://e.example.com\" }]",
    );
    assert_eq!(after.text, expected);
}

#[test]
fn a_new_endpoint_gets_a_header_where_the_others_have_one() {
    let endpoint = EndpointForm {
        enabled: false,
        price: 0.5,
        token: TokenReference::Keychain("e".to_owned()),
        ..form("e", "one")
    };

    let after = add(HEADERS, &endpoint).unwrap();

    let lines = "\n[[groups.endpoints]]\nname = \"e\"\nurl = \"https://e.example.com\"\nenabled = false\n\
                 price = 0.5\nauth_token_keychain = \"e\"\n";
    let expected = HEADERS.replace("\n# The second.\n", &format!("{lines}\n# The second.\n"));
    assert_eq!(after.text, expected);
    assert_eq!(written(&after.text, "e"), endpoint);
}

#[test]
fn a_group_that_is_not_there_is_made_with_the_credential() {
    let endpoint = EndpointForm {
        auth_type: Some(AuthType::ApiKey),
        token: TokenReference::Env("THREE".to_owned()),
        ..form("e", "three")
    };

    for text in [ARRAY, HEADERS] {
        let after = add(text, &endpoint).unwrap();

        let lines = "\n[[groups]]\nname = \"three\"\nauth_type = \"api_key\"\nauth_token_env = \"THREE\"\n\
                     endpoints = [\n  { name = \"e\", url = \"https://e.example.com\" },\n]\n";
        let expected = text.replace("\n[ui]", &format!("{lines}\n[ui]"));
        assert_eq!(after.text, expected);
        assert_eq!(after.at, Some((2, 0)));
    }
}

#[test]
fn the_first_group_of_a_file_stands_below_the_example_or_at_the_end() {
    let endpoint = EndpointForm {
        token: TokenReference::Keychain("e".to_owned()),
        ..form("e", "main")
    };
    let lines = "[[groups]]\nname = \"main\"\nauth_token_keychain = \"e\"\nendpoints = [\n  \
                 { name = \"e\", url = \"https://e.example.com\" },\n]\n";
    let default = crate::example::commented_default();
    let cases = [
        ("", lines.to_owned()),
        ("[ui]\n# end", format!("[ui]\n# end\n\n{lines}")),
        (
            default.as_str(),
            default.replace("[routing]\n", &format!("{lines}\n[routing]\n")),
        ),
    ];

    for (before, expected) in cases {
        let after = add(before, &endpoint).unwrap();

        assert_eq!(after.text, expected);
        assert_eq!(after.at, Some((0, 0)));
    }
}

#[test]
fn only_the_keys_that_changed_are_written() {
    for text in [ARRAY, HEADERS] {
        let before = written(text, "a");
        let changed = EndpointForm {
            url: "https://new.example.com".to_owned(),
            ..before.clone()
        };

        let after = edit(text, "a", &changed).unwrap();
        let same = edit(text, "a", &before).unwrap();

        let expected = text.replace("https://a.example.com", "https://new.example.com");
        assert_eq!(after.text, expected);
        assert_eq!(same.text, text);
        assert_eq!(after.at, Some((0, 0)));
    }
}

#[test]
fn keys_are_added_and_removed_in_braces() {
    let changed = EndpointForm {
        flag: None,
        enabled: false,
        ..written(ARRAY, "c")
    };
    let without = EndpointForm {
        flag: None,
        ..written(ARRAY, "c")
    };

    let after = edit(ARRAY, "c", &changed).unwrap();
    let shorter = edit(ARRAY, "c", &without).unwrap();

    let end = |end: &str| ARRAY.replace(", flag = \"🇯🇵\" } # last", end);
    assert_eq!(after.text, end(", enabled = false } # last"));
    assert_eq!(shorter.text, end(" } # last"));
}

#[test]
fn a_renamed_endpoint_keeps_everything_else() {
    let changed = EndpointForm {
        name: "  z ".to_owned(),
        ..written(HEADERS, "a")
    };

    let after = edit(HEADERS, "a", &changed).unwrap();

    assert_eq!(after.text, HEADERS.replace("name = \"a\"", "name = \"z\""));
}

#[test]
fn another_token_replaces_the_one_that_was_there() {
    let text = "[[groups]]\nname = \"g\"\nauth_type = \"passthrough\"\nendpoints = [\n  \
                { name = \"a\", url = \"https://a.example.com\", api_key_env = \"OLD\" },\n]\n";
    let with = |token| EndpointForm {
        token,
        ..written(text, "a")
    };

    let variable = edit(text, "a", &with(TokenReference::Env("NEW".to_owned()))).unwrap();
    let entry = edit(text, "a", &with(TokenReference::Keychain("k".to_owned()))).unwrap();
    let none = edit(text, "a", &with(TokenReference::None)).unwrap();

    assert_eq!(variable.text, text.replace("OLD", "NEW"));
    let keychain = "auth_token_keychain = \"k\"";
    assert_eq!(entry.text, text.replace("api_key_env = \"OLD\"", keychain));
    assert_eq!(none.text, text.replace(", api_key_env = \"OLD\"", ""));
}

#[test]
fn an_endpoint_goes_to_another_group_with_its_comment() {
    let to = |text: &str, group: &str| EndpointForm {
        group: group.to_owned(),
        token: TokenReference::Env("MINE".to_owned()),
        ..written(text, "b")
    };

    for text in [ARRAY, HEADERS] {
        let there = edit(text, "b", &to(text, "two")).unwrap();
        let made = edit(text, "b", &to(text, "new")).unwrap();

        assert_eq!(written(&there.text, "b"), to(text, "two"));
        assert_eq!(there.at, Some((1, 1)));
        let moved = written(&made.text, "b");
        assert_eq!(
            (moved.group.as_str(), moved.token),
            ("new", TokenReference::None)
        );
        let group = form::configuration(&made.text).unwrap().groups.remove(2);
        assert_eq!(group.token, TokenReference::Env("MINE".to_owned()));
        assert!(made.text.contains("# far\n"), "{}", made.text);
        for comment in ["# Mine.", "# near", "# The second.", "# end"] {
            assert!(there.text.contains(comment), "{}", there.text);
        }
    }
}

#[test]
fn an_endpoint_moves_with_its_comments_and_nothing_else_does() {
    for text in [ARRAY, HEADERS] {
        let after = relocate(text, "b", 0).unwrap();

        let (gone, new) = difference(text, &after.text);
        assert_eq!((gone, new), (vec![], vec![]), "{}", after.text);
        assert_eq!(names(&after.text)[..2], ["b", "a"]);
        let comment = after.text.find("# far").unwrap();
        assert!(comment < after.text.find("# near").unwrap());
        assert!(comment < after.text.find("\"b\"").unwrap());
        assert_eq!(after.at, Some((0, 0)));
        assert_eq!(relocate(&after.text, "b", 1).unwrap().text, text);
        assert_eq!(relocate(text, "b", 1).unwrap().text, text);
    }
}

#[test]
fn the_last_line_of_an_array_moves_and_gets_its_comma() {
    let after = relocate(ARRAY, "c", 0).unwrap();

    assert_eq!(names(&after.text), ["c", "a", "b", "d"]);
    let first = "endpoints = [ # best first\n  # dear\n  { name = \"c\", url = \"https://c.example.com\", \
                 flag = \"🇯🇵\" }, # last\n  # near\n";
    assert!(after.text.contains(first), "{}", after.text);
    assert!(
        after
            .text
            .contains("b.example.com\" } # slow\n  # nothing more\n]"),
        "{}",
        after.text
    );
}

#[test]
fn the_only_endpoint_of_a_group_takes_it_along() {
    for text in [ARRAY, HEADERS] {
        let to_front = relocate(text, "d", 0).unwrap();

        assert_eq!(names(&to_front.text)[..2], ["d", "a"]);
        assert_eq!(to_front.at, Some((0, 0)));
        let comment = to_front.text.find("# The second.").unwrap();
        assert!(comment < to_front.text.find("name = \"two\"").unwrap());
        assert!(
            to_front.text.find("name = \"two\"").unwrap()
                < to_front.text.find("name = \"one\"").unwrap()
        );
        let (gone, new) = difference(text, &to_front.text);
        assert_eq!((gone, new), (vec![], vec![]), "{}", to_front.text);
        let last = names(text).len();
        assert_eq!(relocate(&to_front.text, "d", last).unwrap().text, text);
    }
}

#[test]
fn the_comment_at_the_top_of_a_file_stays_there() {
    let after = relocate(HEADERS, "d", 0).unwrap();

    assert!(
        after
            .text
            .starts_with("# Mine.\n\n# The second.\n[[groups]]\n"),
        "{}",
        after.text
    );
}

#[test]
fn groups_are_not_torn_apart() {
    let inside = relocate(ARRAY, "d", 1).err();
    let outside = relocate(ARRAY, "a", 3).err();

    assert_eq!(inside, Some(NotRewritten::Apart("one".to_owned())));
    assert_eq!(outside, Some(NotRewritten::Apart("one".to_owned())));
}

#[test]
fn an_endpoint_leaves_with_its_comments() {
    let array = remove(ARRAY, "b").unwrap();
    let headers = remove(HEADERS, "b").unwrap();

    let line = "  # far\n  { name = \"b\", url = \"https://b.example.com\" }, # slow\n";
    assert_eq!(array.text, ARRAY.replace(line, ""));
    let lines = "\n# far\n[[groups.endpoints]]\nname = \"b\"\n# over there\nurl = \"https://b.example.com\"\n";
    assert_eq!(headers.text, HEADERS.replace(lines, ""));
    assert_eq!((array.at, headers.at), (None, None));
}

#[test]
fn the_last_line_of_an_array_leaves() {
    let after = remove(ARRAY, "c").unwrap();

    let expected = ARRAY.replace(
        "}, # slow\n  # dear\n  { name = \"c\", url = \"https://c.example.com\", flag = \"🇯🇵\" } # last\n",
        "} # slow\n",
    );
    assert_eq!(after.text, expected);
}

#[test]
fn a_group_stays_when_its_last_endpoint_leaves_and_takes_another() {
    for text in [ARRAY, HEADERS] {
        let endpoint = written(text, "d");

        let empty = remove(text, "d").unwrap();
        let again = add(&empty.text, &endpoint).unwrap();

        assert!(empty.text.contains("endpoints = []\n"), "{}", empty.text);
        assert_eq!(names(&again.text), names(text));
        assert_eq!(written(&again.text, "d"), endpoint);
        for comment in ["# The second.", "# mine", "# end"] {
            assert!(again.text.contains(comment), "{}", again.text);
        }
    }
}

#[test]
fn groups_in_an_array_are_written_too() {
    let text = "groups = [\n  { name = \"one\", auth_token_env = \"ONE\", endpoints = [\n    \
                { name = \"a\", url = \"https://a.example.com\" },\n  ] },\n]\n";
    let endpoint = EndpointForm {
        token: TokenReference::Env("TWO".to_owned()),
        ..form("b", "two")
    };

    let same = add(text, &form("b", "one")).unwrap();
    let other = add(text, &endpoint).unwrap();

    let expected = text.replace(
        "\n  ] }",
        "\n    { name = \"b\", url = \"https://b.example.com\" },\n  ] }",
    );
    assert_eq!(same.text, expected);
    assert_eq!(names(&other.text), ["a", "b"]);
    assert_eq!(relocate(&other.text, "b", 0).unwrap().at, Some((0, 0)));
}

#[test]
fn line_ends_and_the_mark_at_the_beginning_stay() {
    let windows = format!("\u{feff}{}", ARRAY.replace('\n', "\r\n"));
    let mixed = ARRAY.replacen('\n', "\r\n", 1);

    let after = add(&windows, &form("e", "one")).unwrap();
    let after_mixed = remove(&mixed, "a").unwrap();

    let unix = add(ARRAY, &form("e", "one")).unwrap().text;
    assert_eq!(
        after.text,
        format!("\u{feff}{}", unix.replace('\n', "\r\n"))
    );
    let unix = remove(ARRAY, "a").unwrap().text;
    assert_eq!(after_mixed.text, unix.replacen('\n', "\r\n", 1));
}

#[test]
fn an_unknown_endpoint_and_a_text_that_is_no_toml_are_refused() {
    let unknown = remove(ARRAY, "x").err();
    let broken = remove("[server", "x").err();

    let names = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
    assert_eq!(unknown, Some(NotRewritten::Unknown(names)));
    assert_eq!(broken, Some(NotRewritten::Refused));
}

//! Where there is a proxy, `connect` keeps requests to us off it, and `disconnect` restores what was there.

use serde_json::{Value, json};
use zephyr_claude_code::{ClaudeCode, Credential, Disconnected, Key, Proxies, Target, printed};
use zephyr_config::ConfigFile;
use zephyr_control::ClaudeCode as State;

use crate::home::{Home, target};

const LOOPBACK: &str = "127.0.0.1,localhost,::1";

/// The variables of a shell.
fn shell(variables: &[(&str, &str)]) -> Proxies {
    let value = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    Proxies::read(value, false)
}

fn past(variables: &[(&str, &str)]) -> Target {
    target(8080).past(shell(variables))
}

const PROXY: (&str, &str) = ("HTTPS_PROXY", "http://user:hunter2@proxy.example:3128");

/// What is set beside the two keys.
fn bypass(home: &Home) -> Value {
    let mut env = home.env();
    let env = env.as_object_mut().unwrap();
    env.retain(|name, _| name.eq_ignore_ascii_case("no_proxy"));
    json!(env)
}

#[test]
fn without_a_proxy_two_keys_are_set() {
    for variables in [&[][..], &[("HTTP_PROXY", ""), ("NO_PROXY", "corp.example")]] {
        let home = Home::with("{}");

        let connected = home.claude_code().connect(&past(variables)).unwrap();

        assert_eq!(connected.keys, [Key::BaseUrl, Key::AuthToken]);
    }
}

#[test]
fn every_variable_that_names_a_proxy_counts() {
    for name in [
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
    ] {
        let before = json!({ "env": { name: "http://proxy.example:3128" } }).to_string();
        let by_shell = Home::with("{}");
        let by_settings = Home::with(&before);

        let target = past(&[(name, "http://proxy.example:3128")]);
        by_shell.claude_code().connect(&target).unwrap();
        by_settings.claude_code().connect(&past(&[])).unwrap();

        for home in [&by_shell, &by_settings] {
            assert_eq!(bypass(home), json!({ "NO_PROXY": LOOPBACK }), "{name}");
            home.claude_code().disconnect().unwrap();
        }
        assert_eq!(by_shell.text(), "{}");
        assert_eq!(by_settings.text(), before);
    }
}

#[test]
fn the_systems_own_proxy_counts() {
    let home = Home::with("{}");
    let target = target(8080).past(Proxies::read(|_| None, true));

    home.claude_code().connect(&target).unwrap();

    assert_eq!(bypass(&home), json!({ "NO_PROXY": LOOPBACK }));
}

#[test]
fn a_variable_that_the_settings_empty_names_no_proxy() {
    let home = Home::with(r#"{"env":{"HTTPS_PROXY":""}}"#);

    home.claude_code().connect(&past(&[PROXY])).unwrap();

    assert_eq!(bypass(&home), json!({}));
}

#[test]
fn what_is_there_already_stays_in_front() {
    type Case = (&'static str, &'static [(&'static str, &'static str)], Value);
    let cases: [Case; 10] = [
        (
            r#"{"NO_PROXY":"corp.example, 10.0.0.0/8"}"#,
            &[],
            json!({ "NO_PROXY": format!("corp.example, 10.0.0.0/8,{LOOPBACK}") }),
        ),
        (
            "{}",
            &[("NO_PROXY", "corp.example")],
            json!({ "NO_PROXY": format!("corp.example,{LOOPBACK}") }),
        ),
        (
            r#"{"NO_PROXY":"LOCALHOST,[::1]"}"#,
            &[],
            json!({ "NO_PROXY": "LOCALHOST,[::1],127.0.0.1" }),
        ),
        (
            r#"{"NO_PROXY":"mine.example"}"#,
            &[("NO_PROXY", "theirs.example")],
            json!({ "NO_PROXY": format!("mine.example,{LOOPBACK}") }),
        ),
        // Clients read the name in small letters first.
        (
            "{}",
            &[("no_proxy", "corp.example")],
            json!({
                "NO_PROXY": format!("corp.example,{LOOPBACK}"),
                "no_proxy": format!("corp.example,{LOOPBACK}"),
            }),
        ),
        (
            r#"{"no_proxy":""}"#,
            &[],
            json!({ "NO_PROXY": LOOPBACK, "no_proxy": LOOPBACK }),
        ),
        (
            r#"{"no_proxy":"a.example","NO_PROXY":"b.example,"}"#,
            &[],
            json!({
                "NO_PROXY": format!("b.example,{LOOPBACK}"),
                "no_proxy": format!("a.example,{LOOPBACK}"),
            }),
        ),
        (r#"{"NO_PROXY":null}"#, &[], json!({ "NO_PROXY": LOOPBACK })),
        // Nothing is missing.
        (r#"{"NO_PROXY":"*"}"#, &[], json!({ "NO_PROXY": "*" })),
        (
            r#"{"NO_PROXY":"::1 localhost 127.0.0.1"}"#,
            &[],
            json!({ "NO_PROXY": "::1 localhost 127.0.0.1" }),
        ),
    ];
    for (env, variables, expected) in cases {
        let before = format!("{{\n  \"env\": {env}\n}}\n");
        let home = Home::with(&before);
        let variables = [&[PROXY], variables].concat();

        home.claude_code().connect(&past(&variables)).unwrap();
        let without_token = || home.text().replace(&home.own_token(), "");
        let connected = without_token();
        let again = home.claude_code().connect(&past(&variables)).unwrap();

        assert_eq!(bypass(&home), expected, "{env} {variables:?}");
        assert_eq!(without_token(), connected, "{env}: {again:?}");
        assert_eq!(home.claude_code().state(), State::Connected);
        home.claude_code().disconnect().unwrap();
        assert_eq!(home.text(), before);
    }
}

#[test]
fn what_no_text_can_hold_stays_as_it_is_written() {
    let before = r#"{"env":{"NO_PROXY":"cut \ud83d\u002eexample"}}"#;
    let home = Home::with(before);

    home.claude_code().connect(&past(&[PROXY])).unwrap();

    let expected = format!(r#""NO_PROXY":"cut \ud83d\u002eexample,{LOOPBACK}""#);
    assert!(home.text().contains(&expected), "{}", home.text());
    home.claude_code().disconnect().unwrap();
    assert_eq!(home.text(), before);
}

#[test]
fn an_address_of_its_own_is_kept_off_the_proxy_too() {
    let cases = [
        ("http://192.168.7.1:8080", format!("{LOOPBACK},192.168.7.1")),
        ("http://[fd00::7]:8080", format!("{LOOPBACK},fd00::7")),
        ("http://[::1]:8080", LOOPBACK.to_owned()),
    ];
    let named = "[server]\nallowed_hosts = [\"192.168.7.1\", \"fd00::7\"]\n";
    let config = zephyr_config::parse(named).unwrap().config;
    for (url, expected) in cases {
        let home = Home::with("{}");
        let file = ConfigFile::named("config.toml");
        let target = Target::configured(url.to_owned(), &config, &file).unwrap();
        let target = target.past(shell(&[PROXY]));

        home.claude_code().connect(&target).unwrap();

        assert_eq!(bypass(&home), json!({ "NO_PROXY": expected }));
    }
}

#[test]
fn what_somebody_has_changed_since_is_left_alone() {
    let home = Home::with("{}");
    home.claude_code().connect(&past(&[PROXY])).unwrap();
    home.write(&home.text().replace(LOOPBACK, "theirs.example"));

    let disconnected = home.claude_code().disconnect().unwrap();

    let Disconnected::Restored { left_alone, .. } = disconnected else {
        panic!("{disconnected:?}");
    };
    assert_eq!(left_alone, [Key::NoProxy]);
    assert_eq!(home.env(), json!({ "NO_PROXY": "theirs.example" }));
}

#[test]
fn a_value_that_somebody_has_changed_is_what_a_second_connect_extends() {
    let home = Home::with("{}");
    let target = past(&[PROXY, ("NO_PROXY", "gone.example")]);
    home.claude_code().connect(&target).unwrap();
    home.write(&home.text().replace("gone.example,", "theirs.example,"));
    let theirs = format!("theirs.example,{LOOPBACK}");

    home.claude_code().connect(&target).unwrap();

    assert_eq!(bypass(&home), json!({ "NO_PROXY": theirs }));
    home.claude_code().disconnect().unwrap();
    assert_eq!(bypass(&home), json!({ "NO_PROXY": theirs }));
}

/// The tray does not see the variables of the shell that it was connected from.
#[test]
fn a_start_where_no_proxy_is_known_keeps_what_was_needed() {
    let home = Home::with("{}");
    let known = past(&[PROXY, ("no_proxy", "corp.example")]);
    home.claude_code().connect(&known).unwrap();
    let needed = bypass(&home);
    let unknown = target(9090);

    home.claude_code().resume(&unknown).unwrap();
    assert_eq!(bypass(&home), needed);
    home.claude_code().suspend().unwrap();
    assert_eq!(home.text(), "{}");
    home.claude_code().resume(&unknown).unwrap();

    assert_eq!(bypass(&home), needed);
    home.claude_code().disconnect().unwrap();
    home.claude_code().connect(&unknown).unwrap();
    assert_eq!(bypass(&home), json!({}));
}

#[test]
fn a_record_of_an_earlier_release_is_read() {
    let home = Home::with("{}");
    home.claude_code().connect(&target(8080)).unwrap();
    let mut record: Value = serde_json::from_slice(&std::fs::read(home.record()).unwrap()).unwrap();
    let fields = record.as_object_mut().unwrap();
    fields.remove("since_ms");
    fields.remove("mode");
    let fields: Vec<_> = fields.keys().cloned().collect();
    std::fs::write(home.record(), record.to_string()).unwrap();

    home.claude_code().connect(&past(&[PROXY])).unwrap();

    // What earlier releases write, and all that they read.
    assert_eq!(
        fields,
        [
            "env_is_ours",
            "file",
            "intent",
            "keys",
            "settings",
            "version"
        ]
    );
    assert_eq!(bypass(&home), json!({ "NO_PROXY": LOOPBACK }));
    home.claude_code().disconnect().unwrap();
    assert_eq!(home.text(), "{}");
}

/// Earlier releases know two keys, and would refuse a record with others among them.
#[test]
fn an_earlier_release_reads_the_record_and_restores_what_it_knows() {
    let home = Home::with("{}");
    home.claude_code().connect(&past(&[PROXY])).unwrap();
    let text = std::fs::read_to_string(home.record()).unwrap();
    let mut record: Value = serde_json::from_str(&text).unwrap();

    let keys: Vec<_> = record["keys"].as_array().unwrap().iter().collect();
    let names: Vec<_> = keys.iter().map(|held| held["key"].clone()).collect();
    assert_eq!(names, ["ANTHROPIC_BASE_URL", "ANTHROPIC_AUTH_TOKEN"]);
    // As an earlier release sees it.
    record.as_object_mut().unwrap().remove("proxy_keys");
    std::fs::write(home.record(), record.to_string()).unwrap();
    home.claude_code().disconnect().unwrap();

    assert_eq!(home.env(), json!({ "NO_PROXY": LOOPBACK }));
}

#[test]
fn what_is_printed_is_what_is_set() {
    let settings = r#"{"env":{"NO_PROXY":"corp.example"}}"#;
    let home = Home::with(settings);
    let proxies = shell(&[PROXY]);
    let show = |claude_code: &ClaudeCode| {
        let url = "http://127.0.0.1:8080";
        printed(claude_code, url, Credential::Own, &proxies).unwrap()
    };

    let before = show(&home.claude_code());
    home.claude_code().connect(&past(&[PROXY])).unwrap();
    let connected = show(&home.claude_code());

    let line = format!("export NO_PROXY=corp.example,{LOOPBACK}\n");
    assert!(before.contains(&line), "{before}");
    assert_eq!(connected, before);
    let json: Value = serde_json::from_str(&before[before.find('{').unwrap()..]).unwrap();
    assert_eq!(json["env"]["NO_PROXY"], home.env()["NO_PROXY"]);
    assert_eq!(json["env"]["ANTHROPIC_AUTH_TOKEN"], "zephyr");
    assert!(!before.contains(&home.own_token()), "{before}");
    assert!(!before.contains("hunter2"), "{before}");
}

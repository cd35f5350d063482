//! `[[failover.rules]]`.

use std::time::Duration;

use zephyr_config::parse;
use zephyr_core::classify::{Rule, Then};

fn rules(text: &str) -> Vec<Rule> {
    parse(text).unwrap().config.failover.rules
}

/// What is reported of a rule with these lines: each problem by the key it names.
fn refused(lines: &str) -> String {
    let text = format!("[[failover.rules]]\n{lines}\n");
    parse(&text).unwrap_err().to_string()
}

#[test]
fn a_rule_has_what_it_names() {
    let rules = rules(
        r#"
        [[failover.rules]]
        status = [400, 403]
        contains = "Balance"
        endpoint = "relay"
        model = "claude-opus-5-5"
        then = "exhausted"
        cooldown = "1h 30m"

        [[failover.rules]]
        status = 451
        matches = '(?i)not in your (country|region)'
        "#,
    );

    let [first, second] = rules.as_slice() else {
        panic!("{rules:?}")
    };
    assert_eq!(first.status, [400, 403]);
    assert_eq!(first.contains.as_deref(), Some("balance"));
    assert_eq!(first.then, Then::Exhausted);
    assert_eq!(first.cooldown, Some(Duration::from_secs(90 * 60)));
    let body = b"Your BALANCE is low";
    assert!(first.meets(400, body, "relay", Some("claude-opus-5-5")));
    for (status, body, endpoint, model) in [
        (401, &body[..], "relay", Some("claude-opus-5-5")),
        (400, b"all well", "relay", Some("claude-opus-5-5")),
        (400, body, "main", Some("claude-opus-5-5")),
        (400, body, "relay", Some("claude-haiku-4-5")),
        (400, body, "relay", None),
    ] {
        assert!(!first.meets(status, body, endpoint, model));
    }
    assert_eq!((&*second.status, second.then), (&[451][..], Then::Next));
    assert!(second.meets(451, b"Not in your region.", "any", None));
}

#[test]
fn a_rule_that_cannot_be_kept_is_refused_with_its_line() {
    for (lines, says) in [
        ("then = \"next\"", "would fit every answer"),
        ("status = 99", "is 99, which is no status"),
        ("status = \"403\"", "is text, not a status"),
        (
            "status = [403, 4.5]",
            "a number with a fraction, not a status",
        ),
        ("matches = '(balance'", "is no pattern"),
        ("matches = '(?=low)'", "is no pattern"),
        ("matches = '\\w{1000}{1000}'", "is no pattern"),
        (
            "status = 403\nthen = \"ignore\"",
            "is none of the words possible here",
        ),
        ("status = 403\ncooldown = \"soon\"", "is no span of time"),
        ("status = 403\ncooldown = \"0s\"", "is no span of time"),
        ("status = 403\ncooldown = \"-90s\"", "is no span of time"),
    ] {
        let told = refused(lines);

        assert!(told.contains(says), "{lines}: {told}");
        assert!(told.contains("failover.rules[0]"), "{lines}: {told}");
        assert!(told.contains("line "), "{lines}: {told}");
    }
}

#[test]
fn a_cooldown_that_does_nothing_is_warned_about() {
    let loaded = parse("[[failover.rules]]\nstatus = 403\nthen = \"stop\"\ncooldown = \"90s\"\n");

    let warnings = loaded.unwrap().warnings;
    assert!(
        warnings
            .iter()
            .any(|it| it.to_string().contains("cooldown")),
        "{warnings:?}"
    );
}

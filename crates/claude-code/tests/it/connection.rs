//! Claude Code's settings file: what `connect` makes of it, and that `disconnect` restores it.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use zephyr_claude_code::{Change, ClaudeCode, Disconnected, Error, Key, Resumed};
use zephyr_control::ClaudeCode as State;
use zephyr_secrets::client_token::ClientTokens;

use crate::home::{Home, env_of, target, target_of};
#[cfg(target_os = "linux")]
use zephyr_as_user::{USER, as_user, give};

const URL: &str = "http://127.0.0.1:8080";

const PASSTHROUGH: &str = r#"
[[groups]]
name = "own"
auth_type = "passthrough"
endpoints = [{ name = "official", url = "https://api.anthropic.com" }]
"#;

#[test]
fn a_file_that_was_not_there_comes_and_goes_with_its_folder() {
    let home = Home::new();

    let connected = home.claude_code().connect(&target(8080)).unwrap();
    let env = home.env();
    let disconnected = home.claude_code().disconnect().unwrap();

    assert_eq!(connected.change, Change::Written);
    assert_eq!(
        env,
        json!({ "ANTHROPIC_BASE_URL": URL, "ANTHROPIC_AUTH_TOKEN": home.own_token() })
    );
    let Disconnected::Restored { change, .. } = disconnected else {
        panic!("{disconnected:?}");
    };
    assert_eq!(change, Change::Removed);
    assert!(!home.settings().parent().unwrap().exists());
    assert!(!home.record().exists());
}

#[test]
fn a_folder_that_somebody_uses_by_now_stays() {
    let home = Home::new();
    home.claude_code().connect(&target(8080)).unwrap();
    let other = home.settings().with_file_name("history.jsonl");
    fs::write(&other, "theirs").unwrap();

    home.claude_code().disconnect().unwrap();

    assert!(!home.settings().exists());
    assert!(other.exists());
}

#[test]
fn a_second_connect_changes_only_what_is_new() {
    let before = r#"{"env":{"ANTHROPIC_BASE_URL":"http://before"}}"#;
    let home = Home::with(before);
    let connect = |port| {
        let target = target_of(PASSTHROUGH, port);
        home.claude_code().connect(&target).unwrap().change
    };

    let changes = [connect(8080), connect(8080), connect(9090)];

    assert_eq!(changes, [Change::Written, Change::None, Change::Written]);
    assert_eq!(home.env()["ANTHROPIC_BASE_URL"], "http://127.0.0.1:9090");
    home.claude_code().disconnect().unwrap();
    assert_eq!(home.text(), before);
}

#[test]
fn every_connect_writes_a_new_token_and_a_start_keeps_it() {
    let home = Home::with("{}");
    let token = || {
        home.env()["ANTHROPIC_AUTH_TOKEN"]
            .as_str()
            .unwrap()
            .to_owned()
    };

    home.claude_code().connect(&target(8080)).unwrap();
    let first = token();
    home.claude_code().connect(&target(8080)).unwrap();
    let second = token();
    home.claude_code().suspend().unwrap();
    home.claude_code().resume(&target(9090)).unwrap();
    let resumed = token();

    assert_ne!(first, second);
    assert_eq!(second, resumed);
    let tokens = ClientTokens::load(&home.data()).unwrap();
    for token in [&first, &second] {
        assert!(tokens.matches(token.as_bytes()), "running sessions send it");
    }
    home.claude_code().disconnect().unwrap();
    assert_eq!(home.text(), "{}");
}

#[test]
fn a_start_after_all_tokens_were_revoked_writes_a_new_one() {
    let home = Home::with("{}");
    home.claude_code().connect(&target(8080)).unwrap();
    let before = home.own_token();

    ClientTokens::revoke(&home.data()).unwrap();
    home.claude_code().resume(&target(8080)).unwrap();

    assert_ne!(home.own_token(), before);
    assert_eq!(home.env()["ANTHROPIC_AUTH_TOKEN"], home.own_token());
}

#[test]
fn failing_connects_push_no_token_out_that_a_session_sends() {
    let home = Home::with("{}");
    home.claude_code().connect(&target(8080)).unwrap();
    let token = home.own_token();
    home.write("{} // a comment");

    for _ in 0..20 {
        home.claude_code().connect(&target(8080)).unwrap_err();
    }

    assert_eq!(home.own_token(), token);
}

#[test]
fn where_the_settings_lead_is_known_whoever_wrote_it() {
    let leads = |text: &str| Home::with(text).claude_code().leads_to(8080);

    assert!(leads(
        r#"{"env":{"ANTHROPIC_BASE_URL":"http://127.0.0.1:8080"}}"#
    ));
    assert!(leads(
        r#"{"env":{"ANTHROPIC_BASE_URL":"http://localhost:8080/"}}"#
    ));
    for text in [
        "{}",
        "nonsense",
        r#"{"env":{"ANTHROPIC_BASE_URL":"http://127.0.0.1:8081"}}"#,
        r#"{"env":{"ANTHROPIC_BASE_URL":"https://relay.example.com:8080"}}"#,
    ] {
        assert!(!leads(text), "{text}");
    }
    assert!(!Home::new().claude_code().leads_to(8080));
}

#[test]
fn with_a_passthrough_endpoint_the_login_stays() {
    let before = r#"{"env":{"ANTHROPIC_AUTH_TOKEN":"sk-theirs"}}"#;
    let home = Home::with(before);

    let connected = home
        .claude_code()
        .connect(&target_of(PASSTHROUGH, 8080))
        .unwrap();

    assert_eq!(connected.keys, [Key::BaseUrl]);
    assert_eq!(
        home.env(),
        json!({ "ANTHROPIC_BASE_URL": URL, "ANTHROPIC_AUTH_TOKEN": "sk-theirs" })
    );
    home.claude_code().disconnect().unwrap();
    assert_eq!(home.text(), before);
}

#[test]
fn a_token_that_is_no_longer_wanted_is_taken_back() {
    let home = Home::with("{}");
    home.claude_code().connect(&target(8080)).unwrap();

    home.claude_code()
        .connect(&target_of(PASSTHROUGH, 8080))
        .unwrap();

    assert_eq!(home.env(), json!({ "ANTHROPIC_BASE_URL": URL }));
    home.claude_code().disconnect().unwrap();
    assert_eq!(home.text(), "{}");
}

#[test]
fn what_claude_code_would_not_read_is_refused_and_untouched() {
    let cases = [
        "{\"env\": {",
        "[]",
        "3",
        "{\"env\": \"text\"}",
        "{\"env\": null}",
        "{} // a comment",
        "{\"a\": 1,}",
        "{'a': 1}",
        "{\"a\": 1} {}",
        "\u{feff}[]",
    ];
    for text in cases {
        let home = Home::with(text);

        let error = home.claude_code().connect(&target(8080)).unwrap_err();

        let said = error.to_string();
        assert!(said.contains("settings.json"), "{said}");
        assert!(said.contains("first") || said.contains("move"), "{said}");
        assert_eq!(home.text(), text);
        assert!(!home.record().exists(), "{text}");
    }
}

/// What Claude Code reads, though a stricter reader would not.
fn odd_but_read() -> Vec<String> {
    let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    vec![
        r#"{"env": {"NOTE": "cut \ud83d"}, "theme": "dark"}"#.to_owned(),
        "{\n  \"\\udc00\": [\"\\ud83d\\ud83d\"],\n  \"model\": \"opus\"\n}\n".to_owned(),
        r#"{"env":{"ANTHROPIC_AUTH_TOKEN":"cut \ud83d","ANTHROPIC_BASE_URL":"\udc00"}}"#.to_owned(),
        format!("{{\"hooks\": {}}}", deep(300)),
        format!("{{\"env\": {{\"ANTHROPIC_BASE_URL\": {}}}}}", deep(300)),
        format!("{{\"deeper\": {}}}", deep(100_000)),
    ]
}

#[test]
fn lone_surrogates_and_any_depth_are_kept_byte_for_byte() {
    for before in odd_but_read() {
        let shown = &before[..before.len().min(80)];
        let home = Home::with(&before);

        home.claude_code().connect(&target(8080)).expect(shown);
        let connected = home.text();
        let state = home.claude_code().state();
        home.claude_code().connect(&target(9090)).expect(shown);
        home.claude_code().disconnect().expect(shown);

        assert!(connected.contains(r#""http://127.0.0.1:8080""#), "{shown}");
        assert_eq!(state, State::Connected, "{shown}");
        assert_eq!(home.text(), before, "{shown}");
        assert!(!home.record().exists(), "{shown}");
    }
}

#[test]
fn what_was_added_at_any_depth_does_not_hinder_a_disconnect() {
    for added in odd_but_read() {
        let home = Home::with("{}");
        home.claude_code().connect(&target(8080)).unwrap();
        let connected = home.text();
        let (_, members) = connected.split_once('{').unwrap();
        home.write(&format!("{{\"added\": {},{members}", added.trim_end()));

        home.claude_code().disconnect().unwrap();

        assert_eq!(
            home.text(),
            format!("{{\"added\": {}\n}}", added.trim_end())
        );
    }
}

#[test]
fn what_is_no_text_or_no_file_is_refused() {
    let home = Home::with("");
    fs::write(home.settings(), b"{\"a\": \"\xff\"}").unwrap();
    let not_text = home.claude_code().connect(&target(8080)).unwrap_err();
    assert!(matches!(not_text, Error::NotText(_)), "{not_text}");

    fs::remove_file(home.settings()).unwrap();
    fs::create_dir(home.settings()).unwrap();
    let no_file = home.claude_code().connect(&target(8080)).unwrap_err();
    assert!(matches!(no_file, Error::NoFile(_)), "{no_file}");
    assert_eq!(home.claude_code().state(), State::Disconnected);
}

#[test]
fn comments_that_somebody_added_since_do_not_hinder_a_disconnect() {
    let home = Home::with("{\n  \"model\": \"opus\"\n}\n");
    home.claude_code().connect(&target(8080)).unwrap();
    let commented = home.text().replacen('{', "{ // mine", 1);
    home.write(&commented);

    home.claude_code().disconnect().unwrap();

    assert_eq!(home.text(), "{ // mine\n  \"model\": \"opus\"\n}\n");
}

#[test]
fn a_file_that_somebody_has_written_anew_keeps_their_changes() {
    let home = Home::with(r#"{"model":"opus"}"#);
    home.claude_code().connect(&target(8080)).unwrap();
    let mut theirs: Value = serde_json::from_str(&home.text()).unwrap();
    theirs["permissions"] = json!({ "allow": ["Bash"] });
    home.write(&serde_json::to_string_pretty(&theirs).unwrap());

    home.claude_code().disconnect().unwrap();

    let expected = json!({ "model": "opus", "permissions": { "allow": ["Bash"] } });
    assert_eq!(
        home.text(),
        serde_json::to_string_pretty(&expected).unwrap()
    );
}

#[test]
fn a_key_that_somebody_has_changed_since_is_left_alone() {
    let home = Home::with("{}");
    home.claude_code().connect(&target(8080)).unwrap();
    home.write(&home.text().replace(&home.own_token(), "sk-theirs"));
    assert_eq!(home.claude_code().state(), State::Changed);

    let disconnected = home.claude_code().disconnect().unwrap();

    let Disconnected::Restored {
        keys, left_alone, ..
    } = disconnected
    else {
        panic!("{disconnected:?}");
    };
    assert_eq!(
        (keys, left_alone),
        (vec![Key::BaseUrl], vec![Key::AuthToken])
    );
    assert_eq!(home.env(), json!({ "ANTHROPIC_AUTH_TOKEN": "sk-theirs" }));
    assert!(!home.record().exists());
}

#[test]
fn a_value_that_somebody_has_removed_since_does_not_come_back() {
    let home = Home::with(r#"{"env":{"ANTHROPIC_BASE_URL":"http://before"}}"#);
    home.claude_code().connect(&target(8080)).unwrap();
    home.write("{}");

    let disconnected = home.claude_code().disconnect().unwrap();

    assert!(
        matches!(&disconnected, Disconnected::LeftAlone { keys, .. } if keys == &[Key::BaseUrl]),
        "{disconnected:?}"
    );
    assert_eq!(home.text(), "{}");
}

#[test]
fn settings_that_somebody_has_deleted_since_stay_deleted() {
    let home = Home::with("{}");
    home.claude_code().connect(&target(8080)).unwrap();
    fs::remove_file(home.settings()).unwrap();

    let disconnected = home.claude_code().disconnect().unwrap();

    assert!(matches!(disconnected, Disconnected::AlreadyRestored { .. }));
    assert!(!home.settings().exists());
}

#[test]
fn the_state_follows_the_file() {
    let home = Home::with("{}");
    let state = || home.claude_code().state();

    assert_eq!(state(), State::Disconnected);
    home.claude_code().connect(&target(8080)).unwrap();
    assert_eq!(state(), State::Connected);
    let connected = home.text();
    home.write("{\"env\": {\"ANTHROPIC_BASE_URL\": \"http://elsewhere\"}}");
    assert_eq!(state(), State::Changed);
    home.write("{");
    assert_eq!(state(), State::Unknown);
    home.write(&connected);
    assert_eq!(state(), State::Connected);
    home.claude_code().suspend().unwrap();
    assert_eq!(state(), State::Disconnected);
    home.claude_code().resume(&target(8080)).unwrap();
    assert_eq!(state(), State::Connected);
    home.claude_code().disconnect().unwrap();
    assert_eq!(state(), State::Disconnected);
}

#[test]
fn what_was_never_connected_is_neither_suspended_nor_resumed() {
    let home = Home::with("{}");

    let suspended = home.claude_code().suspend().unwrap();
    let resumed = home.claude_code().resume(&target(8080)).unwrap();
    let disconnected = home.claude_code().disconnect().unwrap();

    assert_eq!(suspended, Disconnected::NotConnected);
    assert_eq!(resumed, Resumed::NotConnected);
    assert_eq!(disconnected, Disconnected::NotConnected);
    assert_eq!(home.text(), "{}");
    assert!(!home.data().exists());
}

#[test]
fn what_is_suspended_is_as_before_until_it_is_resumed() {
    let before = "{\n  \"env\": {}\n}";
    let home = Home::with(before);
    home.claude_code().connect(&target(8080)).unwrap();

    home.claude_code().suspend().unwrap();
    assert_eq!(home.text(), before);
    let resumed = home.claude_code().resume(&target(9090)).unwrap();

    assert!(matches!(resumed, Resumed::Connected(_)), "{resumed:?}");
    assert_eq!(home.env()["ANTHROPIC_BASE_URL"], "http://127.0.0.1:9090");
    home.claude_code().disconnect().unwrap();
    assert_eq!(home.text(), before);
}

#[test]
fn a_disconnect_ends_a_suspension() {
    let home = Home::with("{}");
    home.claude_code().connect(&target(8080)).unwrap();
    home.claude_code().suspend().unwrap();

    let disconnected = home.claude_code().disconnect().unwrap();
    let resumed = home.claude_code().resume(&target(8080)).unwrap();

    assert!(matches!(disconnected, Disconnected::AlreadyRestored { .. }));
    assert_eq!(resumed, Resumed::NotConnected);
}

#[test]
fn after_a_crash_the_next_start_refreshes_the_url() {
    let home = Home::with("{}");
    home.claude_code().connect(&target(8080)).unwrap();

    let resumed = home.claude_code().resume(&target(9090)).unwrap();

    assert!(matches!(resumed, Resumed::Connected(_)), "{resumed:?}");
    assert_eq!(home.env()["ANTHROPIC_BASE_URL"], "http://127.0.0.1:9090");
}

#[test]
fn a_start_overwrites_nothing_that_somebody_has_changed_since() {
    let theirs = r#"{"env":{"ANTHROPIC_BASE_URL":"http://theirs"}}"#;
    for suspend in [ClaudeCode::suspend, |_: &ClaudeCode| {
        Ok(Disconnected::NotConnected)
    }] {
        let home = Home::with("{}");
        home.claude_code().connect(&target(8080)).unwrap();
        suspend(&home.claude_code()).unwrap();
        home.write(theirs);

        let resumed = home.claude_code().resume(&target(9090)).unwrap();

        assert!(matches!(resumed, Resumed::LeftAlone { .. }), "{resumed:?}");
        assert_eq!(home.text(), theirs);
    }
}

#[test]
fn a_start_leaves_a_changed_token_alone_and_moves_the_url() {
    let home = Home::with("{}");
    home.claude_code().connect(&target(8080)).unwrap();
    home.write(&home.text().replace(&home.own_token(), "sk-theirs"));

    home.claude_code().resume(&target(9090)).unwrap();

    let theirs = json!({
        "ANTHROPIC_BASE_URL": "http://127.0.0.1:9090",
        "ANTHROPIC_AUTH_TOKEN": "sk-theirs",
    });
    assert_eq!(home.env(), theirs);
    assert_eq!(home.claude_code().state(), State::Changed);
    home.claude_code().disconnect().unwrap();
    assert_eq!(home.env(), json!({ "ANTHROPIC_AUTH_TOKEN": "sk-theirs" }));
}

#[test]
fn what_somebody_restored_by_hand_stays_so() {
    let quits: [fn(&ClaudeCode); 2] = [|_| {}, |claude_code| drop(claude_code.suspend().unwrap())];
    for quit in quits {
        let home = Home::with("{}");
        home.claude_code().connect(&target(8080)).unwrap();
        home.write("{}");
        quit(&home.claude_code());

        let resumed = home.claude_code().resume(&target(9090)).unwrap();

        assert_eq!(resumed, Resumed::NotConnected);
        assert_eq!(home.text(), "{}");
    }
}

#[test]
fn a_token_that_somebody_removed_by_hand_does_not_come_back_by_itself() {
    let quits: [fn(&ClaudeCode); 2] = [|_| {}, |claude_code| drop(claude_code.suspend().unwrap())];
    for quit in quits {
        let home = Home::with("{}");
        home.claude_code().connect(&target(8080)).unwrap();
        home.write(r#"{"env":{"ANTHROPIC_BASE_URL":"http://127.0.0.1:8080"}}"#);
        quit(&home.claude_code());

        for port in [9090, 9091] {
            home.claude_code().resume(&target(port)).unwrap();
        }

        let url = "http://127.0.0.1:9091";
        assert_eq!(home.env(), json!({ "ANTHROPIC_BASE_URL": url }));
        home.claude_code().disconnect().unwrap();
        assert_eq!(home.text(), "{}");
    }
}

#[test]
fn settings_elsewhere_are_not_connected_beside_the_first() {
    let home = Home::with("{}");
    let elsewhere = ClaudeCode::at(&home.0.path().join("other.json"), &home.data()).unwrap();
    home.claude_code().connect(&target(8080)).unwrap();

    let error = elsewhere.connect(&target(8080)).unwrap_err();
    assert!(matches!(error, Error::Elsewhere(_)), "{error}");
    assert_eq!(elsewhere.state(), State::Connected);
    // What is recorded counts, wherever it is asked from.
    elsewhere.disconnect().unwrap();

    assert_eq!(home.text(), "{}");
}

#[test]
fn a_record_that_cannot_be_understood_is_not_lost() {
    let home = Home::with("{}");
    fs::create_dir_all(home.data()).unwrap();
    fs::write(home.record(), "{\"version\":\"2\",\"token\":\"sk-secret\"}").unwrap();

    let connect = home.claude_code().connect(&target(8080)).unwrap_err();
    let disconnect = home.claude_code().disconnect().unwrap_err();

    for error in [connect, disconnect] {
        assert!(matches!(error, Error::RecordMalformed(_)), "{error}");
        assert!(!format!("{error} {error:?}").contains("sk-secret"));
    }
    assert!(home.record().exists());
    assert_eq!(home.text(), "{}");
    assert_eq!(home.claude_code().state(), State::Unknown);
}

#[test]
fn two_at_once_do_not_disturb_each_other() {
    let home = Home::with("{}");

    std::thread::scope(|scope| {
        for port in 1..=8 {
            let claude_code = home.claude_code();
            scope.spawn(move || {
                claude_code.connect(&target(port)).unwrap();
                claude_code.suspend().unwrap();
                claude_code.resume(&target(port)).unwrap();
            });
        }
    });

    assert_eq!(home.claude_code().state(), State::Connected);
    home.claude_code().disconnect().unwrap();
    assert_eq!(home.text(), "{}");
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn with_a_token_in_it_the_file_is_its_owners_alone_until_it_is_restored() {
        for expected in [0o644, 0o600, 0o660, 0o755] {
            let home = Home::with("{}");
            set_mode(&home.settings(), expected);
            let now = || mode(&home.settings());

            home.claude_code().connect(&target(8080)).unwrap();
            let connected = (now(), mode(&home.record()));
            home.claude_code().connect(&target(9090)).unwrap();
            let moved = now();
            home.claude_code().suspend().unwrap();
            let suspended = now();
            home.claude_code().resume(&target(8080)).unwrap();
            let resumed = now();
            home.claude_code().disconnect().unwrap();

            let private = expected & 0o700;
            assert_eq!(connected, (private, 0o600));
            assert_eq!((moved, resumed), (private, private));
            assert_eq!((suspended, now()), (expected, expected));
        }
        let home = Home::new();
        home.claude_code().connect(&target(8080)).unwrap();
        assert_eq!(mode(&home.settings()), 0o600);
        assert_eq!(mode(home.settings().parent().unwrap()), 0o700);
    }

    #[test]
    fn a_file_that_an_earlier_version_left_readable_is_tightened() {
        let home = Home::with("{}");
        home.claude_code().connect(&target(8080)).unwrap();
        set_mode(&home.settings(), 0o644);

        home.claude_code().resume(&target(8080)).unwrap();
        let resumed = mode(&home.settings());
        home.claude_code().disconnect().unwrap();

        assert_eq!(resumed, 0o600);
        assert_eq!(mode(&home.settings()), 0o644);
    }

    #[test]
    fn without_a_token_the_mode_stays() {
        let home = Home::with("{}");
        set_mode(&home.settings(), 0o644);

        home.claude_code()
            .connect(&target_of(PASSTHROUGH, 8080))
            .unwrap();
        let by_url = mode(&home.settings());
        home.claude_code().connect(&target(8080)).unwrap();
        let by_token = mode(&home.settings());
        home.claude_code()
            .connect(&target_of(PASSTHROUGH, 8080))
            .unwrap();

        assert_eq!((by_url, by_token), (0o644, 0o600));
        assert_eq!(mode(&home.settings()), 0o644);
    }

    #[test]
    fn a_mode_or_a_token_that_somebody_has_set_since_stays() {
        let home = Home::with("{}");
        set_mode(&home.settings(), 0o644);
        home.claude_code().connect(&target(8080)).unwrap();
        set_mode(&home.settings(), 0o640);

        home.claude_code().disconnect().unwrap();
        let by_hand = mode(&home.settings());
        set_mode(&home.settings(), 0o644);
        home.claude_code().connect(&target(8080)).unwrap();
        let theirs = home.text().replace(&home.own_token(), "sk-theirs");
        fs::write(home.settings(), theirs).unwrap();
        home.claude_code().disconnect().unwrap();

        assert_eq!(by_hand, 0o640);
        assert!(home.text().contains("sk-theirs"));
        assert_eq!(mode(&home.settings()), 0o600);
    }

    #[test]
    fn the_file_behind_a_link_is_its_owners_alone() {
        let home = Home::with("");
        let real = home.0.path().join("dotfiles.json");
        fs::write(&real, "{}").unwrap();
        set_mode(&real, 0o644);
        fs::remove_file(home.settings()).unwrap();
        symlink(&real, home.settings()).unwrap();

        home.claude_code().connect(&target(8080)).unwrap();
        let connected = mode(&real);
        home.claude_code().disconnect().unwrap();

        assert_eq!((connected, mode(&real)), (0o600, 0o644));
    }

    #[test]
    fn a_link_stays_a_link_and_its_file_is_changed() {
        let home = Home::with("");
        let folder = home.0.path().join("dotfiles");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("claude.json"), "{}").unwrap();
        fs::remove_file(home.settings()).unwrap();
        symlink("../dotfiles/link.json", home.settings()).unwrap();
        symlink("claude.json", folder.join("link.json")).unwrap();
        let links = || {
            fs::read_link(home.settings()).unwrap() == Path::new("../dotfiles/link.json")
                && fs::read_link(folder.join("link.json")).unwrap() == Path::new("claude.json")
        };

        home.claude_code().connect(&target(8080)).unwrap();

        assert!(links());
        assert_eq!(home.env()["ANTHROPIC_BASE_URL"], URL);
        home.claude_code().disconnect().unwrap();
        assert!(links());
        assert_eq!(home.text(), "{}");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
    }

    #[test]
    fn a_link_to_nowhere_is_so_again_afterwards() {
        let home = Home::with("");
        fs::remove_file(home.settings()).unwrap();
        let real = home.0.path().join("claude/real.json");
        symlink("real.json", home.settings()).unwrap();

        home.claude_code().connect(&target(8080)).unwrap();
        assert!(real.is_file());
        home.claude_code().disconnect().unwrap();

        assert!(!real.exists());
        assert!(home.settings().is_symlink());
    }

    #[test]
    fn links_in_a_circle_are_refused() {
        let home = Home::with("");
        fs::remove_file(home.settings()).unwrap();
        symlink("settings.json", home.settings()).unwrap();

        let error = home.claude_code().connect(&target(8080)).unwrap_err();

        assert!(matches!(error, Error::Unreadable { .. }), "{error}");
    }

    #[test]
    fn a_read_only_file_is_left_alone() {
        let home = Home::with("{}");
        fs::set_permissions(home.settings(), fs::Permissions::from_mode(0o444)).unwrap();

        let error = home.claude_code().connect(&target(8080)).unwrap_err();

        assert!(matches!(error, Error::ReadOnly(_)), "{error}");
        assert_eq!(home.text(), "{}");
        assert!(!home.record().exists());
    }

    #[test]
    fn a_file_with_a_second_name_is_left_alone_and_the_error_says_why() {
        let home = Home::with("{}");
        let other = home.0.path().join("other");
        fs::hard_link(home.settings(), &other).unwrap();

        let error = home.claude_code().connect(&target(8080)).unwrap_err();

        assert!(error.to_string().contains("hard links"), "{error}");
        assert_eq!(
            fs::read(&other).unwrap(),
            fs::read(home.settings()).unwrap()
        );
        assert_eq!(home.text(), "{}");
        assert!(!home.record().exists());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_of_ours_with_a_foreign_group_is_connected() {
        let home = Home::with("{}");
        let settings = home.settings();
        let ours = [home.0.path(), settings.parent().unwrap()];
        if !ours.iter().all(|folder| give(folder, USER)) || !give(&home.settings(), 0) {
            return;
        }

        as_user(|| {
            home.claude_code().connect(&target(8080)).unwrap();
        });

        assert_eq!(home.env()["ANTHROPIC_BASE_URL"], URL);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_folder_of_somebody_else_is_named_with_its_owner() {
        let home = Home::with("{}");
        if !give(home.0.path(), USER) || !give(&home.settings(), USER) {
            return;
        }

        as_user(|| {
            let error = home.claude_code().connect(&target(8080)).unwrap_err();

            let owner = "its folder to root (group root)";
            assert!(error.to_string().contains(owner), "{error}");
        });
        assert_eq!(home.text(), "{}");
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_an_error_that_loses_nothing() {
        let home = Home::with("");
        let file = home.0.path().join("file");
        fs::write(&file, "").unwrap();
        let claude_code = ClaudeCode::at(&file.join("settings.json"), &home.data()).unwrap();

        claude_code.connect(&target(8080)).unwrap_err();

        assert!(!home.record().exists());
    }
}

mod random {
    use super::*;
    use proptest::prelude::*;

    /// How an object is laid out.
    #[derive(Clone, Debug)]
    struct Layout {
        open: &'static str,
        between: &'static str,
        colon: &'static str,
        close: &'static str,
    }

    const LAYOUTS: &[Layout] = &[
        Layout {
            open: "",
            between: ",",
            colon: ":",
            close: "",
        },
        Layout {
            open: " ",
            between: ", ",
            colon: ": ",
            close: " ",
        },
        Layout {
            open: "\n  ",
            between: ",\n  ",
            colon: ": ",
            close: "\n",
        },
        Layout {
            open: "\n\t",
            between: ",\n\t",
            colon: ":\t",
            close: "\n",
        },
        Layout {
            open: "\r\n    ",
            between: ",\r\n\r\n    ",
            colon: ": ",
            close: "\r\n  ",
        },
        Layout {
            open: " \n\n",
            between: "\n , ",
            colon: " \n : ",
            close: "",
        },
        Layout {
            open: "",
            between: " ,\t\n",
            colon: ":  ",
            close: "\t",
        },
    ];

    const VALUES: &[&str] = &[
        "null",
        "-0.0",
        "1E400",
        "123456789012345678901234567890",
        "\"\"",
        "\"\\u00e9\\/\\\"{}[],:\"",
        "\"表 🇭🇰 \u{2028}\"",
        "[ ]",
        "[1 ,{\"env\": {}},\n[]]",
        "{\"ANTHROPIC_BASE_URL\" :1}",
        "\"http://before.example\"",
        "\"sk-ant-before\"",
        "\"http://127.0.0.1:8080\"",
        "\"zephyr\"",
        "true",
    ];

    const NAMES: &[&str] = &[
        "a",
        "\\u0061b",
        "表",
        "",
        "model",
        "permissions",
        "//",
        "ENV",
    ];

    const ENV_NAMES: &[&str] = &[
        "ANTHROPIC_BASE_URL",
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC\\u005fBASE_URL",
        "PATH",
        "ANTHROPIC_BASE_URL_",
        "NO_PROXY",
        "no_proxy",
        "HTTPS_PROXY",
    ];

    fn object(members: Vec<(String, String)>, layout: &Layout) -> String {
        let members: Vec<_> = members
            .into_iter()
            .map(|(name, value)| format!("\"{name}\"{}{value}", layout.colon))
            .collect();
        let close = if members.is_empty() { "" } else { layout.close };
        format!("{{{}{}{close}}}", layout.open, members.join(layout.between))
    }

    fn members(
        names: &'static [&'static str],
        most: usize,
    ) -> impl Strategy<Value = Vec<(String, String)>> {
        let name = prop::sample::select(names).prop_map(str::to_owned);
        let value = prop::sample::select(VALUES).prop_map(str::to_owned);
        prop::collection::vec((name, value), 0..=most)
    }

    fn layout() -> impl Strategy<Value = Layout> {
        prop::sample::select(LAYOUTS)
    }

    fn env_member() -> impl Strategy<Value = (String, String)> {
        let name = prop::sample::select(&["env", "\\u0065nv"][..]);
        (name, members(ENV_NAMES, 4), layout())
            .prop_map(|(name, members, layout)| (name.to_owned(), object(members, &layout)))
    }

    /// The text of a settings file, as odd as one may be.
    fn settings_file() -> impl Strategy<Value = String> {
        let envs = prop::collection::vec((env_member(), any::<prop::sample::Index>()), 0..=2);
        let around = (
            prop::sample::select(&["", "\u{feff}"][..]),
            prop::sample::select(&["", " \n", "\t"][..]),
            prop::sample::select(&["", "\n", "\r\n", "\n\n "][..]),
        );
        (members(NAMES, 4), envs, layout(), around).prop_map(
            |(mut members, envs, layout, (mark, before, after))| {
                for (env, at) in envs {
                    members.insert(at.index(members.len() + 1), env);
                }
                format!("{mark}{before}{}{after}", object(members, &layout))
            },
        )
    }

    /// What somebody adds at the beginning, or `None` where there is nothing to put a comma before.
    fn with_addition(text: &str) -> Option<String> {
        let (before, after) = text.split_once('{')?;
        let is_empty = after.trim_start().starts_with('}');
        (!is_empty).then(|| format!("{before}{{\"added\": [1],{after}"))
    }

    /// What Claude Code reads, though `Value` knows no number as large.
    fn env(text: &str) -> Value {
        env_of(&text.replace("1E400", "1E40"))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn any_settings_file_is_restored_byte_for_byte(before in settings_file(), port in 1_u16..) {
            let home = Home::with(&before);

            home.claude_code().connect(&target(port)).unwrap();
            let connected = env(&home.text());
            home.claude_code().connect(&target(port ^ 1 | 2)).unwrap();
            let moved = env(&home.text());
            let state = home.claude_code().state();
            home.claude_code().suspend().unwrap();
            let suspended = home.text();
            home.claude_code().resume(&target(port)).unwrap();
            home.claude_code().disconnect().unwrap();

            prop_assert_eq!(&connected["ANTHROPIC_BASE_URL"], &json!(format!("http://127.0.0.1:{port}")));
            prop_assert_ne!(&connected["ANTHROPIC_AUTH_TOKEN"], &moved["ANTHROPIC_AUTH_TOKEN"]);
            prop_assert_eq!(&moved["ANTHROPIC_AUTH_TOKEN"], &json!(home.own_token()));
            prop_assert_eq!(&moved["ANTHROPIC_BASE_URL"], &json!(format!("http://127.0.0.1:{}", port ^ 1 | 2)));
            prop_assert_eq!(state, State::Connected);
            prop_assert_eq!(&suspended, &before);
            prop_assert_eq!(home.text(), before);
            prop_assert!(!home.record().exists());
        }

        #[test]
        fn what_somebody_added_is_all_that_differs(before in settings_file()) {
            let home = Home::with(&before);

            home.claude_code().connect(&target(8080)).unwrap();
            home.write(&with_addition(&home.text()).unwrap());
            home.claude_code().disconnect().unwrap();

            match with_addition(&before) {
                Some(expected) => prop_assert_eq!(home.text(), expected),
                None => prop_assert_eq!(
                    serde_json::from_str::<Value>(home.text().trim_start_matches('\u{feff}')).unwrap(),
                    json!({ "added": [1] })
                ),
            }
        }

        #[test]
        fn a_file_written_anew_since_loses_only_our_keys(before in settings_file()) {
            let without_mark = before.trim_start_matches('\u{feff}').replace("1E400", "1E40");
            let expected: Value = serde_json::from_str(&without_mark).unwrap();
            let home = Home::with(&without_mark);

            home.claude_code().connect(&target(8080)).unwrap();
            let now: Value = serde_json::from_str(&home.text()).unwrap();
            home.write(&serde_json::to_string_pretty(&now).unwrap());
            home.claude_code().disconnect().unwrap();

            prop_assert_eq!(serde_json::from_str::<Value>(&home.text()).unwrap(), expected);
        }
    }
}

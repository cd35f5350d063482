//! Kills the program, and lets other programs write, at every moment between two changes on disk.

use std::cell::RefCell;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::rc::Rc;

use serde_json::Value;
use tempfile::TempDir;
use zephyr_config::ConfigFile;
use zephyr_control::ClaudeCode as State;
use zephyr_core::config::Config;
use zephyr_secrets::client_token::{ClientTokens, FILE, LOCK};

use crate::connection::ClaudeCode;
use crate::error::Error;
use crate::outcome::Resumed;
use crate::proxies::Proxies;
use crate::step::{self, Step};
use crate::target::Target;

/// What the settings may be before.
const BEFORE: &[Option<&str>] = &[
    None,
    Some(""),
    Some("{}"),
    Some("{\"env\":{\"ANTHROPIC_AUTH_TOKEN\":\"sk-before\"},\"n\":12345678901234567890123}\r\n"),
    Some("{\n\t\"env\": {\n\t\t\"ANTHROPIC_BASE_URL\": null\n\t},\n\t\"model\": \"opus\"\n}\n"),
];

/// Settings and a data folder in a place of their own.
struct Place {
    folder: TempDir,
    before: Option<&'static str>,
}

impl Place {
    /// A place without any file, even without Claude Code's folder, if `before` is `None`.
    fn with(before: Option<&'static str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Self { folder, before };
        if let Some(before) = before {
            fs::create_dir_all(place.settings().parent().unwrap()).unwrap();
            fs::write(place.settings(), before).unwrap();
        }
        place
    }

    fn settings(&self) -> PathBuf {
        self.folder.path().join("home/.claude/settings.json")
    }

    fn claude_code(&self) -> ClaudeCode {
        ClaudeCode::at(&self.settings(), &self.folder.path().join("data")).unwrap()
    }

    fn text(&self) -> Option<String> {
        fs::read_to_string(self.settings()).ok()
    }

    /// Checks that nothing of ours is left anywhere.
    fn check_untouched(&self, when: &str) {
        assert_eq!(self.text().as_deref(), self.before, "{when}");
        let home = self.folder.path().join("home");
        match self.before {
            None => assert!(!home.exists(), "{when}: the folder stays"),
            Some(_) => {
                let beside = fs::read_dir(home.join(".claude")).unwrap();
                assert_eq!(beside.count(), 1, "{when}: something stays beside");
            }
        }
        let mut data = fs::read_dir(self.folder.path().join("data")).unwrap();
        let left = data.find(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            let stays = ["claude-code.lock", "claude-code.json.new", FILE, LOCK];
            !stays.iter().any(|stays| name == *stays)
        });
        assert!(left.is_none(), "{when}: {left:?}");
    }

    /// Whether the settings have a token of this installation.
    fn has_our_token(&self) -> bool {
        let tokens = ClientTokens::load(&self.folder.path().join("data")).unwrap();
        let token = self.env("ANTHROPIC_AUTH_TOKEN");
        tokens.matches(token.as_str().unwrap_or_default().as_bytes())
    }

    fn env(&self, key: &str) -> Value {
        let text = self.text().unwrap();
        let settings: Value = serde_json::from_str(&text).unwrap();
        settings["env"][key].clone()
    }
}

/// Behind a proxy, so that every possible key is set.
fn target(port: u16) -> Target {
    let variable = |name: &str| match name {
        "HTTPS_PROXY" => Some("http://proxy.example:3128".to_owned()),
        "no_proxy" => Some("corp.example".to_owned()),
        _ => None,
    };
    let target = Target::configured(
        url(port),
        &Config::default(),
        &ConfigFile::named("config.toml"),
    );
    target.unwrap().past(Proxies::read(variable, false))
}

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

struct Killed;

/// Runs `what` and kills it at the step with that number. Returns whether it survived.
fn survives(steps: usize, what: impl FnOnce()) -> bool {
    let mut left = steps;
    step::on_each(move |_| {
        if left == 0 {
            // This does not print the message of a panic.
            resume_unwind(Box::new(Killed));
        }
        left -= 1;
    });
    let outcome = catch_unwind(AssertUnwindSafe(what));
    step::on_none();
    match outcome {
        Ok(()) => true,
        Err(cause) if cause.is::<Killed>() => false,
        Err(cause) => resume_unwind(cause),
    }
}

/// Kills `what` at each of its steps in turn, each time in a new place.
fn kill_everywhere(
    prepare: impl Fn(&ClaudeCode),
    what: impl Fn(&ClaudeCode),
    check: impl Fn(&Place, &str),
) {
    for before in BEFORE {
        for steps in 0.. {
            let place = Place::with(*before);
            prepare(&place.claude_code());

            let lived = survives(steps, || what(&place.claude_code()));

            check(&place, &format!("{before:?}, killed after {steps} steps"));
            if lived {
                assert!(steps > 2, "there are too few steps to be true");
                break;
            }
        }
    }
}

#[test]
fn whatever_connect_leaves_behind_when_killed_is_undone() {
    kill_everywhere(
        |_| {},
        |claude_code| drop(claude_code.connect(&target(8080)).unwrap()),
        |place, when| {
            place.claude_code().disconnect().unwrap();

            place.check_untouched(when);
        },
    );
}

#[test]
fn whatever_a_second_connect_leaves_behind_when_killed_is_undone() {
    kill_everywhere(
        |claude_code| drop(claude_code.connect(&target(8080)).unwrap()),
        |claude_code| drop(claude_code.connect(&target(9090)).unwrap()),
        |place, when| {
            assert_eq!(place.claude_code().state(), State::Connected, "{when}");
            place.claude_code().disconnect().unwrap();

            place.check_untouched(when);
        },
    );
}

#[test]
fn a_killed_disconnect_is_completed_by_the_next() {
    kill_everywhere(
        |claude_code| drop(claude_code.connect(&target(8080)).unwrap()),
        |claude_code| drop(claude_code.disconnect().unwrap()),
        |place, when| {
            place.claude_code().disconnect().unwrap();

            place.check_untouched(when);
            assert_eq!(place.claude_code().state(), State::Disconnected, "{when}");
        },
    );
}

#[test]
fn a_killed_disconnect_is_not_taken_for_a_wish_to_be_connected() {
    kill_everywhere(
        |claude_code| drop(claude_code.connect(&target(8080)).unwrap()),
        |claude_code| drop(claude_code.disconnect().unwrap()),
        |place, when| {
            if place.claude_code().state() != State::Disconnected {
                return;
            }

            let resumed = place.claude_code().resume(&target(9090)).unwrap();

            assert_eq!(resumed, Resumed::NotConnected, "{when}");
            place.claude_code().disconnect().unwrap();
            place.check_untouched(when);
        },
    );
}

#[test]
fn a_killed_suspend_is_connected_again_at_the_next_start_and_can_be_undone() {
    kill_everywhere(
        |claude_code| drop(claude_code.connect(&target(8080)).unwrap()),
        |claude_code| drop(claude_code.suspend().unwrap()),
        |place, when| {
            let resumed = place.claude_code().resume(&target(9090)).unwrap();

            assert!(matches!(resumed, Resumed::Connected(_)), "{when}");
            assert_eq!(place.env("ANTHROPIC_BASE_URL"), "http://127.0.0.1:9090");
            assert!(place.has_our_token(), "{when}");
            place.claude_code().disconnect().unwrap();
            place.check_untouched(when);
        },
    );
}

#[test]
fn a_killed_resume_is_undone() {
    kill_everywhere(
        |claude_code| {
            claude_code.connect(&target(8080)).unwrap();
            claude_code.suspend().unwrap();
        },
        |claude_code| drop(claude_code.resume(&target(9090)).unwrap()),
        |place, when| {
            place.claude_code().disconnect().unwrap();

            place.check_untouched(when);
        },
    );
}

#[test]
fn a_token_that_is_no_longer_wanted_goes_even_if_the_change_is_killed() {
    let login = || {
        let mut config = Config::default();
        config.endpoints.push(passthrough_endpoint());
        Target::configured(url(8080), &config, &ConfigFile::named("config.toml")).unwrap()
    };
    kill_everywhere(
        |claude_code| drop(claude_code.connect(&target(8080)).unwrap()),
        |claude_code| drop(claude_code.connect(&login()).unwrap()),
        |place, when| {
            place.claude_code().connect(&login()).unwrap();
            assert!(!place.has_our_token(), "{when}");
            place.claude_code().disconnect().unwrap();

            place.check_untouched(when);
        },
    );
}

type Writer = fn(&PathBuf, &str);

/// Another program adds a key once, at `moment`. Counts how often that moment came.
fn somebody_writes_at(moment: Step, place: &Place, how: Writer) -> Rc<RefCell<usize>> {
    let seen = Rc::new(RefCell::new(0));
    let count = Rc::clone(&seen);
    let settings = place.settings();
    step::on_each(move |step| {
        if step != moment {
            return;
        }
        *count.borrow_mut() += 1;
        if *count.borrow() == 1 {
            let text = fs::read_to_string(&settings).unwrap();
            how(&settings, &text.replacen('{', "{\"added\": 1,", 1));
        }
    });
    seen
}

fn in_place(settings: &PathBuf, text: &str) {
    fs::write(settings, text).unwrap();
}

fn by_a_move(settings: &PathBuf, text: &str) {
    let beside = settings.with_extension("theirs");
    fs::write(&beside, text).unwrap();
    fs::rename(beside, settings).unwrap();
}

#[test]
fn what_somebody_writes_while_we_do_is_kept() {
    let moments: [(Step, Writer); 6] = [
        (Step::Seen, in_place),
        (Step::Seen, by_a_move),
        (Step::RecordWritten, in_place),
        (Step::ScratchWritten, in_place),
        (Step::ScratchWritten, by_a_move),
        // After the comparison, only a write into the old file can be noticed.
        (Step::Compared, in_place),
    ];
    let before = "{\n  \"env\": {\n    \"ANTHROPIC_BASE_URL\": \"http://before\"\n  }\n}\n";
    let added = before.replacen('{', "{\"added\": 1,", 1);
    for (moment, how) in moments {
        let place = Place::with(Some(before));

        let seen = somebody_writes_at(moment, &place, how);
        place.claude_code().connect(&target(8080)).unwrap();
        step::on_none();

        assert!(*seen.borrow() >= 1, "{moment:?} never came");
        assert_eq!(place.env("ANTHROPIC_BASE_URL"), "http://127.0.0.1:8080");
        assert!(place.text().unwrap().contains("added"), "{moment:?}");
        place.claude_code().disconnect().unwrap();
        assert_eq!(place.text().unwrap(), added, "{moment:?}");
    }
}

#[test]
fn what_somebody_writes_while_we_restore_is_kept() {
    for moment in [Step::Seen, Step::ScratchWritten, Step::Compared] {
        let before = "{\"env\": {}}";
        let place = Place::with(Some(before));
        place.claude_code().connect(&target(8080)).unwrap();

        somebody_writes_at(moment, &place, in_place);
        place.claude_code().disconnect().unwrap();
        step::on_none();

        assert_eq!(
            place.text().unwrap(),
            "{\"added\": 1,\"env\": {}}",
            "{moment:?}"
        );
    }
}

#[test]
fn a_file_that_somebody_fills_while_we_remove_it_stays() {
    let place = Place::with(None);
    place.claude_code().connect(&target(8080)).unwrap();

    somebody_writes_at(Step::Compared, &place, in_place);
    place.claude_code().disconnect().unwrap();
    step::on_none();

    let settings: Value = serde_json::from_str(&place.text().unwrap()).unwrap();
    assert_eq!(settings, serde_json::json!({ "added": 1 }));
}

#[test]
fn a_file_that_somebody_creates_while_we_do_is_kept() {
    let place = Place::with(None);
    let settings = place.settings();
    step::on_each(move |step| {
        if step == Step::Compared && !settings.exists() {
            fs::write(&settings, "{\"added\": 1}").unwrap();
        }
    });

    place.claude_code().connect(&target(8080)).unwrap();
    step::on_none();

    assert!(place.text().unwrap().contains("added"));
    assert_eq!(place.claude_code().state(), State::Connected);
    place.claude_code().disconnect().unwrap();
    assert_eq!(place.text().as_deref(), Some("{\"added\": 1}"));
}

#[test]
fn a_file_that_never_rests_is_given_up_with_nothing_changed() {
    let place = Place::with(Some("{}"));
    let settings = place.settings();
    let mut writes = 0;
    step::on_each(move |step| {
        if step == Step::ScratchWritten {
            writes += 1;
            fs::write(&settings, format!("{{\"n\": {writes}}}")).unwrap();
        }
    });

    let error = place.claude_code().connect(&target(8080)).unwrap_err();
    step::on_none();

    assert!(matches!(error, Error::Busy(_)), "{error}");
    assert!(!place.text().unwrap().contains("env"));
    assert_eq!(place.claude_code().state(), State::Disconnected);
    assert!(!place.folder.path().join("data/claude-code.json").exists());
}

#[test]
fn nothing_shows_a_secret() {
    let place = Place::with(Some("{\"env\":{\"ANTHROPIC_AUTH_TOKEN\":\"sk-before\"}}"));
    place.claude_code().connect(&target(8080)).unwrap();

    let record = place.claude_code().store.load().unwrap().unwrap();

    let shown = format!("{record:?}");
    assert!(!shown.contains("sk-before"), "{shown}");
}

fn passthrough_endpoint() -> zephyr_core::config::Endpoint {
    let text = "[[groups]]\nname = \"g\"\nauth_type = \"passthrough\"\nendpoints = [{ name = \"e\", url = \"http://127.0.0.1:1\" }]\n";
    let loaded = zephyr_config::parse(text).unwrap();
    loaded.config.endpoints.into_iter().next().unwrap()
}

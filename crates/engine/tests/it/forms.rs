//! The configuration file changed by forms while the engine runs.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::{Arc, Mutex};

use crate::common::{OUR_TOKEN, Zephyr, config};
use zephyr_config::Loaded;
use zephyr_control::{
    Command, Complaint, Configuration, ControlError, EndpointForm, EndpointState, ErrorCode,
    EventKind, SecretText, SettingValue, TokenReference,
};
use zephyr_engine::{Engine, Options, Source};
use zephyr_secrets::Secret;
use zephyr_secrets::vault::{KeychainError, Store};
use zephyr_testkit::{Act, Endpoint};

fn text(zephyr: &Zephyr) -> String {
    fs::read_to_string(zephyr.folder.path().join("config.toml")).unwrap()
}

async fn shown(zephyr: &Zephyr) -> Configuration {
    zephyr.control.configuration().await.unwrap()
}

async fn form(zephyr: &Zephyr, name: &str) -> Box<EndpointForm> {
    let mut endpoints = shown(zephyr).await.endpoints.into_iter();
    Box::new(endpoints.find(|endpoint| endpoint.name == name).unwrap())
}

fn endpoint(name: &str, url: String) -> Box<EndpointForm> {
    Box::new(EndpointForm {
        name: name.to_owned(),
        group: "main".to_owned(),
        url,
        flag: None,
        enabled: true,
        priority: 1,
        weight: 1,
        price: 1.0,
        path_prefix: None,
        auth_type: None,
        token: TokenReference::None,
        proxy: Some("direct".to_owned()),
    })
}

async fn names(zephyr: &Zephyr) -> Vec<String> {
    let snapshot = zephyr.snapshot().await;
    let endpoints = snapshot.endpoints.iter();
    endpoints.map(|endpoint| endpoint.name.clone()).collect()
}

async fn refused(zephyr: &Zephyr, command: Command) -> ControlError {
    zephyr.control.execute(command).await.unwrap_err()
}

async fn complaints(zephyr: &Zephyr, command: Command) -> Vec<Complaint> {
    zephyr.control.check(command).await.unwrap()
}

fn set(key: &str, value: SettingValue) -> Command {
    Command::Set {
        key: key.to_owned(),
        value: Some(value),
    }
}

#[tokio::test]
async fn an_added_endpoint_takes_requests_as_soon_as_the_command_is_done() {
    let a = Endpoint::start(Act::status(401)).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let before = text(&zephyr);

    zephyr
        .run(Command::AddEndpoint {
            endpoint: endpoint("B", b.url()),
        })
        .await;

    assert_eq!(names(&zephyr).await, ["A", "B"]);
    assert_eq!(zephyr.used().await, "B");
    let request = b.next_request().await;
    assert_eq!(
        request.header("authorization"),
        Some(format!("Bearer {OUR_TOKEN}").as_str())
    );
    let line = format!(
        "  {{ name = \"B\", url = \"{}\", proxy = \"direct\" }},\n",
        b.url()
    );
    assert_eq!(text(&zephyr).replace(&line, ""), before);
    assert_eq!(*form(&zephyr, "B").await, *endpoint("B", b.url()));
}

#[tokio::test]
async fn a_renamed_endpoint_keeps_what_was_learned_of_it_and_its_pin() {
    let a = Endpoint::start(Act::message("from A")).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let probes = "[health_check]\nmode = \"message\"\ninterval_seconds = 3600\n";
    let zephyr = Zephyr::over(&[&a, &b], probes).await;
    let measured = |name: &'static str| {
        move |snapshot: &zephyr_control::Snapshot| {
            let view = snapshot.endpoint(name);
            view.is_some_and(|view| view.latency_ms.is_some())
        }
    };
    let before = zephyr.until("B is measured", measured("B")).await;
    zephyr
        .run(Command::Use {
            endpoint: "B".to_owned(),
        })
        .await;

    let renamed = EndpointForm {
        name: "Z".to_owned(),
        ..*form(&zephyr, "B").await
    };
    zephyr
        .run(Command::EditEndpoint {
            name: "B".to_owned(),
            endpoint: Box::new(renamed),
        })
        .await;

    let after = zephyr.snapshot().await;
    let latencies = [(&before, "B"), (&after, "Z")]
        .map(|(snapshot, name)| snapshot.endpoint(name).unwrap().latency_ms);
    assert_eq!(latencies[0], latencies[1]);
    assert_eq!(names(&zephyr).await, ["A", "Z"]);
    assert_eq!(zephyr.used().await, "Z");
}

#[tokio::test]
async fn an_endpoint_that_is_switched_off_by_its_form_gets_no_requests() {
    let a = Endpoint::start(Act::message("from A")).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let zephyr = Zephyr::over(&[&a, &b], "").await;

    let off = EndpointForm {
        enabled: false,
        ..*form(&zephyr, "A").await
    };
    zephyr
        .run(Command::EditEndpoint {
            name: "A".to_owned(),
            endpoint: Box::new(off),
        })
        .await;

    assert_eq!(zephyr.state_of("A").await, EndpointState::Disabled);
    assert_eq!(zephyr.used().await, "B");
    assert!(text(&zephyr).contains("proxy = \"direct\", enabled = false },"));
}

#[tokio::test]
async fn a_moved_endpoint_stands_elsewhere_in_the_file_and_in_the_fleet() {
    let endpoints = [
        Endpoint::start(Act::message("from A")).await,
        Endpoint::start(Act::message("from B")).await,
        Endpoint::start(Act::message("from C")).await,
    ];
    let zephyr = Zephyr::over(&endpoints.each_ref(), "").await;

    zephyr
        .run(Command::MoveEndpoint {
            name: "C".to_owned(),
            to: 0,
        })
        .await;

    assert_eq!(names(&zephyr).await, ["C", "A", "B"]);
    let in_file = shown(&zephyr).await.endpoints.into_iter();
    assert_eq!(
        in_file.map(|form| form.name).collect::<Vec<_>>(),
        ["C", "A", "B"]
    );
}

#[tokio::test]
async fn what_was_removed_comes_back_as_it_was_also_the_last_one_of_its_group() {
    let a = Endpoint::start(Act::message("from A")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let commented = text(&zephyr).replace("  { name = \"A\"", "  # the best\n  { name = \"A\"");
    zephyr.rewrite(&commented);
    zephyr.run(Command::Reload).await;
    let gone = form(&zephyr, "A").await;

    zephyr
        .run(Command::RemoveEndpoint {
            name: "A".to_owned(),
        })
        .await;
    let without = zephyr.stream().await.unwrap();
    let group = shown(&zephyr).await.groups.remove(0);
    zephyr.run(Command::AddEndpoint { endpoint: gone }).await;
    zephyr
        .run(Command::MoveEndpoint {
            name: "A".to_owned(),
            to: 0,
        })
        .await;

    assert_eq!(without.header("x-zephyr-error"), Some("no_endpoints"));
    assert_eq!(group.token, TokenReference::Env("TEST_TOKEN".to_owned()));
    assert_eq!(text(&zephyr), commented);
    assert_eq!(zephyr.used().await, "A");
}

#[tokio::test]
async fn a_setting_is_in_force_when_the_command_is_done_and_its_default_when_it_is_taken_out() {
    let a = Endpoint::start(Act::message("from A")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let before = text(&zephyr);

    let random = SettingValue::Text("random".to_owned());
    zephyr.run(set("routing.strategy", random)).await;
    let changed = zephyr.snapshot().await.strategy;
    zephyr
        .run(Command::Set {
            key: "routing.strategy".to_owned(),
            value: None,
        })
        .await;

    assert_eq!(changed, zephyr_control::Strategy::Random);
    let strategy = zephyr.snapshot().await.strategy;
    assert_eq!(strategy, zephyr_control::Strategy::Latency);
    assert_eq!(text(&zephyr), format!("{before}\n[routing]\n"));
}

#[tokio::test]
async fn a_change_is_told_once() {
    let a = Endpoint::start(Act::message("from A")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let reloads = async || {
        let events = zephyr.events().await.into_iter();
        events
            .filter(|event| *event == EventKind::ConfigReloaded)
            .count()
    };

    let theme = |name: &str| set("ui.theme", SettingValue::Text(name.to_owned()));
    zephyr.run(theme("dark")).await;
    let after_command = reloads().await;
    // Somebody else's change comes after ours, so ours has been looked into by then.
    zephyr.rewrite(&text(&zephyr).replace("dark", "light"));
    zephyr
        .until("it is light", |snapshot| {
            snapshot.appearance.theme == zephyr_control::ThemeChoice::Light
        })
        .await;

    assert_eq!((after_command, reloads().await), (1, 2));
}

#[tokio::test]
async fn what_would_not_be_valid_is_not_written_and_a_check_says_the_same_beforehand() {
    let a = Endpoint::start(Act::message("from A")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let before = text(&zephyr);
    let cases = [
        (
            Command::AddEndpoint {
                endpoint: endpoint("A", a.url()),
            },
            ErrorCode::InvalidConfiguration,
            "name",
        ),
        (
            Command::AddEndpoint {
                endpoint: endpoint("B", "nowhere".to_owned()),
            },
            ErrorCode::InvalidConfiguration,
            "url",
        ),
        (
            Command::EditEndpoint {
                name: "X".to_owned(),
                endpoint: endpoint("X", a.url()),
            },
            ErrorCode::UnknownEndpoint,
            "name",
        ),
        (
            Command::RemoveEndpoint {
                name: "X".to_owned(),
            },
            ErrorCode::UnknownEndpoint,
            "name",
        ),
        (
            set("server.host", SettingValue::Text("0.0.0.0".to_owned())),
            ErrorCode::InvalidConfiguration,
            "server.host",
        ),
        (
            set("server.prot", SettingValue::Number(1.0)),
            ErrorCode::BadRequest,
            "server.prot",
        ),
    ];

    for (command, code, field) in cases {
        let complaints = complaints(&zephyr, command.clone()).await;
        let error = refused(&zephyr, command).await;

        let [complaint] = &complaints[..] else {
            panic!("{complaints:?}");
        };
        assert_eq!(complaint.field.as_deref(), Some(field));
        assert!(!complaint.is_warning);
        assert_eq!(error.code, code, "{error}");
        assert!(
            error.message.contains(complaint.message.as_str()),
            "{error}"
        );
    }
    assert_eq!(text(&zephyr), before);
    assert_eq!(zephyr.used().await, "A");
    let events = zephyr.events().await;
    assert!(!events.contains(&EventKind::ConfigReloaded), "{events:?}");
    assert!(!events.contains(&EventKind::ConfigRejected), "{events:?}");
}

#[tokio::test]
async fn a_file_that_somebody_broke_is_left_alone() {
    let a = Endpoint::start(Act::message("from A")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let broken = format!("{}\n[ui\n", text(&zephyr));
    zephyr.rewrite(&broken);

    let add = || Command::AddEndpoint {
        endpoint: endpoint("B", a.url()),
    };
    let complaints = complaints(&zephyr, add()).await;
    let error = refused(&zephyr, add()).await;
    let hidden = zephyr.control.configuration().await.unwrap_err();

    assert_eq!(complaints.len(), 1);
    assert!(error.message.contains("not TOML"), "{error}");
    assert_eq!(hidden.code, ErrorCode::InvalidConfiguration);
    assert_eq!(text(&zephyr), broken);
    assert_eq!(zephyr.used().await, "A");
}

#[tokio::test]
async fn changes_at_the_same_time_are_all_carried_out() {
    let a = Endpoint::start(Act::message("from A")).await;
    let zephyr = Zephyr::over(&[&a], "").await;

    let additions = (1..=8).map(|number| {
        let endpoint = endpoint(&format!("new {number}"), a.url());
        zephyr.control.execute(Command::AddEndpoint { endpoint })
    });
    let outcomes = futures_util::future::join_all(additions).await;

    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(names(&zephyr).await.len(), 9);
    assert_eq!(shown(&zephyr).await.endpoints.len(), 9);
}

#[tokio::test]
async fn without_a_file_everything_is_shown_and_nothing_can_be_saved() {
    let a = Endpoint::start(Act::message("from A")).await;
    let loaded: Loaded = zephyr_config::parse(&config(&[a.url()], "")).unwrap();
    let engine = Engine::start(loaded, Source::Fixed).await.unwrap();
    let control = engine.control();

    let shown = control.configuration().await.unwrap();
    let error = control
        .execute(set("server.port", SettingValue::Number(1.0)))
        .await;
    let unchecked = control
        .check(Command::RemoveEndpoint {
            name: "A".to_owned(),
        })
        .await;

    assert_eq!(shown.path, None);
    assert_eq!(
        (shown.endpoints[0].name.as_str(), &shown.endpoints[0].url),
        ("A", &a.url())
    );
    assert!(shown.settings.len() > 50);
    assert_eq!(error.unwrap_err().code, ErrorCode::NotPossible);
    assert_eq!(unchecked.unwrap_err().code, ErrorCode::NotPossible);
}

#[cfg(unix)]
#[tokio::test]
async fn a_private_file_stays_private() {
    use std::os::unix::fs::PermissionsExt;
    let a = Endpoint::start(Act::message("from A")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let path = zephyr.folder.path().join("config.toml");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();

    zephyr
        .run(Command::AddEndpoint {
            endpoint: endpoint("B", a.url()),
        })
        .await;

    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// A keychain in memory, or one that does not work.
#[derive(Default)]
struct Memory {
    entries: Mutex<BTreeMap<String, String>>,
    broken: Option<KeychainError>,
}

impl Memory {
    fn works(&self) -> Result<(), KeychainError> {
        self.broken.clone().map_or(Ok(()), Err)
    }
}

impl Store for Memory {
    fn get(&self, name: &str) -> Result<Secret, KeychainError> {
        self.works()?;
        let entries = self.entries.lock().unwrap();
        let text = entries.get(name).ok_or_else(|| KeychainError::Missing {
            name: name.to_owned(),
        })?;
        Ok(Secret::new(text).unwrap())
    }

    fn set(&self, name: &str, secret: &Secret) -> Result<(), KeychainError> {
        self.works()?;
        let mut entries = self.entries.lock().unwrap();
        entries.insert(name.to_owned(), secret.expose().to_owned());
        Ok(())
    }

    fn remove(&self, _name: &str) -> Result<(), KeychainError> {
        unreachable!("the engine removes nothing")
    }

    fn names(&self) -> Result<BTreeSet<String>, KeychainError> {
        unreachable!("the engine lists nothing")
    }

    fn unlock(&self) -> Result<(), KeychainError> {
        self.works()
    }
}

async fn with_keychain(a: &Endpoint, keychain: Memory) -> Zephyr {
    let options = Options {
        keychain: Some(Arc::new(keychain)),
        ..Options::default()
    };
    let config =
        config(&[a.url()], "").replace("token_env = \"TEST_TOKEN\"", "token_keychain = \"k\"");
    Zephyr::start(&config, options).await
}

fn store(reference: &str, token: &str) -> Command {
    Command::StoreToken {
        reference: reference.to_owned(),
        token: SecretText::new(token),
    }
}

#[tokio::test]
async fn a_stored_token_is_sent_at_once_and_so_is_its_successor() {
    let a = Endpoint::start(Act::message("from A")).await;
    let zephyr = with_keychain(&a, Memory::default()).await;
    let before = zephyr.state_of("A").await;

    zephyr.run(store("k", " first \n")).await;
    zephyr.stream().await.unwrap();
    zephyr.run(store("k", "second")).await;
    zephyr.stream().await.unwrap();

    assert_eq!(before, EndpointState::NoCredential);
    for token in ["first", "second"] {
        let request = a.next_request().await;
        let sent = format!("Bearer {token}");
        assert_eq!(request.header("authorization"), Some(sent.as_str()));
    }
}

#[tokio::test]
async fn whether_there_is_a_token_is_told_and_not_guessed() {
    let a = Endpoint::start(Act::message("from A")).await;
    let zephyr = with_keychain(&a, Memory::default()).await;
    let locked = Memory {
        broken: Some(KeychainError::Locked),
        ..Memory::default()
    };
    let locked = with_keychain(&a, locked).await;
    let has_token = async |name: &str| zephyr.control.has_token(name.to_owned()).await;

    let before = has_token("k").await.unwrap();
    zephyr.run(store("k", "first")).await;
    let after = has_token("k").await.unwrap();
    let misplaced = has_token("sk-ant-api03-0123456789abcdef").await;
    let nobody_knows = locked.control.has_token("k".to_owned()).await;

    assert_eq!((before, after), (false, true));
    assert_eq!(misplaced.unwrap_err().code, ErrorCode::BadRequest);
    let nobody_knows = nobody_knows.unwrap_err();
    assert!(nobody_knows.message.contains("unlock it"), "{nobody_knows}");
}

#[tokio::test]
async fn a_token_that_cannot_be_stored_says_what_to_do_and_never_what_it_is() {
    let a = Endpoint::start(Act::message("from A")).await;
    let absent = KeychainError::Absent {
        why: "no Secret Service".to_owned(),
    };
    let without = with_keychain(
        &a,
        Memory {
            broken: Some(absent),
            ..Memory::default()
        },
    )
    .await;
    let locked = with_keychain(
        &a,
        Memory {
            broken: Some(KeychainError::Locked),
            ..Memory::default()
        },
    )
    .await;
    let secret = "sk-ant-api03-0123456789abcdef";

    let absent = refused(&without, store("k", secret)).await;
    let locked = refused(&locked, store("k", secret)).await;
    let misplaced = refused(&without, store(secret, "k")).await;
    let torn = complaints(&without, store("k", "two\nlines")).await;

    assert!(absent.message.contains(".env"), "{absent}");
    assert!(locked.message.contains("unlock it"), "{locked}");
    assert_eq!(misplaced.code, ErrorCode::BadRequest);
    assert_eq!(torn[0].field.as_deref(), Some("token"));
    for error in [&absent, &locked, &misplaced] {
        assert!(!format!("{error:?}").contains("api03"));
    }
}

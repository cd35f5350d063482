//! Credentials in a keychain that is absent, locked, slow or changing, while the engine runs.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};

use crate::common::Zephyr;
use zephyr_control::{Command, EndpointState, Language, Problem, ProblemKind, Snapshot, text};
use zephyr_engine::Options;
use zephyr_secrets::Secret;
use zephyr_secrets::vault::{KeychainError, Store};
use zephyr_testkit::{Act, Endpoint};

/// A keychain that does what the test says.
struct Scripted {
    condition: Mutex<Condition>,
    entries: Mutex<BTreeMap<String, String>>,
    looks: AtomicUsize,
    /// Somebody is asked to unlock it; their answer.
    asked: Mutex<Sender<()>>,
    answer: Mutex<Receiver<()>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Condition {
    Open,
    Locked,
    Absent,
    /// Never answers.
    Hanging,
}

/// The person in front of it.
struct Person {
    asked: Receiver<()>,
    answer: Sender<()>,
}

impl Scripted {
    fn new(condition: Condition, entries: &[(&str, &str)]) -> (Arc<Self>, Person) {
        let (asked, is_asked) = mpsc::channel();
        let (answer, answered) = mpsc::channel();
        let keychain = Self {
            condition: Mutex::new(condition),
            entries: Mutex::default(),
            looks: AtomicUsize::new(0),
            asked: Mutex::new(asked),
            answer: Mutex::new(answered),
        };
        for (name, secret) in entries {
            keychain.store(name, secret);
        }
        let person = Person {
            asked: is_asked,
            answer,
        };
        (Arc::new(keychain), person)
    }

    fn turn(&self, condition: Condition) {
        *self.condition.lock().unwrap() = condition;
    }

    fn store(&self, name: &str, secret: &str) {
        let mut entries = self.entries.lock().unwrap();
        entries.insert(name.to_owned(), secret.to_owned());
    }

    fn looks(&self) -> usize {
        self.looks.load(Ordering::SeqCst)
    }
}

impl Store for Scripted {
    fn get(&self, name: &str) -> Result<Secret, KeychainError> {
        self.looks.fetch_add(1, Ordering::SeqCst);
        let condition = *self.condition.lock().unwrap();
        match condition {
            Condition::Hanging => loop {
                std::thread::park();
            },
            Condition::Open => {}
            Condition::Locked => return Err(KeychainError::Locked),
            Condition::Absent => {
                let why = "the test has none".to_owned();
                return Err(KeychainError::Absent { why });
            }
        }
        let entries = self.entries.lock().unwrap();
        let missing = || KeychainError::Missing {
            name: name.to_owned(),
        };
        let text = entries.get(name).ok_or_else(missing)?;
        Ok(Secret::new(text).unwrap())
    }

    fn set(&self, _name: &str, _secret: &Secret) -> Result<(), KeychainError> {
        unreachable!("the engine only reads")
    }

    fn remove(&self, _name: &str) -> Result<(), KeychainError> {
        unreachable!("the engine only reads")
    }

    fn names(&self) -> Result<BTreeSet<String>, KeychainError> {
        unreachable!("the engine only reads")
    }

    fn unlock(&self) -> Result<(), KeychainError> {
        self.asked.lock().unwrap().send(()).unwrap();
        match self.answer.lock().unwrap().recv() {
            Ok(()) => {
                self.turn(Condition::Open);
                Ok(())
            }
            Err(_) => Err(KeychainError::Locked),
        }
    }
}

/// A, B, … with keychain entries of these names; an endpoint named E with a variable.
async fn over(keychain: &Arc<Scripted>, endpoints: &[(&Endpoint, &str)]) -> Zephyr {
    let mut config = "[server]\nport = 0\n[health_check]\nmode = \"models\"\n\
                      interval_seconds = 3600\n"
        .to_owned();
    for (index, (endpoint, entry)) in endpoints.iter().enumerate() {
        let (name, key) = match *entry {
            "" => ('E', "auth_token_env = \"TEST_TOKEN\"".to_owned()),
            entry => (
                char::from(b'A' + u8::try_from(index).unwrap()),
                format!("auth_token_keychain = \"{entry}\""),
            ),
        };
        config += &format!(
            "[[groups]]\nname = \"group {name}\"\n{key}\nendpoints = [{{ name = \"{name}\", \
             url = \"{}\", proxy = \"direct\" }}]\n",
            endpoint.url()
        );
    }
    let options = Options {
        keychain: Some(keychain.clone()),
        ..Options::default()
    };
    Zephyr::start(&config, options).await
}

fn problems(snapshot: &Snapshot, kind: ProblemKind) -> Vec<&Problem> {
    let problems = snapshot.problems.iter();
    problems.filter(|problem| problem.kind == kind).collect()
}

fn is_up(name: &'static str) -> impl Fn(&Snapshot) -> bool {
    move |snapshot| snapshot.endpoint(name).unwrap().state == EndpointState::Ready
}

async fn bearer(zephyr: &Zephyr, endpoint: &Endpoint) -> String {
    let before = endpoint.requests().len();
    zephyr.stream().await.unwrap();
    let requests = endpoint.requests();
    let sent = requests[before..].iter();
    let mut sent = sent.filter(|request| request.path().starts_with("/v1/messages"));
    let received = sent.next().expect("the endpoint was used");
    received.headers_named("authorization")[0].to_owned()
}

#[tokio::test]
async fn an_absent_keychain_is_one_problem_and_the_environment_keeps_working() {
    let (a, b, e) = three().await;
    let (keychain, _person) = Scripted::new(Condition::Absent, &[]);

    let zephyr = over(&keychain, &[(&a, "one"), (&b, "two"), (&e, "")]).await;

    assert_eq!(zephyr.used().await, "E");
    let snapshot = zephyr.snapshot().await;
    assert_eq!(
        snapshot.endpoint("A").unwrap().state,
        EndpointState::NoCredential
    );
    let found = problems(&snapshot, ProblemKind::Keychain);
    assert_eq!(found.len(), 1, "{:?}", snapshot.problems);
    assert!(
        found[0].message.contains("endpoint A, endpoint B"),
        "{found:?}"
    );
    assert!(found[0].remedy.contains("auth_token_env"), "{found:?}");
    assert!(problems(&snapshot, ProblemKind::Credential).is_empty());
}

#[tokio::test]
async fn a_keychain_that_hangs_holds_no_start_up() {
    let (a, _, e) = three().await;
    let (keychain, _person) = Scripted::new(Condition::Hanging, &[]);

    let zephyr = over(&keychain, &[(&a, "one"), (&e, "")]).await;

    assert_eq!(zephyr.used().await, "E");
    let snapshot = zephyr.snapshot().await;
    let found = problems(&snapshot, ProblemKind::Keychain);
    assert!(found[0].message.contains("does not answer"), "{found:?}");
}

#[tokio::test]
async fn a_keychain_that_comes_later_is_used_without_a_restart() {
    let (a, _, e) = three().await;
    let (keychain, _person) = Scripted::new(Condition::Absent, &[("one", "token-one")]);
    let zephyr = over(&keychain, &[(&a, "one"), (&e, "")]).await;

    keychain.turn(Condition::Open);

    let snapshot = zephyr.until("A is up", is_up("A")).await;
    assert!(problems(&snapshot, ProblemKind::Keychain).is_empty());
    zephyr
        .run(Command::Use {
            endpoint: "A".to_owned(),
        })
        .await;
    assert_eq!(bearer(&zephyr, &a).await, "Bearer token-one");
}

#[tokio::test]
async fn a_refused_credential_says_in_both_languages_what_to_type() {
    let expected = [
        ("one", "zephyr token set one"),
        ("a-b_c.d", "zephyr token set a-b_c.d"),
        ("my relay", "zephyr token set 'my relay'"),
        ("it's", r"zephyr token set 'it'\''s'"),
        ("", "TEST_TOKEN=…"),
        ("-x", "zephyr token set -- '-x'"),
    ];
    let a = Endpoint::start(Act::status(401)).await;
    let stored = expected.map(|(entry, _)| (entry, "token-of-yesterday"));
    let (keychain, _person) = Scripted::new(Condition::Open, &stored);
    let zephyr = over(&keychain, &expected.map(|(entry, _)| (&a, entry))).await;

    let all_refused = |snapshot: &Snapshot| {
        let mut endpoints = snapshot.endpoints.iter();
        endpoints.all(|endpoint| endpoint.state == EndpointState::Refused)
    };
    let snapshot = zephyr.until("all are refused", all_refused).await;

    for ((_, command), endpoint) in expected.iter().zip(&snapshot.endpoints) {
        for language in [Language::En, Language::Zh] {
            let told = text(language, endpoint.reason.as_ref().unwrap());
            assert!(told.contains(command) && told.contains("401"), "{told}");
        }
    }
}

#[tokio::test]
async fn an_entry_that_is_missing_is_a_problem_of_its_endpoint_until_it_is_stored() {
    let (a, b, _) = three().await;
    let (keychain, _person) = Scripted::new(Condition::Open, &[("two", "token-two")]);
    let zephyr = over(&keychain, &[(&a, "one"), (&b, "two")]).await;

    let snapshot = zephyr.snapshot().await;
    let found = problems(&snapshot, ProblemKind::Credential);
    assert_eq!(found.len(), 1, "{:?}", snapshot.problems);
    assert!(found[0].message.contains("endpoint A"), "{found:?}");
    assert!(
        found[0].remedy.contains("zephyr token set one"),
        "{found:?}"
    );
    assert_eq!(zephyr.used().await, "B");

    keychain.store("one", "token-one");

    zephyr.until("A is up", is_up("A")).await;
}

#[tokio::test]
async fn a_locked_keychain_has_the_person_asked_once_and_is_used_when_they_unlock_it() {
    let (a, _, e) = three().await;
    let (keychain, person) = Scripted::new(Condition::Locked, &[("one", "token-one")]);

    let zephyr = over(&keychain, &[(&a, "one"), (&e, "")]).await;

    let snapshot = zephyr.snapshot().await;
    let found = problems(&snapshot, ProblemKind::Keychain);
    assert!(found[0].message.contains("locked"), "{found:?}");
    assert_eq!(zephyr.used().await, "E");
    let person = tokio::task::spawn_blocking(move || {
        person.asked.recv().unwrap();
        person
    });
    let person = person.await.unwrap();
    zephyr.run(Command::Refresh).await;
    person.answer.send(()).unwrap();
    zephyr.until("A is up", is_up("A")).await;
    assert!(person.asked.try_recv().is_err(), "a dialog was open");
}

#[tokio::test]
async fn a_replaced_token_is_used_from_the_next_reload() {
    let (a, _, _) = three().await;
    let (keychain, _person) = Scripted::new(Condition::Open, &[("one", "token-one")]);
    let zephyr = over(&keychain, &[(&a, "one")]).await;
    assert_eq!(bearer(&zephyr, &a).await, "Bearer token-one");

    keychain.store("one", "token-two");
    zephyr.run(Command::Reload).await;

    assert_eq!(bearer(&zephyr, &a).await, "Bearer token-two");
}

#[tokio::test]
async fn a_keychain_that_goes_away_takes_nothing_from_a_running_engine() {
    let (a, _, _) = three().await;
    let (keychain, _person) = Scripted::new(Condition::Open, &[("one", "token-one")]);
    let zephyr = over(&keychain, &[(&a, "one")]).await;

    keychain.turn(Condition::Absent);

    assert_eq!(bearer(&zephyr, &a).await, "Bearer token-one");
    assert_eq!(keychain.looks(), 1, "nothing is missing");
    zephyr.run(Command::Reload).await;
    assert_eq!(bearer(&zephyr, &a).await, "Bearer token-one");
}

#[tokio::test]
async fn an_entry_that_was_removed_is_used_until_the_next_reload() {
    let (a, _, e) = three().await;
    let (keychain, _person) = Scripted::new(Condition::Open, &[("one", "token-one")]);
    let zephyr = over(&keychain, &[(&a, "one"), (&e, "")]).await;

    keychain.entries.lock().unwrap().clear();
    zephyr.run(Command::Reload).await;

    assert_eq!(zephyr.state_of("A").await, EndpointState::NoCredential);
    assert_eq!(zephyr.used().await, "E");
}

#[tokio::test]
async fn a_keychain_that_no_endpoint_refers_to_is_not_touched() {
    let (_, _, e) = three().await;
    let (keychain, _person) = Scripted::new(Condition::Locked, &[]);
    let zephyr = over(&keychain, &[(&e, "")]).await;

    zephyr.run(Command::Refresh).await;
    zephyr.run(Command::Reload).await;

    assert_eq!(zephyr.used().await, "E");
    assert_eq!(keychain.looks(), 0);
}

async fn three() -> (Endpoint, Endpoint, Endpoint) {
    let start = |name: &'static str| Endpoint::start(Act::message(name));
    tokio::join!(start("A"), start("B"), start("E"))
}

//! Tokens in the keychain, a real one.

use zephyr_control::{EndpointState, ProblemKind, Snapshot};
use zephyr_desktop_test::{Configuration, Desktop, Lock};
use zephyr_testkit::{Act, Endpoint};

use crate::started;

const SECRET: &str = "sk-desktop-test-0123456789";

#[tokio::test]
async fn a_token_is_kept_in_the_keychain_and_reaches_its_endpoint() {
    let desktop = Desktop::complete().await;
    let _keyring = desktop.start_keyring(Lock::Unlocked).await;
    let endpoint = Endpoint::start(Act::message("Hello")).await;
    let configuration = Configuration::over_keychain("primary", &[("HK", &endpoint)]);
    desktop.configure(&configuration);

    let set = desktop
        .zephyr_with_input(&["token", "set", "primary"], &format!("{SECRET}\n"))
        .await;
    assert_eq!(set.code, Some(0), "{set:?}");
    assert!(!set.said.contains(SECRET), "{set:?}");
    assert_eq!(desktop.stored("primary").await.as_deref(), Some(SECRET));

    let zephyr = started(&desktop, &configuration).await;
    assert_eq!(desktop.ask().await.text(), "Hello");

    let bearer = format!("Bearer {SECRET}");
    let request = endpoint.next_request().await;
    assert_eq!(request.headers_named("authorization"), [bearer.as_str()]);
    assert!(!zephyr.said().contains(SECRET));
}

#[tokio::test]
async fn a_token_that_is_set_while_it_runs_is_used() {
    let desktop = Desktop::complete().await;
    let _keyring = desktop.start_keyring(Lock::Unlocked).await;
    let endpoint = Endpoint::start(Act::message("Hello")).await;
    let configuration = Configuration::over_keychain("primary", &[("HK", &endpoint)]);
    let _zephyr = started(&desktop, &configuration).await;
    until_state(&desktop, "HK", EndpointState::NoCredential).await;

    let set = desktop
        .zephyr_with_input(&["token", "set", "primary"], SECRET)
        .await;

    assert_eq!(set.code, Some(0), "{set:?}");
    until_state(&desktop, "HK", EndpointState::Ready).await;
    assert_eq!(desktop.ask().await.text(), "Hello");
}

#[tokio::test]
async fn an_absent_keychain_is_shown_and_used_when_it_comes() {
    let desktop = Desktop::complete().await;
    store_and_lock_away(&desktop).await;
    let (kept, free) = two_endpoints().await;

    let zephyr = started(&desktop, &over_both(&kept, &free)).await;

    until_keychain_problem(&desktop).await;
    zephyr.tray().await.item_named("⚠").await;
    assert_eq!(desktop.ask().await.text(), "from the environment");

    let _keyring = desktop.start_keyring(Lock::Unlocked).await;

    until_recovered(&desktop, &kept).await;
}

#[tokio::test]
async fn a_locked_keychain_is_shown_and_used_when_it_is_unlocked() {
    let desktop = Desktop::complete().await;
    store_and_lock_away(&desktop).await;
    let locked = desktop.start_keyring(Lock::Locked).await;
    let (kept, free) = two_endpoints().await;

    let _zephyr = started(&desktop, &over_both(&kept, &free)).await;

    until_keychain_problem(&desktop).await;
    assert_eq!(desktop.ask().await.text(), "from the environment");

    locked.stop().await;
    let _unlocked = desktop.start_keyring(Lock::Unlocked).await;

    until_recovered(&desktop, &kept).await;
}

/// Stores the secret in a keyring, and ends the keyring.
async fn store_and_lock_away(desktop: &Desktop) {
    let keyring = desktop.start_keyring(Lock::Unlocked).await;
    let stored = desktop.store("primary", SECRET).await;
    assert_eq!(stored.code, Some(0), "{stored:?}");
    keyring.stop().await;
}

async fn two_endpoints() -> (Endpoint, Endpoint) {
    let kept = Endpoint::start(Act::message("from the keychain")).await;
    let free = Endpoint::start(Act::message("from the environment")).await;
    (kept, free)
}

fn over_both(kept: &Endpoint, free: &Endpoint) -> Configuration {
    Configuration::over_keychain("primary", &[("Kept", kept)]).group(
        "free",
        r#"auth_token_env = "ZEPHYR_TEST_TOKEN""#,
        &[("Free", free)],
    )
}

async fn until_keychain_problem(desktop: &Desktop) {
    let problem = |snapshot: &Snapshot| {
        let mut problems = snapshot.problems.iter();
        problems
            .find(|problem| problem.kind == ProblemKind::Keychain)
            .cloned()
    };
    let problem = desktop.until("a problem of the keychain", problem).await;
    assert!(!problem.remedy.is_empty(), "{problem:?}");
    assert!(!problem.message.contains(SECRET), "{problem:?}");
}

async fn until_recovered(desktop: &Desktop, kept: &Endpoint) {
    until_state(desktop, "Kept", EndpointState::Ready).await;
    let quiet = |snapshot: &Snapshot| {
        let mut problems = snapshot.problems.iter();
        let any = problems.any(|problem| problem.kind == ProblemKind::Keychain);
        (!any && snapshot.current.as_deref() == Some("Kept")).then_some(())
    };
    desktop.until("the keychain's problem to end", quiet).await;
    assert_eq!(desktop.ask().await.text(), "from the keychain");
    let bearer = format!("Bearer {SECRET}");
    let request = kept.next_request().await;
    assert_eq!(request.headers_named("authorization"), [bearer.as_str()]);
}

async fn until_state(desktop: &Desktop, name: &str, expected: EndpointState) {
    desktop
        .until(&format!("{name} to be {expected:?}"), |snapshot| {
            (snapshot.endpoint(name)?.state == expected).then_some(())
        })
        .await;
}

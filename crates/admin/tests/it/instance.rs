//! How a front-end finds the running instance, and tells it from one that is gone.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use crate::fake::{Server, snapshot};
use tokio::net::TcpSocket;
use zephyr_admin::instance::{self, Found, Instance, Role};
use zephyr_admin::token::Token;
use zephyr_control::ErrorCode;

fn proxy() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8080))
}

/// A port that is bound, so that nobody else takes it, and on which nobody listens.
fn silent() -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    socket
}

fn file(data_dir: &Path) -> std::path::PathBuf {
    data_dir.join("instance.json")
}

#[tokio::test]
async fn a_registered_instance_is_found_and_answers() {
    let server = Server::start().await;
    let instance = Instance::this(proxy(), server.address);
    let _registration =
        instance::register(server.data_dir.path(), Role::Engine, instance.clone()).unwrap();

    let Found::Running(running) = instance::find(server.data_dir.path()).await.unwrap() else {
        panic!("it runs");
    };

    assert_eq!(running.instance, instance);
    assert_eq!(running.instance.pid, std::process::id());
    assert_eq!(*running.snapshot, snapshot(1));
}

#[tokio::test]
async fn where_none_has_registered_nothing_is_found() {
    let folder = tempfile::tempdir().unwrap();

    let found = instance::find(&folder.path().join("not/there"))
        .await
        .unwrap();

    assert!(matches!(found, Found::Nothing));
    let error = found.running().unwrap_err();
    assert_eq!(error.code, ErrorCode::Unreachable);
    assert!(error.message.contains("zephyr serve"), "{error}");
}

#[tokio::test]
async fn a_file_left_behind_is_told_apart_from_no_file() {
    let folder = tempfile::tempdir().unwrap();
    Token::load_or_create(folder.path()).unwrap();
    let silent = silent();
    let instance = Instance::this(proxy(), silent.local_addr().unwrap());
    let registration = instance::register(folder.path(), Role::Engine, instance.clone()).unwrap();
    // What `kill -9` does to it.
    std::mem::forget(registration);

    let found = instance::find(folder.path()).await.unwrap();

    assert!(
        matches!(&found, Found::Stale(stale) if *stale == instance),
        "{found:?}"
    );
    let error = found.running().unwrap_err();
    assert!(error.message.contains(&instance.pid.to_string()), "{error}");
    assert!(error.message.contains("zephyr serve"), "{error}");
}

#[tokio::test]
async fn another_zephyr_on_the_old_port_is_not_taken_for_the_instance() {
    let other = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    Token::load_or_create(folder.path()).unwrap();
    let gone = Instance::this(proxy(), other.address);
    let _registration = instance::register(folder.path(), Role::Engine, gone).unwrap();

    let found = instance::find(folder.path()).await.unwrap();

    assert!(matches!(found, Found::Stale(_)), "{found:?}");
}

/// A tray program that starts after a crash has the admin port of the one that was killed, and must not
/// take itself for that one.
#[tokio::test]
async fn a_program_without_an_engine_is_not_taken_for_the_instance() {
    let server = Server::start().await;
    let mut waiting = snapshot(1);
    waiting.listening.proxy.clear();
    server.control.publish(waiting);
    let killed = Instance::this(proxy(), server.address);
    let _engine = instance::register(server.data_dir.path(), Role::Engine, killed.clone()).unwrap();
    let _desktop = instance::register(server.data_dir.path(), Role::Desktop, killed).unwrap();

    let engine = instance::find(server.data_dir.path()).await.unwrap();
    let desktop = instance::find_as(Role::Desktop, server.data_dir.path())
        .await
        .unwrap();

    assert!(matches!(engine, Found::Stale(_)), "{engine:?}");
    assert!(matches!(desktop, Found::Running(_)), "{desktop:?}");
}

#[test]
fn the_file_goes_with_its_instance_but_not_with_an_older_one() {
    let folder = tempfile::tempdir().unwrap();
    let first = Instance::this(proxy(), proxy());
    let second = Instance {
        pid: first.pid + 1,
        ..first.clone()
    };

    let older = instance::register(folder.path(), Role::Engine, first).unwrap();
    let newer = instance::register(folder.path(), Role::Engine, second).unwrap();
    drop(older);
    assert!(file(folder.path()).exists());
    drop(newer);
    assert!(!file(folder.path()).exists());
}

#[tokio::test]
async fn a_file_that_makes_no_sense_is_no_instance() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(file(folder.path()), "{").unwrap();

    let found = instance::find(folder.path()).await.unwrap();

    assert!(matches!(found, Found::Nothing));
}

#[cfg(unix)]
#[test]
fn only_the_user_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();

    let _registration = instance::register(
        folder.path(),
        Role::Engine,
        Instance::this(proxy(), proxy()),
    )
    .unwrap();

    let mode = fs::metadata(file(folder.path()))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// A pipe is a file that takes its time. On a runtime of one thread, whoever writes into it gets no turn
/// while another task waits for the file itself.
#[cfg(unix)]
#[test]
fn a_slow_disk_holds_up_no_other_task() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = file(folder.path());
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let (done, finished) = std::sync::mpsc::channel();
    let data_dir = folder.path().to_owned();
    std::thread::spawn(move || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().unwrap();
        let find = async {
            let find = tokio::spawn(async move { instance::find(&data_dir).await.unwrap() });
            tokio::task::yield_now().await;
            let fill = tokio::task::spawn_blocking(move || fs::write(pipe, "no instance"));
            fill.await.unwrap().unwrap();
            find.await.unwrap()
        };
        let found = runtime.block_on(find);
        let _ = done.send(matches!(found, Found::Nothing));
    });

    let patience = std::time::Duration::from_secs(60);
    assert_eq!(finished.recv_timeout(patience), Ok(true));
}

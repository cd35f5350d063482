//! Whose connection is whose.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::net::{SocketAddr, TcpListener, TcpStream};

use zephyr_as_user::{USER, as_user};
use zephyr_peer::{Peer, whose};

fn is_root() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        println!("skipped: only root can become another user");
    }
    is_root
}

fn listener(address: &str) -> TcpListener {
    TcpListener::bind(address).unwrap()
}

/// Who the listener sees at the other end, and that end.
fn seen(
    listener: &TcpListener,
    connect: impl FnOnce(SocketAddr) -> TcpStream,
) -> (Peer, TcpStream) {
    let client = connect(listener.local_addr().unwrap());
    let (accepted, peer) = listener.accept().unwrap();
    (whose(peer, accepted.local_addr().unwrap()), client)
}

fn connect(to: SocketAddr) -> TcpStream {
    TcpStream::connect(to).unwrap()
}

#[test]
fn a_program_of_our_own_user_is_ours_over_both_protocols() {
    for address in ["127.0.0.1:0", "[::1]:0", "127.0.0.9:0"] {
        let (peer, _client) = seen(&listener(address), connect);

        assert_eq!(peer, Peer::Own, "{address}");
    }
}

#[test]
fn an_ipv4_client_of_a_socket_for_both_protocols_is_recognized() {
    let listener = listener("[::]:0");
    let port = listener.local_addr().unwrap().port();

    let (peer, _client) = seen(&listener, |_| connect(([127, 0, 0, 1], port).into()));

    assert_eq!(peer, Peer::Own);
}

#[test]
fn another_user_is_another_user() {
    if !is_root() {
        return;
    }
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let (peer, _client) = seen(&listener(address), |to| {
            let mut client = None;
            as_user(|| client = Some(connect(to)));
            client.unwrap()
        });

        assert_eq!(peer, Peer::Other { user: Some(USER) }, "{address}");
    }
}

#[test]
fn root_is_no_stranger_to_others() {
    if !is_root() {
        return;
    }
    let listener = listener("127.0.0.1:0");
    let client = connect(listener.local_addr().unwrap());
    let (accepted, peer) = listener.accept().unwrap();

    as_user(|| assert_eq!(whose(peer, accepted.local_addr().unwrap()), Peer::Own));
    drop(client);
}

/// The kernel calls such a socket root's.
#[test]
fn a_socket_that_its_program_has_closed_is_nobodys() {
    let listener = listener("127.0.0.1:0");
    drop(connect(listener.local_addr().unwrap()));
    let (accepted, peer) = listener.accept().unwrap();

    assert_eq!(whose(peer, accepted.local_addr().unwrap()), Peer::Nobody);
}

#[test]
fn an_address_elsewhere_is_remote() {
    let listener = listener("127.0.0.1:0");
    let elsewhere = "192.0.2.1:4711".parse().unwrap();

    assert_eq!(
        whose(elsewhere, listener.local_addr().unwrap()),
        Peer::Remote
    );
}

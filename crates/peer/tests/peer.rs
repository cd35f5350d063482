//! Whose connection is whose.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::net::{SocketAddr, TcpStream};

use tokio::net::TcpListener;

use zephyr_as_user::{USER, as_user};
use zephyr_peer::{Peer, whose};

fn is_root() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        println!("skipped: only root can become another user");
    }
    is_root
}

async fn listener(address: &str) -> TcpListener {
    TcpListener::bind(address).await.unwrap()
}

/// Who the listener sees at the other end, and that end.
async fn seen(
    listener: &TcpListener,
    connect: impl FnOnce(SocketAddr) -> TcpStream,
) -> (Peer, TcpStream) {
    let client = connect(listener.local_addr().unwrap());
    let (accepted, peer) = listener.accept().await.unwrap();
    (whose(&accepted, peer).await, client)
}

fn connect(to: SocketAddr) -> TcpStream {
    TcpStream::connect(to).unwrap()
}

#[tokio::test]
async fn a_program_of_our_own_user_is_ours_over_both_protocols() {
    for address in ["127.0.0.1:0", "[::1]:0", "127.0.0.9:0"] {
        let (peer, _client) = seen(&listener(address).await, connect).await;

        assert_eq!(peer, Peer::Own, "{address}");
    }
}

#[tokio::test]
async fn an_ipv4_client_of_a_socket_for_both_protocols_is_recognized() {
    let listener = listener("[::]:0").await;
    let port = listener.local_addr().unwrap().port();

    let (peer, _client) = seen(&listener, |_| connect(([127, 0, 0, 1], port).into())).await;

    assert_eq!(peer, Peer::Own);
}

#[tokio::test]
async fn another_user_is_another_user() {
    if !is_root() {
        return;
    }
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let connect_as_user = |to| {
            let mut client = None;
            as_user(|| client = Some(connect(to)));
            client.unwrap()
        };

        let (peer, _client) = seen(&listener(address).await, connect_as_user).await;

        assert_eq!(peer, Peer::Other { user: Some(USER) }, "{address}");
    }
}

#[test]
fn root_is_no_stranger_to_others() {
    if !is_root() {
        return;
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let client = connect(listener.local_addr().unwrap());
    let (accepted, peer) = listener.accept().unwrap();
    accepted.set_nonblocking(true).unwrap();

    as_user(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .unwrap();
        let seen = runtime.block_on(async {
            whose(&tokio::net::TcpStream::from_std(accepted).unwrap(), peer).await
        });
        assert_eq!(seen, Peer::Own);
    });
    drop(client);
}

/// The kernel calls such a socket root's.
#[tokio::test]
async fn a_socket_that_its_program_has_closed_is_nobodys() {
    let listener = listener("127.0.0.1:0").await;
    drop(connect(listener.local_addr().unwrap()));
    let (accepted, peer) = listener.accept().await.unwrap();

    assert_eq!(whose(&accepted, peer).await, Peer::Nobody);
}

/// The kernel would answer for any socket that listens at the peer's address.
#[tokio::test]
async fn a_socket_that_listens_at_the_address_of_a_peer_that_is_gone_is_not_the_peer() {
    let listener = listener("127.0.0.1:0").await;
    // Nobody else takes a port at this address in the meantime.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.77.7.7:0".parse().unwrap()).unwrap();
    let client = socket.connect(listener.local_addr().unwrap()).await;
    let client = client.unwrap();
    let (accepted, peer) = listener.accept().await.unwrap();
    rustix::net::sockopt::set_socket_linger(&client, Some(std::time::Duration::ZERO)).unwrap();
    drop(client); // With a reset, so that nothing of it is left.
    assert_eq!(whose(&accepted, peer).await, Peer::Nobody);

    let _other = std::net::TcpListener::bind(peer).unwrap();

    assert_eq!(whose(&accepted, peer).await, Peer::Nobody);
}

#[tokio::test]
async fn an_address_elsewhere_is_remote() {
    let listener = listener("127.0.0.1:0").await;
    let _client = connect(listener.local_addr().unwrap());
    let (accepted, _) = listener.accept().await.unwrap();
    let elsewhere = "192.0.2.1:4711".parse().unwrap();

    assert_eq!(whose(&accepted, elsewhere).await, Peer::Remote);
}

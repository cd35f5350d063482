//! Ports without an endpoint.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::timeout;
use zephyr_testkit::{Act, Endpoint, FaultyPort, PortFault, post_messages};

use crate::WHOLE;

/// Time enough to connect on loopback, and to be answered.
const A_WHILE: Duration = Duration::from_millis(500);

#[tokio::test]
async fn a_port_refuses_closes_or_resets_in_place_of_an_endpoint_that_was_there() {
    for (fault, kind) in [
        (PortFault::Refuses, io::ErrorKind::ConnectionRefused),
        (PortFault::Resets, io::ErrorKind::ConnectionReset),
    ] {
        let (addr, _port) = stopped_endpoint(fault).await;

        let error = post_messages(addr, WHOLE).await.unwrap_err();

        assert_eq!(error.kind(), kind, "{fault:?}");
    }
    let (addr, _port) = stopped_endpoint(PortFault::Closes).await;

    let error = post_messages(addr, WHOLE).await.unwrap_err();

    // A request that is not read makes a reset of the end.
    let ends = [
        io::ErrorKind::UnexpectedEof,
        io::ErrorKind::ConnectionReset,
        io::ErrorKind::BrokenPipe,
    ];
    assert!(ends.contains(&error.kind()), "{error:?}");
}

#[tokio::test]
async fn a_silent_port_takes_a_connection_and_says_nothing() {
    let (addr, _port) = stopped_endpoint(PortFault::Silent).await;

    let connected = timeout(A_WHILE, tokio::net::TcpStream::connect(addr)).await;
    let answered = timeout(A_WHILE, post_messages(addr, WHOLE)).await;

    assert!(connected.is_ok_and(|connection| connection.is_ok()));
    assert!(answered.is_err());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn attempts_to_connect_may_go_unanswered() {
    let (addr, _port) = stopped_endpoint(PortFault::Unanswered).await;

    let connected = timeout(A_WHILE, tokio::net::TcpStream::connect(addr)).await;

    assert!(connected.is_err());
}

async fn stopped_endpoint(fault: PortFault) -> (SocketAddr, FaultyPort) {
    let endpoint = Endpoint::start(Act::message("Hello.")).await;
    let addr = endpoint.addr();
    let answer = post_messages(addr, WHOLE).await;
    assert!(answer.is_ok(), "{answer:?}");
    endpoint.stop().await;
    let port = FaultyPort::at(addr, fault).await;
    (addr, port.expect("the port should be free again"))
}

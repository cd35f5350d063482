//! Forward proxies.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use zephyr_testkit::{Act, Endpoint, HttpProxy, RawClient, SocksProxy};

const GET: &str = "GET /v1/models HTTP/1.1\r\n\r\n";

#[tokio::test]
async fn an_http_proxy_tunnels_to_the_target_it_records() {
    let endpoint = Endpoint::start(Act::message("x")).await;
    let proxy = HttpProxy::start().await;
    let mut client = RawClient::connect(proxy.addr()).await.unwrap();

    let connect = format!("CONNECT {} HTTP/1.1\r\n\r\n", endpoint.addr());
    client.send(connect).await.unwrap();
    assert_eq!(client.read_head().await.unwrap().0, 200);
    client.send(GET).await.unwrap();

    assert_eq!(client.answer().await.unwrap().status, 200);
    assert_eq!(proxy.targets(), [endpoint.addr().to_string()]);
}

#[tokio::test]
async fn an_http_proxy_leads_a_name_where_the_test_wants_it() {
    let endpoint = Endpoint::start(Act::message("x")).await;
    let proxy = HttpProxy::start().await;
    proxy.route("api.example.test:443", endpoint.addr());
    let mut client = RawClient::connect(proxy.addr()).await.unwrap();
    client
        .send("CONNECT api.example.test:443 HTTP/1.1\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(client.read_head().await.unwrap().0, 200);
    client.send(GET).await.unwrap();
    assert_eq!(client.answer().await.unwrap().status, 200);
}

#[tokio::test]
async fn an_http_proxy_with_credentials_demands_them() {
    let endpoint = Endpoint::start(Act::message("x")).await;
    let proxy = HttpProxy::start_with_credentials("Aladdin", "open sesame").await;
    let mut client = RawClient::connect(proxy.addr()).await.unwrap();
    let connect = format!("CONNECT {} HTTP/1.1\r\n", endpoint.addr());

    client.send(format!("{connect}\r\n")).await.unwrap();
    assert_eq!(client.answer().await.unwrap().status, 407);
    assert_eq!((proxy.refused(), proxy.targets().len()), (1, 0));

    let header = "proxy-authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n";
    client.send(format!("{connect}{header}")).await.unwrap();
    assert_eq!(client.read_head().await.unwrap().0, 200);
    assert_eq!(proxy.targets().len(), 1);
}

#[tokio::test]
async fn a_socks_proxy_tunnels_to_an_address() {
    let endpoint = Endpoint::start(Act::message("x")).await;
    let proxy = SocksProxy::start().await;
    let mut socket = TcpStream::connect(proxy.addr()).await.unwrap();

    exchange(&mut socket, &[5, 1, 0], &[5, 0]).await;
    let SocketAddr::V4(addr) = endpoint.addr() else {
        panic!("an IPv4 address")
    };
    let mut request = vec![5, 1, 0, 1];
    request.extend(addr.ip().octets());
    request.extend(addr.port().to_be_bytes());
    exchange(&mut socket, &request, &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await;

    exchange(&mut socket, GET.as_bytes(), b"HTTP/1.1 200 OK").await;
    assert_eq!(proxy.targets(), [endpoint.addr().to_string()]);
}

#[tokio::test]
async fn a_socks_proxy_with_credentials_demands_them_and_resolves_names_itself() {
    let endpoint = Endpoint::start(Act::message("x")).await;
    let proxy = SocksProxy::start_with_credentials("ann", "secret").await;
    proxy.route("far.test:443", endpoint.addr());

    let mut without = TcpStream::connect(proxy.addr()).await.unwrap();
    exchange(&mut without, &[5, 1, 0], &[5, 0xff]).await;
    let mut wrong = TcpStream::connect(proxy.addr()).await.unwrap();
    exchange(&mut wrong, &[5, 2, 0, 2], &[5, 2]).await;
    exchange(&mut wrong, b"\x01\x03ann\x05wrong", &[1, 1]).await;
    let mut right = TcpStream::connect(proxy.addr()).await.unwrap();
    exchange(&mut right, &[5, 2, 0, 2], &[5, 2]).await;
    exchange(&mut right, b"\x01\x03ann\x06secret", &[1, 0]).await;
    let far = b"\x05\x01\x00\x03\x08far.test\x01\xbb";
    exchange(&mut right, far, &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await;
    exchange(&mut right, GET.as_bytes(), b"HTTP/1.1 200 OK").await;

    assert_eq!(
        (proxy.refused(), proxy.targets()),
        (2, vec!["far.test:443".to_owned()])
    );
}

async fn exchange(socket: &mut TcpStream, send: &[u8], expect: &[u8]) {
    socket.write_all(send).await.expect("the proxy listens");
    let mut answer = vec![0; expect.len()];
    socket
        .read_exact(&mut answer)
        .await
        .expect("the proxy answers");
    assert_eq!(answer, expect);
}

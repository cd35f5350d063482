//! Answers that are wrong, and connections that end.

use std::io;

use zephyr_testkit::{Act, End, Endpoint, Gate, RawClient, post_messages};

use crate::{STREAMED, WHOLE};

#[tokio::test]
async fn a_closed_connection_and_a_reset_one_can_be_told_apart() {
    let endpoint = Endpoint::start(Act::close()).await;
    let closed = post_messages(endpoint.addr(), WHOLE).await.unwrap_err();
    endpoint.set(Act::reset());
    let reset = post_messages(endpoint.addr(), WHOLE).await.unwrap_err();
    assert_eq!(closed.kind(), io::ErrorKind::UnexpectedEof);
    assert_eq!(reset.kind(), io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn garbage_is_no_http() {
    let endpoint = Endpoint::start(Act::garbage()).await;
    assert!(post_messages(endpoint.addr(), WHOLE).await.is_err());
}

#[tokio::test]
async fn exact_bytes_are_sent_as_they_are() {
    let endpoint = Endpoint::start(Act::bytes(
        "HTTP/1.1 418 Teapot\r\nX-Odd:  spaced \r\n\r\nrest",
    ))
    .await;
    let answer = post_messages(endpoint.addr(), WHOLE).await.unwrap();
    assert_eq!((answer.status, answer.end), (418, End::Clean));
    assert_eq!(answer.header("x-odd"), Some("spaced"));
    assert_eq!(answer.body, b"rest");
}

#[tokio::test]
async fn a_200_need_not_be_a_message() {
    let endpoint = Endpoint::start(Act::empty_200()).await;
    let addr = endpoint.addr();

    let empty = post_messages(addr, WHOLE).await.unwrap();
    assert_eq!((empty.status, empty.body.len()), (200, 0));

    endpoint.set(Act::html(200));
    let page = post_messages(addr, WHOLE).await.unwrap();
    assert!(
        page.header("content-type")
            .unwrap()
            .starts_with("text/html")
    );

    endpoint.set(Act::json_error_200());
    let error = post_messages(addr, WHOLE).await.unwrap();
    assert_eq!(
        (error.status, &error.json()["type"]),
        (200, &"error".into())
    );

    endpoint.set(Act::malformed_json_200());
    let half = post_messages(addr, WHOLE).await.unwrap();
    assert_eq!(half.end, End::Clean);
    assert!(serde_json::from_slice::<serde_json::Value>(&half.body).is_err());

    endpoint.set(Act::openai_json());
    let foreign = post_messages(addr, WHOLE).await.unwrap();
    assert_eq!(foreign.json()["object"], "chat.completion");

    endpoint.set(Act::openai_stream());
    let foreign = post_messages(addr, STREAMED).await.unwrap();
    assert!(foreign.events().iter().all(|(name, _)| name.is_empty()));
    assert_eq!(foreign.events().last().unwrap().1, "[DONE]");
}

#[tokio::test]
async fn a_redirect_says_where_to() {
    let endpoint = Endpoint::start(Act::redirect(307, "http://elsewhere.test/")).await;
    let answer = post_messages(endpoint.addr(), WHOLE).await.unwrap();
    assert_eq!(answer.status, 307);
    assert_eq!(answer.header("location"), Some("http://elsewhere.test/"));
}

#[tokio::test]
async fn a_message_can_be_cut_before_its_declared_length() {
    let endpoint = Endpoint::start(Act::cut_message()).await;
    let answer = post_messages(endpoint.addr(), WHOLE).await.unwrap();
    let declared: usize = answer.header("content-length").unwrap().parse().unwrap();
    assert_eq!(answer.end, End::Cut);
    assert_eq!(answer.body.len(), declared / 2);
}

#[tokio::test]
async fn an_early_answer_comes_before_the_body_and_survives_it() {
    let endpoint = Endpoint::start(Act::early(401)).await;
    let mut client = RawClient::connect(endpoint.addr()).await.unwrap();
    client
        .send("POST /v1/messages HTTP/1.1\r\nContent-Length: 4\r\n\r\n")
        .await
        .unwrap();

    assert_eq!(client.answer().await.unwrap().status, 401);

    assert!(endpoint.next_request().await.body.is_empty());
    client.send("{}  ").await.unwrap();
    let error = client.read_head().await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    drop(client);
    endpoint.until_open_connections(0).await;
}

#[tokio::test]
async fn a_refused_body_resets_the_connection() {
    let endpoint = Endpoint::start(Act::message("x")).await;
    endpoint.push(Act::refuse_body());
    let mut client = RawClient::connect(endpoint.addr()).await.unwrap();
    // The answer comes as soon as the head does: an early byte of the body is left unread.
    client
        .send("POST /v1/messages HTTP/1.1\r\nContent-Length: 4\r\n\r\n{}")
        .await
        .unwrap();
    assert_eq!(client.answer().await.unwrap().status, 413);
    endpoint.until_open_connections(0).await;
    assert_eq!(
        post_messages(endpoint.addr(), WHOLE).await.unwrap().status,
        200
    );
}

#[tokio::test]
async fn a_client_that_leaves_before_the_answer_is_noticed() {
    let gate = Gate::new();
    let endpoint = Endpoint::start(Act::message("x")).await;
    for act in [Act::hang(), Act::message("x").gate(gate.clone())] {
        // A finished answer is no cancellation: only the second request is reported.
        let mut client = RawClient::connect(endpoint.addr()).await.unwrap();
        client.send_messages(WHOLE).await.unwrap();
        client.answer().await.unwrap();
        endpoint.next_request().await;
        endpoint.push(act);
        client.send_messages(WHOLE).await.unwrap();
        let request = endpoint.next_request().await;

        drop(client);

        assert_eq!(endpoint.cancelled().await.request, request.number);
    }
}

//! The client's `Control` against the admin server, end to end.

use crate::fake::{self, Asked, FakeControl, Server, every_command, record, snapshot, web_admin};
use futures_util::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;
use zephyr_admin::client::Client;
use zephyr_admin::server::{self as admin, Access, Confirmations};
use zephyr_admin::token::{AccessTokens, Token};
use zephyr_control::{
    Command, Control, ControlError, ErrorCode, HistoryQuery, Paging, RequestFilter, RequestPage,
    SecretText, Tested, UsageBy, UsageQuery,
};

#[tokio::test]
async fn the_state_arrives_as_it_is() {
    let server = Server::start().await;

    let snapshot_there = server.client().snapshot().await.unwrap();

    assert_eq!(*snapshot_there, snapshot(1));
}

#[tokio::test]
async fn every_command_is_carried_out_there() {
    let server = Server::start().await;
    let client = server.client();

    for command in every_command() {
        let done = client.execute(command.clone()).await.unwrap();

        assert_eq!(done.message, "done");
        assert_eq!(server.control.commands(), [command]);
    }
}

#[tokio::test]
async fn an_error_there_is_the_same_error_here() {
    let server = Server::start().await;
    let error = ControlError::new(ErrorCode::NotPossible, "Tokyo is switched off");
    server.control.refuse(error.clone());

    let refusal = server.client().execute(Command::Auto).await;

    assert_eq!(refusal, Err(error));
}

#[tokio::test]
async fn the_stream_follows_and_ends_with_the_instance() {
    let server = Server::start().await;
    let mut snapshots = server.client().snapshots().await.unwrap();

    assert_eq!(*snapshots.next().await.unwrap(), snapshot(1));
    server.control.publish(snapshot(2));
    assert_eq!(*snapshots.next().await.unwrap(), snapshot(2));
    server.shutdown.cancel();

    assert!(snapshots.next().await.is_none());
}

#[tokio::test]
async fn where_nobody_listens_it_says_how_to_start() {
    // Bound, so that nobody else takes it, and not listening.
    let silent = TcpSocket::new_v4().unwrap();
    silent.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = silent.local_addr().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let token = Token::load_or_create(folder.path()).unwrap();
    let client = Client::new(address, token).unwrap();

    let error = client.snapshot().await.unwrap_err();

    assert_eq!(error.code, ErrorCode::Unreachable);
    assert!(error.message.contains("zephyr serve"), "{error}");
    assert!(client.snapshots().await.is_err());
}

#[tokio::test]
async fn an_instance_with_another_token_is_a_stranger() {
    let server = Server::start().await;
    let elsewhere = tempfile::tempdir().unwrap();
    let wrong = Token::load_or_create(elsewhere.path()).unwrap();

    let error = Client::new(server.address, wrong)
        .unwrap()
        .snapshot()
        .await
        .unwrap_err();

    assert_eq!(error.code, ErrorCode::Unreachable);
}

#[tokio::test]
async fn what_is_counted_there_is_read_here() {
    let server = Server::start().await;

    let text = server.client().metrics().await.unwrap();

    assert_eq!(text, fake::COUNTED);
}

#[tokio::test]
async fn a_page_of_the_journal_arrives_as_it_was_asked_for() {
    let server = Server::start().await;
    server.control.record((1..=3).map(record));
    let filter = RequestFilter {
        since_ms: Some(1),
        endpoint: Some("东京 & co".to_owned()),
        text: Some("100% wrong".to_owned()),
        ..RequestFilter::default()
    };
    let paging = Paging {
        limit: Some(2),
        ..Paging::default()
    };

    let page = server.client().requests(filter.clone(), paging).await;

    let expected = RequestPage {
        requests: vec![record(3), record(2)],
        next: Some(2),
    };
    assert_eq!(page, Ok(expected));
    assert_eq!(server.control.asked(), [Asked::Requests(filter, paging)]);
}

#[tokio::test]
async fn one_request_arrives_in_full_or_the_reason_why_not() {
    let server = Server::start().await;
    server.control.record([record(7)]);

    let there = server.client().request(7).await;
    let missing = server.client().request(8).await;

    assert_eq!(there, Ok(fake::detail(record(7))));
    assert_eq!(missing.unwrap_err().code, ErrorCode::UnknownRequest);
}

#[tokio::test]
async fn sums_and_histories_arrive() {
    let server = Server::start().await;
    let usage = UsageQuery {
        since_ms: Some(5),
        until_ms: None,
        by: UsageBy::Model,
        split: Some(UsageBy::Day),
    };
    let history = HistoryQuery {
        endpoint: Some("HK".to_owned()),
        ..HistoryQuery::default()
    };

    let report = server.client().usage(usage.clone()).await;
    let histories = server.client().history(history.clone()).await;

    assert_eq!(report, Ok(fake::usage()));
    assert_eq!(histories, Ok(fake::history()));
    let asked = [Asked::Usage(usage), Asked::History(history)];
    assert_eq!(server.control.asked(), asked);
}

#[tokio::test]
async fn forms_and_tests_of_them_arrive() {
    let server = Server::start().await;
    let command = Command::AddEndpoint {
        endpoint: Box::new(fake::form()),
    };
    let tested = Tested::Draft {
        endpoint: fake::form(),
        token: Some(SecretText::new("hunter2")),
    };

    let configuration = server.client().configuration().await;
    let complaints = server.client().check(command.clone()).await;
    let diagnosis = server.client().diagnose(tested.clone()).await;

    assert_eq!(configuration, Ok(fake::configuration()));
    assert_eq!(complaints, Ok(fake::complaints()));
    assert_eq!(diagnosis, Ok(fake::diagnosis()));
    let asked = [Asked::Check(command), Asked::Diagnose(tested)];
    assert_eq!(server.control.asked(), asked);
}

#[tokio::test]
async fn whoever_cannot_prove_to_know_the_token_is_not_told_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let token = Token::load_or_create(folder.path()).unwrap();
    let client = Client::new(listener.local_addr().unwrap(), token).unwrap();
    let thief = tokio::spawn(async move {
        let mut heard = Vec::new();
        let (mut socket, _) = listener.accept().await.unwrap();
        while !heard.ends_with(b"\r\n\r\n") {
            socket.read_buf(&mut heard).await.unwrap();
        }
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
        socket.write_all(answer.as_bytes()).await.unwrap();
        // Nothing else is asked.
        assert!(heard.starts_with(b"GET /api/v1/proof?"));
        String::from_utf8(heard).unwrap()
    });

    let error = client.execute(Command::Pause).await.unwrap_err();

    assert_eq!(error.code, ErrorCode::Unreachable);
    let heard = thief.await.unwrap().to_lowercase();
    let secret = std::fs::read_to_string(folder.path().join("admin-token")).unwrap();
    assert!(!heard.contains("authorization"), "{heard}");
    assert!(!heard.contains(secret.trim()), "{heard}");
}

#[tokio::test]
async fn only_a_loopback_address_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = AccessTokens::load_or_create(folder.path()).unwrap();
    let mut config = web_admin(0);
    config.host = "0.0.0.0".parse().unwrap();

    let refused = {
        let (control, shutdown) = (FakeControl::new(), CancellationToken::new());
        let access = Access {
            tokens,
            allow_other_users: true,
        };
        admin::serve(control, &config, access, Confirmations::default(), shutdown).await
    };

    let error = refused.err().unwrap().to_string();
    assert!(error.contains("web_admin.host"), "{error}");
}

//! Streams, and every point at which they break.

use std::io;
use std::time::Duration;

use zephyr_testkit::{
    Act, Encoding, End, Endpoint, Gate, Phase, RawClient, Step, TextStream, post_messages,
};

use crate::STREAMED;

#[tokio::test]
async fn a_stream_can_be_cut_in_every_phase() {
    let endpoint = Endpoint::start(Act::hang()).await;
    let mut received = 0;
    for phase in Phase::ALL {
        endpoint.set(Act::cut_at(phase));
        let answer = match post_messages(endpoint.addr(), STREAMED).await {
            Ok(answer) => answer,
            Err(error) => {
                assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
                assert_eq!(phase, Phase::BeforeHeaders);
                continue;
            }
        };
        assert!(phase.client_may_see_head());
        assert_eq!(answer.end, End::Cut, "{phase:?}");
        assert!(
            answer.body.len() > received || phase == Phase::AfterHeaders,
            "{phase:?}"
        );
        received = answer.body.len();
        let content = answer
            .events()
            .iter()
            .any(|(name, _)| name.starts_with("content_block"));
        assert_eq!(content, phase.client_sees_content(), "{phase:?}");
        assert!(
            answer
                .events()
                .iter()
                .all(|(name, _)| name != "message_stop"),
            "{phase:?}"
        );
    }
}

#[tokio::test]
async fn a_stream_can_be_reset_in_every_phase() {
    let endpoint = Endpoint::start(Act::hang()).await;
    for phase in Phase::ALL {
        endpoint.set(Act::reset_at(phase));
        match post_messages(endpoint.addr(), STREAMED).await {
            Ok(answer) => {
                assert_eq!(answer.end, End::Cut, "{phase:?}");
                // Other systems throw away what a reset finds unread.
                if cfg!(target_os = "linux") {
                    let content = answer
                        .events()
                        .iter()
                        .any(|(name, _)| name == "content_block_start");
                    assert_eq!(content, phase.client_sees_content(), "{phase:?}");
                }
            }
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{phase:?}"),
        }
    }
}

#[tokio::test]
async fn a_stalled_stream_stays_open_until_the_client_leaves() {
    let endpoint = Endpoint::start(Act::hang()).await;
    for (number, phase) in Phase::ALL.into_iter().enumerate() {
        endpoint.set(Act::stall_at(phase));
        let mut client = RawClient::connect(endpoint.addr()).await.unwrap();
        client.send_messages(STREAMED).await.unwrap();
        if phase.client_may_see_head() {
            client.read_head().await.unwrap();
        }
        if phase.client_sees_content() {
            while client.next_event().await.unwrap().unwrap().0 != "content_block_start" {}
        }
        endpoint.next_request().await;

        drop(client);

        assert_eq!(endpoint.cancelled().await.request, number, "{phase:?}");
    }
}

#[tokio::test]
async fn an_error_event_is_always_a_whole_event() {
    let endpoint = Endpoint::start(Act::hang()).await;
    for phase in Phase::ALL {
        endpoint.set(Act::error_event_at(phase, "overloaded_error"));
        let answer = post_messages(endpoint.addr(), STREAMED).await.unwrap();
        let events = answer.events();
        let (name, data) = events.last().unwrap();
        assert_eq!(
            (answer.end, name.as_str()),
            (End::Clean, "error"),
            "{phase:?}"
        );
        assert_eq!(data["error"]["type"], "overloaded_error");
        let content = events.iter().any(|(name, _)| name == "content_block_start");
        assert_eq!(content, phase.client_sees_content(), "{phase:?}");
    }
}

#[tokio::test]
async fn a_stream_can_end_properly_without_being_complete() {
    let endpoint = Endpoint::start(Act::hang()).await;
    for phase in Phase::ALL {
        endpoint.set(Act::end_at(phase));
        let answer = post_messages(endpoint.addr(), STREAMED).await.unwrap();
        assert_eq!(answer.end, End::Clean, "{phase:?}");
        assert!(
            answer
                .events()
                .iter()
                .all(|(name, _)| name != "message_stop"),
            "{phase:?}"
        );
    }
}

#[tokio::test]
async fn a_stream_held_at_any_phase_is_complete_once_the_gate_opens() {
    let endpoint = Endpoint::start(Act::hang()).await;
    for phase in Phase::ALL {
        let gate = Gate::new();
        endpoint.set(Act::gate_at(phase, gate.clone()));
        let mut client = RawClient::connect(endpoint.addr()).await.unwrap();
        client.send_messages(STREAMED).await.unwrap();
        endpoint.next_request().await;
        gate.open();
        let answer = client.answer().await.unwrap();
        assert_eq!(answer.end, End::Clean, "{phase:?}");
        assert_eq!(
            answer.text(),
            "The wind turns, and the kite follows.",
            "{phase:?}"
        );
        assert_eq!(
            answer.events().last().unwrap().0,
            "message_stop",
            "{phase:?}"
        );
    }
}

#[tokio::test]
async fn an_event_arrives_before_the_next_one_is_sent() {
    let gate = Gate::new();
    let mut steps = TextStream::new("one two three").steps();
    steps.insert(4, Step::Gate(gate.clone()));
    let endpoint = Endpoint::start(Act::sse(steps)).await;
    let mut client = RawClient::connect(endpoint.addr()).await.unwrap();
    client.send_messages(STREAMED).await.unwrap();
    client.read_head().await.unwrap();

    let mut names = Vec::new();
    for _ in 0..4 {
        names.push(client.next_event().await.unwrap().unwrap().0);
    }
    gate.open();
    while let Ok((name, _)) = client.next_event().await.unwrap() {
        names.push(name);
    }

    assert_eq!(
        names,
        [
            "message_start",
            "ping",
            "content_block_start",
            "content_block_delta",
            "content_block_delta",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop"
        ]
    );
}

#[tokio::test]
async fn a_compressed_stream_can_be_decoded_up_to_where_it_was_cut() {
    let endpoint = Endpoint::start(Act::hang()).await;
    for encoding in Encoding::ALL {
        endpoint.set(Act::cut_at(Phase::AfterPing).compressed(encoding));
        let answer = post_messages(endpoint.addr(), STREAMED).await.unwrap();
        let names: Vec<String> = answer.events().into_iter().map(|(name, _)| name).collect();
        assert_eq!(answer.end, End::Cut);
        assert_eq!(names, ["message_start", "ping"], "{encoding:?}");
    }
}

#[tokio::test]
async fn an_answer_can_be_delayed_and_its_events_spaced() {
    let pause = Duration::from_millis(15);
    let steps = vec![
        Step::raw(": ping\n\n"),
        Step::Wait(pause),
        Step::End,
        Step::Cut,
    ];
    let endpoint = Endpoint::start(Act::sse(steps).after(pause)).await;
    let answer = post_messages(endpoint.addr(), STREAMED).await.unwrap();
    let request = endpoint.next_request().await;
    assert!(request.at.elapsed() >= pause * 2);
    assert_eq!(
        (answer.end, answer.body.as_slice()),
        (End::Clean, &b": ping\n\n"[..])
    );
}

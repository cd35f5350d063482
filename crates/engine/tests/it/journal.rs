//! An engine and its journal.

use zephyr_control::{Command, EndpointState, HistoryQuery, Paging, RequestFilter, UsageQuery};
use zephyr_engine::Options;
use zephyr_testkit::{Act, Endpoint};

use crate::common::{self, Zephyr};

#[tokio::test]
async fn an_engine_writes_down_how_its_endpoints_are_and_shows_its_journal() {
    let endpoint = Endpoint::start(Act::message("Hi")).await;
    let data = tempfile::tempdir().unwrap();
    let options = Options {
        data_dir: Some(data.path().to_owned()),
        ..Options::default()
    };
    let config = crate::common::config(&[endpoint.url()], "");
    let zephyr = Zephyr::start(&config, options).await;
    zephyr
        .run(Command::Disable {
            endpoint: "A".to_owned(),
        })
        .await;
    zephyr.engine.drain().await;

    let histories = zephyr
        .control
        .history(HistoryQuery::default())
        .await
        .unwrap();

    assert_eq!(histories.len(), 1, "{histories:?}");
    let seen = histories[0].points.last().unwrap();
    assert_eq!(
        (histories[0].endpoint.as_str(), seen.state),
        ("A", Some(EndpointState::Disabled))
    );
    let journal = zephyr.snapshot().await.journal.clone();
    let path = data.path().join("journal.db").display().to_string();
    assert_eq!((journal.path, journal.dropped), (Some(path), 0));
    let metrics = zephyr.control.metrics().await.unwrap();
    assert!(
        metrics.contains("zephyr_journal_dropped_total 0"),
        "{metrics}"
    );
    let unknown = zephyr.control.request(7).await.unwrap_err();
    assert!(unknown.message.contains('7'), "{unknown}");
}

#[tokio::test]
async fn a_request_through_the_proxy_is_found_by_its_words_and_nobodys_credential_with_it() {
    let endpoint = Endpoint::start(Act::message("Guten Morgen, 早上好")).await;
    let data = tempfile::tempdir().unwrap();
    let options = Options {
        data_dir: Some(data.path().to_owned()),
        ..Options::default()
    };
    let bodies = "[logging]\nlog_request_body = \"full\"\nlog_response_body = \"full\"\n";
    let zephyr = Zephyr::start(&common::config(&[endpoint.url()], bodies), options).await;
    let body = serde_json::json!({
        "model": "claude-haiku-4-5", "max_tokens": 9,
        "messages": [{ "role": "user", "content": format!("my key is {}", crate::common::CLIENT_TOKEN) }],
    });
    let key = ("x-api-key", crate::common::CLIENT_TOKEN);
    let answer = zephyr
        .request("POST /v1/messages", &[key], &body.to_string())
        .await;
    zephyr.engine.drain().await;

    let filter = RequestFilter {
        text: Some("上好 haiku".to_owned()),
        model: Some("claude-haiku-4-5".to_owned()),
        ..RequestFilter::default()
    };
    let page = zephyr
        .control
        .requests(filter, Paging::default())
        .await
        .unwrap();

    assert_eq!(answer.status, 200);
    assert_eq!(page.requests.len(), 1, "{page:?}");
    let found = &page.requests[0];
    assert_eq!(
        Some(found.request.as_str()),
        answer.header("x-zephyr-request-id")
    );
    assert_eq!(
        (found.status, found.endpoint.as_deref()),
        (Some(200), Some("A"))
    );
    let detail = zephyr.control.request(found.id).await.unwrap();
    let sent = detail.request_body.unwrap().text;
    assert!(sent.contains("my key is [redacted]"), "{sent}");
    let kept = detail
        .request_headers
        .iter()
        .find(|(name, _)| name == "x-api-key");
    assert_eq!(kept.unwrap().1, "[redacted]");
    let usage = zephyr.control.usage(UsageQuery::default()).await.unwrap();
    assert_eq!((usage.total.requests, usage.total.failed), (1, 0));
    for entry in std::fs::read_dir(data.path()).unwrap() {
        let written = std::fs::read(entry.unwrap().path()).unwrap();
        let written = String::from_utf8_lossy(&written);
        assert!(
            !written.contains(crate::common::OUR_TOKEN)
                && !written.contains(crate::common::CLIENT_TOKEN)
        );
    }
}

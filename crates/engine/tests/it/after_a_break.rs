//! The repeat of an answer that broke off midway goes elsewhere once, whatever the strategy.

use zephyr_control::Command;
use zephyr_testkit::{Act, Answer, End, Endpoint, Phase};

use crate::common::{Zephyr, streaming};

const SESSION: &str = "5e551011-0000-4000-8000-000000000001";

/// A conversation's next request.
async fn next(zephyr: &Zephyr) -> Answer {
    let headers = [("x-claude-code-session-id", SESSION)];
    zephyr
        .request("POST /v1/messages", &headers, &streaming().to_string())
        .await
}

async fn goes_elsewhere_once(routing: &str) {
    let a = Endpoint::start(Act::message("from A")).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let zephyr = Zephyr::over(&[&a, &b], routing).await;
    assert_eq!(next(&zephyr).await.text(), "from A", "{routing}");
    a.push(Act::cut_at(Phase::AfterFirstDelta));

    let broken = next(&zephyr).await;
    let repeat = next(&zephyr).await;

    assert_eq!(broken.end, End::Cut, "{routing}");
    assert_eq!(repeat.text(), "from B", "{routing}");
    assert_eq!(repeat.header("x-zephyr-attempts"), Some("1"), "{routing}");
}

#[tokio::test]
async fn a_conversation_leaves_its_home_once() {
    goes_elsewhere_once("").await;
}

#[tokio::test]
async fn by_priority_and_by_price_it_does_not_go_back_at_once() {
    for strategy in ["priority", "price"] {
        let routing = format!("[routing]\nstrategy = \"{strategy}\"\nsticky_sessions = false\n");
        goes_elsewhere_once(&routing).await;
    }
}

#[tokio::test]
async fn without_sticky_sessions_the_second_request_goes_by_the_rules() {
    let a = Endpoint::start(Act::message("from A")).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let rules = "[routing]\nstrategy = \"priority\"\nsticky_sessions = false\n";
    let zephyr = Zephyr::over(&[&a, &b], rules).await;
    a.push(Act::cut_at(Phase::AfterFirstDelta));

    let broken = next(&zephyr).await;
    let repeat = next(&zephyr).await;
    let after = next(&zephyr).await;

    assert_eq!(broken.end, End::Cut);
    assert_eq!(
        (repeat.text(), after.text()),
        ("from B".to_owned(), "from A".to_owned())
    );
}

#[tokio::test]
async fn a_pinned_endpoint_is_avoided_once_too() {
    let a = Endpoint::start(Act::message("from A")).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let zephyr = Zephyr::over(&[&a, &b], "").await;
    let endpoint = "A".to_owned();
    zephyr.run(Command::Use { endpoint }).await;
    a.push(Act::cut_at(Phase::AfterFirstDelta));

    let broken = next(&zephyr).await;
    let repeat = next(&zephyr).await;
    let after = next(&zephyr).await;

    assert_eq!(broken.end, End::Cut);
    assert_eq!(
        (repeat.text(), after.text()),
        ("from B".to_owned(), "from A".to_owned())
    );
}

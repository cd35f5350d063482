//! A refusal concerns what it is about, and nothing else: the request goes elsewhere, and what is not
//! concerned stays.
#![allow(clippy::unwrap_used, reason = "helpers of tests, too")]

use serde_json::{Value, json};
use zephyr_control::{EndpointState, Ground, Paging, RequestFilter, Subject};
use zephyr_engine::Options;
use zephyr_testkit::{Act, Answer, Endpoint, Received, Script};

use crate::common::{CLIENT_TOKEN, Zephyr, config, streaming};

const BY_PRIORITY: &str = "[routing]\nstrategy = \"priority\"\n";

/// Over A, which answers by `script`, and B, which is well; A comes first.
async fn before_a_good_one(script: impl Into<Script>) -> (Zephyr, Endpoint, Endpoint) {
    let a = Endpoint::start(script).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let zephyr = Zephyr::over(&[&a, &b], BY_PRIORITY).await;
    (zephyr, a, b)
}

fn json_refusal(status: u16, message: &str) -> Act {
    let body = json!({"error": {"message": message, "type": "new_api_error"}});
    Act::status(status).body(body.to_string())
}

async fn ask(zephyr: &Zephyr, headers: &[(&str, &str)], body: &Value) -> Answer {
    zephyr
        .request("POST /v1/messages", headers, &body.to_string())
        .await
}

fn of_model(model: &str) -> Value {
    let mut body = streaming();
    body["model"] = json!(model);
    body
}

/// Of so many bytes more.
fn longer(bytes: usize) -> Value {
    let mut body = streaming();
    body["messages"][0]["content"] = json!("word ".repeat(bytes / 5));
    body
}

async fn state_after(refusal: Act) -> (Answer, EndpointState) {
    let (zephyr, _a, _b) = before_a_good_one(refusal).await;
    let answer = zephyr.stream().await.unwrap();
    let state = zephyr.state_of("A").await;
    (answer, state)
}

#[tokio::test]
async fn an_account_that_is_used_up_is_one_whatever_the_status_and_the_words() {
    for (status, words) in [
        (
            400,
            "Your credit balance is too low to access the Anthropic API.",
        ),
        (403, "用户额度不足, 剩余额度: $0.00"),
        (429, "You have exceeded your monthly usage limit"),
        (400, "You are out of extra usage"),
        (403, "当前账户余额已用完，请充值"),
    ] {
        let (answer, state) = state_after(json_refusal(status, words)).await;

        assert_eq!(answer.text(), "from B", "{status} {words}");
        assert_eq!(state, EndpointState::Exhausted, "{status} {words}");
    }
}

#[tokio::test]
async fn a_model_that_is_not_served_leaves_other_models_where_they_are() {
    for (status, words) in [
        (404, "model: claude-haiku-4-5"),
        (400, "Unsupported model: claude-haiku-4-5"),
        (
            503,
            "No available channel for model claude-haiku-4-5 under group default (distributor)",
        ),
        (
            503,
            "当前分组 default 下对于模型 claude-haiku-4-5 无可用渠道",
        ),
        (403, "This token has no access to model claude-haiku-4-5"),
    ] {
        let without_haiku = Script::by(move |request: &Received| {
            if request.json()["model"] == "claude-haiku-4-5" {
                json_refusal(status, words)
            } else {
                Act::message("from A")
            }
        });
        let (zephyr, _a, _b) = before_a_good_one(without_haiku).await;
        let session = [(
            "x-claude-code-session-id",
            "5e551011-0000-4000-8000-00000000000a",
        )];

        let main = ask(&zephyr, &session, &streaming()).await;
        let side = ask(&zephyr, &session, &of_model("claude-haiku-4-5")).await;
        let side_again = ask(&zephyr, &session, &of_model("claude-haiku-4-5")).await;
        let main_again = ask(&zephyr, &session, &streaming()).await;

        assert_eq!(main.text(), "from A", "{status} {words}");
        assert_eq!(side.text(), "from B", "{status} {words}");
        assert_eq!(
            side_again.header("x-zephyr-attempts"),
            Some("1"),
            "{status} {words}"
        );
        assert_eq!(main_again.text(), "from A", "{status} {words}");
    }
}

#[tokio::test]
async fn what_is_too_long_for_it_leaves_shorter_requests_where_they_are() {
    for refusal in [
        Act::html(413),
        json_refusal(429, "Extra usage is required for long context requests."),
        json_refusal(400, "context length exceeded: 长上下文 not enabled"),
    ] {
        let script = Script::by(move |request: &Received| {
            if request.body.len() > 10_000 {
                refusal.clone()
            } else {
                Act::message("from A")
            }
        });
        let (zephyr, _a, _b) = before_a_good_one(script).await;

        let long = ask(&zephyr, &[], &longer(20_000)).await;
        let long_again = ask(&zephyr, &[], &longer(30_000)).await;
        let short = ask(&zephyr, &[], &streaming()).await;

        assert_eq!(long.text(), "from B");
        assert_eq!(long_again.header("x-zephyr-attempts"), Some("1"));
        assert_eq!(short.text(), "from A");
    }
}

#[tokio::test]
async fn a_page_in_place_of_the_apis_error_moves_on_and_marks_nothing() {
    for status in [400, 405, 411, 421, 426, 431, 451] {
        let (zephyr, a, _b) = before_a_good_one(Act::html(status)).await;

        let answer = zephyr.stream().await.unwrap();
        a.set(Act::message("from A"));
        let after = zephyr.stream().await.unwrap();

        assert_eq!(answer.text(), "from B", "{status}");
        assert_eq!(after.text(), "from A", "{status}");
    }
}

#[tokio::test]
async fn pages_move_on_as_often_as_there_are_endpoints_and_a_relays_own_refusal_once() {
    for (refusal, text) in [
        (Act::html(400), "from C"),
        (Act::status(405).body("Method Not Allowed"), "from C"),
        (json_refusal(400, "beta feature is not supported here"), ""),
    ] {
        let a = Endpoint::start(refusal.clone()).await;
        let b = Endpoint::start(refusal).await;
        let c = Endpoint::start(Act::message("from C")).await;
        let zephyr = Zephyr::over(&[&a, &b, &c], BY_PRIORITY).await;

        let answer = zephyr.stream().await.unwrap();

        assert_eq!(answer.text(), text);
        assert_eq!(c.requests().len(), usize::from(!text.is_empty()));
    }
}

#[tokio::test]
async fn a_relay_that_admits_only_claude_code_keeps_claude_code() {
    let picky = Script::by(|request: &Received| {
        let agent = request.header("user-agent").unwrap_or_default();
        if agent.starts_with("claude-cli/") {
            Act::message("from A")
        } else {
            json_refusal(
                403,
                "Only Claude Code clients are allowed, 仅允许 Claude Code 客户端使用",
            )
        }
    });
    let (zephyr, _a, _b) = before_a_good_one(picky).await;
    let claude_code = [("user-agent", "claude-cli/2.1.0 (external, cli)")];
    let sdk = [("user-agent", "Anthropic/Python 0.80.0")];

    let by_sdk = ask(&zephyr, &sdk, &streaming()).await;
    let by_sdk_again = ask(&zephyr, &sdk, &streaming()).await;
    let by_claude_code = ask(&zephyr, &claude_code, &streaming()).await;

    assert_eq!(by_sdk.text(), "from B");
    assert_eq!(by_sdk_again.header("x-zephyr-attempts"), Some("1"));
    assert_eq!(by_claude_code.text(), "from A");
}

#[tokio::test]
async fn a_conversation_that_a_filter_stops_takes_the_endpoint_from_nobody_else() {
    let filter = Script::by(|request: &Received| {
        if request
            .header("x-claude-code-session-id")
            .is_some_and(|id| id.ends_with('1'))
        {
            json_refusal(500, "Content blocked: sensitive_words_detected 敏感词")
        } else {
            Act::message("from A")
        }
    });
    let (zephyr, _a, _b) = before_a_good_one(filter).await;
    let stopped = [(
        "x-claude-code-session-id",
        "5e551011-0000-4000-8000-000000000001",
    )];
    let other = [(
        "x-claude-code-session-id",
        "5e551011-0000-4000-8000-000000000002",
    )];

    for _ in 0..4 {
        assert_eq!(ask(&zephyr, &stopped, &streaming()).await.text(), "from B");
    }
    let unconcerned = ask(&zephyr, &other, &streaming()).await;

    assert_eq!(unconcerned.text(), "from A");
}

#[tokio::test]
async fn a_gateways_own_words_are_told_as_such() {
    for (status, code) in [(521, "origin_down"), (403, "gateway_page")] {
        let (answer, state) = state_after(Act::html(status)).await;

        assert_eq!(answer.text(), "from B", "{status}");
        assert_ne!(state, EndpointState::Refused, "{status}");
        let (zephyr, _a, _b) = before_a_good_one(Act::html(status)).await;
        zephyr.stream().await.unwrap();
        let told = serde_json::to_string(&zephyr.events().await).unwrap();
        assert!(told.contains(code), "{told}");
    }
}

#[tokio::test]
async fn a_login_that_is_refused_moves_on_to_a_key_of_ours() {
    let subscription =
        Endpoint::start(json_refusal(403, "This organization has been disabled.")).await;
    let relay = Endpoint::start(Act::message("from ours")).await;
    let groups = format!(
        "[[groups]]\nname = \"own\"\nauth_type = \"passthrough\"\n\
         endpoints = [{{ name = \"subscription\", url = \"{}\", proxy = \"direct\" }}]\n",
        subscription.url()
    );
    let text = config(&[relay.url()], BY_PRIORITY);
    let text = text.replacen("[[groups]]", &format!("{groups}\n[[groups]]"), 1);
    let zephyr = Zephyr::start(&text, Options::default()).await;
    let login = [("authorization", CLIENT_TOKEN)];

    let answer = ask(&zephyr, &login, &streaming()).await;
    subscription.set(Act::status(401));
    let other = [
        login[0],
        (
            "x-claude-code-session-id",
            "5e551011-0000-4000-8000-000000000003",
        ),
    ];
    let renews = ask(&zephyr, &other, &streaming()).await;

    assert_eq!(answer.text(), "from ours");
    assert_eq!(renews.status, 401);
}

#[tokio::test]
async fn a_rule_of_the_users_outranks_our_own_verdict() {
    let a = Endpoint::start(json_refusal(418, "Kein Guthaben mehr")).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let rules = format!(
        "{BY_PRIORITY}[[failover.rules]]\nstatus = 418\ncontains = \"kein guthaben\"\nthen = \"exhausted\"\n"
    );
    let zephyr = Zephyr::over(&[&a, &b], &rules).await;

    let answer = zephyr.stream().await.unwrap();

    assert_eq!(answer.text(), "from B");
    assert_eq!(zephyr.state_of("A").await, EndpointState::Exhausted);
}

#[tokio::test]
async fn the_journal_tells_what_each_answer_was_taken_for() {
    let a = Endpoint::start(json_refusal(403, "余额不足")).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let data = tempfile::tempdir().unwrap();
    let options = Options {
        data_dir: Some(data.path().to_owned()),
        ..Options::default()
    };
    let text = config(&[a.url(), b.url()], BY_PRIORITY);
    let zephyr = Zephyr::start(&text, options).await;

    zephyr.stream().await.unwrap();
    zephyr.engine.drain().await;
    let page = zephyr
        .control
        .requests(RequestFilter::default(), Paging::default())
        .await
        .unwrap();

    let verdict = page.requests[0].attempts[0].verdict.clone().unwrap();
    assert_eq!(verdict.about, Subject::Account);
    assert_eq!(verdict.ground, Ground::Words);
    assert!(verdict.until_ms > Some(page.requests[0].at_ms));
    assert_eq!(page.requests[0].attempts[1].verdict, None);
}

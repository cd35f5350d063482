//! Claude Code over what relays answer: what is about one account, one model, one kind of client or one
//! size concerns nothing else, and the person sees none of it.

use serde_json::{Value, json};
use zephyr_clients_test::{ClaudeCode, Zephyr};
use zephyr_testkit::{Act, Endpoint, Phase, Received, Script, Step, TextStream};

use crate::faulty::{Faulty, TEXT};

#[tokio::test]
async fn an_account_that_is_used_up_is_hidden_whatever_its_status_and_language() {
    let credit_too_low = "Your credit balance is too low to access the Anthropic API. \
                          Please go to Plans & Billing to upgrade or purchase credits.";
    for refusal in [
        relay_error(403, "用户额度不足, 剩余额度: ＄0.00"),
        Act::status(400).error_message(credit_too_low),
    ] {
        println!("{refusal:?}");
        let over = Faulty::then_good(refusal).await;

        let outcome = ClaudeCode::at(&over.zephyr.url()).ask("Hello").await;

        over.check_hidden(&outcome);
        let exhausted = |snapshot: &Value| first_of(snapshot)["state"] == "exhausted";
        over.zephyr.until(exhausted).await;
    }
}

#[tokio::test]
async fn a_conversation_stays_where_only_its_side_calls_are_not_served() {
    let over = Faulty::then_good(Script::by(without_haiku)).await;

    let outcome = ClaudeCode::at(&over.zephyr.url()).ask("Hello").await;

    assert_eq!(outcome.text.as_deref(), Ok(TEXT));
    let (refused, main): (Vec<_>, Vec<_>) =
        over.first.requests().into_iter().partition(asks_for_haiku);
    assert_eq!(
        refused.len(),
        1,
        "what is not served there is asked for once"
    );
    assert_eq!(main.len(), 2, "before and after the side call");
    let elsewhere = over.second.requests();
    assert_eq!(elsewhere.len(), 1, "{elsewhere:?}");
    assert!(elsewhere[0].body == refused[0].body, "the bodies differ");
    let session = "x-claude-code-session-id";
    assert!(main[0].header(session).is_some());
    assert_eq!(main[0].header(session), elsewhere[0].header(session));
    over.zephyr.until(is_first_well).await;
}

#[tokio::test]
async fn a_model_that_is_not_served_leaves_other_questions_where_they_were() {
    let over = Faulty::then_good(Script::by(without_haiku_at_all)).await;

    for (model, asked_first, asked_second) in [("haiku", 1, 1), ("opus", 2, 1), ("haiku", 2, 2)] {
        let claude_code = ClaudeCode::at(&over.zephyr.url()).model(model);
        let outcome = claude_code.ask("Hello").await;

        assert_eq!(outcome.text.as_deref(), Ok(TEXT), "{model}");
        assert_eq!(over.first.requests().len(), asked_first, "{model}");
        assert_eq!(over.second.requests().len(), asked_second, "{model}");
    }
}

#[tokio::test]
async fn a_relay_for_claude_code_alone_answers_it_though_our_checks_are_turned_away() {
    let first = Endpoint::start(Script::by(|request| {
        if is_from_claude_code(request) {
            Act::message(TEXT)
        } else {
            relay_error(403, "Only Claude Code clients are allowed")
        }
    }))
    .await;
    let second = Endpoint::start(Act::message("Hello from elsewhere.")).await;
    let zephyr = Zephyr::probing(&first, &second).await;
    let checked = |snapshot: &Value| first_of(snapshot)["last_check_ms"].is_u64();
    let snapshot = zephyr.until(checked).await;

    let outcome = ClaudeCode::at(&zephyr.url()).ask("Hello").await;

    assert_eq!(first_of(&snapshot)["state"], "ready");
    assert_eq!(outcome.text.as_deref(), Ok(TEXT));
    let asked = first.requests().into_iter().filter(is_from_claude_code);
    assert_eq!(asked.count(), 1);
    let mut elsewhere = second.requests().into_iter();
    assert!(!elsewhere.any(|request| is_from_claude_code(&request)));
    zephyr.until(is_first_well).await;
}

#[tokio::test]
async fn what_follows_a_whole_answer_neither_reaches_claude_code_nor_keeps_it_waiting() {
    let mut steps = TextStream::new(TEXT).until(Phase::AfterMessageDelta);
    steps.push(Step::raw(STOP_AND_MORE));
    steps.push(Step::Stall);
    let over = Faulty::then_good(Act::sse(steps)).await;

    let outcome = ClaudeCode::at(&over.zephyr.url()).ask("Hello").await;

    assert_eq!(outcome.text.as_deref(), Ok(TEXT));
    assert_eq!(outcome.message_starts, 1);
    assert_eq!(over.first.requests().len(), 1);
    assert_eq!(over.second.requests().len(), 0);
    // An end that was waited for would be told in other words.
    let told = |snapshot: &Value| {
        let why = &first_of(snapshot)["last_error"]["detail"];
        why == "expected nothing behind message_stop, seen content_block_delta"
    };
    over.zephyr.until(told).await;
}

#[tokio::test]
async fn a_prompt_too_large_for_a_gateway_is_answered_elsewhere_and_a_smaller_one_there() {
    // A gateway says so before it has read the prompt.
    let gateway = Act::early(413)
        .body(PAGE_413)
        .header("content-type", "text/html");
    let over = Faulty::once_then_good(gateway).await;

    // Windows takes 32 KB of arguments.
    let large = ClaudeCode::at(&over.zephyr.url())
        .ask(&"word ".repeat(5_000))
        .await;
    let small = ClaudeCode::at(&over.zephyr.url()).ask("Hello").await;

    assert_eq!(large.text.as_deref(), Ok(TEXT));
    assert_eq!(large.message_starts, 1);
    assert_eq!(small.text.as_deref(), Ok(TEXT));
    assert_eq!(over.first.requests().len(), 2);
    assert_eq!(over.second.requests().len(), 1);
    over.zephyr.until(is_first_well).await;
}

/// The end of an answer, and what was overtaken by it.
const STOP_AND_MORE: &str = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n\
    event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\
    \"delta\":{\"type\":\"text_delta\",\"text\":\" And more.\"}}\n\n";

/// What nginx answers where a body is larger than `client_max_body_size`.
const PAGE_413: &str = "<html>\r\n\
    <head><title>413 Request Entity Too Large</title></head>\r\n\
    <body>\r\n\
    <center><h1>413 Request Entity Too Large</h1></center>\r\n\
    <hr><center>nginx</center>\r\n\
    </body>\r\n\
    </html>\r\n";

/// An error in the shape of the relays that are made with new-api.
fn relay_error(status: u16, message: &str) -> Act {
    let body = json!({"error": {"message": message, "type": "new_api_error"}});
    Act::status(status).body(body.to_string())
}

fn without_haiku_at_all(request: &Received) -> Act {
    if asks_for_haiku(request) {
        let model = &request.json()["model"];
        let model = model.as_str().unwrap_or_default();
        let group = "under group default (distributor)";
        return relay_error(
            503,
            &format!("No available channel for model {model} {group}"),
        );
    }
    Act::message(TEXT)
}

/// Lets the main conversation begin with a side call.
fn without_haiku(request: &Received) -> Act {
    let body = String::from_utf8_lossy(&request.body);
    if asks_for_haiku(request) || body.contains("tool_result") {
        return without_haiku_at_all(request);
    }
    call_of(
        "Agent",
        &json!({
            "description": "Look around",
            "prompt": "What is there?",
            "subagent_type": "general-purpose",
            "model": "haiku",
            "run_in_background": false,
        }),
    )
}

/// Streams the call of a tool.
fn call_of(tool: &str, input: &Value) -> Act {
    let begins = json!({
        "type": "content_block_start",
        "index": 0,
        "content_block": {"type": "tool_use", "id": "toolu_01Zephyr", "name": tool, "input": {}},
    });
    let delta = json!({
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "input_json_delta", "partial_json": input.to_string()},
    });
    let ends = json!({"type": "content_block_stop", "index": 0});
    let stops = json!({
        "type": "message_delta",
        "delta": {"stop_reason": "tool_use", "stop_sequence": null},
        "usage": {"output_tokens": 12},
    });
    let mut steps = TextStream::new("").until(Phase::AfterMessageStart);
    for event in [begins, delta, ends, stops, json!({"type": "message_stop"})] {
        let name = event["type"].as_str().unwrap_or_default().to_owned();
        steps.push(Step::event(&name, event));
    }
    Act::sse(steps)
}

fn asks_for_haiku(request: &Received) -> bool {
    let model = &request.json()["model"];
    model.as_str().is_some_and(|model| model.contains("haiku"))
}

fn is_from_claude_code(request: &Received) -> bool {
    let user_agent = request.header("user-agent");
    user_agent.is_some_and(|name| name.starts_with("claude-cli/"))
}

/// The first endpoint in a snapshot.
fn first_of(snapshot: &Value) -> &Value {
    &snapshot["endpoints"][0]
}

/// It takes requests, and no attempt there has failed.
fn is_first_well(snapshot: &Value) -> bool {
    let first = first_of(snapshot);
    first["state"] == "ready" && first["failures"] == 0
}

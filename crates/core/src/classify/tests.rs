//! The table, kind by kind: members in the words of different relays, and what merely looks alike.

use std::time::Duration;

use http::HeaderMap;

use super::fault::{Fault, Gateway};
use super::judge::{Attempt, Refusal};
use super::outcome::Outcome;
use super::rule::{Rule, Then};
use super::subject::Subject;
use super::verdict::{Ground, Verdict};
use crate::call::CallKind;

const OURS: Attempt<'_> = Attempt {
    kind: CallKind::Messages,
    model: Some("claude-opus-5-5"),
    own_credential: true,
    endpoint: "A",
    rules: &[],
};
const THEIRS: Attempt<'_> = Attempt {
    own_credential: false,
    ..OURS
};

fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
    let parsed = lines
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
    parsed.collect::<HeaderMap>()
}

fn judged(
    attempt: Attempt<'_>,
    status: u16,
    lines: &[(&'static str, &'static str)],
    body: &str,
) -> Verdict {
    attempt.judge(Refusal {
        status,
        headers: &headers(lines),
        retry_after: None,
        body: body.as_bytes(),
        since_epoch: Duration::from_secs(1_796_000_000),
    })
}

fn status(attempt: Attempt<'_>, status: u16, body: &str) -> Outcome {
    judged(attempt, status, &[], body).outcome
}

/// An error in the API's own shape.
fn own(kind: &str, message: &str) -> String {
    let error = serde_json::json!({ "type": kind, "message": message });
    serde_json::json!({ "type": "error", "error": error }).to_string()
}

/// An error in the shape of a relay.
fn relayed(message: &str) -> String {
    serde_json::json!({ "error": { "message": message, "type": "gateway_error" } }).to_string()
}

fn about(outcome: &Outcome) -> Option<&'static str> {
    outcome.subject().map(|subject| subject.as_str())
}

/// A verdict in short, for tables.
fn short(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Answered => "answered",
        Outcome::ClientFault(_) => "client",
        Outcome::NotServed { subject, .. } => subject.as_str(),
        Outcome::Refused(_) => "refused",
        Outcome::Exhausted { .. } => "exhausted",
        Outcome::Throttled { .. } => "throttled",
        Outcome::Away { .. } => "away",
        Outcome::Failed(_) => "failed",
        Outcome::Abandoned => "abandoned",
    }
}

fn all_are(kind: &str, members: &[(u16, String)]) {
    for (code, body) in members {
        let outcome = status(OURS, *code, body);
        assert_eq!(short(&outcome), kind, "{code} {body}");
    }
}

#[test]
fn the_table_of_statuses_on_a_messages_call() {
    let table = [
        (100, "failed"),
        (101, "failed"),
        (103, "failed"),
        (307, "failed"),
        (400, "request"),
        (401, "refused"),
        (402, "exhausted"),
        (403, "refused"),
        (404, "model"),
        (405, "request"),
        (408, "failed"),
        (411, "request"),
        (413, "size"),
        (415, "request"),
        (421, "request"),
        (422, "request"),
        (426, "request"),
        (429, "throttled"),
        (431, "request"),
        (451, "request"),
        (500, "failed"),
        (501, "model"),
        (502, "failed"),
        (503, "throttled"),
        (504, "failed"),
        (529, "throttled"),
    ];

    for (code, kind) in table {
        assert_eq!(short(&status(OURS, code, "{}")), kind, "{code}");
    }
}

#[test]
fn what_the_api_itself_calls_a_mistake_is_the_clients_to_see() {
    let mistakes = [
        (
            400,
            "invalid_request_error",
            "context_management: Extra inputs are not permitted",
        ),
        (
            400,
            "invalid_request_error",
            "messages.3: the quota of images per request is 100",
        ),
        (
            400,
            "invalid_request_error",
            "prompt is too long: 205000 tokens > 200000 maximum",
        ),
        (
            400,
            "invalid_request_error",
            "Unexpected value(s) `x` for the `anthropic-beta` header",
        ),
        (
            400,
            "invalid_request_error",
            "`claude-opus-5-5` does not support thinking.type.enabled",
        ),
        (
            400,
            "invalid_request_error",
            "adaptive thinking is not supported on this model",
        ),
        (
            400,
            "invalid_request_error",
            "max_tokens: 300000 > 128000, the maximum allowed number",
        ),
        (
            400,
            "invalid_request_error",
            "Output blocked by content filtering policy",
        ),
        (
            400,
            "invalid_request_error",
            "tools.0: client tools may only be called by the assistant",
        ),
        (
            400,
            "invalid_request_error",
            "cache_control: at most 4 blocks are allowed, 5 exceed that",
        ),
        (405, "invalid_request_error", "Method Not Allowed"),
        (413, "request_too_large", "Request exceeds the maximum size"),
        (422, "invalid_request_error", "messages: field required"),
    ];

    for (code, kind, message) in mistakes {
        let outcome = status(OURS, code, &own(kind, message));
        assert_eq!(outcome, Outcome::ClientFault(code), "{message}");
    }
}

#[test]
fn what_clients_repeat_unchanged_is_no_mistake_of_theirs() {
    for body in [own("conflict_error", "try again"), "conflict".to_owned()] {
        let outcome = status(OURS, 409, &body);

        let Outcome::NotServed { subject, .. } = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(subject, Subject::Endpoint, "{body}");
    }
}

#[test]
fn an_account_without_credit_is_exhausted_in_any_words_and_any_status() {
    let request = "invalid_request_error";
    let members = [
        (400, own(request, "You have reached your specified API usage limits. You will regain access on 2026-12-01.")),
        (400, own(request, "Your credit balance is too low to access the Anthropic API.")),
        (400, own(request, "This workspace has no credit left. Add credit to go on.")),
        (400, own(request, "You're out of extra usage. Add more to continue.")),
        (403, relayed("账户额度已用完，请充值后再试")),
        (403, relayed("用户额度不足")),
        (403, relayed("订阅套餐已到期")),
        (429, relayed("令牌余额不足，请充值")),
        (429, own("rate_limit_error", "You have exceeded your current quota, please check your plan and billing details.")),
        (429, relayed("insufficient_user_quota")),
        (403, r#"{"code":"insufficientBalance","msg":"please top up"}"#.to_owned()),
        (402, "{}".to_owned()),
        (429, r#"{"type":"error","error":{"type":"rate_limit_error","message":"x","details":{"error_code":"enforced_spend_limit_reached"}}}"#.to_owned()),
        (429, "您的用量已达上限".to_owned()),
        (500, relayed("upstream account: credits exhausted")),
    ];

    all_are("exhausted", &members);
}

#[test]
fn words_of_rate_outrank_words_of_quota() {
    let rate = "rate_limit_error";
    let members = [
        (429, r#"{"error":{"code":"Throttling.Qps","type":"quota_error","message":"Requests per second quota reached"}}"#.to_owned()),
        (429, own(rate, "This request would exceed the rate limit of 50 requests per minute.")),
        (429, own(rate, "Number of concurrent connections has exceeded your quota")),
        (429, relayed("请求过于频繁，超出配额，请稍后再试")),
        (429, relayed("RPM quota exceeded")),
        (503, relayed("tpm budget used up, slow down")),
        (429, relayed("当前分组并发额度已达上限")),
        (403, relayed("Too many requests: usage limit reached for this minute")),
    ];

    all_are("throttled", &members);
}

#[test]
fn a_remainder_or_a_failed_reservation_means_a_short_pause() {
    let members = [
        (403, relayed("预留本次费用失败，剩余额度 0.02，需要 0.31")),
        (403, relayed("预扣费额度失败, 用户剩余额度: ¥0.5")),
        (
            403,
            relayed("pre-consume quota failed: not enough for this request"),
        ),
        (
            400,
            relayed("insufficient balance: 0.12 remaining, but remaining 0.12 does not cover it"),
        ),
        (429, relayed("failed to reserve credits for this request")),
        (403, relayed("余额不足，余额：1.2，本次预计 3.4")),
    ];
    all_are("throttled", &members);

    let nothing_left = [
        (403, relayed("余额不足，余额：0")),
        (403, relayed("额度不足，剩余额度 -0.31")),
        (400, relayed("insufficient balance, remaining: $0.00")),
    ];
    all_are("exhausted", &nothing_left);
}

#[test]
fn a_disabled_account_is_a_refused_credential() {
    let request = "invalid_request_error";
    let members = [
        (
            400,
            own(request, "Your account was suspended by its owner."),
        ),
        (400, own(request, "This organization has been disabled.")),
        (403, relayed("该令牌已被禁用")),
        (403, relayed("用户已被封禁")),
        (400, relayed("账号已停用，请联系管理员")),
        (429, relayed("workspace is locked")),
        (
            403,
            own("permission_error", "Your API key has been revoked."),
        ),
        (401, relayed("令牌已过期")),
    ];
    all_are("refused", &members);

    let alike = own(
        request,
        "tools.2: the parameter `disabled` of account_tool must be a boolean",
    );
    assert_eq!(
        short(&status(
            OURS,
            400,
            &own(request, "messages.0.content: field is blocked")
        )),
        "client"
    );
    assert!(!matches!(status(OURS, 500, &alike), Outcome::Refused(_)));
}

#[test]
fn a_model_that_is_not_served_is_about_that_model() {
    let request = "invalid_request_error";
    let members = [
        (
            400,
            own(
                request,
                "model claude-opus-5-5 is switched off on this gateway",
            ),
        ),
        (
            503,
            relayed("no channel of group default serves model claude-opus-5-5"),
        ),
        (
            503,
            relayed("当前分组 default 下对于模型 claude-opus-5-5 无可用渠道"),
        ),
        (404, own("not_found_error", "model: claude-opus-5-5")),
        (400, relayed("unsupported model: claude-opus-5-5")),
        (403, relayed("该令牌无权使用模型 claude-opus-5-5")),
        (403, own("permission_error", "no access to claude-opus-5-5")),
        (400, relayed("模型 claude-opus-5-5 不存在")),
        (500, relayed("The model `claude-opus-5-5` does not exist")),
        (
            503,
            relayed("No available accounts for model claude-opus-5-5"),
        ),
        (404, "<html>not found</html>".to_owned()),
    ];
    all_are("model", &members);

    let alike = [
        (503, relayed("the service is overloaded")),
        (503, own("overloaded_error", "Overloaded")),
    ];
    all_are("throttled", &alike);
}

#[test]
fn a_rate_limit_of_one_model_is_about_that_model() {
    let members = [
        own(
            "rate_limit_error",
            "Rate limit reached for claude-opus-5-5, 30 requests per minute",
        ),
        relayed("模型 claude-opus-5-5 请求过于频繁"),
        relayed("too many requests to model claude-opus-5-5"),
        relayed("claude-opus-5-5: TPM limit"),
        relayed("concurrency of claude-opus-5-5 is full"),
    ];
    for body in members {
        assert_eq!(short(&status(OURS, 429, &body)), "model", "{body}");
    }

    let of_another = own(
        "rate_limit_error",
        "Rate limit reached for claude-haiku-4-5",
    );
    assert_eq!(short(&status(OURS, 429, &of_another)), "throttled");
}

#[test]
fn a_rejected_window_of_one_family_is_about_that_family_until_its_reset() {
    const STATUS: (&str, &str) = ("anthropic-ratelimit-unified-status", "rejected");
    const RESET: (&str, &str) = ("anthropic-ratelimit-unified-reset", "1796500000");
    const CLAIM: &str = "anthropic-ratelimit-unified-representative-claim";
    let body = own(
        "rate_limit_error",
        "You are over your weekly limit for this family of models.",
    );
    let lasts = Some(Duration::from_secs(500_000));

    for (claim, family) in [
        ("seven_day_opus", "opus"),
        ("7d_sonnet", "sonnet"),
        ("seven-day-haiku", "haiku"),
        ("weekly_fable", "fable"),
        ("7d_opus", "opus"),
    ] {
        let lines = [STATUS, RESET, (CLAIM, claim)];
        let verdict = judged(OURS, 429, &lines, &body);
        let Outcome::NotServed {
            subject: Subject::Family(found),
            lasts: until,
            ..
        } = verdict.outcome
        else {
            panic!("{claim}: {verdict:?}");
        };
        assert_eq!((found.as_str(), until), (family, lasts), "{claim}");
        assert_eq!(verdict.ground, Ground::Headers);
    }
    for claim in ["five_hour", "seven_day"] {
        let lines = [STATUS, RESET, (CLAIM, claim)];
        let outcome = judged(OURS, 429, &lines, &body).outcome;
        let Outcome::Exhausted { retry_after, .. } = outcome else {
            panic!("{claim}: {outcome:?}");
        };
        assert_eq!(retry_after, lasts, "{claim}");
    }
    let allowed = [("anthropic-ratelimit-unified-status", "allowed"), RESET];
    let outcome = judged(OURS, 429, &allowed, "{}").outcome;
    assert_eq!(short(&outcome), "throttled");
}

#[test]
fn what_is_too_long_is_about_the_size_of_the_request() {
    let members = [
        (
            429,
            own(
                "rate_limit_error",
                "Requests over 200k tokens are not in your plan.",
            ),
        ),
        (
            429,
            own(
                "rate_limit_error",
                "Extra usage is required for long context requests.",
            ),
        ),
        (
            413,
            "<html><head><title>413</title></head><body><h1>too large</h1></body></html>"
                .to_owned(),
        ),
        (413, String::new()),
        (403, relayed("1M context is not enabled for this key")),
        (400, relayed("输入内容过长，请缩短后重试")),
        (400, relayed("上下文长度超出渠道限制")),
        (429, relayed("context window of this channel is 200K")),
    ];

    all_are("size", &members);
}

#[test]
fn what_is_said_about_content_is_about_the_conversation() {
    let members = [
        (500, relayed("内容安全检查未通过")),
        (500, relayed("blocked by content filter")),
        (
            400,
            relayed(
                "The response was filtered due to the prompt triggering content management policy",
            ),
        ),
        (403, relayed("输入包含敏感词，已被拦截")),
        (451, relayed("request violates our content policy")),
        (503, relayed("risk control: prohibited content")),
        (502, own("api_error", "flagged by moderation")),
    ];
    all_are("conversation", &members);

    let alike = [
        (500, relayed("header names are case sensitive")),
        (500, relayed("unsupported content type")),
    ];
    all_are("failed", &alike);
}

#[test]
fn what_is_said_about_the_client_program_proves_nothing_of_the_credential() {
    let members = [
        (
            403,
            relayed("only the official coding client may call this gateway"),
        ),
        (403, relayed("This group is restricted to Claude Code")),
        (503, relayed("unsupported client, please use Claude Code")),
        (403, relayed("非 Claude Code 客户端禁止访问")),
        (400, relayed("仅允许 Claude Code 客户端使用")),
        (403, relayed("User-Agent not allowed")),
        (
            400,
            own(
                "invalid_request_error",
                "This credential is only authorized for use with Claude Code and cannot be used for other API requests.",
            ),
        ),
    ];
    all_are("client_kind", &members);

    assert_eq!(short(&status(OURS, 403, &relayed("forbidden"))), "refused");
}

#[test]
fn a_gateway_that_speaks_for_its_origin_is_named_and_believed() {
    let page = "<html><body>error code: 522</body></html>";
    let origin = |status| Fault::Gateway {
        status,
        said: Gateway::OriginDown,
    };
    for code in [520, 521, 522, 523, 524, 525, 526, 527, 530] {
        assert_eq!(status(OURS, code, page), Outcome::Failed(origin(code)));
    }
    let told = r#"{"title":"origin unreachable","status":522,"retryable":true,"retry_after":90}"#;
    let away = Outcome::Away {
        fault: origin(522),
        returns_in: Duration::from_secs(90),
    };
    assert_eq!(status(OURS, 522, told), away);

    let challenge = "<html><title>Just a moment...</title><script src=\"/cdn-cgi/challenge-platform/x.js\"></script></html>";
    for code in [403, 429, 503] {
        let fault = Fault::Gateway {
            status: code,
            said: Gateway::Challenge,
        };
        assert_eq!(status(OURS, code, challenge), Outcome::Failed(fault));
    }
    let mitigated = judged(OURS, 403, &[("cf-mitigated", "challenge")], "");
    assert_eq!(short(&mitigated.outcome), "failed");
    let blocked = judged(
        OURS,
        403,
        &[("content-type", "text/html")],
        "<html>403 Forbidden</html>",
    );
    let fault = Fault::Gateway {
        status: 403,
        said: Gateway::Page,
    };
    assert_eq!(blocked.outcome, Outcome::Failed(fault));
    assert_eq!(
        short(&status(OURS, 500, "{}")),
        "failed",
        "an ordinary failure"
    );
}

#[test]
fn a_body_says_when_to_come_back() {
    for (body, seconds) in [
        (r#"{"retry_after":90}"#, 90.0),
        (r#"{"error":{"retry_after":"7"}}"#, 7.0),
        (r#"{"error":{"details":{"retryAfter":3}}}"#, 3.0),
        (r#"{"retry_after_ms":1500}"#, 1.5),
        (
            r#"{"error":{"retry_after_seconds":12,"message":"slow"}}"#,
            12.0,
        ),
    ] {
        let Outcome::Throttled { retry_after, .. } = status(OURS, 429, body) else {
            panic!("{body}");
        };
        assert_eq!(
            retry_after,
            Some(Duration::from_secs_f64(seconds)),
            "{body}"
        );
    }
    for body in [
        r#"{"retry_after":-1}"#,
        r#"{"retry_after":1e300}"#,
        r#"{"retry_after":"soon"}"#,
    ] {
        assert_eq!(
            status(OURS, 429, body),
            Outcome::Throttled {
                fault: Fault::Status(429),
                retry_after: None
            },
            "{body}"
        );
    }
}

#[test]
fn thinking_that_another_endpoint_signed_is_about_the_signature() {
    let members = [
        "messages.1.content.0: Invalid `signature` in `thinking` block",
        "The thinking block was bound to a different conversation",
        "Invalid signature in thinking block",
        "thinking blocks: signature verification failed",
        "`thinking` 块的签名无效",
    ];
    for message in members {
        let outcome = status(OURS, 400, &own("invalid_request_error", message));
        assert_eq!(short(&outcome), "signature", "{message}");
    }
    let alike = own("invalid_request_error", "thinking.budget_tokens: too small");
    assert_eq!(short(&status(OURS, 400, &alike)), "client");
}

#[test]
fn the_clients_own_login_is_marked_as_its_own_and_a_401_is_its_own_to_renew() {
    assert_eq!(status(THEIRS, 401, "{}"), Outcome::ClientFault(401));
    for (code, body) in [
        (403, own("permission_error", "not allowed")),
        (
            400,
            own(
                "invalid_request_error",
                "This organization has been disabled.",
            ),
        ),
        (
            400,
            own("invalid_request_error", "You're out of extra usage."),
        ),
        (429, relayed("额度已用完")),
        (402, "{}".to_owned()),
    ] {
        assert_eq!(
            short(&status(THEIRS, code, &body)),
            "login",
            "{code} {body}"
        );
    }
    let mistake = own("invalid_request_error", "messages: field required");
    assert_eq!(status(THEIRS, 400, &mistake), Outcome::ClientFault(400));
}

#[test]
fn a_4xx_that_is_not_the_apis_own_moves_on_and_marks_nothing() {
    for (code, body, subject) in [
        (400, relayed("不支持的 beta 头"), "request"),
        (400, r#"{"detail":"bad"}"#.to_owned(), "request"),
        (400, "<html>Bad Request</html>".to_owned(), "endpoint"),
        (405, "Method Not Allowed".to_owned(), "endpoint"),
        (421, String::new(), "endpoint"),
        (426, "upgrade required".to_owned(), "endpoint"),
    ] {
        let outcome = status(OURS, code, &body);
        assert_eq!(about(&outcome), Some(subject), "{code} {body}");
        assert!(outcome.moves_on(false));
    }
}

#[test]
fn a_rule_of_the_users_outranks_everything() {
    let rule = |contains: Option<&str>, then, cooldown| Rule {
        status: vec![400, 503],
        contains: contains.map(str::to_owned),
        matches: None,
        endpoint: Some("A".to_owned()),
        model: None,
        then,
        cooldown,
    };
    let rules = [
        rule(
            Some("please wait"),
            Then::Next,
            Some(Duration::from_secs(90)),
        ),
        rule(Some("gone"), Then::Exhausted, None),
        rule(Some("stop here"), Then::Stop, None),
        rule(None, Then::Refused, None),
    ];
    let attempt = Attempt {
        rules: &rules,
        ..OURS
    };
    let verdicts = ["please wait", "it is gone", "stop here", "else"]
        .map(|body| judged(attempt, 503, &[], body));

    assert_eq!(
        verdicts.each_ref().map(|verdict| short(&verdict.outcome)),
        ["away", "exhausted", "client", "refused"]
    );
    assert_eq!(verdicts[3].ground, Ground::Rule(3));
    let elsewhere = Attempt {
        endpoint: "B",
        ..attempt
    };
    assert_eq!(short(&status(elsewhere, 503, "gone")), "throttled");
    assert_eq!(short(&status(attempt, 500, "gone")), "failed");
}

#[test]
fn other_paths_are_not_judged_by_their_4xx() {
    let models = Attempt {
        kind: CallKind::Other,
        ..OURS
    };

    assert_eq!(status(models, 401, ""), Outcome::ClientFault(401));
    assert_eq!(status(models, 302, ""), Outcome::ClientFault(302));
    assert_eq!(about(&status(models, 502, "")), Some("request"));
}

#[test]
fn an_upgrade_that_nobody_asked_for_is_a_fault_on_every_path() {
    for kind in [CallKind::Messages, CallKind::CountTokens, CallKind::Other] {
        let outcome = status(Attempt { kind, ..OURS }, 101, "");

        assert_eq!(outcome.fault(), Some(&Fault::Status(101)), "{kind:?}");
        assert!(outcome.moves_on(false), "{kind:?}");
    }
}

#[test]
fn an_error_inside_an_answer_counts_by_its_type_and_its_words() {
    let outcome = |kind: &str, message: &str| {
        let event = format!("event: error\ndata: {}\n\n", own(kind, message));
        let fault = Fault::ErrorEvent(kind.to_owned());
        OURS.judge_fault(fault, event.as_bytes()).outcome
    };
    for (kind, message, expected) in [
        ("overloaded_error", "Overloaded", "throttled"),
        ("rate_limit_error", "slow down", "throttled"),
        ("rate_limit_error", "额度已用完", "exhausted"),
        ("billing_error", "x", "exhausted"),
        ("authentication_error", "x", "refused"),
        (
            "permission_error",
            "only Claude Code may call",
            "client_kind",
        ),
        (
            "invalid_request_error",
            "messages: field required",
            "client",
        ),
        (
            "invalid_request_error",
            "credit balance is too low",
            "exhausted",
        ),
        ("not_found_error", "x", "model"),
        ("api_error", "x", "failed"),
        ("new_error", "x", "failed"),
    ] {
        assert_eq!(
            short(&outcome(kind, message)),
            expected,
            "{kind}: {message}"
        );
    }
}

#[test]
fn only_client_faults_depend_on_the_setting() {
    assert!(!Outcome::ClientFault(400).moves_on(false));
    assert!(Outcome::ClientFault(400).moves_on(true));
    assert!(Outcome::Failed(Fault::Cut).moves_on(false));
    assert!(!Outcome::Answered.moves_on(true));
}

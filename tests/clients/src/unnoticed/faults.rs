//! Everything that is tried, in one list.
//!
//! Each fault is permanent: the endpoint never does anything else. Where it says no more, checks of that
//! endpoint pass. The wordings are those that endpoints and relays really use; more of them are in
//! `crates/core/tests/corpus/refusals.jsonl`.

use std::time::Duration;

use serde_json::{Value, json};
use zephyr_testkit::{Act, PortFault, Step};

use super::answers::{Answer, Place};
use super::behaviour::{Address, Behaviour, How, Late};
use super::fault::{Bar, Fault};

/// All of them, in the order of the page.
pub fn all() -> Vec<Fault> {
    let mut faults = statuses();
    faults.extend(accounts());
    faults.extend(models());
    faults.extend(wrong_answers());
    faults.extend(connections());
    faults.extend(cuts());
    faults.extend(stalls());
    faults.extend(slow_starts());
    faults.extend(several());
    faults.extend(patience());
    faults
}

/// The ten that are tried with every change.
pub fn tried_every_time() -> Vec<Fault> {
    let mut faults = all();
    faults.retain(|fault| EVERY_TIME.contains(&(fault.family, fault.name.as_str())));
    faults
}

const EVERY_TIME: [(&str, &str); 10] = [
    ("Statuses", "403, page of Cloudflare"),
    (ACCOUNTS, "400, credit balance is too low"),
    (WRONG, "a web page"),
    ("Connections", "refused"),
    ("Streams that are cut", "closed halfway through the text"),
    ("Stalls", "silence before the head"),
    ("Stalls", "silence halfway through the text"),
    ("Slow starts", "first event after 30 s"),
    (SEVERAL, "529; a web page; closed after message_start"),
    (SEVERAL, "silence; credit used up; reset before the head"),
];

const ACCOUNTS: &str = "Accounts that are used up or refused";
const WRONG: &str = "Wrong answers with status 200";
const SEVERAL: &str = "Three of four endpoints at once";

/// The family whose silence is no fault.
pub const PATIENCE: &str = "Silence that real models show too";

fn statuses() -> Vec<Fault> {
    let family = "Statuses";
    let says = |name: &str, act: Act| Fault::new(family, name, Behaviour::Says(act));
    let plain_to_tls = "The plain HTTP request was sent to HTTPS port";
    let challenge = "Attention Required! | Cloudflare";
    let upstream = "do request failed: Post \"https://api.anthropic.com/v1/messages\": EOF";
    vec![
        says(
            "302 to a login page",
            Act::redirect(302, "https://login.example.com/"),
        ),
        says(
            "400, page: plain HTTP sent to an HTTPS port",
            page(400, plain_to_tls),
        ),
        says("400, invalid beta flag", bare(400, "invalid beta flag")),
        says("401, invalid x-api-key", Act::status(401)),
        says("401, invalid x-api-key, checks too", Act::status(401)).failing_checks(),
        says(
            "401, page of nginx",
            page(401, "401 Authorization Required"),
        ),
        says("402, no words", plain(402, "")),
        says(
            "403, request not allowed",
            api(403, "forbidden", "Request not allowed"),
        ),
        says("403, page of Cloudflare", page(403, challenge)),
        says("403, page of openresty", page(403, "403 Forbidden")),
        says("404, page of nginx", page(404, "404 Not Found")),
        says("404, page of nginx, checks too", page(404, "404 Not Found")).failing_checks(),
        says("405, text", plain(405, "Method Not Allowed")),
        says("408, no words", plain(408, "")),
        says("409, conflict_error", Act::status(409)),
        says(
            "413, page of nginx",
            page(413, "413 Request Entity Too Large"),
        ),
        says("421, text", plain(421, "Misdirected Request")),
        says(
            "422, blocked by a relay",
            relay(422, "input blocked: inappropriate content detected"),
        ),
        says("429, no retry-after", Act::status(429)),
        says(
            "429, retry-after 2 s",
            Act::status(429).header("retry-after", "2"),
        ),
        says(
            "429, retry-after 1 h",
            Act::status(429).header("retry-after", "3600"),
        ),
        says(
            "429, relay in Chinese",
            relay(429, "当前分组上游负载已饱和，请稍后再试"),
        ),
        says(
            "429, concurrency limit",
            relay(429, "Concurrency limit exceeded: 5 requests"),
        ),
        says("431, text", plain(431, "Request Header Fields Too Large")),
        says("451, page", page(451, "Unavailable For Legal Reasons")),
        says("500, api_error", Act::status(500)),
        says("500, relay cannot reach its upstream", relay(500, upstream)),
        says("501, text", plain(501, "Not Implemented")),
        says("502, page of nginx", page(502, "502 Bad Gateway")),
        says("503, text", plain(503, "upstream connect error")),
        says(
            "503, retry-after 30 s",
            plain(503, "").header("retry-after", "30"),
        ),
        says("503, checks too", plain(503, "Service Unavailable")).failing_checks(),
        says(
            "503, challenge of Cloudflare",
            page(503, "Just a moment..."),
        ),
        says("504, page of nginx", page(504, "504 Gateway Time-out")),
        says("520, unknown error", plain(520, "error code: 520")),
        says("521, web server is down", page(521, "Web server is down")),
        says("522, connection timed out", plain(522, "error code: 522")),
        says("523, origin is unreachable", plain(523, "error code: 523")),
        says("524, a timeout occurred", plain(524, "error code: 524")),
        says("525, TLS handshake failed", plain(525, "error code: 525")),
        says("529, overloaded_error", Act::status(529)),
        says(
            "529, overloaded_error after 5 s",
            Act::status(529).after(Duration::from_secs(5)),
        ),
        says("530, tunnel error", plain(530, "error code: 1033")),
    ]
}

fn accounts() -> Vec<Fault> {
    let family = ACCOUNTS;
    let says = |name: &str, act: Act| Fault::new(family, name, Behaviour::Says(act));
    let invalid = "invalid_request_error";
    let credit = "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to \
                  upgrade or purchase credits.";
    let credits = "Insufficient credits. Add more using https://openrouter.ai/credits";
    let limit = "You've hit your limit · resets 3pm (UTC)";
    let spent = "You have reached your specified API usage limits. You will regain access on 2030-01-01 at \
                 00:00 UTC.";
    let for_one_client = "This credential is only authorized for use with Claude Code and cannot be used for \
                          other API requests.";
    let advance = "预扣费额度失败, 用户剩余额度: ¥0.120000, 需要预扣费额度: ¥0.300000";
    let window = [
        ("anthropic-ratelimit-unified-status", "rejected"),
        ("anthropic-ratelimit-unified-5h-status", "rejected"),
        ("anthropic-ratelimit-unified-5h-utilization", "1.0"),
        ("anthropic-ratelimit-unified-5h-reset", "1893456000"),
        ("anthropic-ratelimit-unified-reset", "1893456000"),
        (
            "anthropic-ratelimit-unified-representative-claim",
            "five_hour",
        ),
        ("retry-after", "10800"),
    ];
    let five_hours = window
        .into_iter()
        .fold(api(429, "rate_limit_error", limit), |act, (name, value)| {
            act.header(name, value)
        });
    vec![
        says("400, credit balance is too low", api(400, invalid, credit)),
        says(
            "400, credit balance is too low, checks too",
            api(400, invalid, credit),
        )
        .failing_checks(),
        says(
            "400, usage limits of the organization reached",
            api(400, invalid, spent),
        ),
        says(
            "400, organization disabled",
            api(400, invalid, "This organization has been disabled."),
        ),
        says(
            "400, credential for another client only",
            api(400, invalid, for_one_client),
        ),
        says(
            "401, token used up, in Chinese",
            relay(401, "该令牌额度已用尽 [sk-***abc]"),
        ),
        says("402, insufficient credits", relay(402, credits)),
        says(
            "403, balance used up, in Chinese",
            relay(403, "用户额度不足, 剩余额度: ＄0.00"),
        ),
        says(
            "403, balance too low for this request, in Chinese",
            relay(403, advance),
        ),
        says("403, key expired", relay(403, "API Key has expired")),
        says(
            "403, account suspended",
            relay(403, "Your account has been suspended"),
        ),
        says(
            "403, only Claude Code clients",
            relay(403, "Only Claude Code clients are allowed"),
        ),
        says("429, subscription used up for five hours", five_hours),
        says(
            "429, weekly limit, in Chinese",
            relay(429, "您的本周用量已达上限"),
        ),
        says(
            "429, insufficient_quota",
            relay(429, "You exceeded your current quota"),
        ),
        says(
            "503, no account available",
            relay(503, "No available Claude accounts"),
        ),
    ]
}

fn models() -> Vec<Fault> {
    let family = "Models that are not served";
    let says = |name: &str, status, words: &str| {
        let act = Act::status(status).body(words.replace("MODEL", "claude-opus-5-5"));
        Fault::new(family, name, Behaviour::Says(act))
    };
    vec![
        says("404, not_found_error: model", 404, MODEL_NOT_FOUND),
        says(
            "404, model_not_found",
            404,
            r#"{"error":{"message":"The model `MODEL` does not exist or you do not have access to it.","type":"invalid_request_error","code":"model_not_found"}}"#,
        ),
        says(
            "400, unsupported model",
            400,
            r#"{"error":{"message":"unsupported model: MODEL","type":"new_api_error"}}"#,
        ),
        says(
            "403, token without access to the model, in Chinese",
            403,
            r#"{"error":{"message":"该令牌无权访问模型 MODEL","type":"new_api_error"}}"#,
        ),
        says(
            "429, rate limit of one model",
            429,
            r#"{"type":"error","error":{"type":"rate_limit_error","message":"This request would exceed your organization's rate limit of 30,000 input tokens per minute (model: MODEL)"}}"#,
        ),
        says(
            "503, no channel for the model",
            503,
            r#"{"error":{"message":"No available channel for model MODEL under group default (distributor)","type":"new_api_error"}}"#,
        ),
    ]
}

fn wrong_answers() -> Vec<Fault> {
    let family = WRONG;
    let says = |name: &str, act: Act| Fault::new(family, name, Behaviour::Says(act));
    let breaks = |name: &str, place, how| Fault::new(family, name, Behaviour::Breaks(place, how));
    let changes = |name: &str, change| Fault::new(family, name, Behaviour::Changes(change));
    let (overloaded, failed) = (How::Error("overloaded_error"), How::Error("api_error"));
    vec![
        says("an error as JSON", Act::json_error_200()),
        says(
            "an error of a relay as JSON",
            relay(200, "no available channel"),
        ),
        says("a web page", Act::html(200)),
        says("a web page, checks too", Act::html(200)).failing_checks(),
        says("an empty body", Act::empty_200()),
        says("half of a JSON message", Act::malformed_json_200()),
        says("a stream in OpenAI's format", Act::openai_stream()),
        says("a JSON answer in OpenAI's format", Act::openai_json()),
        says(
            "garbage in a stream",
            Act::sse(vec![Step::raw("\u{1}\u{2} no events\n\n")]),
        ),
        breaks("a stream without events", Place::AfterHead, How::Ended),
        breaks(
            "an error event first: overloaded",
            Place::AfterHead,
            overloaded,
        ),
        breaks("an error event first: api_error", Place::AfterHead, failed),
        breaks(
            "an error event after the first ping",
            Place::AfterPing,
            overloaded,
        ),
        breaks(
            "an error event halfway through the text",
            Place::Midway,
            overloaded,
        ),
        breaks(
            "an error event after the first content block",
            Place::AfterFirstBlock,
            failed,
        ),
        breaks(
            "a proper end after message_start",
            Place::AfterMessageStart,
            How::Ended,
        ),
        breaks(
            "a proper end halfway through the text",
            Place::Midway,
            How::Ended,
        ),
        breaks(
            "a proper end before message_stop",
            Place::BeforeMessageStop,
            How::Ended,
        ),
        changes("message_start twice", |answer| {
            let mut steps = start_of(answer);
            steps.extend(answer.steps());
            steps
        }),
        changes("no message_start", |answer| {
            let split = answer.split(Place::AfterMessageStart);
            split.map(|(_, rest)| rest).unwrap_or_default()
        }),
        changes("a message without content", |answer| {
            let mut steps = start_of(answer);
            steps.extend(
                answer
                    .split(Place::BeforeMessageDelta)
                    .map(|(_, rest)| rest)
                    .unwrap_or_default(),
            );
            steps
        }),
        changes("no JSON in the first delta", |answer| {
            let split = answer.split(Place::InFirstDelta);
            let (mut steps, rest) = split.unwrap_or_default();
            steps.push(Step::raw("###\n\n"));
            steps.extend(rest);
            steps
        }),
    ]
}

fn connections() -> Vec<Fault> {
    let family = "Connections";
    let at = |name: &str, behaviour| Fault::new(family, name, behaviour);
    let port = |name: &str, fault| at(name, Behaviour::Port(fault));
    let says = |name: &str, act: Act| at(name, Behaviour::Says(act));
    let alert: &[u8] = b"\x15\x03\x01\x00\x02\x02\x46";
    let half_a_head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-st";
    vec![
        port("refused", PortFault::Refuses),
        port("reset when accepted", PortFault::Resets),
        port("closed when accepted", PortFault::Closes),
        port("accepted, then silent", PortFault::Silent),
        port(
            "attempts to connect are not answered",
            PortFault::Unanswered,
        ),
        at(
            "name does not exist",
            Behaviour::Address(Address::UnknownName),
        ),
        at(
            "https to a port that speaks http",
            Behaviour::Address(Address::HttpsToPlainPort),
        ),
        at(
            "certificate that nobody vouches for",
            Behaviour::Address(Address::UntrustedCertificate),
        ),
        says("closed before the head", Act::close()),
        says("reset before the head", Act::reset()),
        says("closed inside the head", Act::bytes(half_a_head)),
        says("TLS where HTTP is spoken", Act::bytes(alert)),
        says("garbage in place of HTTP", Act::garbage()),
        says("a head that comes byte by byte", Act::raw(trickling_head())),
    ]
}

fn cuts() -> Vec<Fault> {
    let family = "Streams that are cut";
    let mut faults = Vec::new();
    for place in PLACES {
        for (word, how) in [("closed", How::Closed), ("reset", How::Reset)] {
            let name = format!("{word} {}", place.words());
            let fault = Fault::new(family, name, Behaviour::Breaks(place, how));
            faults.push(fault);
        }
    }
    faults
}

fn stalls() -> Vec<Fault> {
    let family = "Stalls";
    let mut faults = vec![
        Fault::new(
            family,
            "silence before the head",
            Behaviour::Says(Act::hang()),
        ),
        Fault::new(
            family,
            "silence before the head, checks too",
            Behaviour::Says(Act::hang()),
        )
        .failing_checks(),
    ];
    for place in PLACES {
        let name = format!("silence {}", place.words());
        let fault = Fault::new(family, name, Behaviour::Breaks(place, How::Silent));
        faults.push(fault);
        // Behind half of an event, a ping would be a part of that event.
        if !place.is_inside_of_an_event() {
            let name = format!("nothing but pings {}", place.words());
            let behaviour = Behaviour::Breaks(place, How::Pinging);
            faults.push(Fault::new(family, name, behaviour));
        }
    }
    faults
}

fn slow_starts() -> Vec<Fault> {
    let family = "Slow starts";
    let mut faults = Vec::new();
    for seconds in [2, 5, 10, 20, 30, 60] {
        for (word, late) in [("head", Late::Head), ("first event", Late::FirstEvent)] {
            let behaviour = Behaviour::Late(late, Duration::from_secs(seconds));
            let fault = Fault::new(family, format!("{word} after {seconds} s"), behaviour);
            faults.push(fault);
        }
    }
    let trickles = Behaviour::Changes(|answer| {
        let (head, rest) = answer.split(Place::AfterPing).unwrap_or_default();
        let mut steps: Vec<Step> = head.into_iter().flat_map(trickling).collect();
        steps.extend(rest);
        steps
    });
    faults.push(Fault::new(
        family,
        "message_start that comes byte by byte",
        trickles,
    ));
    faults
}

fn several() -> Vec<Fault> {
    let family = SEVERAL;
    let says = Behaviour::Says;
    let at =
        |name: &str, first, second, third| Fault::new(family, name, first).and(second).and(third);
    vec![
        at(
            "529; a web page; closed after message_start",
            says(Act::status(529)),
            says(Act::html(200)),
            Behaviour::Breaks(Place::AfterMessageStart, How::Closed),
        ),
        at(
            "silence; credit used up; reset before the head",
            says(Act::hang()),
            says(relay(403, "用户额度不足, 剩余额度: ＄0.00")),
            says(Act::reset()),
        ),
        at(
            "silence at all three",
            says(Act::hang()),
            says(Act::hang()),
            says(Act::hang()),
        ),
        at(
            "refused; model not served; first event after 30 s",
            Behaviour::Port(PortFault::Refuses),
            says(Act::status(404).body(MODEL_NOT_FOUND.replace("MODEL", "claude-opus-5-5"))),
            Behaviour::Late(Late::FirstEvent, Duration::from_secs(30)),
        ),
        at(
            "silence after message_start; nothing but pings; 502",
            Behaviour::Breaks(Place::AfterMessageStart, How::Silent),
            Behaviour::Breaks(Place::AfterPing, How::Pinging),
            says(page(502, "502 Bad Gateway")),
        ),
        at(
            "closed halfway through the text, at all three",
            Behaviour::Breaks(Place::Midway, How::Closed),
            Behaviour::Breaks(Place::Midway, How::Closed),
            Behaviour::Breaks(Place::Midway, How::Closed),
        ),
    ]
}

fn patience() -> Vec<Fault> {
    let family = PATIENCE;
    let at = |name: &str, behaviour, bar| Fault::new(family, name, behaviour).bar(bar);
    let pause = Duration::from_secs(20);
    let slowly = Behaviour::Changes(|answer| {
        let slowed = answer.steps().into_iter().map(|step| {
            if matches!(step, Step::Wait(_)) {
                Step::Wait(Duration::from_secs(1))
            } else {
                step
            }
        });
        slowed.collect()
    });
    vec![
        at(
            "a pause of 20 s inside a thinking block",
            Behaviour::Pauses(Place::InThinking, pause),
            Bar::WaitedFor,
        ),
        at(
            "a pause of 20 s inside a tool_use block",
            Behaviour::Pauses(Place::InCall, pause),
            Bar::WaitedFor,
        ),
        at("a word a second, to the end", slowly, Bar::WaitedFor),
        at(
            "silence inside a thinking block, for good",
            Behaviour::ThinksAndBreaks(Place::InThinking, How::Silent),
            Bar::None,
        ),
        at(
            "silence inside a tool_use block, for good",
            Behaviour::Breaks(Place::InCall, How::Silent),
            Bar::None,
        ),
    ]
}

/// Where streams break and stall.
const PLACES: [Place; 9] = [
    Place::AfterHead,
    Place::InMessageStart,
    Place::AfterMessageStart,
    Place::AfterPing,
    Place::InFirstDelta,
    Place::Midway,
    Place::AfterFirstBlock,
    Place::BeforeMessageDelta,
    Place::BeforeMessageStop,
];

const MODEL_NOT_FOUND: &str =
    r#"{"type":"error","error":{"type":"not_found_error","message":"model: MODEL"}}"#;

/// An error in the shape of the API itself.
fn api(status: u16, kind: &str, message: &str) -> Act {
    Act::status(status).error_type(kind).error_message(message)
}

/// An error in the shape of the relays that are made with new-api.
fn relay(status: u16, message: &str) -> Act {
    let error: Value =
        json!({"message": message, "type": "new_api_error", "param": "", "code": null});
    Act::status(status).body(json!({"error": error}).to_string())
}

/// A message and nothing else, as Bedrock has it.
fn bare(status: u16, message: &str) -> Act {
    Act::status(status).body(json!({"message": message}).to_string())
}

/// A text without a form.
fn plain(status: u16, text: &'static str) -> Act {
    Act::status(status)
        .body(text)
        .header("content-type", "text/plain")
}

/// A web page.
fn page(status: u16, title: &str) -> Act {
    let page = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n\
         </body>\r\n</html>\r\n"
    );
    Act::status(status)
        .body(page)
        .header("content-type", "text/html")
}

/// What comes up to `message_start`.
fn start_of(answer: &Answer) -> Vec<Step> {
    let split = answer.split(Place::AfterMessageStart);
    split.map(|(start, _)| start).unwrap_or_default()
}

/// A head that takes a minute and more.
fn trickling_head() -> Vec<Step> {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nserver: slow\r\n";
    let mut steps: Vec<Step> = head.bytes().flat_map(|byte| slowly([byte])).collect();
    steps.push(Step::Stall);
    steps
}

/// Its bytes, one each second.
fn trickling(step: Step) -> Vec<Step> {
    if let Step::Raw(bytes) = step {
        bytes.iter().flat_map(|byte| slowly([*byte])).collect()
    } else {
        vec![step]
    }
}

fn slowly(byte: [u8; 1]) -> [Step; 2] {
    [Step::Wait(Duration::from_secs(1)), Step::raw(byte.to_vec())]
}

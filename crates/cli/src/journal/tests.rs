use jiff::tz::{TimeZone, offset};
use zephyr_control::{
    AttemptOutcome, AttemptRecord, Ground, Language, Reason, RecordedBody, RequestDetail,
    RequestEnd, RequestRecord, Subject, Tokens, Usage, UsageBy, UsageReport, UsageRow, Verdict,
};
use zephyr_process::colours::Colours;

use super::{Table, detail, usage, why};
use crate::terminal::Look;

const AT: u64 = 1_795_271_402_000;

fn look(language: Language) -> Look {
    Look {
        language,
        colours: Colours::Plain,
        zone: TimeZone::fixed(offset(8)),
    }
}

fn attempt(endpoint: &str, outcome: AttemptOutcome) -> AttemptRecord {
    AttemptRecord {
        endpoint: endpoint.to_owned(),
        why: None,
        outcome,
        reason: None,
        verdict: None,
        status: Some(200),
        queue_ms: 0.4,
        connect_ms: Some(12.0),
        tls_ms: None,
        headers_ms: Some(300.0),
        first_event_ms: Some(420.0),
        last_byte_ms: 5300.0,
        rate_limits: Vec::new(),
    }
}

fn answered(id: u64) -> RequestRecord {
    RequestRecord {
        id,
        request: format!("r{id}"),
        at_ms: AT,
        method: "POST".to_owned(),
        path: "/v1/messages".to_owned(),
        status: Some(200),
        end: RequestEnd::Answered,
        client: Some("claude-cli/2.1".to_owned()),
        session: Some("s-1".to_owned()),
        agent: None,
        model: Some("claude-haiku-4-5".to_owned()),
        served_model: Some("claude-haiku-4-5".to_owned()),
        stream: Some(true),
        endpoint: Some("东京".to_owned()),
        attempts: vec![attempt("东京", AttemptOutcome::Answered)],
        duration_ms: 5321.0,
        ttft_ms: Some(433.0),
        request_bytes: 12_345,
        response_bytes: 999,
        tokens: Some(Tokens {
            input: 10,
            cache_write_5m: 200,
            cache_write_1h: 0,
            cache_read: 3000,
            output: 45,
            thinking: 5,
        }),
        stop_reason: Some("end_turn".to_owned()),
        cost_usd: Some(0.012_34),
        cache_saved_usd: Some(0.5),
        cache_lost_usd: None,
        overtaken_cost_usd: None,
        error: None,
    }
}

fn failed(id: u64) -> RequestRecord {
    let overloaded = AttemptRecord {
        reason: Some(Reason::Overloaded { status: 529 }),
        verdict: Some(Verdict {
            about: Subject::Endpoint,
            ground: Ground::Status,
            until_ms: Some(AT + 90_000),
        }),
        status: Some(529),
        ..attempt("HK", AttemptOutcome::Throttled)
    };
    RequestRecord {
        status: Some(529),
        end: RequestEnd::Failed,
        attempts: vec![overloaded],
        endpoint: Some("HK".to_owned()),
        ttft_ms: None,
        tokens: None,
        cost_usd: None,
        error: Some("overloaded_error".to_owned()),
        ..answered(id)
    }
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

#[test]
fn requests_stand_below_each_other() {
    let text = Table::new(look(Language::En)).rows(&[answered(7), failed(18)]);

    assert_eq!(
        lines(&text),
        [
            "ID  TIME                 RESULT      MODEL             ENDPOINT  FIRST EVENT  DURATION  INPUT  OUTPUT     COST  NOTE",
            " 7  2026-11-21 22:30:02  200         claude-haiku-4-5  东京           433 ms     5.3 s  3,210      45  $0.0123",
            "18  2026-11-21 22:30:02  529 failed  claude-haiku-4-5  HK                  –     5.3 s      –       –        –  HK: overloaded (HTTP 529)",
        ]
    );
}

#[test]
fn each_attempt_tells_what_its_answer_was_taken_for() {
    let record = RequestRecord {
        attempts: [failed(18).attempts, answered(18).attempts].concat(),
        ..answered(18)
    };

    assert_eq!(
        lines(&why(&record, &look(Language::En))),
        [
            "Request 18 · 2026-11-21 22:30:02",
            "  POST /v1/messages → 200, answered",
            "",
            "1. HK",
            "   came back  529 after 300 ms",
            "   taken for  throttled: overloaded (HTTP 529)",
            "   about      the endpoint",
            "   known      by its status",
            "   until      2026-11-21 22:31:32",
            "",
            "2. 东京",
            "   came back  200 after 300 ms",
            "   taken for  answered",
        ]
    );
    assert!(why(&record, &look(Language::Zh)).contains("判定为"));
}

/// Asked beside an endpoint that was late, and first.
fn raced(overtaken_cost_usd: Option<f64>) -> RequestRecord {
    let late = AttemptRecord {
        status: None,
        headers_ms: None,
        ..attempt("HK", AttemptOutcome::Overtaken)
    };
    let beside = AttemptRecord {
        why: Some(Reason::Beside { waited_ms: 2300 }),
        ..attempt("东京", AttemptOutcome::Answered)
    };
    RequestRecord {
        attempts: vec![late, beside],
        overtaken_cost_usd,
        ..answered(18)
    }
}

#[test]
fn an_overtaken_attempt_tells_what_it_cost() {
    let look = look(Language::En);
    let told = |cost| {
        let record = raced(cost);
        (why(&record, &look), detail(&of(record), &look))
    };
    let zh = super::detail(&of(raced(Some(0.25))), &self::look(Language::Zh));

    let (why_known, known) = told(Some(0.0366));
    let (why_unknown, unknown) = told(None);

    assert_eq!(
        lines(&why_known)[3..],
        [
            "1. HK",
            "   came back  no answer after 5.3 s",
            "   taken for  another was first",
            "   cost       at most $0.0366, estimated",
            "",
            "2. 东京: this one is asked as well, because the other's answer is late (2300 ms so far)",
            "   came back  200 after 300 ms",
            "   taken for  answered",
        ]
    );
    assert!(
        why_unknown.contains("\n   cost       unknown\n"),
        "{why_unknown}"
    );
    assert!(
        known.contains("\n  Second attempt  at most $0.0366 more, estimated\n"),
        "{known}"
    );
    assert!(
        unknown.contains("\n  Second attempt  unknown\n"),
        "{unknown}"
    );
    let usual = detail(&of(answered(7)), &look);
    assert!(!usual.contains("Second attempt"), "{usual}");
    assert!(zh.contains("第二次尝试"), "{zh}");
}

#[test]
fn sums_say_how_many_second_attempts_there_were() {
    let told = |second_attempts, overtaken_cost_usd, language| {
        let total = Usage {
            second_attempts,
            overtaken_cost_usd,
            ..Usage::default()
        };
        let report = UsageReport {
            rows: vec![UsageRow {
                key: "2026-11-21".to_owned(),
                split: String::new(),
                usage: total,
            }],
            total,
            complete_since_ms: None,
        };
        let text = usage(&report, UsageBy::Day, None, &look(language));
        lines(&text)[3..].join("\n")
    };

    assert_eq!(
        told(1200, 0.0231, Language::En),
        "\nSecond attempts: 1,200, at most $0.0231 more, estimated."
    );
    assert_eq!(told(3, 0.0, Language::En), "\nSecond attempts: 3.");
    assert_eq!(told(0, 0.0, Language::En), "");
    let zh = told(3, 0.5, Language::Zh);
    assert!(zh.contains("第二次尝试") && zh.contains("$0.5000"), "{zh}");
}

#[test]
fn the_head_is_printed_once() {
    let mut table = Table::new(look(Language::En));

    table.rows(&[]);
    let text = table.rows(&[answered(7)]);

    assert_eq!(lines(&text).len(), 1);
    assert!(!text.contains("MODEL"), "{text}");
}

#[test]
fn a_table_with_room_stays_straight() {
    let mut table = Table::with_room(look(Language::En));

    let head = table.rows(&[]);
    let row = table.rows(&[answered(7)]);

    // In ASCII, so that byte offsets are columns.
    let row = row.replace("东京", "Toky");
    assert_eq!(head.find("MODEL"), row.find("claude"));
    assert_eq!(head.find("ENDPOINT"), row.find("Toky"));
    assert_eq!(
        head.find("COST").map(|at| at + 4),
        row.find("$0.0123").map(|at| at + 7)
    );
}

#[test]
fn an_unknown_cost_is_said_to_be_unknown() {
    let unpriced = RequestRecord {
        cost_usd: None,
        ..answered(7)
    };
    let without_usage = RequestRecord {
        tokens: None,
        ..unpriced.clone()
    };
    let report = |cost_usd| {
        let usage = Usage {
            requests: 2,
            unpriced: 1,
            cost_usd,
            ..Usage::default()
        };
        let row = UsageRow {
            key: "2026-11-21".to_owned(),
            split: String::new(),
            usage,
        };
        UsageReport {
            rows: vec![row],
            total: usage,
            complete_since_ms: None,
        }
    };

    for (language, unknown) in [(Language::En, "unknown"), (Language::Zh, "未知")] {
        let look = look(language);
        for record in [&unpriced, &without_usage] {
            let row = Table::new(look.clone()).rows(std::slice::from_ref(record));
            assert!(row.contains(unknown), "{row}");
            assert!(!row.contains("$0"), "{row}");
            let shown = detail(&of(record.clone()), &look);
            assert!(shown.contains(unknown), "{shown}");
        }
        let nothing_known = usage(&report(0.0), UsageBy::Day, None, &look);
        let one_known = usage(&report(1.5), UsageBy::Day, None, &look);
        assert!(nothing_known.contains(unknown), "{nothing_known}");
        assert!(!nothing_known.contains("$0"), "{nothing_known}");
        assert!(
            one_known.contains(&format!("$1.5000 + {unknown}")),
            "{one_known}"
        );
        assert!(one_known.contains("[pricing]"), "{one_known}");
    }
}

#[test]
fn an_answer_after_a_failover_says_what_went_before() {
    let mut record = answered(7);
    record.attempts.insert(0, failed(7).attempts.remove(0));

    let text = Table::new(look(Language::En)).rows(&[record]);

    assert!(
        text.ends_with("after HK: overloaded (HTTP 529)\n"),
        "{text}"
    );
}

#[test]
fn colours_are_for_terminals_only() {
    let ansi = Look {
        colours: Colours::Ansi,
        ..look(Language::En)
    };

    let coloured = Table::new(ansi).rows(&[failed(7)]);
    let plain = Table::new(look(Language::En)).rows(&[failed(7)]);

    assert!(
        coloured.contains("\u{1b}[31m529 failed\u{1b}[0m"),
        "{coloured}"
    );
    assert!(!plain.contains('\u{1b}'), "{plain}");
}

#[test]
fn nothing_that_was_recorded_reaches_the_terminal_as_a_command() {
    let evil = "\u{1b}[2Jx\r\ny\u{9b}";
    let mut record = failed(7);
    record.model = Some(evil.to_owned());
    record.endpoint = Some(evil.to_owned());
    record.error = Some(evil.to_owned());
    record.client = Some(evil.to_owned());
    record.attempts[0].reason = None;
    record.attempts[0].endpoint = evil.to_owned();
    record.attempts[0].rate_limits = vec![(evil.to_owned(), evil.to_owned())];
    let mut full = of(record.clone());
    full.request_headers = vec![(evil.to_owned(), evil.to_owned())];
    full.response_body = Some(RecordedBody {
        text: evil.to_owned(),
        truncated: true,
    });
    let report = UsageReport {
        rows: vec![UsageRow {
            key: evil.to_owned(),
            split: String::new(),
            usage: Usage::default(),
        }],
        ..UsageReport::default()
    };
    let look = look(Language::En);

    for text in [
        Table::new(look.clone()).rows(&[record]),
        detail(&full, &look),
        usage(&report, UsageBy::Model, None, &look),
    ] {
        assert!(
            text.chars().all(|c| c == '\n' || !c.is_control()),
            "{text:?}"
        );
    }
}

fn of(record: RequestRecord) -> RequestDetail {
    RequestDetail {
        record,
        request_headers: Vec::new(),
        response_headers: Vec::new(),
        request_body: None,
        response_body: None,
    }
}

#[test]
fn a_request_in_full() {
    let mut record = answered(7);
    record.attempts.insert(0, failed(7).attempts.remove(0));
    record.attempts[1].rate_limits = vec![("retry-after".to_owned(), "3".to_owned())];
    record.served_model = Some("claude-haiku-4-5-20251001".to_owned());
    let full = RequestDetail {
        request_headers: vec![("x-api-key".to_owned(), "[redacted]".to_owned())],
        request_body: Some(RecordedBody {
            text: "{\n\"model\": 1}".to_owned(),
            truncated: true,
        }),
        ..of(record)
    };

    let text = detail(&full, &look(Language::En));

    assert_eq!(
        lines(&text),
        [
            "Request 7 · 2026-11-21 22:30:02",
            "  POST /v1/messages → 200, answered",
            "  Identifier  r7",
            "  Client      claude-cli/2.1",
            "  Session     s-1",
            "  Model       claude-haiku-4-5, served by claude-haiku-4-5-20251001, streamed",
            "  Endpoint    东京",
            "  Duration    5.3 s; first event after 433 ms",
            "  Size        12.3 kB sent, 999 B received",
            "  Tokens      input 10 · written to the cache 200 (5 min), 0 (1 h) · read from it 3,000 · output 45, of it thinking 5",
            "  Cost        $0.0123 · the cache saved $0.5000 · moving lost $0",
            "  Stopped     end_turn",
            "",
            "Attempts",
            "  ENDPOINT  OUTCOME        AFTER  CONNECT  TLS  HEADERS  FIRST EVENT  DURATION  REASON",
            "  HK        529 throttled   0 ms    12 ms    –   300 ms       420 ms     5.3 s  overloaded (HTTP 529)",
            "  东京      200 answered    0 ms    12 ms    –   300 ms       420 ms     5.3 s",
            "",
            "Rate limits of 东京",
            "  retry-after: 3",
            "",
            "Request headers",
            "  x-api-key: [redacted]",
            "",
            "Request body",
            "  {",
            "  \"model\": 1}",
            "  … (the rest was not kept)",
        ]
    );
}

#[test]
fn sums_end_with_their_total_and_what_is_in_none() {
    let of_day = Usage {
        requests: 1200,
        failed: 3,
        tokens: answered(1).tokens.unwrap(),
        cost_usd: 12.5,
        unpriced: 0,
        cache_saved_usd: 3.25,
        cache_lost_usd: 0.0,
        probes_usd: 0.001,
        ..Usage::default()
    };
    let rows = [("2026-11-21", of_day), ("", Usage::default())];
    let report = UsageReport {
        rows: rows
            .map(|(key, usage)| UsageRow {
                key: key.to_owned(),
                split: String::new(),
                usage,
            })
            .into(),
        total: of_day,
        complete_since_ms: Some(AT),
    };
    let look = look(Language::En);

    let text = usage(&report, UsageBy::Day, Some(AT - 1), &look);
    let covered = usage(&report, UsageBy::Day, Some(AT), &look);

    assert_eq!(
        lines(&text),
        [
            "DAY         REQUESTS  FAILED  INPUT  CACHE WRITTEN  CACHE READ  OUTPUT      COST  CACHE SAVED  LOST BY MOVING   CHECKS",
            "2026-11-21     1,200       3     10            200       3,000      45  $12.5000      $3.2500               –  $0.0010",
            "unknown            0       0      0              0           0       0        $0            –               –        –",
            "TOTAL          1,200       3     10            200       3,000      45  $12.5000      $3.2500               –  $0.0010",
            "",
            "The journal begins at 2026-11-21 22:30:02; earlier requests are in no sum.",
        ]
    );
    assert!(!covered.contains("begins"), "{covered}");
    let none = usage(&UsageReport::default(), UsageBy::Day, None, &look);
    assert_eq!(none, "No requests in this time.\n");
}

use zephyr_control::{
    AttemptOutcome, AttemptRecord, Reason, RequestEnd, RequestRecord, Tokens, Usage, UsageReport,
    UsageRow,
};

use super::requests::Format;
use super::usage::usage_csv;

const AT: u64 = 1_795_271_402_000;

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

#[test]
fn a_csv_cell_is_never_a_formula() {
    let cases = [
        ("=1+1", "\"'=1+1\""),
        ("+1", "\"'+1\""),
        ("-1", "\"'-1\""),
        ("@SUM(A1)", "\"'@SUM(A1)\""),
        ("\t=1", "\"'\t=1\""),
        ("\r=1", "\"'\r=1\""),
        ("＝1", "\"'＝1\""),
        ("a,b", "\"a,b\""),
        ("say \"hi\"", "\"say \"\"hi\"\"\""),
        ("=\"a\"", "\"'=\"\"a\"\"\""),
        ("two\nlines", "\"two\nlines\""),
        ("东京", "东京"),
    ];

    for (text, cell) in cases {
        let record = RequestRecord {
            error: Some(text.to_owned()),
            ..answered(7)
        };
        let line = Format::Csv.lines(&[record]);
        assert!(line.ends_with(&format!(",{cell}\r\n")), "{line}");
        let report = UsageReport {
            rows: vec![UsageRow {
                key: text.to_owned(),
                split: String::new(),
                usage: Usage::default(),
            }],
            ..UsageReport::default()
        };
        let lines = usage_csv(&report);
        assert!(lines.contains(&format!("\r\n{cell},0,0,")), "{lines}");
    }
}

#[test]
fn a_csv_has_as_many_cells_as_names_and_leaves_unknown_ones_empty() {
    let record = RequestRecord {
        cost_usd: None,
        ..failed(7)
    };

    let raced = RequestRecord {
        overtaken_cost_usd: Some(0.0366),
        ..answered(8)
    };

    let text = Format::Csv.head() + &Format::Csv.lines(&[answered(6), record, raced]);

    let rows: Vec<Vec<_>> = text.lines().map(|line| line.split(',').collect()).collect();
    assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{text}");
    let cell = |row: usize, name: &str| {
        let column = rows[0].iter().position(|head| *head == name).unwrap();
        rows[row][column]
    };
    assert_eq!(cell(1, "cost_usd"), "0.01234");
    assert_eq!(cell(1, "time"), "2026-11-21T14:30:02Z");
    assert_eq!(cell(2, "cost_usd"), "");
    assert_eq!(cell(2, "input_tokens"), "");
    assert_eq!(cell(2, "end"), "failed");
    assert_eq!(cell(2, "overtaken_cost_usd"), "");
    assert_eq!(cell(3, "overtaken_cost_usd"), "0.0366");
    let sums = usage_csv(&UsageReport {
        rows: vec![UsageRow {
            key: "a".to_owned(),
            split: String::new(),
            usage: Usage {
                second_attempts: 3,
                overtaken_cost_usd: 0.25,
                ..Usage::default()
            },
        }],
        ..UsageReport::default()
    });
    assert!(sums.contains("checks_usd,second_attempts,overtaken_cost_usd\r\n"));
    assert!(sums.ends_with(",3,0.25\r\n"), "{sums}");
    let widths: Vec<_> = sums.lines().map(|line| line.split(',').count()).collect();
    assert_eq!(widths, [16, 16]);
}

#[test]
fn json_lines_are_the_records() {
    let text = Format::JsonLines.lines(&[answered(6), failed(7)]);

    let read: Vec<RequestRecord> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(read, [answered(6), failed(7)]);
    assert_eq!(Format::JsonLines.head(), "");
}

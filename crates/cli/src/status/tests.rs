use std::path::Path;
use std::time::Duration;

use zephyr_control::examples;
use zephyr_control::{
    Appearance, Decision, Drain, EndpointState, EndpointView, Event, EventKind, Headline, Host,
    Language, Listening, Measure, Mode, NotChosen, ProbeCosts, Problem, ProblemKind, Reason,
    Redacted, Snapshot, Strategy, Totals, Weighed, text,
};
use zephyr_process::colours::Colours;

use super::*;

const NOW: u64 = 1_800_000_000_000;

fn endpoint(name: &str, state: EndpointState) -> EndpointView {
    EndpointView {
        name: name.to_owned(),
        flag: None,
        group: "primary".to_owned(),
        url: Redacted::by_shape(&format!("https://{}.example.com", name.to_lowercase())),
        enabled: true,
        state,
        reason: None,
        until_ms: None,
        latency_ms: None,
        latency_history: Vec::new(),
        ttft_ms: None,
        compared_by: None,
        ttft_percentiles: Vec::new(),
        probe_cost_usd: 0.0,
        share: None,
        quota: Vec::new(),
        last_check_ms: None,
        last_error: None,
        in_flight: 0,
        attempts: 0,
        failures: 0,
        priority: 1,
        weight: 1,
        price: 1.0,
    }
}

fn empty() -> Snapshot {
    Snapshot {
        version: "0.1.0".to_owned(),
        taken_at_ms: NOW,
        started_at_ms: NOW - 42_000,
        listening: Listening {
            proxy: "127.0.0.1:8080".to_owned(),
            admin: Some("127.0.0.1:8081".to_owned()),
        },
        config_path: None,
        mode: Mode::Auto,
        paused: false,
        status: examples::out(Headline::NoEndpoints),
        strategy: Strategy::Latency,
        current: None,
        decision: None,
        endpoints: Vec::new(),
        events: Vec::new(),
        problems: Vec::new(),
        totals: Totals::default(),
        probes: zephyr_control::ProbeCosts::default(),
        drain: None,
        requests: Vec::new(),
        journal: zephyr_control::JournalStatus::default(),
        host: Host::default(),
        appearance: Appearance::default(),
        offline_since_ms: None,
        weighed: None,
    }
}

/// One endpoint of every kind, a problem and an event.
fn busy() -> Snapshot {
    let hong_kong = EndpointView {
        flag: Some("🇭🇰".to_owned()),
        latency_ms: Some(79.6),
        ttft_ms: Some(812.0),
        compared_by: Some(Measure::Checks),
        ttft_percentiles: Vec::new(),
        probe_cost_usd: 0.0,
        in_flight: 2,
        ..endpoint("HK", EndpointState::Ready)
    };
    let tokyo = EndpointView {
        latency_ms: Some(120.2),
        compared_by: Some(Measure::Checks),
        ..endpoint("东京", EndpointState::Ready)
    };
    let relay = EndpointView {
        reason: Some(Reason::Overloaded { status: 529 }),
        until_ms: Some(NOW + 41_500),
        ..endpoint("Relay", EndpointState::Throttled)
    };
    let decision = Decision {
        why: Reason::Faster {
            to_ms: 80,
            from_ms: 240,
            threshold_ms: 50,
        },
        others: vec![NotChosen {
            endpoint: "东京".to_owned(),
            why: Reason::NotFaster {
                ms: 120,
                than_ms: 80,
            },
        }],
    };
    Snapshot {
        started_at_ms: NOW - 7_500_000,
        status: examples::some_answer("HK", 2, 3),
        current: Some("HK".to_owned()),
        decision: Some(decision),
        endpoints: vec![hong_kong, tokyo, relay],
        events: vec![Event {
            seq: 1,
            at_ms: NOW - 130_000,
            kind: EventKind::TakenOut {
                endpoint: "Relay".to_owned(),
                why: Reason::Overloaded { status: 529 },
                until_ms: None,
            },
        }],
        problems: vec![Problem {
            kind: ProblemKind::ConfigWarning,
            message: "line 3: server.prot is unknown".into(),
            remedy: "did you mean server.port?".into(),
        }],
        totals: Totals {
            requests: 17,
            in_flight: 2,
            failed_over: 1,
            ..Totals::default()
        },
        ..empty()
    }
}

#[test]
fn what_checks_cost_is_said_once_they_do() {
    let line = |probes| {
        let snapshot = Snapshot { probes, ..busy() };
        let text = view(&snapshot, Language::En, Colours::Plain);
        text.lines()
            .find(|line| line.starts_with("Checks"))
            .map(str::to_owned)
    };
    let costs = ProbeCosts {
        today_usd: 0.000_045,
        budget_usd: 0.5,
        reached: false,
    };

    assert_eq!(line(ProbeCosts::default()), None);
    assert_eq!(line(costs).unwrap(), "Checks: 0.000045 of 0.5 USD today");
    let reached = ProbeCosts {
        reached: true,
        ..costs
    };
    assert!(
        line(reached)
            .unwrap()
            .contains("only free ones until midnight")
    );
}

#[test]
fn requests_that_wait_are_shown() {
    let mut snapshot = busy();
    snapshot.totals.waiting = 3;

    let text = view(&snapshot, Language::En, Colours::Plain);

    assert!(
        text.contains("\nWaiting for an endpoint to return: 3\n"),
        "{text}"
    );
}

#[test]
fn the_state_of_an_instance_in_english() {
    let text = view(&busy(), Language::En, Colours::Plain);

    let expected = "\
Zephyr 0.1.0 · proxy 127.0.0.1:8080 · up 2 h 5 min
Status: degraded · HK · 2 of 3 endpoints answer
In use: 🇭🇰 HK – faster: 80 ms against 240 ms (threshold 50 ms)
Mode: automatic – the fastest
Requests: 17 · in flight 2 · failed over 1 · failed 0 · aborted 0 · abandoned 0

   ENDPOINT  STATE      CHECKS  FIRST EVENT  IN FLIGHT  REASON
*  🇭🇰 HK     ready       80 ms     (812 ms)          2
   东京      ready      120 ms            –          0  not faster by the threshold: 120 ms against 80 ms
   Relay     throttled       –            –          0  overloaded (HTTP 529) (42 s to go)
Medians of the last five. Endpoints are compared by the numbers without brackets.

Problems
  line 3: server.prot is unknown: did you mean server.port?

Lately
  2 min ago: Relay is out: overloaded (HTTP 529)
";
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn without_checks_the_first_events_are_the_numbers_without_brackets() {
    let mut snapshot = busy();
    snapshot.endpoints[0].compared_by = Some(Measure::FirstEvents);

    let text = view(&snapshot, Language::En, Colours::Plain);

    let line = text.lines().find(|line| line.starts_with('*')).unwrap();
    assert!(line.contains("  (80 ms)       812 ms  "), "{line}");
}

#[test]
fn the_state_of_an_instance_in_chinese() {
    let text = view(&busy(), Language::Zh, Colours::Plain);

    let expected = "\
Zephyr 0.1.0 · 代理 127.0.0.1:8080 · 已运行 2 小时 5 分
状态：部分异常 · HK · 3 个端点中 2 个可用
当前端点：🇭🇰 HK – 更快：80 毫秒对 240 毫秒（阈值 50 毫秒）
模式：自动 – 最快优先
请求：17 · 进行中 2 · 已转移 1 · 失败 0 · 中止 0 · 客户端离开 0

   端点   状态        检查    首个事件  进行中  原因
*  🇭🇰 HK  正常     80 毫秒  (812 毫秒)       2
   东京   正常    120 毫秒           –       0  未快过阈值：120 毫秒对 80 毫秒
   Relay  限流中         –           –       0  过载（HTTP 529）（还需 42 秒）
数值为最近五次的中位数；端点按不带括号的数值比较。

问题
  line 3: server.prot is unknown: did you mean server.port?

最近
  2 分前：Relay 已停止使用：过载（HTTP 529）
";
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn what_was_weighed_last_is_said_with_both_sides() {
    let stays = Weighed {
        at_ms: NOW - 130_000,
        from: "HK".to_owned(),
        to: "东京".to_owned(),
        moved: false,
        saved_ms: 400,
        worth_usd: 0.04,
        cost_usd: 0.23,
    };
    let moved = Weighed {
        moved: true,
        saved_ms: 4_020,
        worth_usd: 0.4,
        cost_usd: 0.12,
        ..stays.clone()
    };
    let line = |weighed: &Weighed, language, begins| {
        let snapshot = Snapshot {
            weighed: Some(weighed.clone()),
            ..busy()
        };
        let text = view(&snapshot, language, Colours::Plain);
        text.lines()
            .find(|line| line.starts_with(begins))
            .map(str::to_owned)
    };

    let said = [&stays, &moved].map(|it| line(it, Language::En, "Speed or cache").unwrap());
    let in_chinese = line(&stays, Language::Zh, "速度与缓存").unwrap();

    assert_eq!(
        said,
        [
            "Speed or cache, 2 min ago: a conversation stays on HK: 400 ms a turn slower than 东京, \
             but moving would cost $0.23",
            "Speed or cache, 2 min ago: a conversation moved from HK to 东京: saves 4.0 s a turn for $0.12",
        ]
    );
    assert_eq!(
        in_chinese,
        "速度与缓存，2 分前：一个会话留在 HK：每轮比 东京 慢 400 毫秒，但迁移要花 $0.23"
    );
}

#[test]
fn the_second_line_says_how_things_are_as_a_whole() {
    let lines = |snapshot: &Snapshot| {
        let text = view(snapshot, Language::En, Colours::Plain);
        text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    let said = [
        (examples::healthy(), "Status: all well · Tokyo"),
        (
            examples::degraded(),
            "Status: degraded · Tokyo · 1 of 5 endpoints answer",
        ),
        (examples::all_down(), "Status: out · No endpoint is usable"),
        (
            examples::refused(),
            "Status: out · No endpoint is usable: all credentials are refused",
        ),
        (examples::paused(), "Status: paused · Tokyo"),
        (examples::manual(), "Status: all well · Singapore"),
        (
            examples::failing_pin(),
            "Status: degraded · Tokyo stands in for Frankfurt",
        ),
        (
            examples::offline(),
            "Status: offline · Nothing can be reached",
        ),
        (
            examples::distributing(),
            "Status: all well · 4 of 4 endpoints answer",
        ),
        (
            examples::spread_thin(),
            "Status: degraded · 1 of 4 endpoints answer",
        ),
        (
            examples::unmeasured(),
            "Status: starting · Tokyo · not measured yet",
        ),
        (examples::empty(), "Status: out · No endpoint is configured"),
    ];

    for (snapshot, expected) in said {
        assert_eq!(lines(&snapshot)[0], expected);
    }
}

#[test]
fn nothing_is_in_use_while_nothing_can_be_reached() {
    let offline = Snapshot {
        current: Some("Tokyo".to_owned()),
        ..examples::offline()
    };

    let text = view(&offline, Language::En, Colours::Plain);

    assert!(!text.contains("In use"), "{text}");
    assert!(!text.contains("  ready"), "{text}");
    assert!(text.contains("not reachable"), "{text}");
}

#[test]
fn an_endpoint_whose_last_check_failed_is_not_ready() {
    let text = view(&examples::failing_pin(), Language::En, Colours::Plain);

    let row = text.lines().find(|line| line.contains("Singapore"));
    let row = row.unwrap();

    assert!(row.contains("failed last time"), "{row}");
    assert!(row.contains("a check failed: HTTP 500"), "{row}");
}

#[test]
fn a_reason_that_explains_nothing_is_not_said() {
    let mut snapshot = examples::healthy();
    snapshot.decision.as_mut().unwrap().why = Reason::InUse;

    let text = view(&snapshot, Language::En, Colours::Plain);

    assert!(text.contains("\nIn use: 🇯🇵 Tokyo\n"), "{text}");
}

#[test]
fn what_a_person_changed_is_said_with_the_way_back() {
    let steered = Snapshot {
        mode: Mode::Manual {
            endpoint: "HK".to_owned(),
        },
        paused: true,
        drain: Some(Drain {
            in_flight: 3,
            until_ms: NOW + 12_000,
        }),
        ..empty()
    };

    let text = view(&steered, Language::En, Colours::Plain);

    assert!(
        text.contains("HK was chosen by hand; `zephyr auto`"),
        "{text}"
    );
    assert!(text.contains("paused; `zephyr resume`"), "{text}");
    assert!(
        text.contains("Ending: waits for requests in flight (3), 12 s at most"),
        "{text}"
    );
}

#[test]
fn the_newest_events_come_first_and_old_ones_not_at_all() {
    let events = (1..=7).map(|seq| Event {
        seq,
        at_ms: NOW - 10_000 + seq * 1000,
        kind: EventKind::Recovered {
            endpoint: format!("E{seq}"),
        },
    });
    let snapshot = Snapshot {
        events: events.collect(),
        ..empty()
    };

    let text = view(&snapshot, Language::En, Colours::Plain);

    let lately: Vec<_> = text.lines().skip_while(|line| *line != "Lately").collect();
    assert_eq!(
        lately,
        [
            "Lately",
            "  3 s ago: E7 is back",
            "  4 s ago: E6 is back",
            "  5 s ago: E5 is back",
            "  6 s ago: E4 is back",
            "  7 s ago: E3 is back",
        ]
    );
}

#[test]
fn an_endpoint_cannot_send_escape_sequences_to_the_terminal() {
    let snapshot = Snapshot {
        endpoints: vec![EndpointView {
            reason: Some(Reason::ConnectFailed {
                detail: "\u{1b}]0;owned\u{7}\n".into(),
            }),
            ..endpoint("HK\u{1b}[2J", EndpointState::Failing)
        }],
        ..empty()
    };

    let text = view(&snapshot, Language::En, Colours::Plain);

    let control = |c: char| c.is_control() && c != '\n';
    assert!(!text.contains(control), "{text:?}");
    assert_eq!(text.lines().count(), 7, "{text}");
}

#[test]
fn a_lost_network_is_said_in_both_languages() {
    let snapshot = Snapshot {
        offline_since_ms: Some(empty().taken_at_ms - 90_000),
        ..empty()
    };

    let english = view(&snapshot, Language::En, Colours::Plain);
    let chinese = view(&snapshot, Language::Zh, Colours::Plain);

    assert!(english.contains("offline for 1 min"), "{english}");
    assert!(chinese.contains("已离线"), "{chinese}");
}

#[test]
fn the_errors_of_a_configuration_keep_their_lines() {
    let rejected = Problem {
        kind: ProblemKind::ConfigError,
        message: "config.toml has 2 errors:\n  line 1: a; b\n  line 2: c; d".into(),
        remedy: "correct the file".into(),
    };
    let snapshot = Snapshot {
        problems: vec![rejected],
        ..empty()
    };

    let text = view(&snapshot, Language::En, Colours::Plain);

    let expected = "
Problems
  config.toml has 2 errors:
      line 1: a; b
      line 2: c; d
    correct the file
";
    assert!(text.ends_with(expected), "{text}");
}

#[test]
fn a_start_says_where_to_point_clients() {
    let snapshot = Snapshot {
        listening: Listening {
            proxy: "0.0.0.0:8080".to_owned(),
            admin: Some("127.0.0.1:8081".to_owned()),
        },
        config_path: Some("/home/me/config.toml".into()),
        ..busy()
    };

    let text = started(&snapshot, Language::En);

    let expected = "\
Zephyr 0.1.0 is ready.
  Clients:    export ANTHROPIC_BASE_URL=http://127.0.0.1:8080
  Admin:      http://127.0.0.1:8081 (`zephyr open` signs your browser in)
  Endpoints:  🇭🇰 HK, 东京, Relay
  Configured: /home/me/config.toml
  Attention:  line 3: server.prot is unknown: did you mean server.port?
";
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn the_demo_gives_a_line_to_try_and_a_line_to_watch() {
    for language in [Language::En, Language::Zh] {
        let text = demo_started(&busy(), Path::new("/tmp/zephyr-demo"), language);

        assert!(
            text.contains("curl -N http://127.0.0.1:8080/v1/messages"),
            "{text}"
        );
        assert!(text.contains("\"stream\":true"), "{text}");
        assert!(
            text.contains("ZEPHYR_DATA_DIR='/tmp/zephyr-demo' zephyr status"),
            "{text}"
        );
    }
}

#[test]
fn probes_are_a_table() {
    let results = [
        ("HK".to_owned(), Ok(Duration::from_millis(87))),
        ("Tokyo".to_owned(), Err("no connection: refused".to_owned())),
    ];

    let text = probes(&results, Language::En, Colours::Plain);

    let expected = "\
ENDPOINT  STATE    LATENCY  REASON
HK        ready      87 ms
Tokyo     failing        –  no connection: refused
";
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let plain = view(&busy(), Language::En, Colours::Plain);
    let coloured = view(&busy(), Language::En, Colours::Ansi);

    assert!(!plain.contains('\u{1b}'));
    assert!(coloured.contains("\u{1b}[32mready\u{1b}[0m"));
}

#[test]
fn where_nothing_runs_it_says_what_to_do() {
    for language in [Language::En, Language::Zh] {
        let text = not_running(language, None);
        assert!(text.contains("zephyr serve"), "{text}");
        assert!(text.contains("zephyr demo"), "{text}");
        assert!(not_running(language, Some(4711)).contains("4711"));
    }
}

#[test]
fn every_phrase_has_words_in_the_catalogues() {
    let source = include_str!("phrase.rs");
    let variants = source
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()))
        .map(|line| line.trim_end_matches([',', '{', ' ']));

    let mut seen = 0;
    for variant in variants {
        let code = snake_case(variant);
        let phrase = serde_json::json!({ "status": code });
        assert_ne!(
            text(Language::En, &phrase),
            code,
            "no message for status.{code}"
        );
        seen += 1;
    }

    assert!(seen > 30, "{seen}");
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

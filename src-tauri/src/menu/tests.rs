use zephyr_control::{
    Appearance, ClaudeCode, Command, Drain, EndpointState, EndpointView, Headline, Host, Language,
    Listening, Mode, Overall, Problem, ProblemKind, Program, Reason, Redacted, Snapshot, Strategy,
    Totals, examples, text,
};

use super::*;

fn endpoint(name: &str, latency_ms: f64) -> EndpointView {
    EndpointView {
        name: name.to_owned(),
        flag: None,
        group: "primary".to_owned(),
        url: Redacted::by_shape(&format!("https://{}.example.com", name.to_lowercase())),
        enabled: true,
        state: EndpointState::Ready,
        reason: None,
        until_ms: None,
        latency_ms: Some(latency_ms),
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

/// The command of the item with this key.
fn command<'a>(menu: &'a Menu, key: &str) -> Option<&'a Command> {
    match menu.choice(key) {
        Some(Choice::Command(command)) => Some(command),
        Some(Choice::Settle { .. }) | None => None,
    }
}

fn failing(name: &str) -> EndpointView {
    EndpointView {
        state: EndpointState::Failing,
        reason: Some(Reason::Overloaded { status: 529 }),
        ..endpoint(name, 80.0)
    }
}

fn snapshot(endpoints: Vec<EndpointView>) -> Snapshot {
    // What an engine over these endpoints says.
    let answering = endpoints.iter().filter(|one| one.state.answers()).count();
    let of = endpoints.iter().filter(|one| one.enabled).count();
    let status = match endpoints.iter().find(|one| one.state.answers()) {
        None if of == 0 => examples::out(Headline::NoEndpoints),
        None => examples::out(Headline::AllFailing),
        Some(first) if answering < of => examples::some_answer(&first.name, answering, of),
        Some(first) => examples::well(&first.name),
    };
    Snapshot {
        status,
        version: "1.2.3".to_owned(),
        taken_at_ms: 1_000_000,
        started_at_ms: 0,
        listening: Listening {
            proxy: "127.0.0.1:8080".to_owned(),
            admin: None,
        },
        config_path: None,
        mode: Mode::Auto,
        paused: false,
        offline_since_ms: None,
        weighed: None,
        strategy: Strategy::Latency,
        current: endpoints
            .iter()
            .find(|one| one.state.is_usable())
            .map(|one| one.name.clone()),
        decision: None,
        endpoints,
        events: Vec::new(),
        problems: Vec::new(),
        totals: Totals::default(),
        probes: zephyr_control::ProbeCosts::default(),
        drain: None,
        requests: Vec::new(),
        journal: zephyr_control::JournalStatus::default(),
        host: Host {
            program: Program::Desktop,
            launch_at_login: Some(false),
            claude_code: ClaudeCode::Disconnected,
        },
        appearance: Appearance::default(),
    }
}

fn three() -> Snapshot {
    snapshot(vec![
        endpoint("HK", 84.4),
        endpoint("Tokyo", 120.0),
        failing("LA"),
    ])
}

/// A menu as people see it, one line each.
fn lines(menu: &Menu) -> Vec<String> {
    fn add(entries: &[Entry], depth: usize, lines: &mut Vec<String>) {
        for entry in entries {
            let indent = "  ".repeat(depth);
            match entry {
                Entry::Separator => lines.push(format!("{indent}---")),
                Entry::Group(group) => {
                    lines.push(format!("{indent}{} >", group.text));
                    add(&group.entries, depth + 1, lines);
                }
                Entry::Item(item) => {
                    let mark = match item.mark {
                        Mark::Plain => "",
                        Mark::Off => "[ ] ",
                        Mark::On => "[x] ",
                    };
                    let grey = if item.choice.is_some() { "" } else { " (grey)" };
                    lines.push(format!("{indent}{mark}{}{grey}", item.text));
                }
            }
        }
    }
    let mut lines = Vec::new();
    add(&menu.0, 0, &mut lines);
    lines
}

#[test]
fn the_whole_menu_in_english() {
    assert_eq!(
        lines(&menu(&three(), &[], Language::En)),
        [
            "HK · 2 of 3 endpoints answer · degraded (grey)",
            "---",
            "[x] HK – 84 ms",
            "[ ] Tokyo – 120 ms",
            "[ ] LA – failing: overloaded (HTTP 529)",
            "---",
            "[x] Automatic",
            "[ ] Pause monitoring",
            "Check now",
            "---",
            "Open Zephyr",
            "[ ] Use with Claude Code",
            "[ ] Launch at login",
            "---",
            "Quit Zephyr",
        ]
    );
}

#[test]
fn the_menu_speaks_chinese() {
    let lines = lines(&menu(&three(), &[], Language::Zh));

    assert_eq!(lines[0], "HK · 3 个端点中 2 个可用 · 部分异常 (grey)");
    assert!(lines.contains(&"[x] 自动选择".to_owned()), "{lines:?}");
    let english = lines.iter().filter(|line| line.contains("monitoring"));
    assert_eq!(english.count(), 0, "{lines:?}");
}

#[test]
fn choosing_an_endpoint_pins_it() {
    let menu = menu(&three(), &[], Language::En);

    let command = command(&menu, "use:Tokyo");

    let endpoint = "Tokyo".to_owned();
    assert_eq!(command, Some(&Command::Use { endpoint }));
}

#[test]
fn the_mark_follows_the_endpoint_in_use() {
    let mut snapshot = three();
    snapshot.mode = Mode::Manual {
        endpoint: "Tokyo".to_owned(),
    };
    snapshot.current = Some("Tokyo".to_owned());

    let menu = menu(&snapshot, &[], Language::En);

    let lines = lines(&menu);
    assert!(lines.contains(&"[ ] HK – 84 ms".to_owned()));
    assert!(lines.contains(&"[x] Tokyo – 120 ms".to_owned()));
    assert!(lines.contains(&"[ ] Automatic".to_owned()));
    assert_eq!(command(&menu, "automatic"), Some(&Command::Auto));
}

#[test]
fn what_a_person_chose_stays_marked_while_it_is_out() {
    let mut snapshot = three();
    snapshot.mode = Mode::Manual {
        endpoint: "LA".to_owned(),
    };

    let lines = lines(&menu(&snapshot, &[], Language::En));

    assert!(lines[2].starts_with("[ ] HK"), "{lines:?}");
    assert!(lines[4].starts_with("[x] LA"), "{lines:?}");
}

#[test]
fn unchecking_automatic_stays_where_requests_go() {
    let menu = menu(&three(), &[], Language::En);

    let endpoint = "HK".to_owned();
    assert_eq!(
        command(&menu, "automatic"),
        Some(&Command::Use { endpoint })
    );
}

#[test]
fn what_cannot_be_pinned_is_grey() {
    let mut snapshot = three();
    snapshot.endpoints[1].state = EndpointState::Disabled;
    snapshot.endpoints[2].state = EndpointState::NoCredential;

    let menu = menu(&snapshot, &[], Language::En);

    assert_eq!(command(&menu, "use:Tokyo"), None);
    assert_eq!(command(&menu, "use:LA"), None);
}

#[test]
fn check_items_toggle() {
    let mut snapshot = three();
    snapshot.paused = true;
    snapshot.host.launch_at_login = Some(true);
    snapshot.host.claude_code = ClaudeCode::Connected;

    let menu = menu(&snapshot, &[], Language::En);

    assert_eq!(command(&menu, "pause"), Some(&Command::Resume));
    assert_eq!(
        command(&menu, "claude-code"),
        Some(&Command::DisconnectClaudeCode)
    );
    assert_eq!(
        command(&menu, "launch-at-login"),
        Some(&Command::LaunchAtLogin { enabled: false })
    );
}

#[test]
fn claude_code_is_not_pointed_at_a_port_where_nobody_listens() {
    let mut snapshot = three();
    snapshot.listening = Listening::default();

    let disconnected = menu(&snapshot, &[], Language::En);
    snapshot.host.claude_code = ClaudeCode::Connected;
    let connected = menu(&snapshot, &[], Language::En);

    assert_eq!(command(&disconnected, "claude-code"), None);
    assert_eq!(
        command(&connected, "claude-code"),
        Some(&Command::DisconnectClaudeCode)
    );
}

#[test]
fn several_groups_get_a_submenu_each() {
    let mut snapshot = three();
    snapshot.endpoints[1].group = "backup".to_owned();

    let lines = lines(&menu(&snapshot, &[], Language::En));

    assert_eq!(
        lines[2..7],
        [
            "● primary – 1 of 2 answer >",
            "  [x] HK – 84 ms",
            "  [ ] LA – failing: overloaded (HTTP 529)",
            "backup – 1 of 1 answer >",
            "  [ ] Tokyo – 120 ms",
        ]
    );
}

#[test]
fn forty_endpoints_do_not_fill_the_screen() {
    let many = (0..40).map(|number| endpoint(&format!("E{number}"), 50.0));
    let snapshot = snapshot(many.collect());

    let menu = menu(&snapshot, &[], Language::En);

    assert!(menu.0.len() < 16, "{}", menu.0.len());
    assert!(command(&menu, "use:E39").is_some());
}

#[test]
fn a_long_reason_is_cut_off() {
    let mut snapshot = three();
    snapshot.endpoints[2].reason = Some(Reason::ConnectFailed {
        detail: Redacted::by_shape(&"a very long story ".repeat(20)),
    });

    let lines = lines(&menu(&snapshot, &[], Language::En));

    assert!(lines[4].ends_with('…'), "{}", lines[4]);
    assert!(lines[4].chars().count() < 80, "{}", lines[4]);
}

#[test]
fn what_needs_a_look_stands_below_the_headline() {
    let problem = |kind, message: &str| Problem::new(kind, message, "");
    let mut snapshot = three();
    snapshot.problems = vec![
        problem(ProblemKind::ConfigWarning, "unknown key"),
        problem(ProblemKind::Keychain, "the keychain is locked"),
    ];

    let one = menu(&snapshot, &[], Language::En);
    snapshot.problems.push(problem(ProblemKind::Port, "busy"));
    let two = menu(&snapshot, &[], Language::En);

    assert_eq!(lines(&one)[1], "⚠ the keychain is locked");
    assert_eq!(command(&one, "problems"), Some(&Command::Show));
    assert_eq!(lines(&two)[1], "⚠ 2 problems need a look");
}

#[test]
fn a_drain_shows_its_countdown_and_the_way_out() {
    let mut snapshot = three();
    snapshot.drain = Some(Drain {
        in_flight: 2,
        until_ms: snapshot.taken_at_ms + 27_100,
    });

    let menu = menu(&snapshot, &[], Language::En);

    let lines = lines(&menu);
    assert_eq!(
        lines[lines.len() - 2..],
        [
            "Quitting: requests in flight 2, 28 s at most (grey)",
            "Quit now"
        ]
    );
    assert_eq!(command(&menu, "quit"), Some(&Command::Quit));
}

#[test]
fn the_first_line_the_tooltip_and_the_icon_say_what_the_engine_says() {
    for (name, snapshot) in examples::all() {
        for language in [Language::En, Language::Zh] {
            let first = lines(&menu(&snapshot, &[], language))[0].clone();
            let overall = text(language, &snapshot.status.overall);
            let headline = text(language, &snapshot.status.headline);

            assert!(first.contains(&headline), "{name}: {first}");
            let is_well = snapshot.status.overall == Overall::Well;
            assert_eq!(first.contains(&overall), !is_well, "{name}: {first}");
            let shown = first.trim_end_matches(" (grey)");
            assert_eq!(tooltip(&snapshot, language), format!("Zephyr – {shown}"));
        }
        let expected = match snapshot.status.overall {
            Overall::Well => Icon::Healthy,
            Overall::Degraded => Icon::Degraded,
            Overall::Out => Icon::AllDown,
            Overall::Offline => Icon::Offline,
            Overall::Paused | Overall::Starting | Overall::Disconnected => Icon::Paused,
        };
        assert_eq!(icon(&snapshot), expected, "{name}");
    }
}

#[test]
fn the_first_line_names_what_matters() {
    let first = |snapshot: &Snapshot| lines(&menu(snapshot, &[], Language::En))[0].clone();

    let said = [
        (examples::healthy(), "🇯🇵 Tokyo · 82 ms"),
        (examples::paused(), "🇯🇵 Tokyo · 82 ms · paused"),
        (
            examples::failing_pin(),
            "Tokyo stands in for Frankfurt · degraded",
        ),
        (
            examples::spread_thin(),
            "1 of 4 endpoints answer · degraded",
        ),
        (examples::all_down(), "No endpoint is usable · out"),
        (examples::offline(), "Nothing can be reached · offline"),
        (examples::stopped(), "The proxy is not running · out"),
        (examples::starting(), "The proxy is not up yet · starting"),
    ];

    for (snapshot, expected) in said {
        assert_eq!(first(&snapshot), format!("{expected} (grey)"));
    }
}

#[test]
fn while_offline_no_endpoint_is_shown_as_well_or_counted() {
    let lines = lines(&menu(&examples::offline(), &[], Language::En));

    let tokyo = lines.iter().find(|line| line.contains("Tokyo")).unwrap();

    assert!(tokyo.contains("not reachable"), "{tokyo}");
    assert!(!tokyo.contains("82 ms"), "{tokyo}");
}

#[test]
fn only_a_change_that_is_seen_makes_another_menu() {
    let before = three();
    let mut after = before.clone();
    after.taken_at_ms += 250;
    after.totals.requests += 17;
    after.endpoints[0].latency_ms = Some(84.1);

    assert_eq!(
        menu(&before, &[], Language::En),
        menu(&after, &[], Language::En)
    );
}

#[test]
fn what_a_browser_may_not_do_by_itself_is_asked_in_a_submenu() {
    use zephyr_control::privilege::{Confirmation, Danger, Effect};
    let confirmation = Confirmation {
        number: 4711,
        effect: Effect::Set {
            key: "health_check.claude_binary_path".to_owned(),
            from: None,
            to: Some("/tmp/x".to_owned()),
        },
        danger: Danger::Executes,
        left_ms: 1000,
    };

    let asks = menu(&three(), &[confirmation], Language::En);
    let lines = lines(&asks);
    let settle = |name: &str| asks.choice(&format!("confirm:4711:{name}")).cloned();

    let whole = lines.join("\n");
    for part in [
        "Confirm 4711?",
        "claude_binary_path changes from",
        "/tmp/x",
        "which program",
    ] {
        assert!(whole.contains(part), "{whole}");
    }
    let number = 4711;
    assert_eq!(
        settle("allow"),
        Some(Choice::Settle {
            number,
            allow: true
        })
    );
    assert_eq!(
        settle("refuse"),
        Some(Choice::Settle {
            number,
            allow: false
        })
    );
    assert_eq!(settle("0"), None);
}

//! Probes: what each kind sends, what it costs, and when none is needed.
#![expect(clippy::unwrap_used, reason = "all of it is a test")]

#[cfg(unix)]
use std::path::Path;
use std::time::Duration;

#[cfg(unix)]
use serde_json::json;
#[cfg(unix)]
use zephyr_control::ProblemKind;
use zephyr_control::{Command, EndpointState, EventKind, Reason, Snapshot};
use zephyr_engine::Options;
use zephyr_testkit::{Act, Endpoint, Received, Script, Usage};

use crate::common::{OUR_TOKEN, Zephyr, config, streaming};

const HOURLY: &str = "interval_seconds = 3600\n";

fn checks(mode: &str, more: &str) -> String {
    format!("[health_check]\nmode = \"{mode}\"\n{HOURLY}{more}")
}

/// An endpoint that serves this model alone, and refuses others like this.
async fn serving(model: &'static str, refusal: Act) -> Endpoint {
    let script = Script::by(move |request| {
        let asked = request.json()["model"].clone();
        if asked == model {
            Act::message("fine")
        } else {
            let text = format!("model: {} is not available", asked.as_str().unwrap());
            refusal.clone().error_message(&text)
        }
    });
    Endpoint::start(script).await
}

fn measured(snapshot: &Snapshot) -> bool {
    let mut endpoints = snapshot.endpoints.iter();
    endpoints.all(|endpoint| endpoint.latency_ms.is_some())
}

async fn probed_again(zephyr: &Zephyr) {
    let probes = |snapshot: &Snapshot| snapshot.endpoints[0].latency_history.len();
    let before = probes(&*zephyr.snapshot().await);
    zephyr.run(Command::Refresh).await;
    zephyr
        .until("another probe", |snapshot| probes(snapshot) > before)
        .await;
}

fn models(requests: &[Received]) -> Vec<String> {
    let model = |request: &Received| request.json()["model"].as_str().unwrap().to_owned();
    requests.iter().map(model).collect()
}

#[tokio::test]
async fn a_count_of_tokens_is_free_and_goes_where_tokens_are_counted() {
    let a = Endpoint::start(Act::message("fine")).await;
    let zephyr = Zephyr::over(&[&a], &checks("count_tokens", "")).await;

    let snapshot = zephyr.until("measured", measured).await;

    let request = a.next_request().await;
    assert_eq!(request.target, "/v1/messages/count_tokens");
    assert_eq!(request.json().get("max_tokens"), None);
    assert_eq!(snapshot.probes.today_usd, 0.0);
    assert_eq!(snapshot.endpoints[0].state, EndpointState::Ready);
}

#[tokio::test]
async fn a_real_call_tells_the_quota_and_a_free_check_does_not() {
    let used_up = Act::message("fine")
        .header("anthropic-ratelimit-unified-status", "allowed_warning")
        .header("anthropic-ratelimit-unified-5h-utilization", "0.97")
        .header("anthropic-ratelimit-unified-5h-reset", "4102444800");
    let left = |snapshot: &Snapshot| {
        let mut quota = snapshot.endpoints[0].quota.iter();
        quota
            .find(|window| window.name == "5h")
            .map(|window| window.left)
    };
    let a = Endpoint::start(used_up).await;
    let b = Endpoint::start(Act::message("fine")).await;

    let real = Zephyr::over(&[&a, &b], &checks("message", "")).await;
    let real = real.until("measured", measured).await;
    let free = Zephyr::over(&[&a, &b], &checks("count_tokens", "")).await;
    let free = free.until("measured", measured).await;

    assert!(left(&real).is_some_and(|left| left < 0.04), "{real:?}");
    assert_eq!(real.current.as_deref(), Some("B"));
    assert_eq!(left(&free), None);
}

#[tokio::test]
async fn where_tokens_cannot_be_counted_the_models_are_listed_and_else_it_is_connected_to() {
    let only = |path: &'static str| {
        Script::by(move |request| {
            if request.path() == path {
                Act::message("fine")
            } else {
                Act::status(404)
            }
        })
    };
    for (path, last) in [
        ("/v1/models", "/v1/models?limit=1"),
        ("/none", "/v1/models?limit=1"),
    ] {
        let a = Endpoint::start(only(path)).await;
        let zephyr = Zephyr::over(&[&a], &checks("count_tokens", "")).await;

        let snapshot = zephyr.until("measured", measured).await;

        assert_eq!(a.requests().last().unwrap().target, last);
        assert_eq!(snapshot.endpoints[0].reason, None);
    }
}

#[tokio::test]
async fn a_model_that_is_not_served_is_replaced_by_a_cheap_one_that_is_remembered() {
    let refusals = [Act::status(404), Act::status(400), Act::status(403)];
    for refusal in refusals {
        let a = serving("claude-haiku-4-5", refusal).await;
        let zephyr = Zephyr::over(&[&a], &checks("message", "model = \"claude-none\"\n")).await;
        let snapshot = zephyr.until("measured", measured).await;
        let first = models(&a.requests());

        probed_again(&zephyr).await;

        assert_eq!(
            first,
            ["claude-none", "claude-haiku-5-5", "claude-haiku-4-5"]
        );
        assert_eq!(models(&a.requests())[3..], ["claude-haiku-4-5"]);
        let view = &snapshot.endpoints[0];
        assert_eq!((view.state, &view.reason), (EndpointState::Ready, &None));
    }
}

#[tokio::test]
async fn an_endpoint_that_serves_no_cheap_model_is_asked_for_one_at_a_time() {
    let a = serving("nothing of the kind", Act::status(404)).await;
    let zephyr = Zephyr::over(&[&a], &checks("message", "")).await;
    zephyr.until("measured", measured).await;
    let first = a.requests().len();

    probed_again(&zephyr).await;

    assert_eq!((first, a.requests().len()), (5, 6));
    assert_eq!(zephyr.state_of("A").await, EndpointState::Ready);
}

#[tokio::test]
async fn a_probe_costs_what_its_usage_says_times_the_endpoints_price() {
    let usage = Usage {
        input: 10,
        output: 1,
        cache_creation: 0,
        cache_read: 0,
    };
    let a = Endpoint::start(Act::message("fine").usage(usage)).await;
    let text = config(
        &[a.url()],
        &checks("message", "model = \"claude-haiku-5-5\"\n"),
    )
    .replace("proxy =", "price = 2.0, proxy =");
    let zephyr = Zephyr::start(&text, Options::default()).await;

    let snapshot = zephyr.until("measured", measured).await;

    assert_eq!(snapshot.probes.today_usd, 0.000_003);
    assert_eq!(snapshot.endpoints[0].probe_cost_usd, 0.000_003);
    assert_eq!(snapshot.probes.budget_usd, 0.5);
    assert!(!snapshot.probes.reached);
}

#[tokio::test]
async fn when_the_budget_is_reached_checks_are_free_and_it_is_said_even_after_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let options = || Options {
        data_dir: Some(data.path().to_owned()),
        ..Options::default()
    };
    let dear = Usage {
        input: 1000,
        output: 1,
        cache_creation: 0,
        cache_read: 0,
    };
    let a = Endpoint::start(Act::message("fine").usage(dear)).await;
    let text = config(&[a.url()], &checks("message", "daily_budget_usd = 0.001\n"));
    let zephyr = Zephyr::start(&text, options()).await;
    zephyr.until("measured", measured).await;
    assert!(zephyr.snapshot().await.probes.today_usd > 0.001);

    probed_again(&zephyr).await;

    let snapshot = zephyr.snapshot().await;
    let targets: Vec<_> = a
        .requests()
        .into_iter()
        .map(|request| request.target)
        .collect();
    assert_eq!(targets, ["/v1/messages", "/v1/messages/count_tokens"]);
    assert!(snapshot.probes.reached);
    let told = EventKind::BudgetReached { budget_usd: 0.001 };
    assert!(snapshot.events.iter().any(|event| event.kind == told));
    zephyr.engine.drain().await;
    drop(zephyr);
    let again = Zephyr::start(&text, options()).await;
    again.until("measured", measured).await;
    assert_eq!(
        a.requests().last().unwrap().path(),
        "/v1/messages/count_tokens"
    );
    assert_eq!(
        again.snapshot().await.probes.today_usd,
        snapshot.probes.today_usd
    );
}

#[tokio::test]
async fn the_endpoint_in_use_is_checked_as_often_as_the_others() {
    let a = Endpoint::start(Act::message("fine")).await;
    let b = Endpoint::start(Act::message("fine")).await;
    let zephyr = Zephyr::over(
        &[&a, &b],
        "[health_check]\nmode = \"message\"\ninterval_seconds = 1\n",
    )
    .await;
    zephyr.until("measured", measured).await;
    let checks = |snapshot: &Snapshot, name| {
        let endpoint = snapshot.endpoint(name).unwrap();
        endpoint.latency_history.len()
    };

    let (mut sent, mut checked) = (0, (0, 0));
    while checked.1 < 5 {
        assert_eq!(zephyr.used().await, "A");
        sent += 1;
        let snapshot = zephyr.snapshot().await;
        checked = (checks(&snapshot, "A"), checks(&snapshot, "B"));
    }

    let (of_a, of_b) = checked;
    assert!(of_a >= of_b - 1, "{of_a} checks of A and {of_b} of B");
    let snapshot = zephyr.snapshot().await;
    let percentiles = &snapshot.endpoint("A").unwrap().ttft_percentiles[0];
    assert_eq!(percentiles.model, "claude-opus-5-5");
    assert_eq!(percentiles.count, sent);
    assert!(percentiles.p50_ms <= percentiles.p95_ms);
}

#[tokio::test]
async fn slower_than_usual_is_a_reason_of_an_endpoint_that_is_ready() {
    let a = Endpoint::start(Act::message("fine")).await;
    let zephyr = Zephyr::over(&[&a], &checks("message", "")).await;
    zephyr.until("measured", measured).await;
    for _ in 0..5 {
        probed_again(&zephyr).await;
    }
    a.set(Act::message("fine").after(Duration::from_millis(400)));

    for _ in 0..3 {
        probed_again(&zephyr).await;
    }

    let snapshot = zephyr.snapshot().await;
    let view = &snapshot.endpoints[0];
    assert_eq!(view.state, EndpointState::Ready);
    assert!(
        matches!(view.reason, Some(Reason::Slower { ms, usual_ms }) if ms >= 400 && usual_ms < 200),
        "{:?}",
        view.reason
    );
}

#[tokio::test]
async fn how_punctual_the_schedule_is_can_be_measured() {
    let a = Endpoint::start(Act::hang()).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, config(&[a.url()], "")).unwrap();
    let loaded = zephyr_config::load(&path).unwrap();
    let source = zephyr_engine::Source::File(path.into());
    let (interval, span) = (Duration::from_millis(200), Duration::from_secs(3));

    let lateness = zephyr_engine::test_timing(loaded, &source, interval, span)
        .await
        .unwrap();

    assert!(lateness.probes >= 10, "{lateness:?}");
    assert!(lateness.mean <= lateness.max && lateness.p95 <= lateness.max);
    assert_eq!(a.requests().len(), 0, "only connected to");
}

/// A program in place of the Claude CLI.
#[cfg(unix)]
fn program(folder: &Path, script: &str) -> String {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join("claude");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

#[cfg(unix)]
async fn with_program(path: &str, endpoint: &Endpoint, more: &str) -> Zephyr {
    let more = format!("claude_binary_path = {}\n{more}", json!(path));
    Zephyr::over(&[endpoint], &checks("claude_cli", &more)).await
}

#[cfg(unix)]
#[tokio::test]
async fn the_claude_cli_gets_the_endpoint_and_an_empty_home_and_no_secret_in_its_arguments() {
    let folder = tempfile::tempdir().unwrap();
    let seen = folder.path().join("seen");
    let usage =
        r#"{"type":"result","is_error":false,"usage":{"input_tokens":1000,"output_tokens":10}}"#;
    let script = format!(
        "{{ echo \"$@\"; env; echo FILES $(ls -A \"$HOME\"); }} > '{seen}'; touch \"$HOME/left\"; echo '{usage}'",
        seen = seen.display()
    );
    let a = Endpoint::start(Act::message("fine")).await;

    let zephyr = with_program(&program(folder.path(), &script), &a, "").await;
    let snapshot = zephyr.until("measured", measured).await;

    let seen = std::fs::read_to_string(seen).unwrap();
    let (arguments, environment) = seen.split_once('\n').unwrap();
    assert!(arguments.starts_with("-p ping") && !arguments.contains(OUR_TOKEN));
    for line in [
        format!("ANTHROPIC_BASE_URL={}", a.url()),
        format!("ANTHROPIC_AUTH_TOKEN={OUR_TOKEN}"),
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1".to_owned(),
        "DISABLE_AUTOUPDATER=1".to_owned(),
        "FILES".to_owned(),
    ] {
        assert!(
            environment.lines().any(|is| is.trim() == line),
            "{line}: {seen}"
        );
    }
    let home = environment
        .lines()
        .find_map(|line| line.strip_prefix("HOME="));
    assert!(!Path::new(home.unwrap()).exists());
    assert_eq!(snapshot.probes.today_usd, 0.001_05);
    assert_eq!(a.requests().len(), 0, "the program alone calls");
}

#[cfg(unix)]
#[tokio::test]
async fn a_claude_cli_that_hangs_is_ended_with_all_that_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("pids");
    let home = folder.path().join("home");
    let script = format!(
        "echo \"$HOME\" > '{}'\nsh -c 'trap \"\" TERM INT HUP; sleep 600' &\necho $$ $! > '{}'\nsleep 600",
        home.display(),
        pids.display()
    );
    let a = Endpoint::start(Act::message("fine")).await;

    let zephyr = with_program(
        &program(folder.path(), &script),
        &a,
        "timeout_seconds = 1\n",
    )
    .await;
    let snapshot = zephyr
        .until("the check failed", |snapshot| {
            snapshot.endpoints[0].last_check_ms.is_some()
        })
        .await;

    let timed_out = Reason::TimedOut { after_ms: 1000 };
    assert_eq!(snapshot.endpoints[0].last_error, Some(timed_out));
    assert!(snapshot.probes.today_usd > 0.0, "it may have been billed");
    for pid in std::fs::read_to_string(pids).unwrap().split_whitespace() {
        until_gone(pid).await;
    }
    let home = std::fs::read_to_string(home).unwrap();
    assert!(!Path::new(home.trim()).exists());
}

#[cfg(unix)]
#[tokio::test]
async fn ending_zephyr_ends_a_claude_cli_that_runs() {
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("pids");
    let script = format!(
        "sleep 600 & echo $$ $! > '{0}.new'; mv '{0}.new' '{0}'; sleep 600",
        pids.display()
    );
    let a = Endpoint::start(Act::message("fine")).await;
    let path = program(folder.path(), &script);
    let runtime_of_its_own = std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let _zephyr = with_program(&path, &a, "").await;
            while !pids.exists() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        drop(runtime);
        std::fs::read_to_string(pids).unwrap()
    });

    let pids = tokio::task::spawn_blocking(|| runtime_of_its_own.join().unwrap())
        .await
        .unwrap();

    for pid in pids.split_whitespace() {
        until_gone(pid).await;
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_claude_cli_that_fails_is_a_failed_check_and_one_that_is_missing_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let a = Endpoint::start(Act::message("fine")).await;

    let failing = with_program(&program(folder.path(), "exit 3"), &a, "").await;
    let missing = with_program("/nowhere/claude", &a, "").await;

    let failed = failing
        .until("failed", |snapshot| {
            snapshot.endpoints[0].last_error.is_some()
        })
        .await;
    let last_error = failed.endpoints[0].last_error.clone();
    assert!(matches!(last_error, Some(Reason::CliFailed { detail }) if detail.contains('3')));
    let snapshot = missing.until("measured", measured).await;
    assert_eq!(snapshot.endpoints[0].last_error, None);
    assert_eq!(a.requests()[0].path(), "/v1/messages/count_tokens");
    assert_eq!(snapshot.probes.today_usd, 0.0);
    let told: Vec<_> = snapshot.problems.iter().map(|told| told.kind).collect();
    assert_eq!(told, [ProblemKind::ConfigWarning]);
    assert!(snapshot.problems[0].message.contains("claude_binary_path"));
    assert_eq!(failed.problems, []);
}

#[cfg(unix)]
#[tokio::test]
async fn a_claude_cli_that_fails_for_want_of_a_connection_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let a = Endpoint::start(Act::message("fine")).await;
    let script = program(folder.path(), "exit 1");
    let url = a.url();
    a.stop().await;
    let more = format!("claude_binary_path = {}\n", json!(script));

    let zephyr = Zephyr::at(&[url], &checks("claude_cli", &more)).await;

    let failed = zephyr
        .until("failed", |snapshot| {
            snapshot.endpoints[0].last_error.is_some()
        })
        .await;
    let last_error = &failed.endpoints[0].last_error;
    assert!(
        matches!(last_error, Some(Reason::ConnectFailed { .. })),
        "{last_error:?}"
    );
}

/// Waits until no process has this id, nor a zombie that we should have waited for.
#[cfg(unix)]
async fn until_gone(pid: &str) {
    let ours = format!("Z {} ", std::process::id());
    let stat = Path::new("/proc").join(pid).join("stat");
    let is_there = |stat: String| {
        let (_, stat) = stat.rsplit_once(") ").unwrap();
        !stat.starts_with("Z ") || stat.starts_with(&ours)
    };
    let gone = async {
        while std::fs::read_to_string(&stat).is_ok_and(is_there) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone)
        .await
        .unwrap_or_else(|_| panic!("process {pid} is still there"));
}

/// Admits Claude Code alone.
async fn exclusive() -> Endpoint {
    let script = Script::by(|request: &Received| {
        let agent = request.header("user-agent").unwrap_or_default();
        if agent.starts_with("claude-cli/") {
            Act::message("fine")
        } else {
            Act::status(403).error_message("only Claude Code is allowed to use this endpoint")
        }
    });
    Endpoint::start(script).await
}

/// As [`checks`] has it, but checks look like Claude Code's requests.
fn as_claude_code(endpoint: &Endpoint) -> String {
    config(&[endpoint.url()], &checks("message", ""))
        .replace("proxy =", "probe_as = \"claude-code\", proxy =")
}

const CLAUDE_CODE: [(&str, &str); 6] = [
    ("user-agent", "claude-cli/3.1.4 (external, cli)"),
    ("anthropic-beta", "one,two"),
    ("x-stainless-os", "MacOS"),
    ("x-api-key", "token-of-the-client"),
    (
        "x-claude-code-session-id",
        "5e551011-0000-4000-8000-00000000000a",
    ),
    ("x-mine", "1"),
];

#[tokio::test]
async fn a_check_that_looks_like_claude_code_proves_an_endpoint_that_admits_nothing_else() {
    let a = exclusive().await;
    let zephyr = Zephyr::start(&as_claude_code(&a), Options::default()).await;

    let snapshot = zephyr.until("measured", measured).await;

    let probe = a.next_request().await;
    assert_eq!(probe.target, "/v1/messages?beta=true");
    assert_eq!(probe.header("x-app"), Some("cli"));
    assert_eq!(
        probe.header("authorization"),
        Some(format!("Bearer {OUR_TOKEN}").as_str())
    );
    let system = &probe.json()["system"][0]["text"];
    assert!(system.as_str().unwrap().starts_with("You are Claude Code,"));
    let shown = &snapshot.endpoints[0];
    assert_eq!((shown.state, &shown.reason), (EndpointState::Ready, &None));
    assert!(snapshot.probes.today_usd > 0.0, "it was answered");
}

#[tokio::test]
async fn a_check_looks_like_the_last_request_of_claude_code_but_has_nothing_else_of_it() {
    let a = exclusive().await;
    let zephyr = Zephyr::start(&as_claude_code(&a), Options::default()).await;
    zephyr.until("measured", measured).await;
    let body = streaming().to_string();

    zephyr
        .request("POST /v1/messages?beta=true", &CLAUDE_CODE, &body)
        .await;
    probed_again(&zephyr).await;

    let requests = a.requests();
    let probe = requests.last().unwrap();
    let has = |name| probe.header(name);
    assert_eq!(requests.len(), 3);
    assert_eq!(has("user-agent"), Some("claude-cli/3.1.4 (external, cli)"));
    assert_eq!(
        (has("anthropic-beta"), has("x-stainless-os")),
        (Some("one,two"), Some("MacOS"))
    );
    assert_eq!(
        (
            has("x-api-key"),
            has("x-claude-code-session-id"),
            has("x-mine")
        ),
        (None, None, None)
    );
}

#[tokio::test]
async fn a_check_that_is_refused_for_its_program_proves_nothing_and_a_request_decides() {
    let a = exclusive().await;
    let zephyr = Zephyr::over(&[&a], &checks("message", "")).await;
    let body = streaming().to_string();

    let before = zephyr.until("measured", measured).await;
    let of_claude_code = zephyr
        .request("POST /v1/messages?beta=true", &CLAUDE_CODE, &body)
        .await;

    assert_eq!(before.endpoints[0].state, EndpointState::Ready);
    assert_eq!(before.probes.today_usd, 0.0, "it was refused");
    assert_eq!(of_claude_code.text(), "fine");
}

//! The tables of the file, each with a function, and the rules that connect several tables.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use zephyr_core::config::{
    Breaker, BreakerPolicy, Config, Desktop, Failover, HealthCheck, Hedge, Logging, Notifications,
    Price, Routing, Server, Ui, Validation, WebAdmin,
};

use super::address::{Listeners, allowed_host, allowed_origin, host};
use super::credential::{CLIENT_TOKEN, Credential};
use super::fleet::fleet;
use super::health_check::health_check;
use super::rules::rules;
use super::spans::{DAY_SECONDS, YEAR_SECONDS};
use super::table::{Spelled, Table, WordOr};

const DAY_MS: u64 = DAY_SECONDS * 1000;
const TERABYTE_MB: u64 = 1024 * 1024;

const MOST_ATTEMPTS: RangeInclusive<u32> = 1..=100;
/// From a millisecond to a day.
const HEDGE_SECONDS: RangeInclusive<f64> = 0.001..=86_400.0;
/// `routing.second_usd`: $360,000 an hour; more is a slip of the pen.
const MOST_SECOND_USD: f64 = 100.0;

const OWN_CREDENTIAL: &str = "auth_type = \"auth_token\" and a credential";

/// The whole file.
pub(crate) fn config(root: &Table<'_>) -> Config {
    let server_table = root.table("server");
    let failover_table = root.table("failover");
    let health_table = root.table("health_check");
    let web_admin_table = root.table("web_admin");

    let client_token = Credential::read(&server_table, &CLIENT_TOKEN);
    let server = server(&server_table, &health_table, &client_token);
    let web_admin = web_admin(&web_admin_table, &server);
    let health_check = health_check(&health_table, &HealthCheck::default());
    let fleet = fleet(root, &health_check, &Listeners::of(&server, &web_admin));
    let passthrough = fleet.passthrough.as_deref();
    if client_token.is_absent() {
        refuse_open_door(&server_table, server.host, passthrough);
    } else if let Some(endpoint) = passthrough {
        refuse_shared_header(&server_table, endpoint);
    }

    Config {
        server,
        groups: fleet.groups,
        endpoints: fleet.endpoints,
        routing: routing(&root.table("routing")),
        failover: failover(&failover_table, &root.table("retry")),
        breaker: breaker(&root.table("breaker")),
        health_check,
        validation: validation(&root.table("validation")),
        logging: logging(&root.table("logging")),
        web_admin,
        ui: ui(&root.table("ui")),
        notifications: notifications(&root.table("notifications")),
        desktop: desktop(&root.table("desktop")),
        pricing: pricing(root.table("pricing")),
    }
}

fn server(table: &Table<'_>, health: &Table<'_>, client_token: &Credential) -> Server {
    let defaults = Server::default();
    Server {
        host: host(table, defaults.host),
        port: table.whole("port", 0..=u16::MAX, defaults.port),
        client_token: client_token.named().cloned(),
        switch_threshold: either_millis(
            table,
            health,
            "switch_threshold_ms",
            defaults.switch_threshold,
        ),
        drain_timeout: either_millis(
            table,
            health,
            "graceful_switch_timeout_ms",
            defaults.drain_timeout,
        ),
        max_body: table.mebibytes("max_body_mb", 1..=TERABYTE_MB, defaults.max_body),
        allowed_hosts: table.texts("allowed_hosts", allowed_host),
        allowed_origins: table.texts("allowed_origins", allowed_origin),
        allow_other_users: table.flag("allow_other_users", defaults.allow_other_users),
        memory_budget: table.mebibytes(
            "memory_budget_mb",
            16..=TERABYTE_MB,
            defaults.memory_budget,
        ),
    }
}

fn web_admin(table: &Table<'_>, server: &Server) -> WebAdmin {
    let defaults = WebAdmin::default();
    let admin = WebAdmin {
        enabled: table.flag("enabled", defaults.enabled),
        host: host(table, defaults.host),
        port: table.whole("port", 0..=u16::MAX, defaults.port),
    };
    if !admin.host.to_canonical().is_loopback() {
        table.error(
            "host",
            "is not a loopback address, and the admin port is for this machine only",
            "write \"127.0.0.1\", and reach it from elsewhere through an SSH tunnel",
        );
    }
    if admin.port == server.port && admin.port != 0 {
        table.warn(
            "port",
            "is the proxy's own port, so the admin page takes a free one at every start",
            "write another port than in [server]",
        );
    }
    admin
}

fn routing(table: &Table<'_>) -> Routing {
    let defaults = Routing::default();
    Routing {
        strategy: table.choice("strategy", defaults.strategy),
        sticky_sessions: table.flag("sticky_sessions", defaults.sticky_sessions),
        sticky_ttl: table.seconds("sticky_ttl_seconds", 1..=YEAR_SECONDS, defaults.sticky_ttl),
        min_dwell: table.seconds("min_dwell_seconds", 0..=DAY_SECONDS, defaults.min_dwell),
        second_usd: table.amount_up_to("second_usd", MOST_SECOND_USD, defaults.second_usd),
    }
}

fn failover(table: &Table<'_>, retry: &Table<'_>) -> Failover {
    let defaults = Failover::default();
    let enabled = retry.flag("enabled", defaults.enabled);
    let max_attempts = retry.whole_if_there("max_attempts", MOST_ATTEMPTS);
    outrank(table, retry, "enabled");
    outrank(table, retry, "max_attempts");
    Failover {
        enabled: table.flag("enabled", enabled),
        max_attempts: match table.word_or_whole("max_attempts", MOST_ATTEMPTS, AllWord::All) {
            Some(WordOr::Word(AllWord::All)) => None,
            Some(WordOr::Number(most)) => Some(most),
            None => max_attempts.or(defaults.max_attempts),
        },
        connect_timeout: table.seconds(
            "connect_timeout_seconds",
            1..=DAY_SECONDS,
            defaults.connect_timeout,
        ),
        patience: table.choice("patience", defaults.patience),
        first_event_timeout: table.seconds(
            "first_event_timeout_seconds",
            1..=DAY_SECONDS,
            defaults.first_event_timeout,
        ),
        idle_timeout: table.seconds(
            "idle_timeout_seconds",
            1..=DAY_SECONDS,
            defaults.idle_timeout,
        ),
        hedge: match table.word_or_seconds("hedge", HEDGE_SECONDS, HedgeWord::Auto) {
            Some(WordOr::Word(HedgeWord::Auto)) => Hedge::Auto,
            Some(WordOr::Word(HedgeWord::Off)) => Hedge::Off,
            Some(WordOr::Number(after)) => Hedge::After(after),
            None => defaults.hedge,
        },
        hedge_budget_percent: table.whole(
            "hedge_budget_percent",
            0..=100,
            defaults.hedge_budget_percent,
        ),
        last_resort: table.flag("last_resort", defaults.last_resort),
        max_wait: table.seconds("hold_seconds", 0..=DAY_SECONDS, defaults.max_wait),
        on_client_errors: table.flag("on_client_errors", defaults.on_client_errors),
        retry_budget_percent: table.whole(
            "retry_budget_percent",
            0..=100,
            defaults.retry_budget_percent,
        ),
        replay_limit: table.mebibytes("replay_limit_mb", 0..=TERABYTE_MB, defaults.replay_limit),
        retry_sent_requests: table.flag("retry_sent_requests", defaults.retry_sent_requests),
        repair_thinking: table.flag("repair_thinking", defaults.repair_thinking),
        rules: rules(table),
    }
}

fn breaker(table: &Table<'_>) -> Breaker {
    let defaults = Breaker::default();
    let max_failures = table.whole("max_failures", 1..=1000, BreakerPolicy::MAX_FAILURES);
    let window = table.seconds("window_seconds", 1..=DAY_SECONDS, BreakerPolicy::WINDOW);
    let min_failures = table.whole("min_failures", 1..=1000, BreakerPolicy::MIN_FAILURES);
    let cooldown = table.seconds("cooldown_seconds", 1..=YEAR_SECONDS, defaults.cooldown);
    let max_cooldown = table.seconds(
        "max_cooldown_seconds",
        1..=YEAR_SECONDS,
        defaults.max_cooldown,
    );
    if cooldown > max_cooldown {
        table.error(
            "cooldown_seconds",
            "is longer than max_cooldown_seconds",
            "make it smaller, or max_cooldown_seconds larger",
        );
    }
    Breaker {
        policy: match table.choice("policy", PolicyName::Consecutive) {
            PolicyName::Consecutive => BreakerPolicy::Consecutive { max_failures },
            PolicyName::Window => BreakerPolicy::Window {
                window,
                min_failures,
            },
        },
        cooldown,
        max_cooldown,
    }
}

fn validation(table: &Table<'_>) -> Validation {
    let defaults = Validation::default();
    Validation {
        strict_format: table.flag("strict_anthropic_format", defaults.strict_format),
        streaming: table.flag("validate_streaming", defaults.streaming),
        disconnect_on_invalid: table.flag("disconnect_on_invalid", defaults.disconnect_on_invalid),
    }
}

fn logging(table: &Table<'_>) -> Logging {
    let defaults = Logging::default();
    Logging {
        level: table.choice("level", defaults.level),
        request_types: table.choice("log_request_types", defaults.request_types),
        request_body: table.choice("log_request_body", defaults.request_body),
        response_body: table.choice("log_response_body", defaults.response_body),
        directory: table.text("log_directory").map(str::to_owned),
        retention_days: table.whole("retention_days", 1..=36_500, defaults.retention_days),
        max_size: table.mebibytes("max_size_mb", 1..=TERABYTE_MB, defaults.max_size),
    }
}

fn ui(table: &Table<'_>) -> Ui {
    let defaults = Ui::default();
    Ui {
        language: table.choice("language", defaults.language),
        theme: table.choice("theme", defaults.theme),
    }
}

fn notifications(table: &Table<'_>) -> Notifications {
    let defaults = Notifications::default();
    Notifications {
        on_switch: table.flag("on_switch", defaults.on_switch),
        on_all_down: table.flag("on_all_down", defaults.on_all_down),
        on_recovery: table.flag("on_recovery", defaults.on_recovery),
        on_offline: table.flag("on_offline", defaults.on_offline),
        on_refused: table.flag("on_refused", defaults.on_refused),
        on_budget: table.flag("on_budget", defaults.on_budget),
        min_interval: table.seconds(
            "min_interval_seconds",
            0..=DAY_SECONDS,
            defaults.min_interval,
        ),
    }
}

fn desktop(table: &Table<'_>) -> Desktop {
    let defaults = Desktop::default();
    Desktop {
        launch_at_login: table.flag("launch_at_login", defaults.launch_at_login),
        start_hidden: table.flag("start_hidden", defaults.start_hidden),
        restore_claude_code_on_quit: table.flag(
            "restore_claude_code_on_quit",
            defaults.restore_claude_code_on_quit,
        ),
    }
}

fn pricing(table: Table<'_>) -> BTreeMap<String, Price> {
    const EXAMPLE: &str = "\"model\" = { input = 3.0, output = 15.0, cache_write_5m = 3.75, \
        cache_write_1h = 6.0, cache_read = 0.30 }";
    let rate = |model: &Table<'_>, key| {
        if !model.has(key) {
            model.error(
                key,
                "is missing",
                format!("write all five rates: {EXAMPLE}"),
            );
        }
        model.amount(key, 0.0)
    };
    let models = table.named_tables(EXAMPLE).into_iter();
    models
        .map(|(name, model)| {
            let price = Price {
                input: rate(&model, "input"),
                output: rate(&model, "output"),
                cache_write_5m: rate(&model, "cache_write_5m"),
                cache_write_1h: rate(&model, "cache_write_1h"),
                cache_read: rate(&model, "cache_read"),
            };
            (name, price)
        })
        .collect()
}

fn refuse_open_door(server: &Table<'_>, host: IpAddr, passthrough: Option<&str>) {
    if host.to_canonical().is_loopback() {
        return;
    }
    let first = match passthrough {
        Some(endpoint) => {
            format!(
                "give {endpoint} {OWN_CREDENTIAL}, since passthrough excludes a client token, and "
            )
        }
        None => String::new(),
    };
    server.error(
        "host",
        "lets other machines use your endpoints, since clients are asked for no token",
        format!(
            "write host = \"127.0.0.1\", or {first}add client_token_env with the name of an environment variable"
        ),
    );
}

fn refuse_shared_header(server: &Table<'_>, endpoint: &str) {
    let keys = ["client_token_env", "client_token_keychain"];
    let key = keys.into_iter().find(|key| server.has(key));
    server.error(
        key.unwrap_or("client_token"),
        format!("asks clients for a token in the header in which {endpoint} passes on their own credential"),
        format!("remove it, or give that endpoint {OWN_CREDENTIAL}"),
    );
}

/// A key of `[server]` that claude-zephyr also had in `[health_check]`.
fn either_millis(
    server: &Table<'_>,
    health: &Table<'_>,
    key: &'static str,
    default: Duration,
) -> Duration {
    outrank(server, health, key);
    let otherwise = health.millis(key, 0..=DAY_MS, default);
    server.millis(key, 0..=DAY_MS, otherwise)
}

fn outrank(first: &Table<'_>, second: &Table<'_>, key: &str) {
    if first.has(key) && second.has(key) {
        let first = first.path();
        second.warn(
            key,
            format!("is outranked by {first}.{key}"),
            format!("delete it here, and keep {first}.{key}"),
        );
    }
}

/// `failover.max_attempts`, unless it is a number.
#[derive(Clone, Copy, PartialEq)]
enum AllWord {
    All,
}

impl Spelled for AllWord {
    const SPELLINGS: &'static [(&'static str, Self)] = &[("all", Self::All)];
}

/// `failover.hedge`, unless it is a number.
#[derive(Clone, Copy, PartialEq)]
enum HedgeWord {
    Auto,
    Off,
}

impl Spelled for HedgeWord {
    const SPELLINGS: &'static [(&'static str, Self)] = &[("auto", Self::Auto), ("off", Self::Off)];
}

/// `breaker.policy`.
#[derive(Clone, Copy, PartialEq)]
enum PolicyName {
    Consecutive,
    Window,
}

impl Spelled for PolicyName {
    const SPELLINGS: &'static [(&'static str, Self)] =
        &[("consecutive", Self::Consecutive), ("window", Self::Window)];
}

//! What the configuration file may say, and what is said about the rest.

use std::path::Path;
use std::time::Duration;

use zephyr_config::{Loaded, Problem, Problems, load, parse};
use zephyr_core::config::{
    Auth, AuthHeader, BreakerPolicy, Config, CredentialRef, Hedge, Language, LogBody, LogLevel,
    LogRequests, Logging, Patience, ProbeAs, ProbeMode, ProxyRoute, Strategy,
};

/// One group with one good endpoint, to be followed by more lines of that group.
const GROUP: &str = "[[groups]]\nname = \"main\"\nauth_token_env = \"AUTH_TOKEN_MAIN\"\n";

#[test]
fn an_empty_file_is_the_default_configuration() {
    let loaded = loaded("");

    assert_eq!(loaded.config, Config::default());
    assert_eq!(loaded.warnings, []);
}

#[test]
fn a_group_settles_what_its_endpoint_leaves_open() {
    let text = format!(
        "{GROUP}health_check = {{ mode = \"connect\", interval_seconds = 30 }}\n{}",
        endpoints("{ name = \"a\", url = \"https://a.example.com/\" }")
    );

    let config = loaded(&text).config;

    let endpoint = config.endpoint("a").unwrap();
    assert_eq!(endpoint.group, "main");
    assert_eq!(endpoint.url.to_string(), "https://a.example.com");
    assert_eq!(endpoint.auth, ours(AuthHeader::Bearer, "AUTH_TOKEN_MAIN"));
    assert_eq!((endpoint.priority, endpoint.weight), (1, 1));
    assert!((endpoint.price - 1.0).abs() < f64::EPSILON);
    assert!(endpoint.enabled);
    assert_eq!(endpoint.proxy, ProxyRoute::System);
    assert_eq!(endpoint.health_check.mode, ProbeMode::Connect);
    assert_eq!(endpoint.health_check.interval, Duration::from_secs(30));
    assert_eq!(endpoint.health_check.timeout, config.health_check.timeout);
}

#[test]
fn an_endpoint_outranks_its_group() {
    let text = format!(
        "{GROUP}{}",
        endpoints(
            "{ name = \"a\", url = \"https://a.example.com/x\", path_prefix = \"/y/\", flag = \"🇭🇰\", \
             enabled = false, priority = 3, weight = 5, price = 0.8, auth_type = \"api_key\", \
             auth_token_env = \"OTHER\", proxy = \"socks5://127.0.0.1:1080\", subscription_only = true, \
             probe_as = \"claude-code\" }"
        )
    );

    let loaded = loaded(&text);

    let endpoint = loaded.config.endpoint("a").unwrap();
    assert_eq!(endpoint.url.path(), "/x/y");
    assert_eq!(endpoint.flag.as_deref(), Some("🇭🇰"));
    assert!(!endpoint.enabled);
    assert_eq!((endpoint.priority, endpoint.weight), (3, 5));
    assert!((endpoint.price - 0.8).abs() < f64::EPSILON);
    assert_eq!(endpoint.auth, ours(AuthHeader::ApiKey, "OTHER"));
    assert!(endpoint.subscription_only);
    assert_eq!(endpoint.probe_as, ProbeAs::ClaudeCode);
    assert_eq!(
        endpoint.proxy,
        ProxyRoute::Via("socks5://127.0.0.1:1080".to_owned())
    );
    assert_eq!(loaded.warnings, []);
}

#[test]
fn what_a_group_says_of_extra_usage_and_of_probes_counts_where_its_endpoint_says_nothing() {
    let of = |group: &str, endpoint: &str| {
        let text = format!(
            "{GROUP}{group}\n{}",
            endpoints(&format!(
                "{{ name = \"a\", url = \"https://a.example.com\"{endpoint} }}"
            ))
        );
        let loaded = loaded(&text);
        assert_eq!(loaded.warnings, []);
        let endpoint = loaded.config.endpoint("a").unwrap();
        (endpoint.subscription_only, endpoint.probe_as)
    };
    let group = "subscription_only = true\nprobe_as = \"claude-code\"";

    assert_eq!(of("", ""), (false, ProbeAs::Zephyr));
    assert_eq!(of(group, ""), (true, ProbeAs::ClaudeCode));
    assert_eq!(
        of(group, ", subscription_only = false, probe_as = \"zephyr\""),
        (false, ProbeAs::Zephyr)
    );
}

#[test]
fn the_first_group_is_the_default_unless_another_says_so() {
    let unsaid = loaded(&two_groups("", "")).config;
    let said = loaded(&two_groups("", "default = true")).config;

    assert_eq!(unsaid.first_choice().unwrap().name, "a");
    assert_eq!(said.first_choice().unwrap().name, "b");
}

#[test]
fn api_key_env_is_another_name_for_auth_token_env() {
    let text = "[[groups]]\nname = \"main\"\nauth_type = \"api_key\"\napi_key_env = \"KEY\"\n\
        endpoints = [{ name = \"a\", url = \"https://a.example.com\" }]\n";

    let loaded = loaded(text);

    assert_eq!(
        loaded.config.endpoints[0].auth,
        ours(AuthHeader::ApiKey, "KEY")
    );
    assert_eq!(loaded.warnings, []);
}

#[test]
fn api_key_env_without_an_auth_type_asks_which_header_is_meant() {
    let text = "[[groups]]\nname = \"main\"\napi_key_env = \"KEY\"\n\
        endpoints = [{ name = \"a\", url = \"https://a.example.com\" }]\n";

    let warning = only_warning(text);

    assert_eq!(place(&warning), (Some(3), "groups[0].api_key_env"));
    assert!(warning.remedy.contains("auth_type"));
}

#[test]
fn endpoints_may_be_tables_of_their_own() {
    let text =
        format!("{GROUP}[[groups.endpoints]]\nname = \"a\"\nurl = \"https://a.example.com\"\n");

    assert_eq!(loaded(&text).config.endpoints.len(), 1);
}

#[test]
fn the_window_policy_takes_its_own_keys() {
    let config = loaded("[breaker]\npolicy = \"window\"\nmin_failures = 4\n").config;

    assert_eq!(
        config.breaker.policy,
        BreakerPolicy::Window {
            window: Duration::from_secs(140),
            min_failures: 4
        }
    );
}

#[test]
fn a_price_list_is_read_whole() {
    let text = "[pricing]\n\"claude-x\" = { input = 3, output = 15.0, cache_write_5m = 3.75, \
        cache_write_1h = 6.0, cache_read = 0.30 }\n";

    let loaded = loaded(text);

    let price = loaded.config.pricing["claude-x"];
    assert!((price.input - 3.0).abs() < f64::EPSILON);
    assert!((price.cache_read - 0.3).abs() < f64::EPSILON);
}

#[test]
fn addresses_are_brought_into_one_form() {
    let text = "[server]\nhost = \"localhost\"\nallowed_hosts = [\"Zephyr.LAN\", \"[::1]\"]\n\
        allowed_origins = [\"https://App.example.com:443\", \"http://localhost:5173\", \"chrome-extension://abc\"]\n";

    let server = loaded(text).config.server;

    assert!(server.host.is_loopback());
    assert_eq!(server.allowed_hosts, ["zephyr.lan", "::1"]);
    assert_eq!(
        server.allowed_origins,
        [
            "https://app.example.com",
            "http://localhost:5173",
            "chrome-extension://abc"
        ]
    );
}

#[test]
fn every_error_is_reported_at_once_and_by_line() {
    let text = "[server]\nport = 70000\n[routing]\nstrategy = \"fast\"\n[web_admin]\nenabled = 1\n";

    let problems = refused(text);

    let places: Vec<_> = problems.iter().map(place).collect();
    assert_eq!(
        places,
        [
            (Some(2), "server.port"),
            (Some(4), "routing.strategy"),
            (Some(6), "web_admin.enabled")
        ]
    );
    assert_eq!(problems.count(), 3);
    assert_eq!(problems.to_string().lines().count(), 3);
}

#[test]
fn a_problem_reads_as_a_sentence_with_its_place() {
    let problem = only_error("\n[server]\nport = 70000\n");

    assert_eq!(
        problem.to_string(),
        "line 3: server.port is 70000, which is out of range; write a whole number from 0 to 65535"
    );
}

#[test]
fn text_that_is_no_toml_is_one_problem_with_its_line() {
    for (text, line) in [
        ("[server]\nport = \n", 2),
        ("a = 1\na = 2\n", 2),
        ("[server\nport = 1\n[x\n", 1),
        ("a = 1\nb = \"open\n", 2),
    ] {
        let problem = only_error(text);

        assert_eq!(place(&problem), (Some(line), ""), "{text}");
    }
}

#[test]
fn a_broken_value_of_an_unknown_key_is_an_error_with_its_line() {
    for value in [
        "0x",
        "0b2",
        "1979-99-99",
        "99999999999999999999",
        "1e999",
        "1__0",
        "\"open",
        "[0x]",
        "{ y = 0x }",
    ] {
        let problem = only_error(&format!("[server]\nport = 1\nx = {value}\n[unknown]\n"));

        assert_eq!(place(&problem), (Some(3), ""), "{value}: {problem}");
    }
    let known = only_error("[server]\nport = 99999999999999999999\n");
    assert_eq!(place(&known), (Some(2), "server.port"));
}

#[test]
fn a_value_out_of_its_range_is_refused() {
    let cases = [
        ("[server]\nport = 65536", "server.port"),
        ("[server]\nport = -1", "server.port"),
        (
            "[server]\nswitch_threshold_ms = -1",
            "server.switch_threshold_ms",
        ),
        ("[server]\nmax_body_mb = 0", "server.max_body_mb"),
        ("[server]\nmax_body_mb = 99999999999999999999", ""),
        (
            "[routing]\nsticky_ttl_seconds = 0",
            "routing.sticky_ttl_seconds",
        ),
        ("[failover]\nmax_attempts = 0", "failover.max_attempts"),
        ("[failover]\nmax_attempts = 101", "failover.max_attempts"),
        ("[retry]\nmax_attempts = 101", "retry.max_attempts"),
        ("[failover]\nhedge = 0", "failover.hedge"),
        ("[failover]\nhedge = -1.5", "failover.hedge"),
        ("[failover]\nhedge = 86400.5", "failover.hedge"),
        ("[failover]\nhedge = nan", "failover.hedge"),
        ("[failover]\nhedge = inf", "failover.hedge"),
        (
            "[failover]\nhedge_budget_percent = 101",
            "failover.hedge_budget_percent",
        ),
        ("[routing]\nsecond_usd = -0.01", "routing.second_usd"),
        ("[routing]\nsecond_usd = 100.5", "routing.second_usd"),
        ("[routing]\nsecond_usd = nan", "routing.second_usd"),
        (
            "[failover]\nconnect_timeout_seconds = 0",
            "failover.connect_timeout_seconds",
        ),
        (
            "[failover]\nfirst_event_timeout_seconds = 0",
            "failover.first_event_timeout_seconds",
        ),
        (
            "[failover]\nidle_timeout_seconds = 0",
            "failover.idle_timeout_seconds",
        ),
        (
            "[failover]\nretry_budget_percent = 101",
            "failover.retry_budget_percent",
        ),
        (
            "[failover]\nhold_seconds = 9223372036854775807",
            "failover.hold_seconds",
        ),
        ("[breaker]\nmax_failures = 0", "breaker.max_failures"),
        (
            "[breaker]\ncooldown_seconds = 0",
            "breaker.cooldown_seconds",
        ),
        (
            "[breaker]\ncooldown_seconds = 900",
            "breaker.cooldown_seconds",
        ),
        ("[breaker]\nwindow_seconds = 0", "breaker.window_seconds"),
        ("[breaker]\nmin_failures = 0", "breaker.min_failures"),
        (
            "[health_check]\ninterval_seconds = 0",
            "health_check.interval_seconds",
        ),
        (
            "[health_check]\ntimeout_seconds = 0",
            "health_check.timeout_seconds",
        ),
        (
            "[health_check]\ndaily_budget_usd = -0.1",
            "health_check.daily_budget_usd",
        ),
        (
            "[health_check]\ndaily_budget_usd = nan",
            "health_check.daily_budget_usd",
        ),
        ("[health_check]\nmodel = \" \"", "health_check.model"),
        ("[logging]\nretention_days = 0", "logging.retention_days"),
        ("[logging]\nmax_size_mb = 0", "logging.max_size_mb"),
    ];

    for (text, key) in cases.into_iter().filter(|(_, key)| !key.is_empty()) {
        let problem = only_error(text);

        assert_eq!(place(&problem), (Some(2), key), "{problem}");
    }
}

#[test]
fn a_value_of_the_wrong_kind_is_refused() {
    let cases = [
        ("[server]\nport = \"8080\"", "server.port"),
        ("[server]\nport = 80.5", "server.port"),
        ("[server]\nhost = 127", "server.host"),
        ("[server]\nallowed_hosts = \"a\"", "server.allowed_hosts"),
        ("[server]\nallowed_hosts = [1]", "server.allowed_hosts[0]"),
        ("[failover]\nenabled = \"yes\"", "failover.enabled"),
        ("[failover]\nmax_attempts = true", "failover.max_attempts"),
        ("[failover]\nmax_attempts = 2.5", "failover.max_attempts"),
        ("[retry]\nmax_attempts = \"all\"", "retry.max_attempts"),
        ("[failover]\npatience = 30", "failover.patience"),
        ("[failover]\nhedge = [1]", "failover.hedge"),
        ("[failover]\nhedge = false", "failover.hedge"),
        ("[routing]\nstrategy = 1", "routing.strategy"),
        ("[routing]\nsecond_usd = \"0.01\"", "routing.second_usd"),
        ("[health_check]\nmodel = 4", "health_check.model"),
        (
            "[health_check]\ndaily_budget_usd = \"1\"",
            "health_check.daily_budget_usd",
        ),
        ("\n[[server]]", "server"),
        ("\ngroups = 3", "groups"),
        ("\n[groups]", "groups"),
        ("\ngroups = [\"a\"]", "groups[0]"),
        ("[pricing]\n\"x\" = 3", "pricing.x"),
    ];

    for (text, key) in cases {
        let problem = only_error(text);

        assert_eq!(place(&problem), (Some(2), key), "{problem}");
    }
}

#[test]
fn a_misspelt_word_is_answered_with_the_nearest_one() {
    let cases = [
        (
            "[routing]\nstrategy = \"latancy\"",
            "write \"latency\" if that is meant",
        ),
        (
            "[routing]\nstrategy = \"round-robin\"",
            "write \"round_robin\" if that is meant",
        ),
        (
            "[health_check]\nmode = \"model\"",
            "write \"models\" if that is meant",
        ),
        (
            "[logging]\nlevel = \"warning\"",
            "write \"warn\" if that is meant",
        ),
        (
            "[breaker]\npolicy = \"panic\"",
            "write one of \"consecutive\", \"window\"",
        ),
    ];

    for (text, remedy) in cases {
        assert_eq!(only_error(text).remedy, remedy);
    }
}

#[test]
fn a_key_that_takes_a_word_or_a_number_says_which() {
    let cases = [
        (
            "[failover]\nmax_attempts = \"every\"",
            "write \"all\", or a whole number from 1 to 100",
        ),
        (
            "[failover]\nmax_attempts = \"3\"",
            "write \"all\", or a whole number from 1 to 100",
        ),
        (
            "[failover]\nmax_attempts = 0",
            "write \"all\", or a whole number from 1 to 100",
        ),
        (
            "[failover]\nhedge = \"on\"",
            "write \"auto\", \"off\", or a number of seconds from 0.001 to 86400",
        ),
        (
            "[failover]\nhedge = 0",
            "write \"auto\", \"off\", or a number of seconds from 0.001 to 86400",
        ),
        (
            "[failover]\npatience = \"learned\"",
            "write one of \"auto\", \"fixed\"",
        ),
        (
            "[routing]\nsecond_usd = -1",
            "write a number from 0 to 100, such as 0.01",
        ),
    ];

    for (text, remedy) in cases {
        assert_eq!(only_error(text).remedy, remedy, "{text}");
    }
}

#[test]
fn a_request_is_tried_at_all_endpoints_or_at_so_many() {
    let most = |text: &str| loaded(text).config.failover.max_attempts;

    assert_eq!(most(""), None);
    assert_eq!(most("[failover]\nmax_attempts = \"all\""), None);
    assert_eq!(most("[failover]\nmax_attempts = 1"), Some(1));
    assert_eq!(most("[failover]\nmax_attempts = 0x64"), Some(100));
    assert_eq!(most("[retry]\nmax_attempts = 5"), Some(5));
    assert_eq!(
        most("[failover]\nmax_attempts = \"all\"\n[retry]\nmax_attempts = 5"),
        None
    );
}

#[test]
fn patience_is_learned_or_fixed() {
    let patience = |text: &str| loaded(text).config.failover.patience;

    assert_eq!(patience(""), Patience::Auto);
    assert_eq!(patience("[failover]\npatience = \"auto\""), Patience::Auto);
    assert_eq!(
        patience("[failover]\npatience = \"fixed\""),
        Patience::Fixed
    );
}

#[test]
fn a_second_attempt_is_sent_by_itself_never_or_after_so_many_seconds() {
    let hedge = |text: &str| loaded(&format!("[failover]\n{text}")).config.failover.hedge;
    let after = |millis| Hedge::After(Duration::from_millis(millis));

    assert_eq!(hedge(""), Hedge::Auto);
    assert_eq!(hedge("hedge = \"auto\""), Hedge::Auto);
    assert_eq!(hedge("hedge = \"off\""), Hedge::Off);
    assert_eq!(hedge("hedge = 8"), after(8000));
    assert_eq!(hedge("hedge = 0x10"), after(16_000));
    assert_eq!(hedge("hedge = 2.5"), after(2500));
    assert_eq!(hedge("hedge = 0.001"), after(1));
    assert_eq!(hedge("hedge = 86_400"), after(86_400_000));
    let budget = |text: &str| loaded(text).config.failover.hedge_budget_percent;
    assert_eq!(budget(""), 5);
    assert_eq!(budget("[failover]\nhedge_budget_percent = 0"), 0);
    assert_eq!(budget("[failover]\nhedge_budget_percent = 100"), 100);
}

#[test]
fn what_a_second_is_worth_is_an_amount_of_dollars() {
    let second = |text: &str| {
        let routing = loaded(&format!("[routing]\n{text}")).config.routing;
        format!("{}", routing.second_usd)
    };

    assert_eq!(second(""), "0.01");
    assert_eq!(second("second_usd = 0"), "0");
    assert_eq!(second("second_usd = 0.002"), "0.002");
    assert_eq!(second("second_usd = 1e-3"), "0.001");
    assert_eq!(second("second_usd = 100"), "100");
}

#[test]
fn two_endpoints_of_one_name_are_refused_with_both_lines() {
    let text = two_groups("", "").replace("name = \"b\"", "name = \"a\"");

    let problem = only_error(&text);

    assert_eq!(place(&problem), (Some(8), "groups[1].endpoints[0].name"));
    assert!(problem.message.contains("line 4"), "{problem}");
}

#[test]
fn two_groups_of_one_name_are_refused_with_both_lines() {
    let text = two_groups("", "").replace("name = \"two\"", "name = \"one\"");

    let problem = only_error(&text);

    assert_eq!(place(&problem), (Some(6), "groups[1].name"));
    assert!(problem.message.contains("line 2"), "{problem}");
}

#[test]
fn two_default_groups_are_refused_with_both_lines() {
    let problem = only_error(&two_groups("default = true", "default = true"));

    assert_eq!(place(&problem), (Some(10), "groups[1].default"));
    assert!(problem.message.contains("line 5"), "{problem}");
}

#[test]
fn a_group_that_forgets_its_endpoints_is_refused_and_one_that_says_it_has_none_is_not() {
    let missing = only_error(GROUP);
    let empty = parse(&format!("{GROUP}endpoints = []\n")).unwrap();

    assert_eq!(place(&missing), (Some(1), "groups[0].endpoints"));
    assert_eq!(place(&empty.warnings[0]), (Some(4), "groups[0].endpoints"));
    assert_eq!(empty.warnings.len(), 1);
    assert!(parse("[routing]\n").is_ok());
}

#[test]
fn groups_and_endpoints_need_names() {
    let nameless_group = GROUP.replace("name = \"main\"\n", "");
    let group = only_error(&format!(
        "{nameless_group}{}",
        endpoints("{ name = \"a\", url = \"https://a.example.com\" }")
    ));
    let endpoint = only_error(&format!(
        "{GROUP}{}",
        endpoints("{ name = \" \", url = \"https://a.example.com\" }")
    ));

    assert_eq!(place(&group), (Some(1), "groups[0].name"));
    assert_eq!(place(&endpoint), (Some(4), "groups[0].endpoints[0].name"));
}

#[test]
fn a_url_that_cannot_be_called_says_what_to_change() {
    let cases = [
        ("api.example.com", "put https:// before it"),
        ("ftp://api.example.com", "begin it with https://"),
        ("https://me:hunter2@api.example.com", "auth_token_env"),
        ("https://api.example.com/?key=hunter2", "end it before"),
        ("https://", "write scheme, host"),
        ("", "write url"),
    ];

    for (url, remedy) in cases {
        let problem = only_error(&with_endpoint(&format!("url = \"{url}\"")));

        assert_eq!(place(&problem), (Some(4), "groups[0].endpoints[0].url"));
        assert!(problem.remedy.contains(remedy), "{problem}");
        assert!(!problem.to_string().contains("hunter2"));
    }
}

#[test]
fn a_path_prefix_must_be_a_path() {
    let problem = only_error(&with_endpoint(
        "url = \"https://a.example.com\", path_prefix = \"/x?y\"",
    ));

    assert_eq!(problem.key, "groups[0].endpoints[0].path_prefix");
}

#[test]
fn a_url_with_the_version_that_clients_add_is_warned_about() {
    let warning = only_warning(&with_endpoint("url = \"https://a.example.com/v1/\""));

    assert_eq!(warning.key, "groups[0].endpoints[0].url");
}

#[test]
fn a_path_that_clients_add_themselves_is_left_out_with_a_note() {
    let cases = [
        ("url = \"https://a.example.com/v1\"", "", "url"),
        ("url = \"https://a.example.com/v1/messages\"", "", "url"),
        ("url = \"https://a.example.com/x/v1/\"", "/x", "url"),
        (
            "url = \"https://a.example.com\", path_prefix = \"/v1\"",
            "",
            "path_prefix",
        ),
        (
            "url = \"https://a.example.com/x\", path_prefix = \"y/v1/messages\"",
            "/x/y",
            "path_prefix",
        ),
    ];

    for (keys, path, key) in cases {
        let text = with_endpoint(keys);

        let warning = only_warning(&text);

        assert_eq!(loaded(&text).config.endpoints[0].url.path(), path);
        assert_eq!(warning.key, format!("groups[0].endpoints[0].{key}"));
    }
    let other = with_endpoint("url = \"https://a.example.com/v10\", path_prefix = \"/v1x\"");
    assert_eq!(loaded(&other).warnings, []);
}

#[test]
fn an_endpoint_that_leads_back_to_zephyr_is_refused() {
    let back = [
        ("", "http://localhost:8080"),
        ("", "http://LOCALHOST.:8080/x"),
        ("", "http://127.0.0.2:8081"),
        ("", "http://[::1]:8080"),
        ("", "http://[::ffff:127.0.0.1]:8080"),
        ("", "http://0.0.0.0:8080"),
        ("[server]\nport = 80\n", "http://localhost"),
        (
            "[server]\nhost = \"192.168.1.5\"\nclient_token_env = \"T\"\n",
            "http://192.168.1.5:8080",
        ),
    ];
    let elsewhere = [
        ("", "http://localhost:9000"),
        ("", "https://api.example.com:8080"),
        ("[server]\nport = 9000\n", "http://127.0.0.1:8080"),
        ("", "http://192.168.1.5:8080"),
    ];

    for (before, url) in back {
        let text = format!("{before}{}", with_endpoint(&format!("url = \"{url}\"")));
        assert_eq!(only_error(&text).key, "groups[0].endpoints[0].url", "{url}");
    }
    for (before, url) in elsewhere {
        let text = format!("{before}{}", with_endpoint(&format!("url = \"{url}\"")));
        assert!(parse(&text).is_ok(), "{url}");
    }
}

#[test]
fn a_group_without_a_credential_is_refused_once() {
    let text = "[[groups]]\nname = \"main\"\nendpoints = [\n\
        { name = \"a\", url = \"https://a.example.com\" },\n\
        { name = \"b\", url = \"https://b.example.com\" },\n]\n";

    let problem = only_error(text);

    assert_eq!(place(&problem), (Some(1), "groups[0].auth_token_env"));
    assert!(problem.remedy.contains("auth_token_env"));
}

#[test]
fn an_endpoint_that_needs_a_credential_of_its_own_is_refused_by_name() {
    let text = "[[groups]]\nname = \"main\"\nauth_type = \"passthrough\"\nendpoints = [\n\
        { name = \"a\", url = \"https://a.example.com\" },\n\
        { name = \"b\", url = \"https://b.example.com\", auth_type = \"api_key\" },\n]\n";

    let problem = only_error(text);

    assert_eq!(
        place(&problem),
        (Some(6), "groups[0].endpoints[1].auth_token_env")
    );
}

#[test]
fn a_group_needs_no_credential_if_each_endpoint_has_one() {
    let text = "[[groups]]\nname = \"main\"\nendpoints = [\n\
        { name = \"a\", url = \"https://a.example.com\", auth_token_env = \"A\" },\n\
        { name = \"b\", url = \"https://b.example.com\", auth_type = \"passthrough\" },\n]\n";

    let config = loaded(text).config;

    assert_eq!(config.endpoints[0].auth, ours(AuthHeader::Bearer, "A"));
    assert_eq!(config.endpoints[1].auth, Auth::Passthrough);
}

#[test]
fn a_credential_that_passthrough_does_not_use_is_warned_about() {
    let in_group = with_endpoint("url = \"https://a.example.com\"")
        .replace("[[groups]]", "[[groups]]\nauth_type = \"passthrough\"");
    let in_endpoint = with_endpoint(
        "url = \"https://a.example.com\", auth_type = \"passthrough\", auth_token_env = \"A\"",
    );

    assert_eq!(only_warning(&in_group).key, "groups[0].auth_type");
    assert_eq!(
        only_warning(&in_endpoint).key,
        "groups[0].endpoints[0].auth_type"
    );
}

#[test]
fn a_variable_and_a_keychain_entry_together_are_refused() {
    let text = with_endpoint("url = \"https://a.example.com\"")
        .replace("[[groups]]", "[[groups]]\nauth_token_keychain = \"x\"");

    let problem = only_error(&text);

    assert_eq!(place(&problem), (Some(2), "groups[0].auth_token_keychain"));
    assert!(problem.message.contains("auth_token_env"));
}

#[test]
fn a_keychain_entry_is_a_credential() {
    let text = with_endpoint("url = \"https://a.example.com\"")
        .replace("auth_token_env", "auth_token_keychain");

    let loaded = loaded(&text);

    assert_eq!(
        loaded.config.endpoints[0].auth,
        Auth::Ours {
            header: AuthHeader::Bearer,
            credential: CredentialRef::Keychain("AUTH_TOKEN_MAIN".to_owned())
        }
    );
    assert_eq!(loaded.warnings, []);
}

#[test]
fn a_secret_in_place_of_a_keychain_entrys_name_is_refused_and_not_shown() {
    let text = with_endpoint("url = \"https://a.example.com\"").replace(
        "auth_token_env = \"AUTH_TOKEN_MAIN\"",
        "auth_token_keychain = \"0123456789abcdef0123456789abcdef\"",
    );

    let problem = only_error(&text);

    assert_eq!(place(&problem).1, "groups[0].auth_token_keychain");
    assert!(!problem.to_string().contains("0123"), "{problem}");
}

#[test]
fn the_refusal_of_a_plain_secret_names_the_command_that_moves_it() {
    let endpoint = "{ name = \"HK 1\", url = \"https://a.example.com\", auth_token = \"hunter2\" }";
    let cases = [
        (
            "[[groups]]\nname = \"main\"\nauth_token = \"hunter2\"\n".to_owned(),
            "run `zephyr token set main`, paste the secret there, and write \
             auth_token_keychain = \"main\"",
        ),
        (
            format!("[[groups]]\nname = \"main\"\n{}", endpoints(endpoint)),
            "run `zephyr token set 'HK 1'`, paste the secret there, and write \
             auth_token_keychain = \"HK 1\"",
        ),
        (
            "[server]\nclient_token = \"hunter2\"\n".to_owned(),
            "run `zephyr token set zephyr-client`, paste the secret there, and write \
             client_token_keychain = \"zephyr-client\"",
        ),
        (
            "[[groups]]\nauth_token = \"hunter2\"\n".to_owned(),
            "run `zephyr token set primary`",
        ),
    ];

    for (text, remedy) in cases {
        let problems = parse(&text).unwrap_err();

        let said = problems
            .iter()
            .any(|problem| problem.remedy.starts_with(remedy));
        assert!(said, "{text}: {problems:?}");
    }
}

#[test]
fn a_plain_secret_is_refused_wherever_it_stands_and_never_shown() {
    let endpoint = with_endpoint("url = \"https://a.example.com\"");
    let cases = [
        "[server]\ntoken = \"hunter2\"\n".to_owned(),
        "[server]\nclient_token = \"hunter2\"\n".to_owned(),
        "[server]\nclient_token_env = \"sk-hunter2-0123456789abcdef\"\n".to_owned(),
        "[health_check]\nauth_token = \"hunter2\"\n".to_owned(),
        "api_key = \"hunter2\"\n".to_owned(),
        "anything = \"sk-ant-hunter2-0123456789\"\n".to_owned(),
        "sk-ant-hunter2-0123456789 = \"anything\"\n".to_owned(),
        "[\"Bearer hunter2-0123456789abcdef\"]\n".to_owned(),
        "[routing]\nstrategy = \"sk-ant-hunter2-0123456789\"\n".to_owned(),
        "[server]\nallowed_hosts = [\"sk-ant-hunter2-0123456789\"]\n".to_owned(),
        endpoint.replace("auth_token_env", "auth_token"),
        endpoint.replace(
            "auth_token_env = \"AUTH_TOKEN_MAIN\"",
            "API_KEY = \"hunter2\"",
        ),
        endpoint.replace("AUTH_TOKEN_MAIN", "sk-ant-hunter2-0123456789"),
        endpoint.replace(
            "AUTH_TOKEN_MAIN",
            "cr_hunter2_0123456789abcdef0123456789abcdef",
        ),
        endpoint.replace("\"main\"", "\"sk-ant-hunter2-0123456789\""),
        with_endpoint("url = \"https://a.example.com\", headers = { x-api-key = \"hunter2\" }"),
        with_endpoint("url = \"https://a.example.com/sk-ant-hunter2-0123456789\""),
    ];

    for text in cases {
        let problem = only_error(&text);

        assert!(problem.message.contains("secret"), "{problem}");
        assert!(!problem.to_string().contains("hunter2"), "{problem}");
    }
}

#[test]
fn no_error_repeats_what_was_written() {
    let planted = "hunter2";
    let cases = [
        "[server]\nhost = \"hunter2\"".to_owned(),
        "[server]\nallowed_hosts = [\"hunter2 \\u0000\"]".to_owned(),
        "[server]\nallowed_origins = [\"hunter2\"]".to_owned(),
        "[server]\nport = \"hunter2\"".to_owned(),
        "[server]\nport = hunter2".to_owned(),
        "[server]\nport = \"hunter2".to_owned(),
        "[server]\nport = \"\\hunter2\"".to_owned(),
        "[server] hunter2".to_owned(),
        "[routing]\nstrategy = \"hunter2\"".to_owned(),
        "[breaker]\npolicy = \"hunter2\"".to_owned(),
        "[groups]\nname = \"hunter2\"".to_owned(),
        "[health_check]\ninterval_seconds = \"hunter2\"".to_owned(),
        "[pricing]\nx = \"hunter2\"".to_owned(),
        with_endpoint("url = \"hunter2\""),
        with_endpoint("url = \"hunter2://a\""),
        with_endpoint("url = \"https://hunter2@a\""),
        with_endpoint("url = \"https://a\", proxy = \"hunter2\""),
        with_endpoint("url = \"https://a\", proxy = \"socks4://me:hunter2@a\""),
        with_endpoint("url = \"https://a\", proxy = \"http://me:hunter2@\""),
        with_endpoint("url = \"https://a\", path_prefix = \"?hunter2\""),
        with_endpoint("url = \"https://a\", auth_type = \"hunter2\""),
        with_endpoint("url = \"https://a\", auth_token_env = \"hunter2-\""),
    ];

    for text in cases {
        let problems = refused(&text).to_string();

        assert!(!problems.contains(planted), "{problems}");
    }
}

#[test]
fn what_is_no_name_of_a_variable_is_refused() {
    for name in ["MY TOKEN", "2ND", "a-b", "${TOKEN}"] {
        let text =
            with_endpoint("url = \"https://a.example.com\"").replace("AUTH_TOKEN_MAIN", name);

        assert_eq!(
            place(&only_error(&text)),
            (Some(3), "groups[0].auth_token_env")
        );
    }
}

#[test]
fn a_proxy_is_a_word_or_a_url() {
    let read = |proxy: &str| {
        parse(&with_endpoint(&format!(
            "url = \"https://a.example.com\", proxy = \"{proxy}\""
        )))
    };

    for wrong in [
        "sytem",
        "none",
        "127.0.0.1:7890",
        "ftp://a",
        "https://me:pw@proxy.lan/",
        "http://",
        "socks5://a:b",
        "http://a:",
    ] {
        let problems = read(wrong).unwrap_err();
        assert_eq!(
            problems.iter().next().unwrap().key,
            "groups[0].endpoints[0].proxy"
        );
    }
    for right in [
        "http://127.0.0.1:7890",
        "http://me:pw@proxy.lan/",
        "socks5://[::1]:1080",
    ] {
        let config = read(right).unwrap().config;
        assert_eq!(
            config.endpoints[0].proxy,
            ProxyRoute::Via(right.trim_end_matches('/').to_owned())
        );
    }
    assert_eq!(
        read("direct").unwrap().config.endpoints[0].proxy,
        ProxyRoute::Direct
    );
}

#[test]
fn a_proxy_open_to_the_network_needs_a_client_token() {
    for host in ["0.0.0.0", "::", "192.168.1.5"] {
        let open = only_error(&format!("[server]\nhost = \"{host}\"\n"));
        let guarded = format!("[server]\nhost = \"{host}\"\nclient_token_env = \"TOKEN\"\n");

        assert_eq!(place(&open), (Some(2), "server.host"));
        assert!(open.remedy.contains("client_token_env"));
        let token = loaded(&guarded).config.server.client_token;
        assert_eq!(token, Some(CredentialRef::Env("TOKEN".to_owned())));
    }
    assert!(parse("[server]\nhost = \"127.0.0.9\"").is_ok());
    assert!(parse("[server]\nhost = \"::1\"").is_ok());
}

#[test]
fn an_open_proxy_with_a_passthrough_endpoint_is_not_told_to_ask_for_a_token_alone() {
    let text = format!(
        "[server]\nhost = \"0.0.0.0\"\n{}",
        with_endpoint("url = \"https://a.example.com\", auth_type = \"passthrough\"")
    );

    let problem = only_error(&text);

    assert_eq!(place(&problem), (Some(2), "server.host"));
    assert!(!problem.message.contains("credentials"), "{problem}");
    assert!(
        problem.remedy.contains("groups[0].endpoints[0]"),
        "{problem}"
    );
}

#[test]
fn a_client_token_and_a_passthrough_endpoint_exclude_each_other() {
    let text = format!(
        "[server]\nclient_token_env = \"TOKEN\"\n{}",
        with_endpoint("url = \"https://a.example.com\", auth_type = \"passthrough\"")
    );

    let problem = only_error(&text);

    assert_eq!(place(&problem), (Some(2), "server.client_token_env"));
    assert!(problem.message.contains("groups[0].endpoints[0]"));
}

#[test]
fn the_admin_port_stays_on_this_machine() {
    let problem = only_error("[web_admin]\nhost = \"0.0.0.0\"\n");

    assert_eq!(place(&problem), (Some(2), "web_admin.host"));
}

#[test]
fn one_port_for_both_is_warned_about() {
    assert_eq!(
        only_warning("[web_admin]\nport = 8080\n").key,
        "web_admin.port"
    );
}

#[test]
fn hosts_and_origins_of_another_form_are_refused() {
    let hosts = ["https://a", "a:80", "*", "a b", ""];
    let origins = [
        "*",
        "null",
        "example.com",
        "https://a/path",
        "https://a/",
        "https://me@a",
        "https://*.a",
    ];

    for host in hosts {
        let problem = only_error(&format!("[server]\nallowed_hosts = [\"ok\", \"{host}\"]"));
        assert_eq!(place(&problem), (Some(2), "server.allowed_hosts[1]"));
    }
    for origin in origins {
        let problem = only_error(&format!("[server]\nallowed_origins = [\"{origin}\"]"));
        assert_eq!(
            place(&problem),
            (Some(2), "server.allowed_origins[0]"),
            "{origin}"
        );
    }
}

#[test]
fn a_check_that_lasts_as_long_as_its_interval_is_warned_about() {
    let global = only_warning("[health_check]\ntimeout_seconds = 60\n");
    let group = only_warning(&with_endpoint("url = \"https://a.example.com\"").replace(
        "[[groups]]",
        "[[groups]]\nhealth_check = { interval_seconds = 15 }",
    ));

    assert_eq!(place(&global), (Some(2), "health_check.timeout_seconds"));
    assert_eq!(
        place(&group),
        (Some(2), "groups[0].health_check.interval_seconds")
    );
}

#[test]
fn dynamic_intervals_must_embrace_the_interval() {
    let text = "[health_check]\ndynamic_scaling = true\nmin_interval_seconds = 90\nmax_interval_seconds = 50\n";

    let problems = refused(text);

    let keys: Vec<&str> = problems
        .iter()
        .map(|problem| problem.key.as_str())
        .collect();
    assert_eq!(
        keys,
        [
            "health_check.min_interval_seconds",
            "health_check.max_interval_seconds"
        ]
    );
    assert!(parse("[health_check]\ndynamic_scaling = true\ninterval_seconds = 20\n").is_ok());
    assert!(parse("[health_check]\ndynamic_scaling = true\ninterval_seconds = 7200\n").is_ok());
}

#[test]
fn an_unknown_key_is_warned_about_with_the_nearest_known_one() {
    let cases = [
        (
            "[server]\nprot = 1",
            "server.prot",
            "write port if that is meant",
        ),
        (
            "[server]\nmax-body-mb = 1",
            "server.max-body-mb",
            "write max_body_mb if that is meant",
        ),
        ("\n[failovr]", "failovr", "write failover if that is meant"),
        (
            "\nswitch_threshold_ms = 1",
            "switch_threshold_ms",
            "move it into [health_check]",
        ),
        (
            "\nmax_body_mb = 1",
            "max_body_mb",
            "move it into [server] if server.max_body_mb is meant",
        ),
        (
            "[ui]\ncolour = 1",
            "ui.colour",
            "delete it, or write one of language, theme",
        ),
        ("[server]\n\"a b\" = 1", "server.\"a b\"", "delete it"),
    ];

    for (text, key, remedy) in cases {
        let warning = only_warning(text);

        assert_eq!(place(&warning), (Some(2), key));
        assert!(warning.remedy.starts_with(remedy), "{warning}");
    }
}

#[test]
fn a_key_without_effect_yet_is_warned_about() {
    for key in ["model_map", "headers"] {
        let text = with_endpoint(&format!(
            "url = \"https://a.example.com\", {key} = {{ a = \"b\" }}"
        ));

        assert!(only_warning(&text).message.contains("no effect yet"));
    }
}

#[test]
fn the_keys_of_the_journal_are_read_without_a_word() {
    let text = "[logging]\nlog_request_types = \"failed\"\nlog_request_body = \"full\"\n\
        log_response_body = \"truncated\"\nlog_directory = \"/x\"\nretention_days = 15\nmax_size_mb = 1\n";

    let loaded = loaded(text);

    let expected = Logging {
        request_types: LogRequests::Failed,
        request_body: LogBody::Full,
        response_body: LogBody::Truncated,
        directory: Some("/x".to_owned()),
        retention_days: 15,
        max_size: 1024 * 1024,
        ..Logging::default()
    };
    assert_eq!(
        (loaded.warnings, loaded.config.logging),
        (Vec::new(), expected)
    );
}

#[test]
fn a_group_may_be_probed_in_a_way_of_its_own() {
    for (mode, expected) in [
        ("claude_cli", ProbeMode::ClaudeCli),
        ("count_tokens", ProbeMode::CountTokens),
    ] {
        let text = with_endpoint("url = \"https://a.example.com\"").replace(
            "[[groups]]",
            &format!(
                "[[groups]]\nhealth_check.mode = \"{mode}\"\n{}",
                existing_program()
            ),
        );
        let loaded = loaded(&format!("health_check.mode = \"connect\"\n{text}"));

        assert_eq!(loaded.config.endpoints[0].health_check.mode, expected);
        assert_eq!(loaded.config.health_check.mode, ProbeMode::Connect);
        assert_eq!(loaded.warnings, []);
    }
}

/// A key for a Claude CLI that is there.
fn existing_program() -> String {
    let program = std::env::current_exe().unwrap();
    format!("health_check.claude_binary_path = {program:?}")
}

#[test]
fn a_claude_cli_that_is_not_there_is_told_where_it_would_be_started() {
    let endpoint = with_endpoint("url = \"https://a.example.com\"");
    let in_group = |keys: &str| endpoint.replace("[[groups]]", &format!("[[groups]]\n{keys}"));
    let cli = "health_check.mode = \"claude_cli\"";
    let nowhere = "health_check.claude_binary_path = \"/nowhere/claude\"";
    let there = existing_program();
    let global = Some("health_check.claude_binary_path");
    let of_group = Some("groups[0].health_check.claude_binary_path");
    for (text, expected) in [
        (format!("{cli}\n{nowhere}\n{endpoint}"), global),
        (
            format!("{cli}\nhealth_check.claude_binary_path = \"bin/claude\"\n{endpoint}"),
            global,
        ),
        (format!("{cli}\n{there}\n{endpoint}"), None),
        (format!("{nowhere}\n{endpoint}"), None),
        (format!("{nowhere}\n{}", in_group(cli)), of_group),
        (in_group(&format!("{cli}\n{nowhere}")), of_group),
        (format!("{there}\n{}", in_group(cli)), None),
    ] {
        let warnings = loaded(&text).warnings;

        let keys = warnings.iter().map(|warning| warning.key.as_str());
        assert_eq!(keys.collect::<Vec<_>>(), Vec::from_iter(expected), "{text}");
    }
}

#[test]
fn a_small_file_of_claude_zephyr_loads_unchanged() {
    let loaded = fixture("claude-zephyr-small.toml");

    let names: Vec<&str> = loaded
        .config
        .endpoints
        .iter()
        .map(|e| e.name.as_str())
        .collect();
    assert_eq!(names, ["Eins", "Zwei", "Drei"]);
    assert_eq!(
        loaded.config.endpoints[2].auth,
        ours(AuthHeader::Bearer, "AUTH_TOKEN_MAIN")
    );
    assert_eq!(loaded.config.ui.language, Language::Zh);
    assert_eq!(loaded.config.routing.strategy, Strategy::Latency);
    assert!(loaded.config.health_check.dynamic_scaling);
    let noted: Vec<&str> = loaded.warnings.iter().map(|w| w.key.as_str()).collect();
    assert_eq!(noted, [""; 0]);
}

#[test]
fn a_full_file_of_claude_zephyr_keeps_its_meaning() {
    let loaded = fixture("claude-zephyr-full.toml");

    let config = &loaded.config;
    assert_eq!(config.server.port, 9090);
    assert_eq!(config.server.switch_threshold, Duration::from_millis(80));
    assert_eq!(config.server.drain_timeout, Duration::from_secs(4));
    assert!(!config.failover.enabled);
    assert_eq!(config.failover.max_attempts, Some(5));
    assert_eq!(config.logging.level, LogLevel::Debug);
    assert_eq!(config.first_choice().unwrap().name, "C");
    let checks = |name: &str| &config.endpoint(name).unwrap().health_check;
    assert_eq!(checks("A").interval, Duration::from_secs(45));
    assert_eq!(checks("C").interval, Duration::from_secs(20));
    assert_eq!(checks("D").timeout, Duration::from_secs(30));
}

#[test]
fn clear_text_is_warned_of_by_how_far_it_goes() {
    let with = |url: &str, group: &str, own: &str| {
        let text = format!(
            "[[groups]]\nname = \"main\"\nauth_token_env = \"T\"\n{group}endpoints = [{{ name = \"A\", url = \"{url}\"{own} }}]\n"
        );
        let loaded = loaded(&text);
        let allowed = loaded.config.endpoints[0].allow_insecure;
        let told = loaded.warnings.into_iter().next();
        (
            allowed,
            told.map(|warning| format!("{} {}", warning.message, warning.remedy)),
        )
    };

    for quiet in [
        "https://relay.example.com",
        "http://127.0.0.1:9",
        "http://localhost:9",
        "http://[::1]:9",
    ] {
        assert_eq!(with(quiet, "", ""), (false, None), "{quiet}");
    }
    for (url, told) in [
        ("http://10.0.0.7", "in that network"),
        (
            "http://relay.example.com",
            "only while its name stands for a private address",
        ),
        ("http://203.0.113.9", "it is not used"),
    ] {
        let (allowed, warning) = with(url, "", "");
        let warning = warning.unwrap();
        assert!(!allowed && warning.contains(told), "{warning}");
        for (group, own) in [
            ("allow_insecure = true\n", ""),
            ("", ", allow_insecure = true"),
        ] {
            let (allowed, warning) = with(url, group, own);
            let warning = warning.unwrap();
            assert!(
                allowed && warning.contains("everybody on the way"),
                "{warning}"
            );
        }
        let (allowed, _) = with(url, "allow_insecure = true\n", ", allow_insecure = false");
        assert!(!allowed);
    }
}

#[test]
fn what_claude_zephyr_had_and_zephyr_has_not_is_noted() {
    let loaded = fixture("claude-zephyr-full.toml");

    let noted: Vec<&str> = loaded.warnings.iter().map(|w| w.key.as_str()).collect();
    assert_eq!(
        noted,
        [
            "groups[1].endpoints[0].url",
            "groups[2].health_check.switch_threshold_ms",
            "retry.base_delay_ms",
            "retry.backoff_multiplier",
            "logging.detail_level",
            "logging.console_enabled",
            "logging.file_enabled",
            "logging.file_path",
            "logging.max_file_size",
            "logging.max_files",
            "logging.json_format",
        ]
    );
    assert!(
        loaded
            .warnings
            .iter()
            .skip(1)
            .all(|w| w.message.contains("no effect"))
    );
}

#[test]
fn a_key_outranks_the_one_that_it_replaced() {
    let cases = [
        "[failover]\nmax_attempts = 2\n[retry]\nmax_attempts = 5\n",
        "[server]\nswitch_threshold_ms = 2\n[health_check]\nswitch_threshold_ms = 5\n",
    ];

    let [failover, threshold] = cases.map(|text| (loaded(text).config, only_warning(text)));

    assert_eq!(failover.0.failover.max_attempts, Some(2));
    assert_eq!(place(&failover.1), (Some(4), "retry.max_attempts"));
    assert_eq!(
        threshold.0.server.switch_threshold,
        Duration::from_millis(2)
    );
    assert_eq!(
        place(&threshold.1),
        (Some(4), "health_check.switch_threshold_ms")
    );
}

fn loaded(text: &str) -> Loaded {
    parse(text).unwrap_or_else(|problems| panic!("{problems}"))
}

fn refused(text: &str) -> Problems {
    match parse(text) {
        Ok(_) => panic!("accepted: {text}"),
        Err(problems) => problems,
    }
}

fn only_error(text: &str) -> Problem {
    let problems = refused(text);
    assert_eq!(problems.count(), 1, "{problems}\nin {text}");
    match problems.into_iter().next() {
        Some(problem) => problem,
        None => panic!("refused without a reason: {text}"),
    }
}

fn only_warning(text: &str) -> Problem {
    let mut warnings = loaded(text).warnings;
    assert_eq!(warnings.len(), 1, "{warnings:?}\nin {text}");
    warnings.remove(0)
}

fn place(problem: &Problem) -> (Option<usize>, &str) {
    (problem.line, &problem.key)
}

fn fixture(name: &str) -> Loaded {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    load(&folder.join(name)).unwrap_or_else(|error| panic!("{error}"))
}

fn ours(header: AuthHeader, variable: &str) -> Auth {
    Auth::Ours {
        header,
        credential: CredentialRef::Env(variable.to_owned()),
    }
}

fn endpoints(list: &str) -> String {
    format!("endpoints = [{list}]\n")
}

/// A group with one endpoint of these keys, in four lines.
fn with_endpoint(keys: &str) -> String {
    format!(
        "{GROUP}{}",
        endpoints(&format!("{{ name = \"a\", {keys} }}"))
    )
}

/// Two groups of four lines each, and these further ones.
fn two_groups(first: &str, second: &str) -> String {
    let group = |group: &str, endpoint: &str, more: &str| {
        let end = if more.is_empty() {
            String::new()
        } else {
            format!("{more}\n")
        };
        format!(
            "[[groups]]\nname = \"{group}\"\nauth_token_env = \"A\"\n\
             endpoints = [{{ name = \"{endpoint}\", url = \"https://{endpoint}.example.com\" }}]\n{end}"
        )
    };
    group("one", "a", first) + &group("two", "b", second)
}

//! An endpoint tested step by step: where it ends, and what it says to do.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too")]

use std::net::TcpListener;

use crate::common::{OUR_TOKEN, Zephyr, config};
use zephyr_control::DiagnosisStage::{Auth, Dns, FirstToken, Model, Tcp, Tls};
use zephyr_control::{
    Diagnosis, DiagnosisStage, DiagnosisStep, EndpointForm, ErrorCode, SecretText, Tested,
    TokenReference,
};
use zephyr_engine::Options;
use zephyr_testkit::{Act, Endpoint, HttpProxy, Phase, Received, Script, TlsEndpoint};

const SHORT: &str = "[health_check]\nmode = \"off\"\ntimeout_seconds = 1\n";

async fn diagnose(zephyr: &Zephyr, name: &str) -> Diagnosis {
    let endpoint = name.to_owned();
    let tested = Tested::Configured { endpoint };
    zephyr.control.diagnose(tested).await.unwrap()
}

/// Of an endpoint at this URL.
async fn at(url: &str, extra: &str) -> Diagnosis {
    let zephyr = Zephyr::at(&[url.to_owned()], extra).await;
    diagnose(&zephyr, "A").await
}

fn passed(diagnosis: &Diagnosis) -> Vec<DiagnosisStage> {
    let steps = diagnosis.steps.iter().filter(|step| step.passed);
    steps.map(|step| step.stage).collect()
}

/// The last step, which must have failed, with something to do.
fn failed(diagnosis: &Diagnosis) -> &DiagnosisStep {
    let last = diagnosis.steps.last().unwrap();
    assert_eq!(passed(diagnosis).len() + 1, diagnosis.steps.len());
    assert!(!last.passed && last.remedy.is_some(), "{last:?}");
    last
}

fn step(diagnosis: &Diagnosis, stage: DiagnosisStage) -> &DiagnosisStep {
    let found = diagnosis.steps.iter().find(|step| step.stage == stage);
    found.unwrap()
}

#[tokio::test]
async fn a_good_endpoint_passes_every_step_at_the_price_of_one_token() {
    let a = TlsEndpoint::start(Act::message("Hi")).await;
    let options = Options {
        extra_roots: vec![a.ca_der().into()],
        ..Options::default()
    };
    let zephyr = Zephyr::start(&config(&[a.url()], ""), options).await;

    let diagnosis = diagnose(&zephyr, "A").await;

    assert_eq!(
        passed(&diagnosis),
        [Dns, Tcp, Tls, Auth, Model, FirstToken],
        "{diagnosis:?}"
    );
    assert!(step(&diagnosis, Dns).detail.contains("127.0.0.1"));
    let certificate = &step(&diagnosis, Tls).detail;
    assert!(
        certificate.contains("TLS 1.3, HTTP/2; certificate of rcgen"),
        "{certificate}"
    );
    assert!(certificate.contains("valid until 4096-"), "{certificate}");
    assert_eq!(step(&diagnosis, Model).detail, "claude-haiku-4-5");
    let request = a.next_request().await;
    let body = request.json();
    assert_eq!(
        (&body["max_tokens"], &body["stream"]),
        (&1.into(), &true.into())
    );
    assert_eq!(a.requests().len(), 1);
    assert!(diagnosis.cost_usd > 0.0 && diagnosis.cost_usd < 0.01);
    let counted = zephyr.snapshot().await.probes.today_usd;
    assert!((counted - diagnosis.cost_usd).abs() < 1e-9, "{counted}");
    assert_eq!(zephyr.snapshot().await.totals.requests, 0);
}

#[tokio::test]
async fn without_tls_that_step_is_left_out_and_the_prefix_is_asked() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let with_prefix =
        config(&[a.url()], "").replace("proxy =", "path_prefix = \"/claude\", proxy =");
    let zephyr = Zephyr::start(&with_prefix, Options::default()).await;

    let diagnosis = diagnose(&zephyr, "A").await;

    assert_eq!(passed(&diagnosis), [Dns, Tcp, Auth, Model, FirstToken]);
    let request = a.next_request().await;
    assert_eq!(request.target, "/claude/v1/messages");
    assert_eq!(
        request.header("authorization"),
        Some(format!("Bearer {OUR_TOKEN}").as_str())
    );
}

#[tokio::test]
async fn a_host_without_an_address_fails_at_its_name() {
    let diagnosis = at("https://nowhere.invalid", SHORT).await;

    let step = failed(&diagnosis);
    assert_eq!((step.stage, diagnosis.steps.len()), (Dns, 1));
    assert!(step.detail.contains("nowhere.invalid"), "{step:?}");
    assert_eq!(diagnosis.cost_usd, 0.0);
}

#[tokio::test]
async fn a_port_where_nothing_listens_fails_at_the_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);

    let diagnosis = at(&format!("http://{address}"), "").await;

    let step = failed(&diagnosis);
    assert_eq!((step.stage, passed(&diagnosis)), (Tcp, vec![Dns]));
    assert!(
        step.remedy.as_ref().unwrap().contains("nothing listens"),
        "{step:?}"
    );
}

#[tokio::test]
async fn a_certificate_that_nobody_trusts_fails_at_tls() {
    let a = TlsEndpoint::start(Act::message("Hi")).await;

    let diagnosis = at(&a.url(), "").await;

    let step = failed(&diagnosis);
    assert_eq!((step.stage, passed(&diagnosis)), (Tls, vec![Dns, Tcp]));
    assert!(
        step.remedy.as_ref().unwrap().contains("root certificate"),
        "{step:?}"
    );
    assert!(a.requests().is_empty());
}

#[tokio::test]
async fn a_certificate_for_another_name_and_a_port_without_tls_fail_at_tls() {
    let a = TlsEndpoint::start(Act::message("Hi")).await;
    let proxy = HttpProxy::start().await;
    proxy.route("api.elsewhere.test:443", a.addr());
    let urls = ["https://api.elsewhere.test".to_owned()];
    let through = config(&urls, "").replace("\"direct\"", &format!("{:?}", proxy.url()));
    let options = Options {
        extra_roots: vec![a.ca_der().into()],
        ..Options::default()
    };
    let zephyr = Zephyr::start(&through, options).await;
    let plain = Endpoint::start(Act::message("Hi")).await;

    let other_name = diagnose(&zephyr, "A").await;
    let no_tls = at(&plain.url().replace("http:", "https:"), SHORT).await;

    let step = failed(&other_name);
    assert_eq!(step.stage, Tls);
    assert!(
        step.remedy.as_ref().unwrap().contains("the host in url"),
        "{step:?}"
    );
    assert_eq!(failed(&no_tls).stage, Tls);
}

#[tokio::test]
async fn a_silent_handshake_fails_at_tls_when_its_time_is_over() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", silent.local_addr().unwrap());

    let diagnosis = at(&url, SHORT).await;

    let step = failed(&diagnosis);
    assert_eq!(step.stage, Tls);
    assert!(step.detail.contains("within 1 s"), "{step:?}");
}

#[tokio::test]
async fn a_proxy_is_the_first_hop_and_leads_on() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let proxy = HttpProxy::start().await;
    proxy.route("api.example.test:80", a.addr());
    let urls = ["http://api.example.test".to_owned()];
    let way = format!("{:?}, allow_insecure = true", proxy.url());
    let through = config(&urls, "").replace("\"direct\"", &way);
    let zephyr = Zephyr::start(&through, Options::default()).await;

    let good = diagnose(&zephyr, "A").await;
    let gone = through.replace("api.example.test", "elsewhere.example.test");
    let no_way = Zephyr::start(&gone, Options::default()).await;
    let bad = diagnose(&no_way, "A").await;

    assert_eq!(passed(&good), [Dns, Tcp, Auth, Model, FirstToken]);
    assert!(step(&good, Dns).detail.contains("the proxy 127.0.0.1"));
    let step = failed(&bad);
    assert_eq!(step.stage, Tcp);
    assert!(step.remedy.as_ref().unwrap().contains("proxy"), "{step:?}");
}

#[tokio::test]
async fn every_answer_that_is_none_fails_at_its_step_with_something_to_do() {
    let cases: [(&str, Act, DiagnosisStage, &str); 10] = [
        ("401", Act::status(401), Auth, "check the token"),
        ("403", Act::status(403), Auth, "check the token"),
        ("a login page", Act::html(200), Auth, "login page"),
        (
            "a page that is not there",
            Act::html(404),
            Auth,
            "path_prefix",
        ),
        ("a failing server", Act::status(500), Auth, "operator"),
        (
            "a redirection",
            Act::redirect(307, "https://x.example.com"),
            Auth,
            "leads to",
        ),
        ("no credit", Act::status(402), Model, "top it up"),
        ("too many requests", Act::status(429), Model, "try again"),
        (
            "no such model",
            Act::status(404),
            Model,
            "health_check.model",
        ),
        (
            "another format",
            Act::openai_stream(),
            Model,
            "Messages API",
        ),
    ];
    for (what, act, stage, remedy) in cases {
        let a = Endpoint::start(act).await;

        let diagnosis = at(&a.url(), "").await;

        let step = failed(&diagnosis);
        assert_eq!(step.stage, stage, "{what}: {step:?}");
        let advice = step.remedy.as_ref().unwrap();
        assert!(advice.contains(remedy), "{what}: {advice}");
        if stage == Auth {
            assert_eq!(diagnosis.cost_usd, 0.0, "{what}");
        }
    }
}

#[tokio::test]
async fn silence_fails_at_the_step_that_it_holds_up() {
    let cases = [
        (Act::hang(), Auth),
        (Act::stall_at(Phase::AfterHeaders), Model),
        (Act::stall_at(Phase::AfterMessageStart), FirstToken),
    ];
    for (act, stage) in cases {
        let a = Endpoint::start(act).await;

        let diagnosis = at(&a.url(), SHORT).await;

        let step = failed(&diagnosis);
        assert_eq!(step.stage, stage, "{step:?}");
        assert!(step.took_ms >= 900.0, "{step:?}");
        // What began may be billed.
        assert_eq!(diagnosis.cost_usd > 0.0, stage != Auth);
    }
}

#[tokio::test]
async fn a_model_that_is_not_served_gives_way_to_one_that_is() {
    let script = Script::by(|request| {
        if request.json()["model"] == "claude-haiku-4-5" {
            Act::status(404).error_message("model: claude-haiku-4-5")
        } else {
            Act::message("Hi")
        }
    });
    let a = Endpoint::start(script).await;

    let diagnosis = at(&a.url(), "").await;

    assert_eq!(passed(&diagnosis), [Dns, Tcp, Auth, Model, FirstToken]);
    let model = &step(&diagnosis, Model).detail;
    assert!(
        model.contains("since claude-haiku-4-5 is not served"),
        "{model}"
    );
}

#[tokio::test]
async fn a_missing_token_fails_only_when_the_way_has_been_tested() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let nameless = config(&[a.url()], "").replace("TEST_TOKEN", "NOT_THERE");
    let zephyr = Zephyr::start(&nameless, Options::default()).await;

    let diagnosis = diagnose(&zephyr, "A").await;

    let step = failed(&diagnosis);
    assert_eq!((step.stage, passed(&diagnosis)), (Auth, vec![Dns, Tcp]));
    assert!(step.detail.contains("NOT_THERE"), "{step:?}");
    assert!(a.requests().is_empty());
}

#[tokio::test]
async fn an_endpoint_that_gets_clients_credential_is_tested_as_far_as_the_connection() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let passing = config(&[a.url()], "").replace(
        "auth_token_env = \"TEST_TOKEN\"",
        "auth_type = \"passthrough\"",
    );
    let zephyr = Zephyr::start(&passing, Options::default()).await;

    let diagnosis = diagnose(&zephyr, "A").await;

    assert_eq!(passed(&diagnosis), [Dns, Tcp, Auth]);
    assert_eq!(diagnosis.steps.len(), 3);
    assert!(a.requests().is_empty());
}

#[tokio::test]
async fn a_draft_is_tested_with_a_token_that_is_stored_nowhere_and_that_nothing_repeats() {
    let secret = "sk-ant-api03-0123456789abcdef";
    let script = Script::by(move |request| match request.header("x-api-key") {
        Some(key) if key == secret => Act::message("Hi"),
        _ => Act::status(401).error_message(secret),
    });
    let b = Endpoint::start(script).await;
    let zephyr = Zephyr::over(&[], "").await;
    let draft = |token: &str| Tested::Draft {
        endpoint: EndpointForm {
            name: "draft".to_owned(),
            group: "new".to_owned(),
            url: b.url(),
            flag: None,
            enabled: true,
            priority: 1,
            weight: 1,
            price: 1.0,
            path_prefix: None,
            auth_type: Some(zephyr_control::AuthType::ApiKey),
            token: TokenReference::None,
            proxy: Some("direct".to_owned()),
        },
        token: Some(SecretText::new(token)),
    };
    let before = std::fs::read_to_string(zephyr.folder.path().join("config.toml")).unwrap();

    let good = zephyr.control.diagnose(draft(secret)).await.unwrap();
    let bad = zephyr.control.diagnose(draft("another")).await.unwrap();

    assert_eq!(passed(&good), [Dns, Tcp, Auth, Model, FirstToken]);
    assert_eq!(failed(&bad).stage, Auth);
    let said = format!("{good:?}{bad:?}{:?}", zephyr.snapshot().await);
    assert!(!said.contains("api03"), "{said}");
    let after = std::fs::read_to_string(zephyr.folder.path().join("config.toml")).unwrap();
    assert_eq!(before, after);
    assert!(zephyr.snapshot().await.endpoint("draft").is_none());
}

#[tokio::test]
async fn a_draft_that_could_not_be_saved_and_an_unknown_endpoint_are_refused() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let form = zephyr
        .control
        .configuration()
        .await
        .unwrap()
        .endpoints
        .remove(0);
    let draft = Tested::Draft {
        endpoint: EndpointForm {
            url: "nowhere".to_owned(),
            ..form
        },
        token: None,
    };

    let refused = zephyr.control.diagnose(draft).await.unwrap_err();
    let endpoint = "X".to_owned();
    let unknown = zephyr
        .control
        .diagnose(Tested::Configured { endpoint })
        .await;

    assert_eq!(refused.code, ErrorCode::InvalidConfiguration);
    assert!(refused.message.contains("url"), "{refused}");
    assert_eq!(unknown.unwrap_err().code, ErrorCode::UnknownEndpoint);
}

#[tokio::test]
async fn a_test_looks_like_claude_code_where_checks_do() {
    let only_claude_code = Script::by(|request: &Received| {
        let agent = request.header("user-agent").unwrap_or_default();
        if agent.starts_with("claude-cli/") {
            Act::message("Hi")
        } else {
            Act::status(403).error_message("only Claude Code is allowed to use this endpoint")
        }
    });
    let a = Endpoint::start(only_claude_code).await;
    let own = config(&[a.url()], "");
    let like_claude_code = own.replace("proxy =", "probe_as = \"claude-code\", proxy =");
    let own = Zephyr::start(&own, Options::default()).await;
    let like_claude_code = Zephyr::start(&like_claude_code, Options::default()).await;

    let refused = diagnose(&own, "A").await;
    let admitted = diagnose(&like_claude_code, "A").await;

    let remedy = failed(&refused).remedy.as_ref().unwrap();
    assert!(remedy.contains("probe_as"), "{remedy}");
    assert_eq!(passed(&admitted), [Dns, Tcp, Auth, Model, FirstToken]);
}

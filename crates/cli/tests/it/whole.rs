//! How things are as a whole, from real endpoints to the words of `zephyr status`.

use zephyr_admin::instance::Running;
use zephyr_control::{About, Command, Control, Headline, Overall, OverallStatus};
use zephyr_testkit::{Act, Endpoint, get, post_messages};

use crate::home::Home;
use crate::serving::Serving;

const BODY: &str =
    r#"{"model":"claude-haiku-4-5","max_tokens":1,"messages":[{"role":"user","content":"Hi"}]}"#;

/// `zephyr serve` over these endpoints, called A, B, …; requests do not wait.
struct Served {
    home: Home,
    running: Running,
    _serving: Serving,
}

impl Served {
    async fn over(endpoints: &[&Endpoint], tables: &str) -> Self {
        let listed: Vec<_> = ('A'..)
            .zip(endpoints)
            .map(|(name, endpoint)| {
                let url = endpoint.url();
                format!("{{ name = \"{name}\", url = \"{url}\", proxy = \"direct\" }}")
            })
            .collect();
        let listed = listed.join(", ");
        let home = Home::with(&format!(
            "{tables}[failover]\nhold_seconds = 0\nhedge = \"off\"\n\
             [[groups]]\nname = \"main\"\nauth_type = \"passthrough\"\nendpoints = [{listed}]\n"
        ));
        let serving = home.serve();
        let running = home.running().await;
        Self {
            home,
            running,
            _serving: serving,
        }
    }

    /// Sends a request. Returns the status of its answer.
    async fn request(&self) -> u16 {
        let answer = post_messages(self.running.instance.proxy, BODY).await;
        answer.unwrap().status
    }

    async fn run(&self, command: Command) {
        self.running.client.execute(command).await.unwrap();
    }

    async fn status(&self) -> OverallStatus {
        let snapshot = self.running.client.snapshot().await.unwrap();
        snapshot.status.clone()
    }

    /// What `zephyr status` says.
    fn words(&self) -> String {
        let said = self.home.run(&["status"]);
        String::from_utf8(said.stdout).unwrap()
    }

    /// The second line of it.
    fn line(&self) -> String {
        self.words().lines().nth(1).unwrap_or_default().to_owned()
    }
}

fn named(name: &str) -> String {
    name.to_owned()
}

async fn answering() -> Endpoint {
    Endpoint::start(Act::message("fine")).await
}

async fn failing(status: u16) -> Endpoint {
    Endpoint::start(Act::status(status)).await
}

#[tokio::test]
async fn it_starts_and_is_well_once_a_request_was_answered() {
    let (a, b) = (answering().await, answering().await);
    let served = Served::over(&[&a, &b], "").await;
    let starting = (served.status().await, served.line());

    served.request().await;

    assert_eq!(starting.0.overall, Overall::Starting);
    assert_eq!(starting.1, "Status: starting · A · not measured yet");
    assert_eq!(served.line(), "Status: all well · A");
    let said = served.words();
    assert!(!said.contains("A · not measured"), "{said}");
    assert!(said.contains("In use: A – no other is better"), "{said}");
}

#[tokio::test]
async fn an_outage_is_out_everywhere() {
    let (a, b) = (failing(529).await, failing(529).await);
    let served = Served::over(&[&a, &b], "").await;

    let answer = served.request().await;

    assert_eq!(answer, 529);
    let status = served.status().await;
    assert_eq!(status.overall, Overall::Out);
    assert_eq!(status.headline, Headline::AllThrottled);
    assert_eq!(
        served.line(),
        "Status: out · No endpoint is usable: all are throttled"
    );
    assert!(!served.words().contains("In use"), "{}", served.words());
    let proxy = served.running.instance.proxy;
    let page = get(proxy, "/status").await.unwrap().json();
    let diagnostics = get(proxy, "/diagnostics").await.unwrap().json();
    assert_eq!(page["status"]["overall"], "out");
    assert_eq!(page["status"]["headline"]["headline"], "all_throttled");
    assert_eq!(diagnostics["status"]["overall"], "out");
    assert_eq!(
        diagnostics["status"]["headline"],
        "No endpoint is usable: all are throttled"
    );
}

#[tokio::test]
async fn one_of_several_that_is_out_is_counted() {
    let (a, b, c) = (failing(529).await, answering().await, answering().await);
    let served = Served::over(&[&a, &b, &c], "").await;

    let answer = served.request().await;

    assert_eq!(answer, 200);
    let status = served.status().await;
    assert_eq!(status.overall, Overall::Degraded);
    let endpoint = named("B");
    assert_eq!(status.about, About::Endpoint { endpoint });
    assert_eq!(
        served.line(),
        "Status: degraded · B · 2 of 3 endpoints answer"
    );
}

#[tokio::test]
async fn distributed_requests_are_not_well_while_most_endpoints_are_out() {
    let (a, b, c) = (failing(529).await, failing(529).await, answering().await);
    let tables = "[routing]\nstrategy = \"round_robin\"\n";
    let served = Served::over(&[&a, &b, &c], tables).await;

    for _ in 0..3 {
        assert_eq!(served.request().await, 200);
    }

    let status = served.status().await;
    assert_eq!(status.overall, Overall::Degraded);
    assert_eq!(status.about, About::Several);
    assert_eq!(served.line(), "Status: degraded · 1 of 3 endpoints answer");
}

#[tokio::test]
async fn a_pin_that_fails_is_named_with_the_endpoint_that_answers() {
    let (a, b) = (failing(500).await, answering().await);
    let served = Served::over(&[&a, &b], "").await;
    served
        .run(Command::Use {
            endpoint: named("A"),
        })
        .await;

    for _ in 0..2 {
        assert_eq!(served.request().await, 200);
    }
    let moving = (served.status().await, served.line(), served.words());
    served.request().await;
    let out = (served.status().await, served.line());

    let about = About::Pin {
        pin: named("A"),
        stand_in: Some(named("B")),
    };
    assert_eq!(moving.0.overall, Overall::Degraded);
    assert_eq!(moving.0.about, about);
    assert_eq!(
        moving.1,
        "Status: degraded · A fails; every request moves on to B"
    );
    let row = moving.2.lines().find(|line| line.starts_with("*  A"));
    assert!(row.unwrap().contains("failed last time"), "{}", moving.2);
    assert_eq!(out.0.about, about);
    assert_eq!(out.1, "Status: degraded · B stands in for A");
}

#[tokio::test]
async fn a_pause_is_told_and_the_endpoint_in_use_too() {
    let a = answering().await;
    let served = Served::over(&[&a], "").await;
    served.request().await;

    served.run(Command::Pause).await;

    assert_eq!(served.status().await.overall, Overall::Paused);
    assert_eq!(served.line(), "Status: paused · A");
}

#[cfg(target_os = "linux")] // Elsewhere the loopback interface has one address.
#[tokio::test]
async fn a_lost_network_is_offline_and_no_endpoint_is_ready() {
    let at = |last| async move {
        let address = ([127, 0, 0, last], 0).into();
        let endpoint = Endpoint::start_at(address, Act::message("fine")).await;
        endpoint.unwrap()
    };
    let (a, b) = (at(6).await, at(7).await);
    let served = Served::over(&[&a, &b], "").await;
    served.request().await;
    a.stop().await;
    b.stop().await;

    let answer = served.request().await;

    assert_eq!(answer, 502);
    let status = served.status().await;
    assert_eq!(status.overall, Overall::Offline);
    assert_eq!(served.line(), "Status: offline · Nothing can be reached");
    let said = served.words();
    assert_eq!(said.matches("not reachable").count(), 2, "{said}");
    assert!(!said.contains("  ready"), "{said}");
}

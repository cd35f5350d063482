//! Each behaviour, as a client sees it.

use std::time::Duration;

use zephyr_demo::{Behaviour, Profile, Sim};
use zephyr_testkit::{Answer, End, get, post_messages};

async fn answer(behaviour: Behaviour, body: &str) -> std::io::Result<Answer> {
    let profile = Profile {
        schedule: vec![(Duration::from_secs(60), behaviour)],
        ..Profile::new("Oslo", Duration::from_millis(1), 7)
    };
    let sim = Sim::start(profile).await?;
    let addr = sim
        .url()
        .strip_prefix("http://")
        .expect("an http URL")
        .parse();
    post_messages(addr.expect("a socket address"), body).await
}

const WHOLE: &str = r#"{"model":"claude-opus-5-5","max_tokens":4}"#;
const STREAMED: &str = r#"{"model":"claude-opus-5-5","max_tokens":4,"stream":true}"#;

#[tokio::test]
async fn a_healthy_one_says_who_it_is_whole_and_streamed() {
    let whole = answer(Behaviour::Healthy, WHOLE).await.unwrap();
    let streamed = answer(Behaviour::Healthy, STREAMED).await.unwrap();
    assert!(whole.text().starts_with("Oslo here."), "{}", whole.text());
    assert_eq!(whole.text(), streamed.text());
    assert_eq!(streamed.events().last().unwrap().0, "message_stop");
    assert_eq!(whole.json()["usage"]["output_tokens"], 4);
}

#[tokio::test]
async fn each_fault_looks_like_itself() {
    let overloaded = answer(Behaviour::Overloaded, WHOLE).await.unwrap();
    let page = answer(Behaviour::Html, WHOLE).await.unwrap();
    let cut = answer(Behaviour::CutsStreams, STREAMED).await.unwrap();
    let cut_whole = answer(Behaviour::CutsStreams, WHOLE).await.unwrap();
    assert_eq!(overloaded.status, 529);
    assert!(
        page.header("content-type")
            .unwrap()
            .starts_with("text/html")
    );
    assert_eq!((cut.status, cut.end), (200, End::Cut));
    assert_eq!((cut_whole.status, cut_whole.end), (200, End::Cut));
    assert!(answer(Behaviour::Down, WHOLE).await.is_err());
}

#[tokio::test]
async fn the_fleet_starts_healthy_with_distinct_names_and_ports() {
    let fleet = Sim::fleet().await.unwrap();
    assert!(fleet.len() >= 3);
    for (at, sim) in fleet.iter().enumerate() {
        let addr = sim.url().strip_prefix("http://").unwrap().parse().unwrap();
        assert_eq!(get(addr, "/v1/models").await.unwrap().status, 200);
        for other in &fleet[at + 1..] {
            assert_ne!((sim.name(), sim.url()), (other.name(), other.url()));
        }
    }
}

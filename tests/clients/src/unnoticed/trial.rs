//! One job of Claude Code, with one fault, over a Zephyr of its own.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::task::JoinSet;
use zephyr_testkit::{RawClient, Received};

use crate::claude_code::ClaudeCode;
use crate::zephyr::{CLIENT_TOKEN, Zephyr};

use super::answers;
use super::behaviour::Behaviour;
use super::fault::Fault;
use super::site::Site;
use super::start::Start;

/// How a job went.
#[derive(Clone, Debug)]
pub struct Trial {
    /// How long it took, from the start of Claude Code to its end.
    pub took: Duration,
    /// Claude Code ended within two minutes, with exit code 0.
    pub finished: bool,
    /// It printed what it prints when nothing is wrong.
    pub same: bool,
    /// How many requests it made. One more than usual means that it has noticed something.
    pub requests: u64,
    /// How many requests the first endpoint received. `None`: nobody gets that far there.
    pub asked: Option<usize>,
    /// What Zephyr logged.
    pub log: Vec<String>,
}

/// The same job when nothing is wrong.
#[derive(Clone, Debug)]
pub struct Usual {
    warm: Vec<Duration>,
    cold: Vec<Duration>,
    requests: u64,
    sample: Received,
}

/// No job may take longer.
pub const LIMIT: Duration = Duration::from_secs(120);

impl Usual {
    /// Does the job this many times without a fault, for each kind of start.
    ///
    /// # Panics
    ///
    /// If it fails even so.
    pub async fn measure(rounds: usize) -> Self {
        let nothing = Fault::new("", "nothing", Behaviour::Well);
        let (first, sample) = run(&nothing, None).await;
        let sample = sample.expect("Claude Code should have asked the first endpoint");
        let mut usual = Self {
            warm: Vec::new(),
            cold: Vec::new(),
            requests: first.requests,
            sample,
        };
        for _ in 0..rounds {
            for start in [Start::Warm, Start::Cold] {
                let trial = Trial::run(&nothing, start, &usual).await;
                let is_as_usual = trial.finished && trial.same && trial.requests == usual.requests;
                assert!(is_as_usual, "nothing is wrong: {trial:?}");
                let took = match start {
                    Start::Warm => &mut usual.warm,
                    Start::Cold => &mut usual.cold,
                };
                took.push(trial.took);
                took.sort_unstable();
            }
        }
        usual
    }

    /// How long it takes, each time that it was done, the shortest first.
    pub fn times(&self, start: Start) -> &[Duration] {
        match start {
            Start::Warm => &self.warm,
            Start::Cold => &self.cold,
        }
    }

    /// How long it takes: the median.
    pub fn took(&self, start: Start) -> Duration {
        let times = self.times(start);
        times.get(times.len() / 2).copied().unwrap_or_default()
    }

    /// How many requests Claude Code makes.
    pub fn requests(&self) -> u64 {
        self.requests
    }

    /// How large its first request is, in bytes.
    pub fn size(&self) -> usize {
        self.sample.body.len()
    }
}

impl Trial {
    /// Runs the job with this fault.
    ///
    /// # Panics
    ///
    /// If Zephyr does not start, or is not as it should be before the fault begins.
    pub async fn run(fault: &Fault, start: Start, usual: &Usual) -> Self {
        let sample = match start {
            Start::Warm => Some(&usual.sample),
            Start::Cold => None,
        };
        run(fault, sample).await.0
    }
}

/// The second of the two is the first request that the first endpoint received.
async fn run(fault: &Fault, sample: Option<&Received>) -> (Trial, Option<Received>) {
    let mut sites = Vec::new();
    for (rank, behaviour) in fault.all_behaviours().enumerate() {
        sites.push(Site::start(rank, behaviour).await);
    }
    let log = Log::default();
    let (sites, zephyr) = match sample {
        Some(sample) => {
            let zephyr = serve(&sites, &log).await;
            warm_up(&zephyr, sample, fault).await;
            (fail(sites, fault).await, zephyr)
        }
        None => {
            let sites = fail(sites, fault).await;
            let zephyr = serve(&sites, &log).await;
            (sites, zephyr)
        }
    };

    let earlier = sites[0]
        .requests_of_clients()
        .map_or(0, |received| received.len());
    let before = requests(&zephyr).await;
    let claude_code = ClaudeCode::at(&zephyr.url()).with_file(answers::FILE, answers::NOTE);
    let work = claude_code.work(answers::TASK, LIMIT).await;
    let requests = requests(&zephyr).await - before;

    let received = sites[0].requests_of_clients();
    let trial = Trial {
        took: work.took,
        finished: work.finished,
        same: work.text == Some(answers::result()),
        requests,
        asked: received.as_ref().map(|received| received.len() - earlier),
        log: log.lines(),
    };
    (
        trial,
        received.and_then(|received| received.into_iter().next()),
    )
}

async fn serve(sites: &[Site], log: &Log) -> Zephyr {
    let urls: Vec<String> = sites.iter().map(|site| site.url().to_owned()).collect();
    let log = log.clone();
    Zephyr::with_defaults(&urls, move |line| log.add(line)).await
}

async fn fail(sites: Vec<Site>, fault: &Fault) -> Vec<Site> {
    let mut failing = Vec::new();
    for (site, behaviour) in sites.into_iter().zip(fault.all_behaviours()) {
        failing.push(site.behave(behaviour, fault.checks).await);
    }
    failing
}

/// Waits for the checks of all endpoints that can be reached, and sends what earlier conversations sent.
async fn warm_up(zephyr: &Zephyr, sample: &Received, fault: &Fault) {
    let reachable: Vec<bool> = fault
        .all_behaviours()
        .map(|behaviour| !behaviour.is_in_the_address())
        .collect();
    let checked = |snapshot: &Value| {
        let mut states = reachable.iter().enumerate();
        states.all(|(index, reachable)| {
            !reachable || snapshot["endpoints"][index]["last_check_ms"].is_u64()
        })
    };
    zephyr.until(checked).await;

    let stream: Arc<[u8]> = request(zephyr.addr(), sample, &sample.body).into();
    let mut in_one_piece = sample.json();
    in_one_piece["stream"] = false.into();
    let in_one_piece = in_one_piece.to_string();
    let message: Arc<[u8]> = request(zephyr.addr(), sample, in_one_piece.as_bytes()).into();
    let mut conversations = JoinSet::new();
    for _ in 0..CONVERSATIONS {
        let (addr, stream, message) = (zephyr.addr(), Arc::clone(&stream), Arc::clone(&message));
        conversations.spawn(async move {
            for _ in 0..STREAMS_EACH {
                converse(addr, &stream).await;
            }
            converse(addr, &message).await;
        });
    }
    while let Some(ended) = conversations.join_next().await {
        ended.expect("every request should be answered");
    }
    if reachable[0] {
        let in_use = |snapshot: &Value| snapshot["current"] == "A";
        zephyr.until(in_use).await;
    }
}

/// A request as Claude Code sent it, with this body.
fn request(addr: SocketAddr, sample: &Received, body: &[u8]) -> Vec<u8> {
    let mut head = format!("POST {} HTTP/1.1\r\nhost: {addr}\r\n", sample.target);
    head += &format!("authorization: Bearer {CLIENT_TOKEN}\r\n");
    head += &format!("content-length: {}\r\n", body.len());
    for (name, value) in &sample.headers {
        let is_of_the_connection = CONNECTION.iter().any(|it| name.eq_ignore_ascii_case(it));
        if !is_of_the_connection {
            head += &format!("{name}: {value}\r\n");
        }
    }
    head += "\r\n";
    [head.as_bytes(), body].concat()
}

async fn converse(addr: SocketAddr, request: &[u8]) {
    let mut client = RawClient::connect(addr)
        .await
        .expect("Zephyr should listen");
    client.send(request).await.expect("Zephyr should read");
    let answer = client.answer().await.expect("Zephyr should answer");
    assert_eq!(answer.status, 200);
}

/// How many requests of clients there were.
async fn requests(zephyr: &Zephyr) -> u64 {
    let totals = |snapshot: &Value| snapshot["totals"].clone();
    let snapshot = zephyr
        .until(|snapshot| totals(snapshot)["in_flight"] == 0)
        .await;
    totals(&snapshot)["requests"].as_u64().unwrap_or_default()
}

/// Headers that belong to a connection or to whoever sends them.
const CONNECTION: [&str; 7] = [
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "authorization",
    "x-api-key",
    "accept-encoding",
];

/// Together with [`STREAMS_EACH`], twenty streams.
const CONVERSATIONS: usize = 4;
const STREAMS_EACH: usize = 5;

/// The lines of a log, as they come.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, line: &str) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push(line.to_owned());
    }

    fn lines(&self) -> Vec<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

//! What the log says of a request, under which name.
//!
//! Whether a line is written at all is decided once per program, so these tests share one log.
#![allow(clippy::unwrap_used, reason = "helpers of tests, too")]

use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};

use crate::common::Zephyr;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use zephyr_testkit::{Act, Answer, Endpoint, TlsEndpoint};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn start() -> Self {
        static LOG: OnceLock<Log> = OnceLock::new();
        let start = || {
            let log = Self::default();
            tracing_subscriber::fmt()
                .with_writer(log.clone())
                .with_ansi(false)
                .with_max_level(LevelFilter::DEBUG)
                .init();
            log
        };
        LOG.get_or_init(start).clone()
    }

    /// The lines that carry the name of this answer's request.
    fn about(&self, answer: &Answer) -> Vec<String> {
        let name = answer.header("x-zephyr-request-id").unwrap();
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let lines = text.lines().filter(|line| line.contains(name));
        lines.map(str::to_owned).collect()
    }

    /// Those that are written by default.
    fn noticed(&self, answer: &Answer) -> Vec<String> {
        let mut lines = self.about(answer);
        lines.retain(|line| !line.contains(" DEBUG "));
        lines
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn lines_carry_the_name_that_the_answer_has() {
    let log = Log::start();
    let a = Endpoint::start(Act::status(500)).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let zephyr = Zephyr::over(&[&a, &b], "").await;

    let answer = zephyr.stream().await.unwrap();
    zephyr
        .until("its end", |seen| seen.totals.in_flight == 0)
        .await;

    let lines = log.about(&answer).join("\n");
    let name = answer.header("x-zephyr-request-id").unwrap();
    for told in [
        &format!("request{{id={name} method=POST path=\"/v1/messages\"}}"),
        ":attempt{number=1 endpoint=A}",
        ":attempt{number=2 endpoint=B}",
        "outcome=\"answered\"",
    ] {
        assert!(lines.contains(told), "{told} in\n{lines}");
    }
}

#[tokio::test]
async fn only_what_moves_on_or_fails_is_noticed_and_in_few_lines() {
    let log = Log::start();
    let a = Endpoint::start(Act::message("Hi")).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let zephyr = Zephyr::over(&[&a, &b], "").await;

    let fine = zephyr.stream().await.unwrap();
    a.set(Act::status(500));
    let moved = zephyr.stream().await.unwrap();
    b.set(Act::status(500));
    let failed = zephyr.stream().await.unwrap();

    assert_eq!(log.noticed(&fine), Vec::<String>::new());
    assert_eq!(log.noticed(&moved).len(), 1, "{:?}", log.noticed(&moved));
    let of_failed = log.noticed(&failed);
    assert_eq!(of_failed.len(), 2, "{of_failed:?}");
    assert!(
        of_failed[1].contains("no answer but an error"),
        "{of_failed:?}"
    );
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_told_with_its_issuer_and_day() {
    let log = Log::start();
    let a = TlsEndpoint::start_valid(Act::message("from A"), (2020, 1, 1), (4002, 7, 8)).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let zephyr = Zephyr::at(&[a.url(), b.url()], "").await;

    let moved = zephyr.stream().await.unwrap();

    let lines = log.noticed(&moved).join("\n");
    assert!(
        lines.contains("issued by rcgen") && lines.contains("4002-07-08"),
        "{lines}"
    );
}

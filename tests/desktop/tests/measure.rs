//! What the tray program costs: memory, processor time, size, and what its menu and window do to the
//! proxy's latency. It judges nothing; `cargo xtask desktop --measure` prints the table, and people
//! take it to `docs/performance.md`.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "helpers of tests, too")]

use std::time::{Duration, Instant};

use tokio::sync::watch;
use zephyr_desktop_test::{Configuration, Desktop, Tray, Zephyr, until};
use zephyr_testkit::{Act, Endpoint, RawClient};

/// How often the menu is read, and the window opened and closed.
const TIMES: usize = 100;

/// As many requests as these times take, or at least so many.
const REQUESTS: usize = 2000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn measure() {
    let minutes = std::env::var("ZEPHYR_MEASURE_MINUTES").ok();
    let minutes: u64 = minutes.and_then(|text| text.parse().ok()).unwrap_or(5);
    let desktop = Desktop::complete().await;
    let mut endpoints = Vec::new();
    for _ in 0..3 {
        endpoints.push(Endpoint::start(Act::message("Hello")).await);
    }
    let names = ["HK", "Tokyo", "Oregon"];
    let named: Vec<_> = names.into_iter().zip(&endpoints).collect();
    let zephyr = Zephyr::start(&desktop, &Configuration::over(&named));
    let tray = zephyr.tray().await;
    let mut rows = Vec::new();

    let size = std::fs::metadata(std::env::var("ZEPHYR_TEST_DESKTOP").unwrap());
    rows.push(("program on disk", mebibytes(size.unwrap().len())));

    // Starting is not idling.
    tokio::time::sleep(Duration::from_secs(10)).await;
    let (idle, since) = (zephyr.cost(), Instant::now());
    tokio::time::sleep(Duration::from_secs(60 * minutes)).await;
    let after = zephyr.cost();
    let used = (after.processor - idle.processor).as_secs_f64();
    let share = 100.0 * used / since.elapsed().as_secs_f64();
    rows.push(("idle, window never opened: PSS", mebibytes(after.memory)));
    rows.push((
        "idle: processor",
        format!("{share:.3} % over {minutes} min"),
    ));
    rows.push(("idle: processes", zephyr.processes().join(", ")));

    let quiet = latencies(&desktop, REQUESTS, None).await;
    let (done, finished) = watch::channel(false);
    let busy = latencies(&desktop, REQUESTS, Some(finished));
    let open_and_close = async {
        let started = Instant::now();
        for _ in 0..TIMES {
            open_and_close(&desktop, &tray).await;
        }
        done.send_replace(true);
        started.elapsed()
    };
    let (busy, took) = tokio::join!(busy, open_and_close);
    rows.push(("proxy, quiet", quantiles(quiet)));
    rows.push(("proxy, menu and window 100 times", quantiles(busy)));
    rows.push((
        "menu and window 100 times: took",
        format!("{:.1} s", took.as_secs_f64()),
    ));

    tray.click("Open Zephyr").await;
    desktop.until_windows(1).await;
    until("a web process", async || {
        let processes = zephyr.processes();
        processes
            .iter()
            .any(|name| name.starts_with("WebKitWeb"))
            .then_some(())
    })
    .await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    rows.push((
        "window open: PSS of all processes",
        mebibytes(zephyr.cost().memory),
    ));
    desktop.close_windows().await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    rows.push(("window closed again: PSS", mebibytes(zephyr.cost().memory)));
    rows.push((
        "window closed again: processes",
        zephyr.processes().join(", "),
    ));

    println!("\n| what | measured |\n| --- | --- |");
    for (what, measured) in rows {
        println!("| {what} | {measured} |");
    }
}

async fn open_and_close(desktop: &Desktop, tray: &Tray) {
    tray.menu().await;
    tray.click("Open Zephyr").await;
    desktop.until_windows(1).await;
    desktop.close_windows().await;
}

/// How long requests take, one after the other: so many, and on until the signal.
async fn latencies(
    desktop: &Desktop,
    count: usize,
    finished: Option<watch::Receiver<bool>>,
) -> Vec<Duration> {
    let mut client = RawClient::connect(desktop.proxy().await).await.unwrap();
    let mut latencies = Vec::new();
    let goes_on = || {
        finished
            .as_ref()
            .is_some_and(|finished| !*finished.borrow())
    };
    while latencies.len() < count || goes_on() {
        let started = Instant::now();
        client.send_messages(BODY).await.unwrap();
        let answer = client.answer().await.unwrap();
        latencies.push(started.elapsed());
        assert_eq!(answer.status, 200);
        // A client that waits for answers, not one that measures the processor.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    latencies
}

fn quantiles(mut latencies: Vec<Duration>) -> String {
    latencies.sort();
    let count = latencies.len();
    let at = |percent: usize| latencies[(count * percent / 100).min(count - 1)].as_secs_f64();
    format!(
        "p50 {:.2} ms, p99 {:.2} ms, of {count}",
        at(50) * 1000.0,
        at(99) * 1000.0
    )
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / 1024.0 / 1024.0)
}

const BODY: &str = r#"{"model":"claude-sonnet-4-5","max_tokens":16,"messages":[{"role":"user","content":"Hello"}]}"#;

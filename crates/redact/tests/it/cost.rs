//! What the redaction of a request costs. `cargo test --release -p zephyr-redact -- --ignored --nocapture cost`
//! prints it; docs/adr/0031-redacted-text-by-type.md has the numbers.

use std::hint::black_box;
use std::time::Instant;

use http::{HeaderMap, HeaderName, HeaderValue};
use zephyr_redact::{Known, Own, Redactor};

/// The headers of a request of Claude Code.
fn headers() -> HeaderMap {
    let headers = [
        ("accept", "application/json"),
        (
            "authorization",
            "Bearer sk-ant-oat01-0123456789abcdefghijklmnopqrstuvwxyz-0123456789",
        ),
        ("content-type", "application/json"),
        ("user-agent", "claude-cli/2.1.0 (external, cli)"),
        (
            "anthropic-beta",
            "oauth-2025-04-20,interleaved-thinking-2025-05-14",
        ),
        ("anthropic-dangerous-direct-browser-access", "true"),
        ("anthropic-version", "2023-06-01"),
        ("x-app", "cli"),
        (
            "x-claude-code-session-id",
            "9f0a1b52-7d3e-4c1a-8f57-0d1a8a4f2c11",
        ),
        ("x-stainless-arch", "x64"),
        ("x-stainless-lang", "js"),
        ("x-stainless-os", "Linux"),
        ("x-stainless-package-version", "0.60.0"),
        ("x-stainless-retry-count", "0"),
        ("x-stainless-runtime", "node"),
        ("x-stainless-runtime-version", "v24.3.0"),
        ("x-stainless-timeout", "600"),
        ("accept-encoding", "gzip, deflate, br, zstd"),
        ("connection", "keep-alive"),
        ("content-length", "120345"),
    ];
    let headers = headers.map(|(name, value)| {
        (
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        )
    });
    headers.into_iter().collect()
}

fn nanoseconds(what: &str, mut work: impl FnMut()) {
    const ROUNDS: u32 = 500;
    // The best of several, since other programs run as well.
    let best = (0..100).map(|_| {
        let begun = Instant::now();
        (0..ROUNDS).for_each(|_| work());
        begun.elapsed().as_nanos() / u128::from(ROUNDS)
    });
    println!("{what}: {} ns", best.min().unwrap_or_default());
}

#[test]
#[ignore = "prints times and judges nothing"]
fn cost() {
    let known = Known::default();
    known.learn([
        "sk-ant-api03-0123456789abcdefghijklmnopqrstuvwxyz",
        "relay-0123456789abcdefghijklmnop",
        "client-0123456789abcdef",
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    ]);
    let headers = headers();
    let model = "claude-sonnet-4-5-20250929";
    let session = "9f0a1b52-7d3e-4c1a-8f57-0d1a8a4f2c11";
    nanoseconds("a request: credentials, model, session", || {
        let redactor = known.of_request(&Own::of(black_box(&headers), None));
        black_box(redactor.text(black_box(model)));
        black_box(redactor.text(black_box(session)));
    });
    nanoseconds("its credentials alone", || {
        black_box(known.of_request(&Own::of(black_box(&headers), None)));
    });
    let redactor = known.redactor();
    nanoseconds("an unusual path", || {
        black_box(redactor.text(black_box(
            "/v1/organizations/%7Bid%7D/usage_report/messages",
        )));
    });
    nanoseconds("a log line", || {
        black_box(redactor.text(black_box(
            "2026-12-01T03:05:44.000000Z DEBUG request{id=req_0123 method=POST path=/v1/messages}: attempt begins number=1 endpoint=Tokyo",
        )));
    });
    let body = "{\"role\":\"user\",\"content\":\"It is said that a quick brown fox\\njumps over 100% of dogs & hens\"},".repeat(1000);
    nanoseconds("a body of 20,000 bytes", || {
        black_box(redactor.text(black_box(&body[..20_000])));
    });
    nanoseconds("learning four secrets", || {
        black_box(Redactor::of(black_box([
            "sk-ant-api03-0123456789abcdefghijklmn",
            "b-123456",
            "c-123456",
            "d-123456",
        ])));
    });
}

//! Claude Code with what `zephyr connect claude-code` writes into its settings.

use std::fs;

use zephyr_clients_test::{ClaudeCode, config_dir};
use zephyr_testkit::{Act, Endpoint};

use crate::faulty::{Faulty, TEXT};

#[tokio::test]
async fn claude_code_asks_zephyr_by_its_settings_alone_once_connected() {
    let over = Faulty::then_good(Act::status(529)).await;
    let home = tempfile::tempdir().unwrap();
    let settings = config_dir(home.path()).join("settings.json");
    let before = "{\n\t\"env\": { \"ANTHROPIC_AUTH_TOKEN\": \"of-before\" }\n}\n";
    fs::create_dir(config_dir(home.path())).unwrap();
    fs::write(&settings, before).unwrap();

    over.zephyr
        .claude_code("connect", &config_dir(home.path()), &[])
        .await;
    let outcome = ClaudeCode::by_the_settings_in(home.path())
        .ask("Hello")
        .await;
    over.zephyr
        .claude_code("disconnect", &config_dir(home.path()), &[])
        .await;

    over.check_hidden(&outcome);
    assert_eq!(fs::read_to_string(&settings).unwrap(), before);
}

#[tokio::test]
async fn claude_code_asks_zephyr_past_a_proxy_once_connected() {
    for former in [None, Some("NO_PROXY"), Some("no_proxy")] {
        println!("{former:?}");
        let over = Faulty::then_good(Act::message(TEXT)).await;
        let proxy = Endpoint::start(Act::message(PROXY_TEXT)).await;
        let url = proxy.url();
        let mut variables = behind(&url).to_vec();
        variables.extend(former.map(|name| (name, "intranet.example.com")));
        let home = tempfile::tempdir().unwrap();

        over.zephyr
            .claude_code("connect", &config_dir(home.path()), &variables)
            .await;
        let claude_code = ClaudeCode::by_the_settings_in(home.path()).envs(&variables);
        let outcome = claude_code.ask("Hello").await;

        assert_eq!(outcome.text.as_deref(), Ok(TEXT));
        assert_eq!(over.first.requests().len(), 1);
        assert_eq!(proxy.connections(), 0);
    }
}

/// The test above would prove nothing if Claude Code passed proxies by itself.
#[tokio::test]
async fn without_being_connected_claude_code_asks_through_the_proxy() {
    let over = Faulty::then_good(Act::message(TEXT)).await;
    let proxy = Endpoint::start(Act::message(PROXY_TEXT)).await;

    let claude_code = ClaudeCode::at(&over.zephyr.url()).envs(&behind(&proxy.url()));
    let outcome = claude_code.ask("Hello").await;

    assert_eq!(outcome.text.as_deref(), Ok(PROXY_TEXT));
    assert_eq!(over.first.requests().len(), 0);
}

/// What a proxy says that answers instead of passing on.
const PROXY_TEXT: &str = "Hello from a proxy.";

/// What tells Claude Code of a proxy.
fn behind(proxy: &str) -> [(&str, &str); 2] {
    [("HTTP_PROXY", proxy), ("HTTPS_PROXY", proxy)]
}

//! Texts before and after a start: what to do, what was started, where to point clients.

use std::net::SocketAddr;
use std::path::Path;

use zephyr_control::{Language, Snapshot, text};
use zephyr_process::address::local_url;

use super::parts::{in_words, labelled};
use super::phrase::Phrase;
use crate::terminal::printable;

/// What to do if no instance is running. `ended`: the process that left its instance file behind.
pub(crate) fn not_running(language: Language, ended: Option<u32>) -> String {
    let first = match ended {
        Some(pid) => Phrase::EndedUncleanly { pid },
        None => Phrase::NotRunning,
    };
    let phrases = [first, Phrase::StartIt, Phrase::TryDemo, Phrase::FindConfig];
    lines(language, &phrases)
}

/// What was started, and where to point clients.
pub(crate) fn started(snapshot: &Snapshot, language: Language) -> String {
    let version = &snapshot.version;
    let names: Vec<_> = snapshot.endpoints.iter().map(labelled).collect();
    let mut phrases = vec![Phrase::Started { version }];
    phrases.push(Phrase::PointClients {
        url: proxy_url(snapshot),
    });
    if let Some(admin) = &snapshot.listening.admin {
        phrases.push(Phrase::AdminAt { admin });
    }
    if !names.is_empty() {
        phrases.push(Phrase::EndpointsAre {
            names: names.join(", "),
        });
    }
    if let Some(path) = &snapshot.config_path {
        phrases.push(Phrase::ConfiguredBy { path });
    }
    phrases.extend(snapshot.problems.iter().map(|problem| Phrase::Attention {
        problem: in_words(problem),
    }));
    lines(language, &phrases)
}

/// The text after the page was opened in the browser.
pub(crate) fn opened(admin: SocketAddr, language: Language) -> String {
    let url = local_url(admin);
    lines(language, &[Phrase::Opened { url }])
}

/// The text if there is no browser to open: the address that the user should open elsewhere.
pub(crate) fn open_by_hand(url: &str, language: Language) -> String {
    lines(language, &[Phrase::OpenByHand { url }])
}

/// What the demo started, and what to try.
pub(crate) fn demo_started(snapshot: &Snapshot, data_dir: &Path, language: Language) -> String {
    let version = &snapshot.version;
    let data_dir = data_dir.display();
    let [first, try_it, watch_it] = [
        Phrase::DemoStarted { version },
        Phrase::DemoTry,
        Phrase::DemoWatch,
    ]
    .map(|phrase| text(language, &phrase));
    let body = r#"{"model":"claude-haiku-4-5","max_tokens":256,"stream":true,"messages":[{"role":"user","content":"Hello"}]}"#;
    let url = proxy_url(snapshot);
    format!(
        "{first}\n\n{try_it}\n\n  \
         curl -N {url}/v1/messages -H 'content-type: application/json' \
         -H 'anthropic-version: 2023-06-01' -H 'x-api-key: demo' -d '{body}'\n\n\
         {watch_it}\n\n  ZEPHYR_DATA_DIR='{data_dir}' zephyr status\n\n"
    )
}

fn lines(language: Language, phrases: &[Phrase<'_>]) -> String {
    phrases
        .iter()
        .flat_map(|phrase| {
            let text = text(language, phrase);
            text.lines().map(printable).collect::<Vec<_>>()
        })
        .map(|line| line + "\n")
        .collect()
}

/// Where clients find the proxy. If it listens on every address: the address on this machine.
fn proxy_url(snapshot: &Snapshot) -> String {
    let listening = &snapshot.listening.proxy;
    listening
        .parse()
        .map_or_else(|_| format!("http://{listening}"), local_url)
}

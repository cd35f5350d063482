//! A canary in every input of the program, in every spelling: none is in anything that the program shows, logs
//! or keeps.
//!
//! The lists below make a matrix: what a canary is × how it is spelled × where it comes in × what is looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;

use serde_json::{Value, json};
use zephyr_control::{Language, text};
use zephyr_testkit::{Act, Endpoint, Script, Step};

use crate::home::Home;

/// What a canary is: something with the shape of a credential, a secret of the configuration, the credential of
/// the request. The others have no shape.
const CANARIES: &[(&str, &str)] = &[
    ("shaped", "sk-ant-api03-Canary_0123456789-Bird"),
    ("configured", "Kanarien+Vogel=Nest_4.A~7"),
    ("own", "Canario&Pajaro+Nido=5.B~8"),
    // Where an endpoint's words are repeated, they may only have letters and underscores.
    ("configured word", "kanarienvogel_im_nest"),
];
const CONFIGURED: usize = 1;
const OWN: usize = 2;
const WORD: usize = 3;
const SHAPED: usize = 0;

type Spelling = fn(&str) -> String;

const SPELLINGS: &[(&str, Spelling)] = &[
    ("plain", str::to_owned),
    ("capitals", |text| text.to_ascii_uppercase()),
    ("percent", |text| each(text, |byte| format!("%{byte:02X}"))),
    ("usual percent", |text| {
        signs(text, |byte| format!("%{byte:02x}"))
    }),
    ("percent twice", |text| {
        signs(text, |byte| format!("%25{byte:02X}"))
    }),
    ("JSON", |text| signs(text, |byte| format!("\\u{byte:04x}"))),
    ("JSON in JSON", |text| {
        each(text, |byte| format!("\\\\u{byte:04X}"))
    }),
    ("HTML, decimal", |text| {
        signs(text, |byte| format!("&#{byte};"))
    }),
    ("HTML, hex", |text| {
        each(text, |byte| format!("&#x{byte:x};"))
    }),
    ("base64", |text| base64(text, STANDARD)),
    ("base64 behind one", |text| {
        base64(&format!("x{text}"), STANDARD)
    }),
    ("base64 behind two", |text| {
        base64(&format!("xy{text}z"), URL)
    }),
    ("hex", |text| each(text, |byte| format!("{byte:02x}"))),
];

/// Where a canary comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Input {
    Path,
    Query,
    Model,
    Session,
    HeaderName,
    HeaderValue,
    Host,
    Body,
    /// In a stream that the endpoint sends, spread over its deltas.
    Stream,
    ErrorMessage,
    ErrorType,
    WrongType,
    ServedModel,
    AnswerHeader,
}

const INPUTS: &[Input] = &[
    Input::Path,
    Input::Query,
    Input::Model,
    Input::Session,
    Input::HeaderName,
    Input::HeaderValue,
    Input::Host,
    Input::Body,
    Input::Stream,
    Input::ErrorMessage,
    Input::ErrorType,
    Input::WrongType,
    Input::ServedModel,
    Input::AnswerHeader,
];

impl Input {
    /// The request with the canary; `None`: HTTP cannot carry it there.
    fn request(self, canary: &str) -> Option<String> {
        let own = CANARIES[OWN].1;
        let (mut path, mut host) = ("/v1/messages".to_owned(), "127.0.0.1".to_owned());
        let (mut model, mut said) = ("claude-haiku-4-5".to_owned(), "Hi".to_owned());
        let mut headers = format!("x-api-key: {own}\r\n");
        match self {
            Self::Path => path = format!("/v1/marked-path/{canary}"),
            Self::Query => path = format!("/v1/messages?beta=true&next={canary}"),
            Self::Model => model = format!("marked-model {canary}"),
            Self::Session => headers += &format!("x-claude-code-session-id: s-{canary}\r\n"),
            Self::HeaderName => headers += &format!("x-{canary}: 1\r\n"),
            Self::HeaderValue => {
                headers += &format!("user-agent: marked-agent/1 {canary}\r\nx-note: {canary}\r\n");
            }
            Self::Host => host = format!("{canary}.example"),
            Self::Body => said = format!("marked-body {canary}"),
            Self::Stream
            | Self::ErrorMessage
            | Self::ErrorType
            | Self::WrongType
            | Self::ServedModel
            | Self::AnswerHeader => {}
        }
        let is_of_a_url = |byte: u8| byte.is_ascii_graphic() && !b"\\#\"<>^`{|}".contains(&byte);
        let is_of_a_name =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let may_stand = match self {
            Self::Path | Self::Query | Self::Host => canary.bytes().all(is_of_a_url),
            Self::HeaderName => canary.bytes().all(is_of_a_name),
            Self::Model
            | Self::Session
            | Self::HeaderValue
            | Self::Body
            | Self::Stream
            | Self::ErrorMessage
            | Self::ErrorType
            | Self::WrongType
            | Self::ServedModel
            | Self::AnswerHeader => true,
        };
        let body = json!({
            "model": model, "max_tokens": 1, "stream": self == Self::Stream,
            "messages": [{ "role": "user", "content": said }],
        });
        let body = body.to_string();
        may_stand.then(|| {
            format!(
                "POST {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\
                 content-type: application/json\r\n{headers}content-length: {}\r\n\r\n{body}",
                body.len()
            )
        })
    }

    fn answer(self, canary: &str) -> Act {
        let message = |model: &str| {
            json!({
                "id": "msg_1", "type": "message", "role": "assistant", "model": model,
                "content": [{ "type": "text", "text": "Hi" }], "stop_reason": "end_turn",
                "stop_sequence": null, "usage": { "input_tokens": 1, "output_tokens": 1 },
            })
        };
        match self {
            Self::Stream => {
                let event = |name: &str, mut data: Value| {
                    data["type"] = name.into();
                    Step::event(name, data)
                };
                let start = json!({ "message": message("claude-haiku-4-5") });
                let block = json!({ "index": 0, "content_block": { "type": "text", "text": "" } });
                let delta = |part: &str| {
                    let delta = json!({ "type": "text_delta", "text": part });
                    event("content_block_delta", json!({ "index": 0, "delta": delta }))
                };
                let end = json!({
                    "delta": { "stop_reason": "end_turn", "stop_sequence": null },
                    "usage": { "output_tokens": 1 },
                });
                let mut steps = vec![
                    event("message_start", start),
                    event("content_block_start", block),
                ];
                steps.extend(parts(canary).map(delta));
                steps.push(event("content_block_stop", json!({ "index": 0 })));
                steps.push(event("message_delta", end));
                steps.push(event("message_stop", json!({})));
                Act::sse(steps)
            }
            Self::ErrorMessage => Act::status(500).error_message(canary),
            Self::ErrorType => Act::json(&json!({
                "type": "error", "error": { "type": canary, "message": canary },
            })),
            Self::WrongType => Act::json(&json!({ "type": canary, "role": canary })),
            Self::ServedModel => Act::json(&message(canary)),
            Self::AnswerHeader => Act::status(500)
                .header("request-id", canary)
                .header("x-ratelimit-limit-tokens", canary)
                .header("anthropic-ratelimit-requests-reset", canary)
                .header("x-note", canary),
            Self::Path
            | Self::Query
            | Self::Model
            | Self::Session
            | Self::HeaderName
            | Self::HeaderValue
            | Self::Host
            | Self::Body => Act::json(&message("claude-haiku-4-5")),
        }
    }
}

/// What each delta of a stream has of a canary.
fn parts(canary: &str) -> impl Iterator<Item = &str> {
    let starts = (0..canary.len()).step_by(PART);
    starts.map(|start| &canary[start..canary.len().min(start + PART)])
}

/// Bytes of such a part.
const PART: usize = 6;

/// Parts of a text that show that a canary is in it, in small letters: what each of them shows.
#[derive(Default)]
struct Needles(BTreeMap<String, String>);

impl Needles {
    fn add(&mut self, told: &str, canary: &str, spelled: &str) {
        // Also without its first and last part, should only those have gone.
        let third = spelled.len() / 3;
        for needle in [canary, spelled, &spelled[third..2 * third]] {
            self.insert(told, needle);
        }
    }

    fn insert(&mut self, told: &str, needle: &str) {
        let small = needle.to_ascii_lowercase();
        // A text may have put its own escapes on it.
        let quoted = json!(small).to_string();
        let quoted = quoted[1..quoted.len() - 1].to_owned();
        for needle in [quoted, small] {
            self.0.entry(needle).or_insert_with(|| told.to_owned());
        }
    }

    /// Which of them are in the text.
    fn in_text(&self, sink: &str, text: &str) -> Vec<String> {
        let small = text.to_ascii_lowercase();
        let found = self.0.iter().filter_map(|(needle, told)| {
            let at = small.find(needle)?;
            let from = text.floor_char_boundary(at.saturating_sub(120));
            let until = text.ceil_char_boundary((at + needle.len() + 20).min(text.len()));
            Some(format!(
                "{told} in {sink}: {needle}: …{}…",
                &text[from..until]
            ))
        });
        found.collect()
    }
}

/// `zephyr serve` that logs all that there is, and whose lines are read as they come.
struct Loud {
    child: Child,
    reading: Option<JoinHandle<String>>,
}

impl Loud {
    fn start(home: &Home, config: &Path) -> Self {
        let mut command = home.zephyr(&["serve", "--config", config.to_str().unwrap()]);
        command.env("RUST_LOG", "trace").stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (ready, is_ready) = mpsc::channel();
        let reading = std::thread::spawn(move || {
            let mut said = String::new();
            for line in stderr.lines() {
                let line = line.unwrap();
                if line.ends_with(" is ready.") {
                    ready.send(()).unwrap();
                }
                said += &line;
                said.push('\n');
            }
            said
        });
        is_ready.recv().expect("it starts");
        let reading = Some(reading);
        Self { child, reading }
    }

    fn end(mut self) -> String {
        let pid = self.child.id().to_string();
        let kill = std::process::Command::new("sh")
            .args(["-c", r#"kill -s TERM "$0""#, &pid])
            .status();
        assert!(kill.unwrap().success());
        assert!(self.child.wait().unwrap().success());
        let reading = self.reading.take();
        reading
            .map(|reading| reading.join().unwrap())
            .unwrap_or_default()
    }
}

impl Drop for Loud {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What comes back for these bytes.
fn exchange(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer); // A refused request may be answered by a reset.
    String::from_utf8_lossy(&answer).into_owned()
}

fn page(address: SocketAddr, path: &str, token: &str) -> String {
    let authorization = format!("authorization: Bearer {token}\r\n");
    exchange(
        address,
        &format!(
            "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{authorization}\r\n"
        ),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_canary_of_any_input_is_in_anything_that_is_shown_logged_or_kept() {
    let script = Arc::new(Mutex::new((Input::Body, String::new())));
    let choosing = Arc::clone(&script);
    let endpoint = Endpoint::start(Script::by(move |_| {
        let (input, canary) = &*choosing.lock().unwrap();
        input.answer(canary)
    }))
    .await;
    let home = Home::new();
    // The name of a file is an input as well. Nobody knows the secrets of the configuration before it is read.
    let folder = home
        .path()
        .join(format!("marked-folder {}", CANARIES[SHAPED].1));
    fs::create_dir(&folder).unwrap();
    let config = folder.join("config.toml");
    let rules = format!(
        "[server]\nport = 0\n[web_admin]\nport = 0\n\
         [health_check]\nmode = \"off\"\n[failover]\nhold_seconds = 0\n[breaker]\nmax_failures = 100\n\
         [logging]\nlevel = \"trace\"\nlog_request_body = \"full\"\nlog_response_body = \"full\"\n\
         [[groups]]\nname = \"primary\"\nauth_token_env = \"UPSTREAM\"\n\
         endpoints = [{{ name = \"A\", url = \"{0}\", proxy = \"direct\" }}]\n\
         [[groups]]\nname = \"second\"\nauth_token_env = \"WORD\"\n\
         endpoints = [{{ name = \"B\", url = \"{0}\", proxy = \"direct\", enabled = false }}]\n",
        endpoint.url()
    );
    fs::write(&config, rules).unwrap();
    let secrets = [("UPSTREAM", CONFIGURED), ("WORD", WORD)]
        .map(|(name, canary)| format!("{name}='{}'\n", CANARIES[canary].1));
    fs::write(folder.join(".env"), secrets.concat()).unwrap();
    let serving = Loud::start(&home, &config);
    let running = home.running().await;
    let (proxy, admin) = (running.instance.proxy, running.instance.admin);
    let token = fs::read_to_string(home.data_dir().join("admin-token")).unwrap();
    let token = token.trim();

    let mut leaks = Vec::new();
    let mut has_reason = false;
    let mut every = Needles::default();
    let mut sent = BTreeSet::new();
    for (number, (kind, canary)) in CANARIES.iter().enumerate() {
        for (spelling, spell) in SPELLINGS {
            let spelled = spell(canary);
            if number == SHAPED && *spelling == "capitals" {
                continue; // What has a shape has it in small letters.
            }
            for input in INPUTS {
                let Some(request) = input.request(&spelled) else {
                    continue;
                };
                sent.insert((number, *spelling, format!("{input:?}")));
                let told = format!("{kind} canary as {spelling} by {input:?}");
                let mut needles = Needles::default();
                needles.add(&told, canary, &spelled);
                every.add(&told, canary, &spelled);
                if *input == Input::Stream {
                    let whole = parts(&spelled).filter(|part| part.len() == PART);
                    for part in whole {
                        every.insert(&told, &format!(r#""text":{}"#, json!(part)));
                    }
                }
                *script.lock().unwrap() = (*input, spelled.clone());
                let answer = exchange(proxy, &request);
                if !answer.contains("x-used-endpoint") {
                    leaks.extend(needles.in_text("an error of ours", &answer));
                }
                for path in ["/status", "/diagnostics"] {
                    let shown = page(proxy, path, CANARIES[OWN].1);
                    assert!(shown.starts_with("HTTP/1.1 200"), "{shown}");
                    leaks.extend(needles.in_text(path, &shown));
                    has_reason |= shown.contains(r#""error_type":"[redacted]""#);
                }
            }
        }
    }
    // Most of them can be sent, so nothing has been left out by accident.
    assert!(sent.len() > 400, "{}", sent.len());

    let snapshot = home.running().await.snapshot;
    let words = [Language::En, Language::Zh].map(|language| {
        let events = snapshot.events.iter();
        events
            .map(|event| text(language, &event.kind))
            .collect::<Vec<_>>()
            .join("\n")
    });
    let mut sinks = vec![
        (
            "snapshot".to_owned(),
            page(admin, "/api/v1/snapshot", token),
        ),
        ("snapshot for Debug".to_owned(), format!("{snapshot:?}")),
        ("metrics".to_owned(), page(admin, "/metrics", token)),
        ("notifications".to_owned(), words.join("\n")),
    ];
    for path in [
        "/api/v1/requests",
        "/api/v1/requests/export?format=jsonl",
        "/api/v1/requests/export?format=csv",
        "/api/v1/usage",
        "/api/v1/history",
    ] {
        let shown = page(admin, path, token);
        assert!(shown.starts_with("HTTP/1.1 200"), "{path}: {shown}");
        sinks.push((path.to_owned(), shown));
    }
    let mut details = String::new();
    for id in 1..=sent.len() {
        details += &page(admin, &format!("/api/v1/requests/{id}"), token);
    }
    sinks.push(("recorded requests".to_owned(), details));
    for arguments in [&["status"][..], &["logs"], &["why", "1"]] {
        let output = home.run(arguments);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        sinks.push((arguments.join(" "), said));
    }
    sinks.push(("lines on stderr".to_owned(), serving.end()));
    let mut files = Vec::new();
    collect(&home.data_dir(), &mut files);
    collect(&folder, &mut files);
    for (name, bytes) in files {
        if name != ".env" {
            sinks.push((name, String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
    let missing = folder.join("missing.toml");
    let refused = home.run(&["serve", "--config", missing.to_str().unwrap()]);
    assert!(!refused.status.success());
    let refused = String::from_utf8_lossy(&refused.stderr).into_owned();
    sinks.push(("an error of the command line".to_owned(), refused));

    for (sink, text) in &sinks {
        leaks.extend(every.in_text(sink, text));
    }
    // Each of these would be empty if it had not been looked at.
    let has = |sink: &str, mark: &str| {
        let looked = sinks.iter().filter(|(name, _)| name.contains(sink));
        assert!(
            looked.clone().any(|(_, text)| text.contains(mark)),
            "{sink}: {mark}"
        );
    };
    has("stderr", "/v1/marked-path/[redacted]");
    has("stderr", "TRACE");
    has(".log", "/v1/marked-path/[redacted]");
    has("recorded requests", "marked-body [redacted]");
    has("recorded requests", "marked-agent");
    has("recorded requests", "text_delta");
    assert!(has_reason, "what an endpoint calls its error is shown");
    has("snapshot", "marked-folder [redacted]");
    has("command line", "marked-folder [redacted]");
    has(
        "/api/v1/requests/export?format=csv",
        "marked-model [redacted]",
    );
    has("journal.db", "marked-path");
    has("metrics", "zephyr_");
    leaks.sort();
    leaks.dedup();
    let shown: Vec<&String> = leaks.iter().take(20).collect();
    assert!(
        leaks.is_empty(),
        "{} leaks, such as {shown:#?}",
        leaks.len()
    );
}

/// Every file in a folder and those in it.
fn collect(folder: &Path, files: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            files.push((name, fs::read(path).unwrap()));
        }
    }
}

fn each(text: &str, spell: impl Fn(u8) -> String) -> String {
    text.bytes().map(spell).collect()
}

/// As most encoders do it: letters and digits stay.
fn signs(text: &str, spell: impl Fn(u8) -> String) -> String {
    each(text, |byte| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ => spell(byte),
    })
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn base64(text: &str, alphabet: &[u8; 64]) -> String {
    let mut encoded = String::new();
    for three in text.as_bytes().chunks(3) {
        let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for number in 0..=three.len() {
            let value = (bits >> (18 - 6 * number)) & 63;
            encoded.push(char::from(alphabet[value as usize]));
        }
    }
    encoded
}

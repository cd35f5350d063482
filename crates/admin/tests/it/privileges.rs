//! What each kind of caller may do: every path, every command and every key, over real connections.

use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use zephyr_control::privilege::{Danger, KEYS};
use zephyr_control::{
    AuthType, Command, ControlError, EndpointForm, ErrorCode, SecretText, SettingValue, Tested,
    TokenReference,
};

use crate::fake::{Server, every_command, form};
use crate::sign_in::Browser;

const COMMANDS: &str = "/api/v1/commands";
const CONFIRMATIONS: &str = "/api/v1/confirmations";

/// The keys that may not be given any value by a browser alone.
const DANGEROUS: [&str; 11] = [
    "server.host",
    "server.port",
    "server.allowed_hosts",
    "server.allowed_origins",
    "server.client_token_env",
    "server.client_token_keychain",
    "health_check.claude_binary_path",
    "logging.log_directory",
    "web_admin.enabled",
    "web_admin.host",
    "web_admin.port",
];
/// The keys that may not be given this value, as JSON.
const DANGEROUS_VALUES: [(&str, &str); 3] = [
    ("health_check.mode", "\"claude_cli\""),
    ("server.allow_other_users", "true"),
    ("server.allow_insecure", "true"),
];

fn text(text: &str) -> SettingValue {
    SettingValue::Text(text.to_owned())
}

/// What a caller shows.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Credential {
    None,
    /// The cookie of a session without the key of its page.
    ForeignCookie,
    MetricsToken,
    Session,
    AdminToken,
}

const CREDENTIALS: [Credential; 5] = [
    Credential::None,
    Credential::ForeignCookie,
    Credential::MetricsToken,
    Credential::Session,
    Credential::AdminToken,
];

impl Credential {
    fn ask(
        self,
        browser: &Browser<'_>,
        server: &Server,
        method: Method,
        path: &str,
    ) -> RequestBuilder {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let bare = client.request(method.clone(), format!("http://{}{path}", server.address));
        match self {
            Self::None => bare,
            Self::ForeignCookie => browser
                .without_key(method, path)
                .header("sec-fetch-site", "same-origin"),
            Self::MetricsToken => bare.bearer_auth(server.metrics_secret()),
            Self::Session => browser.ask(method, path),
            Self::AdminToken => bare.bearer_auth(server.secret()),
        }
    }
}

async fn send(request: RequestBuilder, body: &impl serde::Serialize) -> Response {
    let body = serde_json::to_vec(body).unwrap();
    request.body(body).send().await.unwrap()
}

/// The status for this command, and what of it got through.
async fn run(
    credential: Credential,
    browser: &Browser<'_>,
    server: &Server,
    command: &Command,
) -> u16 {
    let request = credential.ask(browser, server, Method::POST, COMMANDS);
    let status = send(request, command).await.status().as_u16();
    let through = server.control.commands();
    let expected = if status == 200 {
        vec![command.clone()]
    } else {
        Vec::new()
    };
    assert_eq!(through, expected, "{credential:?} {status}");
    status
}

fn expected(credential: Credential, is_dangerous: bool) -> u16 {
    match credential {
        Credential::None | Credential::ForeignCookie | Credential::MetricsToken => 401,
        Credential::Session if is_dangerous => 403,
        Credential::Session | Credential::AdminToken => 200,
    }
}

/// The names of all commands, as the contract's generated types have them.
fn names_of_commands() -> Vec<&'static str> {
    let types = include_str!("../../../../ui/src/lib/generated/control.ts");
    let (_, declaration) = types.split_once("export type Command =").unwrap();
    let declaration = declaration.split("export type").next().unwrap();
    let tags = declaration.split("\"command\": \"").skip(1);
    tags.map(|rest| rest.split('"').next().unwrap()).collect()
}

#[tokio::test]
async fn every_command_is_for_those_who_may() {
    let server = Server::start().await;
    let browser = Browser::signed_in(&server).await;
    let mut seen = Vec::new();

    for command in every_command() {
        let name = serde_json::to_value(&command).unwrap()["command"].clone();
        seen.push(name.as_str().unwrap().to_owned());
        // `server.port`, and the token of an entry that has one.
        let is_dangerous = ["set", "store_token"].contains(&name.as_str().unwrap());
        for credential in CREDENTIALS {
            let status = run(credential, &browser, &server, &command).await;
            let expected = expected(credential, is_dangerous);
            assert_eq!(status, expected, "{credential:?} {command:?}");
        }
    }

    let all = names_of_commands();
    assert!(all.len() > 15, "{all:?}");
    for name in all {
        assert!(seen.iter().any(|seen| seen == name), "{name} is not tried");
    }
}

#[tokio::test]
async fn every_key_is_for_those_who_may() {
    let server = Server::start().await;
    let browser = Browser::signed_in(&server).await;
    let always: Vec<_> = KEYS.iter().map(|(key, _)| *key).collect();
    for key in DANGEROUS
        .iter()
        .chain(DANGEROUS_VALUES.map(|(key, _)| key).iter())
    {
        assert!(always.contains(key), "{key} is no key");
    }

    for key in always {
        let one_value = DANGEROUS_VALUES.iter().find(|(known, _)| *known == key);
        let mut cases = vec![
            (Some(text("x")), DANGEROUS.contains(&key)),
            (None, DANGEROUS.contains(&key)),
        ];
        cases.extend(one_value.map(|(_, value)| (serde_json::from_str(value).unwrap(), true)));
        for (value, is_dangerous) in cases {
            let key = key.to_owned();
            let command = Command::Set { key, value };
            for credential in CREDENTIALS {
                let status = run(credential, &browser, &server, &command).await;
                let expected = expected(credential, is_dangerous);
                assert_eq!(status, expected, "{credential:?} {command:?}");
            }
        }
    }
}

/// The paths of the API, as the server has them.
fn paths() -> Vec<&'static str> {
    let source = include_str!("../../src/protocol/path.rs");
    let lines = source
        .lines()
        .filter(|line| line.starts_with("pub(crate) const"));
    lines
        .filter_map(|line| line.split_once("= \"")?.1.split_once('"'))
        .map(|(path, _)| path)
        .collect()
}

#[tokio::test]
async fn every_path_is_for_those_who_may() {
    let server = Server::start().await;
    let browser = Browser::signed_in(&server).await;
    // In the order of the credentials: whether the guard lets them pass.
    let signed = [false, false, false, true, true];
    let programs = [false, false, false, false, true];
    let all = [true; 5];
    let one = format!("{CONFIRMATIONS}/1000");
    let mut cases = vec![
        (Method::GET, one.as_str(), signed),
        (Method::DELETE, one.as_str(), signed),
        (Method::POST, one.as_str(), programs),
        (Method::GET, "/api/v1/requests/1", signed),
        (Method::GET, "/api/v1/nowhere", signed),
        (Method::GET, "/", all),
    ];
    for path in paths() {
        cases.extend(match path {
            "/api/v1/proof" => vec![(Method::GET, path, all)],
            // It is let pass, and has no code.
            "/api/v1/session" => vec![(Method::GET, path, signed)],
            "/metrics" => vec![(Method::GET, path, [false, false, true, true, true])],
            "/api/v1/session/codes" => vec![(Method::POST, path, programs)],
            "/api/v1/confirmations" => vec![(Method::GET, path, programs)],
            "/api/v1/commands" | "/api/v1/check" | "/api/v1/diagnose" => {
                vec![(Method::POST, path, signed), (Method::GET, path, signed)]
            }
            "/api/v1/snapshot"
            | "/api/v1/events"
            | "/api/v1/configuration"
            | "/api/v1/requests"
            | "/api/v1/requests/export"
            | "/api/v1/usage"
            | "/api/v1/history"
            | "/api/v1/token" => {
                vec![(Method::GET, path, signed), (Method::POST, path, signed)]
            }
            new => panic!("nobody has said who may ask for {new}"),
        });
    }

    for (method, path, may) in cases {
        for (credential, may) in CREDENTIALS.into_iter().zip(may) {
            let request = credential.ask(&browser, &server, method.clone(), path);
            let status = request.send().await.unwrap().status();
            let passed = status != StatusCode::UNAUTHORIZED && status != StatusCode::FORBIDDEN;
            assert_eq!(passed, may, "{credential:?} {method} {path}: {status}");
        }
    }
}

fn elsewhere() -> EndpointForm {
    EndpointForm {
        url: "https://evil.example".to_owned(),
        ..form()
    }
}

fn edit(endpoint: EndpointForm) -> Command {
    Command::EditEndpoint {
        name: "HK".to_owned(),
        endpoint: Box::new(endpoint),
    }
}

fn add(endpoint: EndpointForm) -> Command {
    Command::AddEndpoint {
        endpoint: Box::new(EndpointForm {
            name: "new".to_owned(),
            ..endpoint
        }),
    }
}

async fn error_of(response: Response) -> ControlError {
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    response.json().await.unwrap()
}

/// The number under which the command waits for a confirmation.
async fn refused(browser: &Browser<'_>, command: &Command) -> u32 {
    let response = send(browser.ask(Method::POST, COMMANDS), command).await;
    let error = error_of(response).await;
    assert_eq!(error.code, ErrorCode::NeedsConfirmation);
    error.confirmation.unwrap().number
}

async fn status(browser: &Browser<'_>, command: &Command) -> u16 {
    let response = send(browser.ask(Method::POST, COMMANDS), command).await;
    response.status().as_u16()
}

#[tokio::test]
async fn a_credential_goes_nowhere_new_by_a_browser_alone() {
    let server = Server::start().await;
    let browser = Browser::signed_in(&server).await;
    let with = |token: TokenReference| EndpointForm {
        token,
        ..elsewhere()
    };
    let passes = EndpointForm {
        auth_type: Some(AuthType::Passthrough),
        ..elsewhere()
    };

    for endpoint in [
        elsewhere(),
        with(TokenReference::Env("HOME".to_owned())),
        with(TokenReference::Keychain("other".to_owned())),
        passes,
    ] {
        assert_eq!(status(&browser, &edit(endpoint.clone())).await, 403);
        assert_eq!(status(&browser, &add(endpoint.clone())).await, 403);
        let tested = Tested::Draft {
            endpoint,
            token: None,
        };
        let test = send(browser.ask(Method::POST, "/api/v1/diagnose"), &tested).await;
        assert_eq!(error_of(test).await.code, ErrorCode::NeedsConfirmation);
    }
    assert_eq!(server.control.commands(), []);
    assert_eq!(server.control.asked(), []);
}

#[tokio::test]
async fn a_first_run_in_a_browser_needs_no_confirmation() {
    let server = Server::start().await;
    let browser = Browser::signed_in(&server).await;
    let other = Browser::signed_in(&server).await;
    let store = Command::StoreToken {
        reference: "fresh".to_owned(),
        token: SecretText::new("t"),
    };
    let endpoint = EndpointForm {
        token: TokenReference::Keychain("fresh".to_owned()),
        ..elsewhere()
    };
    let tested = Tested::Draft {
        endpoint: endpoint.clone(),
        token: Some(SecretText::new("t")),
    };

    let test = send(browser.ask(Method::POST, "/api/v1/diagnose"), &tested).await;
    let before = status(&browser, &add(endpoint.clone())).await;
    let stored = status(&browser, &store).await;
    let typed_again = status(&browser, &store).await;
    let added = status(&browser, &add(endpoint.clone())).await;
    let by_another = status(&other, &add(endpoint)).await;

    assert_eq!(test.status(), StatusCode::OK);
    assert_eq!((before, stored, typed_again, added), (403, 200, 200, 200));
    assert_eq!(by_another, 403);
}

#[tokio::test]
async fn what_a_browser_has_removed_it_may_put_back() {
    let server = Server::start().await;
    let browser = Browser::signed_in(&server).await;
    let remove = Command::RemoveEndpoint {
        name: "HK".to_owned(),
    };

    let removed = status(&browser, &remove).await;
    server.control.configure(|now| now.endpoints.clear());
    let back = Command::AddEndpoint {
        endpoint: Box::new(form()),
    };

    assert_eq!((removed, status(&browser, &back).await), (200, 200));
    assert_eq!(status(&browser, &add(elsewhere())).await, 403);
}

#[tokio::test]
async fn a_confirmed_command_is_carried_out_once() {
    let server = Server::start().await;
    let browser = Browser::signed_in(&server).await;
    let other = Browser::signed_in(&server).await;
    let command = edit(elsewhere());
    let number = refused(&browser, &command).await;
    let standing = async |browser: &Browser<'_>| {
        let path = format!("{CONFIRMATIONS}/{number}");
        let answer = browser.ask(Method::GET, &path).send().await.unwrap();
        answer.json::<String>().await.unwrap()
    };
    let waiting = standing(&browser).await;
    let foreign = standing(&other).await;

    let shown = server.client().confirmations().await.unwrap();
    let settled = server.client().settle(number, true).await.unwrap();
    let allowed = standing(&browser).await;
    let of_another = status(&other, &command).await;
    let another = status(&browser, &add(elsewhere())).await;
    let first = status(&browser, &command).await;
    let second = refused(&browser, &command).await;

    assert_eq!((waiting.as_str(), foreign.as_str()), ("waiting", "gone"));
    assert_eq!(allowed, "allowed");
    assert_eq!(shown.len(), 1);
    assert_eq!((shown[0].number, settled.number), (number, number));
    assert_eq!(shown[0].danger, Danger::MovesCredentials);
    let effect = serde_json::to_value(&shown[0].effect).unwrap();
    assert_eq!(
        effect,
        json!({
            "effect": "edit",
            "endpoint": "HK",
            "from": {
                "goes": "to",
                "credential": { "source": "entry", "name": "hk" },
                "url": "https://hk.example.com",
            },
            "goes": {
                "goes": "to",
                "credential": { "source": "entry", "name": "hk" },
                "url": "https://evil.example",
            },
        })
    );
    assert_eq!((of_another, another, first), (403, 403, 200));
    assert_ne!(second, number);
    assert_eq!(server.control.commands(), [command]);
}

#[tokio::test]
async fn what_was_refused_is_not_carried_out_and_says_so() {
    let server = Server::start().await;
    let browser = Browser::signed_in(&server).await;
    let command = edit(elsewhere());
    let number = refused(&browser, &command).await;

    server.client().settle(number, false).await.unwrap();
    let response = send(browser.ask(Method::POST, COMMANDS), &command).await;
    let twice = server.client().settle(number, true).await.unwrap_err();

    assert_eq!(response.status(), StatusCode::CONFLICT);
    assert_eq!(twice.code, ErrorCode::NotPossible);
    assert_eq!(server.control.commands(), []);
}

#[tokio::test]
async fn a_confirmation_is_for_the_change_that_was_shown() {
    let server = Server::start().await;
    let browser = Browser::signed_in(&server).await;
    let inherits = EndpointForm {
        token: TokenReference::None,
        group: "main".to_owned(),
        ..elsewhere()
    };
    let group = |token: &str| zephyr_control::GroupForm {
        name: "main".to_owned(),
        default: true,
        auth_type: AuthType::ApiKey,
        token: TokenReference::Env(token.to_owned()),
    };
    server
        .control
        .configure(|now| now.groups = vec![group("CHEAP")]);
    let number = refused(&browser, &add(inherits.clone())).await;

    server.client().settle(number, true).await.unwrap();
    server
        .control
        .configure(|now| now.groups = vec![group("DEAR")]);
    let again = refused(&browser, &add(inherits)).await;

    assert_ne!(again, number);
    assert_eq!(server.control.commands(), []);
}

#[tokio::test]
async fn a_browser_that_gives_up_waits_no_more() {
    let server = Server::start().await;
    let browser = Browser::signed_in(&server).await;
    let number = refused(&browser, &edit(elsewhere())).await;
    assert_eq!(server.confirmations.waiting().len(), 1);

    let path = format!("{CONFIRMATIONS}/{number}");
    let given_up = browser.ask(Method::DELETE, &path).send().await.unwrap();

    assert_eq!(given_up.status(), StatusCode::NO_CONTENT);
    assert_eq!(server.confirmations.waiting(), []);
}

#[tokio::test]
async fn no_token_is_told_to_those_who_confirm() {
    let server = Server::start().await;
    let browser = Browser::signed_in(&server).await;
    let store = Command::StoreToken {
        reference: "hk".to_owned(),
        token: SecretText::new("hunter2"),
    };

    let response = send(browser.ask(Method::POST, COMMANDS), &store).await;
    let told: Value = response.json().await.unwrap();
    let waiting = serde_json::to_string(&server.confirmations.waiting()).unwrap();

    assert_eq!(told["code"], "needs_confirmation");
    for text in [told.to_string(), waiting] {
        assert!(text.contains("hk") && !text.contains("hunter2"), "{text}");
    }
}

//! The WebDriver protocol, as much of it as the tests need: JSON over HTTP.

use std::fmt;
use std::net::SocketAddr;

use serde_json::{Value, json};
use zephyr_testkit::RawClient;

/// A session with a driver.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    driver: SocketAddr,
    path: String,
}

/// The key under which the protocol writes an element's reference.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// An element of the page.
#[derive(Clone, Debug)]
pub(crate) struct Element(String);

/// What the driver says went wrong.
#[derive(Clone)]
pub(crate) struct DriverError(String);

impl fmt::Debug for DriverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Session {
    /// Lets the driver start the program; ready as soon as the program has shown a window.
    pub(crate) async fn start(
        driver: SocketAddr,
        capabilities: &Value,
    ) -> Result<Self, DriverError> {
        let wanted = json!({"capabilities": {"alwaysMatch": capabilities}});
        let made = call(driver, "POST", "/session", &wanted).await?;
        let id = made["sessionId"].as_str().unwrap_or_default();
        Ok(Self {
            driver,
            path: format!("/session/{id}"),
        })
    }

    /// The first element that a selector matches.
    pub(crate) async fn find(&self, css: &str) -> Result<Element, DriverError> {
        let selector = json!({"using": "css selector", "value": css});
        let found = self.post("/element", &selector).await?;
        let reference = found[ELEMENT].as_str().unwrap_or_default();
        Ok(Element(reference.to_owned()))
    }

    pub(crate) async fn click(&self, element: &Element) -> Result<(), DriverError> {
        let path = format!("/element/{}/click", element.0);
        self.post(&path, &json!({})).await.map(drop)
    }

    /// Types into a field in place of what is there, as a keyboard does.
    pub(crate) async fn write(&self, element: &Element, text: &str) -> Result<(), DriverError> {
        let path = format!("/element/{}/clear", element.0);
        self.post(&path, &json!({})).await?;
        let path = format!("/element/{}/value", element.0);
        self.post(&path, &json!({"text": text})).await.map(drop)
    }

    /// The text that is visible.
    pub(crate) async fn text(&self, element: &Element) -> Result<String, DriverError> {
        let text = self.get(&format!("/element/{}/text", element.0)).await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    pub(crate) async fn attribute(
        &self,
        element: &Element,
        name: &str,
    ) -> Result<Option<String>, DriverError> {
        let path = format!("/element/{}/attribute/{name}", element.0);
        Ok(self.get(&path).await?.as_str().map(str::to_owned))
    }

    /// A picture of the page, as base64 of a PNG.
    pub(crate) async fn screenshot(&self) -> Result<String, DriverError> {
        let picture = self.get("/screenshot").await?;
        Ok(picture.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until what the page has been told to show is on the screen.
    pub(crate) async fn painted(&self) -> Result<(), DriverError> {
        let script = "const done = arguments[0];\
            document.fonts.ready.then(() =>\
              requestAnimationFrame(() => requestAnimationFrame(() => done())));";
        let script = json!({"script": script, "args": []});
        self.post("/execute/async", &script).await.map(drop)
    }

    /// Runs a script in the page.
    pub(crate) async fn run(&self, script: &str) -> Result<(), DriverError> {
        let script = json!({"script": script, "args": []});
        self.post("/execute/sync", &script).await.map(drop)
    }

    async fn get(&self, path: &str) -> Result<Value, DriverError> {
        let path = format!("{}{path}", self.path);
        call(self.driver, "GET", &path, &Value::Null).await
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value, DriverError> {
        let path = format!("{}{path}", self.path);
        call(self.driver, "POST", &path, body).await
    }
}

/// Whether a driver listens there and takes sessions.
pub(crate) async fn is_ready(driver: SocketAddr) -> bool {
    let status = call(driver, "GET", "/status", &Value::Null).await;
    status.is_ok_and(|status| status["ready"] == true)
}

async fn call(
    driver: SocketAddr,
    method: &str,
    path: &str,
    body: &Value,
) -> Result<Value, DriverError> {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {driver}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let broken = |error: std::io::Error| DriverError(format!("{method} {path}: {error}"));
    let mut client = RawClient::connect(driver).await.map_err(broken)?;
    client.send(head).await.map_err(broken)?;
    let answer = client.answer().await.map_err(broken)?;
    let value = answer.json()["value"].take();
    if answer.status == 200 {
        return Ok(value);
    }
    Err(DriverError(format!("{method} {path}: {value}")))
}

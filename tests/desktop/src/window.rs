//! The window, read and clicked through WebKitWebDriver.
//!
//! The driver starts the program itself, and a session begins when the program shows a window: that
//! one begins is the proof that there is one.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use tokio::process::Command;

use crate::desktop::Desktop;
use crate::given::given;
use crate::process::Process;
use crate::waiting::until;
use crate::webdriver::{Session, is_ready};

/// A program's window, with the driver that started the program.
#[derive(Debug)]
pub struct Window {
    session: Session,
    _driver: Process,
}

impl Window {
    /// Starts the program and waits for its window.
    ///
    /// # Panics
    ///
    /// If it shows none; so do the other functions here, if it is gone.
    pub async fn of(desktop: &Desktop, program: &Command) -> Self {
        let (driver, address) = start_driver(desktop, program).await;
        let program = program.as_std();
        let arguments: Vec<_> = program.get_args().map(|a| a.to_string_lossy()).collect();
        let options = json!({"binary": program.get_program().to_string_lossy(), "args": arguments});
        let capabilities = json!({"webkitgtk:browserOptions": options});
        let session = Session::start(address, &capabilities).await;
        Self {
            session: session.expect("the program should show a window"),
            _driver: driver,
        }
    }

    /// The text of the element that this selector matches; waits for the element.
    pub async fn text(&self, css: &str) -> String {
        until(&format!("{css} in the window"), async || {
            let element = self.session.find(css).await.ok()?;
            self.session.text(&element).await.ok()
        })
        .await
    }

    /// Waits until there is an element that this selector matches.
    pub async fn until_there(&self, css: &str) {
        until(&format!("{css} in the window"), async || {
            self.session.find(css).await.ok()
        })
        .await;
    }

    /// Whether there is an element now that this selector matches.
    pub async fn shows(&self, css: &str) -> bool {
        self.session.find(css).await.is_ok()
    }

    /// Waits until the element that this selector matches is there and says all of these.
    pub async fn until_says(&self, css: &str, words: &[&str]) -> String {
        until(&format!("{css} to say {words:?}"), async || {
            let element = self.session.find(css).await.ok()?;
            let text = self.session.text(&element).await.ok()?;
            words.iter().all(|word| text.contains(word)).then_some(text)
        })
        .await
    }

    /// Clicks the element that this selector matches; waits for it.
    pub async fn click(&self, css: &str) {
        until(&format!("{css} to click in the window"), async || {
            let element = self.session.find(css).await.ok()?;
            self.session.click(&element).await.ok()
        })
        .await;
    }

    /// Clicks the element that this selector matches, by which the window closes: the driver may not come
    /// to say that it has clicked.
    pub async fn click_last(&self, css: &str) {
        let element = until(&format!("{css} in the window"), async || {
            self.session.find(css).await.ok()
        })
        .await;
        let _ = self.session.click(&element).await;
    }

    /// Types into the field that this selector matches, in place of what is there; waits for it.
    pub async fn write(&self, css: &str, text: &str) {
        until(&format!("{css} to write in the window"), async || {
            let element = self.session.find(css).await.ok()?;
            self.session.write(&element, text).await.ok()
        })
        .await;
    }

    /// An attribute of the element that this selector matches; waits for the element.
    pub async fn attribute(&self, css: &str, name: &str) -> Option<String> {
        until(&format!("{css} in the window"), async || {
            let element = self.session.find(css).await.ok()?;
            self.session.attribute(&element, name).await.ok()
        })
        .await
    }

    /// Runs a script in the page, as a fault of the page would, and waits until the page is painted again.
    pub async fn run(&self, script: &str) {
        let ran = self.session.run(script).await;
        ran.expect("the script should run");
        let painted = self.session.painted().await;
        painted.expect("the page should still be there");
    }

    /// Everything that is written in the window.
    pub async fn everything(&self) -> String {
        let body = self.session.find("body").await;
        let body = body.expect("the window should have a page");
        let text = self.session.text(&body).await;
        text.expect("the page should have a text")
    }

    /// Keeps a picture of the window as `target/desktop-screenshots/NAME.png`.
    pub async fn keep_screenshot(&self, name: &str) -> PathBuf {
        let painted = self.session.painted().await;
        painted.expect("the page should be painted");
        let picture = self.session.screenshot().await;
        let picture = picture.expect("the driver should take a picture");
        let picture = BASE64_STANDARD.decode(picture);
        let picture = picture.expect("a picture should be base64");
        let folder = PathBuf::from(given("ZEPHYR_TEST_SCREENSHOTS"));
        std::fs::create_dir_all(&folder).expect("the target folder should be writable");
        let path = folder.join(name).with_extension("png");
        std::fs::write(&path, picture).expect("the target folder should be writable");
        path
    }
}

async fn start_driver(desktop: &Desktop, program: &Command) -> (Process, SocketAddr) {
    let address = free_port();
    let mut command = desktop.command("WebKitWebDriver");
    command
        .arg(format!("--port={}", address.port()))
        .env_clear()
        .envs(
            program
                .as_std()
                .get_envs()
                .filter_map(|(k, v)| Some((k, v?))),
        )
        // Without it, Tauri opens no automation session, and the driver waits for ever.
        .env("TAURI_WEBVIEW_AUTOMATION", "true");
    let mut driver = desktop.start("WebKitWebDriver", command);
    until("WebKitWebDriver", async || {
        assert!(driver.is_running(), "WebKitWebDriver has ended");
        is_ready(address).await.then_some(())
    })
    .await;
    (driver, address)
}

/// Free a moment ago: the driver cannot choose one by itself.
fn free_port() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let address = listener.and_then(|listener| listener.local_addr());
    address.expect("loopback should have a free port")
}

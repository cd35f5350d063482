//! The tray program as its user has it: real processes, a real bus, real windows.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "helpers of tests, too")]

mod claude_code;
mod keychain;
mod life;
mod login;
mod notices;
mod tray;
mod trouble;
mod window;

use zephyr_desktop_test::{Configuration, Desktop, Zephyr};
use zephyr_testkit::{Act, Endpoint};

/// Three endpoints that work, the first of them preferred.
struct Three {
    hk: Endpoint,
    tokyo: Endpoint,
    oregon: Endpoint,
}

impl Three {
    async fn start() -> Self {
        Self {
            hk: Endpoint::start(Act::message("from HK")).await,
            tokyo: Endpoint::start(Act::message("from Tokyo")).await,
            oregon: Endpoint::start(Act::message("from Oregon")).await,
        }
    }

    fn named(&self) -> [(&'static str, &Endpoint); 3] {
        [
            ("HK", &self.hk),
            ("Tokyo", &self.tokyo),
            ("Oregon", &self.oregon),
        ]
    }

    fn configuration(&self) -> Configuration {
        Configuration::over(&self.named()).flag("HK", "🇭🇰")
    }

    fn set_all(&self, act: &Act) {
        for (_, endpoint) in self.named() {
            endpoint.set(act.clone());
        }
    }
}

/// Waits until every endpoint takes requests and has been measured.
async fn until_all_ready(desktop: &Desktop) {
    desktop
        .until("every endpoint to be ready and measured", |snapshot| {
            let endpoints = &snapshot.endpoints;
            let ready = endpoints.iter().all(|endpoint| {
                endpoint.state == zephyr_control::EndpointState::Ready
                    && endpoint.latency_ms.is_some()
            });
            (ready && !endpoints.is_empty()).then_some(())
        })
        .await;
}

/// The program, once its proxy and its tray are there.
async fn started<'a>(desktop: &'a Desktop, configuration: &Configuration) -> Zephyr<'a> {
    let zephyr = Zephyr::start(desktop, configuration);
    desktop.proxy().await;
    zephyr.tray().await;
    zephyr
}

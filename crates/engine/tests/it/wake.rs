//! A machine that slept, as its system tells it: a system bus of our own, and services that only signal.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "helpers of tests, too")]

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::common::{Zephyr, config};
use serde::Serialize;
use zbus::zvariant::DynamicType;
use zephyr_engine::Options;
use zephyr_testkit::{Act, Endpoint};

const PROBES: &str = "[health_check]\nmode = \"message\"\ninterval_seconds = 3600\n";

/// A message bus of our own; ends when dropped.
struct Bus {
    daemon: Child,
    address: String,
}

impl Bus {
    fn start() -> Self {
        let mut daemon = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--print-address"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("dbus-daemon is there: `cargo xtask test` installs it");
        let mut address = String::new();
        let stdout = daemon.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut address).unwrap();
        Self {
            daemon,
            address: address.trim().to_owned(),
        }
    }

    /// A service of that name.
    async fn service(&self, name: &'static str) -> Service {
        let builder = zbus::connection::Builder::address(self.address.as_str()).unwrap();
        let connection = builder.name(name).unwrap().build().await.unwrap();
        Service { name, connection }
    }

    /// Waits until somebody listens for the last of the signals that an engine listens for.
    async fn is_listened_to(&self) {
        let asker = self.service("org.example.Asker").await.connection;
        let bus = "org.freedesktop.DBus";
        let stats = "org.freedesktop.DBus.Debug.Stats";
        loop {
            let told = asker
                .call_method(
                    Some(bus),
                    "/org/freedesktop/DBus",
                    Some(stats),
                    "GetAllMatchRules",
                    &(),
                )
                .await
                .unwrap();
            let rules: HashMap<String, Vec<String>> = told.body().deserialize().unwrap();
            if rules
                .values()
                .flatten()
                .any(|rule| rule.contains("StateChanged"))
            {
                return;
            }
        }
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

struct Service {
    name: &'static str,
    connection: zbus::Connection,
}

impl Service {
    async fn signal(&self, interface: &str, member: &str, body: &(impl Serialize + DynamicType)) {
        let path = format!("/{}", self.name.replace('.', "/"));
        let interface = format!("{}{interface}", self.name);
        let nobody = None::<zbus::names::BusName<'_>>;
        self.connection
            .emit_signal(nobody, path, interface, member, body)
            .await
            .unwrap();
    }
}

/// An engine that has probed its endpoint once, and listens to the bus.
async fn over(endpoint: &Endpoint, bus: &Bus) -> Zephyr {
    let options = Options {
        system_bus: Some(bus.address.clone()),
        ..Options::default()
    };
    let zephyr = Zephyr::start(&config(&[endpoint.url()], PROBES), options).await;
    endpoint.next_request().await;
    zephyr
        .until("it is measured", |snapshot| {
            snapshot.endpoint("A").unwrap().latency_ms.is_some()
        })
        .await;
    tokio::time::timeout(Duration::from_secs(20), bus.is_listened_to())
        .await
        .expect("it listens");
    zephyr
}

#[tokio::test]
async fn when_the_machine_wakes_up_endpoints_are_probed_at_once() {
    let bus = Bus::start();
    let logind = bus.service("org.freedesktop.login1").await;
    let a = Endpoint::start(Act::message("from A")).await;
    let _zephyr = over(&a, &bus).await;

    logind.signal(".Manager", "PrepareForSleep", &true).await;
    logind.signal(".Manager", "PrepareForSleep", &false).await;
    a.next_request().await;

    assert_eq!(a.requests().len(), 2, "none before the sleep");
    assert_eq!(a.connections(), 2, "nothing from before the sleep is used");
}

#[tokio::test]
async fn when_the_network_is_back_endpoints_are_probed_at_once() {
    let bus = Bus::start();
    let manager = bus.service("org.freedesktop.NetworkManager").await;
    let a = Endpoint::start(Act::message("from A")).await;
    let _zephyr = over(&a, &bus).await;

    manager.signal("", "StateChanged", &20_u32).await;
    manager.signal("", "StateChanged", &70_u32).await;
    a.next_request().await;

    assert_eq!(a.requests().len(), 2, "none while it is gone");
}

#[tokio::test]
async fn another_program_cannot_speak_for_the_system() {
    let bus = Bus::start();
    let logind = bus.service("org.freedesktop.login1").await;
    let stranger = Service {
        name: "org.freedesktop.login1",
        connection: bus.service("org.example.Stranger").await.connection,
    };
    let a = Endpoint::start(Act::message("from A")).await;
    let _zephyr = over(&a, &bus).await;

    stranger.signal(".Manager", "PrepareForSleep", &false).await;
    logind.signal(".Manager", "PrepareForSleep", &false).await;
    a.next_request().await;

    assert_eq!(a.requests().len(), 2, "for the one that is real");
}

#[tokio::test]
async fn without_a_system_bus_it_works_all_the_same() {
    let a = Endpoint::start(Act::message("from A")).await;
    let options = Options {
        system_bus: Some("unix:path=/nowhere/at/all".to_owned()),
        ..Options::default()
    };

    let zephyr = Zephyr::start(&config(&[a.url()], ""), options).await;

    assert_eq!(zephyr.used().await, "A");
}

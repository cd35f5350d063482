//! The sessions that send their requests to Zephyr.

use crate::connection::ClaudeCode;
use crate::key::Key;
use crate::record::{Raw, Record};

#[cfg(target_os = "linux")]
use super::linux;
use super::process::{Begun, Process, Session};

impl ClaudeCode {
    /// The running sessions that send their requests to Zephyr until they are restarted: because of the
    /// recorded settings, or because of a variable with one of the URLs set there or with `url`. Empty if the
    /// system does not tell.
    pub fn sessions(&self, url: Option<&str>) -> Vec<Session> {
        let record = self.store.load().ok().flatten();
        let begun = begun_with(record.as_ref(), url);
        let mut sessions: Vec<Session> = running()
            .into_iter()
            .filter(|process| process.is(&begun))
            .map(Process::into_session)
            .collect();
        sessions.sort_by_key(|session| session.pid);
        sessions
    }
}

#[cfg(target_os = "linux")]
fn running() -> Vec<Process> {
    linux::running()
}

#[cfg(not(target_os = "linux"))]
fn running() -> Vec<Process> {
    Vec::new()
}

fn begun_with(record: Option<&Record>, url: Option<&str>) -> Begun {
    let held = record.into_iter().flat_map(|record| &record.keys);
    let ours = held.filter(|held| held.key == Key::BaseUrl);
    let recorded = ours.flat_map(|held| &held.ours).filter_map(Raw::text);
    Begun {
        urls: recorded.chain(url.map(str::to_owned)).collect(),
        settings: record.and_then(|record| Some((record.settings.clone(), record.since_ms?))),
    }
}

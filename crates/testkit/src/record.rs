//! What an endpoint is to do and what happened to it, shared between its tasks and the test.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::act::{Act, Script};
use crate::received::Received;

/// How long a test waits for something to happen before it fails. Nothing is ever expected to
/// take this long; it turns a hanging test into a failing one.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A client left before its answer was finished.
#[derive(Clone, Copy, Debug)]
pub struct Cancelled {
    /// The [`number`](Received::number) of the request.
    pub request: usize,
    /// When the endpoint noticed.
    pub at: Instant,
}

#[derive(Debug)]
pub(crate) struct Record {
    state: Mutex<State>,
    changed: Notify,
    remembers: bool,
}

#[derive(Debug)]
struct State {
    script: Script,
    pushed: VecDeque<Act>,
    count: usize,
    requests: Vec<Received>,
    requests_taken: usize,
    cancelled: Vec<Cancelled>,
    cancelled_taken: usize,
    connections: usize,
    open: usize,
}

impl Record {
    pub(crate) fn new(script: Script) -> Self {
        Self::with(script, true)
    }

    /// Counts, but keeps nothing.
    pub(crate) fn forgetful(script: Script) -> Self {
        Self::with(script, false)
    }

    pub(crate) fn set(&self, script: Script) {
        self.state().script = script;
    }

    pub(crate) fn push(&self, act: Act) {
        self.state().pushed.push_back(act);
    }

    pub(crate) fn requests(&self) -> Vec<Received> {
        self.state().requests.clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.state().connections
    }

    pub(crate) fn open_connections(&self) -> usize {
        self.state().open
    }

    pub(crate) async fn next_request(&self) -> Received {
        self.first("a request", |state| {
            let request = state.requests.get(state.requests_taken)?.clone();
            state.requests_taken += 1;
            Some(request)
        })
        .await
    }

    pub(crate) async fn cancelled(&self) -> Cancelled {
        self.first("a client's leaving", |state| {
            let cancelled = *state.cancelled.get(state.cancelled_taken)?;
            state.cancelled_taken += 1;
            Some(cancelled)
        })
        .await
    }

    pub(crate) async fn until_open_connections(&self, count: usize) {
        self.first("the number of open connections", |state| {
            (state.open == count).then_some(())
        })
        .await;
    }

    /// Counts a connection, and until the result is dropped, counts it as open.
    pub(crate) fn connected(self: &Arc<Self>) -> Connection {
        let mut state = self.state();
        let number = state.connections;
        state.connections += 1;
        state.open += 1;
        drop(state);
        self.changed.notify_waiters();
        Connection {
            number,
            record: Arc::clone(self),
        }
    }

    /// The next act, if it is one that comes before the body; a pushed one is used up.
    pub(crate) fn early_act(&self) -> Option<Act> {
        let mut state = self.state();
        if state.pushed.is_empty() {
            return state.script.early_act();
        }
        state.pushed.pop_front_if(|act| act.is_early())
    }

    /// Records a request whose act is chosen already; returns its number.
    pub(crate) fn received_early(&self, request: Received) -> usize {
        let number = self.note(&mut self.state(), request).number;
        self.changed.notify_waiters();
        number
    }

    /// Records a request and chooses its act. Requests are recorded in the order in which they
    /// use up pushed acts.
    pub(crate) fn received(&self, request: Received) -> (Received, Act) {
        let mut state = self.state();
        let request = self.note(&mut state, request);
        let pushed = state.pushed.pop_front();
        let script = state.script.clone();
        drop(state);
        self.changed.notify_waiters();
        // Chosen outside of the lock: the script may ask its endpoint something.
        let act = pushed.unwrap_or_else(|| script.act_for(&request));
        (request, act)
    }

    pub(crate) fn left(&self, request: usize) {
        let at = Instant::now();
        if self.remembers {
            self.state().cancelled.push(Cancelled { request, at });
        }
        self.changed.notify_waiters();
    }

    fn with(script: Script, remembers: bool) -> Self {
        let state = State {
            script,
            pushed: VecDeque::new(),
            count: 0,
            requests: Vec::new(),
            requests_taken: 0,
            cancelled: Vec::new(),
            cancelled_taken: 0,
            connections: 0,
            open: 0,
        };
        Self {
            state: Mutex::new(state),
            changed: Notify::new(),
            remembers,
        }
    }

    fn note(&self, state: &mut State, request: Received) -> Received {
        let number = state.count;
        state.count += 1;
        let request = Received { number, ..request };
        if self.remembers {
            state.requests.push(request.clone());
        }
        request
    }

    /// Waits until `take` finds something.
    async fn first<T>(&self, what: &str, mut take: impl FnMut(&mut State) -> Option<T>) -> T {
        let found = async {
            loop {
                let mut changed = pin!(self.changed.notified());
                // Listens before it looks, so that no change falls between the two.
                changed.as_mut().enable();
                if let Some(found) = take(&mut self.state()) {
                    return found;
                }
                changed.await;
            }
        };
        match tokio::time::timeout(PATIENCE, found).await {
            Ok(found) => found,
            Err(_) => panic!("waited {PATIENCE:?} for {what} in vain"),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts as an open connection until it is dropped.
#[derive(Debug)]
#[must_use]
pub(crate) struct Connection {
    number: usize,
    record: Arc<Record>,
}

impl Connection {
    pub(crate) fn number(&self) -> usize {
        self.number
    }

    pub(crate) fn record(&self) -> &Arc<Record> {
        &self.record
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.record.state().open -= 1;
        self.record.changed.notify_waiters();
    }
}

//! A [`Store`] that is asked for a bounded time.
//!
//! A keychain is another program, and may wait for a person: a call to it may never return. Each look
//! runs on a thread of its own and is given up after [`PATIENCE`]. The next one waits for that thread,
//! so that however often one looks, one thread is lost at most.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::{Extent, KeychainError, Store, SystemKeychain};
use crate::secret::Secret;

/// How long a look may take.
const PATIENCE: Duration = Duration::from_secs(3);

type Found = BTreeMap<String, Result<Secret, KeychainError>>;

/// A keychain that never holds anybody up for long.
pub struct Keychain {
    store: Arc<dyn Store>,
    one_look: Arc<Turn>,
    is_asking: Arc<AtomicBool>,
}

impl Keychain {
    /// The system's.
    pub fn system() -> Self {
        Self::new(Arc::new(SystemKeychain))
    }

    /// That one.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            one_look: Arc::default(),
            is_asking: Arc::default(),
        }
    }

    /// What is stored under each of these names. Blocks, for a few seconds at most; without a name the
    /// keychain is not touched.
    pub fn look_up(&self, names: &BTreeSet<String>) -> Found {
        if names.is_empty() {
            return Found::new();
        }
        let Some(turn) = self.one_look.wait(PATIENCE) else {
            return for_all(names, &KeychainError::Silent);
        };
        let (sender, receiver) = mpsc::channel();
        let store = Arc::clone(&self.store);
        let wanted = names.clone();
        let look = move || {
            let found = get_all(&*store, &wanted);
            drop(turn);
            // Whoever has given up waiting needs no answer.
            let _ = sender.send(found);
        };
        let spawned = thread::Builder::new()
            .name("keychain".to_owned())
            .spawn(look);
        let failed = |why: String| for_all(names, &KeychainError::Failed { why });
        if let Err(error) = spawned {
            return failed(error.to_string());
        }
        match receiver.recv_timeout(PATIENCE) {
            Ok(found) => found,
            Err(RecvTimeoutError::Timeout) => for_all(names, &KeychainError::Silent),
            Err(RecvTimeoutError::Disconnected) => failed("the look-up broke off".to_owned()),
        }
    }

    /// Asks the person to unlock it, unless they are being asked; calls `unlocked` when they have.
    pub fn ask(&self, unlocked: impl FnOnce() + Send + 'static) {
        if self.is_asking.swap(true, Ordering::AcqRel) {
            return;
        }
        let store = Arc::clone(&self.store);
        let is_asking = Arc::clone(&self.is_asking);
        let ask = move || {
            let answer = store.unlock();
            is_asking.store(false, Ordering::Release);
            match answer {
                Ok(()) => unlocked(),
                Err(error) => tracing::debug!(%error, "the keychain was not unlocked"),
            }
        };
        let spawned = thread::Builder::new()
            .name("keychain".to_owned())
            .spawn(ask);
        if spawned.is_err() {
            self.is_asking.store(false, Ordering::Release);
        }
    }
}

/// One at a time, for whoever is ready to wait a while.
#[derive(Default)]
struct Turn {
    is_taken: Mutex<bool>,
    ended: Condvar,
}

struct Taken(Arc<Turn>);

impl Turn {
    fn wait(self: &Arc<Self>, patience: Duration) -> Option<Taken> {
        let is_taken = self.is_taken.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .ended
            .wait_timeout_while(is_taken, patience, |is_taken| *is_taken);
        let (mut is_taken, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if *is_taken {
            return None;
        }
        *is_taken = true;
        Some(Taken(Arc::clone(self)))
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let turn = &self.0;
        *turn.is_taken.lock().unwrap_or_else(PoisonError::into_inner) = false;
        turn.ended.notify_one();
    }
}

fn get_all(store: &dyn Store, names: &BTreeSet<String>) -> Found {
    let mut found = Found::new();
    for name in names {
        let secret = store.get(name);
        if let Err(error) = &secret
            && error.extent() == Extent::Everything
        {
            return for_all(names, error);
        }
        found.insert(name.clone(), secret);
    }
    found
}

fn for_all(names: &BTreeSet<String>, error: &KeychainError) -> Found {
    let withheld = |name: &String| (name.clone(), Err(error.clone()));
    names.iter().map(withheld).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    /// Hangs until it is let go; then has everything.
    struct Hanging(Mutex<mpsc::Receiver<()>>);

    impl Store for Hanging {
        fn get(&self, _name: &str) -> Result<Secret, KeychainError> {
            let _ = self.0.lock().unwrap().recv();
            Ok(Secret::new("token").unwrap())
        }

        fn set(&self, _name: &str, _secret: &Secret) -> Result<(), KeychainError> {
            unreachable!("it is only read")
        }

        fn remove(&self, _name: &str) -> Result<(), KeychainError> {
            unreachable!("it is only read")
        }

        fn names(&self) -> Result<BTreeSet<String>, KeychainError> {
            unreachable!("it is only read")
        }

        fn unlock(&self) -> Result<(), KeychainError> {
            unreachable!("it is only read")
        }
    }

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_keychain_that_hangs_is_given_up_and_asked_again_later() {
        let (let_go, hangs) = mpsc::channel();
        let keychain = Keychain::new(Arc::new(Hanging(Mutex::new(hangs))));
        let started = Instant::now();

        let silent = keychain.look_up(&names(&["a", "b"]));

        assert!(started.elapsed() < 2 * PATIENCE);
        assert_eq!(silent, for_all(&names(&["a", "b"]), &KeychainError::Silent));
        drop(let_go);
        let found = keychain.look_up(&names(&["a"]));
        assert_eq!(found["a"], Ok(Secret::new("token").unwrap()));
    }

    #[test]
    fn a_keychain_that_nobody_refers_to_is_not_touched() {
        let (_let_go, hangs) = mpsc::channel();
        let keychain = Keychain::new(Arc::new(Hanging(Mutex::new(hangs))));

        assert_eq!(keychain.look_up(&BTreeSet::new()), Found::new());
    }
}

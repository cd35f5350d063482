//! A [`Store`] with a limit on the time of a look.
//!
//! A keychain is another program and may wait for a person. So a call may never return. Each look runs on a
//! thread of its own. It is given up when an entry takes longer than [`PATIENCE`]. The next look waits for
//! that thread, so at most one thread is lost.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::store::{Extent, KeychainError, Store};
use super::system::SystemKeychain;
use crate::secret::Secret;

/// The longest wait for one entry.
const PATIENCE: Duration = Duration::from_secs(3);

type Found = BTreeMap<String, Result<Secret, KeychainError>>;

/// A keychain whose calls return within seconds.
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

    /// The secrets of these names. Blocks, for a few seconds at most. Without a name the keychain is not
    /// touched.
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
            let _turn = turn;
            for name in wanted {
                let secret = store.get(&name);
                let is_last = is_about_everything(&secret);
                // The caller may have given up waiting.
                if sender.send((name, secret)).is_err() || is_last {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name("keychain".to_owned());
        if let Err(error) = thread.spawn(look) {
            let why = error.to_string();
            return for_all(names, &KeychainError::Failed { why });
        }
        let mut found = Found::new();
        while found.len() < names.len() {
            let (name, secret) = match receiver.recv_timeout(PATIENCE) {
                Ok(answer) => answer,
                Err(RecvTimeoutError::Timeout) => {
                    return and_the_rest(found, names, &KeychainError::Silent);
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let why = "the look-up broke off".to_owned();
                    return and_the_rest(found, names, &KeychainError::Failed { why });
                }
            };
            match secret {
                Err(error) if error.extent() == Extent::Everything => {
                    return and_the_rest(found, names, &error);
                }
                secret => drop(found.insert(name, secret)),
            }
        }
        found
    }

    /// Stores a secret under that name. Blocks, for a few seconds at most.
    ///
    /// # Errors
    ///
    /// The secret cannot be stored.
    pub fn keep(&self, name: &str, secret: &Secret) -> Result<(), KeychainError> {
        let Some(turn) = self.one_look.wait(PATIENCE) else {
            return Err(KeychainError::Silent);
        };
        let (sender, receiver) = mpsc::channel();
        let store = Arc::clone(&self.store);
        let (name, secret) = (name.to_owned(), secret.clone());
        let keep = move || {
            let _turn = turn;
            // The caller may have given up waiting.
            let _ = sender.send(store.set(&name, &secret));
        };
        let thread = thread::Builder::new().name("keychain".to_owned());
        let spawned = thread.spawn(keep);
        spawned.map_err(|error| KeychainError::Failed {
            why: error.to_string(),
        })?;
        match receiver.recv_timeout(PATIENCE) {
            Ok(kept) => kept,
            Err(RecvTimeoutError::Timeout) => Err(KeychainError::Silent),
            Err(RecvTimeoutError::Disconnected) => Err(KeychainError::Failed {
                why: "it broke off".to_owned(),
            }),
        }
    }

    /// Asks the person to unlock the keychain, unless they are being asked already. Calls `unlocked` when they
    /// have unlocked it.
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

/// Lets one caller in at a time. The others wait for a limited time.
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

fn is_about_everything(found: &Result<Secret, KeychainError>) -> bool {
    let error = found.as_ref().err();
    error.is_some_and(|error| error.extent() == Extent::Everything)
}

fn and_the_rest(mut found: Found, names: &BTreeSet<String>, error: &KeychainError) -> Found {
    for name in names {
        found.entry(name.clone()).or_insert(Err(error.clone()));
    }
    found
}

fn for_all(names: &BTreeSet<String>, error: &KeychainError) -> Found {
    and_the_rest(Found::new(), names, error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    /// Hangs until it is let go. Then it has every entry.
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

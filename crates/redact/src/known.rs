//! The secrets that a running program knows. Log lines, snapshots and errors all ask the same one.

use std::sync::{Arc, PoisonError, RwLock};

use crate::own::Own;
use crate::redactor::Redactor;

/// Most credentials of clients that are remembered. Usually there are one or two.
const REMEMBERED: usize = 64;

/// The secrets of the configuration, of the program itself, and of the clients that have called. A clone is the
/// same one.
#[derive(Clone, Debug, Default)]
pub struct Known(Arc<RwLock<State>>);

#[derive(Debug, Default)]
struct State {
    redactor: Arc<Redactor>,
    /// Secrets that stay.
    learnt: Secrets,
    /// For those alone.
    ours: Arc<Redactor>,
    /// Credentials of clients, the newest last.
    noticed: Secrets,
    /// For requests with credentials that might be words. They go from the texts of such a request alone.
    of_requests: Vec<(Own, Arc<Redactor>)>,
}

#[derive(Default)]
struct Secrets(Vec<Box<str>>);

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

impl Known {
    /// Takes these secrets out of all texts from now on.
    pub fn learn<'s>(&self, secrets: impl IntoIterator<Item = &'s str>) {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let before = state.learnt.0.len();
        for secret in secrets {
            if !state.learnt.0.iter().any(|known| **known == *secret) {
                state.learnt.0.push(secret.into());
            }
        }
        if state.learnt.0.len() > before {
            let learnt = state.learnt.0.iter().map(|secret| &**secret);
            state.ours = Arc::new(Redactor::of(learnt));
            state.compile();
        }
    }

    /// For the texts of a request with these credentials. They are remembered, so that they go from texts beside
    /// the request too, such as log lines. Usually this costs one look.
    pub fn of_request(&self, own: &Own) -> Arc<Redactor> {
        let redactor = self.redactor();
        let knows_all = |redactor: &Redactor| own.secrets().all(|secret| redactor.knows(secret));
        if knows_all(&redactor) {
            return redactor;
        }
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let before = state.noticed.0.len();
        for secret in own.unmistakable() {
            if !state.redactor.knows(secret)
                && !state.noticed.0.iter().any(|known| **known == *secret)
            {
                state.noticed.0.push(secret.into());
            }
        }
        if state.noticed.0.len() > before {
            let surplus = state.noticed.0.len().saturating_sub(REMEMBERED);
            state.noticed.0.drain(..surplus);
            state.compile();
        }
        if knows_all(&state.redactor) {
            return Arc::clone(&state.redactor);
        }
        if let Some((_, known)) = state.of_requests.iter().find(|(known, _)| known == own) {
            return Arc::clone(known);
        }
        let redactor = Arc::new(state.redactor.knowing(own));
        if state.of_requests.len() == REMEMBERED {
            state.of_requests.clear();
        }
        state.of_requests.push((own.clone(), Arc::clone(&redactor)));
        redactor
    }

    /// What takes the secrets of the configuration and of the program out of a text. For text that no client can
    /// have written, such as a URL of the configuration: a client could make words of it go.
    pub fn ours(&self) -> Arc<Redactor> {
        let state = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&state.ours)
    }

    /// What takes all of them out of a text. It knows what was known when it was asked for.
    pub fn redactor(&self) -> Arc<Redactor> {
        let state = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&state.redactor)
    }
}

impl State {
    fn compile(&mut self) {
        let all = self.learnt.0.iter().chain(&self.noticed.0);
        self.redactor = Arc::new(Redactor::of(all.map(|secret| &**secret)));
        self.of_requests.clear();
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use http::header::AUTHORIZATION;

    use super::*;

    fn with(credential: &str) -> Own {
        let value = format!("Bearer {credential}").parse().unwrap();
        Own::of(&HeaderMap::from_iter([(AUTHORIZATION, value)]), None)
    }

    #[test]
    fn what_a_client_sent_goes_from_other_texts_too_unless_it_may_be_a_word() {
        let known = Known::default();
        known.learn(["configured-1"]);

        let its = known.of_request(&with("claude"));
        known.of_request(&with("tomato-soup-1"));

        let said = "claude, tomato-soup-1, configured-1";
        assert_eq!(its.text(said), "[redacted], tomato-soup-1, [redacted]");
        assert_eq!(
            known.redactor().text(said),
            "claude, [redacted], [redacted]"
        );
    }

    #[test]
    fn the_oldest_credentials_of_clients_are_forgotten_and_never_ours() {
        let known = Known::default();
        known.learn(["configured-1"]);

        for number in 0..3 * REMEMBERED {
            known.of_request(&with(&format!("tomato-soup-{number:04}")));
        }

        let redactor = known.redactor();
        let said = "tomato-soup-0000 tomato-soup-0191 configured-1";
        assert_eq!(
            redactor.text(said),
            "tomato-soup-0000 [redacted] [redacted]"
        );
    }

    #[test]
    fn a_request_with_known_credentials_changes_nothing() {
        let known = Known::default();
        let first = known.of_request(&with("tomato-soup-1"));

        let second = known.of_request(&with("tomato-soup-1"));

        assert!(Arc::ptr_eq(&first, &second));
        let word = known.of_request(&with("claude"));
        assert!(Arc::ptr_eq(&word, &known.of_request(&with("claude"))));
    }
}

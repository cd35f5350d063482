//! Zephyr over an endpoint that fails and one that does not.

use zephyr_clients_test::{CLIENT_TOKEN, FIRST_TOKEN, Outcome, SECOND_TOKEN, Zephyr};
use zephyr_testkit::{Act, Endpoint, Received, Script};

/// What an endpoint says that works.
pub const TEXT: &str = "Hello from an endpoint that works.";

/// Zephyr over an endpoint that fails and one that does not.
pub struct Faulty {
    pub first: Endpoint,
    pub second: Endpoint,
    pub zephyr: Zephyr,
}

impl Faulty {
    /// The preferred endpoint always follows this script.
    pub async fn then_good(script: impl Into<Script>) -> Self {
        Self::over(Endpoint::start(script).await).await
    }

    /// The preferred endpoint does `act` to the first request, and works from then on.
    pub async fn once_then_good(act: Act) -> Self {
        let first = Endpoint::start(Act::message(TEXT)).await;
        first.push(act);
        Self::over(first).await
    }

    pub async fn over(first: Endpoint) -> Self {
        let second = Endpoint::start(Act::message(TEXT)).await;
        let zephyr = Zephyr::over(&first, &second).await;
        Self {
            first,
            second,
            zephyr,
        }
    }

    /// The client got one answer, as if there were no first endpoint; both got the same request,
    /// each with its own credential.
    pub fn check_hidden(&self, outcome: &Outcome) {
        assert_eq!(outcome.text.as_deref(), Ok(TEXT));
        assert_eq!(outcome.message_starts, 1);
        let [failed, answered] = self.two_requests();
        assert_eq!(self.first.requests().len(), 1);
        assert_eq!(failed.target, answered.target);
        assert!(failed.body == answered.body, "the bodies differ");

        let bearer = format!("Bearer {FIRST_TOKEN}");
        assert_eq!(failed.headers_named("authorization"), [bearer.as_str()]);
        assert!(failed.headers_named("x-api-key").is_empty());
        assert_eq!(answered.headers_named("x-api-key"), [SECOND_TOKEN]);
        assert!(answered.headers_named("authorization").is_empty());
        for (name, value) in failed.headers.iter().chain(&answered.headers) {
            assert!(!value.contains(CLIENT_TOKEN), "{name}: {value}");
        }
    }

    /// What the endpoints received, in the order of time.
    pub fn two_requests(&self) -> [Received; 2] {
        let mut requests = self.first.requests();
        requests.extend(self.second.requests());
        requests.sort_by_key(|request| request.at);
        let count = requests.len();
        let two = requests.try_into();
        two.unwrap_or_else(|_| panic!("expected two requests, there were {count}"))
    }
}

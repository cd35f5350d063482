//! One fault: a name, what is wrong, and what may come of it.

use std::time::Duration;

use super::behaviour::{Behaviour, Checks};
use super::start::Start;

/// Something that is wrong with the first endpoint, and now and then with others.
#[derive(Clone, Debug)]
pub struct Fault {
    /// In plain English; no two have the same.
    pub name: String,
    /// The heading that it stands under.
    pub family: &'static str,
    /// How the endpoints behave, the preferred one first. All others work.
    pub behaviours: Vec<Behaviour>,
    /// What becomes of checks where they get as far as a request.
    pub checks: Checks,
    /// What is asked of Zephyr.
    pub bar: Bar,
}

/// What is asked of Zephyr.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Bar {
    /// The job ends with the same output and takes hardly longer.
    Unnoticed,
    /// The answer goes on by itself, so that nobody may lose patience: the same output, and no request more.
    WaitedFor,
    /// Nothing: real models fall silent in the same way, and no program can tell the two apart.
    None,
}

impl Bar {
    /// How much longer a job may take.
    pub fn allows(self, start: Start) -> Option<Duration> {
        match self {
            Self::Unnoticed => Some(match start {
                Start::Warm => Duration::from_secs(3),
                Start::Cold => Duration::from_secs(8),
            }),
            Self::WaitedFor | Self::None => None,
        }
    }
}

impl Fault {
    pub(super) fn new(family: &'static str, name: impl Into<String>, behaviour: Behaviour) -> Self {
        Self {
            name: name.into(),
            family,
            behaviours: vec![behaviour],
            checks: Checks::Pass,
            bar: Bar::Unnoticed,
        }
    }

    /// Lets checks meet it too.
    pub(super) fn failing_checks(self) -> Self {
        Self {
            checks: Checks::Fail,
            ..self
        }
    }

    /// Lets the next endpoint fail as well.
    pub(super) fn and(mut self, behaviour: Behaviour) -> Self {
        self.behaviours.push(behaviour);
        self
    }

    /// Asks this of Zephyr.
    pub(super) fn bar(self, bar: Bar) -> Self {
        Self { bar, ..self }
    }

    /// What becomes of checks, in words.
    pub(super) fn checks_in_words(&self) -> &'static str {
        let mut behaviours = self.behaviours.iter();
        if self.checks == Checks::Fail || behaviours.clone().all(Behaviour::concerns_connections) {
            "fail"
        } else if behaviours.any(Behaviour::concerns_connections) {
            "some fail"
        } else {
            "pass"
        }
    }

    /// Of all endpoints: three, of which the first fails, or four, of which only the last works.
    pub(super) fn all_behaviours(&self) -> impl Iterator<Item = &Behaviour> {
        let count = (self.behaviours.len() + 1).max(3);
        let well = std::iter::repeat(&Behaviour::Well);
        self.behaviours.iter().chain(well).take(count)
    }
}

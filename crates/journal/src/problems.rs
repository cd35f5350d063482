//! The journal's problems that a person should know.

use std::sync::Mutex;

use tokio::sync::Notify;
use zephyr_control::Problem;

use crate::lock::lock;

#[derive(Default)]
pub(crate) struct Problems {
    current: Mutex<Current>,
    changed: Notify,
}

#[derive(Default)]
struct Current {
    /// The reason for writing nothing at the moment.
    failing: Option<Problem>,
    /// The fate of a file that could not be used.
    set_aside: Option<Problem>,
}

impl Problems {
    pub(crate) fn all(&self) -> Vec<Problem> {
        let current = lock(&self.current);
        let both = [&current.failing, &current.set_aside];
        both.into_iter().flatten().cloned().collect()
    }

    /// Waits until the problems change.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    pub(crate) fn set_failing(&self, problem: Option<Problem>) {
        let mut current = lock(&self.current);
        if current.failing != problem {
            match &problem {
                Some(problem) => tracing::warn!("{}; {}", problem.message, problem.remedy),
                None => tracing::info!("the journal is being written again"),
            }
            current.failing = problem;
            self.changed.notify_one();
        }
    }

    pub(crate) fn set_set_aside(&self, problem: Option<Problem>) {
        lock(&self.current).set_aside = problem;
        self.changed.notify_one();
    }
}

#[cfg(test)]
impl Problems {
    pub(crate) fn failing(&self) -> Option<String> {
        let current = lock(&self.current);
        current
            .failing
            .as_ref()
            .map(|problem| problem.message.to_string())
    }

    pub(crate) fn set_aside(&self) -> Option<String> {
        let current = lock(&self.current);
        current
            .set_aside
            .as_ref()
            .map(|problem| problem.message.to_string())
    }
}

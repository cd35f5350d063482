//! What a person should know about the journal.

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
    /// Why nothing is written at the moment.
    failing: Option<Problem>,
    /// What happened to a file that could not be used.
    set_aside: Option<Problem>,
}

impl Problems {
    pub(crate) fn all(&self) -> Vec<Problem> {
        let current = lock(&self.current);
        let both = [&current.failing, &current.set_aside];
        both.into_iter().flatten().cloned().collect()
    }

    /// Waits until the problems are others.
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
            .map(|problem| problem.message.clone())
    }

    pub(crate) fn set_aside(&self) -> Option<String> {
        let current = lock(&self.current);
        current
            .set_aside
            .as_ref()
            .map(|problem| problem.message.clone())
    }
}

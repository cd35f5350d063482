//! What the icon says at a glance.

use zephyr_control::{EndpointState, EndpointView, Problem, ProblemKind, Snapshot};

/// What the icon says at a glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Icon {
    /// Everything works.
    Healthy,
    /// Requests are answered, but something needs a look.
    Degraded,
    /// No endpoint is usable.
    AllDown,
    /// Monitoring is paused.
    Paused,
    /// The network is gone.
    Offline,
}

/// The icon for this state.
pub(crate) fn icon(snapshot: &Snapshot) -> Icon {
    if snapshot.offline_since_ms.is_some() {
        Icon::Offline
    } else if !snapshot.has_engine() && snapshot.problems.is_empty() {
        // It starts: nothing is wrong yet.
        Icon::Paused
    } else if !snapshot.endpoints.iter().any(is_ready) {
        // One that recovers is tried every minute; the icon waits for the outcome.
        Icon::AllDown
    } else if snapshot.paused {
        Icon::Paused
    } else if snapshot.endpoints.iter().any(ails) || snapshot.problems.iter().any(matters) {
        Icon::Degraded
    } else {
        Icon::Healthy
    }
}

fn is_ready(endpoint: &EndpointView) -> bool {
    endpoint.state == EndpointState::Ready
}

/// Whether an endpoint is not as its owner wants it. One that is switched off is.
fn ails(endpoint: &EndpointView) -> bool {
    match endpoint.state {
        EndpointState::Ready => endpoint.reason.is_some(),
        EndpointState::Disabled | EndpointState::Draining => false,
        EndpointState::Recovering
        | EndpointState::Failing
        | EndpointState::Throttled
        | EndpointState::Refused
        | EndpointState::Exhausted
        | EndpointState::NoCredential => true,
    }
}

/// Whether a problem deserves a glance at the tray, and not only a line in the window.
pub(super) fn matters(problem: &Problem) -> bool {
    match problem.kind {
        ProblemKind::ConfigError
        | ProblemKind::Credential
        | ProblemKind::Keychain
        | ProblemKind::Port
        | ProblemKind::ClaudeCode
        | ProblemKind::Journal
        | ProblemKind::Desktop => true,
        // The headline says that there are none.
        ProblemKind::ConfigWarning | ProblemKind::NoEndpoints => false,
    }
}

//! The state that the icon shows.

use zephyr_control::{EndpointState, EndpointView, Problem, ProblemKind, Snapshot};

/// The state that the icon shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Icon {
    /// Everything works.
    Healthy,
    /// Requests are answered, but something needs attention.
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
        // It is starting, so nothing is wrong yet.
        Icon::Paused
    } else if !snapshot.endpoints.iter().any(is_ready) {
        // An endpoint that recovers is tried every minute. The icon waits for the result.
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

/// Whether an endpoint is not in the state that its owner wants. A disabled one is.
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

/// Whether the icon should show a problem, and not only the window.
pub(super) fn matters(problem: &Problem) -> bool {
    match problem.kind {
        ProblemKind::ConfigError
        | ProblemKind::Credential
        | ProblemKind::Keychain
        | ProblemKind::Port
        | ProblemKind::ClaudeCode
        | ProblemKind::Journal
        | ProblemKind::Desktop => true,
        // The first line of the menu says that there are none.
        ProblemKind::ConfigWarning | ProblemKind::NoEndpoints => false,
    }
}

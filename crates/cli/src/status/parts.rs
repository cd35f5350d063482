//! What several views of the state share.

use zephyr_control::{EndpointState, EndpointView, Language, Problem, text};
use zephyr_process::colours::Colours;

use crate::terminal::{Align, Cell, printable};

pub(super) fn labelled(endpoint: &EndpointView) -> String {
    match &endpoint.flag {
        Some(flag) => format!("{flag} {}", endpoint.name),
        None => endpoint.name.clone(),
    }
}

/// A problem with several lines, such as the errors of a configuration, keeps its lines.
pub(super) fn in_words(
    Problem {
        message, remedy, ..
    }: &Problem,
) -> String {
    if !message.contains('\n') {
        return printable(&format!("{message}: {remedy}"));
    }
    let lines: Vec<_> = message
        .lines()
        .chain([remedy.as_str()])
        .map(printable)
        .collect();
    lines.join("\n    ")
}

pub(super) fn state_cell(state: EndpointState, language: Language, colours: Colours) -> Cell {
    let mut cell = Cell::new(text(language, &state), Align::Left);
    if colours == Colours::Ansi {
        cell.colour = Some(colour(state));
    }
    cell
}

/// The parameters of an ANSI sequence.
fn colour(state: EndpointState) -> &'static str {
    match state {
        EndpointState::Ready => "32",
        EndpointState::Faltering
        | EndpointState::Recovering
        | EndpointState::Throttled
        | EndpointState::Draining => "33",
        EndpointState::Unreachable
        | EndpointState::Failing
        | EndpointState::Refused
        | EndpointState::Exhausted
        | EndpointState::NoCredential => "31",
        EndpointState::Disabled => "2",
    }
}

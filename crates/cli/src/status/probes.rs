//! How endpoints are, without a running instance: probes, tests step by step, and how punctual checks are.

use std::time::Duration;

use zephyr_control::{Diagnosis, DiagnosisStage, EndpointState, Language, text};
use zephyr_engine::Lateness;
use zephyr_process::colours::Colours;

use super::parts::state_cell;
use super::phrase::Phrase;
use crate::terminal::{Align, Cell, columns, printable};

/// The result of each endpoint's probe as a table: how long it took, or what went wrong.
pub(crate) fn probes(
    results: &[(String, Result<Duration, String>)],
    language: Language,
    colours: Colours,
) -> String {
    let head = [
        (Phrase::ColumnEndpoint, Align::Left),
        (Phrase::ColumnState, Align::Left),
        (Phrase::ColumnLatency, Align::Right),
        (Phrase::ColumnReason, Align::Left),
    ];
    let head = head.map(|(phrase, align)| Cell::new(text(language, &phrase), align));
    let rows = results.iter().map(|(name, result)| {
        let (state, latency, reason) = match result {
            Ok(latency) => {
                let ms = latency.as_millis().to_string();
                let latency = text(language, &Phrase::Milliseconds { ms });
                (EndpointState::Ready, latency, String::new())
            }
            Err(reason) => (EndpointState::Failing, "–".to_owned(), printable(reason)),
        };
        [
            Cell::new(printable(name), Align::Left),
            state_cell(state, language, colours),
            Cell::new(latency, Align::Right),
            Cell::new(reason, Align::Left),
        ]
    });
    columns(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
}

/// The steps of a test as a table. What to do is below the step that failed.
pub(crate) fn diagnosis(diagnosis: &Diagnosis, language: Language) -> String {
    let rows = diagnosis.steps.iter().map(|step| {
        let mark = if step.passed { "✓" } else { "✗" };
        let ms = format!("{:.0}", step.took_ms);
        [
            Cell::new(mark.to_owned(), Align::Left),
            Cell::new(text(language, &stage(step.stage)), Align::Left),
            Cell::new(text(language, &Phrase::Milliseconds { ms }), Align::Right),
            Cell::new(printable(&step.detail), Align::Left),
        ]
    });
    let mut out = columns(&rows.collect::<Vec<_>>());
    for remedy in diagnosis
        .steps
        .iter()
        .filter_map(|step| step.remedy.as_ref())
    {
        out.push_str(&format!("\n{}\n", printable(remedy)));
    }
    if diagnosis.cost_usd > 0.0 {
        let cost = format!("{:.6}", diagnosis.cost_usd);
        out.push_str(&format!(
            "\n{}\n",
            text(language, &Phrase::StageCost { cost })
        ));
    }
    out
}

fn stage(stage: DiagnosisStage) -> Phrase<'static> {
    match stage {
        DiagnosisStage::Dns => Phrase::StageDns,
        DiagnosisStage::Tcp => Phrase::StageTcp,
        DiagnosisStage::Tls => Phrase::StageTls,
        DiagnosisStage::Auth => Phrase::StageAuth,
        DiagnosisStage::Model => Phrase::StageModel,
        DiagnosisStage::FirstToken => Phrase::StageFirstToken,
    }
}

/// How punctual checks were.
pub(crate) fn timing(lateness: &Lateness, span: Duration, language: Language) -> String {
    let ms = |duration: Duration| format!("{:.1}", duration.as_secs_f64() * 1000.0);
    let phrase = Phrase::Timing {
        probes: lateness.probes,
        seconds: span.as_secs(),
        mean: ms(lateness.mean),
        p95: ms(lateness.p95),
        max: ms(lateness.max),
    };
    text(language, &phrase) + "\n"
}

//! Ten of the faults that `cargo xtask unnoticed` tries: Claude Code does its job though one of the endpoints, or three
//! of four, never do theirs.

use std::time::Duration;

use zephyr_clients_test::unnoticed::{Start, Trial, Usual, faults};

/// Far more than a job may take, and far less than it takes where Zephyr loses its patience late. How much it
/// really is depends on the machine, so `docs/unnoticed.md` says it and no test.
const MORE_AT_MOST: Duration = Duration::from_secs(20);

#[tokio::test]
async fn claude_code_does_its_job_whichever_of_ten_faults_an_endpoint_has() {
    let usual = Usual::measure(1).await;
    let ten = faults::tried_every_time();
    assert_eq!(ten.len(), 10);
    let mut missed = Vec::new();
    for fault in ten {
        let (warm, cold) = tokio::join!(
            Trial::run(&fault, Start::Warm, &usual),
            Trial::run(&fault, Start::Cold, &usual),
        );

        for (start, trial) in [(Start::Warm, warm), (Start::Cold, cold)] {
            let line = trial.line(&fault, start, &usual);
            println!("{line}\n{}", trial.log.join("\n"));
            let is_late = trial.took > usual.took(start) + MORE_AT_MOST;
            // A fault that nobody met would prove nothing.
            let is_met = trial.asked != Some(0);
            if !trial.finished || !trial.same || !is_met || is_late {
                missed.push(line);
            }
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn no_two_faults_have_the_same_name() {
    let mut names: Vec<_> = faults::all()
        .into_iter()
        .map(|fault| (fault.family, fault.name))
        .collect();
    let count = names.len();
    names.sort();
    names.dedup();

    assert_eq!(names.len(), count);
    assert!(count >= 60);
}

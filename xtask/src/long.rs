//! The long tests: those marked `#[ignore]`. They run one at a time, and their results are saved.
//!
//! A long test prints its results in lines that begin with `measured: `. They are written to
//! `docs/long-tests.md`, with the machine and the day, so that later changes can be compared.

use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::machine::machine;
use crate::process::{cargo, run_reading};
use crate::steps::Seconds;
use crate::tally::Tally;
use crate::tools;
use crate::workspace::{root, target_dir};

/// Runs the long tests and saves their results, even if some fail.
pub(crate) fn test() -> Result<()> {
    tools::c_compiler()?;
    let target = target_dir()?;
    let mut results = Results::new();
    let outcome = run_reading(
        cargo()
            .args(["test", "--workspace", "--release", "--no-fail-fast", "--"])
            .args(["--ignored", "--show-output", "--test-threads=1"])
            // Optimized, but without LTO, because LTO would take minutes for every test program.
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
            // A separate folder, so that the ordinary release build stays.
            .env("CARGO_TARGET_DIR", target.join("long"))
            .current_dir(root()),
        |line| results.read(line),
    );
    let report = root().join("docs").join("long-tests.md");
    let before = fs::read_to_string(&report).unwrap_or_default();
    fs::write(&report, results.page(&machine()) + sections(&before))?;
    println!("written to {}", report.display());
    println!("{}", results.tally);
    outcome?;
    if results.tally.passed == 0 {
        bail!("there are no long tests");
    }
    Ok(())
}

/// Writes a section of the page that another task measures. The rest of the page stays.
pub(crate) fn keep_section(title: &str, text: &str) -> Result<()> {
    let report = root().join("docs").join("long-tests.md");
    let before = fs::read_to_string(&report).unwrap_or_default();
    fs::write(&report, with_section(&before, title, text))?;
    println!("written to {}", report.display());
    Ok(())
}

fn with_section(page: &str, title: &str, text: &str) -> String {
    let heading = format!("\n## {title}\n");
    let (above, below) = match page.split_once(&heading) {
        Some((above, rest)) => (above, sections(rest)),
        None => (page, ""),
    };
    format!("{above}{heading}\n{text}\n{below}")
}

/// The sections of the page, which the long tests leave as they are.
fn sections(page: &str) -> &str {
    page.find("\n## ").map_or("", |start| &page[start..])
}

#[derive(Debug)]
struct Results {
    tests: Vec<LongTest>,
    tally: Tally,
    /// The test whose output is being read.
    speaking: Option<String>,
    last: Instant,
}

#[derive(Debug)]
struct LongTest {
    name: String,
    passed: bool,
    took: Duration,
    measured: Vec<String>,
}

impl Results {
    fn new() -> Self {
        Self {
            tests: Vec::new(),
            tally: Tally::default(),
            speaking: None,
            last: Instant::now(),
        }
    }

    /// Reads one line of the output of test programs that run one test at a time.
    fn read(&mut self, line: &str) {
        let now = Instant::now();
        self.tally += Tally::of_line(line);
        if let Some((name, end)) = ended(line) {
            self.tests.push(LongTest {
                name: name.to_owned(),
                passed: end == "ok",
                took: now.saturating_duration_since(self.last),
                measured: Vec::new(),
            });
            self.last = now;
        } else if line.starts_with("running ") {
            self.last = now;
        } else if let Some(name) = line
            .strip_prefix("---- ")
            .and_then(|rest| rest.strip_suffix(" stdout ----"))
        {
            self.speaking = Some(name.to_owned());
        } else if let Some(measured) = line.strip_prefix("measured: ") {
            let speaking = self.speaking.as_deref();
            let test = self
                .tests
                .iter_mut()
                .rev()
                .find(|test| Some(test.name.as_str()) == speaking);
            if let Some(test) = test {
                test.measured.push(measured.to_owned());
            }
        }
    }

    fn page(&self, machine: &str) -> String {
        let mut page = String::from(
            "# Long tests\n\nWritten by `cargo xtask test --long`; do not edit. What a test measured is \
             what it says itself. What Claude Code notices of endpoints that fail is measured by \
             `cargo xtask unnoticed`; whether two builds are the same, by `cargo xtask reproducible`.\n\n",
        );
        let _ = writeln!(page, "{machine}\n");
        page += "| test | end | took | measured |\n| --- | --- | --- | --- |\n";
        for test in &self.tests {
            let end = if test.passed { "passed" } else { "**failed**" };
            let measured = test.measured.join("<br>").replace('|', "\\|");
            let took = Seconds(test.took);
            let _ = writeln!(page, "| `{}` | {end} | {took} | {measured} |", test.name);
        }
        page
    }
}

/// The name and the result of a test, if this line has them.
fn ended(line: &str) -> Option<(&str, &str)> {
    let (name, end) = line.strip_prefix("test ")?.split_once(" ... ")?;
    Some((name, end)).filter(|(_, end)| matches!(*end, "ok" | "FAILED"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_test_measured_is_put_beside_its_name() {
        let mut results = Results::new();
        for line in [
            "running 2 tests",
            "test soak::memory_stays_flat ... ok",
            "test soak::nothing_leaks ... FAILED",
            "---- soak::memory_stays_flat stdout ----",
            "measured: 41 MB after 1 h",
            "---- soak::nothing_leaks stdout ----",
            "measured: 3 | 4 sockets",
            "test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out",
        ] {
            results.read(line);
        }

        let page = results.page("a machine");

        assert_eq!(results.tally.to_string(), "tests: 1 passed, 1 failed");
        assert!(
            page.contains("| `soak::memory_stays_flat` | passed |"),
            "{page}"
        );
        assert!(page.contains("| 41 MB after 1 h |"), "{page}");
        assert!(
            page.contains("| `soak::nothing_leaks` | **failed** |"),
            "{page}"
        );
        assert!(page.contains("3 \\| 4 sockets"), "{page}");
    }

    #[test]
    fn a_section_of_another_task_is_replaced_and_outlives_the_tests() {
        let page = "# Long tests\n\n| test |\n\n## Build\n\nold\n\n## Other\n\nstays\n";

        let replaced = with_section(page, "Build", "new");
        let added = with_section("# Long tests\n", "Build", "new");

        let expected = "# Long tests\n\n| test |\n\n## Build\n\nnew\n\n## Other\n\nstays\n";
        assert_eq!(replaced, expected);
        assert_eq!(added, "# Long tests\n\n## Build\n\nnew\n");
        let kept = "\n## Build\n\nnew\n\n## Other\n\nstays\n";
        assert_eq!(sections(&replaced), kept);
    }

    #[test]
    fn a_long_page_begins_with_the_machine() {
        let page = Results::new().page("linux x86_64, 2 cores");

        assert!(page.starts_with("# Long tests\n"));
        assert!(page.contains("\nlinux x86_64, 2 cores\n"));
    }
}

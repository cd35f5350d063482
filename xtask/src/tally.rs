//! Counts tests from the summary lines of Cargo's test programs.

use std::fmt;
use std::ops::AddAssign;

/// How many tests ran, and how they ended.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) ignored: u64,
}

impl Tally {
    /// The counts in one line of a test program's output. Most lines have none.
    pub(crate) fn of_line(line: &str) -> Self {
        let Some((_, counts)) = line.trim().split_once("test result: ") else {
            return Self::default();
        };
        // `ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.02s`
        let counts = counts.split_once(". ").map_or("", |(_, counts)| counts);
        let mut tally = Self::default();
        for part in counts.split("; ") {
            match part.split_once(' ') {
                Some((number, "passed")) => tally.passed = number.parse().unwrap_or(0),
                Some((number, "failed")) => tally.failed = number.parse().unwrap_or(0),
                Some((number, "ignored")) => tally.ignored = number.parse().unwrap_or(0),
                _ => {}
            }
        }
        tally
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tests: {} passed, {} failed", self.passed, self.failed)?;
        if self.ignored > 0 {
            write!(f, ", {} skipped", self.ignored)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_line_is_counted() {
        let line = "test result: FAILED. 31 passed; 2 failed; 4 ignored; 0 measured; \
                    7 filtered out; finished in 1.52s";

        let tally = Tally::of_line(line);

        assert_eq!(
            tally,
            Tally {
                passed: 31,
                failed: 2,
                ignored: 4
            }
        );
    }

    #[test]
    fn other_lines_count_nothing() {
        for line in [
            "",
            "test a::b ... ok",
            "running 3 tests",
            "test result: ",
            "3 passed",
        ] {
            assert_eq!(Tally::of_line(line), Tally::default(), "{line}");
        }
    }

    #[test]
    fn the_closing_line_names_skipped_tests_only_if_there_are_some() {
        let mut tally = Tally {
            passed: 3,
            failed: 0,
            ignored: 0,
        };
        assert_eq!(tally.to_string(), "tests: 3 passed, 0 failed");

        tally += Tally {
            passed: 1,
            failed: 0,
            ignored: 2,
        };
        assert_eq!(tally.to_string(), "tests: 4 passed, 0 failed, 2 skipped");
    }
}

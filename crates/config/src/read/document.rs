//! The whole text: from TOML to a configuration, with every error in it.

use toml::de::DeTable;
use zephyr_core::config::Config;

use super::refusal;
use super::report::Report;
use super::sections;
use super::table::Table;
use crate::loaded::Loaded;
use crate::problem::Problems;

/// Reads and checks the text of a configuration file.
///
/// # Errors
///
/// Every error of the text at once.
pub fn parse(text: &str) -> Result<Loaded, Problems> {
    let report = Report::new(text);
    let config = read(text, &report);
    let warnings = report.settle()?;
    Ok(Loaded {
        config,
        warnings,
        fingerprint: None,
    })
}

pub(crate) fn read(text: &str, report: &Report<'_>) -> Config {
    const REST: &str = "correct this line first, the rest was not read";
    match DeTable::parse(text) {
        Ok(document) => {
            refusal::refuse(document.get_ref(), report);
            let config = sections::config(&Table::root(report, document.get_ref()));
            // `DeTable` does not read numbers, and no reader asks for the values of unknown keys.
            if let Err(error) = toml_edit::Document::parse(text) {
                let at = error.span().map(|span| span.start);
                if !report.has_error(report.line(at)) {
                    report.error(at, "", not_toml(error.message()), "correct or delete it");
                }
            }
            config
        }
        Err(error) => {
            let at = error.span().map(|span| span.start);
            report.error(at, "", not_toml(error.message()), REST);
            Config::default()
        }
    }
}

fn not_toml(why: &str) -> String {
    format!("this is not TOML: {why}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example::EXAMPLE;
    use crate::read::keys;

    /// Accepted and on purpose not shown in the example.
    const ALIASES: &[&str] = &[
        "retry",
        "groups[].api_key_env",
        "groups[].endpoints[].api_key_env",
    ];

    /// Keys that no reader asks for, because nothing reads them yet.
    const UNREAD: &[&str] = &[
        "groups[].endpoints[].headers",
        "groups[].endpoints[].model_map",
    ];

    fn known_keys() -> Vec<String> {
        let report = Report::new(EXAMPLE);
        read(EXAMPLE, &report);
        let mut known = report.known();
        known.extend(UNREAD.iter().map(|key| (*key).to_owned()));
        known.into_iter().collect()
    }

    /// The lines of the example between the header of this table and the next one.
    fn section(header: &str) -> Vec<&'static str> {
        let lines = EXAMPLE.lines().skip_while(|line| *line != header).skip(1);
        lines.take_while(|line| !line.starts_with('[')).collect()
    }

    #[test]
    fn the_example_gives_the_defaults_without_a_warning() {
        let loaded = parse(EXAMPLE).unwrap();

        assert_eq!(loaded.warnings, []);
        assert!(loaded.config.endpoints.len() >= 2);
        let without_fleet = Config {
            groups: Vec::new(),
            endpoints: Vec::new(),
            ..loaded.config
        };
        assert_eq!(without_fleet, Config::default());
    }

    #[test]
    fn the_example_has_every_known_key() {
        let inherited = |key: &str| keys::INHERITED.iter().any(|(row, _)| *row == key);
        for key in known_keys() {
            if ALIASES.contains(&key.as_str()) || inherited(&key) || key.contains("].health_check.")
            {
                continue;
            }
            let (table, name) = key.rsplit_once('.').unwrap_or(("", &key));
            let is_shown = if table.is_empty() || EXAMPLE.contains(&format!("[[{key}]]")) {
                EXAMPLE.contains(&format!("[{key}]"))
            } else if table.contains("endpoints[]") || table.contains('*') {
                let header = if table.contains('*') {
                    "[pricing]"
                } else {
                    "[[groups]]"
                };
                let is_other = |char: char| !char.is_ascii_alphanumeric() && char != '_';
                let mut words = section(header)
                    .into_iter()
                    .flat_map(|line| line.split(is_other));
                words.any(|word| word == name)
            } else {
                let header = match table {
                    "groups[]" => "[[groups]]".to_owned(),
                    "failover.rules[]" => "# [[failover.rules]]".to_owned(),
                    _ => format!("[{table}]"),
                };
                let active = format!("{name} = ");
                let optional = format!("# {name} = ");
                let mut lines = section(&header).into_iter();
                lines.any(|line| line.starts_with(&active) || line.starts_with(&optional))
            };

            assert!(is_shown, "{key} is missing from config.toml.example");
        }
    }

    #[test]
    fn every_row_about_a_key_without_effect_names_a_key_that_exists() {
        let known = known_keys();

        for (row, _) in keys::NOT_YET {
            let key = row.split('=').next().unwrap_or(row);
            let key = key.strip_suffix(".*").unwrap_or(key);
            assert!(known.iter().any(|known| known == key), "{row}");
        }
    }
}

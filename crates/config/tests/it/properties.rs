//! What holds for every text that somebody may save as a configuration.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use zephyr_config::{EXAMPLE, Loaded, Problems, parse};

use crate::mangled::{Edit, edit, edited};

const PLANTED: &str = "sk-ant-planted-0123456789";

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(400)
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>()) {
        let _ = parse(&text);
    }

    #[test]
    fn nothing_that_looks_like_toml_makes_the_parser_panic(
        text in "(\\[{0,2}[a-z_.\"]{0,12}\\]{0,2}\n|[a-z_\\-.\"]{0,12} = [0-9a-z\"'\\[\\]{}., #=+-]{0,24}\n){0,16}"
    ) {
        let _ = parse(&text);
    }

    #[test]
    fn an_edited_example_is_read_or_refused_with_lines(edits in prop::collection::vec(edit(), 1..12)) {
        let text = edited(&edits);
        let lines = text.split('\n').count();

        match parse(&text) {
            Ok(Loaded { warnings, .. }) => {
                prop_assert!(warnings.iter().all(|warning| warning.line <= Some(lines)));
            }
            Err(problems) => {
                prop_assert!(problems.count() >= 1);
                prop_assert!(problems.iter().all(|problem| problem.line <= Some(lines)));
            }
        }
    }

    #[test]
    fn a_planted_secret_is_in_no_message(
        edits in prop::collection::vec(edit(), 0..6),
        place in any::<Index>(),
        form in select(vec!["\"*\"", "*", "'*'", "\"Bearer *\"", "{ a = \"*\" }", "[\"*\"]", "\"*"]),
    ) {
        let secret = form.replace('*', PLANTED);
        let mut edits = edits;
        edits.push(Edit::ReplaceValue(place, secret));

        let said = everything_said(parse(&edited(&edits)));

        prop_assert!(!said.contains(PLANTED), "{said}");
    }

    #[test]
    fn a_secret_planted_as_a_key_is_in_no_message(line in any::<Index>()) {
        let mut lines: Vec<String> = EXAMPLE.lines().map(str::to_owned).collect();
        let at = line.index(lines.len());
        lines.insert(at, format!("{PLANTED} = 1"));

        let said = everything_said(parse(&lines.join("\n")));

        prop_assert!(!said.contains(PLANTED), "{said}");
    }
}

fn everything_said(parsed: Result<Loaded, Problems>) -> String {
    match parsed {
        Ok(loaded) => format!("{:?}", loaded.warnings),
        Err(problems) => format!("{problems}\n{problems:?}"),
    }
}

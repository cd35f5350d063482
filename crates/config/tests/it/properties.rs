//! What holds for every text that somebody may save as a configuration.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use zephyr_config::{EXAMPLE, Loaded, Problems, parse};

const PLANTED: &str = "sk-ant-planted-0123456789";

/// What goes wrong when people edit a file.
#[derive(Clone, Debug)]
enum Edit {
    DropLine(Index),
    DoubleLine(Index),
    SwapLines(Index, Index),
    CutLine(Index, Index),
    Insert(Index, Index, String),
    ReplaceValue(Index, String),
}

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

fn edit() -> impl Strategy<Value = Edit> {
    let word = || {
        select(vec![
            "\"",
            "'",
            "[",
            "]",
            "{",
            "}",
            "=",
            ",",
            "#",
            "\\",
            "\n",
            "0",
            "-1",
            "1e400",
            "true",
            "\"x\"",
            "[[groups]]",
            "[groups]",
            "é🇭🇰",
            "1979-05-27",
            "nan",
            "0x_ff",
            "\u{0}",
            "\r",
            "[]",
            "{}",
            "name = \"HK\"",
            "token = \"x\"",
        ])
        .prop_map(str::to_owned)
    };
    prop_oneof![
        any::<Index>().prop_map(Edit::DropLine),
        any::<Index>().prop_map(Edit::DoubleLine),
        (any::<Index>(), any::<Index>()).prop_map(|(a, b)| Edit::SwapLines(a, b)),
        (any::<Index>(), any::<Index>()).prop_map(|(line, at)| Edit::CutLine(line, at)),
        (any::<Index>(), any::<Index>(), word())
            .prop_map(|(line, at, word)| Edit::Insert(line, at, word)),
        (any::<Index>(), word()).prop_map(|(line, word)| Edit::ReplaceValue(line, word)),
    ]
}

fn edited(edits: &[Edit]) -> String {
    let mut lines: Vec<String> = EXAMPLE.lines().map(str::to_owned).collect();
    for edit in edits {
        let count = lines.len();
        match edit {
            Edit::DropLine(line) if count > 1 => {
                lines.remove(line.index(count));
            }
            Edit::DropLine(_) => {}
            Edit::DoubleLine(line) => {
                let line = line.index(count);
                lines.insert(line, lines[line].clone());
            }
            Edit::SwapLines(a, b) => lines.swap(a.index(count), b.index(count)),
            Edit::CutLine(line, at) => {
                let line = &mut lines[line.index(count)];
                *line = line
                    .chars()
                    .take(at.index(line.chars().count() + 1))
                    .collect();
            }
            Edit::Insert(line, at, word) => {
                let line = &mut lines[line.index(count)];
                let places = line
                    .char_indices()
                    .map(|(place, _)| place)
                    .chain([line.len()]);
                let places: Vec<usize> = places.collect();
                line.insert_str(places[at.index(places.len())], word);
            }
            Edit::ReplaceValue(line, word) => replace_value(&mut lines, *line, word),
        }
    }
    lines.join("\n")
}

/// Replaces what stands behind one of the equals signs of a line that has some.
fn replace_value(lines: &mut [String], line: Index, word: &str) {
    let assignments: Vec<usize> = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| !line.starts_with('#') && line.contains(" = "))
        .map(|(number, _)| number)
        .collect();
    if assignments.is_empty() {
        return;
    }
    let number = assignments[line.index(assignments.len())];
    let mut parts: Vec<String> = lines[number].split(" = ").map(str::to_owned).collect();
    let part = 1 + line.index(parts.len() - 1);
    let rest = parts[part]
        .find([',', '}'])
        .map_or(String::new(), |end| parts[part][end..].to_owned());
    parts[part] = format!("{word}{rest}");
    lines[number] = parts.join(" = ");
}

fn everything_said(parsed: Result<Loaded, Problems>) -> String {
    match parsed {
        Ok(loaded) => format!("{:?}", loaded.warnings),
        Err(problems) => format!("{problems}\n{problems:?}"),
    }
}

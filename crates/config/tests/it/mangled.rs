//! The example as people leave it when they edit it by hand.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use zephyr_config::EXAMPLE;

/// What goes wrong when people edit a file.
#[derive(Clone, Debug)]
pub(crate) enum Edit {
    DropLine(Index),
    DoubleLine(Index),
    SwapLines(Index, Index),
    CutLine(Index, Index),
    Insert(Index, Index, String),
    ReplaceValue(Index, String),
}

pub(crate) fn edit() -> impl Strategy<Value = Edit> {
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
            "0x",
            "1979-99-99",
            "99999999999999999999",
            "\"\"\"",
            "unknown = 0x",
            "a.b = 1",
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

pub(crate) fn edited(edits: &[Edit]) -> String {
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

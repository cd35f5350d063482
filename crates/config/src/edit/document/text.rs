//! From the file's text to toml_edit's document and back.
//!
//! toml_edit keeps comments, order and spelling, with four exceptions. It ends every line with `\n`, also
//! the last one. It drops a byte order mark. It writes the dotted keys of a table one below the other. It
//! spells a name in the same way in all headers. So a change is made in the document, and only the lines
//! that differ are carried over into the original text.

use std::collections::{HashMap, VecDeque};

use toml_edit::DocumentMut;

/// Why the text was not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::edit) enum NotRewritten {
    /// The text is not TOML, or it has something else in the place of the change. The reader knows what.
    Refused,
    /// toml_edit writes this line, counted from 1, in another way and at another place.
    Unwritable { line: usize },
    /// There is no endpoint of that name. These are the names.
    Unknown(Vec<String>),
    /// That place is among the endpoints of this group, which stay together.
    Apart(String),
}

/// Makes the change in the text's document. Returns the text with it, and what the change returned.
pub(super) fn on_document<T>(
    text: &str,
    change: impl FnOnce(&mut DocumentMut) -> Result<T, NotRewritten>,
) -> Result<(String, T), NotRewritten> {
    let (mark, body) = match text.strip_prefix('\u{feff}') {
        Some(body) => ("\u{feff}", body),
        None => ("", text),
    };
    let plain: String = body.split_inclusive('\n').map(ended).collect();
    let parsed = plain.parse::<DocumentMut>();
    let mut document = parsed.map_err(|_| NotRewritten::Refused)?;
    let before = document.to_string();
    let made = change(&mut document)?;
    let after = document.to_string();
    let body = carried(body, &before, &after)?;
    Ok((format!("{mark}{body}"), made))
}

/// The line with the end that toml_edit gives it.
fn ended(line: &str) -> String {
    let content = line.strip_suffix('\n').unwrap_or(line);
    let content = content.strip_suffix('\r').unwrap_or(content);
    format!("{content}\n")
}

/// The original with the lines in which `after` differs from `before`. `before` is the original as
/// toml_edit writes it. New lines end as the first one does. The last line stays without a line end if
/// it has none, unless lines were added behind it.
fn carried(original: &str, before: &str, after: &str) -> Result<String, NotRewritten> {
    let original: Vec<&str> = original.split_inclusive('\n').collect();
    let before: Vec<&str> = before.split_inclusive('\n').collect();
    let changed: Vec<&str> = after.split_inclusive('\n').collect();
    let places = Places::find(&original, &before)?;

    let front = common(before.iter(), changed.iter());
    let back = common(before[front..].iter().rev(), changed[front..].iter().rev());
    let gone = &places.of_lines[front..before.len() - back];
    let new = &changed[front..changed.len() - back];
    let above = front.checked_sub(1).map(|above| places.of_lines[above] + 1);
    let below = places.of_lines.get(front).copied();
    let ways = match gone.first() {
        Some(first) => [*first; 2],
        None => [above.unwrap_or(0), below.unwrap_or(original.len())],
    };

    let mut ways = ways.into_iter().map(|at| spliced(&original, gone, at, new));
    match places.elsewhere {
        None => Ok(ways.next().unwrap_or_default()),
        Some(line) => {
            let right = ways.find(|way| say_the_same(way, after));
            right.ok_or(NotRewritten::Unwritable { line })
        }
    }
}

/// The lines without those that are `gone`, and with the `new` ones before line `at`.
fn spliced(original: &[&str], gone: &[usize], at: usize, new: &[&str]) -> String {
    let is_windows = original.first().is_some_and(|line| line.ends_with("\r\n"));
    let line_end = if is_windows { "\r\n" } else { "\n" };
    let new = || new.iter().map(|line| line.replace('\n', line_end));
    let mut lines: Vec<String> = Vec::new();
    for (number, line) in original.iter().enumerate() {
        if number == at {
            lines.extend(new());
        }
        if !gone.contains(&number) {
            lines.push((*line).to_owned());
        }
    }
    if at >= original.len() {
        lines.extend(new());
    }

    let is_unended = |line: &str| !line.ends_with('\n');
    let last = lines.len().saturating_sub(1);
    for line in lines.iter_mut().take(last).filter(|line| is_unended(line)) {
        line.push_str(line_end);
    }
    let end = original.len().saturating_sub(1);
    let was_unended = original.last().is_some_and(|line| is_unended(line));
    let text = lines.concat();
    match text.strip_suffix(line_end) {
        Some(unended) if was_unended && gone.contains(&end) && new().next().is_some() => {
            unended.to_owned()
        }
        Some(_) | None => text,
    }
}

/// Where the lines that toml_edit writes are in the original.
struct Places {
    of_lines: Vec<usize>,
    /// The first line, counted from 1, that toml_edit writes in another way.
    elsewhere: Option<usize>,
}

impl Places {
    fn find(original: &[&str], written: &[&str]) -> Result<Self, NotRewritten> {
        let original: Vec<String> = original.iter().map(|line| ended(line)).collect();
        let count = original.len();
        let front = common(original.iter(), written.iter());
        let back = common(
            original[front..].iter().rev(),
            written[front..].iter().rev(),
        );
        if front == count && front == written.len() {
            return Ok(Self {
                of_lines: (0..count).collect(),
                elsewhere: None,
            });
        }
        let line = front + 1;
        if count != written.len() {
            return Err(NotRewritten::Unwritable { line });
        }
        let mut moved: HashMap<&str, VecDeque<usize>> = HashMap::new();
        for (place, line) in original.iter().enumerate().take(count - back).skip(front) {
            moved.entry(line).or_default().push_back(place);
        }
        let found = written[front..count - back].iter();
        let found: Vec<Option<usize>> = found
            .map(|line| moved.get_mut(line).and_then(VecDeque::pop_front))
            .collect();
        // The lines that are left have the same order, and another spelling.
        let mut left: Vec<usize> = moved.into_values().flatten().collect();
        left.sort_unstable();
        let mut left = left.into_iter();
        let middle = found
            .into_iter()
            .filter_map(|place| place.or_else(|| left.next()));
        Ok(Self {
            of_lines: (0..front)
                .chain(middle)
                .chain(count - back..count)
                .collect(),
            elsewhere: Some(line),
        })
    }
}

fn common<A: AsRef<str>, B: AsRef<str>>(
    one: impl Iterator<Item = A>,
    other: impl Iterator<Item = B>,
) -> usize {
    let same = |(one, other): &(A, B)| one.as_ref() == other.as_ref();
    one.zip(other).take_while(same).count()
}

/// Whether both texts give every key the same value. Values are compared as text, since NaN is not equal
/// to itself.
fn say_the_same(one: &str, other: &str) -> bool {
    let said = |text: &str| toml::from_str::<toml::Table>(text).map(|table| table.to_string());
    matches!((said(one), said(other)), (Ok(one), Ok(other)) if one == other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_port(text: &str) -> String {
        let set = |document: &mut DocumentMut| {
            document["server"]["port"] = toml_edit::value(9090);
            Ok(())
        };
        on_document(text, set).unwrap().0
    }

    #[test]
    fn dotted_keys_stay_where_they_are_among_others() {
        let text = "server.host = \"::1\" # here\nui.theme = \"dark\"\n# port\nserver.port = 1 # there\n\
                    ui.language = \"en\"\n";

        let after = with_port(text);

        assert_eq!(after, text.replace("= 1 # there", "= 9090"));
    }

    #[test]
    fn a_key_is_added_to_dotted_keys_that_are_apart() {
        let text =
            "server.host = \"::1\"\nui.theme = \"dark\"\nserver.max_body_mb = 3\n[desktop]\n";

        let after = with_port(text);

        let line = "server.max_body_mb = 3\n";
        assert_eq!(
            after,
            text.replace(line, &format!("{line}server.port = 9090\n"))
        );
    }

    #[test]
    fn headers_keep_their_spelling() {
        let text = "[server]\nport = 1\n[[groups]]\nname = \"a\"\n[[ groups ]] # b\nname = \"b\"\n\
                    [[\"groups\"]]\nname = \"c\"\n[ groups.\"health_check\" ]\n";

        assert_eq!(with_port(text), text.replace("port = 1", "port = 9090"));
    }

    #[test]
    fn a_line_end_that_is_missing_stays_missing_unless_lines_come_behind() {
        for (before, after) in [
            ("[server]\nport = 1", "[server]\nport = 9090"),
            ("[server]\r\nport = 1", "[server]\r\nport = 9090"),
            ("[server]\nport = 1\n# end", "[server]\nport = 9090\n# end"),
            ("[server]\nport = 1\n[ui]", "[server]\nport = 9090\n[ui]"),
            ("[server]", "[server]\nport = 9090\n"),
            (
                "\u{feff}[server]\r\n[ui]",
                "\u{feff}[server]\r\nport = 9090\r\n[ui]",
            ),
        ] {
            assert_eq!(with_port(before), after);
        }
    }

    #[test]
    fn nothing_changes_without_a_change() {
        for text in [
            "",
            "\n\n",
            "# x",
            "\u{feff}# x\r\n\n\r\n",
            "a = 1",
            "a.b = 1\nc = 2\na.d = 3",
            "[ a ]\t \r\nb=1",
        ] {
            assert_eq!(on_document(text, |_| Ok(())), Ok((text.to_owned(), ())));
        }
    }
}

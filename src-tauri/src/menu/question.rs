//! The questions of the menu: what a browser may not do by itself.
//!
//! A dialog that pops up could be answered by a key that was meant for another window, at a moment that whoever
//! asks has chosen. A menu is opened on purpose. All of what would change is in it, in lines that fit.

use zephyr_control::privilege::Confirmation;
use zephyr_control::{Language, text};

use super::entry::{Choice, Entry, Group, Item, Mark};
use super::phrase::Phrase;

/// The most characters of a line. Menus do not wrap.
const WIDTH: usize = 60;

/// One submenu for each question.
pub(super) fn questions(
    confirmations: &[Confirmation],
    language: Language,
) -> impl Iterator<Item = Entry> {
    confirmations
        .iter()
        .map(move |confirmation| Entry::Group(question(confirmation, language)))
}

fn question(confirmation: &Confirmation, language: Language) -> Group {
    let number = confirmation.number;
    let key = format!("confirm:{number}");
    let item = |name: &str, text: String, choice| {
        Entry::Item(Item {
            key: format!("{key}:{name}"),
            text,
            mark: Mark::Plain,
            choice,
        })
    };
    let effect = wrapped(&text(language, &confirmation.effect));
    let danger = wrapped(&text(language, &confirmation.danger));
    let lines = effect.into_iter().chain(danger).enumerate();
    let mut entries: Vec<_> = lines
        .map(|(at, line)| item(&at.to_string(), line, None))
        .collect();
    entries.push(Entry::Separator);
    for (name, phrase, allow) in [
        ("allow", Phrase::Allow, true),
        ("refuse", Phrase::Refuse, false),
    ] {
        let settle = Choice::Settle { number, allow };
        entries.push(item(name, text(language, &phrase), Some(settle)));
    }
    Group {
        text: text(language, &Phrase::Confirm { number }),
        key,
        entries,
    }
}

/// The text in lines: all of it, also words that are longer than a line.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut width = 0;
    for word in text.split_inclusive(' ') {
        let length = word.chars().count();
        if width > 0 && width + length > WIDTH {
            lines.push(String::new());
            width = 0;
        }
        for letter in word.chars() {
            if width == WIDTH {
                lines.push(String::new());
                width = 0;
            }
            if let Some(line) = lines.last_mut() {
                line.push(letter);
            }
            width += 1;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_wrapped_between_words_and_whole() {
        let url = "x".repeat(150);
        let text = format!("the token in the variable TOKEN goes to {url} from then on");

        let lines = wrapped(&text);

        assert_eq!(lines.concat(), text);
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH));
        assert!(lines[0].ends_with("goes to "), "{lines:?}");
    }

    #[test]
    fn a_short_text_is_one_line() {
        assert_eq!(wrapped("一个"), ["一个"]);
    }
}

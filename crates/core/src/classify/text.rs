//! Finds words near each other in the messages of endpoints, in English and Chinese.
//!
//! Relays use different words for the same thing, so there is no list of sentences. A verdict needs two ideas
//! near each other in one sentence. English words match as whole words (a `*` at the end stands for any
//! ending). Chinese words match anywhere.

/// A text prepared for the search: lower case, one space between words, split into sentences.
#[derive(Debug)]
pub(super) struct Text {
    sentences: Vec<String>,
}

impl Text {
    /// A text of these pieces. No sentence goes on from one piece to the next.
    pub(super) fn of<'t>(pieces: impl IntoIterator<Item = &'t str>) -> Self {
        let mut sentences = Vec::new();
        for piece in pieces {
            for sentence in split_sentences(piece) {
                let sentence = normalized(sentence);
                if !sentence.trim().is_empty() {
                    sentences.push(sentence);
                }
            }
        }
        Self { sentences }
    }

    /// Whether the text has any of these words.
    pub(super) fn has(&self, words: &[&str]) -> bool {
        self.sentences
            .iter()
            .any(|sentence| words.iter().any(|word| !places(sentence, word).is_empty()))
    }

    /// Whether one of `these` and one of `those` are in one sentence, at most `most` characters apart, in any
    /// order.
    pub(super) fn near(&self, these: &[&str], those: &[&str], most: usize) -> bool {
        self.sentences.iter().any(|sentence| {
            let those = all_places(sentence, those);
            !those.is_empty()
                && all_places(sentence, these).iter().any(|this| {
                    those
                        .iter()
                        .any(|that| apart(sentence, *this, *that) <= most)
                })
        })
    }

    /// Whether one of `these` comes right before one of `those`, at most `most` characters apart.
    pub(super) fn before(&self, these: &[&str], those: &[&str], most: usize) -> bool {
        self.sentences.iter().any(|sentence| {
            let those = all_places(sentence, those);
            all_places(sentence, these).iter().any(|this| {
                those
                    .iter()
                    .any(|that| this.1 <= that.0 && apart(sentence, *this, *that) <= most)
            })
        })
    }

    /// The first number after one of these words, at most `most` characters apart.
    pub(super) fn number_behind(&self, words: &[&str], most: usize) -> Option<f64> {
        self.sentences.iter().find_map(|sentence| {
            all_places(sentence, words)
                .iter()
                .find_map(|(_, end)| number(&sentence[*end..], most))
        })
    }
}

type Place = (usize, usize);

fn all_places(sentence: &str, words: &[&str]) -> Vec<Place> {
    words
        .iter()
        .flat_map(|word| places(sentence, word))
        .collect()
}

/// The places of a word in a sentence, as byte ranges.
fn places(sentence: &str, word: &str) -> Vec<Place> {
    let (word, is_beginning) = match word.strip_suffix('*') {
        Some(beginning) => (beginning, true),
        None => (word, false),
    };
    let is_ascii = word.is_ascii();
    let found = sentence.match_indices(word);
    let ends = found.map(|(at, found)| (at, at + found.len()));
    ends.filter(|(from, to)| {
        if !is_ascii {
            return true;
        }
        let before = sentence[..*from].chars().next_back();
        let behind = sentence[*to..].chars().next();
        let is_word = |char: Option<char>| char.is_some_and(|char| char.is_ascii_alphanumeric());
        !is_word(before) && (is_beginning || !is_word(behind))
    })
    .collect()
}

/// The characters between two places. 0 if they overlap.
fn apart(sentence: &str, this: Place, that: Place) -> usize {
    let (first, second) = if this.0 <= that.0 {
        (this, that)
    } else {
        (that, this)
    };
    sentence
        .get(first.1..second.0)
        .map_or(0, |between| between.chars().count())
}

fn number(text: &str, most: usize) -> Option<f64> {
    let before = text
        .chars()
        .take(most)
        .position(|char| char.is_ascii_digit())?;
    let mut chars = text.char_indices().skip(before);
    let (from, _) = chars.next()?;
    let is_negative = text[..from]
        .trim_end_matches(['$', '¥', '￥', ' '])
        .ends_with('-');
    let digits = &text[from..];
    let end = digits
        .find(|char: char| !char.is_ascii_digit() && char != '.')
        .unwrap_or(digits.len());
    let number: f64 = digits[..end].trim_end_matches('.').parse().ok()?;
    Some(if is_negative { -number } else { number })
}

fn split_sentences(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = rest.char_indices().find_map(|(at, char)| {
            let behind = at + char.len_utf8();
            let ends = match char {
                '\n' | '\r' | '!' | '?' | ';' | '。' | '！' | '？' | '；' => true,
                '.' => rest[behind..]
                    .chars()
                    .next()
                    .is_none_or(char::is_whitespace),
                _ => false,
            };
            ends.then_some((at, behind))
        });
        let (sentence, behind) =
            end.map_or((rest, rest.len()), |(at, behind)| (&rest[..at], behind));
        rest = &rest[behind..];
        Some(sentence)
    })
}

/// The text in lower case, with spaces in place of `_`, of `-` between words, and of camel case.
pub(super) fn normalized(text: &str) -> String {
    let mut normal = String::with_capacity(text.len());
    let mut before = ' ';
    for char in text.chars() {
        let is_bump = char.is_ascii_uppercase() && before.is_ascii_lowercase();
        if is_bump {
            normal.push(' ');
        }
        let is_gap =
            char.is_whitespace() || char == '_' || (char == '-' && before.is_alphanumeric());
        before = char;
        if !is_gap {
            normal.extend(if char == '’' { '\'' } else { char }.to_lowercase());
        } else if !normal.ends_with(' ') {
            normal.push(' ');
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_words_whatever_stands_between_them() {
        let text = Text::of([
            "Throttling.Qps",
            "insufficient_userQuota",
            "an operating plan",
        ]);

        assert!(text.has(&["throttl*"]) && text.has(&["qps"]));
        assert!(text.near(&["insufficient"], &["quota"], 10));
        assert!(!text.has(&["rate"]) && !text.has(&["operat"]));
    }

    #[test]
    fn a_sentence_is_not_read_on_into_the_next() {
        let text = Text::of([
            "Your account is fine. The model was disabled.",
            "账户正常。模型已禁用",
        ]);

        assert!(!text.near(&["account", "账户"], &["disabled", "禁用"], 40));
        assert!(text.near(&["model"], &["disabled"], 10));
        assert!(text.near(&["模型"], &["禁用"], 2));
    }

    #[test]
    fn a_number_is_read_with_its_sign_and_its_point() {
        let rest = |text| Text::of([text]).number_behind(&["剩余", "remaining"], 12);

        assert_eq!(rest("剩余额度 0.02，需要 0.31"), Some(0.02));
        assert_eq!(rest("remaining: $-3.5."), Some(-3.5));
        assert_eq!(rest("nothing remaining"), None);
    }
}

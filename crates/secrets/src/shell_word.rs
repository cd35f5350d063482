//! Names in the commands that messages tell people to type.

/// A name as one word of a command line.
pub fn shell_word(name: &str) -> String {
    let plain = |char: char| char.is_alphanumeric() || matches!(char, '-' | '_' | '.' | ':' | '/');
    if !name.is_empty() && !name.starts_with('-') && name.chars().all(plain) {
        return name.to_owned();
    }
    let separator = if name.starts_with('-') { "-- " } else { "" };
    format!("{separator}'{}'", name.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_word_of_a_command_line() {
        let cases = [
            ("primary", "primary"),
            ("日本", "日本"),
            ("my group", "'my group'"),
            ("it's", r"'it'\''s'"),
            ("$(rm -rf)", "'$(rm -rf)'"),
            ("-v", "-- '-v'"),
            ("", "''"),
        ];

        for (name, word) in cases {
            assert_eq!(shell_word(name), word);
        }
    }
}

//! The annotated example, and the default file made of it.

/// The annotated example. The commented default is made of it.
pub const EXAMPLE: &str = include_str!("../../../config.toml.example");

/// The default file: the example with every key commented out. The headers of tables stay, so that
/// removing one `#` is enough.
pub fn commented_default() -> String {
    let comment = |line: &str| {
        let is_header = line.starts_with('[') && !line.starts_with("[[");
        if line.is_empty() || line.starts_with('#') || is_header {
            format!("{line}\n")
        } else {
            format!("#{line}\n")
        }
    };
    EXAMPLE.lines().map(comment).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::parse;

    #[test]
    fn the_commented_default_says_nothing_at_all() {
        let loaded = parse(&commented_default()).unwrap();

        assert_eq!(loaded.config, zephyr_core::config::Config::default());
        assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    }

    #[test]
    fn the_commented_default_becomes_the_example_when_uncommented() {
        let default = commented_default();

        let uncommented: Vec<&str> = default
            .lines()
            .zip(EXAMPLE.lines())
            .map(|(line, example)| match line.strip_prefix('#') {
                Some(rest) if line != example => rest,
                Some(_) | None => line,
            })
            .collect();

        assert_eq!(uncommented, EXAMPLE.lines().collect::<Vec<_>>());
    }
}

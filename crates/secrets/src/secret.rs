//! A secret in memory. Nothing shows it, dropping wipes it, and a header can carry it.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A credential's text. It has no `Display` and no `Serialize`. Code that sends it calls
/// [`expose`](Self::expose).
#[derive(Clone)]
pub struct Secret(Zeroizing<Box<str>>);

/// The reason why a text cannot be sent as a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Nothing but white space.
    #[error("it is empty")]
    Empty,
    /// A line break, another control character, or a letter beyond ASCII.
    #[error(
        "it has a character that no header may carry, such as a line break or a typographic quote"
    )]
    Unsendable,
}

impl Secret {
    /// Takes the text without the white space around it.
    ///
    /// # Errors
    ///
    /// The text cannot be sent. The message does not repeat it.
    pub fn new(text: &str) -> Result<Self, SecretError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(SecretError::Empty);
        }
        if !text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err(SecretError::Unsendable);
        }
        Ok(Self(Zeroizing::new(text.into())))
    }

    /// The text itself, of visible ASCII and spaces.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether the text is this secret. The time that this takes tells only the length.
    pub fn matches(&self, candidate: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(candidate).into()
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.matches(other.0.as_bytes())
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_around_a_secret_is_no_part_of_it() {
        let secret = Secret::new(" \tsk-ant-abc\r\n").unwrap();

        assert_eq!(secret.expose(), "sk-ant-abc");
    }

    #[test]
    fn a_secret_shows_nothing_of_itself() {
        let secret = Secret::new("hunter2").unwrap();

        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }

    #[test]
    fn what_cannot_be_sent_is_no_secret() {
        let cases = [
            ("", SecretError::Empty),
            (" \n", SecretError::Empty),
            ("two\nlines", SecretError::Unsendable),
            ("“quoted”", SecretError::Unsendable),
            ("nul\0", SecretError::Unsendable),
        ];

        for (text, why) in cases {
            assert_eq!(Secret::new(text), Err(why), "{text:?}");
        }
    }

    #[test]
    fn only_the_same_text_matches() {
        let secret = Secret::new("hunter2").unwrap();

        assert!(secret.matches(b"hunter2"));
        assert!(!secret.matches(b"hunter3"));
        assert!(!secret.matches(b"hunter"));
        assert_ne!(secret, Secret::new("hunter").unwrap());
    }
}

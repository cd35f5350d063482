//! The tokens of the admin API: what a program must know to steer the running instance, or to read what it
//! counts.
//!
//! Each is 32 random bytes in hexadecimal, in a file that only the user may read. So a program that may read
//! the user's files may steer Zephyr, and a web page or another user may not. They stay the same across
//! restarts.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::hmac;
use subtle::ConstantTimeEq;

use zephyr_secrets::private::{self, Creation};
use zephyr_secrets::redact::Known;

const FILE: &str = zephyr_secrets::owner::ADMIN_TOKEN;
const METRICS_FILE: &str = "metrics-token";
const BYTES: usize = 32;

/// The secret of the admin API.
#[derive(Clone)]
pub struct Token(String);

/// Everything that a server of the admin API knows its callers by.
#[derive(Clone, Debug)]
pub struct AccessTokens {
    /// May do everything.
    pub(crate) admin: Token,
    /// May read `/metrics` and nothing else. For a monitoring system, which may be another user.
    pub(crate) metrics: Token,
}

impl AccessTokens {
    /// Sees to it that no text of this program shows them.
    pub fn keep_out_of(&self, known: &Known) {
        known.learn([self.admin.0.as_str(), self.metrics.0.as_str()]);
    }

    /// The tokens of this data folder. Those that are missing or malformed are created.
    ///
    /// # Errors
    ///
    /// If a file cannot be read or written.
    pub fn load_or_create(data_dir: &Path) -> Result<Self, TokenError> {
        let tokens = Self {
            admin: Token::load_or_create(data_dir)?,
            metrics: Token::load_or_create_in(&data_dir.join(METRICS_FILE))?,
        };
        let file = data_dir.join(METRICS_FILE);
        tracing::info!(file = %file.display(), "a monitoring system reads /metrics with this token");
        Ok(tokens)
    }
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file could not be read or written.
    #[error("the token {} cannot be read or written", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("{} does not hold a token; start Zephyr again to renew it", .0.display())]
    Malformed(PathBuf),
    /// The system gave no random bytes.
    #[error("the system gave no random bytes")]
    Random(#[source] getrandom::Error),
}

impl Token {
    /// The token of this data folder; a new one if there is none or it is malformed.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or written.
    pub fn load_or_create(data_dir: &Path) -> Result<Self, TokenError> {
        Self::load_or_create_in(&data_dir.join(FILE))
    }

    fn load_or_create_in(path: &Path) -> Result<Self, TokenError> {
        let failed = |source| TokenError::File {
            path: path.to_owned(),
            source,
        };
        match Self::load_from(path) {
            Ok(token) => {
                private::tighten(path).map_err(failed)?;
                return Ok(token);
            }
            Err(TokenError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                let token = Self::random()?;
                match private::create(path, token.0.as_bytes()).map_err(failed)? {
                    Creation::Created => return Ok(token),
                    // Another program was faster: its token counts.
                    Creation::Existed => return Self::load_from(path),
                }
            }
            Err(TokenError::Malformed(_)) => {}
            Err(error @ (TokenError::File { .. } | TokenError::Random(_))) => return Err(error),
        }
        let token = Self::random()?;
        private::replace(path, token.0.as_bytes()).map_err(failed)?;
        Ok(token)
    }

    /// The token that a running instance left in this data folder.
    ///
    /// # Errors
    ///
    /// If there is none, or the file cannot be read.
    pub fn load(data_dir: &Path) -> Result<Self, TokenError> {
        Self::load_from(&data_dir.join(FILE))
    }

    fn load_from(path: &Path) -> Result<Self, TokenError> {
        match fs::read(path) {
            Ok(bytes) => Self::parse(&bytes).ok_or_else(|| TokenError::Malformed(path.to_owned())),
            Err(source) => Err(TokenError::File {
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// Compares in constant time.
    pub(crate) fn is(&self, presented: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(presented).into()
    }

    /// The answer to `challenge` at this port, which only somebody who knows the token can give. It is worth
    /// nothing at another port, so nobody can pass on somebody else's answer.
    pub(crate) fn proof(&self, port: u16, challenge: &str) -> String {
        let tag = hmac::sign(&self.key(), proven(port, challenge).as_bytes());
        hex(tag.as_ref())
    }

    /// Whether `proof` is the answer of somebody who knows the token.
    pub(crate) fn is_proven(&self, port: u16, challenge: &str, proof: &str) -> bool {
        self.proof(port, challenge)
            .as_bytes()
            .ct_eq(proof.as_bytes())
            .into()
    }

    /// For the `Authorization` header only.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    fn random() -> Result<Self, TokenError> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes).map_err(TokenError::Random)?;
        Ok(Self(hex(&bytes)))
    }

    fn key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, self.0.as_bytes())
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let text = str::from_utf8(bytes).ok()?.trim_ascii();
        let well_formed = text.len() == 2 * BYTES && text.bytes().all(|b| b.is_ascii_hexdigit());
        well_formed.then(|| Self(text.to_owned()))
    }
}

/// A challenge that nobody has seen before.
pub(crate) fn challenge() -> Result<String, TokenError> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(TokenError::Random)?;
    Ok(hex(&bytes))
}

/// The text that is signed. It names its purpose, so that the signature is good for nothing else.
fn proven(port: u16, challenge: &str) -> String {
    format!("zephyr admin port {port} {challenge}")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_created_once_and_then_used_again() {
        let folder = tempfile::tempdir().unwrap();

        let first = Token::load_or_create(folder.path()).unwrap();
        let second = Token::load_or_create(folder.path()).unwrap();

        assert_eq!(first.reveal(), second.reveal());
        assert_eq!(first.reveal().len(), 64);
    }

    #[test]
    fn two_data_folders_have_different_tokens() {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());

        let here = Token::load_or_create(here.path()).unwrap();
        let there = Token::load_or_create(there.path()).unwrap();

        assert_ne!(here.reveal(), there.reveal());
        assert!(!here.is(there.reveal().as_bytes()));
    }

    #[test]
    fn a_malformed_token_is_replaced() {
        for contents in ["", "hunter2", &"z".repeat(64)] {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join(FILE), contents).unwrap();

            assert!(matches!(
                Token::load(folder.path()),
                Err(TokenError::Malformed(_))
            ));
            let token = Token::load_or_create(folder.path()).unwrap();

            assert!(
                Token::load(folder.path())
                    .unwrap()
                    .is(token.reveal().as_bytes())
            );
        }
    }

    #[test]
    fn a_proof_holds_for_its_token_its_port_and_its_challenge_only() {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let token = Token::load_or_create(here.path()).unwrap();
        let other = Token::load_or_create(there.path()).unwrap();

        let proof = token.proof(8081, "abc");

        assert!(token.is_proven(8081, "abc", &proof));
        assert!(!token.is_proven(8082, "abc", &proof));
        assert!(!token.is_proven(8081, "abd", &proof));
        assert!(!other.is_proven(8081, "abc", &proof));
        assert!(!token.is_proven(8081, "abc", ""));
    }

    #[test]
    fn a_token_does_not_show_itself() {
        let folder = tempfile::tempdir().unwrap();

        let token = Token::load_or_create(folder.path()).unwrap();

        assert_eq!(format!("{token:?}"), "Token(…)");
    }

    #[test]
    fn the_two_tokens_of_a_data_folder_are_different_and_stay() {
        let folder = tempfile::tempdir().unwrap();

        let first = AccessTokens::load_or_create(folder.path()).unwrap();
        let second = AccessTokens::load_or_create(folder.path()).unwrap();

        assert!(!first.admin.is(first.metrics.reveal().as_bytes()));
        assert!(first.admin.is(second.admin.reveal().as_bytes()));
        assert!(first.metrics.is(second.metrics.reveal().as_bytes()));
    }

    #[cfg(unix)]
    #[test]
    fn only_the_user_may_read_it_even_if_that_was_not_so() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let data_dir = folder.path().join("new");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;

        let token = Token::load_or_create(&data_dir).unwrap();
        AccessTokens::load_or_create(&data_dir).unwrap();
        let file = data_dir.join(FILE);
        assert_eq!((mode(&data_dir), mode(&file)), (0o700, 0o600));
        assert_eq!(mode(&data_dir.join(METRICS_FILE)), 0o600);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        let again = Token::load_or_create(&data_dir).unwrap();

        assert_eq!(mode(&file), 0o600);
        assert_eq!(token.reveal(), again.reveal());
    }
}

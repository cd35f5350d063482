//! The tokens that `connect` gives to clients, one per installation at a time.
//!
//! A client sends its token with every request. If another program takes Zephyr's port, it gets that token, so
//! the token must be worth nothing anywhere else: it is random, and no endpoint knows it. Every `connect` makes
//! a new one. A client keeps what it began with, so the former tokens stay valid for a while: at most 8, at
//! most for 30 days. [`ClientTokens::revoke`] ends all of them at once.
//!
//! They are in the file `client-tokens` of the data folder, which only the user may read. The first line is
//! the current token, and the others are the former ones, the newest first. A line has a token and a time in
//! milliseconds since 1970: since when it is the current one, or when it was replaced.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use zeroize::Zeroizing;

use crate::private;
use crate::secret::Secret;

/// The file in the data folder.
pub const FILE: &str = "client-tokens";
/// The file that is locked while the other one changes.
pub const LOCK: &str = "client-tokens.lock";

/// The most former tokens that stay valid.
const MOST_FORMER: usize = 8;
/// How long a former token stays valid after it was replaced.
const OVERLAP: Duration = Duration::from_hours(30 * 24);
/// Random bytes of a token.
const BYTES: usize = 32;
/// What every token begins with. It says whose it is to whoever finds one.
pub const PREFIX: &str = "zephyr-client-";

/// The tokens of a data folder.
#[derive(Debug, Default)]
pub struct ClientTokens {
    current: Option<Kept>,
    former: Vec<Kept>,
}

/// A token that was made a moment ago.
#[must_use]
#[derive(Debug)]
pub struct Rotation {
    data_dir: PathBuf,
    token: Secret,
    replaces_one: bool,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum ClientTokenError {
    /// The file could not be read or written.
    #[error("the client tokens in {} cannot be read or written", path.display())]
    File {
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system gave no random bytes.
    #[error("the system gave no random bytes")]
    Random(#[source] getrandom::Error),
}

#[derive(Clone, Debug)]
struct Kept {
    token: Secret,
    /// Milliseconds since 1970: when it became the current one or, for a former one, when it was replaced.
    at_ms: u64,
}

impl ClientTokens {
    /// The tokens of this data folder. Without a file there are none.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn load(data_dir: &Path) -> Result<Self, ClientTokenError> {
        let path = data_dir.join(FILE);
        match fs::read_to_string(&path).map(Zeroizing::new) {
            Ok(text) => Ok(Self::parse(&text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(ClientTokenError::File { path, source }),
        }
    }

    /// The token for new clients.
    pub fn current(&self) -> Option<&Secret> {
        self.current.as_ref().map(|kept| &kept.token)
    }

    /// Whether a client has shown a token that is valid now. The time that this takes tells only how many
    /// tokens there are.
    pub fn matches(&self, presented: &[u8]) -> bool {
        self.matches_at(now_ms(), presented)
    }

    /// The current token of this data folder. If there is none, it is made.
    ///
    /// # Errors
    ///
    /// The file cannot be read or written.
    pub fn current_or_new(data_dir: &Path) -> Result<Secret, ClientTokenError> {
        let _lock = lock(data_dir)?;
        let tokens = Self::load(data_dir)?;
        match tokens.current {
            Some(kept) => Ok(kept.token),
            None => {
                let token = random()?;
                tokens.with_new(now_ms(), token.clone()).store(data_dir)?;
                Ok(token)
            }
        }
    }

    /// Makes a new token. The former one stays valid for a while.
    ///
    /// # Errors
    ///
    /// The file cannot be read or written.
    pub fn rotate(data_dir: &Path) -> Result<Rotation, ClientTokenError> {
        let _lock = lock(data_dir)?;
        let (tokens, token) = (Self::load(data_dir)?, random()?);
        let replaces_one = tokens.current.is_some();
        tokens.with_new(now_ms(), token.clone()).store(data_dir)?;
        Ok(Rotation {
            data_dir: data_dir.to_owned(),
            token,
            replaces_one,
        })
    }

    /// Ends every token, because somebody else may have one. Returns whether there was any.
    ///
    /// # Errors
    ///
    /// The file cannot be removed.
    pub fn revoke(data_dir: &Path) -> Result<bool, ClientTokenError> {
        let path = data_dir.join(FILE);
        if !path.exists() {
            return Ok(false);
        }
        let _lock = lock(data_dir)?;
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(ClientTokenError::File { path, source }),
        }
    }

    fn matches_at(&self, now_ms: u64, presented: &[u8]) -> bool {
        let former = self.former.iter().filter(|kept| kept.is_valid_at(now_ms));
        // Without `any`, which would stop at the first one.
        self.current
            .iter()
            .chain(former)
            .fold(false, |found, kept| found | kept.token.matches(presented))
    }

    fn with_new(self, now_ms: u64, token: Secret) -> Self {
        let replaced = self.current.map(|kept| Kept {
            at_ms: now_ms,
            ..kept
        });
        let former = self.former.into_iter();
        Self {
            current: Some(Kept {
                token,
                at_ms: now_ms,
            }),
            former: replaced
                .into_iter()
                .chain(former.filter(|kept| kept.is_valid_at(now_ms)))
                .take(MOST_FORMER)
                .collect(),
        }
    }

    fn store(&self, data_dir: &Path) -> Result<(), ClientTokenError> {
        let path = data_dir.join(FILE);
        let mut text = Zeroizing::new(String::new());
        for kept in self.current.iter().chain(&self.former) {
            text.push_str(kept.token.expose());
            text.push(' ');
            text.push_str(&kept.at_ms.to_string());
            text.push('\n');
        }
        private::replace(&path, text.as_bytes())
            .map_err(|source| ClientTokenError::File { path, source })
    }

    /// Lines that are something else are left out.
    fn parse(text: &str) -> Self {
        let kept = |line: &str| {
            let (token, at_ms) = line.split_once(' ')?;
            Some(Kept {
                token: token
                    .starts_with(PREFIX)
                    .then(|| Secret::new(token).ok())??,
                at_ms: at_ms.trim().parse().ok()?,
            })
        };
        let mut lines = text.lines();
        Self {
            current: lines.next().and_then(kept),
            former: lines.filter_map(kept).take(MOST_FORMER).collect(),
        }
    }
}

impl Rotation {
    /// The new token.
    pub fn token(&self) -> &Secret {
        &self.token
    }

    /// Makes the former token the current one again, because no client has got the new one.
    ///
    /// # Errors
    ///
    /// The file cannot be read or written.
    pub fn undo(self) -> Result<(), ClientTokenError> {
        let _lock = lock(&self.data_dir)?;
        let tokens = ClientTokens::load(&self.data_dir)?;
        if tokens.current() != Some(&self.token) {
            // Somebody else has made another one since.
            return Ok(());
        }
        let mut former = tokens.former.into_iter();
        match former.next().filter(|_| self.replaces_one) {
            Some(before) => {
                let before = ClientTokens {
                    current: Some(before),
                    former: former.collect(),
                };
                before.store(&self.data_dir)
            }
            None => {
                let path = self.data_dir.join(FILE);
                fs::remove_file(&path).map_err(|source| ClientTokenError::File { path, source })
            }
        }
    }
}

impl Kept {
    fn is_valid_at(&self, now_ms: u64) -> bool {
        u128::from(now_ms.saturating_sub(self.at_ms)) <= OVERLAP.as_millis()
    }
}

/// Keeps other programs from changing the file until it is dropped.
fn lock(data_dir: &Path) -> Result<File, ClientTokenError> {
    let path = data_dir.join(LOCK);
    private::folder(data_dir)
        .and_then(|()| private::open(&path))
        .and_then(|file| file.lock().map(|()| file))
        .map_err(|source| ClientTokenError::File { path, source })
}

fn random() -> Result<Secret, ClientTokenError> {
    let mut bytes = Zeroizing::new([0; BYTES]);
    getrandom::fill(&mut *bytes).map_err(ClientTokenError::Random)?;
    let mut text = Zeroizing::new(String::from(PREFIX));
    for byte in *bytes {
        text.push_str(&format!("{byte:02x}"));
    }
    Ok(Secret::new(&text).expect("letters and digits can be sent"))
}

fn now_ms() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
    since_1970.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: u64 = 24 * 60 * 60 * 1000;

    fn secret(text: &str) -> Secret {
        Secret::new(&format!("{PREFIX}{text}")).unwrap()
    }

    fn rotated(times: u64) -> ClientTokens {
        (0..times).fold(ClientTokens::default(), |tokens, at| {
            tokens.with_new(at, secret(&at.to_string()))
        })
    }

    #[test]
    fn a_token_is_made_once_and_is_random() {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());

        let first = ClientTokens::current_or_new(here.path()).unwrap();
        let again = ClientTokens::current_or_new(here.path()).unwrap();
        let other = ClientTokens::current_or_new(there.path()).unwrap();

        assert_eq!(first, again);
        assert_ne!(first, other);
        assert_eq!(first.expose().len(), PREFIX.len() + 2 * BYTES);
    }

    #[test]
    fn after_a_rotation_both_tokens_are_valid_and_no_other_word() {
        let folder = tempfile::tempdir().unwrap();
        let nothing = ClientTokens::load(folder.path()).unwrap();

        let first = ClientTokens::rotate(folder.path()).unwrap();
        let second = ClientTokens::rotate(folder.path()).unwrap();

        let tokens = ClientTokens::load(folder.path()).unwrap();
        assert_eq!(tokens.current(), Some(second.token()));
        for token in [first.token(), second.token()] {
            assert!(tokens.matches(token.expose().as_bytes()));
            assert!(!nothing.matches(token.expose().as_bytes()));
        }
        for other in ["", "zephyr", PREFIX] {
            assert!(!tokens.matches(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn former_tokens_are_few_and_end_after_some_time() {
        let many = rotated(20);
        let valid = |tokens: &ClientTokens, now: u64| {
            let all = (0..20).map(|at| secret(&at.to_string()));
            all.filter(|token| tokens.matches_at(now, token.expose().as_bytes()))
                .count()
        };

        assert_eq!(valid(&many, 20), 1 + MOST_FORMER);
        assert_eq!(valid(&many, 19 + 30 * DAY_MS), 2);
        assert_eq!(valid(&many, 100 + 30 * DAY_MS), 1);
        let later = many.with_new(100 + 30 * DAY_MS, secret("new"));
        assert_eq!(later.former.len(), 1, "what has ended is forgotten");
    }

    #[test]
    fn an_undone_rotation_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();

        ClientTokens::rotate(folder.path()).unwrap().undo().unwrap();
        let none = ClientTokens::load(folder.path()).unwrap();
        let first = ClientTokens::rotate(folder.path()).unwrap();
        ClientTokens::rotate(folder.path()).unwrap().undo().unwrap();
        let one = ClientTokens::load(folder.path()).unwrap();

        assert!(none.current().is_none());
        assert_eq!(one.current(), Some(first.token()));
        assert!(one.former.is_empty());
    }

    #[test]
    fn what_is_revoked_is_worth_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let first = ClientTokens::rotate(folder.path()).unwrap();
        let second = ClientTokens::rotate(folder.path()).unwrap();

        let (done, again) = (
            ClientTokens::revoke(folder.path()).unwrap(),
            ClientTokens::revoke(folder.path()).unwrap(),
        );
        let next = ClientTokens::current_or_new(folder.path()).unwrap();

        assert_eq!((done, again), (true, false));
        let tokens = ClientTokens::load(folder.path()).unwrap();
        for token in [first.token(), second.token()] {
            assert!(!tokens.matches(token.expose().as_bytes()));
        }
        assert!(tokens.matches(next.expose().as_bytes()));
    }

    #[test]
    fn a_file_with_something_else_has_no_token() {
        let folder = tempfile::tempdir().unwrap();
        for text in ["", "zephyr 1\n", "\n\n", "zephyr-client-ab\n", "a b c d"] {
            fs::write(folder.path().join(FILE), text).unwrap();

            let tokens = ClientTokens::load(folder.path()).unwrap();

            assert!(tokens.current().is_none(), "{text:?}");
            assert!(!tokens.matches(b"zephyr"), "{text:?}");
        }
        let made = ClientTokens::current_or_new(folder.path()).unwrap();
        let tokens = ClientTokens::load(folder.path()).unwrap();
        assert!(tokens.matches(made.expose().as_bytes()));
    }

    #[test]
    fn nothing_shows_a_token() {
        let folder = tempfile::tempdir().unwrap();
        let rotation = ClientTokens::rotate(folder.path()).unwrap();
        let tokens = ClientTokens::load(folder.path()).unwrap();

        assert!(!format!("{rotation:?} {tokens:?}").contains(PREFIX));
    }

    #[cfg(unix)]
    #[test]
    fn only_the_user_may_read_them() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let data_dir = folder.path().join("new");

        let _made = ClientTokens::current_or_new(&data_dir).unwrap();

        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&data_dir), 0o700);
        for name in [FILE, LOCK] {
            assert_eq!(mode(&data_dir.join(name)), 0o600, "{name}");
        }
    }
}

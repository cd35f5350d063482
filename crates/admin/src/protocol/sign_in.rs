//! What signs a browser in.

use http::header::HeaderName;
use serde::{Deserialize, Serialize};

/// What is between the page's address and the code. A browser sends nothing of what is behind a `#`.
pub(crate) const FRAGMENT: &str = "/#code=";

/// The header with which a page says its key.
pub(crate) const KEY: HeaderName = HeaderName::from_static("x-zephyr-page");
/// The parameter with which it does where it cannot add headers.
pub(crate) const KEY_PARAMETER: &str = "page_key";

/// A code that a browser can be signed in with.
#[derive(Serialize, Deserialize)]
pub(crate) struct Code {
    /// What belongs behind the [`FRAGMENT`].
    pub(crate) code: String,
}

/// The half of a session that a page keeps.
#[derive(Serialize)]
pub(crate) struct Key {
    pub(crate) key: String,
}

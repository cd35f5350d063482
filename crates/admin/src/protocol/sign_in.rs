//! The data that sign a browser in.

use http::header::HeaderName;
use serde::{Deserialize, Serialize};

/// The text between the page's address and the code. A browser does not send the text behind a `#`.
pub(crate) const FRAGMENT: &str = "/#code=";

/// The header with the page's key.
pub(crate) const KEY: HeaderName = HeaderName::from_static("x-zephyr-page");
/// The parameter with the page's key, for requests to which a page cannot add headers.
pub(crate) const KEY_PARAMETER: &str = "page_key";

/// A code that a browser can be signed in with.
#[derive(Serialize, Deserialize)]
pub(crate) struct Code {
    /// Goes behind the [`FRAGMENT`].
    pub(crate) code: String,
}

/// The half of a session that a page keeps.
#[derive(Serialize)]
pub(crate) struct Key {
    pub(crate) key: String,
}

//! Text from outside without credentials.
//!
//! Whatever a client, an endpoint or a file says may hold a credential. A snapshot, an event, a reason, a
//! problem, an error and a table of the journal hold it only as [`Redacted`], and only this crate makes one.
//! So what shows a text has nothing to take care of.
//!
//! | module | is |
//! | --- | --- |
//! | [`redacted`] | the text that may be shown |
//! | [`redactor`] | what takes the credentials out |
//! | [`known`] | the secrets that a running program knows, for all of its redactors |
//! | [`own`] | the credentials that a request carries |
//! | [`names`] | which header is a credential, and which is harmless |
//! | `patterns`, `spelling` | a known secret in every spelling |
//! | `pieces` | a known secret that is spread over several strings of a JSON text |
//! | `shapes` | what looks like a credential |
//!
//! It may take out too much, since what it makes is only shown. No text outside of this crate becomes a
//! [`Redacted`] unseen:
//!
//! ```compile_fail
//! let said: String = std::env::args().collect();
//! let shown: zephyr_redact::Redacted = said.into(); // Only words of the program itself are `'static`.
//! ```
//!
//! ```compile_fail
//! let shown = zephyr_redact::Redacted("from outside".into()); // The field is private.
//! ```

#![warn(missing_docs)]

pub mod known;
pub mod names;
pub mod own;
mod patterns;
mod pieces;
pub mod redacted;
pub mod redactor;
mod shapes;
mod spelling;

pub use known::Known;
pub use names::is_credential;
pub use own::Own;
pub use redacted::{GONE, Redacted};
pub use redactor::{Redactor, Redactors, may_have_credentials};

//! What the end of an attempt means for the endpoint and for the request. Only this module decides it.
//!
//! A [`Fault`] is what was seen. An [`Outcome`] is what it means. Its [`Subject`] is what it is about.
//!
//! | module | is |
//! | --- | --- |
//! | `fault` | what went wrong |
//! | `outcome`, `subject`, `verdict` | what it means, what it is about, what shows it |
//! | `judge` | the table |
//! | `told`, `text`, `words` | what a refusal's body says |
//! | `rule` | the user's own rules |

mod fault;
mod judge;
mod outcome;
mod rule;
mod subject;
#[cfg(test)]
mod tests;
mod text;
mod told;
mod verdict;
mod words;

pub use fault::{Contact, Fault, Gateway};
pub use judge::{Attempt, Refusal};
pub use outcome::Outcome;
pub use rule::{Rule, Then};
pub use subject::{ClientKind, Family, Subject};
pub use verdict::{Ground, Verdict};

//! Inputs made of a corpus by random edits, for tests of what must hold for every input.
//!
//! A fuzzer that follows coverage would need a nightly compiler. Instead the corpus has an example of every
//! branch, and a dictionary has the words between them. A seed makes the inputs the same in every run.
//!
//! Only tests depend on this crate. It is not part of `testkit`, so that the tests of `core` need no runtime.

mod corpus;
mod random;

pub use self::corpus::{Corpus, SECRET};
pub use self::random::Random;

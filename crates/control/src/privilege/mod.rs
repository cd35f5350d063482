//! What a front-end that is trusted with less may do without a question: a browser that is signed in.
//!
//! Every command, key and test has a [`Class`]. [`Class::Dangerous`] is what lets somebody else's program run,
//! names a path, opens a door, or sends a credential somewhere new. Such a thing is done by whoever may read
//! the user's files, or after the operating system's user has confirmed it
//! ([ADR 32](../../../docs/adr/0032-what-a-browser-session-may-do.md)).
//!
//! Nothing here asks or refuses; the admin server does.
//!
//! | module | is |
//! | --- | --- |
//! | `class` | the classes |
//! | `known` | the class of every command and test |
//! | `setting` | the class of every key of the configuration file |
//! | `flow` | which credential goes where |
//! | `confirmation` | what is asked, in words |

mod class;
mod confirmation;
mod flow;
mod known;
mod setting;

pub use class::{Class, Danger};
pub use confirmation::{Confirmation, Effect, Goes, Standing, Unshowable};
pub use flow::{Flow, Source};
pub use known::{Known, needs_configuration};
pub use setting::{KEYS, class_of_key};

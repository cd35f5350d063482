//! Simulated endpoints that slow down, fail and recover by timetable, and a configuration over them.
//!
//! For people who want to watch Zephyr work without a key, a cost or a network. What an endpoint does
//! depends on its [`Profile`], the time since its start and the number of the request, and on nothing
//! else: two runs look alike. Not for tests of the engine, which script every byte with `testkit`.
//!
//! | module | is |
//! | --- | --- |
//! | `demo`, `configuration` | the endpoints with a configuration in which everything is quick enough to watch |
//! | `folder` | where a demo keeps its data |
//! | `profile` | the timetables: who behaves how, and when |
//! | `answer`, `message`, `dice` | what a request gets |
//! | `endpoint` | the HTTP server that sends it |

mod answer;
mod configuration;
mod demo;
mod dice;
mod endpoint;
mod folder;
mod message;
mod profile;

pub use self::demo::Demo;
pub use self::endpoint::Sim;
pub use self::folder::Folder;
pub use self::profile::{Behaviour, Profile, SLOWNESS};

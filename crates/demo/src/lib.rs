//! Simulated endpoints that slow down, fail and recover by timetable, and a configuration over them.
//!
//! This is for people who want to watch Zephyr without a key, a cost or a network. An endpoint's behaviour
//! depends only on its [`Profile`], the time since its start and the number of the request. So two runs look
//! alike. Tests of the engine do not use this crate. They script every byte with `testkit`.
//!
//! | module | is |
//! | --- | --- |
//! | `demo`, `configuration` | the endpoints with a configuration in which everything is quick enough to watch |
//! | `folder` | the folder of a demo's data |
//! | `profile` | the timetables of the endpoints |
//! | `answer`, `message`, `dice` | the answer to a request |
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

//! One request, from its head to its record.
//!
//! | module | is |
//! | --- | --- |
//! | `exchange` | failover: the loop over attempts |
//! | `attempt`, `hold`, `held` | one attempt: sent once, its answer held until it has proven real |
//! | `explain` | what Zephyr makes of a recorded answer |
//! | `models` | what Zephyr makes of an answer with models |
//! | `failure` | what the client gets when every attempt has failed |
//! | `race`, `why` | a second attempt beside a late first one; what `x-zephyr-why` says of the answer |
//! | `outgoing`, `upload`, `patience` | what every attempt sends, and how long its answer may take |
//! | `budget` | the memory for what is kept of all requests and answers |
//! | `waiting` | a request that waits for an endpoint to return |
//! | `relay`, `answer` | the answer on its way to the client |
//! | `ending`, `read_off` | when Zephyr ends an answer that its endpoint leaves open; what is behind its end |
//! | `inspect`, `transcode` | reads an answer as it passes; decodes it for a client that cannot |
//! | `lifetime` | the request from its head to the end of its answer |
//! | `trail`, `received`, `capture`, `record` | what is known of it, and what it leaves in the journal |
//! | `traffic`, `counters`, `in_flight` | what all requests share |
//! | `turned_down`, `refusals` | requests that are refused at the door |
//! | `side_calls` | greetings, telemetry and the like, which leave few records |
//! | `request_id` | the id of a request |

pub mod answer;
mod attempt;
mod budget;
mod capture;
mod counters;
mod ending;
pub mod exchange;
pub mod explain;
mod failure;
mod held;
mod hold;
mod in_flight;
pub mod inspect;
mod lifetime;
mod models;
mod outgoing;
mod patience;
mod race;
mod read_off;
mod received;
mod record;
mod refusals;
pub mod relay;
pub mod request_id;
mod side_calls;
pub mod traffic;
mod trail;
pub mod transcode;
pub mod turned_down;
pub mod upload;
mod waiting;
mod why;

//! Connections to endpoints, and what is sent there.
//!
//! | module | is |
//! | --- | --- |
//! | `remote` | one endpoint: its URL, its credential, its connections |
//! | `connections` | its pool, and whether a request that failed was left unprocessed |
//! | `route`, `socket` | the way there, and a connection that remembers how it began |
//! | `system_proxy`, `no_proxy` | the system's proxy, and the hosts that are reached without it |
//! | `trust`, `certificate` | which certificates are trusted, and what they say |
//! | `network` | what all endpoints share |
//! | `steps` | the way there one step at a time, for the diagnosis |
//! | `headers`, `credentials` | which headers pass, and which credential is added |

pub mod certificate;
pub mod connections;
pub mod credentials;
mod errors;
pub mod headers;
pub mod network;
mod no_proxy;
pub mod remote;
mod route;
pub mod socket;
pub mod steps;
mod system_proxy;
pub mod trust;

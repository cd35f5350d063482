//! Clients: the proxy's port, and what is answered there.
//!
//! | module | is |
//! | --- | --- |
//! | `listener`, `connection`, `client_io` | the port, its connections, and how they end |
//! | `places` | which connection goes when there are too many |
//! | `neighbour` | whose program a client is |
//! | `guard` | who may call |
//! | `head` | which heads mean the same to every reader |
//! | `browser` | what a web page could make of an endpoint's answer |
//! | `service` | what happens to a request |
//! | `pages` | the reserved paths |
//! | `reply` | errors of our own, in the Messages API's shape |

pub mod browser;
mod client_io;
mod connection;
pub mod guard;
pub mod head;
pub mod listener;
mod neighbour;
mod pages;
mod places;
pub mod reply;
mod service;

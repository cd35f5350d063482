//! Clients: the proxy's port, and what is answered there.
//!
//! | module | is |
//! | --- | --- |
//! | `listener`, `connection`, `client_io` | the port, its connections, and how they end |
//! | `guard` | who may call |
//! | `service` | what happens to a request |
//! | `pages` | the reserved paths |
//! | `reply` | errors of our own, in the Messages API's shape |

mod client_io;
mod connection;
pub mod guard;
pub mod listener;
mod pages;
pub mod reply;
mod service;

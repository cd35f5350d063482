//! The proxy as a transport: what comes in goes out, whatever frames it and whichever way it takes,
//! and whoever leaves or floods disturbs nobody else.
#![allow(clippy::unwrap_used, reason = "the helpers belong to tests too")]

mod bad_input;
mod bodies;
mod connections;
mod drain;
mod flow;
mod h2;
mod leaving;
mod passing;
mod routes;
mod slow_upload;
mod tls;
mod unprocessed;

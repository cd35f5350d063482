//! What `connect` makes of a settings file on disk, and that `disconnect` restores it.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too")]

mod connection;
mod home;
mod proxies;

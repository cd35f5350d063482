//! Files from the outside.

#![cfg(target_os = "linux")]

#[path = "../as_user/mod.rs"]
mod as_user;
mod ownership;

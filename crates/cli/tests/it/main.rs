//! The built program `zephyr`: what it prints, its exit codes, and how it serves.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too")]

#[cfg(unix)]
mod canaries;
mod claude_code_program;
#[cfg(unix)]
mod confirm;
mod documents;
mod explain;
/// What the tests of the admin API use, too.
#[allow(dead_code, reason = "those tests use the rest")]
#[path = "../../../admin/tests/it/fake.rs"]
mod fake;
mod home;
#[cfg(target_os = "linux")]
mod hostile;
mod no_proxy;
#[cfg(target_os = "linux")]
mod other_user;
mod program;
#[cfg(unix)]
mod security;
#[cfg(unix)]
mod serve;
#[cfg(unix)]
mod serving;
#[cfg(unix)]
mod whole;

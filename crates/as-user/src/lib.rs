//! Runs code as a user without rights, for tests. Only root can do that.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "only tests call it")]

use std::path::Path;

use rustix::process::{Gid, Uid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

/// A user and a group that do not exist here.
pub const USER: u32 = 54_321;

/// Runs the code on a thread of its own, since the kernel checks the rights of a thread.
pub fn as_user(act: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        let acted = scope.spawn(|| {
            let (user, group) = (Uid::from_raw(USER), Gid::from_raw(USER));
            set_thread_groups(&[]).unwrap();
            set_thread_res_gid(group, group, group).unwrap();
            set_thread_res_uid(user, user, user).unwrap();
            act();
        });
        if let Err(panic) = acted.join() {
            std::panic::resume_unwind(panic);
        }
    });
}

/// Gives the file or folder to the user and to this group. `false` if the test does not run as root.
#[must_use]
pub fn give(path: &Path, group: u32) -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if is_root {
        std::os::unix::fs::chown(path, Some(USER), Some(group)).unwrap();
    } else {
        println!("skipped: only root can become another user");
    }
    is_root
}

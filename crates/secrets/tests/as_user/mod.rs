//! Runs something as a user without rights, which only root can.

use std::path::Path;

use rustix::process::{Gid, Uid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

/// A user and a group that nobody here has.
pub(crate) const USER: u32 = 54_321;

/// Runs it on a thread of its own, whose rights the kernel checks.
pub(crate) fn as_user(act: impl FnOnce() + Send) {
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

/// Gives the file or folder to that user, and to this group; `false` if we are not root, who alone may.
#[must_use]
pub(crate) fn give(path: &Path, group: u32) -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if is_root {
        std::os::unix::fs::chown(path, Some(USER), Some(group)).unwrap();
    } else {
        println!("skipped: only root can become another user");
    }
    is_root
}

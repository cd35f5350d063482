//! Whose program a client is: the user's own, or somebody else's.

use std::sync::atomic::{AtomicBool, Ordering};

use zephyr_peer::Peer;

use super::guard::Refused;
use super::reply::Code;

/// How well a client is known by its connection alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The system says that the user's own program is at the other end.
    Own,
    /// Somebody who was let in without that.
    Stranger,
}

/// Whether the client may call.
///
/// # Errors
///
/// It is somebody else's program, and `allow_other_users` is off.
pub fn admit(peer: Peer, allow_other_users: bool) -> Result<Standing, Refused> {
    let who = match peer {
        Peer::Own => return Ok(Standing::Own),
        Peer::Remote | Peer::Unknown => return Ok(Standing::Stranger),
        Peer::Other { .. } | Peer::Nobody if allow_other_users => return Ok(Standing::Stranger),
        Peer::Other { .. } => "you are another user of this machine",
        Peer::Nobody => {
            "the system does not say whose program you are (another container, or a virtual machine)"
        }
    };
    Err(Refused {
        code: Code::OtherUser,
        message: format!(
            "this proxy spends the tokens of the user who runs it, and {who}; \
             server.allow_other_users = true would let you in"
        ),
    })
}

/// Says once in the log what the system does not tell, and who was refused.
#[derive(Default)]
pub struct Told {
    unknown: AtomicBool,
    refused: AtomicBool,
}

impl Told {
    pub fn note(&self, peer: Peer, is_refused: bool) {
        let is_checked = cfg!(any(target_os = "linux", target_os = "macos"));
        if peer == Peer::Unknown && is_checked && !self.unknown.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "the system does not say whose program calls, so other users of this machine cannot be told \
                 apart; a client token would keep them out (server.client_token_env)"
            );
        }
        if is_refused && !self.refused.swap(true, Ordering::Relaxed) {
            let user = match peer {
                Peer::Other { user } => user,
                Peer::Own | Peer::Nobody | Peer::Remote | Peer::Unknown => None,
            };
            tracing::warn!(
                user,
                "a program of another user called and was refused; server.allow_other_users = true would let it in"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_users_own_programs_are_known() {
        let refused = |peer| admit(peer, false).err().map(|refused| refused.code);

        assert_eq!(admit(Peer::Own, false), Ok(Standing::Own));
        for elsewhere in [Peer::Remote, Peer::Unknown] {
            assert_eq!(admit(elsewhere, false), Ok(Standing::Stranger));
        }
        for other in [
            Peer::Other { user: Some(7) },
            Peer::Other { user: None },
            Peer::Nobody,
        ] {
            assert_eq!(refused(other), Some(Code::OtherUser));
            assert_eq!(admit(other, true), Ok(Standing::Stranger));
        }
    }
}

//! What to do when a program of another user has Zephyr's port.
//!
//! If Claude Code's settings lead to that port, the other program gets what Claude Code sends, the client token
//! with it. So every token of this installation ends.

use std::fmt;
use std::path::Path;

use zephyr_secrets::client_token::{ClientTokenError, ClientTokens};

use crate::connection::ClaudeCode;

/// What the other program gets. It is shown as the end of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Squatted {
    /// Whether Claude Code's settings lead to the port.
    pub leads_there: bool,
}

/// Ends the tokens of this installation, because a program of another user has the port. Blocks.
///
/// # Errors
///
/// The tokens are still valid.
pub fn squatted(data_dir: &Path, port: u16) -> Result<Squatted, ClientTokenError> {
    ClientTokens::revoke(data_dir)?;
    let claude_code = ClaudeCode::locate(data_dir);
    Ok(Squatted {
        leads_there: claude_code.is_ok_and(|claude_code| claude_code.leads_to(port)),
    })
}

impl fmt::Display for Squatted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.leads_there {
            return Ok(());
        }
        f.write_str(
            "; Claude Code's settings lead there, so that program gets what Claude Code sends: run `zephyr disconnect \
             claude-code`, and start its sessions again; the token that it has for Zephyr is worth nothing any more, \
             and the next connection makes a new one",
        )
    }
}

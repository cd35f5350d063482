//! `[desktop]`: the tray application.

/// `[desktop]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desktop {
    /// Whether the tray application starts with the session.
    pub launch_at_login: bool,
    /// Whether it starts without its window.
    pub start_hidden: bool,
    /// Whether Claude Code's own settings are restored on quit.
    pub restore_claude_code_on_quit: bool,
}

impl Default for Desktop {
    fn default() -> Self {
        Self {
            launch_at_login: false,
            start_hidden: true,
            restore_claude_code_on_quit: true,
        }
    }
}

//! The classes.

use serde::{Deserialize, Serialize};

/// How much is trusted to whoever may do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// It shows something.
    Look,
    /// It is over with the program, or undone with a click, and stands in no file of the user's.
    Steer,
    /// It changes the configuration.
    Change,
    /// It needs the operating system's user.
    Dangerous(Danger),
}

/// What makes something dangerous.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "danger", rename_all = "snake_case")]
pub enum Danger {
    /// It starts a program, or says which.
    Executes,
    /// It says where files are written.
    NamesPath,
    /// It lets somebody in who was kept out.
    WidensGuard,
    /// A credential goes where it did not go before, or is another one.
    MovesCredentials,
}

//! What a front-end may ask for.

use serde::{Deserialize, Serialize};

use crate::form::{EndpointForm, SecretText, SettingValue};

/// What a front-end may ask of an engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// Pins an endpoint and switches to manual.
    Use {
        /// Its name.
        endpoint: String,
    },
    /// Lets Zephyr choose again.
    Auto,
    /// Stops probes and switches for speed; requests go on, failover too.
    Pause,
    /// Ends a pause.
    Resume,
    /// Probes every endpoint now.
    Refresh,
    /// Lets an endpoint be used again.
    Enable {
        /// Its name.
        endpoint: String,
    },
    /// Takes an endpoint out; its requests in flight may finish within the drain timeout.
    Disable {
        /// Its name.
        endpoint: String,
    },
    /// "Try again now": closes circuits and forgets throttling.
    Reinstate {
        /// Its name; all of them without one.
        endpoint: Option<String>,
    },
    /// Reads the configuration file again.
    Reload,
    /// Writes a new endpoint into the configuration file, after the others.
    AddEndpoint {
        /// The endpoint.
        endpoint: Box<EndpointForm>,
    },
    /// Changes an endpoint in the configuration file.
    EditEndpoint {
        /// Its name so far.
        name: String,
        /// How it is to be.
        endpoint: Box<EndpointForm>,
    },
    /// Moves an endpoint to another place in the configuration file's order.
    MoveEndpoint {
        /// Its name.
        name: String,
        /// How many endpoints are to stand before it.
        to: u32,
    },
    /// Takes an endpoint out of the configuration file.
    RemoveEndpoint {
        /// Its name.
        name: String,
    },
    /// Changes a key of the configuration file outside groups and endpoints.
    Set {
        /// `server.port`, say.
        key: String,
        /// `None` takes the key out, so that its default holds.
        value: Option<SettingValue>,
    },
    /// Puts a token into the OS keychain.
    StoreToken {
        /// The name it is kept under.
        reference: String,
        /// The token.
        token: SecretText,
    },
    /// Makes Claude Code send its requests here.
    ConnectClaudeCode,
    /// Puts Claude Code's settings back as they were.
    DisconnectClaudeCode,
    /// Says whether the program starts at login.
    LaunchAtLogin {
        /// Whether it does.
        enabled: bool,
    },
    /// Raises the window.
    Show,
    /// Ends the program: the first time when requests in flight have finished, the second time at once.
    Quit,
}

/// A command was carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Done {
    /// What changed, in a sentence in English.
    pub message: String,
}

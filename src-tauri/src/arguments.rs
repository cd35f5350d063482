//! The command line. Most people never use it: they click.

use std::path::PathBuf;

use clap::Parser;

/// Zephyr in the tray.
#[derive(Debug, Parser)]
#[command(name = "zephyr-desktop", version)]
pub(crate) struct Arguments {
    /// The configuration file [default: $ZEPHYR_CONFIG, $CONFIG_FILE, ./config.toml if it is trusted (see
    /// `zephyr config trust`), or else the platform's configuration folder]
    #[arg(long, value_name = "PATH")]
    pub(crate) config: Option<PathBuf>,

    /// Run over simulated endpoints: no key, no cost, no network
    #[arg(long, conflicts_with = "config")]
    pub(crate) demo: bool,

    /// Open the window, also of an instance that is already running
    #[arg(long)]
    pub(crate) show: bool,

    /// End the running instance, once its requests have finished
    #[arg(long, conflicts_with_all = ["show", "demo"])]
    pub(crate) quit: bool,

    /// Started by the system at login
    #[arg(long, hide = true)]
    pub(crate) at_login: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }
}

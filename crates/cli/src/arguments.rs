//! The command line: commands and options.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::failure::Failure;
use crate::moment::Moment;

/// Keeps Claude clients working when API endpoints do not.
///
/// Without a command: shows the status of the running instance, or what to do next.
#[derive(Debug, Parser)]
#[command(name = "zephyr", version, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    /// The configuration file [default: $ZEPHYR_CONFIG, $CONFIG_FILE, ./config.toml if it is trusted (see
    /// `zephyr config trust`), or else the platform's configuration folder]
    #[arg(long, global = true, value_name = "PATH")]
    config: Option<PathBuf>,

    /// Run without a window; the same as `serve`
    #[arg(long, global = true)]
    headless: bool,

    #[command(subcommand)]
    action: Option<Action>,
}

impl Arguments {
    /// The named configuration file, and the command, if there is one.
    pub(crate) fn split(self) -> Result<(Option<PathBuf>, Option<Action>), Failure> {
        let action = match (self.headless, self.action) {
            (false, action) => action,
            (true, None | Some(Action::Serve)) => Some(Action::Serve),
            (true, Some(Action::Demo { port })) => Some(Action::Demo { port }),
            (true, Some(_)) => {
                return Err(Failure::usage(
                    "--headless starts the proxy; use it alone, or with `serve` or `demo`",
                ));
            }
        };
        Ok((self.config, action))
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Start the proxy, its health checks and the admin port
    Serve,
    /// Start the proxy over simulated endpoints that slow down, fail and recover
    Demo {
        /// The proxy's port [default: 8080, or a free one if that is busy]
        #[arg(long)]
        port: Option<u16>,
    },
    /// Show which endpoint is in use, and why
    Status {
        /// Everything that can be shown, as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show requests from the journal, or one of them in full
    Logs(#[command(flatten)] Box<Logs>),
    /// Show what came back from each attempt of a request, and what it meant
    Why {
        /// The number of the request in `zephyr logs` [default: the newest]
        id: Option<u64>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Show what Zephyr makes of a recorded answer of an endpoint, and what follows
    Explain(#[command(flatten)] Answer),
    /// Try the rules in [[failover.rules]]
    Rules {
        #[command(subcommand)]
        action: RulesAction,
    },
    /// Show the sums of requests: tokens, cost, what the cache saved
    Usage(#[command(flatten)] Usage),
    /// Open Zephyr's page in the browser, signed in
    Open {
        /// Only print the address. It signs in once, within a minute
        #[arg(long)]
        print: bool,
    },
    /// Allow or refuse what a browser may not do by itself
    Confirm {
        /// The number that the page shows [default: what waits; if that is only one, it]
        number: Option<u32>,
        /// Allow it without a question
        #[arg(long, requires = "number")]
        yes: bool,
    },
    /// Choose an endpoint by hand
    Use {
        /// The endpoint's name
        name: String,
    },
    /// Let Zephyr choose the endpoint again
    Auto,
    /// Stop health checks and switches for speed; requests go on
    Pause,
    /// End a pause
    Resume,
    /// Check every endpoint now
    Refresh,
    /// Let an endpoint be used again
    Enable {
        /// The endpoint's name
        name: String,
    },
    /// Take an endpoint out; its requests in flight may finish
    Disable {
        /// The endpoint's name
        name: String,
    },
    /// Try an endpoint again now, whatever has happened there
    Reinstate {
        /// The endpoint's name [default: all endpoints]
        name: Option<String>,
    },
    /// Check endpoints once, without a running instance. Fails if none is usable
    Probe {
        /// The endpoints' names [default: all endpoints]
        names: Vec<String>,
        /// Measure how punctual checks are, with connections that cost nothing
        #[arg(long, conflicts_with = "names")]
        test_timing: bool,
        /// For how many seconds
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(2..=3600), requires = "test_timing")]
        seconds: u64,
    },
    /// Test an endpoint step by step, from its name to its first token, and say what to do
    Diagnose {
        /// The endpoint's name
        name: String,
    },
    /// Keep tokens in the system's keychain
    Token {
        #[command(subcommand)]
        action: TokenAction,
    },
    /// Point a client at Zephyr, in the client's own settings
    Connect {
        /// Which client
        client: Client,
        /// Only print what would be set
        #[arg(long)]
        print: bool,
    },
    /// Restore a client's settings as they were before `connect`
    Disconnect {
        /// Which client
        client: Client,
    },
    /// Look at the configuration
    Config {
        #[command(subcommand)]
        action: ConfigAction,
    },
    /// Print a completion script
    Completions {
        /// The shell it is for
        shell: Shell,
    },
}

/// The arguments of `zephyr logs`.
#[derive(Debug, Args)]
pub(crate) struct Logs {
    /// The number of the request to show in full
    #[arg(conflicts_with_all = ["follow", "limit", "csv", "filter"])]
    pub(crate) id: Option<u64>,
    /// Show further requests as they end
    #[arg(long, short, conflicts_with = "until")]
    pub(crate) follow: bool,
    #[command(flatten)]
    pub(crate) filter: Filter,
    /// The most requests to show; the newest are shown
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) limit: u32,
    /// As JSON, one object per line
    #[arg(long)]
    pub(crate) json: bool,
    /// As CSV
    #[arg(long, conflicts_with = "json")]
    pub(crate) csv: bool,
}

/// A recorded answer, and the request that it belongs to.
#[derive(Debug, Args)]
pub(crate) struct Answer {
    /// The answer as `curl -i` prints it, or as JSON with status, headers and body; - reads stdin
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The requested model
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,
    /// The endpoint that answered, by its name in the configuration [default: one with a token of ours]
    #[arg(long, value_name = "NAME")]
    pub(crate) endpoint: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RulesAction {
    /// Show which rule decides about a recorded answer
    Test(#[command(flatten)] Answer),
}

/// The filters for requests.
#[derive(Debug, Args)]
#[group(id = "filter", multiple = true)]
pub(crate) struct Filter {
    /// Only requests that got no whole answer
    #[arg(long)]
    pub(crate) failed: bool,
    /// Only requests that were sent to this endpoint
    #[arg(long, value_name = "NAME")]
    pub(crate) endpoint: Option<String>,
    /// Only requests for this model
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,
    /// Only requests of this session
    #[arg(long, value_name = "ID")]
    pub(crate) session: Option<String>,
    /// Only requests for which the client got this HTTP status
    #[arg(long, value_name = "CODE", value_parser = clap::value_parser!(u16).range(100..1000))]
    pub(crate) status: Option<u16>,
    /// Only requests since this time: 2h, 3d, 2026-11-20, 2026-11-20T10:00
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<Moment>,
    /// Only requests before this time
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<Moment>,
    /// Only requests that contain these words
    #[arg(long, value_name = "TEXT")]
    pub(crate) search: Option<String>,
}

/// The arguments of `zephyr usage`.
#[derive(Debug, Args)]
pub(crate) struct Usage {
    /// What each row sums up
    #[arg(long, value_enum, default_value_t = SummedBy::Day)]
    pub(crate) by: SummedBy,
    /// Since this time: 2h, 3d, 2026-11-20, 2026-11-20T10:00 [default: 30d, by hour 24h]
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<Moment>,
    /// Until this time
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<Moment>,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// As CSV
    #[arg(long, conflicts_with = "json")]
    pub(crate) csv: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SummedBy {
    Endpoint,
    Model,
    Day,
    Hour,
    Session,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Client {
    /// Claude Code: two keys in the `env` of its settings.json, and NO_PROXY behind a proxy
    ClaudeCode,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenAction {
    /// Store a secret. It is read from a prompt or from stdin
    Set {
        /// The entry's name, as in auth_token_keychain
        #[arg(value_name = "REF")]
        name: String,
    },
    /// List which secrets are stored and which the configuration refers to; never a secret itself
    List,
    /// Remove a secret
    Remove {
        /// The entry's name
        #[arg(value_name = "REF")]
        name: String,
    },
    /// Give a secret another name
    Rename {
        /// The entry's name
        old: String,
        /// The new one
        new: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigAction {
    /// Check the configuration file: every error at once
    Check,
    /// Print which file is read
    Path,
    /// Let a configuration file in the current folder be used, as it is now
    Trust {
        /// The file, or its folder
        #[arg(default_value = "config.toml")]
        path: PathBuf,
    },
    /// Print the JSON Schema of the configuration file, for editors
    Schema,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn headless_means_serve() {
        let split = |line: &[&str]| Arguments::try_parse_from(line).unwrap().split();

        for line in [
            &["zephyr", "--headless"][..],
            &["zephyr", "serve"],
            &["zephyr", "serve", "--headless"],
        ] {
            assert!(
                matches!(split(line), Ok((None, Some(Action::Serve)))),
                "{line:?}"
            );
        }
        assert!(matches!(split(&["zephyr"]), Ok((None, None))));
        assert!(split(&["zephyr", "--headless", "status"]).is_err());
    }

    #[test]
    fn one_request_is_asked_for_by_its_number_alone() {
        let parses = |line: &[&str]| Arguments::try_parse_from(line).is_ok();

        assert!(parses(&["zephyr", "logs", "17"]));
        assert!(parses(&["zephyr", "logs", "17", "--json"]));
        assert!(parses(&[
            "zephyr", "logs", "--follow", "--failed", "--since", "2h"
        ]));
        for line in [
            &["zephyr", "logs", "17", "--follow"][..],
            &["zephyr", "logs", "17", "--failed"],
            &["zephyr", "logs", "17", "--since", "2h"],
            &["zephyr", "logs", "17", "--csv"],
            &["zephyr", "logs", "seventeen"],
            &["zephyr", "logs", "--since", "yesterday"],
            &["zephyr", "logs", "--follow", "--until", "2h"],
            &["zephyr", "logs", "--csv", "--json"],
        ] {
            assert!(!parses(line), "{line:?}");
        }
    }
}

//! `zephyr`: the proxy without a desktop, and the command line that controls a running instance.
//!
//! Exit codes: 0 success, 1 the operation failed, 2 wrong usage or configuration. Errors go to stderr and say
//! what to do.

mod arguments;
mod configuration;
mod confirm;
mod connect;
mod demonstrate;
mod explain;
mod failure;
mod journal;
mod logs;
mod moment;
mod names;
mod open_page;
mod output;
mod remote;
mod serve;
mod status;
mod terminal;
mod token_command;
mod usage;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory, Parser};
use zephyr_control::Command;
use zephyr_process::runtime;

use crate::arguments::{Action, Arguments, Client, ConfigAction, RulesAction, TokenAction};
use crate::failure::Failure;

fn main() -> ExitCode {
    match start(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::remark(&failure);
            failure.exit_code()
        }
    }
}

fn start(arguments: Arguments) -> Result<(), Failure> {
    let runtime = runtime::start()
        .map_err(|error| Failure::operation(error, "the system has no resources to start"))?;
    let outcome = runtime.block_on(run(arguments));
    runtime.shutdown_background();
    outcome
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    let (config, action) = arguments.split()?;
    let config = config.as_deref();
    let Some(action) = action else {
        return remote::overview(config).await;
    };
    match action {
        Action::Serve => serve::serve(config).await,
        Action::Demo { port } => demonstrate::run(port).await,
        Action::Status { json: true } => remote::status_json().await,
        Action::Status { json: false } => remote::status(config).await,
        Action::Logs(asked) => logs::show(config, *asked).await,
        Action::Why { id, json } => logs::why(config, id, json).await,
        Action::Explain(asked) => explain::answer(config, &asked),
        Action::Rules {
            action: RulesAction::Test(asked),
        } => explain::test_rules(config, &asked),
        Action::Usage(asked) => usage::show(config, &asked).await,
        Action::Open { print: true } => open_page::print().await,
        Action::Open { print: false } => open_page::open(config).await,
        Action::Confirm { number, yes } => confirm::confirm(config, number, yes).await,
        Action::Use { name } => {
            remote::steer_one(&name, |endpoint| Command::Use { endpoint }).await
        }
        Action::Auto => remote::steer(Command::Auto).await,
        Action::Pause => remote::steer(Command::Pause).await,
        Action::Resume => remote::steer(Command::Resume).await,
        Action::Refresh => remote::steer(Command::Refresh).await,
        Action::Enable { name } => {
            remote::steer_one(&name, |endpoint| Command::Enable { endpoint }).await
        }
        Action::Disable { name } => {
            remote::steer_one(&name, |endpoint| Command::Disable { endpoint }).await
        }
        Action::Reinstate { name: None } => {
            remote::steer(Command::Reinstate { endpoint: None }).await
        }
        Action::Reinstate { name: Some(name) } => {
            let reinstate = |endpoint| Command::Reinstate {
                endpoint: Some(endpoint),
            };
            remote::steer_one(&name, reinstate).await
        }
        Action::Probe {
            test_timing: true,
            seconds,
            ..
        } => configuration::test_timing(config, Duration::from_secs(seconds)).await,
        Action::Probe { names, .. } => configuration::probe(config, &names).await,
        Action::Diagnose { name } => configuration::diagnose(config, &name).await,
        Action::Token { action } => keep(config, &action).await,
        Action::Connect {
            client: Client::ClaudeCode,
            print: true,
        } => connect::print(config).await,
        Action::Connect {
            client: Client::ClaudeCode,
            print: false,
        } => connect::connect(config).await,
        Action::Disconnect {
            client: Client::ClaudeCode,
        } => connect::disconnect(config).await,
        Action::Config { action } => inspect(config, &action).await,
        Action::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "zephyr", &mut script);
            output::print(&String::from_utf8_lossy(&script))
        }
    }
}

async fn keep(config: Option<&Path>, action: &TokenAction) -> Result<(), Failure> {
    match action {
        TokenAction::Set { name } => token_command::set(config, name).await,
        TokenAction::List => token_command::list(config).await,
        TokenAction::Remove { name } => token_command::remove(config, name).await,
        TokenAction::Rename { old, new } => token_command::rename(config, old, new).await,
    }
}

async fn inspect(config: Option<&Path>, action: &ConfigAction) -> Result<(), Failure> {
    match action {
        ConfigAction::Trust { path } => configuration::trust(path).await,
        ConfigAction::Check => configuration::check(config),
        ConfigAction::Path => configuration::path(config),
        ConfigAction::Schema => configuration::schema(),
    }
}

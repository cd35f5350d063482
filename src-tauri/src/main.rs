//! `zephyr-desktop`: Zephyr in the tray.
//!
//! This is the composition root: it connects the engine, the tray, the window and the notifications, and
//! decides nothing about endpoints. Everything that shows or controls something holds the [`supervisor`]'s
//! `Control`.
//!
//! The system's user interface needs the main thread. Everything else runs on the runtime beside it.

// Without this, Windows opens a console beside the tray.
#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

mod arguments;
mod autostart;
mod claude_code;
mod follow;
mod icons;
mod menu;
mod nothing;
mod notices;
mod notify;
mod pages;
mod panel;
mod single;
mod supervisor;
mod surroundings;
mod system;
mod tray;
#[cfg(target_os = "linux")]
mod tray_host;
mod trouble;
mod window;

use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Parser;
use tauri::{AppHandle, Manager, RunEvent};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use zephyr_admin::instance::{self, Claim, Instance, Registration, Role};
use zephyr_admin::server::{self, Access, Admin, Confirmations};
use zephyr_admin::token::AccessTokens;
use zephyr_config::{ConfigFile, Located};
use zephyr_control::{Command, Control};
use zephyr_core::Config;
use zephyr_demo::{Demo, Folder};
use zephyr_process::logging::{self, Files, Log};
use zephyr_process::signals::{Signal, Signals};
use zephyr_process::{data_folder, descriptors, language, runtime};

use crate::arguments::Arguments;
use crate::menu::Choice;
use crate::single::Earlier;
use crate::supervisor::{Fleet, Greeting, Places, Supervisor};
use crate::surroundings::Topic;
use crate::tray::Tray;

fn main() -> ExitCode {
    match start(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("zephyr-desktop: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start(arguments: Arguments) -> Result<()> {
    let runtime = runtime::start().context("the system has no resources to start")?;
    let Some(prepared) = runtime.block_on(prepare(arguments))? else {
        return Ok(());
    };
    system::find_display()?;
    show(prepared, runtime)
}

/// Everything that is ready before anything is shown.
struct Prepared {
    supervisor: Supervisor,
    places: Places,
    fleet: Fleet,
    signals: Signals,
    /// Whether the window was asked for.
    show: bool,
    greeting: Greeting,
    /// What browsers may not do by themselves.
    confirmations: Confirmations,
    ties: Ties,
}

/// How other programs find this one. Undone at the end.
struct Ties {
    admin: Admin,
    shutdown: CancellationToken,
    registration: Registration,
    claim: Claim,
    /// The demo's data folder.
    temporary: Option<Folder>,
    /// Writes its last lines when it is dropped.
    log: Log,
}

/// Prepares everything that needs no display. `None`: another instance does what was asked.
async fn prepare(arguments: Arguments) -> Result<Option<Prepared>> {
    let temporary = single::demo_folder(&arguments)?;
    let data_dir = single::data_dir(temporary.as_ref())?;
    let claim = match single::claim(&data_dir, &arguments).await? {
        Earlier::None(claim) => claim,
        Earlier::Told(message) => {
            println!("{message}");
            return Ok(None);
        }
    };
    let (config, fleet, files, notices) = if arguments.demo {
        let demo = Demo::start(None, &data_dir).await?;
        let config = demo.loaded().config;
        let simulated = Fleet::Simulated(Box::new(demo));
        (config, simulated, None, Vec::new())
    } else {
        // The supervisor shows the errors of the file, and waits until they are corrected.
        let located =
            zephyr_config::locate(arguments.config.as_deref(), |name| std::env::var_os(name));
        let located = located.ok();
        let file = located.as_ref().map(|located| &located.file);
        let loaded = file.and_then(|file| file.load().ok());
        let config = loaded.map_or_else(Config::default, |loaded| loaded.config);
        let files = Files::of(&config.logging, file.map(ConfigFile::path), &data_dir);
        let notices = located.iter().flat_map(Located::notices).collect();
        (config, Fleet::Configured, Some(files), notices)
    };
    let log = logging::start(config.logging.level, files);
    for notice in notices {
        tracing::info!("{notice}");
    }
    data_folder::secure(&data_dir).context("the data folder cannot be used")?;
    descriptors::raise();
    let signals = Signals::listen()?;
    let (greeting, hidden) = match (arguments.at_login, config.endpoints.is_empty()) {
        (true, _) => (Greeting::Silence, true),
        // The first start.
        (false, true) => (Greeting::Window, false),
        (false, false) => (Greeting::Window, config.desktop.start_hidden),
    };
    let web_admin = config.web_admin.clone();
    let allow_other_users = config.server.allow_other_users;
    let supervisor = Supervisor::new(&data_dir, config, &fleet);
    let shutdown = CancellationToken::new();
    let access = Access {
        tokens: AccessTokens::load_or_create(&data_dir)?,
        allow_other_users,
    };
    access.tokens.keep_out_of(&log.known());
    let control: Arc<dyn Control> = Arc::new(supervisor.clone());
    let confirmations = Confirmations::default();
    let serving = server::serve(
        control,
        &web_admin,
        access,
        confirmations.clone(),
        shutdown.clone(),
    );
    let admin = serving.await.context("the admin port cannot be opened")?;
    // The proxy may be in another program, and may move. The admin API knows where it is.
    let instance = Instance::this(admin.address(), admin.address());
    let registration = instance::register(&data_dir, Role::Desktop, instance)?;
    let places = Places {
        config: arguments.config,
        data_dir,
        admin: admin.address(),
        known: log.known(),
    };
    Ok(Some(Prepared {
        supervisor,
        places,
        fleet,
        signals,
        show: arguments.show || !hidden,
        greeting,
        confirmations,
        ties: Ties {
            admin,
            shutdown,
            registration,
            claim,
            temporary,
            log,
        },
    }))
}

/// Runs the user interface until the program ends.
fn show(prepared: Prepared, runtime: Runtime) -> Result<()> {
    tauri::async_runtime::set(runtime.handle().clone());
    let supervisor = prepared.supervisor.clone();
    let app = tauri::Builder::default()
        .manage(prepared.supervisor.clone())
        .manage(prepared.confirmations.clone())
        .invoke_handler(tauri::generate_handler![window::control])
        .on_menu_event(|app, event| chosen(app, event.id().as_ref()))
        .setup(move |app| {
            system::live_in_the_tray(app);
            begin(app.handle(), prepared);
            Ok(())
        })
        .build(tauri::generate_context!())
        .context("the desktop cannot be used")?;
    app.run(move |_, event| match event {
        // Closing the last window keeps the tray. `quit` exits with a code.
        RunEvent::ExitRequested {
            code: None, api, ..
        } => api.prevent_exit(),
        #[cfg(target_os = "macos")]
        RunEvent::Reopen { .. } => supervisor.raise(),
        _ => {
            let _ = &supervisor;
        }
    });
    drop(runtime);
    Ok(())
}

/// Starts everything that runs beside the user interface.
fn begin(app: &AppHandle, prepared: Prepared) {
    let Prepared {
        supervisor,
        places,
        fleet,
        signals,
        show,
        greeting,
        confirmations,
        ties,
    } = prepared;
    let snapshot = Arc::clone(&supervisor.watch().borrow());
    let tray = system::tray_library()
        .and_then(|()| Ok(Tray::new(app, &snapshot, language::of(&snapshot))?));
    match tray {
        Ok(tray) => {
            app.manage(tray.clone());
            tauri::async_runtime::spawn(paint(
                app.clone(),
                supervisor.clone(),
                confirmations.clone(),
                Some(tray),
            ));
            #[cfg(target_os = "linux")]
            tauri::async_runtime::spawn(find_tray_host(supervisor.clone(), greeting));
        }
        Err(error) => {
            supervisor.set_problem(Topic::Tray, Some(system::no_tray(&error)));
            supervisor.raise();
            tauri::async_runtime::spawn(paint(
                app.clone(),
                supervisor.clone(),
                confirmations.clone(),
                None,
            ));
        }
    }
    tauri::async_runtime::spawn(notify::run(supervisor.clone(), confirmations));
    let watching = supervisor.clone();
    tauri::async_runtime::spawn(async move { watching.watch_claude_code().await });
    tauri::async_runtime::spawn(open_windows(app.clone(), supervisor.clone()));
    tauri::async_runtime::spawn(obey(signals, supervisor.clone()));
    if show {
        supervisor.raise();
    }
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let running = tokio::spawn(async move { supervisor.run(places, fleet, greeting).await });
        // If the supervisor has failed, the program ends. An icon without any function would be worse.
        let code = i32::from(running.await.is_err());
        ties.undo().await;
        app.exit(code);
    });
}

impl Ties {
    async fn undo(self) {
        drop(self.registration);
        self.shutdown.cancel();
        self.admin.stopped().await;
        drop(self.claim);
        drop(self.temporary);
        drop(self.log);
    }
}

/// Executes a click in the menu.
fn chosen(app: &AppHandle, key: &str) {
    let command = match app.state::<Tray>().chosen(key) {
        Some(Choice::Command(command)) => command,
        Some(Choice::Settle { number, allow }) => {
            // One that is too old by now is gone from the menu in a moment.
            app.state::<Confirmations>().settle(number, allow);
            return;
        }
        None => return,
    };
    let supervisor = app.state::<Supervisor>().inner().clone();
    tauri::async_runtime::spawn(async move {
        if let Err(error) = Control::execute(&supervisor, command).await {
            supervisor.complain(&error);
        }
    });
}

/// Shows every state in the tray and in the window, and every question in the tray.
async fn paint(
    app: AppHandle,
    supervisor: Supervisor,
    confirmations: Confirmations,
    tray: Option<Tray>,
) {
    let mut snapshots = supervisor.watch();
    let mut asked = confirmations.changes();
    snapshots.mark_changed();
    loop {
        let waiting = confirmations.waiting();
        let oldest = waiting.iter().map(|one| one.left_ms).min();
        tokio::select! {
            changed = snapshots.changed() => if changed.is_err() { return },
            changed = asked.changed() => if changed.is_err() { return },
            () = until_gone(oldest) => {}
        }
        let snapshot = Arc::clone(&snapshots.borrow_and_update());
        if let Some(tray) = &tray {
            tray.show(&snapshot, confirmations.waiting(), language::of(&snapshot));
        }
        window::update(&app, &snapshot);
    }
}

/// Waits until a question is too old to be answered.
async fn until_gone(left_ms: Option<u64>) {
    match left_ms {
        Some(left) => tokio::time::sleep(Duration::from_millis(left + 1)).await,
        None => std::future::pending().await,
    }
}

#[cfg(target_os = "linux")]
async fn find_tray_host(supervisor: Supervisor, greeting: Greeting) {
    let patience = match greeting {
        Greeting::Window => tray_host::SOON,
        // The whole session starts at the same time, and no person waits for us.
        Greeting::Silence => tray_host::AT_LOGIN,
    };
    tray_host::run(&supervisor, patience, || supervisor.raise()).await;
}

async fn open_windows(app: AppHandle, supervisor: Supervisor) {
    loop {
        supervisor.show_asked().await;
        window::show(&app);
    }
}

/// Follows the system's signals.
async fn obey(mut signals: Signals, supervisor: Supervisor) -> io::Result<()> {
    loop {
        match signals.next().await {
            Signal::Stop => supervisor.quit(),
            Signal::Reload => {
                if let Err(error) = Control::execute(&supervisor, Command::Reload).await {
                    tracing::warn!(%error, "the configuration was not reloaded");
                }
            }
        }
    }
}

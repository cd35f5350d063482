//! The window: made when it is first needed, freed when it is closed.
//!
//! A closed window costs nothing, because its web process ends with it. The interface uses one command to
//! reach this program and one event to hear from it. Both carry the types of the contract. Another event says
//! where the window saved a file, because a web view does not report its downloads.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tauri::webview::{DownloadEvent, NewWindowResponse};
use tauri::{
    AppHandle, Emitter, LogicalPosition, Manager, State, Webview, WebviewUrl, WebviewWindow,
    WebviewWindowBuilder,
};
use zephyr_control::{
    Command, Complaint, Configuration, Control, ControlError, Diagnosis, Done, EndpointHistory,
    HistoryQuery, Paging, RequestDetail, RequestFilter, RequestPage, Snapshot, Tested, UsageQuery,
    UsageReport,
};

use crate::pages;
use crate::supervisor::Supervisor;

const LABEL: &str = "main";

/// In logical pixels.
const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 700.0;

/// What the interface may ask for.
#[derive(Debug, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub(crate) enum Asked {
    /// The state at this moment.
    Snapshot,
    /// Execute a command.
    Execute { command: Command },
    /// A part of the journal.
    Requests {
        /// The filter.
        filter: RequestFilter,
        /// The page.
        paging: Paging,
    },
    /// One request of the journal.
    Request {
        /// Its number.
        id: u64,
    },
    /// Sums over the journal.
    Usage {
        /// The query.
        query: UsageQuery,
    },
    /// How endpoints were over time.
    History {
        /// The query.
        query: HistoryQuery,
    },
    /// The content of the configuration file.
    Configuration,
    /// The errors that a change of the file would cause.
    Check {
        /// The change.
        command: Command,
    },
    /// A test step by step.
    Diagnose {
        /// The endpoint to test.
        tested: Tested,
    },
}

/// What it gets.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Answer {
    Snapshot(Box<Snapshot>),
    Done(Done),
    Requests(RequestPage),
    Request(Box<RequestDetail>),
    Usage(UsageReport),
    History(Vec<EndpointHistory>),
    Configuration(Configuration),
    Check(Vec<Complaint>),
    Diagnosis(Diagnosis),
}

/// The one command of the interface.
#[tauri::command]
pub(crate) async fn control(
    supervisor: State<'_, Supervisor>,
    request: Asked,
) -> Result<Answer, ControlError> {
    let control: &dyn Control = &*supervisor;
    let answer = match request {
        Asked::Snapshot => {
            let snapshot = control.snapshot().await?;
            Answer::Snapshot(Box::new(Snapshot::clone(&snapshot)))
        }
        Asked::Execute { command } => Answer::Done(control.execute(command).await?),
        Asked::Requests { filter, paging } => {
            Answer::Requests(control.requests(filter, paging).await?)
        }
        Asked::Request { id } => Answer::Request(Box::new(control.request(id).await?)),
        Asked::Usage { query } => Answer::Usage(control.usage(query).await?),
        Asked::History { query } => Answer::History(control.history(query).await?),
        Asked::Configuration => Answer::Configuration(control.configuration().await?),
        Asked::Check { command } => Answer::Check(control.check(command).await?),
        Asked::Diagnose { tested } => Answer::Diagnosis(control.diagnose(tested).await?),
    };
    Ok(answer)
}

/// Shows the window, and brings it to the front.
pub(crate) fn show(app: &AppHandle) {
    on_main_thread(app, |app| {
        let window = open(app)?;
        if !is_reachable(&window)? {
            centre(&window)?;
        }
        Ok(())
    });
}

/// Shows the window next to the tray's icon.
#[cfg(not(target_os = "linux"))]
pub(crate) fn show_near(app: &AppHandle, icon: tauri::Rect) {
    on_main_thread(app, move |app| {
        let window = open(app)?;
        let scale = window.scale_factor()?;
        let (at, size) = (
            icon.position.to_physical::<i32>(scale),
            icon.size.to_physical::<i32>(scale),
        );
        let ours = window.outer_size()?.cast::<i32>();
        let x = at.x + size.width / 2 - ours.width / 2;
        // The window is below an icon at the top of the screen, and above an icon at the bottom.
        let below = at.y + size.height;
        let y = if at.y < ours.height {
            below
        } else {
            at.y - ours.height
        };
        window.set_position(tauri::PhysicalPosition::new(x.max(0), y))
    });
}

/// Sends another state to an open window.
pub(crate) fn update(app: &AppHandle, snapshot: &Snapshot) {
    if app.get_webview_window(LABEL).is_some()
        && let Err(error) = app.emit_to(LABEL, "snapshot", snapshot)
    {
        tracing::debug!(%error, "the window is gone");
    }
}

fn open(app: &AppHandle) -> tauri::Result<WebviewWindow> {
    let window = match app.get_webview_window(LABEL) {
        Some(window) => window,
        None => {
            let window = WebviewWindowBuilder::new(app, LABEL, WebviewUrl::default())
                .title("Zephyr")
                .inner_size(WIDTH, HEIGHT)
                .min_inner_size(360.0, 420.0)
                .on_navigation(|url| {
                    let ours = pages::is_ours(url);
                    if !ours {
                        tracing::warn!(scheme = url.scheme(), "the window went to no foreign page");
                    }
                    ours
                })
                .on_new_window(|_, _| NewWindowResponse::Deny)
                .on_download(saves(app))
                .build()?;
            centre(&window)?;
            window
        }
    };
    window.show()?;
    window.unminimize()?;
    window.set_focus()?;
    Ok(window)
}

/// Saves what the window's own pages made in the user's download folder, and tells the window where. `None`: the
/// download failed.
fn saves(app: &AppHandle) -> impl Fn(Webview, DownloadEvent<'_>) -> bool + Send + Sync + 'static {
    let app = app.clone();
    // Some systems do not say at the end where the file is.
    let places: Mutex<HashMap<String, PathBuf>> = Mutex::default();
    move |_, event| {
        let mut places = places.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            DownloadEvent::Requested { url, .. } if !pages::is_ours(&url) => return false,
            DownloadEvent::Requested { url, destination } => {
                if app.path().download_dir().is_err()
                    && let Ok(home) = app.path().home_dir()
                    && let Some(name) = destination.file_name()
                {
                    *destination = unused(&home, Path::new(name));
                }
                places.insert(url.to_string(), destination.clone());
            }
            DownloadEvent::Finished { url, success, .. } => {
                let place = places.remove(url.as_str()).filter(|_| success);
                if let Err(error) = app.emit_to(LABEL, "saved", place) {
                    tracing::debug!(%error, "the window is gone");
                }
            }
            _ => {}
        }
        true
    }
}

/// A path with this name that does not exist yet, with a number if that is necessary.
fn unused(folder: &Path, name: &Path) -> PathBuf {
    let stem = name.file_stem().unwrap_or_default().to_string_lossy();
    let extension = name
        .extension()
        .map(|extension| extension.to_string_lossy());
    let numbered = (1..).map(|number| match &extension {
        Some(extension) => format!("{stem} ({number}).{extension}"),
        None => format!("{stem} ({number})"),
    });
    std::iter::once(name.to_string_lossy().into_owned())
        .chain(numbered)
        .map(|name| folder.join(name))
        .find(|place| !place.exists())
        .expect("numbers do not end")
}

/// Puts the window into the middle of the screen. Tauri's own function uses the window's current size, and
/// that is not the final one before the system has shown the window.
fn centre(window: &WebviewWindow) -> tauri::Result<()> {
    let Some(monitor) = window.primary_monitor()? else {
        return Ok(());
    };
    let scale = monitor.scale_factor();
    let (corner, extent) = (
        monitor.position().to_logical::<f64>(scale),
        monitor.size().to_logical::<f64>(scale),
    );
    let x = corner.x + (extent.width - WIDTH).max(0.0) / 2.0;
    let y = corner.y + (extent.height - HEIGHT).max(0.0) / 2.0;
    window.set_position(LogicalPosition::new(x, y))
}

/// Whether any part of the window is on a screen. Its screen may have been unplugged.
fn is_reachable(window: &WebviewWindow) -> tauri::Result<bool> {
    let (at, size) = (window.outer_position()?, window.outer_size()?.cast::<i32>());
    let monitors = window.available_monitors()?;
    Ok(monitors.iter().any(|monitor| {
        let (corner, extent) = (monitor.position(), monitor.size().cast::<i32>());
        at.x < corner.x + extent.width
            && at.x + size.width > corner.x
            && at.y < corner.y + extent.height
            && at.y + size.height > corner.y
    }))
}

fn on_main_thread(
    app: &AppHandle,
    work: impl FnOnce(&AppHandle) -> tauri::Result<()> + Send + 'static,
) {
    let handle = app.clone();
    let outcome = app.run_on_main_thread(move || {
        if let Err(error) = work(&handle) {
            tracing::error!(%error, "the window could not be opened");
        }
    });
    if let Err(error) = outcome {
        tracing::debug!(%error, "the program ends, no window is opened any more");
    }
}

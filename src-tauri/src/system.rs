//! What differs between systems before anything is shown.

use zephyr_control::{Problem, ProblemKind};

pub(crate) use platform::{find_display, live_in_the_tray, tray_library};

/// The problem to show if there is no icon.
pub(crate) fn no_tray(error: &anyhow::Error) -> Problem {
    tracing::warn!("the tray cannot be used: {error:#}");
    Problem::new(
        ProblemKind::Desktop,
        format!("the tray cannot be used: {error:#}"),
        "Zephyr runs, and this window steers it; `zephyr-desktop --show` opens it again",
    )
}

#[cfg(target_os = "linux")]
mod platform {
    use std::path::PathBuf;

    use anyhow::{Result, bail};
    use tauri::App;

    /// The names of the library that the tray needs at run time, best first.
    const LIBRARIES: &[&str] = &["libayatana-appindicator3.so.1", "libappindicator3.so.1"];

    /// Checks that there is a display. Without one, GTK ends the process before an error can be shown.
    pub(crate) fn find_display() -> Result<()> {
        if gtk::init().is_err() {
            bail!(
                "there is no display to show a tray on; `zephyr serve` runs without one, and \
                 `zephyr status` shows what it does"
            );
        }
        Ok(())
    }

    pub(crate) fn live_in_the_tray(_app: &mut App) {}

    /// Checks that the library of the tray is there. It is opened when the icon is made, and if it is missing
    /// then, the process ends.
    pub(crate) fn tray_library() -> Result<()> {
        let there = folders().any(|folder| {
            let mut names = LIBRARIES.iter();
            names.any(|name| folder.join(name).exists())
        });
        if !there {
            bail!(
                "libayatana-appindicator3 is missing (Debian, Ubuntu: apt install \
                 libayatana-appindicator3-1)"
            );
        }
        Ok(())
    }

    /// The folders that the loader searches on the known distributions.
    fn folders() -> impl Iterator<Item = PathBuf> {
        let named = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
        let named: Vec<PathBuf> = std::env::split_paths(&named).collect();
        let triplet = format!("{}-linux-gnu", std::env::consts::ARCH);
        let usual = [
            "/usr/lib",
            "/usr/lib64",
            "/usr/local/lib",
            "/lib",
            "/lib64",
            "/app/lib",
        ];
        let usual = usual.into_iter().flat_map(move |folder| {
            let folder = PathBuf::from(folder);
            [folder.join(&triplet), folder]
        });
        named.into_iter().chain(usual)
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use anyhow::Result;
    use tauri::App;

    pub(crate) fn find_display() -> Result<()> {
        Ok(())
    }

    /// Keeps the program out of the Dock.
    #[cfg(target_os = "macos")]
    pub(crate) fn live_in_the_tray(app: &mut App) {
        app.set_activation_policy(tauri::ActivationPolicy::Accessory);
    }

    #[cfg(not(target_os = "macos"))]
    pub(crate) fn live_in_the_tray(_app: &mut App) {}

    pub(crate) fn tray_library() -> Result<()> {
        Ok(())
    }
}

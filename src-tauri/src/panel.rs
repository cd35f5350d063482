//! The background of the icon.

use zephyr_control::{Snapshot, ThemeChoice};

/// The background of the icon. It decides how the icon is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Panel {
    /// A light background: the icon is dark.
    Light,
    /// A dark background: the icon is light.
    Dark,
    /// The system colours the icon itself.
    Template,
}

impl Panel {
    /// From `ui.theme`, or else from the system's theme. Must be called on the main thread.
    pub(crate) fn detect(snapshot: &Snapshot) -> Self {
        if cfg!(target_os = "macos") {
            return Self::Template;
        }
        match snapshot.appearance.theme {
            ThemeChoice::Light => Self::Light,
            ThemeChoice::Dark => Self::Dark,
            ThemeChoice::Auto => platform::detect(),
        }
    }
}

#[cfg(target_os = "linux")]
mod platform {
    use gtk::prelude::GtkSettingsExt;

    use crate::panel::Panel;

    /// Desktops whose panel is dark in every theme.
    const DARK_PANELS: &[&str] = &["GNOME", "Unity", "Pantheon", "Budgie"];

    pub(super) fn detect() -> Panel {
        let desktop = std::env::var("XDG_CURRENT_DESKTOP").unwrap_or_default();
        if desktop.split(':').any(|name| DARK_PANELS.contains(&name)) {
            return Panel::Dark;
        }
        let dark = gtk::Settings::default().is_some_and(|settings| {
            let theme = settings.gtk_theme_name().unwrap_or_default();
            settings.is_gtk_application_prefer_dark_theme() || theme.to_lowercase().contains("dark")
        });
        if dark { Panel::Dark } else { Panel::Light }
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use crate::panel::Panel;

    /// The taskbar is dark unless its owner changed it, and the icons are visible on both.
    pub(super) fn detect() -> Panel {
        Panel::Dark
    }
}

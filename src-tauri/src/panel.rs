//! The background of the icon.

use zephyr_control::{Snapshot, ThemeChoice};

/// The background of the icon, which decides how it is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Panel {
    /// Something light: a dark icon.
    Light,
    /// Something dark: a light icon.
    Dark,
    /// The system colours the icon itself.
    Template,
}

impl Panel {
    /// As configured with `ui.theme`, else as the system looks. On the main thread.
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

    /// Desktops whose panel is dark whatever the theme of the windows.
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

    /// The taskbar is dark unless its owner changed it, and the icons can be told from it either way.
    pub(super) fn detect() -> Panel {
        Panel::Dark
    }
}

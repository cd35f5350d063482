//! The tray's icons, drawn in `icons/source` and built into the program.

use crate::menu::Icon;
use crate::panel::Panel;

macro_rules! icon {
    ($name:literal, $panel:expr) => {
        match $panel {
            Panel::Light => include_bytes!(concat!("../../icons/tray/", $name, "-light.png")),
            Panel::Dark => include_bytes!(concat!("../../icons/tray/", $name, "-dark.png")),
            Panel::Template => {
                include_bytes!(concat!("../../icons/tray/", $name, "-template.png"))
            }
        }
    };
}

/// The PNG for this state on this panel.
pub(crate) fn png(icon: Icon, panel: Panel) -> &'static [u8] {
    match icon {
        Icon::Healthy => icon!("healthy", panel),
        Icon::Degraded => icon!("degraded", panel),
        Icon::AllDown => icon!("all-down", panel),
        Icon::Paused => icon!("paused", panel),
        Icon::Offline => icon!("offline", panel),
    }
}

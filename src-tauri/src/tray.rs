//! Draws the tray. The first menu value becomes a menu. After that only the differences are drawn.
//!
//! Everything here runs on the main thread, as the system requires. Nothing waits for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tauri::image::Image;
use tauri::menu::{
    CheckMenuItem, IsMenuItem, Menu as DrawnMenu, MenuItem, PredefinedMenuItem, Submenu,
};
use tauri::tray::{TrayIcon, TrayIconBuilder};
use tauri::{AppHandle, Wry};
use zephyr_control::privilege::Confirmation;
use zephyr_control::{Language, Snapshot};

use crate::icons;
use crate::menu::{Choice, Entry, Icon, Item, Mark, Menu, icon, menu, tooltip};
use crate::panel::Panel;

/// The icon with its menu.
#[derive(Clone)]
pub(crate) struct Tray {
    app: AppHandle,
    drawing: Arc<Mutex<Drawing>>,
}

struct Drawing {
    tray: TrayIcon,
    /// The menu on the screen.
    menu: Menu,
    lines: HashMap<String, Line>,
    icon: Option<(Icon, Panel)>,
    tooltip: String,
}

/// A line on the screen.
enum Line {
    Plain(MenuItem<Wry>),
    Check(CheckMenuItem<Wry>),
    Group(Submenu<Wry>),
}

impl Tray {
    /// Puts the icon into the tray. Must be called on the main thread.
    ///
    /// # Errors
    ///
    /// The system has no tray, or refuses.
    pub(crate) fn new(
        app: &AppHandle,
        snapshot: &Snapshot,
        language: Language,
    ) -> tauri::Result<Self> {
        let menu = menu(snapshot, &[], language);
        let (drawn, lines) = draw(app, &menu)?;
        let tray = platform::configure(TrayIconBuilder::with_id("zephyr"))
            .menu(&drawn)
            .build(app)?;
        let mut drawing = Drawing {
            tray,
            menu,
            lines,
            icon: None,
            tooltip: String::new(),
        };
        drawing.show_icon(icon(snapshot), Panel::detect(snapshot))?;
        Ok(Self {
            app: app.clone(),
            drawing: Arc::new(Mutex::new(drawing)),
        })
    }

    /// Shows another state. Returns at once.
    pub(crate) fn show(
        &self,
        snapshot: &Arc<Snapshot>,
        confirmations: Vec<Confirmation>,
        language: Language,
    ) {
        let (snapshot, tray) = (Arc::clone(snapshot), self.clone());
        let drawing = self.app.run_on_main_thread(move || {
            let mut drawn = tray.lock();
            let outcome = drawn.show(&tray.app, &snapshot, &confirmations, language);
            if let Err(error) = outcome {
                tracing::warn!(%error, "the tray could not be drawn");
            }
        });
        if let Err(error) = drawing {
            tracing::debug!(%error, "the program ends, nothing is drawn any more");
        }
    }

    /// What the line with this key does. By now the system has toggled the check mark of the line, but only
    /// the state may do that. So the mark is set back until the state changes. Must be called on the main
    /// thread.
    pub(crate) fn chosen(&self, key: &str) -> Option<Choice> {
        let drawing = self.lock();
        if let Err(error) = drawing.restore_marks() {
            tracing::warn!(%error, "the tray could not be drawn");
        }
        drawing.menu.choice(key).cloned()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Drawing> {
        self.drawing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drawing {
    fn show(
        &mut self,
        app: &AppHandle,
        snapshot: &Snapshot,
        confirmations: &[Confirmation],
        language: Language,
    ) -> tauri::Result<()> {
        let menu = menu(snapshot, confirmations, language);
        if menu != self.menu {
            if same_lines(&self.menu.0, &menu.0) {
                self.update(&self.menu.0, &menu.0)?;
            } else {
                let (drawn, lines) = draw(app, &menu)?;
                self.tray.set_menu(Some(drawn))?;
                self.lines = lines;
            }
            self.menu = menu;
        }
        let tooltip = tooltip(snapshot, language);
        if tooltip != self.tooltip {
            platform::set_tooltip(&self.tray, &tooltip)?;
            self.tooltip = tooltip;
        }
        self.show_icon(icon(snapshot), Panel::detect(snapshot))
    }

    fn show_icon(&mut self, icon: Icon, panel: Panel) -> tauri::Result<()> {
        if self.icon == Some((icon, panel)) {
            return Ok(());
        }
        let image = Image::from_bytes(icons::png(icon, panel))?;
        platform::set_icon(&self.tray, image)?;
        self.icon = Some((icon, panel));
        Ok(())
    }

    /// Redraws the differences between two menus with the same lines.
    fn update(&self, old: &[Entry], new: &[Entry]) -> tauri::Result<()> {
        for (old, new) in old.iter().zip(new) {
            match (old, new) {
                (Entry::Item(old), Entry::Item(new)) if old != new => self.update_item(old, new)?,
                (Entry::Group(old), Entry::Group(new)) => {
                    if old.text != new.text
                        && let Some(Line::Group(line)) = self.lines.get(&new.key)
                    {
                        line.set_text(escaped(&new.text))?;
                    }
                    self.update(&old.entries, &new.entries)?;
                }
                (Entry::Item(_) | Entry::Group(_) | Entry::Separator, _) => {}
            }
        }
        Ok(())
    }

    fn update_item(&self, old: &Item, new: &Item) -> tauri::Result<()> {
        let Some(line) = self.lines.get(&new.key) else {
            return Ok(());
        };
        if old.text != new.text {
            match line {
                Line::Plain(item) => item.set_text(escaped(&new.text))?,
                Line::Check(item) => item.set_text(escaped(&new.text))?,
                Line::Group(_) => {}
            }
        }
        if old.choice.is_some() != new.choice.is_some() {
            let enabled = new.choice.is_some();
            match line {
                Line::Plain(item) => item.set_enabled(enabled)?,
                Line::Check(item) => item.set_enabled(enabled)?,
                Line::Group(_) => {}
            }
        }
        if let Line::Check(item) = line
            && old.mark != new.mark
        {
            item.set_checked(new.mark == Mark::On)?;
        }
        Ok(())
    }

    fn restore_marks(&self) -> tauri::Result<()> {
        self.restore_marks_of(&self.menu.0)
    }

    fn restore_marks_of(&self, entries: &[Entry]) -> tauri::Result<()> {
        for entry in entries {
            match entry {
                Entry::Item(item) => {
                    if let Some(Line::Check(line)) = self.lines.get(&item.key) {
                        let checked = item.mark == Mark::On;
                        if line.is_checked()? != checked {
                            line.set_checked(checked)?;
                        }
                    }
                }
                Entry::Group(group) => self.restore_marks_of(&group.entries)?,
                Entry::Separator => {}
            }
        }
        Ok(())
    }
}

/// Whether two menus have the same lines, so that one can become the other in place.
fn same_lines(old: &[Entry], new: &[Entry]) -> bool {
    old.len() == new.len()
        && old.iter().zip(new).all(|(old, new)| match (old, new) {
            (Entry::Separator, Entry::Separator) => true,
            (Entry::Item(old), Entry::Item(new)) => {
                old.key == new.key && (old.mark == Mark::Plain) == (new.mark == Mark::Plain)
            }
            (Entry::Group(old), Entry::Group(new)) => {
                old.key == new.key && same_lines(&old.entries, &new.entries)
            }
            (Entry::Separator | Entry::Item(_) | Entry::Group(_), _) => false,
        })
}

type Lines = HashMap<String, Line>;

fn draw(app: &AppHandle, menu: &Menu) -> tauri::Result<(DrawnMenu<Wry>, Lines)> {
    let mut lines = HashMap::new();
    let drawn = DrawnMenu::new(app)?;
    for entry in &menu.0 {
        draw_entry(app, entry, &mut lines, &mut |item| drawn.append(item))?;
    }
    Ok((drawn, lines))
}

fn draw_entry(
    app: &AppHandle,
    entry: &Entry,
    lines: &mut Lines,
    append: &mut dyn FnMut(&dyn IsMenuItem<Wry>) -> tauri::Result<()>,
) -> tauri::Result<()> {
    let (key, line) = match entry {
        Entry::Separator => return append(&PredefinedMenuItem::separator(app)?),
        Entry::Item(item) => {
            let (key, text) = (&item.key, escaped(&item.text));
            let enabled = item.choice.is_some();
            let line = match item.mark {
                Mark::Plain => {
                    let line = MenuItem::with_id(app, key, text, enabled, None::<&str>)?;
                    append(&line)?;
                    Line::Plain(line)
                }
                Mark::Off | Mark::On => {
                    let checked = item.mark == Mark::On;
                    let line =
                        CheckMenuItem::with_id(app, key, text, enabled, checked, None::<&str>)?;
                    append(&line)?;
                    Line::Check(line)
                }
            };
            (key, line)
        }
        Entry::Group(group) => {
            let line = Submenu::with_id(app, &group.key, escaped(&group.text), true)?;
            for entry in &group.entries {
                draw_entry(app, entry, lines, &mut |item| line.append(item))?;
            }
            append(&line)?;
            (&group.key, Line::Group(line))
        }
    };
    lines.insert(key.clone(), line);
    Ok(())
}

/// A single ampersand would mark the next letter as a shortcut.
fn escaped(text: &str) -> String {
    text.replace('&', "&&")
}

/// What differs between the trays of the systems.
#[cfg(target_os = "linux")]
mod platform {
    use tauri::Wry;
    use tauri::image::Image;
    use tauri::tray::{TrayIcon, TrayIconBuilder};

    /// A click always opens the menu; this cannot be changed.
    pub(super) fn configure(builder: TrayIconBuilder<Wry>) -> TrayIconBuilder<Wry> {
        builder
    }

    pub(super) fn set_icon(tray: &TrayIcon, image: Image<'_>) -> tauri::Result<()> {
        tray.set_icon(Some(image))
    }

    /// There are no tooltips. Screen readers read the title.
    pub(super) fn set_tooltip(_tray: &TrayIcon, _text: &str) -> tauri::Result<()> {
        Ok(())
    }
}

/// What differs between the trays of the systems.
#[cfg(not(target_os = "linux"))]
mod platform {
    use tauri::Wry;
    use tauri::image::Image;
    use tauri::tray::{MouseButton, MouseButtonState, TrayIcon, TrayIconBuilder, TrayIconEvent};

    /// The left button opens the window near the icon, and the other one opens the menu.
    pub(super) fn configure(builder: TrayIconBuilder<Wry>) -> TrayIconBuilder<Wry> {
        builder
            .show_menu_on_left_click(false)
            .icon_as_template(cfg!(target_os = "macos"))
            .on_tray_icon_event(|tray, event| {
                if let TrayIconEvent::Click {
                    button: MouseButton::Left,
                    button_state: MouseButtonState::Up,
                    rect,
                    ..
                } = event
                {
                    crate::window::show_near(tray.app_handle(), rect);
                }
            })
    }

    pub(super) fn set_icon(tray: &TrayIcon, image: Image<'_>) -> tauri::Result<()> {
        tray.set_icon_with_as_template(Some(image), cfg!(target_os = "macos"))
    }

    pub(super) fn set_tooltip(tray: &TrayIcon, text: &str) -> tauri::Result<()> {
        tray.set_tooltip(Some(text))
    }
}

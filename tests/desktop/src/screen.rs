//! The windows on a display, as the X server knows them.

use x11rb::connection::Connection;
use x11rb::protocol::xproto::{
    AtomEnum, ClientMessageEvent, ConnectionExt, EventMask, MapState, Window,
};
use x11rb::rust_connection::RustConnection;

/// A look at a display.
#[derive(Clone, Debug)]
pub(crate) struct Screen {
    name: String,
}

impl Screen {
    pub(crate) fn of(display: &str) -> Self {
        let name = display.to_owned();
        Self { name }
    }

    /// How many windows with a title are visible.
    pub(crate) fn windows(&self) -> usize {
        let (server, root) = self.connect();
        titled(&server, root).len()
    }

    /// Asks each of them to close, as a click on the cross in its frame does.
    pub(crate) fn close_windows(&self) {
        let (server, root) = self.connect();
        let atom = |name: &[u8]| {
            let cookie = server.intern_atom(false, name).ok()?;
            Some(cookie.reply().ok()?.atom)
        };
        let protocols = atom(b"WM_PROTOCOLS").expect("the server knows any atom");
        let delete = atom(b"WM_DELETE_WINDOW").expect("the server knows any atom");
        for window in titled(&server, root) {
            let data = [delete, 0, 0, 0, 0];
            let message = ClientMessageEvent::new(32, window, protocols, data);
            let sent = server.send_event(false, window, EventMask::NO_EVENT, message);
            sent.expect("the server should take an event");
        }
        server.flush().expect("the server should be there");
    }

    fn connect(&self) -> (RustConnection, Window) {
        let (server, screen) =
            RustConnection::connect(Some(&self.name)).expect("the display should be there");
        let root = server.setup().roots[screen].root;
        (server, root)
    }
}

/// The visible ones at the top level; helper windows have a title, too, but are never shown.
fn titled(server: &RustConnection, root: Window) -> Vec<Window> {
    let tree = server.query_tree(root).ok();
    let children = tree.and_then(|tree| tree.reply().ok());
    let children = children.map(|tree| tree.children).unwrap_or_default();
    // A window may go between two questions.
    let is_shown = |window: Window| {
        let attributes = server.get_window_attributes(window).ok()?.reply().ok()?;
        let name = AtomEnum::WM_NAME;
        let title = server.get_property(false, window, name, AtomEnum::ANY, 0, 64);
        let title = title.ok()?.reply().ok()?;
        Some(attributes.map_state == MapState::VIEWABLE && !title.value.is_empty())
    };
    let shown = children.into_iter();
    shown
        .filter(|window| is_shown(*window) == Some(true))
        .collect()
}

//! Where the window may go: to the program's own pages, and to what these pages made (`blob:`), such as an
//! export. Nothing in the interface leads elsewhere, so nothing is handed to the user's browser either.
//!
//! A foreign page in the window could send commands in the user's name if it found a hole in Tauri, and looks
//! like a part of this program.

use tauri::Url;

/// Scheme, host and port of the program's own pages.
type Origin = (&'static str, &'static str, Option<u16>);

/// On Windows, WebView2 has no schemes of its own. There the host is never looked up; elsewhere it would be a
/// server on this machine.
const OURS: Origin = if cfg!(windows) {
    ("http", "tauri.localhost", None)
} else {
    ("tauri", "localhost", None)
};

/// `build.devUrl` of `tauri.conf.json`, while somebody works on the interface.
const DEVELOPMENT: Origin = ("http", "localhost", Some(5173));

/// Whether the window may go to this address.
pub(crate) fn is_ours(url: &Url) -> bool {
    let developing = cfg!(debug_assertions) && tauri::is_dev();
    is_of(OURS, url) || developing && is_of(DEVELOPMENT, url)
}

fn is_of((scheme, host, port): Origin, url: &Url) -> bool {
    if url.scheme() == "blob" {
        // What made it is in its path.
        return match Url::parse(url.path()) {
            Ok(maker) => maker.scheme() != "blob" && is_of((scheme, host, port), &maker),
            Err(_) => false,
        };
    }
    url.scheme() == scheme
        && url.host_str() == Some(host)
        && url.port() == port
        && url.username().is_empty()
        && url.password().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_goes_to_the_programs_own_pages_only() {
        let (scheme, host, _) = OURS;
        let own = format!("{scheme}://{host}");

        for page in ["/", "/index.html", "/#/requests"] {
            assert!(is_ours(&parsed(&format!("{own}{page}"))), "{page}");
        }
        assert!(is_ours(&parsed(&format!("blob:{own}/0b0c"))));
        for other in [
            "https://example.com/",
            "https://tauri.localhost:8443/",
            "http://tauri.localhost:8080/",
            "http://localhost/",
            "http://127.0.0.1:8080/",
            "http://127.0.0.1:8081/",
            "tauri://localhost:1/",
            "tauri://localhost.example.com/",
            "tauri://user@localhost/",
            "tauri://user:password@localhost/",
            "blob:https://example.com/0b0c",
            "blob:null/0b0c",
            "file:///etc/passwd",
            "data:text/html,hello",
            "javascript:alert(1)",
            "about:blank",
            "zephyr://localhost/",
        ] {
            assert!(!is_ours(&parsed(other)), "{other}");
        }
        assert!(!is_ours(&parsed(&format!("blob:blob:{own}/0b0c"))));
    }

    #[test]
    fn only_one_kind_of_system_has_a_host_for_pages() {
        let windows = is_of(
            ("http", "tauri.localhost", None),
            &parsed("http://tauri.localhost/"),
        );

        assert!(windows);
        assert_eq!(is_ours(&parsed("http://tauri.localhost/")), cfg!(windows));
        assert_eq!(is_ours(&parsed("tauri://localhost/")), !cfg!(windows));
    }

    #[test]
    fn the_development_server_counts_only_while_developing() {
        let settings: serde_json::Value =
            serde_json::from_str(include_str!("../tauri.conf.json")).unwrap();
        let url = parsed(settings["build"]["devUrl"].as_str().unwrap());

        assert!(is_of(DEVELOPMENT, &url));
        assert_eq!(is_ours(&url), cfg!(debug_assertions) && tauri::is_dev());
    }

    fn parsed(url: &str) -> Url {
        Url::parse(url).unwrap()
    }
}

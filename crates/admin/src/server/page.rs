//! The page for people: the built interface, from the program itself.
//!
//! The page is the same for everybody and holds no data. It asks the API, with the visitor's session. Some
//! files have names that change with their contents. Browsers may keep these forever, and ask for all others
//! every time. The program holds the files compressed and sends them so. A client that does not accept gzip
//! gets them unpacked.

use std::io::Read;

use axum::response::{Html, IntoResponse, Response};
use flate2::read::GzDecoder;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, VARY,
};
use http::{Method, Uri};

use super::failure::Failure;

/// A file of the interface.
struct File {
    /// The path of its URL.
    path: &'static str,
    gzip: &'static [u8],
}

/// Empty if the program was built without the interface.
static INTERFACE: &[File] = include!(concat!(env!("OUT_DIR"), "/interface.rs"));

/// The folder in which Vite puts the files with a hash in their names.
const HASHED: &str = "/assets/";
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// `GET /`.
pub(super) async fn index(headers: HeaderMap) -> Response {
    match file("/index.html", INTERFACE) {
        Some(file) => file.answer(&headers).await,
        None => Html(include_str!("without_interface.html")).into_response(),
    }
}

/// A file of the interface, if there is one at this path.
pub(super) async fn other(
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    match file(uri.path(), INTERFACE) {
        Some(file) if matches!(method, Method::GET | Method::HEAD) => {
            Ok(file.answer(&headers).await)
        }
        Some(_) => Err(Failure::WrongMethod),
        None => Err(Failure::UnknownPath),
    }
}

fn file(path: &str, files: &'static [File]) -> Option<&'static File> {
    files.iter().find(|file| file.path == path)
}

impl File {
    async fn answer(&'static self, headers: &HeaderMap) -> Response {
        let mut response = if takes_gzip(headers) {
            ([(CONTENT_ENCODING, "gzip")], self.gzip).into_response()
        } else {
            // Unpacking takes milliseconds, and requests wait for the same worker.
            let unpacked = tokio::task::spawn_blocking(|| self.unpacked()).await;
            unpacked.unwrap_or_default().into_response()
        };
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.media_type()));
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if self.path.starts_with(HASHED) {
            headers.insert(CACHE_CONTROL, FOREVER);
        }
        response
    }

    fn unpacked(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        if let Err(error) = GzDecoder::new(self.gzip).read_to_end(&mut bytes) {
            tracing::error!(%error, path = self.path, "a file of the interface cannot be unpacked");
        }
        bytes
    }

    fn media_type(&self) -> &'static str {
        match self.path.rsplit_once('.').map(|(_, extension)| extension) {
            Some("html") => "text/html; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            Some("png") => "image/png",
            Some("ico") => "image/x-icon",
            Some("woff2") => "font/woff2",
            Some("json" | "map") => "application/json",
            Some("webmanifest") => "application/manifest+json",
            Some("txt") => "text/plain; charset=utf-8",
            Some(_) | None => "application/octet-stream",
        }
    }
}

/// Whether the client accepts gzip. Only a weight of 0 counts: no client that knows gzip prefers none.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter();
    let mut codings = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|coding| coding.split_once(';').unwrap_or((coding, "")));
    codings.any(|(coding, weight)| {
        let refused = matches!(weight.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000");
        coding.trim().eq_ignore_ascii_case("gzip") && !refused
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::to_bytes;

    /// `hello`, compressed.
    const HELLO: &[u8] = &[
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 7, 0, 0x86, 0xa6, 0x10,
        0x36, 5, 0, 0, 0,
    ];
    static FILES: &[File] = &[
        File {
            path: "/index.html",
            gzip: HELLO,
        },
        File {
            path: "/assets/index-DfNnaBzV.js",
            gzip: HELLO,
        },
    ];

    fn accepting(codings: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(codings))])
    }

    #[tokio::test]
    async fn a_file_is_sent_as_its_reader_takes_it() {
        let file = file("/assets/index-DfNnaBzV.js", FILES).unwrap();

        for (codings, packed) in [
            ("gzip, deflate, br", true),
            ("br;q=1, GZIP;q=0.5", true),
            ("br", false),
            ("gzip;q=0", false),
            ("", false),
        ] {
            let response = file.answer(&accepting(codings)).await;

            let encoding = response.headers().get(CONTENT_ENCODING).cloned();
            let body = to_bytes(response.into_body(), 1000).await.unwrap();
            assert_eq!(encoding.is_some(), packed, "{codings}");
            assert_eq!(
                &body[..],
                if packed { HELLO } else { b"hello" },
                "{codings}"
            );
        }
    }

    #[tokio::test]
    async fn only_what_has_its_contents_in_its_name_may_be_kept() {
        let kept = async |path: &str| {
            let file = file(path, FILES).unwrap();
            let response = file.answer(&HeaderMap::new()).await;
            response.headers().get(CACHE_CONTROL).cloned()
        };

        assert_eq!(kept("/assets/index-DfNnaBzV.js").await, Some(FOREVER));
        assert_eq!(kept("/index.html").await, None);
    }

    #[test]
    fn no_other_path_is_a_file() {
        for path in [
            "/",
            "/index",
            "/assets/",
            "/assets/../index.html",
            "index.html",
        ] {
            assert!(file(path, FILES).is_none(), "{path}");
        }
    }
}

//! Heads of requests that two readers could understand differently.
//!
//! hyper takes some of them. (A length beside `chunked` it leaves out, as RFC 9112 has it.) But an endpoint, or a gateway before it, could take another length, another
//! host or another coding for the true one, and so read a request that nobody has checked. Each has to be
//! refused (RFC 9112, 3.2, 6.1 and 6.3).

use http::header::{CONTENT_LENGTH, HOST, HeaderMap, HeaderValue, TRANSFER_ENCODING};
use http::{Method, Version};

use super::guard::Refused;
use super::reply::Code;

/// Whether the head means the same to every reader.
///
/// # Errors
///
/// What is ambiguous. The rest of the connection cannot be trusted either.
pub fn check(version: Version, headers: &HeaderMap) -> Result<(), Refused> {
    let mut hosts = headers.get_all(HOST).iter();
    let named = hosts.next().is_some();
    if hosts.next().is_some() {
        return ambiguous("the request names its host twice");
    }
    if !named && version == Version::HTTP_11 {
        return ambiguous("an HTTP/1.1 request has to name its host");
    }
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let length = lengths.next();
    if lengths.next().is_some() || length.is_some_and(|length| !is_number(length)) {
        return ambiguous("the request says more than once how long its body is");
    }
    if !headers.contains_key(TRANSFER_ENCODING) {
        return Ok(());
    }
    if version < Version::HTTP_11 {
        return ambiguous("an HTTP/1.0 request cannot have a transfer coding");
    }
    if is_chunked_alone(headers) {
        return Ok(());
    }
    Err(Refused {
        code: Code::CodingNotImplemented,
        message:
            "of the transfer codings only chunked is understood; send the body without the others"
                .to_owned(),
    })
}

/// Whether `chunked`, once, is the only transfer coding.
pub fn is_chunked_alone(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let only = codings.next().filter(|_| codings.next().is_none());
    only.is_some_and(|coding| {
        coding
            .as_bytes()
            .trim_ascii()
            .eq_ignore_ascii_case(b"chunked")
    })
}

/// Whether the method may be forwarded. `TRACE` would show its sender the credential that the endpoint gets.
/// `CONNECT` would make a tunnel that nobody sees into.
pub fn may_be_forwarded(method: &Method) -> bool {
    // Servers that take `trace` for `TRACE` exist. `TRACK` and `DEBUG` are what others call it.
    let refused = ["TRACE", "TRACK", "DEBUG", "CONNECT"];
    !refused
        .iter()
        .any(|refused| method.as_str().eq_ignore_ascii_case(refused))
}

/// Whether a segment of the path means another place than its name: `.` or `..`, also when escaped.
pub fn has_dot_segment(path: &str) -> bool {
    let mut segment = Segment::default();
    let mut rest = path.as_bytes();
    loop {
        let (byte, length) = match rest {
            [] => return segment.is_dots(),
            [b'%', high, low, ..] => (escaped(*high, *low).unwrap_or(b'%'), 3),
            [byte, ..] => (*byte, 1),
        };
        match byte {
            b'/' | b'\\' if segment.is_dots() => return true,
            b'/' | b'\\' => segment = Segment::default(),
            b'.' => segment.dots += 1,
            _ => segment.is_name = true,
        }
        rest = rest.get(length..).unwrap_or_default();
    }
}

/// What has been read of a segment.
#[derive(Default)]
struct Segment {
    dots: usize,
    is_name: bool,
}

impl Segment {
    fn is_dots(&self) -> bool {
        !self.is_name && matches!(self.dots, 1 | 2)
    }
}

fn escaped(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

fn is_number(value: &HeaderValue) -> bool {
    !value.is_empty() && value.as_bytes().iter().all(u8::is_ascii_digit)
}

fn ambiguous(what: &str) -> Result<(), Refused> {
    Err(Refused {
        code: Code::AmbiguousHead,
        message: format!("{what}; two servers could read it differently, so none gets it"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderName;

    fn refused(version: Version, lines: &[(&'static str, &'static str)]) -> Option<Code> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            let name = HeaderName::from_static(name);
            headers.append(name, HeaderValue::from_static(value));
        }
        check(version, &headers).err().map(|refused| refused.code)
    }

    #[test]
    fn what_every_reader_understands_alike_passes() {
        let host = ("host", "localhost");
        for lines in [
            &[host][..],
            &[host, ("content-length", "5")],
            &[host, ("transfer-encoding", "chunked")],
            &[host, ("transfer-encoding", "Chunked ")],
        ] {
            assert_eq!(refused(Version::HTTP_11, lines), None, "{lines:?}");
        }
        assert_eq!(refused(Version::HTTP_10, &[]), None);
        assert_eq!(refused(Version::HTTP_2, &[]), None);
    }

    #[test]
    fn what_two_readers_could_understand_differently_is_refused() {
        let host = ("host", "localhost");
        for lines in [
            &[][..],
            &[host, host],
            &[host, ("host", "other")],
            &[host, ("content-length", "5"), ("content-length", "5")],
            &[host, ("content-length", "5"), ("content-length", "6")],
            &[host, ("content-length", "5, 5")],
            &[host, ("content-length", "+5")],
            &[host, ("content-length", "")],
        ] {
            let code = refused(Version::HTTP_11, lines);
            assert_eq!(code, Some(Code::AmbiguousHead), "{lines:?}");
        }
        let old = refused(Version::HTTP_10, &[("transfer-encoding", "chunked")]);
        assert_eq!(old, Some(Code::AmbiguousHead));
    }

    #[test]
    fn other_transfer_codings_are_not_taken_for_chunked() {
        let host = ("host", "localhost");
        for lines in [
            &[host, ("transfer-encoding", "gzip, chunked")][..],
            &[host, ("transfer-encoding", "chunked, chunked")],
            &[host, ("transfer-encoding", "identity")],
            &[host, ("transfer-encoding", "x-chunked")],
            &[
                host,
                ("transfer-encoding", "gzip"),
                ("transfer-encoding", "chunked"),
            ],
        ] {
            let code = refused(Version::HTTP_11, lines);
            assert_eq!(code, Some(Code::CodingNotImplemented), "{lines:?}");
        }
    }

    #[test]
    fn a_segment_of_dots_is_found_in_every_spelling() {
        for path in [
            "/../admin",
            "/v1/..",
            "/v1/./messages",
            "/.",
            "/%2e%2e/x",
            "/%2E./x",
            "/.%2e/x",
            "/v1%2f..%2fx",
            "/v1/..\\x",
            "/v1%5C..%5cx",
            "/v1/..%2Fx",
        ] {
            assert!(has_dot_segment(path), "{path}");
        }
        for path in [
            "/",
            "/v1/messages",
            "/v1/models/claude-3.5",
            "/...",
            "/..a",
            "/a..",
            "/.well-known/x",
            "/%2e%2e%2e",
            "/100%",
            "/%2",
            "/%zz..",
        ] {
            assert!(!has_dot_segment(path), "{path}");
        }
    }
}

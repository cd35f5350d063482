//! Which headers pass, in both directions.

use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, DATE, EXPECT, HOST,
    HeaderName, ORIGIN, RETRY_AFTER, TRANSFER_ENCODING,
};
use http::{HeaderMap, HeaderValue};
use std::time::{Duration, SystemTime};

use zephyr_core::quota::Quota;

use super::credentials::X_API_KEY;
use crate::clock::Clock;

/// Names every Zephyr that a request has passed, so that loops are found.
pub const VIA_ZEPHYR: HeaderName = HeaderName::from_static("x-zephyr-via");

/// Removes the headers that belong to one connection only (RFC 9110, 7.6.1): a fixed list, and the headers
/// that `Connection` names. `Content-Length` stays even if it is named. But beside `Transfer-Encoding` it has
/// no meaning and is removed, because it would have a meaning again once `Transfer-Encoding` is gone (RFC
/// 9112, 6.3). `Trailer` stays, because the trailers stay.
pub fn strip_hop_by_hop(headers: &mut HeaderMap) {
    if headers.contains_key(CONNECTION) {
        let named: Vec<HeaderName> = headers
            .get_all(CONNECTION)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .filter(|name| *name != "keep-alive") // Most clients name it, and it is in the fixed list.
            .filter_map(|name| name.parse().ok())
            .filter(|name| *name != CONTENT_LENGTH)
            .collect();
        for name in named {
            headers.remove(name);
        }
        headers.remove(CONNECTION);
    }
    let hops = headers.keys().filter(|name| is_hop_by_hop(name));
    for name in hops.cloned().collect::<Vec<_>>() {
        if name == TRANSFER_ENCODING {
            headers.remove(CONTENT_LENGTH);
        }
        headers.remove(name);
    }
}

/// Whether the header belongs to one connection.
fn is_hop_by_hop(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "keep-alive"
            | "proxy-connection"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "te"
            | "transfer-encoding"
            | "upgrade"
    )
}

/// The headers that every endpoint gets: the client's headers without those of its connection and its host. A web
/// page also loses its cookies. Cookies know no ports, so its browser sends those of every program at this host, our
/// admin port included.
pub fn for_upstream(mut headers: HeaderMap) -> HeaderMap {
    strip_hop_by_hop(&mut headers);
    headers.remove(HOST);
    headers.remove(EXPECT); // Our own listener has answered it.
    if headers.contains_key(ORIGIN) {
        headers.remove(COOKIE);
    }
    headers
}

/// The headers of a request that may be sent more than once. The first attempt takes them as they came. A
/// further attempt is rare and reads them again from a copy. The copy is one allocation; a clone would be
/// dozens.
pub struct Repeatable {
    unused: Option<HeaderMap>,
    /// For each header: the lengths of name and value, then both.
    copy: Vec<u8>,
}

impl Repeatable {
    pub fn new(headers: HeaderMap) -> Self {
        let length = |(name, value): (&HeaderName, &HeaderValue)| {
            2 * size_of::<u32>() + name.as_str().len() + value.len()
        };
        let mut copy = Vec::with_capacity(headers.iter().map(length).sum());
        for (name, value) in &headers {
            for part in [name.as_str().as_bytes(), value.as_bytes()] {
                let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
                copy.extend_from_slice(&length.to_ne_bytes());
                copy.extend_from_slice(part);
            }
        }
        Self {
            unused: Some(headers),
            copy,
        }
    }

    /// The headers, for the first attempt.
    pub fn take(&mut self) -> HeaderMap {
        self.unused.take().unwrap_or_else(|| self.again())
    }

    /// The headers, for a further attempt.
    pub fn again(&self) -> HeaderMap {
        let mut rest = self.copy.as_slice();
        let mut headers = HeaderMap::new();
        while let Some((name, value)) = part(&mut rest).zip(part(&mut rest)) {
            let name = HeaderName::from_bytes(name).expect("it was the name of a header");
            let value = HeaderValue::from_bytes(value).expect("it was the value of a header");
            headers.append(name, value);
        }
        headers
    }
}

/// The next name or value in a [`Repeatable`]'s copy.
fn part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, behind) = rest.split_first_chunk()?;
    let length = usize::try_from(u32::from_ne_bytes(*length)).ok()?;
    let (part, behind) = behind.split_at_checked(length)?;
    *rest = behind;
    Some(part)
}

/// Whether the `Content-Type` is a stream of events.
pub fn is_event_stream(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    content_type.is_some_and(|value| value.starts_with(b"text/event-stream"))
}

/// What a client may mean as its token: `x-api-key`, and `Authorization: Bearer`. Claude Code sends both if
/// its environment has both.
pub fn client_tokens(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let keys = headers.get_all(X_API_KEY).iter().map(HeaderValue::as_bytes);
    let authorizations = headers.get_all(AUTHORIZATION).iter();
    let bearers = authorizations.filter_map(|value| {
        let (scheme, token) = value.as_bytes().split_at_checked(7)?;
        scheme
            .eq_ignore_ascii_case(b"bearer ")
            .then_some(token.trim_ascii())
    });
    keys.chain(bearers)
}

/// The headers about limits: how much is left, and how long to wait.
pub fn rate_limits(headers: &HeaderMap) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
    const TELLING: [&str; 3] = [
        "anthropic-ratelimit-",
        "anthropic-priority-",
        "anthropic-fast-",
    ];
    headers.iter().filter(|(name, _)| {
        let name = name.as_str();
        name == RETRY_AFTER.as_str() || TELLING.iter().any(|prefix| name.starts_with(prefix))
    })
}

/// What the headers say about the endpoint's quota.
pub fn quota(headers: &HeaderMap) -> Option<Quota> {
    let told = rate_limits(headers)
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let mut told = told.peekable();
    told.peek()?; // Most answers say nothing about it. They do not need the clock.
    let clock = Clock::now();
    Quota::read(told, clock.instant(), clock.since_epoch())
}

/// A longer wait is cut to this. No endpoint can plan so far ahead.
const LONGEST_WAIT: Duration = Duration::from_secs(7 * 24 * 3600);

/// How long an answer asks to wait. `retry-after-ms` comes first, as in the SDKs. `Retry-After` is read in
/// seconds, as a date, or as a time since 1970 in seconds or milliseconds, as some relays write it. A point
/// in time is compared with the answer's own `Date`, because our clock may differ from the endpoint's.
/// Without a `Date` it is compared with `now`.
pub fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let date = text(DATE.as_str()).and_then(|text| httpdate::parse_http_date(text).ok());
    let now = date.unwrap_or(now);
    let number = |text: &str| text.parse::<f64>().ok();
    let millis = text("retry-after-ms").and_then(number);
    if let Some(wait) = millis.and_then(|millis| wait_of(millis / 1000.0, now)) {
        return Some(wait);
    }
    let value = text(RETRY_AFTER.as_str())?;
    if let Some(seconds) = number(value) {
        return wait_of(seconds, now);
    }
    let until = httpdate::parse_http_date(value).ok();
    let until = until.or_else(|| value.parse::<jiff::Timestamp>().ok().map(SystemTime::from))?;
    Some(until_then(until, now))
}

/// Turns a number into a wait: seconds from now, or a time since 1970. No endpoint asks for a wait of
/// decades, so larger numbers are points in time, and the largest are points in time in milliseconds. `None`:
/// the number makes no sense.
fn wait_of(seconds: f64, now: SystemTime) -> Option<Duration> {
    /// September 2001 to the year 5138, in seconds and in milliseconds.
    const SINCE_1970: std::ops::Range<f64> = 1e9..1e11;
    const MILLIS_SINCE_1970: std::ops::Range<f64> = 1e12..1e14;
    let since_1970 = if SINCE_1970.contains(&seconds) {
        seconds
    } else if MILLIS_SINCE_1970.contains(&seconds) {
        seconds / 1000.0
    } else {
        let wait = Duration::try_from_secs_f64(seconds).ok()?;
        return (seconds < SINCE_1970.end).then_some(wait.min(LONGEST_WAIT));
    };
    let since_1970 = Duration::try_from_secs_f64(since_1970).ok()?;
    Some(until_then(SystemTime::UNIX_EPOCH + since_1970, now))
}

fn until_then(until: SystemTime, now: SystemTime) -> Duration {
    let wait = until.duration_since(now).unwrap_or_default();
    wait.min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let header = |(name, value): &(&'static str, &'static str)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        };
        lines.iter().map(header).collect()
    }

    fn names(headers: &HeaderMap) -> Vec<&str> {
        headers.keys().map(HeaderName::as_str).collect()
    }

    #[test]
    fn what_connection_names_goes_with_it() {
        let client = map(&[
            ("connection", "keep-alive, x-secret-hop"),
            ("x-secret-hop", "1"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("anthropic-beta", "a,b"),
        ]);

        assert_eq!(names(&for_upstream(client)), ["anthropic-beta"]);
    }

    #[test]
    fn a_page_keeps_its_cookies_from_every_endpoint_and_a_program_may_send_some() {
        let program = [("cookie", "endpoint=1"), ("x-other", "1")];
        let page = [
            ("origin", "https://tools.example.com"),
            ("cookie", "zephyr-session-8081=1"),
            ("cookie", "other=1"),
        ];

        assert_eq!(names(&for_upstream(map(&program))), ["cookie", "x-other"]);
        assert_eq!(names(&for_upstream(map(&page))), ["origin"]);
    }

    #[test]
    fn duplicates_keep_their_number_and_order() {
        let client = map(&[
            ("anthropic-beta", "a"),
            ("x-other", "1"),
            ("anthropic-beta", "b"),
        ]);

        let upstream = for_upstream(client);

        let values: Vec<_> = upstream.get_all("anthropic-beta").iter().collect();
        assert_eq!(values, ["a", "b"]);
    }

    #[test]
    fn headers_are_the_same_however_often_they_are_sent() {
        let mut client = map(&[
            ("anthropic-beta", "a"),
            ("x-empty", ""),
            ("anthropic-beta", "b"),
        ]);
        client.insert(
            "x-latin",
            HeaderValue::from_bytes(b"caf\xe9").expect("allowed"),
        );
        let mut headers = Repeatable::new(client.clone());

        assert_eq!(headers.take(), client);
        assert_eq!(headers.take(), client);
        assert_eq!(headers.again(), client);
    }

    #[test]
    fn a_connection_header_cannot_remove_the_length() {
        let client = map(&[("connection", "content-length"), ("content-length", "5")]);

        assert_eq!(names(&for_upstream(client)), ["content-length"]);
    }

    #[test]
    fn a_wait_is_read_in_all_its_forms() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        let cases = [
            (map(&[("retry-after", "7")]), Some(7.0)),
            (map(&[("retry-after", "1.5")]), Some(1.5)),
            (
                map(&[("retry-after-ms", "250"), ("retry-after", "7")]),
                Some(0.25),
            ),
            (
                map(&[("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT")]),
                Some(30.0),
            ),
            (
                map(&[("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT")]),
                Some(0.0),
            ),
            (map(&[("retry-after", "soon")]), None),
            (map(&[("retry-after", "-1")]), None),
            (map(&[("retry-after", "1e300")]), None),
            (map(&[]), None),
        ];

        for (headers, seconds) in cases {
            let wait = retry_after(&headers, now).map(|wait| wait.as_secs_f64());
            assert_eq!(wait, seconds, "{headers:?}");
        }
    }

    #[test]
    fn a_point_in_time_is_measured_against_the_answers_own_date() {
        // One year away from the dates in the answers.
        let now = httpdate::parse_http_date("Sun, 30 Nov 2025 10:00:00 GMT").unwrap();
        let cases = [
            ("Mon, 30 Nov 2026 10:01:30 GMT", Some(90.0)),
            ("Mon, 30 Nov 2026 09:00:00 GMT", Some(0.0)),
            ("Monday, 30-Nov-26 10:01:30 GMT", Some(90.0)),
            ("2026-11-30T10:01:30Z", Some(90.0)),
            ("2026-11-30T18:01:30.5+08:00", Some(90.5)),
            ("1796032890", Some(90.0)),
            ("1796032890.5", Some(90.5)),
            ("1796032890000", Some(90.0)),
            ("1796032000", Some(0.0)),
            // A wait that is not a point in time starts at the answer, whatever its date is.
            ("90", Some(90.0)),
        ];

        for (value, seconds) in cases {
            let headers = map(&[
                ("date", "Mon, 30 Nov 2026 10:00:00 GMT"),
                ("retry-after", value),
            ]);
            let wait = retry_after(&headers, now).map(|wait| wait.as_secs_f64());
            assert_eq!(wait, seconds, "{value}");
        }
    }

    #[test]
    fn without_a_date_our_own_clock_counts() {
        let now = httpdate::parse_http_date("Mon, 30 Nov 2026 10:00:00 GMT").unwrap();
        for date in ["", "yesterday"] {
            for value in ["1796032890", "Mon, 30 Nov 2026 10:01:30 GMT"] {
                let headers = map(&[("date", date), ("retry-after", value)]);

                let wait = retry_after(&headers, now);

                assert_eq!(wait, Some(Duration::from_secs(90)), "{date:?}, {value}");
            }
        }
    }

    #[test]
    fn what_nobody_would_wait_for_is_bounded_or_means_nothing() {
        let now = httpdate::parse_http_date("Mon, 30 Nov 2026 10:00:00 GMT").unwrap();
        let cases = [
            ("864000000", Some(LONGEST_WAIT)),
            ("4102444800", Some(LONGEST_WAIT)),
            ("Thu, 31 Dec 2099 00:00:00 GMT", Some(LONGEST_WAIT)),
            ("-1", None),
            ("-1796032890", None),
            ("999999999999999", None),
            ("inf", None),
            ("NaN", None),
            ("", None),
        ];

        for (value, wait) in cases {
            let headers = map(&[("retry-after", value)]);
            assert_eq!(retry_after(&headers, now), wait, "{value}");
        }
    }

    #[test]
    fn milliseconds_that_mean_nothing_hide_no_seconds() {
        let now = httpdate::parse_http_date("Mon, 30 Nov 2026 10:00:00 GMT").unwrap();
        for (millis, wait) in [("-5", 7), ("soon", 7), ("1796032890000", 90), ("2000", 2)] {
            let headers = map(&[("retry-after-ms", millis), ("retry-after", "7")]);

            let found = retry_after(&headers, now);

            assert_eq!(found, Some(Duration::from_secs(wait)), "{millis}");
        }
    }

    #[test]
    fn a_client_token_is_found_in_either_header() {
        let tokens = |lines: &[(&'static str, &'static str)]| -> Vec<Vec<u8>> {
            client_tokens(&map(lines)).map(<[u8]>::to_vec).collect()
        };

        assert_eq!(tokens(&[("authorization", "bearer  t")]), [b"t"]);
        assert_eq!(tokens(&[("authorization", "Basic t")]), [b""; 0]);
        assert_eq!(
            tokens(&[("authorization", "Bearer t"), ("x-api-key", "k")]),
            [b"k", b"t"]
        );
    }
}

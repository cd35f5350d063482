//! The parameters of the admin API's questions, as a query string: written by the client, read by the
//! server.
//!
//! Reading is strict: an unknown or repeated name is an error that says the name, because a mistyped
//! filter would otherwise show everything. A parameter without a value counts as absent, because forms
//! send those.

use std::borrow::Cow;

use form_urlencoded::Serializer;
use zephyr_control::{
    ControlError, ErrorCode, HistoryQuery, Paging, RequestFilter, UsageBy, UsageQuery,
};

use crate::export::Format;

/// What is wrong with a query string.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadParameter {
    /// There is no such parameter, or this question does not take it.
    #[error("there is no parameter `{name}` here; take it out")]
    Unknown {
        /// The parameter.
        name: String,
    },
    /// The parameter is repeated.
    #[error("the parameter `{name}` is there twice; say it once")]
    Repeated {
        /// The parameter.
        name: String,
    },
    /// The value has a character that stands in no name, and that no text of a journal has.
    #[error("the parameter `{name}` has a NUL character in it; take it out")]
    Nul {
        /// The parameter.
        name: String,
    },
    /// The value is malformed.
    #[error("the parameter `{name}` has to be {expected}")]
    Malformed {
        /// The parameter.
        name: &'static str,
        /// What it has to be.
        expected: &'static str,
    },
}

impl From<BadParameter> for ControlError {
    fn from(bad: BadParameter) -> Self {
        Self::new(ErrorCode::BadRequest, bad.to_string())
    }
}

const TIME: &str = "a time in milliseconds since 1970-01-01 UTC";
const NUMBER: &str = "the number of a record";
const LIMIT: &str = "a number, 1 or more";
const STATUS: &str = "an HTTP status, for instance 529";
const SWITCH: &str = "true or false";
const SUMMED_BY: &str = "one of day, hour, endpoint, model, session";
const REFERENCE: &str = "the name of an entry in the keychain";
const FORMAT: &str = "csv or jsonl";
const ONE_WAY: &str = "there without `before`";

/// The parameters that are not read yet.
#[derive(Debug)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// The parameters of a URL's query.
    pub(crate) fn of(query: Option<&str>) -> Result<Self, BadParameter> {
        let mut parameters: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            if parameters.iter().any(|(known, _)| *known == name) {
                return Err(BadParameter::Repeated {
                    name: name.into_owned(),
                });
            }
            if value.contains('\0') {
                return Err(BadParameter::Nul {
                    name: name.into_owned(),
                });
            }
            parameters.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(parameters))
    }

    pub(crate) fn filter(&mut self) -> Result<RequestFilter, BadParameter> {
        Ok(RequestFilter {
            since_ms: self.number("since_ms", TIME)?,
            until_ms: self.number("until_ms", TIME)?,
            endpoint: self.text("endpoint"),
            model: self.text("model"),
            session: self.text("session"),
            status: self.parsed("status", STATUS, |value| {
                value
                    .parse()
                    .ok()
                    .filter(|status| (100..1000).contains(status))
            })?,
            failed: self
                .parsed("failed", SWITCH, |value| value.parse().ok())?
                .unwrap_or_default(),
            text: self.text("text"),
        })
    }

    pub(crate) fn paging(&mut self) -> Result<Paging, BadParameter> {
        let paging = Paging {
            before: self.number("before", NUMBER)?,
            after: self.number("after", NUMBER)?,
            limit: self.parsed("limit", LIMIT, |value| {
                value.parse().ok().filter(|limit| *limit > 0)
            })?,
        };
        match (paging.before, paging.after) {
            (Some(_), Some(_)) => Err(BadParameter::Malformed {
                name: "after",
                expected: ONE_WAY,
            }),
            (_, _) => Ok(paging),
        }
    }

    pub(crate) fn usage(&mut self) -> Result<UsageQuery, BadParameter> {
        Ok(UsageQuery {
            since_ms: self.number("since_ms", TIME)?,
            until_ms: self.number("until_ms", TIME)?,
            by: self.parsed("by", SUMMED_BY, summed_by)?.unwrap_or_default(),
            split: self.parsed("split", SUMMED_BY, summed_by)?,
        })
    }

    pub(crate) fn history(&mut self) -> Result<HistoryQuery, BadParameter> {
        Ok(HistoryQuery {
            since_ms: self.number("since_ms", TIME)?,
            until_ms: self.number("until_ms", TIME)?,
            endpoint: self.text("endpoint"),
        })
    }

    pub(crate) fn format(&mut self) -> Result<Format, BadParameter> {
        let format = self.parsed("format", FORMAT, |value| match value {
            "csv" => Some(Format::Csv),
            "jsonl" => Some(Format::JsonLines),
            _ => None,
        })?;
        format.ok_or(BadParameter::Malformed {
            name: "format",
            expected: FORMAT,
        })
    }

    pub(crate) fn reference(&mut self) -> Result<String, BadParameter> {
        self.text("reference").ok_or(BadParameter::Malformed {
            name: "reference",
            expected: REFERENCE,
        })
    }

    /// The end: a parameter that is left is an error.
    pub(crate) fn end(self) -> Result<(), BadParameter> {
        match self.0.into_iter().next() {
            Some((name, _)) => Err(BadParameter::Unknown { name }),
            None => Ok(()),
        }
    }

    fn number(
        &mut self,
        name: &'static str,
        expected: &'static str,
    ) -> Result<Option<u64>, BadParameter> {
        self.parsed(name, expected, |value| value.parse().ok())
    }

    fn parsed<T>(
        &mut self,
        name: &'static str,
        expected: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, BadParameter> {
        let Some(value) = self.text(name) else {
            return Ok(None);
        };
        match parse(&value) {
            Some(parsed) => Ok(Some(parsed)),
            None => Err(BadParameter::Malformed { name, expected }),
        }
    }

    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        let position = self.0.iter().position(|(known, _)| known == name)?;
        let (_, value) = self.0.swap_remove(position);
        Some(value).filter(|value| !value.is_empty())
    }
}

/// The query string of [`Control::has_token`](zephyr_control::Control::has_token).
pub(crate) fn of_token(reference: &str) -> String {
    written(&[("reference", Some(Cow::from(reference)))])
}

/// The query string of [`Control::requests`](zephyr_control::Control::requests).
pub(crate) fn of_requests(filter: &RequestFilter, paging: Paging) -> String {
    written(&[
        ("since_ms", number(filter.since_ms)),
        ("until_ms", number(filter.until_ms)),
        ("endpoint", filter.endpoint.as_deref().map(Cow::from)),
        ("model", filter.model.as_deref().map(Cow::from)),
        ("session", filter.session.as_deref().map(Cow::from)),
        ("status", number(filter.status.map(u64::from))),
        ("failed", filter.failed.then_some(Cow::from("true"))),
        ("text", filter.text.as_deref().map(Cow::from)),
        ("before", number(paging.before)),
        ("after", number(paging.after)),
        ("limit", number(paging.limit.map(u64::from))),
    ])
}

/// The query string of [`Control::usage`](zephyr_control::Control::usage).
pub(crate) fn of_usage(query: &UsageQuery) -> String {
    written(&[
        ("since_ms", number(query.since_ms)),
        ("until_ms", number(query.until_ms)),
        ("by", Some(Cow::from(name_of(query.by)))),
        ("split", query.split.map(name_of).map(Cow::from)),
    ])
}

/// The query string of [`Control::history`](zephyr_control::Control::history).
pub(crate) fn of_history(query: &HistoryQuery) -> String {
    written(&[
        ("since_ms", number(query.since_ms)),
        ("until_ms", number(query.until_ms)),
        ("endpoint", query.endpoint.as_deref().map(Cow::from)),
    ])
}

fn written(parameters: &[(&str, Option<Cow<'_, str>>)]) -> String {
    let mut query = Serializer::new(String::new());
    for (name, value) in parameters {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    query.finish()
}

fn number(value: Option<u64>) -> Option<Cow<'static, str>> {
    value.map(|value| Cow::from(value.to_string()))
}

fn name_of(by: UsageBy) -> &'static str {
    match by {
        UsageBy::Day => "day",
        UsageBy::Hour => "hour",
        UsageBy::Endpoint => "endpoint",
        UsageBy::Model => "model",
        UsageBy::Session => "session",
    }
}

fn summed_by(name: &str) -> Option<UsageBy> {
    [
        UsageBy::Day,
        UsageBy::Hour,
        UsageBy::Endpoint,
        UsageBy::Model,
        UsageBy::Session,
    ]
    .into_iter()
    .find(|by| name_of(*by) == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(query: &str) -> Parameters {
        Parameters::of(Some(query)).unwrap()
    }

    #[test]
    fn what_the_client_writes_the_server_reads() {
        let filter = RequestFilter {
            since_ms: Some(1),
            until_ms: Some(2),
            endpoint: Some("东京 & co".to_owned()),
            model: Some("claude+x=y".to_owned()),
            session: Some("a/b?c#d".to_owned()),
            status: Some(529),
            failed: true,
            text: Some("100% \"wrong\"".to_owned()),
        };
        let pages = [
            Paging::default(),
            Paging {
                before: Some(7),
                limit: Some(50),
                ..Paging::default()
            },
            Paging {
                after: Some(0),
                ..Paging::default()
            },
        ];
        let usage = UsageQuery {
            since_ms: Some(3),
            until_ms: Some(4),
            by: UsageBy::Session,
            split: Some(UsageBy::Model),
        };
        let history = HistoryQuery {
            since_ms: Some(5),
            until_ms: None,
            endpoint: Some("HK".to_owned()),
        };

        for paging in pages {
            let mut read = parameters(&of_requests(&filter, paging));
            assert_eq!(read.filter(), Ok(filter.clone()));
            assert_eq!(read.paging(), Ok(paging));
            assert_eq!(read.end(), Ok(()));
        }
        let mut read = parameters(&of_usage(&usage));
        assert_eq!(read.usage(), Ok(usage));
        assert_eq!(read.end(), Ok(()));
        let mut read = parameters(&of_history(&history));
        assert_eq!(read.history(), Ok(history));
        assert_eq!(read.end(), Ok(()));
    }

    #[test]
    fn nothing_said_is_nothing_asked_for() {
        for query in ["", "endpoint=&failed=&since_ms=&status="] {
            let mut read = parameters(query);

            assert_eq!(read.filter(), Ok(RequestFilter::default()));
            assert_eq!(read.paging(), Ok(Paging::default()));
            assert_eq!(read.end(), Ok(()));
        }
        assert_eq!(
            of_requests(&RequestFilter::default(), Paging::default()),
            ""
        );
    }

    #[test]
    fn an_error_names_the_parameter() {
        let requests = |query: &str| {
            let mut read = Parameters::of(Some(query))?;
            read.filter()?;
            read.paging()?;
            read.end()
        };
        let cases = [
            ("since_ms=yesterday", "since_ms"),
            ("until_ms=-1", "until_ms"),
            ("status=99", "status"),
            ("status=ok", "status"),
            ("failed=1", "failed"),
            ("before=x", "before"),
            ("after=x", "after"),
            ("before=2&after=1", "after"),
            ("limit=0", "limit"),
            ("limit=all", "limit"),
            ("model=a&model=b", "model"),
            ("modle=a", "modle"),
            ("by=day", "by"),
        ];

        for (query, name) in cases {
            let message = requests(query).unwrap_err().to_string();
            assert!(message.contains(&format!("`{name}`")), "{query}: {message}");
        }
        assert!(parameters("by=week").usage().is_err());
        assert!(parameters("split=week").usage().is_err());
        assert!(parameters("").format().is_err());
        assert!(parameters("format=xlsx").format().is_err());
    }
}

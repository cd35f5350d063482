//! What an endpoint's answers say about its quota, and when the quota is about to run dry.
//!
//! Answers carry `anthropic-ratelimit-*` headers. For keys they say how many requests and tokens are left.
//! For subscriptions (`unified`) they say how much of the five hours and of the seven days is used. An
//! endpoint is about to run dry while less than [`DRY_PERCENT`] of any limit is left, or while the
//! subscription says `rejected`. That lasts until the reset of the limit, or for a minute if no reset is
//! named. The last answer that says anything replaces everything before it.
//!
//! What a subscription includes is spent once one of its own windows is used up, or once an answer was paid for as
//! extra usage (`overage`). Until when is told by that window's reset.
//!
//! Not for: what a 429 means. That is [`crate::classify`]; this is about the answers before it.

use std::time::{Duration, Instant};

use crate::classify::Family;

/// If less is left, an endpoint gets no new conversations.
pub const DRY_PERCENT: f64 = 5.0;
/// How long that holds, or what is included stays spent, if the time of the reset is not told.
const UNTOLD: Duration = Duration::from_secs(60);

/// A limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// Requests per minute.
    Requests,
    /// Tokens per minute.
    Tokens,
    /// Input tokens per minute.
    InputTokens,
    /// Output tokens per minute.
    OutputTokens,
    /// A subscription's five hours.
    FiveHours,
    /// A subscription's seven days.
    SevenDays,
}

impl Window {
    const ALL: [Self; 6] = [
        Self::Requests,
        Self::Tokens,
        Self::InputTokens,
        Self::OutputTokens,
        Self::FiveHours,
        Self::SevenDays,
    ];

    /// The name in the headers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Tokens => "tokens",
            Self::InputTokens => "input-tokens",
            Self::OutputTokens => "output-tokens",
            Self::FiveHours => "5h",
            Self::SevenDays => "7d",
        }
    }

    /// From the name that a subscription gives to the limit that rejects.
    fn claimed(claim: &str) -> Self {
        if claim.starts_with("seven_day") {
            Self::SevenDays
        } else {
            Self::FiveHours
        }
    }

    /// Whether a subscription includes it for all models.
    fn is_of_subscription(self) -> bool {
        match self {
            Self::FiveHours | Self::SevenDays => true,
            Self::Requests | Self::Tokens | Self::InputTokens | Self::OutputTokens => false,
        }
    }
}

/// What is left of a limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Allowance {
    /// The limit.
    pub window: Window,
    /// How much is left, 0 to 1.
    pub left: f64,
    /// The whole limit, if the answer names it as a number.
    pub limit: Option<u64>,
    /// What is left, if the answer names it as a number.
    pub remaining: Option<u64>,
    /// When it is full again.
    pub resets: Option<Instant>,
}

/// Everything that an answer said about the quota.
#[derive(Clone, Debug, PartialEq)]
pub struct Quota {
    allowances: Vec<Allowance>,
    /// Until when what goes on is paid for as extra usage.
    pays_until: Option<Instant>,
    told: Instant,
}

/// Why an endpoint is about to run dry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dry {
    /// The limit.
    pub window: Window,
    /// How much is left.
    pub percent: u8,
    /// Until when.
    pub until: Instant,
}

impl Quota {
    /// Reads the headers of an answer that came at `now`, which is `since_epoch` after 1970. `None`: they say
    /// nothing.
    pub fn read<'a>(
        headers: impl Iterator<Item = (&'a str, &'a str)>,
        now: Instant,
        since_epoch: Duration,
    ) -> Option<Self> {
        let mut read = Reading::default();
        for (name, value) in headers {
            if let Some(name) = name.strip_prefix("anthropic-ratelimit-") {
                read.take_in(name, value.trim());
            }
        }
        let at = |reset: Option<u64>| {
            let ahead = Duration::from_secs(reset?).saturating_sub(since_epoch);
            now.checked_add(ahead)
        };
        let mut allowances: Vec<Allowance> = Window::ALL
            .iter()
            .zip(&read.windows)
            .filter_map(|(window, told)| {
                Some(Allowance {
                    window: *window,
                    left: told.left()?,
                    limit: told.limit,
                    remaining: told.remaining,
                    resets: at(told.reset),
                })
            })
            .collect();
        if read.is_rejected && !read.spares_windows {
            let window = read.claimed();
            let resets = at(read.reset);
            match allowances.iter_mut().find(|it| it.window == window) {
                Some(allowance) => {
                    allowance.left = 0.0;
                    allowance.resets = allowance.resets.or(resets);
                }
                None => allowances.push(Allowance {
                    window,
                    left: 0.0,
                    limit: None,
                    remaining: None,
                    resets,
                }),
            }
        }
        let pays_until = read
            .pays()
            .then(|| at(read.pays_until()).unwrap_or(now + UNTOLD));
        (!allowances.is_empty() || pays_until.is_some()).then_some(Self {
            allowances,
            pays_until,
            told: now,
        })
    }

    /// What is left of each limit. A limit whose reset has passed is full.
    pub fn allowances(&self, now: Instant) -> impl Iterator<Item = Allowance> {
        self.allowances.iter().map(move |told| match told.resets {
            Some(at) if at <= now => Allowance {
                left: 1.0,
                remaining: told.limit,
                resets: None,
                ..*told
            },
            Some(_) | None => *told,
        })
    }

    /// Whether the quota is about to run dry. If several limits are, the one that lasts longest.
    pub fn dry(&self, now: Instant) -> Option<Dry> {
        let low = self
            .allowances(now)
            .filter(|allowance| allowance.left * 100.0 < DRY_PERCENT);
        let dry = low.map(|allowance| Dry {
            window: allowance.window,
            percent: (allowance.left * 100.0).clamp(0.0, 100.0) as u8,
            until: allowance.resets.unwrap_or(self.told + UNTOLD),
        });
        dry.filter(|dry| dry.until > now)
            .max_by_key(|dry| dry.until)
    }

    /// Until when what the subscription includes is spent, so that requests are refused or paid for.
    pub fn spent(&self, now: Instant) -> Option<Instant> {
        let used_up = self
            .allowances(now)
            .filter(|allowance| allowance.window.is_of_subscription() && allowance.left <= 0.0);
        used_up
            .map(|allowance| allowance.resets.unwrap_or(self.told + UNTOLD))
            .chain(self.pays_until)
            .filter(|until| *until > now)
            .max()
    }
}

/// The headers read so far.
#[derive(Default)]
struct Reading {
    windows: [Told; Window::ALL.len()],
    is_rejected: bool,
    claim: Option<Window>,
    /// What rejects is a limit of some models, or of extra usage; the windows of the account go on.
    spares_windows: bool,
    /// What rejects, or is told of first, is the limit of extra usage.
    is_of_extra_usage: bool,
    reset: Option<u64>,
    /// Extra usage paid for this answer.
    is_paid: bool,
    /// Extra usage pays for what the subscription rejects.
    may_pay: bool,
}

/// What the headers say about one limit.
#[derive(Clone, Copy, Default)]
struct Told {
    limit: Option<u64>,
    remaining: Option<u64>,
    /// How much is used, 0 to 1.
    used: Option<f64>,
    /// In seconds since 1970.
    reset: Option<u64>,
    is_rejected: bool,
}

impl Reading {
    fn take_in(&mut self, name: &str, value: &str) {
        let name = match name.strip_prefix("unified-") {
            Some("status") => {
                self.is_rejected = value == "rejected";
                return;
            }
            Some("representative-claim") => {
                self.claim = Some(Window::claimed(value));
                self.is_of_extra_usage = value == "overage";
                self.spares_windows =
                    Family::named_in(value).is_some() || value.contains("overage");
                return;
            }
            Some("overage-in-use") => {
                self.is_paid = value == "true";
                return;
            }
            Some("overage-status") => {
                self.may_pay = value.starts_with("allowed");
                return;
            }
            Some("reset") => {
                self.reset = moment(value);
                return;
            }
            Some(name) => name,
            None => name,
        };
        let Some((window, what)) = name.rsplit_once('-') else {
            return;
        };
        let Some(place) = Window::ALL
            .iter()
            .position(|known| known.as_str() == window)
        else {
            return;
        };
        let told = &mut self.windows[place];
        match what {
            "limit" => told.limit = value.parse().ok(),
            "remaining" => told.remaining = value.parse().ok(),
            "utilization" => told.used = value.parse().ok().filter(|used: &f64| used.is_finite()),
            "reset" => told.reset = moment(value),
            "status" => told.is_rejected = value == "rejected",
            _ => {}
        }
    }

    fn claimed(&self) -> Window {
        self.claim.unwrap_or(Window::FiveHours)
    }

    fn pays(&self) -> bool {
        self.is_paid || (self.is_rejected && self.may_pay)
    }

    /// The reset of the window in place of which extra usage pays. Extra usage has a reset of its own, at the
    /// end of a month, which says nothing about that.
    fn pays_until(&self) -> Option<u64> {
        if self.is_of_extra_usage {
            return None;
        }
        let windows = Window::ALL.iter().zip(&self.windows);
        let mut claimed = windows.filter(|(window, _)| **window == self.claimed());
        let own = claimed.find_map(|(_, told)| told.reset);
        self.reset.or(own)
    }
}

impl Told {
    fn left(&self) -> Option<f64> {
        if self.is_rejected {
            return Some(0.0);
        }
        let by_number = || {
            let (remaining, limit) = self.remaining.zip(self.limit)?;
            (limit > 0).then(|| remaining as f64 / limit as f64)
        };
        let left = self.used.map(|used| 1.0 - used).or_else(by_number)?;
        Some(left.clamp(0.0, 1.0))
    }
}

/// Seconds since 1970, from a number or from an RFC 3339 date.
fn moment(text: &str) -> Option<u64> {
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let mark =
        |at: usize, expected: &[u8]| expected.contains(text.as_bytes().get(at)?).then_some(());
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    mark(4, b"-").and(mark(7, b"-")).and(mark(10, b"Tt "))?;
    mark(13, b":").and(mark(16, b":"))?;
    let in_range = (1..=12).contains(&month) && (1..=31).contains(&day);
    if !in_range || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let zone = text
        .get(19..)?
        .trim_start_matches(['.', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    u64::try_from(seconds - offset(zone)?).ok()
}

/// How many seconds a time zone is ahead of UTC.
fn offset(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = match zone.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// Days from 1970-01-01 to a date of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // The year begins in March here, so that the leap day is its last day.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::disallowed_methods,
        reason = "tests need one instant to start from"
    )]

    use super::*;

    /// 2026-11-21T12:00:00Z.
    const NOON: Duration = Duration::from_secs(1_795_262_400);
    const MINUTE: Duration = Duration::from_secs(60);

    fn read(headers: &[(&'static str, &'static str)], now: Instant) -> Option<Quota> {
        Quota::read(headers.iter().copied(), now, NOON)
    }

    #[test]
    fn the_limits_of_a_key_are_read_with_their_resets() {
        let now = Instant::now();

        let quota = read(
            &[
                ("anthropic-ratelimit-requests-limit", "50"),
                ("anthropic-ratelimit-requests-remaining", "49"),
                ("anthropic-ratelimit-requests-reset", "2026-11-21T12:01:00Z"),
                ("anthropic-ratelimit-input-tokens-remaining", "7"),
                ("request-id", "req_1"),
            ],
            now,
        );

        let expected = Allowance {
            window: Window::Requests,
            left: 0.98,
            limit: Some(50),
            remaining: Some(49),
            resets: Some(now + MINUTE),
        };
        let quota = quota.unwrap();
        assert_eq!(quota.allowances(now).collect::<Vec<_>>(), [expected]);
        assert_eq!(quota.dry(now), None);
    }

    #[test]
    fn the_windows_of_a_subscription_are_read() {
        let now = Instant::now();

        let quota = read(
            &[
                ("anthropic-ratelimit-unified-status", "allowed_warning"),
                ("anthropic-ratelimit-unified-5h-utilization", "0.25"),
                ("anthropic-ratelimit-unified-5h-reset", "1795262460"),
                ("anthropic-ratelimit-unified-7d-utilization", "0.97"),
                ("anthropic-ratelimit-unified-7d-reset", "1795262520"),
            ],
            now,
        )
        .unwrap();

        let left: Vec<_> = quota
            .allowances(now)
            .map(|it| (it.window.as_str(), it.left))
            .collect();
        assert_eq!(left[0], ("5h", 0.75));
        let dry = Dry {
            window: Window::SevenDays,
            percent: 3,
            until: now + 2 * MINUTE,
        };
        assert_eq!(quota.dry(now), Some(dry));
        assert_eq!(quota.dry(now + 2 * MINUTE), None);
        assert!(quota.allowances(now + 2 * MINUTE).all(|it| it.left == 1.0));
    }

    #[test]
    fn a_subscription_that_rejects_is_dry_whatever_its_windows_say() {
        let now = Instant::now();
        let rejected = ("anthropic-ratelimit-unified-status", "rejected");
        let reset = ("anthropic-ratelimit-unified-reset", "1795262460");
        let claim = (
            "anthropic-ratelimit-unified-representative-claim",
            "seven_day",
        );
        let used = ("anthropic-ratelimit-unified-7d-utilization", "0.5");

        let dry = |headers: &[_]| {
            let dry = read(headers, now).unwrap().dry(now).unwrap();
            (dry.window, dry.percent, dry.until - now)
        };

        assert_eq!(dry(&[rejected, reset]), (Window::FiveHours, 0, MINUTE));
        assert_eq!(
            dry(&[rejected, reset, claim, used]),
            (Window::SevenDays, 0, MINUTE)
        );
    }

    #[test]
    fn a_limit_of_one_family_leaves_the_windows_of_the_account_as_they_are() {
        let now = Instant::now();

        let quota = read(
            &[
                ("anthropic-ratelimit-unified-status", "rejected"),
                (
                    "anthropic-ratelimit-unified-representative-claim",
                    "seven_day_opus",
                ),
                ("anthropic-ratelimit-unified-reset", "1795262460"),
                ("anthropic-ratelimit-unified-5h-utilization", "0.31"),
            ],
            now,
        )
        .unwrap();

        let left: Vec<_> = quota
            .allowances(now)
            .map(|it| (it.window, it.left))
            .collect();
        assert_eq!(left, [(Window::FiveHours, 0.69)]);
        assert_eq!(quota.dry(now), None);
    }

    #[test]
    fn what_a_subscription_includes_is_spent_until_the_reset_of_the_window_that_is_used_up() {
        let now = Instant::now();
        const HOUR: u64 = 3600;
        let unified = |lines: &str| -> Option<u64> {
            let headers: Vec<_> = lines
                .split(", ")
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (format!("anthropic-ratelimit-unified-{name}"), value))
                .collect();
            let headers = headers.iter().map(|(name, value)| (name.as_str(), *value));
            let until = Quota::read(headers, now, NOON)?.spent(now)?;
            Some((until - now).as_secs())
        };
        let (in_1_h, in_9_h) = ("1795266000", "1795294800");

        for (says, lasts) in [
            (
                format!("5h-utilization: 1.0, 5h-reset: {in_1_h}"),
                Some(HOUR),
            ),
            (
                format!("5h-utilization: 1.02, 5h-reset: {in_1_h}"),
                Some(HOUR),
            ),
            (
                format!("7d-status: rejected, 7d-reset: {in_9_h}"),
                Some(9 * HOUR),
            ),
            (
                format!(
                    "5h-utilization: 1, 5h-reset: {in_1_h}, 7d-utilization: 1, 7d-reset: {in_9_h}"
                ),
                Some(9 * HOUR),
            ),
            (
                format!("status: rejected, representative-claim: five_hour, reset: {in_1_h}"),
                Some(HOUR),
            ),
            (
                format!(
                    "status: rejected, overage-status: allowed, representative-claim: seven_day, reset: {in_9_h}"
                ),
                Some(9 * HOUR),
            ),
            (
                format!(
                    "status: allowed, overage-in-use: true, representative-claim: five_hour, 5h-reset: {in_1_h}"
                ),
                Some(HOUR),
            ),
            (
                // The end of the month is no reset of a window.
                format!(
                    "status: allowed, overage-in-use: true, representative-claim: overage, reset: {in_9_h}"
                ),
                Some(60),
            ),
            ("overage-in-use: true".to_owned(), Some(60)),
            ("7d-utilization: 1.0".to_owned(), Some(60)),
            (format!("5h-utilization: 0.99, 5h-reset: {in_1_h}"), None),
            ("5h-utilization: 1.0, 5h-reset: 1795262399".to_owned(), None),
            (
                format!("status: rejected, representative-claim: seven_day_opus, reset: {in_9_h}"),
                None,
            ),
            (
                format!(
                    "status: rejected, overage-status: rejected, representative-claim: overage, reset: {in_9_h}"
                ),
                None,
            ),
            (
                "status: allowed, overage-status: allowed, overage-in-use: false".to_owned(),
                None,
            ),
        ] {
            assert_eq!(unified(&says), lasts, "{says}");
        }
    }

    #[test]
    fn a_key_without_requests_left_has_no_subscription_to_spend() {
        let now = Instant::now();
        let headers = [
            ("anthropic-ratelimit-requests-limit", "50"),
            ("anthropic-ratelimit-requests-remaining", "0"),
        ];

        assert_eq!(read(&headers, now).unwrap().spent(now), None);
    }

    #[test]
    fn a_limit_without_a_reset_is_low_for_a_minute() {
        let now = Instant::now();
        let headers = [
            ("anthropic-ratelimit-tokens-limit", "1000"),
            ("anthropic-ratelimit-tokens-remaining", "49"),
        ];

        let quota = read(&headers, now).unwrap();

        assert_eq!(quota.dry(now).map(|dry| dry.percent), Some(4));
        assert_eq!(quota.dry(now + MINUTE), None);
    }

    #[test]
    fn what_says_nothing_is_no_quota() {
        let now = Instant::now();

        for headers in [
            &[][..],
            &[("anthropic-ratelimit-requests-remaining", "3")],
            &[("anthropic-ratelimit-requests-limit", "many")],
            &[("anthropic-ratelimit-unified-5h-utilization", "NaN")],
            &[
                ("anthropic-ratelimit-", "x"),
                ("anthropic-ratelimit-unified-", "x"),
            ],
        ] {
            assert_eq!(read(headers, now), None, "{headers:?}");
        }
    }

    #[test]
    fn dates_of_rfc_3339_are_moments() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2000-02-29T12:34:56Z", Some(951_827_696)),
            ("2026-11-21T12:00:00.123456Z", Some(1_795_262_400)),
            ("2026-11-21T20:00:00+08:00", Some(1_795_262_400)),
            ("2026-11-21T07:30:00-04:30", Some(1_795_262_400)),
            ("1795262400", Some(1_795_262_400)),
            ("2026-13-21T12:00:00Z", None),
            ("2026-11-21T12:00:00", None),
            ("2026-11-21 12", None),
            ("soon", None),
            ("", None),
            ("２０２６-11-21T12:00:00Z", None),
        ] {
            assert_eq!(moment(text), seconds, "{text}");
        }
    }
}

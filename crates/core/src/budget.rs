//! The retry budget: further attempts may be at most a share of the recent requests.
//!
//! When everything fails, retries multiply the load at the worst moment. So each request pays in a share of
//! an attempt, and each further attempt takes out a whole one. Unused shares fade within seconds. A small
//! reserve lets a quiet proxy still retry (Envoy: 20 %, at least 3; linkerd: 20 % and 10 per second).

use std::time::{Duration, Instant};

/// How long a deposit counts.
const WINDOW: Duration = Duration::from_secs(10);
/// Further attempts that are always possible within one window.
const RESERVE: f64 = 3.0;

/// What is left for further attempts.
#[derive(Clone, Debug)]
pub struct RetryBudget {
    share: f64,
    deposits: f64,
    withdrawals: f64,
    faded_at: Option<Instant>,
}

impl RetryBudget {
    /// A budget of `percent` of recent requests; 0 allows no further attempt at all.
    pub fn new(percent: u32) -> Self {
        Self {
            share: f64::from(percent) / 100.0,
            deposits: 0.0,
            withdrawals: 0.0,
            faded_at: None,
        }
    }

    /// Changes the share and keeps what was paid in.
    pub fn set_percent(&mut self, percent: u32) {
        self.share = f64::from(percent) / 100.0;
    }

    /// A request came.
    pub fn deposit(&mut self, now: Instant) {
        self.fade(now);
        self.deposits += 1.0;
    }

    /// Takes one further attempt out. Returns whether there was one.
    #[must_use]
    pub fn withdraw(&mut self, now: Instant) -> bool {
        self.fade(now);
        let reserve = if self.share > 0.0 { RESERVE } else { 0.0 };
        let allowed = self.withdrawals + 1.0 <= self.deposits * self.share + reserve;
        if allowed {
            self.withdrawals += 1.0;
        }
        allowed
    }

    /// Deposits and withdrawals both halve every half window, so a storm is forgotten as fast as the traffic.
    fn fade(&mut self, now: Instant) {
        if let Some(at) = self.faded_at {
            let age = now.saturating_duration_since(at).as_secs_f64();
            let keep = 0.5_f64.powf(age / (WINDOW.as_secs_f64() / 2.0));
            self.deposits *= keep;
            self.withdrawals *= keep;
        }
        self.faded_at = Some(now);
    }
}

/// Second attempts beside a late first one may be at most a share of all requests.
///
/// Unlike retries they double the load of an endpoint that is only slow. So nothing fades here: each request
/// pays in its share, up to [`HedgeBudget::MOST`], and each second attempt takes out a whole one. A new
/// budget is full, because what hangs is first met by the first requests.
#[derive(Clone, Debug)]
pub struct HedgeBudget {
    share: f64,
    left: f64,
}

impl HedgeBudget {
    /// The most second attempts that are saved up.
    pub const MOST: f64 = 3.0;

    /// A budget of `percent` of all requests; 0 allows none.
    pub fn new(percent: u32) -> Self {
        Self {
            share: f64::from(percent) / 100.0,
            left: Self::MOST,
        }
    }

    /// Changes the share and keeps what was paid in.
    pub fn set_percent(&mut self, percent: u32) {
        self.share = f64::from(percent) / 100.0;
    }

    /// A request came.
    pub fn deposit(&mut self) {
        self.left = (self.left + self.share).min(Self::MOST);
    }

    /// Takes one second attempt out. Returns whether there was one.
    #[must_use]
    pub fn withdraw(&mut self) -> bool {
        let allowed = self.share > 0.0 && self.left >= 1.0;
        if allowed {
            self.left -= 1.0;
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::disallowed_methods,
        reason = "tests need one instant to start from"
    )]

    use super::*;

    #[test]
    fn a_quiet_proxy_has_its_reserve() {
        let now = Instant::now();
        let mut budget = RetryBudget::new(20);

        let granted = (0..10).filter(|_| budget.withdraw(now)).count();

        assert_eq!(granted, 3);
    }

    #[test]
    fn a_storm_gets_a_fifth_of_its_requests_and_the_reserve() {
        let now = Instant::now();
        let mut budget = RetryBudget::new(20);
        for _ in 0..100 {
            budget.deposit(now);
        }

        let granted = (0..100).filter(|_| budget.withdraw(now)).count();

        assert_eq!(granted, 23);
    }

    #[test]
    fn a_spent_budget_returns_with_time() {
        let now = Instant::now();
        let mut budget = RetryBudget::new(20);
        while budget.withdraw(now) {}

        assert!(budget.withdraw(now + WINDOW));
    }

    #[test]
    fn zero_percent_means_none() {
        let mut budget = RetryBudget::new(0);

        assert!(!budget.withdraw(Instant::now()));
    }

    #[test]
    fn second_attempts_are_a_share_of_all_requests_and_a_few_saved_up() {
        let mut budget = HedgeBudget::new(5);

        let granted = (0..1000).filter(|_| {
            budget.deposit();
            budget.withdraw()
        });

        assert!((50..=53).contains(&granted.count()));
        assert!(!HedgeBudget::new(0).withdraw());
    }
}

//! An amount of money.

use std::iter::Sum;
use std::ops::{Add, AddAssign};

use serde::{Deserialize, Serialize};

const BILLION: f64 = 1e9;
/// In billionths of a dollar: less than any price, but more than the rounding error of floats.
const HARDLY_ANYTHING: f64 = 1e-6;

/// An amount of money, in billionths of a US dollar.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Cost(u64);

impl Cost {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// So many dollars. A negative number, or not a number, counts as none.
    pub fn from_usd(usd: f64) -> Self {
        // The cast saturates, and NaN becomes zero.
        Self((usd * BILLION).round() as u64)
    }

    /// Rounds up, so that no cost becomes zero. Rounding errors of floats are not rounded up.
    pub(super) fn rounded_up(usd: f64) -> Self {
        Self((usd * BILLION - HARDLY_ANYTHING).ceil() as u64)
    }

    /// This many billionths of a dollar.
    pub const fn from_billionths(billionths: u64) -> Self {
        Self(billionths)
    }

    /// In billionths of a dollar.
    pub const fn billionths(self) -> u64 {
        self.0
    }

    /// In dollars.
    pub fn usd(self) -> f64 {
        self.0 as f64 / BILLION
    }
}

impl Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Cost {
    fn sum<I: Iterator<Item = Self>>(costs: I) -> Self {
        costs.fold(Self::ZERO, Add::add)
    }
}

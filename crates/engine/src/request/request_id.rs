//! The id of one request. It is in the log lines and spans of the request, in `x-zephyr-request-id` of its
//! answer, and in the body of an error of ours.
//!
//! An endpoint's own `request-id` is another header and passes unchanged.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use http::HeaderValue;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId {
    run: u32,
    number: u64,
}

/// Gives out the ids of one run of the program.
#[derive(Debug)]
pub struct RequestIds {
    /// A random number for this run, so that ids from an older log do not come again.
    run: u32,
    last: AtomicU64,
}

impl RequestIds {
    pub fn new() -> Self {
        let random = RandomState::new().hash_one(std::process::id());
        Self {
            run: u32::try_from(random >> 32).unwrap_or_default(),
            last: AtomicU64::new(0),
        }
    }

    pub fn next(&self) -> RequestId {
        RequestId {
            run: self.run,
            number: self.last.fetch_add(1, Ordering::Relaxed) + 1,
        }
    }
}

impl RequestId {
    /// Its number within its run.
    pub fn number(self) -> u64 {
        self.number
    }

    pub fn header(self) -> HeaderValue {
        HeaderValue::from_str(self.written().as_str())
            .expect("hexadecimal digits are valid in a header")
    }

    /// Its digits: those of the run, then six or more of the number. It is written by hand, because every
    /// request writes its id several times and `fmt` is slower.
    fn written(self) -> Written {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digits_of_number = (self.number.max(1).ilog2() / 4 + 1).max(6) as usize;
        let length = 8 + digits_of_number;
        let mut digits = [b'0'; LONGEST];
        let all = u128::from(self.run) << (4 * digits_of_number) | u128::from(self.number);
        for (place, digit) in digits[..length].iter_mut().rev().enumerate() {
            *digit = DIGITS[(all >> (4 * place)) as usize % DIGITS.len()];
        }
        Written { digits, length }
    }
}

/// Digits of the longest id.
const LONGEST: usize = 8 + 16;

struct Written {
    digits: [u8; LONGEST],
    length: usize,
}

impl Written {
    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.digits[..self.length]).expect("hexadecimal digits are ASCII")
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.written().as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_differ_within_a_run_and_between_runs() {
        let (one, other) = (RequestIds::new(), RequestIds::new());

        let names = [one.next(), one.next(), other.next()].map(|id| id.to_string());

        assert_eq!(names[0].len(), 14);
        assert_ne!(names[0], names[1]);
        assert_ne!(names[0], names[2]);
        assert_eq!(one.next().header().to_str().unwrap().len(), 14);
    }

    #[test]
    fn a_name_is_its_run_and_its_number_in_hexadecimal() {
        for (run, number) in [
            (0xbad_cafe, 1),
            (0, 0),
            (u32::MAX, 0xff_ffff),
            (7, 0x100_0000),
            (u32::MAX, u64::MAX),
        ] {
            let id = RequestId { run, number };

            assert_eq!(id.to_string(), format!("{run:08x}{number:06x}"));
            assert_eq!(id.header(), id.to_string());
        }
    }
}

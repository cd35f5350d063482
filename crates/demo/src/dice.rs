//! Numbers that look random and follow from a seed (SplitMix64).

pub(crate) struct Dice(u64);

impl Dice {
    /// The dice of one request.
    pub(crate) fn new(seed: u64, request: u64) -> Self {
        let mut dice = Self(seed);
        dice.0 ^= dice.next() ^ request;
        dice
    }

    /// From 0 to 1.
    pub(crate) fn fraction(&mut self) -> f64 {
        let high = u32::try_from(self.next() >> 32).unwrap_or(u32::MAX);
        f64::from(high) / f64::from(u32::MAX)
    }

    pub(crate) fn choice<'c>(&mut self, of: &[&'c str]) -> &'c str {
        let at = self.next() % u64::try_from(of.len()).unwrap_or(u64::MAX);
        of[usize::try_from(at).unwrap_or_default()]
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_throws_the_same_dice() {
        let throws = |seed| {
            (0..5)
                .map(|n| Dice::new(seed, n).next())
                .collect::<Vec<_>>()
        };
        assert_eq!(throws(7), throws(7));
        assert_ne!(throws(7), throws(8));
    }
}

//! Medians and percentiles.

/// The value below which `percent` of the values lie; zero if there are none.
pub(crate) fn percentile(values: &mut [f64], percent: f64) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    values.sort_by(f64::total_cmp);
    let last = values.len() - 1;
    let at = (last as f64 * percent / 100.0).round();
    values[(at as usize).min(last)]
}

/// The middle one.
pub(crate) fn median(values: &[f64]) -> f64 {
    percentile(&mut values.to_vec(), 50.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_do_not_need_an_order() {
        let mut values: Vec<f64> = (0..=100).rev().map(f64::from).collect();

        assert_eq!(percentile(&mut values, 99.0), 99.0);
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[]), 0.0);
    }
}

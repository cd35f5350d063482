//! A request's name, as in `x-zephyr-request-id`. It is stored as two columns: the run of the program, a
//! string that all its requests share, and the request's number in that run.

/// The run and the number. A name of another form is a run without a number.
pub(crate) fn name_of(request: &str) -> (&str, Option<i64>) {
    let parts = request.rsplit_once('-').and_then(|(run, number)| {
        let digits = number.bytes().all(|byte| byte.is_ascii_digit());
        let is_plain = digits && !number.starts_with('0') && !run.is_empty();
        Some((run, number.parse().ok().filter(|_| is_plain)?))
    });
    match parts {
        Some((run, number)) => (run, Some(number)),
        None => (request, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_would_not_read_back_the_same_has_no_number() {
        assert_eq!(name_of("0badcafe-12"), ("0badcafe", Some(12)));
        for name in ["0badcafe", "0badcafe-012", "-12", "a-+1", "a-", ""] {
            assert_eq!(name_of(name), (name, None));
        }
    }
}

//! Finds the endpoint that a person means by the name they typed.
//!
//! The exact name counts, or else the only name that differs in case. Zephyr never guesses further, because
//! the wrong endpoint may cost money. The error offers the nearest name.

use std::fmt;

/// No endpoint has that name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnknownName {
    pub(crate) typed: String,
    /// The endpoint that is probably meant.
    pub(crate) nearest: Option<String>,
    /// All endpoints.
    pub(crate) endpoints: Vec<String>,
}

impl std::error::Error for UnknownName {}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no endpoint is named {}; ", self.typed)?;
        if let Some(nearest) = &self.nearest {
            write!(f, "did you mean {nearest}? ")?;
        }
        match self.endpoints.as_slice() {
            [] => f.write_str("none is configured"),
            endpoints => write!(f, "endpoints: {}", endpoints.join(", ")),
        }
    }
}

/// The endpoint with the name `typed`.
///
/// # Errors
///
/// If there is none, or if several differ from it only in case.
pub(crate) fn resolve<'a>(
    typed: &str,
    endpoints: impl IntoIterator<Item = &'a str>,
) -> Result<&'a str, UnknownName> {
    let endpoints: Vec<_> = endpoints.into_iter().collect();
    if let Some(exact) = endpoints.iter().find(|name| **name == typed) {
        return Ok(exact);
    }
    let folded = typed.to_lowercase();
    let mut alike = endpoints
        .iter()
        .filter(|name| name.to_lowercase() == folded);
    if let (Some(only), None) = (alike.next(), alike.next()) {
        return Ok(only);
    }
    Err(UnknownName {
        typed: typed.to_owned(),
        nearest: nearest(&folded, &endpoints).map(str::to_owned),
        endpoints: endpoints.into_iter().map(str::to_owned).collect(),
    })
}

fn nearest<'a>(folded: &str, endpoints: &[&'a str]) -> Option<&'a str> {
    /// Less similar names are not offered.
    const ALIKE: f64 = 0.75;
    endpoints
        .iter()
        .map(|name| (strsim::jaro_winkler(folded, &name.to_lowercase()), *name))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exact_name_counts_before_one_of_another_case() {
        assert_eq!(resolve("hk", ["HK", "hk"]), Ok("hk"));
        assert_eq!(resolve("HK", ["HK", "hk"]), Ok("HK"));
    }

    #[test]
    fn case_does_not_matter_where_one_name_is_meant() {
        assert_eq!(resolve("tokyo", ["HK", "Tokyo"]), Ok("Tokyo"));
        assert!(resolve("Hk", ["HK", "hk"]).is_err());
    }

    #[test]
    fn a_near_miss_is_offered_and_never_taken() {
        let error = resolve("Tokio", ["HK", "Tokyo"]).unwrap_err();

        assert_eq!(
            error.to_string(),
            "no endpoint is named Tokio; did you mean Tokyo? endpoints: HK, Tokyo"
        );
    }

    #[test]
    fn a_far_miss_lists_what_there_is() {
        let error = resolve("Frankfurt", ["HK", "Tokyo"]).unwrap_err();

        assert_eq!(
            error.to_string(),
            "no endpoint is named Frankfurt; endpoints: HK, Tokyo"
        );
        assert_eq!(
            resolve("HK", []).unwrap_err().to_string(),
            "no endpoint is named HK; none is configured"
        );
    }
}

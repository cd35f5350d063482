//! What is wrong with an endpoint's certificate, as far as the certificate itself says it.

/// A certificate that this machine does not trust for the endpoint's host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadCertificate {
    /// Why not.
    pub why: Distrust,
    /// Who issued it.
    pub issuer: String,
    /// Its last day, as `2027-01-31`.
    pub last_day: String,
}

impl BadCertificate {
    /// Whether it looks like that of a stranger in between, such as a portal that asks for a login. One of
    /// the wrong time does not, because this machine's clock may be wrong.
    pub(crate) fn is_of_a_stranger(&self) -> bool {
        match self.why {
            Distrust::OtherNames { .. } | Distrust::UnknownIssuer => true,
            Distrust::Expired | Distrust::NotYetValid { .. } | Distrust::Other(_) => false,
        }
    }
}

/// Why a certificate is not trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Distrust {
    /// Its last day is over.
    Expired,
    /// Its first day, as `2027-01-31`, is still to come.
    NotYetValid {
        /// That day.
        first_day: String,
    },
    /// It was issued for other hosts.
    OtherNames {
        /// Their names, a few of them.
        names: String,
    },
    /// This machine does not trust whoever issued it.
    UnknownIssuer,
    /// Something else, in the words of the system.
    Other(String),
}

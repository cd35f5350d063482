//! What is wrong with an endpoint's certificate, as far as the certificate itself shows it.

/// A certificate that this machine does not trust for the endpoint's host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadCertificate {
    /// Why it is not trusted.
    pub why: Distrust,
    /// The issuer.
    pub issuer: String,
    /// The last day on which it is valid, as `2027-01-31`.
    pub last_day: String,
}

impl BadCertificate {
    /// Whether the certificate looks like that of a third party, such as a portal that asks for a login. A
    /// certificate outside its dates does not, because this machine's clock may be wrong.
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
    /// Its last day has passed.
    Expired,
    /// Its first day has not come yet.
    NotYetValid {
        /// That day, as `2027-01-31`.
        first_day: String,
    },
    /// It was issued for other hosts.
    OtherNames {
        /// Some of those hosts.
        names: String,
    },
    /// This machine does not trust the issuer.
    UnknownIssuer,
    /// Another reason, in the words of the system.
    Other(String),
}

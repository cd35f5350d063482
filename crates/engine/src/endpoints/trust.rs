//! Which certificates are trusted: those that the system trusts. If a certificate is not trusted, this module
//! notes what is wrong with it, because the system's own message names neither issuer nor day.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};
use rustls_platform_verifier::Verifier;
use zephyr_core::certificate::{BadCertificate, Distrust};

use super::certificate::Certificate;

/// Asks the system, and notes what is wrong.
#[derive(Debug)]
pub(super) struct Noting(pub(super) Verifier);

/// What is wrong with the certificate that this error is about. `None`: it is not about a certificate, or the
/// certificate cannot be read.
pub fn bad_certificate(error: &(dyn StdError + 'static)) -> Option<BadCertificate> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(Error::InvalidCertificate(CertificateError::Other(OtherError(noted)))) =
            error.downcast_ref()
        {
            return noted.downcast_ref().map(|Note(bad)| bad.clone());
        }
        // The source of an IO error skips the error that it wraps, so that one is taken first.
        let inside = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        next = match inside {
            Some(inside) => Some(inside),
            None => error.source(),
        };
    }
    None
}

/// Carries what is wrong inside an error of the handshake.
#[derive(Debug)]
struct Note(BadCertificate);

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the certificate of {} is not trusted", self.0.issuer)
    }
}

impl StdError for Note {}

fn note(der: &[u8], wrong: CertificateError) -> CertificateError {
    let Some(certificate) = Certificate::read(der) else {
        return wrong;
    };
    let why = if is_expired(&wrong) {
        Distrust::Expired
    } else if is_not_valid_yet(&wrong) {
        Distrust::NotYetValid {
            first_day: certificate.first_day,
        }
    } else if is_of_others(&wrong) {
        Distrust::OtherNames {
            names: certificate.names,
        }
    } else if wrong == CertificateError::UnknownIssuer {
        Distrust::UnknownIssuer
    } else {
        Distrust::Other(wrong.to_string())
    };
    let bad = BadCertificate {
        why,
        issuer: certificate.issuer,
        last_day: certificate.last_day,
    };
    CertificateError::Other(OtherError(Arc::new(Note(bad))))
}

fn is_expired(wrong: &CertificateError) -> bool {
    matches!(
        wrong,
        CertificateError::Expired | CertificateError::ExpiredContext { .. }
    )
}

fn is_not_valid_yet(wrong: &CertificateError) -> bool {
    matches!(
        wrong,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. }
    )
}

fn is_of_others(wrong: &CertificateError) -> bool {
    matches!(
        wrong,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
    )
}

impl ServerCertVerifier for Noting {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.0
            .verify_server_cert(own, intermediates, host, ocsp_response, now)
            .map_err(|error| {
                if let Error::InvalidCertificate(wrong) = error {
                    Error::InvalidCertificate(note(own, wrong))
                } else {
                    error
                }
            })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, own, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, own, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

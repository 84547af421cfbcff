//! Why there is no answer, for people, and what they can do about it.

use rustls::CertificateError;

use super::error::{causes, chain};
use super::{Address, Error, Words};

/// What became of a request to `own`, or to who it named. `has_answered`: it was spoken to as it wants to be before.
pub(super) fn unreachable(own: &Address, words: Words, has_answered: bool, error: &reqwest::Error) -> Error {
    let asked = error.url().and_then(|url| Address::parse(&url.origin().ascii_serialization(), false).ok());
    let address = asked.as_ref().unwrap_or(own);
    let tls = chain(error).find_map(|cause| cause.downcast_ref::<rustls::Error>());
    // What people say of a server does not hold for those that it names.
    let tls = tls.filter(|_| address.host() == own.host());
    let (problem, next) = match tls {
        Some(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
            let problem = "its certificate is from an authority that is not known here";
            (problem.into(), words.own_authority(address))
        }
        Some(rustls::Error::InvalidCertificate(_)) => (causes(error), words.believe_anyway(address)),
        Some(rustls::Error::InvalidMessage(_)) => ("it does not answer in TLS".into(), words.in_clear(address)),
        _ => (causes(error), untold(address, has_answered, error).into()),
    };
    let is_distrusted = matches!(tls, Some(rustls::Error::InvalidCertificate(_)));
    Error::Unreachable { server: address.to_string(), problem, next, is_distrusted }
}

/// What to do about what TLS has no part in, or says nothing of.
fn untold(address: &Address, has_answered: bool, error: &reqwest::Error) -> &'static str {
    match error {
        _ if error.is_timeout() => "; nothing came in time: check address and network, and try again",
        _ if error.is_connect() => "; check the address, and that it runs",
        _ if address.is_clear() && !has_answered => "; if it speaks TLS, say https://, else try again",
        _ => "; try again",
    }
}

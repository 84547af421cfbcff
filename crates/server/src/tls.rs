//! The server's certificate: loaded with errors that say what to mend, swapped while serving, or made here.
//!
//! A certificate that is in use is only ever replaced by one that loads and fits its key.

mod files;
mod guide;
mod reload;
mod self_signed;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{InconsistentKeys, ServerConfig};

pub use reload::Reloader;
pub use self_signed::{SelfSigned, self_signed};

/// Why there is no usable certificate.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("{} {problem}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong and what was expected.
        problem: String,
    },
    /// Both files are well formed, and belong to different keys.
    #[error("the private key in {} does not belong to the first certificate in {}: put the server's own certificate first, and the key it was made for beside it", key.display(), certificate.display())]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// Making a certificate failed.
    #[error("cannot make a certificate: {0}")]
    Make(#[from] rcgen::Error),
    /// rustls refuses the set-up.
    #[error("TLS cannot be set up: {0}")]
    Rustls(#[from] rustls::Error),
}

/// Reads a certificate chain (PEM, the server's own first) and its private key (PEM: PKCS #8, PKCS #1 or SEC 1).
///
/// An expired certificate is loaded with a warning: clients' clocks and rules are theirs.
pub fn load(certificate: &Path, key: &Path) -> Result<Arc<CertifiedKey>, TlsError> {
    let chain = read_chain(certificate)?;
    let signing = read_key(key)?;
    if let Some(doubt) = out_of_date(certificate, &chain[0])? {
        tracing::warn!("{doubt}");
    }
    match CertifiedKey::from_der(chain, signing, &provider()) {
        Ok(certified) => Ok(Arc::new(certified)),
        Err(rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
            Err(TlsError::Mismatch { certificate: certificate.into(), key: key.into() })
        }
        Err(error) => Err(content(key, format!("holds a private key that cannot be used: {error}"))),
    }
}

/// TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1, with whatever certificate `certificates` holds at the time.
pub fn server_config(certificates: Arc<Reloader>) -> Result<Arc<ServerConfig>, TlsError> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider()))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_no_client_auth()
        .with_cert_resolver(certificates);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn provider() -> rustls::crypto::CryptoProvider {
    rustls::crypto::aws_lc_rs::default_provider()
}

fn content(path: &Path, problem: impl Into<String>) -> TlsError {
    TlsError::Content { path: path.into(), problem: problem.into() }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::Read { path: path.into(), source })
}

/// Never empty.
fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&read(path)?)
        .collect::<Result<_, _>>()
        .map_err(|error| content(path, format!("is not readable as PEM: {error}")))?;
    if chain.is_empty() {
        return Err(content(path, "holds no certificate: expected PEM with -----BEGIN CERTIFICATE-----"));
    }
    Ok(chain)
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let text = read(path)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| match error {
        pem::Error::NoItemsFound if find(&text, b"BEGIN ENCRYPTED PRIVATE KEY") => {
            content(path, "holds an encrypted private key: decrypt it first (openssl pkey -in … -out …)")
        }
        pem::Error::NoItemsFound => {
            content(path, "holds no private key: expected PEM with -----BEGIN PRIVATE KEY-----")
        }
        error => content(path, format!("is not readable as PEM: {error}")),
    })
}

fn find(text: &[u8], what: &[u8]) -> bool {
    text.windows(what.len()).any(|window| window == what)
}

/// Why clients would refuse the server's own certificate in that PEM file today, if they would.
pub fn doubt(certificate: &Path) -> Result<Option<String>, TlsError> {
    out_of_date(certificate, &read_chain(certificate)?[0])
}

fn out_of_date(path: &Path, certificate: &CertificateDer<'_>) -> Result<Option<String>, TlsError> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate)
        .map_err(|error| content(path, format!("holds a certificate that cannot be read: {error}")))?;
    let (validity, now) = (parsed.validity(), unix_seconds(now()));
    let problem = if validity.not_after.timestamp() < now {
        format!("expired on {}", validity.not_after)
    } else if validity.not_before.timestamp() > now {
        format!("is not valid before {}", validity.not_before)
    } else {
        return Ok(None);
    };
    Ok(Some(format!("the certificate {} {problem}: clients will refuse it", path.display())))
}

#[expect(
    clippy::disallowed_methods,
    reason = "certificates are judged by the wall clock, and `server` is where that is read"
)]
fn now() -> SystemTime {
    SystemTime::now()
}

fn unix_seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;

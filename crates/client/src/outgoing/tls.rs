//! Whom to believe: the system's authorities and those that the operator adds.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use super::Error;

/// Authorities besides the system's.
#[derive(Clone, Debug, Default)]
pub struct Roots(Vec<CertificateDer<'static>>);

impl Roots {
    /// The certificates in a PEM file's text.
    pub fn from_pem(pem: &[u8]) -> Result<Self, Error> {
        let found = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
        let found = found.map_err(|error| Error::Tls(format!("the file is not PEM: {error}")))?;
        if found.is_empty() {
            return Err(Error::Tls("the file holds no certificate".into()));
        }
        let mut store = RootCertStore::empty();
        for certificate in &found {
            store.add(certificate.clone()).map_err(|error| Error::Tls(error.to_string()))?;
        }
        Ok(Self(found))
    }

    /// A machine without any authorities is no error here: it may have none to ask over TLS.
    pub(super) fn client_config(&self) -> Result<ClientConfig, Error> {
        let mut store = RootCertStore::empty();
        let system = rustls_native_certs::load_native_certs();
        for error in &system.errors {
            tracing::warn!(%error, "an authority of the system's cannot be read");
        }
        store.add_parsable_certificates(system.certs);
        store.add_parsable_certificates(self.0.iter().cloned());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.map_err(|error| Error::Tls(error.to_string()))?;
        Ok(builder.with_root_certificates(store).with_no_client_auth())
    }
}

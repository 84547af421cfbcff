//! TLS for the fake, which may let in only who shows a certificate.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use tokio_rustls::TlsAcceptor;

/// What a client needs, as PEM.
pub struct Certificates {
    /// What the fake's own certificate is from.
    pub authority: String,
    /// What it wants to be shown.
    pub client: String,
    /// The key of that.
    pub client_key: String,
}

pub(super) fn acceptor(asks: bool) -> (TlsAcceptor, Certificates) {
    let make = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        rcgen::generate_simple_self_signed(names).expect("a certificate")
    };
    let (own, client) = (make(&["127.0.0.1", "localhost"]), make(&["jane"]));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(client.cert.der().clone()).expect("an authority");
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()));
    let versions = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let versions = versions.expect("versions");
    let config = if asks {
        versions.with_client_cert_verifier(verifier.expect("a verifier"))
    } else {
        versions.with_no_client_auth()
    };
    let config = config.with_single_cert(vec![own.cert.der().clone()], key).expect("a configuration");
    let certificates = Certificates {
        authority: own.cert.pem(),
        client: client.cert.pem(),
        client_key: client.signing_key.serialize_pem(),
    };
    (TlsAcceptor::from(Arc::new(config)), certificates)
}

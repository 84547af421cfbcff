//! `[tls]`

use std::path::PathBuf;

use super::setting::section;
use super::value::HostName;

section! {
    /// Encryption of the TCP listeners; unix sockets stay plain. Without a certificate the registry speaks HTTP.
    pub struct Tls in [tls] {
        /// PEM file of the certificate, followed by its intermediates. Read again when it changes and on SIGHUP.
        certificate: Option<PathBuf> = None => flag("--tls-certificate");

        /// PEM file of the certificate's private key.
        key: Option<PathBuf> = None => flag("--tls-key");

        /// Make a small certificate authority in the data folder once, and a certificate of it for this machine. The server
        /// prints where docker, podman and containerd want the authority's certificate.
        self_signed: bool = false => flag("--tls-self-signed");

        /// Host names and IP addresses for the self-signed certificate beside `localhost`, this machine's name and the host
        /// of `public_url`.
        names: Vec<HostName> = vec![];
    }
}

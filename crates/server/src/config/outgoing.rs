//! `[outgoing]`

use std::path::PathBuf;

use super::setting::section;
use super::value::Network;

section! {
    /// Connections that the registry makes by itself, to addresses that people configure: identity providers and the
    /// issuers of trust rules.
    pub struct Outgoing in [outgoing] {
        /// Networks to connect to beside the public internet, such as `10.0.0.0/8`, or single addresses. Without it nothing
        /// inside is reached, the machine itself and its cloud's metadata service least of all. Plain `http` is spoken only
        /// to these.
        allow: Vec<Network> = vec![];

        /// PEM file of authorities to believe beside the system's.
        ca: Option<PathBuf> = None;
    }
}

//! `[outgoing]`

use std::path::PathBuf;

use super::setting::section;
use super::value::{Item, Network};

section! {
    /// Connections that the registry makes by itself, to addresses that people configure: identity providers and the
    /// issuers of trust rules.
    pub struct Outgoing in [outgoing] {
        /// Networks to connect to beside the public internet, such as `10.0.0.0/8`, or single addresses. Without it nothing
        /// inside is reached, the machine itself and its cloud's metadata service least of all. Plain `http` is spoken only
        /// to these.
        allow: Vec<Network> = vec![];

        /// Issuers of trust rules that may be inside what `allow` opens, exactly as their tokens have them, such as
        /// `https://gitlab.example.org`. The owners of an org choose the issuers of its rules, so others are asked on the
        /// public internet only. Providers that people sign in by are set up by administrators and need not be listed.
        issuers: Vec<IssuerUrl> = vec![];

        /// PEM file of authorities to believe beside the system's.
        ca: Option<PathBuf> = None;
    }
}

/// The URL of an issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerUrl(pub String);

impl Item for IssuerUrl {
    fn kind() -> String {
        "an issuer's URL".into()
    }

    fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with("https://") || text.starts_with("http://") {
            return Ok(Self(text.into()));
        }
        Err(format!("\"{text}\" is no issuer: expected its URL, exactly as its tokens have it in iss"))
    }

    fn show(&self) -> String {
        self.0.clone()
    }
}

use std::net::IpAddr;
use std::time::Duration;

impl Error {
    /// Whether it stays so until somebody changes the URL or the settings.
    pub fn is_of_settings(&self) -> bool {
        matches!(self, Self::Url { .. } | Self::Refused { .. } | Self::InClear { .. })
    }
}

/// Why something outside could not be asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The URL is none, or not one to go to.
    #[error("{url} cannot be asked: {reason}")]
    Url {
        /// As it was given.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// The address is not of the public internet.
    #[error(
        "{host} is at {address}, {what}, where the registry does not go: if it should, add its network to the setting outgoing.allow, and if a trust rule names it, the issuer to outgoing.issuers"
    )]
    Refused {
        /// The name or address in the URL.
        host: String,
        /// Where it leads.
        address: IpAddr,
        /// What kind of address that is.
        what: &'static str,
    },
    /// Unencrypted, to somewhere that the operator has not allowed.
    #[error(
        "{host} is asked without encryption, which is only done where the settings outgoing.allow and outgoing.issuers say so: use an https URL"
    )]
    InClear {
        /// The name or address in the URL.
        host: String,
    },
    /// The name has no address.
    #[error("the name {host} cannot be resolved: {reason}")]
    Unresolved {
        /// The name.
        host: String,
        /// The resolver's word.
        reason: String,
    },
    /// No connection, no TLS, or it broke.
    #[error("{host} cannot be reached: {reason}")]
    Unreachable {
        /// The name or address in the URL.
        host: String,
        /// What failed.
        reason: String,
    },
    /// No answer in time.
    #[error("{host} did not answer within {} s", .within.as_secs())]
    TimedOut {
        /// The name or address in the URL.
        host: String,
        /// All the time there was.
        within: Duration,
    },
    /// It points elsewhere.
    #[error("{url} redirects to {to}, which is not followed: configure the address that answers itself")]
    Redirected {
        /// What was asked.
        url: String,
        /// Where it points.
        to: String,
    },
    /// The answer is longer than any that makes sense.
    #[error("the answer of {host} is longer than {limit} bytes")]
    TooLarge {
        /// The name or address in the URL.
        host: String,
        /// What it may have.
        limit: usize,
    },
    /// The certificates to trust are not usable.
    #[error("TLS for outgoing connections cannot be set up: {0}")]
    Tls(String),
}

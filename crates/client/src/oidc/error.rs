use crate::outgoing;

/// Why somebody's token or sign-in was not accepted, or could not be checked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The issuer could not be asked.
    #[error(transparent)]
    Outgoing(#[from] outgoing::Error),
    /// What the issuer answers is not what a provider answers.
    #[error("{issuer} does not answer as an OpenID Connect provider: {reason}")]
    Provider {
        /// The issuer as configured.
        issuer: String,
        /// What is wrong.
        reason: String,
    },
    /// The token endpoint says no.
    #[error("{issuer} refused to complete the sign-in: {reason}")]
    Refused {
        /// The issuer as configured.
        issuer: String,
        /// Its word.
        reason: String,
    },
    /// The token is not good.
    #[error("the token is not accepted: {0}")]
    Invalid(#[from] Invalid),
    /// The system gave no random bytes.
    #[error("no randomness")]
    Randomness,
}

/// What is wrong with a token. Never holds any of it but names and times.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// Not a JSON Web Token.
    #[error("it is not a JSON Web Token: {0}")]
    Malformed(&'static str),
    /// Signed in a way that proves nothing here: shared secrets and `none` among them.
    #[error(
        "it is signed by \"{0}\", which is not accepted: expected one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 and EdDSA"
    )]
    Algorithm(String),
    /// Its header demands something unknown.
    #[error("its header demands extensions that are not known here")]
    Critical,
    /// No key of the issuer's fits.
    #[error("its issuer has no key \"{0}\" for it")]
    UnknownKey(String),
    /// The signature does not fit.
    #[error("its signature is wrong")]
    Signature,
    /// From somebody else.
    #[error("its issuer is \"{found}\", expected \"{expected}\"")]
    Issuer {
        /// Who signed it, by its own word.
        found: String,
        /// Who should have.
        expected: String,
    },
    /// For somebody else.
    #[error("its audience is {found}, expected {expected}")]
    Audience {
        /// Whom it is for.
        found: String,
        /// Whom it should be for.
        expected: String,
    },
    /// Given to another client.
    #[error("it was given to another client (azp)")]
    AuthorizedParty,
    /// Its time is over.
    #[error("it has expired")]
    Expired,
    /// Its time has not come.
    #[error("it is not valid yet: compare the clocks")]
    TooEarly,
    /// Not of this sign-in.
    #[error("it belongs to another sign-in (nonce)")]
    Nonce,
    /// A claim that must be there is not, or is of the wrong kind.
    #[error("its claim \"{0}\" is missing or malformed")]
    Claim(&'static str),
}

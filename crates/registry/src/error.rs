use std::time::Duration;

use wharf_oci::{Digest, ManifestError, Reference, RepoName, Scope};

use wharf_meta::{OverQuota, Role};

use crate::{BodyError, Class, Per, UploadStatus};

/// What the registry answers with.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Every way to say no, by meaning. `http::Rejection` turns each into exactly one response.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody is signed in, and somebody must be.
    #[error("sign in to do this")]
    SignInNeeded {
        /// What to ask a token for.
        scope: Option<Scope>,
    },
    /// Wrong user name or password.
    #[error("user name or password is wrong")]
    BadCredentials,
    /// A refresh token that is not, or no longer, good.
    #[error("the refresh token is unknown or has ended: sign in again")]
    BadRefreshToken,
    /// A token that this registry did not sign, or that has expired.
    #[error("the token is not valid here, or has ended: get another")]
    BadToken,
    /// A device that asks whether it may sign in, and may not (yet).
    #[error(transparent)]
    Device(DeviceAnswer),
    /// A sign-in by a provider that came to nothing.
    #[error("you are not signed in: {reason}")]
    SignInFailed {
        /// Why not, for the person.
        reason: String,
    },
    /// An outside issuer's token that stands for nobody here.
    #[error("this token is taken for no robot: {reason}")]
    OutsideToken {
        /// Why not.
        reason: String,
        /// More, which only owners of the org that was meant may know.
        why: Option<String>,
    },
    /// An outside issuer's token whose signature cannot be checked now.
    #[error("the issuer {issuer} cannot be asked for its keys at the moment: try again shortly")]
    IssuerSilent {
        /// Whose keys are missing.
        issuer: String,
    },
    /// The caller has the right; the token was not asked for it.
    #[error("{token} does not cover this: {takes}")]
    TokenTooNarrow {
        /// What to ask a wider one for.
        scope: Scope,
        /// Which token, and what it is limited to, for a sentence.
        token: String,
        /// What would do.
        takes: Takes,
    },
    /// The caller has not the right.
    #[error("{caller} may not {action} in {name}: ask an owner of it or an administrator")]
    Denied {
        /// Who asked.
        caller: String,
        /// To do what.
        action: &'static str,
        /// Where.
        name: String,
        /// The role that would allow it there, if a grant can give it.
        takes: Option<Role>,
    },
    /// Only administrators have the right.
    #[error("{caller} may not {action}: only administrators may, ask one of them")]
    AdministratorsOnly {
        /// Who asked.
        caller: String,
        /// To do what.
        action: &'static str,
    },
    /// Nothing of that kind and name, or none that the caller may know of.
    #[error("{what} is not known here")]
    NotFound {
        /// `org team`, `user alice`
        what: String,
    },
    /// Something must stay as it is, such as the last owner.
    #[error("{message}")]
    MustStay {
        /// The field of the request that is in conflict with it.
        field: &'static str,
        /// What must stay, and what to do first.
        message: String,
    },
    /// There are as many as there may be.
    #[error("{message}")]
    Enough {
        /// The field of the request that asks for one more.
        field: &'static str,
        /// How many there are.
        message: String,
    },
    /// Something else has that name already, or is otherwise in the way.
    #[error("{message}")]
    Exists {
        /// The field of the request that collides.
        field: &'static str,
        /// What is in the way, and what to do.
        message: String,
    },
    /// A field of a request is not what it must be.
    #[error("{message}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What is wrong, and what was expected.
        message: String,
    },
    /// It was changed since the caller looked (`If-Match`).
    #[error("it has been changed since: read it again, and then change it")]
    Stale,
    /// No such repository, or none that the caller may know of.
    #[error("repository {0} is not known here")]
    NameUnknown(RepoName),
    /// No such blob in the repository.
    #[error("blob {digest} is not in {name}")]
    BlobUnknown {
        /// The repository.
        name: RepoName,
        /// The blob asked for.
        digest: Digest,
    },
    /// No such manifest in the repository.
    #[error("manifest {reference} is not in {name}")]
    ManifestUnknown {
        /// The repository.
        name: RepoName,
        /// Tag or digest asked for.
        reference: Reference,
    },
    /// No such upload in the repository: finished, cancelled, expired, or another caller's.
    #[error("this upload is not known in {0}: it was finished, cancelled or has expired; start a new one")]
    UploadUnknown(RepoName),
    /// The chunk does not start where the upload ends. The upload stays as it is.
    #[error("the chunk must start at byte {}", .0.size)]
    WrongOffset(UploadStatus),
    /// The length of a chunk is not what its Content-Range says. The upload stays as it was acknowledged last.
    #[error("the chunk is not as long as its Content-Range says: expected {expected} bytes")]
    WrongLength {
        /// Bytes by Content-Range.
        expected: u64,
    },
    /// The bytes are not what their digest says.
    #[error(
        "the content hashes to {found}, not to {expected}: it was damaged on the way, or the digest is of something else"
    )]
    DigestMismatch {
        /// As the caller has it.
        expected: Digest,
        /// As computed here.
        found: Digest,
    },
    /// Not a manifest.
    #[error(transparent)]
    ManifestInvalid(#[from] ManifestError),
    /// A Docker manifest where the operator wants none.
    #[error(
        "this registry takes OCI manifests only, not {0}: push with --format oci (podman, buildah, skopeo), or with oci-mediatypes=true (buildx)"
    )]
    DockerRefused(String),
    /// The manifest names content that is not in the repository.
    #[error("the manifest names content that is not in {name}: push it first")]
    MissingReferences {
        /// The repository.
        name: RepoName,
        /// What is missing, in the manifest's order.
        digests: Vec<Digest>,
    },
    /// `If-Match` or `If-None-Match` does not hold.
    #[error("the tag is not in the state that the request's condition asks for")]
    ConditionFailed,
    /// The request's body ended early. What arrived of an upload is kept.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// As many uploads are running, or passwords being checked, as are allowed at once.
    #[error("the registry is busy: try again shortly")]
    Busy,
    /// The caller has as many uploads open as one may have.
    #[error(
        "{caller} has {} uploads open, which is the most: finish them, or cancel them with DELETE; what is left alone expires",
        wharf_meta::MOST_UPLOADS
    )]
    TooManyUploads {
        /// Who pushes.
        caller: String,
    },
    /// A limit is reached: see [`crate::Class`] and [`crate::Per`].
    #[error("{}", crate::limits::sentence(*class, *per, *requests, *window, *wait))]
    RateLimited {
        /// What is limited.
        class: Class,
        /// Per what.
        per: Per,
        /// How many are allowed,
        requests: u64,
        /// in how long a time.
        window: Duration,
        /// When to come back.
        wait: Duration,
    },
    /// What an org may keep is used up. The upload that met it is gone, and what it had reserved with it.
    #[error("{}", crate::quotas::sentence(.0))]
    QuotaExceeded(Box<OverQuota>),
    /// The disk is full; the upload that met it is gone, and its space with it.
    #[error("the registry's storage is full")]
    Full(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The blob store failed.
    #[error("the blob store failed")]
    Store(#[source] wharf_blob::Error),
    /// The database failed.
    #[error("the database failed")]
    Meta(#[source] wharf_meta::Error),
    /// Something that cannot go wrong did.
    #[error("{0}")]
    Internal(String),
}

/// What it takes where a token is too narrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// An access token that was asked for more.
    AccessToken,
    /// Something else to sign in with.
    Credential,
    /// A person: no API token and no job's token does.
    Person,
}

impl std::fmt::Display for Takes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::AccessToken | Self::Credential => "use one that gives more, or sign in yourself",
            Self::Person => "no API token can do it; sign in with your password or a browser",
        })
    }
}

/// What a device is told that may not sign in (RFC 8628 §3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceAnswer {
    /// Nobody has decided.
    #[error("nobody has allowed this device to sign in yet")]
    Waiting,
    /// Nobody has decided, and it asks too often.
    #[error("nobody has allowed this device to sign in yet; ask less often")]
    TooSoon,
    /// Somebody said no.
    #[error("this device was not allowed to sign in")]
    Refused,
    /// Its time is over, or its code was never given out.
    #[error("the code is unknown or has expired: start again")]
    Expired,
}

impl From<wharf_blob::Error> for Error {
    fn from(error: wharf_blob::Error) -> Self {
        match error {
            wharf_blob::Error::Full(_) => Self::Full(Box::new(error)),
            other => Self::Store(other),
        }
    }
}

impl From<wharf_meta::Error> for Error {
    fn from(error: wharf_meta::Error) -> Self {
        match error {
            wharf_meta::Error::Full => Self::Full(Box::new(error)),
            wharf_meta::Error::Refused(refusal) => refusal.into(),
            wharf_meta::Error::OverQuota(over) => Self::QuotaExceeded(over),
            other => Self::Meta(other),
        }
    }
}

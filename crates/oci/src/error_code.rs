//! The codes of the `errors` array (distribution-spec §Error Codes): clients branch on them, so they never change.

use std::fmt;

/// A code as clients see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// The blob is not known in this repository.
    BlobUnknown,
    /// The upload cannot go on as asked.
    BlobUploadInvalid,
    /// No such upload session in this repository.
    BlobUploadUnknown,
    /// The digest is malformed, unsupported, or not that of the bytes.
    DigestInvalid,
    /// The manifest names a blob or manifest that the repository lacks.
    ManifestBlobUnknown,
    /// The manifest's bytes cannot be accepted.
    ManifestInvalid,
    /// No such manifest or tag in this repository.
    ManifestUnknown,
    /// The repository name is outside the grammar.
    NameInvalid,
    /// No such repository, or none that the caller may see.
    NameUnknown,
    /// A length does not fit what was announced.
    SizeInvalid,
    /// The caller must sign in, or bring a token with more scope.
    Unauthorized,
    /// The caller is known and may not do this.
    Denied,
    /// The operation is not offered here.
    Unsupported,
    /// Too many requests; on the wire without underscores.
    TooManyRequests,
    /// No such extension (distribution-spec, extensions/_oci.md).
    ExtensionUnknown,
    /// Our fault. Outside the specification's list, so for 5xx only; clients retry it.
    Unknown,
}

impl ErrorCode {
    /// The code on the wire, such as `BLOB_UNKNOWN`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BlobUnknown => "BLOB_UNKNOWN",
            Self::BlobUploadInvalid => "BLOB_UPLOAD_INVALID",
            Self::BlobUploadUnknown => "BLOB_UPLOAD_UNKNOWN",
            Self::DigestInvalid => "DIGEST_INVALID",
            Self::ManifestBlobUnknown => "MANIFEST_BLOB_UNKNOWN",
            Self::ManifestInvalid => "MANIFEST_INVALID",
            Self::ManifestUnknown => "MANIFEST_UNKNOWN",
            Self::NameInvalid => "NAME_INVALID",
            Self::NameUnknown => "NAME_UNKNOWN",
            Self::SizeInvalid => "SIZE_INVALID",
            Self::Unauthorized => "UNAUTHORIZED",
            Self::Denied => "DENIED",
            Self::Unsupported => "UNSUPPORTED",
            Self::TooManyRequests => "TOOMANYREQUESTS",
            Self::ExtensionUnknown => "EXTENSION_UNKNOWN",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;

//! Errors (RFC 9457, `application/problem+json`).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::paths;

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// What kind of problem: a reference to its description on this server.
    #[serde(rename = "type")]
    #[schema(format = "uri-reference", examples("/api/docs#exists"))]
    pub kind: String,
    /// The kind in a few words; the same for every problem of the kind.
    #[schema(examples("There is another one of that name"))]
    pub title: String,
    /// The answer's status.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// What was wrong, what was expected, what to do next.
    pub detail: String,
    /// The field or parameter that is to blame, such as `name` or `claims.repository`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub field: Option<String>,
    /// The request's id, as in `X-Request-Id` and in the server's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub request: Option<String>,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident $slug:literal, $title:literal;)*) => {
        /// What kinds of problems there are.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum ProblemKind {
            $($(#[$doc])* $variant,)*
        }

        impl ProblemKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name in `type`, after the `#`.
            pub fn slug(self) -> &'static str {
                match self { $(Self::$variant => $slug,)* }
            }

            /// Its `title`.
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

kinds! {
    /// 400
    Invalid "invalid", "The request is not what was expected";
    /// 401
    SignInNeeded "sign-in", "Sign in first";
    /// 401, with what to ask a token for in `WWW-Authenticate`; 403 where it takes another credential or a person
    TokenTooNarrow "token-too-narrow", "The token does not cover this";
    /// 403
    Denied "denied", "You may not do this";
    /// 403
    QuotaExceeded "quota", "The org's quota is used up";
    /// 404
    NotFound "not-found", "There is no such thing, or none that you may know of";
    /// 405
    MethodNotAllowed "method", "The method is not supported here";
    /// 406
    NotAcceptable "not-acceptable", "No answer of that media type";
    /// 409
    Exists "exists", "There is another one of that name";
    /// 409
    MustStay "must-stay", "Something must stay as it is, such as the last owner";
    /// 409
    Enough "enough", "There are as many as there may be";
    /// 412
    Changed "changed", "It was changed by somebody else meanwhile";
    /// 413
    TooLarge "too-large", "The request is too large";
    /// 415
    MediaType "media-type", "The body is not JSON";
    /// 429
    TooManyRequests "too-many-requests", "Too many requests";
    /// 408
    TimedOut "timed-out", "The body came too slowly";
    /// 507
    StorageFull "storage-full", "The registry's storage is full";
    /// 500 and whatever else goes wrong here
    Internal "internal", "Something went wrong on the server";
}

impl ProblemKind {
    /// The usual kind of a status.
    pub fn of_status(status: u16) -> Self {
        match status {
            401 => Self::SignInNeeded,
            403 => Self::Denied,
            404 => Self::NotFound,
            405 => Self::MethodNotAllowed,
            406 => Self::NotAcceptable,
            408 => Self::TimedOut,
            409 => Self::Exists,
            412 => Self::Changed,
            413 | 414 | 431 => Self::TooLarge,
            415 => Self::MediaType,
            429 => Self::TooManyRequests,
            507 => Self::StorageFull,
            500.. => Self::Internal,
            _ => Self::Invalid,
        }
    }

    /// The `type` of its problems.
    pub fn reference(self) -> String {
        format!("{}#{}", paths::DOCS, self.slug())
    }

    /// The kind that a `type` names.
    pub fn of_reference(reference: &str) -> Option<Self> {
        let (_, slug) = reference.rsplit_once('#')?;
        Self::ALL.iter().copied().find(|kind| kind.slug() == slug)
    }
}

//! Conditions of requests (RFC 9110 §13). What a client makes depend on a state is never done in another: an operation
//! that cannot look refuses the request.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::header::{IF_MATCH, IF_NONE_MATCH, IF_UNMODIFIED_SINCE};
use http::request::Parts;
use http::{HeaderMap, HeaderName};

use super::invalid;
use crate::App;
use crate::admin::refusal::Refusal;

/// What an operation does about a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::admin) enum Condition {
    /// It changes something that has a version, and only if that is the one in `If-Match`.
    Version,
    /// It changes something that has none.
    Refused,
    /// It changes nothing: a whole answer does nobody harm.
    Harmless,
}

impl Condition {
    /// Refuses a condition that would not be looked at.
    pub(super) fn check(self, headers: &HeaderMap) -> Result<(), Refusal> {
        let refused: &[(HeaderName, &str)] = match self {
            Self::Harmless => return Ok(()),
            Self::Version => &[(IF_NONE_MATCH, "If-None-Match"), (IF_UNMODIFIED_SINCE, "If-Unmodified-Since")],
            Self::Refused => &[
                (IF_MATCH, "If-Match"),
                (IF_NONE_MATCH, "If-None-Match"),
                (IF_UNMODIFIED_SINCE, "If-Unmodified-Since"),
            ],
        };
        let Some((_, name)) = refused.iter().find(|(name, _)| headers.contains_key(name)) else { return Ok(()) };
        let message = match self {
            Self::Version => "this operation looks at If-Match only: send the ETag there, or leave the condition out",
            _ => "this operation depends on no version, and nothing was done: leave the condition out",
        };
        Err(invalid(Some((*name).into()), message))
    }
}

/// The version that the thing must still have to be changed (RFC 9110 §13.1.1).
pub(in crate::admin) struct IfMatch(Option<u64>);

impl IfMatch {
    /// As the registry takes it. What no row can count to is no row's version.
    pub(in crate::admin) fn version(&self) -> Option<i64> {
        self.0.map(|version| i64::try_from(version).unwrap_or(i64::MAX))
    }
}

impl FromRequestParts<Arc<App>> for IfMatch {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Refusal> {
        if_match(&parts.headers).map(Self)
    }
}

/// `*` is any version.
pub(super) fn if_match(headers: &HeaderMap) -> Result<Option<u64>, Refusal> {
    let mut all = headers.get_all(IF_MATCH).iter();
    let Some(header) = all.next() else { return Ok(None) };
    let text = header.to_str().unwrap_or_default().trim();
    if text == "*" && all.next().is_none() {
        return Ok(None);
    }
    let version = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).and_then(|text| text.parse().ok());
    let version = version.filter(|_| all.next().is_none());
    let message = "the ETag of what was read is expected, as one number in quotation marks, or *";
    version.map(Some).ok_or_else(|| invalid(Some("If-Match".into()), message))
}

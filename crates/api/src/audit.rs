//! The audit: what happened, and who did it.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::words::words;
use crate::{Cursor, Name, PageSize, Search, Timestamp};

words! {
    /// How it ended.
    Outcome {
        /// It was done.
        Done = "done",
        /// It was refused.
        Refused = "refused",
    }
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditEvent {
    /// Counts up; there may be gaps.
    pub id: u64,
    /// When.
    pub at: Timestamp,
    /// Who: `alice`, `team+ci`, `anonymous`, or `operator` for whoever holds the data folder.
    pub actor: String,
    /// What proved it: `password`, `token:NAME`, `session`, `ci:RULE`, `operator`, `none`.
    pub via: String,
    /// Where from.
    pub address: Option<String>,
    /// The request's id, as in `X-Request-Id`.
    pub request: Option<String>,
    /// What: `grant.create`, `sign-in.failure`, …
    pub action: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The org whose owners may read this.
    pub org: Option<String>,
    /// On what.
    pub target: String,
    /// So many alike within a short while.
    pub times: u64,
    /// Before, after, why.
    #[schema(value_type = Option<Object>)]
    pub details: Option<serde_json::Value>,
}

/// Which events, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub struct AuditQuery {
    /// Only those of this org. Its owners may ask for them.
    #[param(inline)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub org: Option<Name>,
    /// Only what this caller did.
    #[param(inline)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<Search>,
    /// Only this action.
    #[param(inline)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<Search>,
    /// Only what was done to this.
    #[param(inline)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Search>,
    /// Only what ended so.
    #[param(inline)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Only from then on.
    #[param(inline)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Only before then.
    #[param(inline)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Entries, at most. Left out: 100.
    #[param(inline)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<PageSize>,
    /// `next` of the page before.
    #[param(inline)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Cursor>,
}

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
    /// Counts up in the order of writing; there may be gaps. What stands for several is written after the last of them.
    pub id: u64,
    /// When; of several alike, the first.
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
    /// Of several alike, when the last was.
    #[serde(default)]
    pub until: Option<Timestamp>,
    /// Before, after, why.
    #[schema(value_type = Option<Object>)]
    pub details: Option<serde_json::Value>,
}

/// Which events, those written last first.
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
    /// Only those with a greater id. To go on where another answer ended, this misses nothing, as a time would: what
    /// stands for several is written late.
    #[param(inline)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since_id: Option<u64>,
    /// Only from then on, by `at`.
    #[param(inline)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Only before then, by `at`.
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

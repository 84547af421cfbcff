//! Orgs and who belongs to them.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::words::words;
use crate::{Change, Cursor, Name, PageSize, Search, Timestamp, Visibility};

/// An org: it owns repositories.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Org {
    /// The first component of its repositories' names.
    pub name: String,
    /// Who may read its repositories that do not say themselves; `null`: as the server is set.
    pub visibility: Option<Visibility>,
    /// Who may read them in fact.
    pub effective_visibility: Visibility,
    /// The user whose own org it is.
    pub personal_of: Option<String>,
    /// What the caller is in it.
    pub your_role: Option<MemberRole>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Counts changes; the `ETag`.
    pub version: u64,
}

/// An org to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrg {
    /// Its name; users and orgs share one namespace.
    pub name: Name,
    /// Who may read its repositories that do not say themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Visibility>,
}

/// What to change of an org.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrgUpdate {
    /// Who may read its repositories that do not say themselves; `null`: as the server is set.
    #[schema(value_type = Option<Visibility>, required = false)]
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    pub visibility: Change<Option<Visibility>>,
}

/// Which orgs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub struct OrgsQuery {
    /// Only those with this in their name.
    #[param(inline)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub q: Option<Search>,
    /// Entries, at most. Left out: 100.
    #[param(inline)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<PageSize>,
    /// `next` of the page before.
    #[param(inline)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Cursor>,
}

words! {
    /// What a user is in an org.
    MemberRole {
        /// Everything in the org.
        Owner = "owner",
        /// Belongs to it; may do what is granted.
        Member = "member",
    }
}

/// A member of an org.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Member {
    /// The user.
    pub user: String,
    /// As what.
    pub role: MemberRole,
    /// Since when.
    pub since: Timestamp,
}

/// What a member is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberUpdate {
    /// As what.
    pub role: MemberRole,
}

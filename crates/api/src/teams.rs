//! Teams: users of an org who are given roles together.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Change, Description, Name, Timestamp};

/// A team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Team {
    /// Its org.
    pub org: String,
    /// Its name within the org.
    pub name: String,
    /// A line for people.
    pub description: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Counts changes; the `ETag`.
    pub version: u64,
}

/// A team to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTeam {
    /// Its name within the org.
    pub name: Name,
    /// A line for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
}

/// What to change of a team.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TeamUpdate {
    /// A line for people.
    #[schema(value_type = Description, required = false)]
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    pub description: Change<Description>,
}

/// A member of a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TeamMember {
    /// The user.
    pub user: String,
    /// The provider whose group says so; `null` when they were added by hand.
    pub provider: Option<String>,
    /// Since when.
    pub since: Timestamp,
}

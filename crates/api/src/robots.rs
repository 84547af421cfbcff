//! Robots: accounts of machines.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Change, Description, Name, Timestamp};

/// A robot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Robot {
    /// What it signs in as and what grants name: `team+ci`.
    pub name: String,
    /// A line for people.
    pub description: String,
    /// May do nothing.
    pub is_disabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// Counts changes; the `ETag`.
    pub version: u64,
}

/// A robot to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRobot {
    /// Its name within the org: `ci`.
    pub name: Name,
    /// A line for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
}

/// What to change of a robot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RobotUpdate {
    /// A line for people.
    #[schema(value_type = Description, required = false)]
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    pub description: Change<Description>,
    /// May do nothing.
    #[schema(value_type = bool, required = false)]
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    pub is_disabled: Change<bool>,
}

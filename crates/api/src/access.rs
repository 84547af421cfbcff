//! Whether somebody may do something, and why.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::words::words;
use crate::{PrincipalName, Target};

words! {
    /// What can be done in a repository or an org.
    ActionName {
        /// Reading.
        Pull = "pull",
        /// Uploading, making and moving tags.
        Push = "push",
        /// Deleting.
        Delete = "delete",
        /// Changing settings and grants.
        Manage = "manage",
        /// Changing members, teams, robots and trust rules of the org.
        Own = "own",
    }
}

/// Who, what, where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AccessQuery {
    /// A user, a robot, or `anonymous`.
    #[param(inline)]
    pub user: PrincipalName,
    /// What they want to do.
    #[param(inline)]
    pub action: ActionName,
    /// An org (`team`), or a repository (`team/app`).
    #[param(inline)]
    pub target: Target,
}

/// The decision, as a request would meet it now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Access {
    /// Who.
    pub user: String,
    /// Wants to do what.
    pub action: ActionName,
    /// Where.
    pub target: String,
    /// Whether they may.
    pub is_allowed: bool,
    /// Why, in one sentence.
    pub reason: String,
    /// What it rests on, one line each: what they are, what was given to them and by whom, what is readable by whom.
    pub because: Vec<String>,
}

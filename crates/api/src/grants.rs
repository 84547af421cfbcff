//! Grants: a role on an org or a repository, given to somebody.

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{Cursor, Email, Name, PageSize, PrincipalName, RobotName, Role, Target, Timestamp};

/// A role that was given. One of `user`, `team`, `robot` and `email` says to whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Grant {
    /// Names it.
    pub id: String,
    /// On what: an org (`team`), or a repository (`team/app`).
    pub target: String,
    /// What was given.
    pub role: Role,
    /// To this user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub user: Option<String>,
    /// To this team of the target's org.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub team: Option<String>,
    /// To this robot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub robot: Option<String>,
    /// To whoever signs in with this address, which a trusted provider must vouch for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub email: Option<String>,
    /// By whom.
    pub granted_by: String,
    /// When.
    pub granted_at: Timestamp,
}

/// A role to give. Exactly one of `user`, `team`, `robot` and `email` says to whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(min_properties = 3, max_properties = 3)]
pub struct NewGrant {
    /// On what: an org (`team`), or a repository (`team/app`).
    pub target: Target,
    /// What to give.
    pub role: Role,
    /// To this user.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub user: Option<Name>,
    /// To this team of the target's org.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub team: Option<Name>,
    /// To this robot.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub robot: Option<RobotName>,
    /// To whoever has this address: an account that a trusted provider vouched for, now or when it first signs in.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub email: Option<Email>,
}

/// What a grant is to give.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantUpdate {
    /// What to give.
    pub role: Role,
}

/// To whom a role is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// A user.
    User(Name),
    /// A team of the target's org.
    Team(Name),
    /// A robot.
    Robot(RobotName),
    /// Whoever has this address.
    Email(Email),
}

impl NewGrant {
    /// A role for somebody.
    pub fn new(target: Target, role: Role, to: Recipient) -> Self {
        let mut grant = Self { target, role, user: None, team: None, robot: None, email: None };
        match to {
            Recipient::User(name) => grant.user = Some(name),
            Recipient::Team(name) => grant.team = Some(name),
            Recipient::Robot(name) => grant.robot = Some(name),
            Recipient::Email(address) => grant.email = Some(address),
        }
        grant
    }

    /// To whom; `None` unless exactly one is named.
    pub fn recipient(&self) -> Option<Recipient> {
        match (&self.user, &self.team, &self.robot, &self.email) {
            (Some(name), None, None, None) => Some(Recipient::User(name.clone())),
            (None, Some(name), None, None) => Some(Recipient::Team(name.clone())),
            (None, None, Some(name), None) => Some(Recipient::Robot(name.clone())),
            (None, None, None, Some(address)) => Some(Recipient::Email(address.clone())),
            _ => None,
        }
    }
}

/// Which grants. Without `target` or `to`: all that the caller may see.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub struct GrantsQuery {
    /// Only those on this org, its repositories included, or on this repository.
    #[param(inline)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// Only those given to this user or robot directly.
    #[param(inline)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<PrincipalName>,
    /// Entries, at most. Left out: 100.
    #[param(inline)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<PageSize>,
    /// `next` of the page before.
    #[param(inline)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Cursor>,
}

/// A field that may be left out, and is not `null`.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

//! What a request showed to sign in with, apart from its secrets: what a record of the sign-in may say.

use super::{Credentials, is_api_token};
use crate::federation::is_outside_token;

/// How somebody meant to sign in, and as whom.
pub(crate) struct Shown {
    pub(crate) how: &'static str,
    /// As it was typed.
    pub(crate) user: Option<String>,
    /// Whose robot it is for.
    pub(crate) org: Option<String>,
}

impl Shown {
    /// `None` for what is no sign-in: nothing, or an access token, which was given out at one.
    pub(crate) fn of(credentials: &Credentials) -> Option<Self> {
        match credentials {
            Credentials::Basic { user, password } if user.is_empty() && password.is_empty() => None,
            Credentials::Basic { user, password } if is_api_token(password) => Some(Self::token(Some(user))),
            Credentials::Basic { user, password } if is_outside_token(password) => {
                Some(Self::outside(Some(user), org_of(user)))
            }
            Credentials::Basic { user, .. } => Some(Self { how: "password", user: Some(user.clone()), org: None }),
            Credentials::Bearer(token) if is_api_token(token) => Some(Self::token(None)),
            Credentials::Bearer(_) | Credentials::None => None,
        }
    }

    fn token(user: Option<&str>) -> Self {
        Self { how: "token", user: user.map(str::to_owned), org: user.and_then(org_of).map(str::to_owned) }
    }

    /// A token of an outside issuer, for a robot of that org.
    pub(crate) fn outside(robot: Option<&str>, org: Option<&str>) -> Self {
        Self { how: "ci", user: robot.map(str::to_owned), org: org.map(str::to_owned) }
    }

    /// A refresh token.
    pub(crate) fn refresh() -> Self {
        Self { how: "refresh", user: None, org: None }
    }
}

/// The org of a robot's name.
fn org_of(robot: &str) -> Option<&str> {
    robot.split_once('+').map(|(org, _)| org)
}

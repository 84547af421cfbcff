//! Who is asking, and where they are signed in.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::words::words;
use crate::{MemberRole, NewPassword, Role, Secret, Timestamp, TokenScope};

words! {
    /// What a caller is.
    CallerKind {
        /// A person.
        User = "user",
        /// A machine.
        Robot = "robot",
    }
}

/// The caller, as the server sees them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Whoami {
    /// `alice`, or `team+ci`.
    pub name: String,
    /// What they are.
    pub kind: CallerKind,
    /// Their mail address, if they have one.
    pub email: Option<String>,
    /// May do everything.
    pub is_admin: bool,
    /// What proved who they are: `password`, `token:NAME`, `session`, `ci:RULE`.
    pub via: String,
    /// When that ends, if it is an API token or a CI job's; `null`: when somebody ends it.
    pub expires_at: Option<Timestamp>,
    /// At most this, where what they signed in with does not give all that they may.
    pub scope: Option<TokenScope>,
    /// There only: an org, or a repository.
    pub on: Option<String>,
    /// Orgs they belong to; for a robot its own.
    pub orgs: Vec<Membership>,
}

/// What somebody is in an org.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Membership {
    /// The org.
    pub org: String,
    /// As what; `null` for a robot, which has grants alone.
    pub role: Option<MemberRole>,
    /// What that, or a grant on the whole org, gives in its repositories.
    pub grant: Option<Role>,
}

/// A new password of one's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The one of now.
    pub current: Secret,
    /// The one to be. Every sign-in under the old one ends.
    pub new: NewPassword,
}

/// Somewhere somebody is signed in: what a client keeps after `docker login`, or a browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// Names it, and is no secret.
    pub id: String,
    /// What the client calls itself.
    pub client: String,
    /// Since when.
    pub created_at: Timestamp,
    /// When it was used last.
    pub used_at: Option<Timestamp>,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

//! API tokens: they stand for a user or a robot, with at most what they name.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::words::words;
use crate::{Target, Timestamp, TokenLifetime, TokenName};

words! {
    /// What can be given on an org or a repository. Each includes those before it.
    Role {
        /// Pulls and lists.
        Reader = "reader",
        /// Also pushes, and moves and creates tags.
        Writer = "writer",
        /// Also deletes, and changes settings and grants.
        Maintainer = "maintainer",
    }
}

words! {
    /// The most that a token gives.
    TokenScope {
        /// As a reader.
        Read = "read",
        /// As a writer.
        Write = "write",
        /// As a maintainer.
        Admin = "admin",
    }
}

/// A token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Token {
    /// Names it, and is no secret.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// Its last characters, to tell it by.
    pub hint: String,
    /// The most that it gives.
    pub scope: TokenScope,
    /// There only: an org, or a repository.
    pub on: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// When it was used last, to the minute.
    pub used_at: Option<Timestamp>,
    /// Where from.
    pub used_from: Option<String>,
}

/// A token to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What to call it; no other token of the same owner may be called so.
    pub name: TokenName,
    /// The most that it gives.
    pub scope: TokenScope,
    /// There only: an org (`team`), or a repository (`team/app`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Target>,
    /// Seconds until it ends; left out, it does not end by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<TokenLifetime>,
}

/// A token that was just made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MadeToken {
    /// The token itself. It is shown this once.
    #[schema(value_type = String, format = "password", examples("whf_…"))]
    pub secret: crate::Secret,
    /// What it is.
    pub token: Token,
}

//! Users, as administrators see them.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{Change, Cursor, Email, Name, NewPassword, PageSize, Search, Timestamp};

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// What they sign in as; also the name of their own org.
    pub name: String,
    /// Their mail address.
    pub email: Option<String>,
    /// May do everything.
    pub is_admin: bool,
    /// May do nothing.
    pub is_disabled: bool,
    /// Whether they can sign in with a password.
    pub has_password: bool,
    /// When the account was made.
    pub created_at: Timestamp,
    /// When they signed in last.
    pub signed_in_at: Option<Timestamp>,
    /// Counts changes; the `ETag`.
    pub version: u64,
}

/// A user to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// What they sign in as; users and orgs share one namespace.
    pub name: Name,
    /// Their mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// Their password; without one they sign in by a provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<NewPassword>,
    /// May do everything. Left out: they may not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_admin: Option<bool>,
}

/// What to change of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserUpdate {
    /// Their mail address.
    #[schema(value_type = Option<Email>, required = false)]
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    pub email: Change<Option<Email>>,
    /// May do everything.
    #[schema(value_type = bool, required = false)]
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    pub is_admin: Change<bool>,
    /// May do nothing. Everything they are signed in with ends.
    #[schema(value_type = bool, required = false)]
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    pub is_disabled: Change<bool>,
}

/// A new password for somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordReset {
    /// The one to be. Every sign-in under the old one ends.
    pub password: NewPassword,
}

/// Which users.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub struct UsersQuery {
    /// Only those with this in their name or address.
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

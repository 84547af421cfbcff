//! Providers: where people sign in by OpenID Connect.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Change, ClaimName, ClientId, Domain, GroupName, Issuer, Label, Name, OAuthScope, Secret, Timestamp};

/// A provider, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Provider {
    /// Its name here.
    pub name: String,
    /// What the sign-in button says.
    pub title: String,
    /// Its issuer; its configuration is read from below it.
    pub issuer: String,
    /// What it calls this registry.
    pub client_id: String,
    /// Scopes to ask it for.
    pub scopes: Vec<String>,
    /// Mail domains whose addresses it may vouch for.
    pub trusted_domains: Vec<String>,
    /// The claim that lists a user's groups.
    pub groups_claim: Option<String>,
    /// Groups that are teams here.
    pub groups: Vec<GroupTeam>,
    /// Whether one can sign in by it.
    pub is_enabled: bool,
    /// Whether who has no account gets one.
    pub makes_users: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// Counts changes; the `ETag`.
    pub version: u64,
}

impl Provider {
    /// Scopes that one may have.
    pub const MOST_SCOPES: usize = 16;
    /// Domains that one may vouch for.
    pub const MOST_DOMAINS: usize = 64;
    /// Groups of one that may be teams.
    pub const MOST_GROUPS: usize = 256;
}

/// A provider's group that is a team here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupTeam {
    /// As the provider names it.
    pub group: GroupName,
    /// The team's org.
    pub org: Name,
    /// The team.
    pub team: Name,
}

/// A provider to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProvider {
    /// Its name here.
    pub name: Name,
    /// What the sign-in button says. Left out: its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Label>,
    /// Its issuer; its configuration is read from below it.
    pub issuer: Issuer,
    /// What it calls this registry.
    pub client_id: ClientId,
    /// What proves to it that this is the registry. It is never shown again.
    pub client_secret: Secret,
    /// Scopes to ask it for. Left out: `openid profile email`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 16)]
    pub scopes: Option<Vec<OAuthScope>>,
    /// Mail domains whose addresses it may vouch for. Left out: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 64)]
    pub trusted_domains: Option<Vec<Domain>>,
    /// The claim that lists a user's groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups_claim: Option<ClaimName>,
    /// Groups that are teams here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 256)]
    pub groups: Option<Vec<GroupTeam>>,
    /// Whether one can sign in by it. Left out: one can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_enabled: Option<bool>,
    /// Whether who has no account gets one. Left out: they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub makes_users: Option<bool>,
}

/// What to change of a provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProviderUpdate {
    /// What the sign-in button says.
    #[schema(value_type = Label, required = false)]
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    pub title: Change<Label>,
    /// What it calls this registry.
    #[schema(value_type = ClientId, required = false)]
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    pub client_id: Change<ClientId>,
    /// What proves to it that this is the registry.
    #[schema(value_type = Secret, required = false)]
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    pub client_secret: Change<Secret>,
    /// Scopes to ask it for.
    #[schema(value_type = Vec<OAuthScope>, required = false, max_items = 16)]
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    pub scopes: Change<Vec<OAuthScope>>,
    /// Mail domains whose addresses it may vouch for.
    #[schema(value_type = Vec<Domain>, required = false, max_items = 64)]
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    pub trusted_domains: Change<Vec<Domain>>,
    /// The claim that lists a user's groups.
    #[schema(value_type = Option<ClaimName>, required = false)]
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    pub groups_claim: Change<Option<ClaimName>>,
    /// Groups that are teams here, in place of all there were.
    #[schema(value_type = Vec<GroupTeam>, required = false, max_items = 256)]
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    pub groups: Change<Vec<GroupTeam>>,
    /// Whether one can sign in by it.
    #[schema(value_type = bool, required = false)]
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    pub is_enabled: Change<bool>,
    /// Whether who has no account gets one.
    #[schema(value_type = bool, required = false)]
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    pub makes_users: Change<bool>,
}

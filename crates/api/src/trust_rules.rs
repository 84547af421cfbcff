//! Trust rules: outside tokens that an org takes for a robot of its own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::{Audience, Change, ClaimName, ClaimPattern, Issuer, Name, Role, RuleLifetime, Timestamp};

/// Whose tokens stand for which robot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TrustRule {
    /// Its name within the org.
    pub name: String,
    /// The robot: `team+ci`.
    pub robot: String,
    /// Who must have issued the token.
    pub issuer: String,
    /// What it must be for.
    pub audience: String,
    /// Claim → pattern; all must match. `*` stands for any characters.
    pub claims: BTreeMap<String, String>,
    /// The most that it gives.
    pub role: Role,
    /// Seconds since the token's issue, at most, for which it gives it.
    pub lifetime: u64,
    /// Whether it is in force.
    pub is_enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// Counts changes; the `ETag`.
    pub version: u64,
}

/// A rule to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTrustRule {
    /// Its name within the org.
    pub name: Name,
    /// The robot, by its name within the org.
    pub robot: Name,
    /// Who must have issued the token.
    pub issuer: Issuer,
    /// What it must be for.
    pub audience: Audience,
    /// Claim → pattern; all must match. `*` stands for any characters.
    pub claims: Claims,
    /// The most that it gives.
    pub role: Role,
    /// Seconds, at most, for which it gives it. Left out: 900.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime: Option<RuleLifetime>,
    /// Whether it is in force. Left out: it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_enabled: Option<bool>,
}

/// What to change of a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TrustRuleUpdate {
    /// The robot, by its name within the org.
    #[schema(value_type = Name, required = false)]
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    pub robot: Change<Name>,
    /// What the token must be for.
    #[schema(value_type = Audience, required = false)]
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    pub audience: Change<Audience>,
    /// Claim → pattern, in place of all there were.
    #[schema(value_type = Claims, required = false)]
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    pub claims: Change<Claims>,
    /// The most that it gives.
    #[schema(value_type = Role, required = false)]
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    pub role: Change<Role>,
    /// Seconds, at most, for which it gives it.
    #[schema(value_type = RuleLifetime, required = false)]
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    pub lifetime: Change<RuleLifetime>,
    /// Whether it is in force.
    #[schema(value_type = bool, required = false)]
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    pub is_enabled: Change<bool>,
}

/// What claims must be: one to sixteen, since a rule without any would take every token of its issuer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Claims(BTreeMap<ClaimName, ClaimPattern>);

impl Claims {
    const MOST: usize = 16;

    /// `None` when there are none, or too many.
    pub fn new(claims: BTreeMap<ClaimName, ClaimPattern>) -> Option<Self> {
        (1..=Self::MOST).contains(&claims.len()).then_some(Self(claims))
    }

    /// By claim.
    pub fn iter(&self) -> impl Iterator<Item = (&ClaimName, &ClaimPattern)> {
        self.0.iter()
    }
}

impl<'de> Deserialize<'de> for Claims {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let claims = Self::new(BTreeMap::deserialize(deserializer)?);
        claims.ok_or_else(|| serde::de::Error::custom("one to sixteen claims are expected"))
    }
}

impl PartialSchema for Claims {
    fn schema() -> RefOr<Schema> {
        let claims = ObjectBuilder::new()
            .property_names(Some(schema_of::<ClaimName>()))
            .additional_properties(Some(ClaimPattern::schema()))
            .min_properties(Some(1))
            .max_properties(Some(Self::MOST))
            .description(Some("Claim → pattern; all must match. `*` stands for any characters."));
        claims.into()
    }
}

impl ToSchema for Claims {}

fn schema_of<T: PartialSchema>() -> Schema {
    match T::schema() {
        RefOr::T(schema) => schema,
        RefOr::Ref(_) => Schema::default(),
    }
}

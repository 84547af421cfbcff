//! Trust rules of an org: whose tokens stand for which of its robots.

use std::collections::BTreeMap;

use wharf_meta::TrustRule as Row;
pub use wharf_meta::{NewTrustRule, TrustRuleChange};

use super::{Created, and_one, names, page};
use crate::access::{Action, Caller};
use crate::{Error, Page, Registry, Result, Role, federation};

/// What owners do with rules, in refusals.
const DOING: &str = "change trust rules";
/// Seconds that a rule may give, at least and at most.
const LIFETIME: std::ops::RangeInclusive<u64> = 60..=86_400;

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustRule {
    /// Its name within the org.
    pub name: String,
    /// The robot that the tokens stand for: `team+ci`.
    pub robot: String,
    /// Who must have signed the token.
    pub issuer: String,
    /// What it must be for.
    pub audience: String,
    /// Claim → pattern; all must match.
    pub claims: BTreeMap<String, String>,
    /// The most that it gives.
    pub role: Role,
    /// Seconds since the token's issue for which it gives it.
    pub lifetime: u64,
    /// Whether it is in force.
    pub is_enabled: bool,
    /// When it was made.
    pub created_at: wharf_meta::Millis,
    /// Counts changes.
    pub version: i64,
}

impl From<Row> for TrustRule {
    fn from(row: Row) -> Self {
        let Row { name, robot, issuer, audience, claims, role, lifetime, is_enabled, created_at, version, .. } = row;
        Self { name, robot, issuer, audience, claims, role, lifetime, is_enabled, created_at, version }
    }
}

impl Registry {
    /// Rules of an org by name after `after`. For its owners.
    pub async fn trust_rules(
        &self,
        caller: &Caller,
        org: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<TrustRule>> {
        let seen = self.org_to(caller, Action::Own, "look up trust rules", org).await?;
        let found = self.meta.trust_rules(seen.row.id, after.unwrap_or(""), and_one(limit)).await?;
        Ok(page(found, limit, TrustRule::from))
    }

    /// A rule of an org. For its owners.
    pub async fn trust_rule(&self, caller: &Caller, org: &str, name: &str) -> Result<TrustRule> {
        self.rule_to_change(caller, org, name).await.map(TrustRule::from)
    }

    /// Makes a rule in an org. For its owners.
    pub async fn create_trust_rule(&self, caller: &Caller, org: &str, new: NewTrustRule) -> Result<Created<TrustRule>> {
        let seen = self.org_to(caller, Action::Own, DOING, org).await?;
        names::name("name", &new.name)?;
        check_issuer(&new.issuer)?;
        reachable(self.issuers.of_rules(&new.issuer), &new.issuer)?;
        check_audience(&new.audience)?;
        check_role(new.role)?;
        check_lifetime(new.lifetime)?;
        check_claims(&new.issuer, &new.claims)?;
        let made = self.meta.make_trust_rule(seen.row.id, new, self.by(caller)).await?;
        Ok(Created::of(made, TrustRule::from))
    }

    /// Changes a rule; what was given out by it ends. For the org's owners.
    pub async fn update_trust_rule(
        &self,
        caller: &Caller,
        org: &str,
        name: &str,
        change: TrustRuleChange,
        expected: Option<i64>,
    ) -> Result<TrustRule> {
        let row = self.rule_to_change(caller, org, name).await?;
        change.audience.as_deref().map_or(Ok(()), check_audience)?;
        change.role.map_or(Ok(()), check_role)?;
        change.lifetime.map_or(Ok(()), check_lifetime)?;
        change.claims.as_ref().map_or(Ok(()), |claims| check_claims(&row.issuer, claims))?;
        Ok(self.meta.change_trust_rule(row.id, change, expected, self.by(caller)).await?.into())
    }

    /// Deletes a rule; what was given out by it ends. For the org's owners.
    pub async fn delete_trust_rule(&self, caller: &Caller, org: &str, name: &str, expected: Option<i64>) -> Result<()> {
        let row = self.rule_to_change(caller, org, name).await?;
        Ok(self.meta.delete_trust_rule(row.id, expected, self.by(caller)).await?)
    }

    async fn rule_to_change(&self, caller: &Caller, org: &str, name: &str) -> Result<Row> {
        let seen = self.org_to(caller, Action::Own, DOING, org).await?;
        let rule = self.meta.trust_rule(seen.row.id, name).await?;
        rule.ok_or_else(|| Error::NotFound { what: format!("trust rule {name} of {org}") })
    }
}

/// Whether the registry's settings let it ask there, as far as the URL tells: where a name leads is seen when it is
/// asked.
pub(super) fn reachable(issuers: &wharf_client::oidc::Issuers, issuer: &str) -> Result<()> {
    issuers.may_ask(issuer).map_err(|error| Error::Invalid { field: "issuer", message: error.to_string() })
}

/// Whether it is a URL as issuers have them.
pub(super) fn check_issuer(issuer: &str) -> Result<()> {
    let rest = issuer.strip_prefix("https://").or_else(|| issuer.strip_prefix("http://"));
    let reason = match rest {
        None => "it does not begin with https://",
        Some(rest) if rest.is_empty() || rest.starts_with('/') => "it names no host",
        Some(rest) if rest.contains(['?', '#', '@']) || rest.contains(char::is_whitespace) => {
            "it has more than host, port and path"
        }
        Some(_) => return Ok(()),
    };
    let message =
        format!("\"{issuer}\" is no issuer: {reason}; expected its URL, exactly as its tokens have it in iss");
    Err(Error::Invalid { field: "issuer", message })
}

fn check_audience(audience: &str) -> Result<()> {
    if !audience.is_empty() && !audience.contains('*') {
        return Ok(());
    }
    let message = "the audience is one text that the token must have, without *: such as this registry's URL".into();
    Err(Error::Invalid { field: "audience", message })
}

fn check_role(role: Role) -> Result<()> {
    if role < Role::Owner {
        return Ok(());
    }
    let message = "a rule gives reader, writer or maintainer: what owners do takes a person".into();
    Err(Error::Invalid { field: "role", message })
}

fn check_lifetime(lifetime: u64) -> Result<()> {
    if LIFETIME.contains(&lifetime) {
        return Ok(());
    }
    let message = format!("{lifetime} s is no lifetime: expected {} to {} s", LIFETIME.start(), LIFETIME.end());
    Err(Error::Invalid { field: "lifetime", message })
}

fn check_claims(issuer: &str, claims: &BTreeMap<String, String>) -> Result<()> {
    federation::objection(issuer, claims).map_or(Ok(()), |message| Err(Error::Invalid { field: "claims", message }))
}

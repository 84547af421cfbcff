//! From an outside token to a caller.
//!
//! A token is looked at only when a rule names its issuer: nobody can make the registry ask addresses of their choice.

use wharf_client::oidc::{self, Expected};
use wharf_meta::{Millis, TrustRule};

use super::matching::{Choice, Meant, choose, shorten, shortfalls};
use crate::access::{Cap, Identity, Source, Via};
use crate::{Caller, Error, Reach, Registry, Result, Secret};

/// Whether a secret is an outside issuer's token rather than a password: it says who it is from, by URL.
pub(crate) fn is_outside_token(secret: &Secret) -> bool {
    let issuer = oidc::unverified_issuer(secret.expose());
    issuer.is_some_and(|issuer| issuer.starts_with("https://") || issuer.starts_with("http://"))
}

impl Registry {
    /// The caller that an outside token stands for, in the org that whoever shows it means. Only that org's rules are
    /// looked at: no other can change what comes of it.
    pub(crate) async fn caller_by_outside_token(
        &self,
        token: &Secret,
        meant: Option<Meant<'_>>,
        source: Source,
    ) -> Result<Caller> {
        let Some(issuer) = oidc::unverified_issuer(token.expose()) else {
            return Err(refused("it is not a JSON Web Token with an issuer".into()));
        };
        let Some(meant) = meant else {
            let message =
                "say which one it shall stand for, by its name such as team+ci as user name or parameter robot";
            return Err(refused(message.into()));
        };
        // Of whichever org, so that nobody learns without a good token whom an org trusts.
        if !self.meta.trusts_issuer(&issuer).await? {
            return Err(refused(format!("no trust rule is for tokens of {:?}", shorten(&issuer))));
        }
        let claims = self.outside_claims(token, issuer.clone()).await?;
        let rules = self.meta.trust_rules_in_force(meant.org, &issuer).await?;
        let rule = rule_for(&rules, &claims, meant)?;
        self.issuers.of_rules(&issuer).was_of_use(&issuer, &rule.org);
        let start = oidc::issued_at(&claims).unwrap_or_default();
        let lifetime = i64::try_from(rule.lifetime).unwrap_or(i64::MAX);
        let until = start.saturating_add(lifetime).saturating_mul(1000);
        if until <= self.now() {
            return Err(refused(format!("it was issued longer ago than the {lifetime} s of trust rule {}", rule.name)));
        }
        let caller = self.caller_by_rule(rule, Some(until), source).await?;
        caller.ok_or_else(|| refused("its robot is gone".into()))
    }

    /// What the token says, if its issuer signed it and it is good now. Whom it is for is for the rules to say.
    async fn outside_claims(&self, token: &Secret, issuer: String) -> Result<oidc::Claims> {
        let expected = Expected { issuer: &issuer, audiences: None };
        match self.issuers.of_rules(&issuer).verify(token.expose(), expected, self.now()).await {
            Ok(claims) => Ok(claims),
            Err(oidc::Error::Invalid(invalid)) => Err(refused(invalid.to_string())),
            // It will not be better shortly. Where a name leads is another matter: nobody looks up names inside by rules.
            Err(oidc::Error::Outgoing(_)) if self.issuers.of_rules(&issuer).may_ask(&issuer).is_err() => {
                let issuer = shorten(&issuer);
                Err(refused(format!(
                    "the registry's settings do not let it ask the issuer {issuer}: an administrator has to allow it"
                )))
            }
            // Where the issuer is and why it cannot be reached is the operator's to know: it is in the log.
            Err(error) => {
                tracing::warn!(issuer, %error, "the token of an outside issuer could not be checked");
                Err(Error::IssuerSilent { issuer })
            }
        }
    }

    /// The caller that an access token given out by a rule is of; `None` when the rule was changed, disabled or
    /// deleted since, or its robot was.
    pub(crate) async fn caller_by_rule_id(&self, id: i64, version: i64, source: Source) -> Result<Option<Caller>> {
        let rule = self.meta.trust_rule_by_id(id).await?;
        match rule.filter(|rule| rule.is_enabled && rule.version == version) {
            Some(rule) => self.caller_by_rule(&rule, None, source).await,
            None => Ok(None),
        }
    }

    async fn caller_by_rule(&self, rule: &TrustRule, until: Option<Millis>, source: Source) -> Result<Option<Caller>> {
        let robot = self.meta.robot_by_id(rule.robot_id).await?.filter(|robot| !robot.is_disabled);
        Ok(robot.map(|robot| {
            let identity = Identity::Robot { id: robot.id, name: robot.name };
            let via = Via::Ci { rule: rule.id, version: rule.version, name: rule.name.clone() };
            Caller::of(identity, via, source).within(Cap { role: rule.role, reach: Reach::Everywhere }, until)
        }))
    }
}

/// The rule that takes a token with these claims, or why none does.
fn rule_for<'r>(rules: &'r [TrustRule], claims: &oidc::Claims, meant: Meant<'_>) -> Result<&'r TrustRule> {
    match choose(rules, claims, meant.robot) {
        Choice::One(rule) => Ok(rule),
        Choice::Nothing => {
            let whose = meant.robot.map_or_else(|| format!("of org {}", meant.org), |robot| format!("for {robot}"));
            let said = |name| claims.get(name).map_or_else(|| "none".into(), |value| shorten(&value.to_string()));
            let (whose, aud, sub) = (shorten(&whose), said("aud"), said("sub"));
            let reason = format!("no trust rule {whose} fits its claims (aud {aud}, sub {sub})");
            Err(Error::OutsideToken { reason, why: Some(shortfalls(rules, claims, meant.robot)) })
        }
        Choice::Several => {
            let org = meant.org;
            Err(refused(format!("it fits several robots of {org}: say which, by user name or parameter robot")))
        }
    }
}

fn refused(reason: String) -> Error {
    Error::OutsideToken { reason, why: None }
}

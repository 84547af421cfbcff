//! From an outside token to a caller.
//!
//! A token is looked at only when a rule names its issuer: nobody can make the registry ask addresses of their choice.

use wharf_client::oidc::{self, Expected};
use wharf_meta::{Millis, TrustRule};

use super::matching::{Choice, choose};
use crate::access::{Cap, Identity, Source, Via};
use crate::{Caller, Error, Reach, Registry, Result, Secret};

/// Whether a secret is an outside issuer's token rather than a password: it says who it is from, by URL.
pub(crate) fn is_outside_token(secret: &Secret) -> bool {
    let issuer = oidc::unverified_issuer(secret.expose());
    issuer.is_some_and(|issuer| issuer.starts_with("https://") || issuer.starts_with("http://"))
}

impl Registry {
    /// The caller that an outside token stands for: `robot` if a name is given that is a robot's.
    pub(crate) async fn caller_by_outside_token(
        &self,
        token: &Secret,
        robot: Option<&str>,
        source: Source,
    ) -> Result<Caller> {
        let refused = |reason: String| Error::OutsideToken { reason };
        let Some(issuer) = oidc::unverified_issuer(token.expose()) else {
            return Err(refused("it is not a JSON Web Token with an issuer".into()));
        };
        let rules = self.meta.trust_rules_of(&issuer).await?;
        if rules.is_empty() {
            return Err(refused(format!("no trust rule is for tokens of {:?}", shorten(&issuer))));
        }
        let audiences: Vec<&str> = rules.iter().map(|rule| rule.audience.as_str()).collect();
        let expected = Expected { issuer: &issuer, audiences: &audiences };
        let claims = match self.issuers.verify(token.expose(), expected, self.now()).await {
            Ok(claims) => claims,
            Err(oidc::Error::Invalid(oidc::Invalid::Audience { found, .. })) => {
                return Err(refused(format!("no trust rule of that issuer is for its audience {found}")));
            }
            Err(oidc::Error::Invalid(invalid)) => return Err(refused(invalid.to_string())),
            // Where the issuer is and why it cannot be reached is the operator's to know: it is in the log.
            Err(error) => {
                tracing::warn!(issuer, %error, "the token of an outside issuer could not be checked");
                return Err(Error::IssuerSilent { issuer });
            }
        };
        let rule = match choose(&rules, &claims, robot) {
            Choice::One(rule) => rule,
            Choice::Nothing => {
                let subject = claims.get("sub").and_then(serde_json::Value::as_str).unwrap_or_default();
                return Err(refused(format!("no trust rule fits its claims (sub {:?})", shorten(subject))));
            }
            Choice::Several => {
                let message = "it stands for several robots: say which, by the parameter robot or the user name";
                return Err(refused(message.into()));
            }
        };
        let start = oidc::issued_at(&claims).unwrap_or_default();
        let lifetime = i64::try_from(rule.lifetime).unwrap_or(i64::MAX);
        let until = start.saturating_add(lifetime).saturating_mul(1000);
        if until <= self.now() {
            return Err(refused(format!("it was issued longer ago than the {lifetime} s of trust rule {}", rule.name)));
        }
        let caller = self.caller_by_rule(rule, Some(until), source).await?;
        caller.ok_or_else(|| refused("its robot is gone".into()))
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

fn shorten(text: &str) -> String {
    text.chars().take(200).collect()
}

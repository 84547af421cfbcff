//! `wharf trust`

use clap::{Args, Subcommand};
use wharf_api::{
    Audience, Change, ClaimName, ClaimPattern, Claims, Issuer, Name, NewTrustRule, Role, RuleLifetime, TrustRule,
    TrustRuleUpdate, paths,
};
use wharf_client::server::Call;

use super::robots::Disabled;
use crate::output::{Show, yes};
use crate::parse::{InOrg, pair, seconds, span};
use crate::session::{Confirmed, Session, Version, something_to_change};
use crate::verb::Verb;
use crate::{Error, Result};

#[derive(Debug, Subcommand)]
pub(crate) enum Verbs {
    /// List an org's trust rules
    List {
        /// Which
        org: Name,
    },
    /// Show a trust rule
    Get {
        /// Which
        #[arg(value_name = "ORG/RULE")]
        rule: InOrg,
    },
    /// Take an issuer's tokens, with these claims, for a robot's
    #[command(after_help = "Example, for the main branch of a GitHub repository:\n  \
        wharf trust create team/github --robot ci --issuer https://token.actions.githubusercontent.com \\\n    \
        --claim repository=company/app --claim ref=refs/heads/main --role writer")]
    Create {
        /// What to call it
        #[arg(value_name = "ORG/RULE")]
        rule: InOrg,
        /// Who must have issued the token
        #[arg(long, value_name = "URL")]
        issuer: Issuer,
        /// The robot that it stands for: one of the org's
        #[arg(long)]
        robot: String,
        /// The most that it gives: reader, writer or maintainer
        #[arg(long, default_value_t = Role::Reader)]
        role: Role,
        #[command(flatten)]
        terms: Terms,
    },
    /// Change a trust rule
    Update {
        /// Which
        #[arg(value_name = "ORG/RULE")]
        rule: InOrg,
        /// The robot that it stands for: one of the org's
        #[arg(long)]
        robot: Option<String>,
        /// The most that it gives: reader, writer or maintainer
        #[arg(long)]
        role: Option<Role>,
        #[command(flatten)]
        terms: Terms,
        #[command(flatten)]
        disabled: Disabled,
        #[command(flatten)]
        version: Version,
    },
    /// Delete a trust rule
    Delete {
        /// Which
        #[arg(value_name = "ORG/RULE")]
        rule: InOrg,
        #[command(flatten)]
        confirmed: Confirmed,
    },
}

/// What a token must be like.
#[derive(Clone, Debug, Args)]
pub(crate) struct Terms {
    /// What the token must be for [default for a new rule: the server's address]
    #[arg(long)]
    audience: Option<Audience>,
    /// A claim that must match, * standing for any characters; all that are given must, in place of all there were
    #[arg(long = "claim", value_name = "NAME=PATTERN", value_parser = pair::<ClaimName, ClaimPattern>)]
    claims: Vec<(ClaimName, ClaimPattern)>,
    /// How long it gives it, at most [default for a new rule: 15m]
    #[arg(long, value_name = "TIME", value_parser = seconds::<RuleLifetime>)]
    lifetime: Option<RuleLifetime>,
}

impl Show for TrustRule {
    const COLUMNS: usize = 5;

    fn show(&self) -> Vec<(&'static str, String)> {
        let claims: Vec<String> = self.claims.iter().map(|(name, pattern)| format!("{name}={pattern}")).collect();
        // Its robot is of the same org: `team+ci`.
        let org = self.robot.split('+').next().unwrap_or_default();
        vec![
            ("name", format!("{org}/{}", self.name)),
            ("robot", self.robot.clone()),
            ("role", self.role.to_string()),
            ("enabled", yes(self.is_enabled)),
            ("issuer", self.issuer.clone()),
            ("audience", self.audience.clone()),
            ("claims", claims.join(", ")),
            ("lifetime", span(self.lifetime)),
            ("created", self.created_at.to_string()),
            ("version", self.version.to_string()),
        ]
    }
}

fn path(rule: &InOrg) -> String {
    paths::trust_rule(rule.org.as_str(), rule.name.as_str())
}

/// Both `ci` and `team+ci` are how people name a robot of `team`.
fn robot_of(org: &Name, text: &str) -> Result<Name> {
    let name = text.strip_prefix(org.as_str()).and_then(|rest| rest.strip_prefix('+')).unwrap_or(text);
    name.parse().map_err(|_| Error::Usage(format!("--robot {text}: a robot of {org} is expected, as in ci")))
}

fn claims_of(claims: Vec<(ClaimName, ClaimPattern)>) -> Result<Claims> {
    let known = Claims::new(claims.into_iter().collect());
    known.ok_or_else(|| {
        Error::Usage("give one to sixteen --claim: a rule without would take every token of its issuer".into())
    })
}

impl Verb for Verbs {
    async fn run(self, session: &Session) -> Result<()> {
        match self {
            Self::List { org } => {
                session
                    .list::<TrustRule>(Call::get(paths::trust_rules(org.as_str())), "the org trusts no other issuer")
                    .await
            }
            Self::Get { rule } => session.get::<TrustRule>(Call::get(path(&rule))).await,
            Self::Create { rule, issuer, robot, role, terms } => {
                let audience = match terms.audience {
                    Some(audience) => audience,
                    None => session
                        .server()
                        .await?
                        .address()
                        .to_string()
                        .parse()
                        .map_err(|e| Error::Usage(format!("{e}")))?,
                };
                let robot = robot_of(&rule.org, &robot)?;
                let (claims, lifetime) = (claims_of(terms.claims)?, terms.lifetime);
                let name = rule.name.clone();
                let new = NewTrustRule { name, robot, issuer, audience, claims, role, lifetime, is_enabled: None };
                let call = Call::create(paths::trust_rules(rule.org.as_str())).body(&new);
                session.create::<TrustRule>(call, format!("trust rule {rule}")).await
            }
            Self::Update { rule, robot, role, terms, disabled, version } => {
                let robot = robot.map(|robot| robot_of(&rule.org, &robot)).transpose()?;
                let claims = if terms.claims.is_empty() { Change::Keep } else { Change::To(claims_of(terms.claims)?) };
                let update = TrustRuleUpdate {
                    robot: robot.into(),
                    audience: terms.audience.into(),
                    claims,
                    role: role.into(),
                    lifetime: terms.lifetime.into(),
                    is_enabled: disabled.said().map(|is_disabled| !is_disabled).into(),
                };
                something_to_change(&update)?;
                let call = Call::patch(path(&rule)).body(&update).if_match(version.etag());
                session.update::<TrustRule>(call, format!("trust rule {rule}")).await
            }
            Self::Delete { rule, confirmed } => {
                session.delete(Call::delete(path(&rule)), format!("trust rule {rule}"), confirmed).await
            }
        }
    }
}

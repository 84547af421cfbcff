//! Robots in the box, and rules by which outside tokens stand for them.

#![allow(clippy::missing_panics_doc, clippy::expect_used, clippy::panic, reason = "what fails here fails its test")]

use std::collections::BTreeMap;

use wharf_meta::{Actor, By, RobotChange};
use wharf_registry::manage::NewTrustRule;
use wharf_registry::{Caller, Clock as _, Role, outgoing};

use super::{Boxed, Builder};

impl Builder {
    /// Lets the registry ask issuers on loopback.
    pub fn asks_loopback(self) -> Self {
        let allow = outgoing::Allowed::new(vec!["127.0.0.0/8".parse().expect("a network")]);
        self.settings(|settings| settings.outgoing.allow = allow)
    }

    /// As [`Builder::asks_loopback`], for that issuer of trust rules.
    pub fn asks(self, issuer: &str) -> Self {
        self.asks_loopback().settings(|settings| settings.issuers_inside.push(issuer.into()))
    }
}

impl Boxed {
    fn by_operator(&self) -> By {
        By { actor: Actor::operator(), now: self.clock.now() }
    }

    /// Makes the robot `org+name`, and its org if it is not there.
    pub async fn make_robot(&self, full_name: &str) -> i64 {
        let (org, name) = full_name.split_once('+').expect("org+name");
        let id = match self.meta.org(org).await.expect("an answer") {
            Some(org) => org.id,
            None => {
                self.meta
                    .make_org(org, None, None, wharf_meta::Owning::Unbounded, self.by_operator())
                    .await
                    .expect("an org")
                    .value
                    .id
            }
        };
        self.meta.make_robot(id, name, "", self.by_operator()).await.expect("a robot").value.id
    }

    /// Grants a role to a robot on a repository, or with a name of one component on an org.
    pub fn grant_robot(&self, full_name: &str, canonical: &str, role: Role) {
        let (org, name) = full_name.split_once('+').expect("org+name");
        let sql = "INSERT INTO grants (org_id, repo_id, robot_id, role, granted_by, granted_at)
            SELECT t.id, (SELECT id FROM repositories WHERE name = ?2), r.id, ?5, 'test', 0
            FROM orgs t, robots r JOIN orgs o ON o.id = r.org_id WHERE t.name = ?1 AND o.name = ?3 AND r.name = ?4";
        let target = canonical.split('/').next().expect("an org");
        let row = (target, canonical, org, name, role as i64);
        assert_eq!(self.database().execute(sql, row).expect("an insert"), 1);
    }

    /// Disables a robot.
    pub async fn disable_robot(&self, id: i64) {
        let change = RobotChange { is_disabled: Some(true), ..RobotChange::default() };
        self.meta.change_robot(id, change, None, self.by_operator()).await.expect("a change");
    }

    /// Makes a rule that takes the issuer's tokens with that claim for the robot, as a writer for 15 minutes.
    pub async fn trust(&self, name: &str, robot: &str, issuer: &str, claim: (&str, &str)) {
        self.trust_as(robot, NewTrustRule { name: name.into(), ..trust_rule(robot, issuer, claim) }).await;
    }

    /// Makes that rule.
    pub async fn trust_as(&self, robot: &str, rule: NewTrustRule) {
        let org = robot.split('+').next().expect("an org");
        self.registry.create_trust_rule(&Caller::operator(), org, rule).await.expect("a rule");
    }
}

/// A rule to be: for the audience `wharf`, as a writer, for 15 minutes.
pub fn trust_rule(robot: &str, issuer: &str, claim: (&str, &str)) -> NewTrustRule {
    NewTrustRule {
        name: "main".into(),
        robot: robot.split_once('+').expect("org+name").1.into(),
        issuer: issuer.into(),
        audience: "wharf".into(),
        claims: BTreeMap::from([(claim.0.to_owned(), claim.1.to_owned())]),
        role: Role::Writer,
        lifetime: 900,
        is_enabled: true,
    }
}

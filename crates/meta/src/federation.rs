//! Trust rules: outside issuers' tokens that an org takes for a robot of its own, when their claims fit.

use std::collections::BTreeMap;

use rusqlite::Row;
use serde_json::{Value, json};

use crate::changes::{By, Made, Most, Refusal, What, check_version};
use crate::db::{Tx, signed, statements, unsigned};
use crate::{Error, Meta, Millis, OrgId, Result, Role, orgs};

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustRule {
    /// Its row.
    pub id: i64,
    /// The name of its org.
    pub org: String,
    /// Its name in the org.
    pub name: String,
    /// The robot's row.
    pub robot_id: i64,
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
    /// Counts changes.
    pub version: i64,
    /// When it was made.
    pub created_at: Millis,
}

/// A rule that is to be.
#[derive(Clone, Debug)]
pub struct NewTrustRule {
    /// Its name in the org.
    pub name: String,
    /// The robot, by its name in the org: `ci`.
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
}

/// What is to change of a rule; `None` stays.
#[derive(Clone, Debug, Default)]
pub struct TrustRuleChange {
    /// The robot, by its name in the org.
    pub robot: Option<String>,
    /// What the token must be for.
    pub audience: Option<String>,
    /// Claim → pattern; all must match.
    pub claims: Option<BTreeMap<String, String>>,
    /// The most that it gives.
    pub role: Option<Role>,
    /// Seconds since the token's issue for which it gives it.
    pub lifetime: Option<u64>,
    /// Whether it is in force.
    pub is_enabled: Option<bool>,
}

/// Rules of one org, at most: all of them for an issuer may have to be read for one token.
pub const TRUST_RULES: usize = 100;
const MOST: Most = Most { count: COUNT, limit: TRUST_RULES as u64, what: "trust rules", field: "name" };

macro_rules! columns {
    () => {
        "SELECT t.id, o.name, t.name, t.robot_id, r.name, t.issuer, t.audience, t.claims, t.role, t.lifetime,
           t.is_enabled, t.version, t.created_at, ro.name
         FROM trust_rules t JOIN orgs o ON o.id = t.org_id JOIN robots r ON r.id = t.robot_id
         JOIN orgs ro ON ro.id = r.org_id "
    };
}

statements! {
    LIST = concat!(columns!(), "WHERE t.org_id = $1 AND t.name > $2 ORDER BY t.name LIMIT $3");
    BY_NAME = concat!(columns!(), "WHERE t.org_id = $1 AND t.name = $2");
    BY_ID = concat!(columns!(), "WHERE t.id = $1");
    COUNT = "SELECT count(*) FROM trust_rules WHERE org_id = $1";
    IS_KNOWN = "SELECT 1 FROM trust_rules WHERE issuer = $1 AND is_enabled = 1 LIMIT 1";
    IN_FORCE = concat!(columns!(), "WHERE o.name = $1 AND t.issuer = $2 AND t.is_enabled = 1 AND r.is_disabled = 0
            ORDER BY t.id LIMIT $3");
    /// Numbers are never used again: access tokens that are out name them.
    LAST_ID = "SELECT max(id) FROM trust_rules";
    LAST_GONE = "SELECT value FROM settings WHERE key = 'last_trust_rule'";
    KEEP_LAST = "INSERT INTO settings (key, value) VALUES ('last_trust_rule', $1)
            ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    ROBOT = "SELECT id FROM robots WHERE org_id = $1 AND name = $2";
    MAKE = "INSERT INTO trust_rules (id, org_id, name, robot_id, issuer, audience, claims, role, lifetime, is_enabled,
              created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    CHANGE = "UPDATE trust_rules SET robot_id = $1, audience = $2, claims = $3, role = $4, lifetime = $5,
              is_enabled = $6, version = version + 1 WHERE id = $7";
    DELETE = "DELETE FROM trust_rules WHERE id = $1";
}

impl Meta {
    /// Rules of an org by name after `after`, at most `limit`.
    pub async fn trust_rules(&self, org: OrgId, after: &str, limit: usize) -> Result<Vec<TrustRule>> {
        self.db.read(|tx| tx.all(LIST, (org.0, after, signed(limit as u64)), rule))
    }

    /// The rule of that name in the org.
    pub async fn trust_rule(&self, org: OrgId, name: &str) -> Result<Option<TrustRule>> {
        self.db.read(|tx| tx.one(BY_NAME, (org.0, name), rule))
    }

    /// The rule of that row.
    pub async fn trust_rule_by_id(&self, id: i64) -> Result<Option<TrustRule>> {
        self.db.read(|tx| tx.one(BY_ID, [id], rule))
    }

    /// Whether any org has an enabled rule for tokens of that issuer.
    pub async fn trusts_issuer(&self, issuer: &str) -> Result<bool> {
        Ok(self.db.read(|tx| tx.one(IS_KNOWN, [issuer], |_| Ok(())))?.is_some())
    }

    /// The org's enabled rules for tokens of that issuer whose robots are enabled, at most [`TRUST_RULES`].
    pub async fn trust_rules_in_force(&self, org: &str, issuer: &str) -> Result<Vec<TrustRule>> {
        self.db.read(|tx| tx.all(IN_FORCE, (org, issuer, signed(TRUST_RULES as u64)), rule))
    }

    /// Makes a rule, unless the org has [`TRUST_RULES`].
    pub async fn make_trust_rule(&self, org: OrgId, new: NewTrustRule, by: By) -> Result<Made<TrustRule>> {
        self.db
            .write(move |tx| {
                let org = orgs::by_id(tx, org)?;
                let robot = robot(tx, org.id, &new.robot)?;
                if let Some(known) = tx.one(BY_NAME, (org.id.0, &new.name), rule)? {
                    return same(known, &new, robot);
                }
                MOST.leaves_room(tx, org.id.0, &format!("org {}", org.name))?;
                let id = next_id(tx)?;
                let NewTrustRule { name, issuer, audience, is_enabled, .. } = &new;
                let (claims, role, lifetime) = (text(&new.claims), new.role.rank(), signed(new.lifetime));
                let row = rusqlite::params![
                    id, org.id.0, name, robot, issuer, audience, claims, role, lifetime, is_enabled, by.now
                ];
                tx.run(MAKE, row)?;
                let made = by_id(tx, id)?;
                by.record(tx, what("trust-rule.create", &made), Value::Null, shown(&made))?;
                Ok(Made::new(made))
            })
            .await
    }

    /// Changes a rule. What was given out by it ends.
    pub async fn change_trust_rule(
        &self,
        id: i64,
        change: TrustRuleChange,
        expected: Option<i64>,
        by: By,
    ) -> Result<TrustRule> {
        self.db
            .write(move |tx| {
                let before = by_id(tx, id)?;
                check_version(expected, before.version)?;
                let wanted = changed(tx, &before, change)?;
                if wanted == before {
                    return Ok(before);
                }
                let TrustRule { robot_id, audience, claims, role, lifetime, is_enabled, .. } = wanted;
                let row = (robot_id, audience, text(&claims), role.rank(), signed(lifetime), is_enabled, id);
                tx.run(CHANGE, row)?;
                let after = by_id(tx, id)?;
                by.record(tx, what("trust-rule.update", &after), shown(&before), shown(&after))?;
                Ok(after)
            })
            .await
    }

    /// Deletes a rule. What was given out by it ends.
    pub async fn delete_trust_rule(&self, id: i64, expected: Option<i64>, by: By) -> Result<()> {
        self.db
            .write(move |tx| {
                let before = by_id(tx, id)?;
                check_version(expected, before.version)?;
                tx.run(DELETE, [id])?;
                by.record(tx, what("trust-rule.delete", &before), shown(&before), Value::Null)
            })
            .await
    }
}

fn by_id(tx: &Tx<'_>, id: i64) -> Result<TrustRule> {
    tx.one(BY_ID, [id], rule)?.ok_or_else(|| Refusal::unknown("this trust rule"))
}

fn robot(tx: &Tx<'_>, org: OrgId, name: &str) -> Result<i64> {
    let unknown = || {
        Refusal::invalid("robot", format!("the org has no robot {name}: make it first, or give the name of one it has"))
    };
    tx.one(ROBOT, (org.0, name), |row| Ok(row.get(0)?))?.ok_or_else(unknown)
}

fn next_id(tx: &Tx<'_>) -> Result<i64> {
    let here = tx.one(LAST_ID, [], |row| Ok(row.get::<_, Option<i64>>(0)?))?.flatten();
    let gone: Option<i64> = tx.one(LAST_GONE, [], |row| crate::db::parsed(row, 0))?;
    let next = here.max(gone).unwrap_or(0) + 1;
    tx.run(KEEP_LAST, [next.to_string()])?;
    Ok(next)
}

fn changed(tx: &Tx<'_>, before: &TrustRule, change: TrustRuleChange) -> Result<TrustRule> {
    let robot_id = match &change.robot {
        Some(name) => {
            let org = orgs::find(tx, &before.org)?.ok_or_else(|| Refusal::unknown(format!("org {}", before.org)))?;
            robot(tx, org.id, name)?
        }
        None => before.robot_id,
    };
    let was = before.clone();
    Ok(TrustRule {
        robot_id,
        audience: change.audience.unwrap_or(was.audience),
        claims: change.claims.unwrap_or(was.claims),
        role: change.role.unwrap_or(was.role),
        lifetime: change.lifetime.unwrap_or(was.lifetime),
        is_enabled: change.is_enabled.unwrap_or(was.is_enabled),
        ..before.clone()
    })
}

fn same(known: TrustRule, new: &NewTrustRule, robot: i64) -> Result<Made<TrustRule>> {
    let differs = [
        ("robot", known.robot_id != robot),
        ("issuer", known.issuer != new.issuer),
        ("audience", known.audience != new.audience),
        ("claims", known.claims != new.claims),
        ("role", known.role != new.role),
        ("lifetime", known.lifetime != new.lifetime),
        ("is_enabled", known.is_enabled != new.is_enabled),
    ];
    match differs.into_iter().find(|(_, differs)| *differs) {
        Some((field, _)) => {
            Err(Refusal::exists(field, format!("there is a trust rule {} with another {field}", known.name)))
        }
        None => Ok(Made::known(known)),
    }
}

fn what<'a>(action: &'static str, rule: &'a TrustRule) -> What<'a> {
    What { action, org: Some(&rule.org), target: &rule.name }
}

fn shown(rule: &TrustRule) -> Value {
    json!({
        "robot": rule.robot,
        "issuer": rule.issuer,
        "audience": rule.audience,
        "claims": rule.claims,
        "role": rule.role.as_str(),
        "lifetime": rule.lifetime,
        "enabled": rule.is_enabled,
    })
}

fn text(claims: &BTreeMap<String, String>) -> String {
    json!(claims).to_string()
}

fn rule(row: &Row<'_>) -> Result<TrustRule> {
    let damaged = |what: &str| Error::Damaged(format!("a trust rule without {what}"));
    let (org_of_robot, robot): (String, String) = (row.get(13)?, row.get(4)?);
    let claims: String = row.get(7)?;
    Ok(TrustRule {
        id: row.get(0)?,
        org: row.get(1)?,
        name: row.get(2)?,
        robot_id: row.get(3)?,
        robot: format!("{org_of_robot}+{robot}"),
        issuer: row.get(5)?,
        audience: row.get(6)?,
        claims: serde_json::from_str(&claims).map_err(|_| damaged("claims"))?,
        role: Role::from_rank(row.get(8)?).ok_or_else(|| damaged("a role"))?,
        lifetime: unsigned(row, 9)?,
        is_enabled: row.get(10)?,
        version: row.get(11)?,
        created_at: row.get(12)?,
    })
}

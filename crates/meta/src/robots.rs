//! Robots: machines' accounts, which belong to an org and hold grants like users.

use rusqlite::Row;
use serde_json::{Value, json};

use crate::changes::{By, Made, Most, Refusal, What, check_version};
use crate::db::{Tx, signed, statements, unsigned};
use crate::grants::{self, GrantsOf};
use crate::{Error, Meta, Millis, OrgId, Principal, Result, orgs};

/// A robot as its org sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RobotAccount {
    /// Its row.
    pub id: i64,
    /// The name of its org.
    pub org: String,
    /// Its name in the org: `ci` of `team+ci`.
    pub name: String,
    /// For people.
    pub description: String,
    /// May do nothing.
    pub is_disabled: bool,
    /// Counts changes.
    pub version: i64,
    /// When it was made.
    pub created_at: Millis,
}

impl RobotAccount {
    /// `team+ci`, as it signs in and is granted to.
    pub fn full_name(&self) -> String {
        format!("{}+{}", self.org, self.name)
    }
}

/// What is to change of a robot; `None` stays.
#[derive(Clone, Debug, Default)]
pub struct RobotChange {
    /// For people.
    pub description: Option<String>,
    /// Whether it may do nothing.
    pub is_disabled: Option<bool>,
}

macro_rules! columns {
    () => {
        "SELECT r.id, o.name, r.name, r.description, r.is_disabled, r.version, r.created_at
         FROM robots r JOIN orgs o ON o.id = r.org_id "
    };
}

const MOST: Most = Most { count: ROBOTS, limit: 1000, what: "robots", field: "name" };

statements! {
    COUNT = "SELECT count(*) FROM robots";
    LIST = concat!(columns!(), "WHERE r.org_id = $1 AND r.name > $2 ORDER BY r.name LIMIT $3");
    BY_NAME = concat!(columns!(), "WHERE r.org_id = $1 AND r.name = $2");
    BY_FULL_NAME = concat!(columns!(), "WHERE o.name = $1 AND r.name = $2");
    BY_ID = concat!(columns!(), "WHERE r.id = $1");
    ROBOTS = "SELECT count(*) FROM robots WHERE org_id = $1";
    MAKE = "INSERT INTO robots (org_id, name, description, created_at) VALUES ($1, $2, $3, $4)";
    CHANGE = "UPDATE robots SET description = $1, is_disabled = $2, version = version + 1 WHERE id = $3";
    DELETE = "DELETE FROM robots WHERE id = $1";
}

impl Meta {
    /// How many robots there are.
    pub async fn count_robots(&self) -> Result<u64> {
        Ok(self.db.read(|tx| tx.one(COUNT, [], |row| unsigned(row, 0)))?.unwrap_or(0))
    }

    /// Robots of an org by name after `after`, at most `limit`.
    pub async fn robots(&self, org: OrgId, after: &str, limit: usize) -> Result<Vec<RobotAccount>> {
        self.db.read(|tx| tx.all(LIST, (org.0, after, signed(limit as u64)), robot))
    }

    /// The robot of that name in the org.
    pub async fn robot(&self, org: OrgId, name: &str) -> Result<Option<RobotAccount>> {
        self.db.read(|tx| tx.one(BY_NAME, (org.0, name), robot))
    }

    /// The robot that is called `team+ci`.
    pub async fn robot_named(&self, full_name: &str) -> Result<Option<RobotAccount>> {
        self.db.read(|tx| find(tx, full_name))
    }

    /// Makes a robot.
    pub async fn make_robot(&self, org: OrgId, name: &str, description: &str, by: By) -> Result<Made<RobotAccount>> {
        let (name, description) = (name.to_owned(), description.to_owned());
        self.db
            .write(move |tx| {
                let org = orgs::by_id(tx, org)?;
                match tx.one(BY_NAME, (org.id.0, &name), robot)? {
                    Some(known) if known.description == description => return Ok(Made::known(known)),
                    Some(known) => {
                        let message = format!("there is a robot {} with another description", known.full_name());
                        return Err(Refusal::exists("description", message));
                    }
                    None => {}
                }
                MOST.leaves_room(tx, org.id.0, &format!("org {}", org.name))?;
                tx.run(MAKE, (org.id.0, &name, &description, by.now))?;
                let found = tx.one(BY_NAME, (org.id.0, &name), robot)?;
                let made = found.ok_or_else(|| Error::Damaged(format!("no row for robot {name} just made")))?;
                by.record(tx, what("robot.create", &made, &made.full_name()), Value::Null, shown(&made))?;
                Ok(Made::new(made))
            })
            .await
    }

    /// Changes a robot. Disabled, it can do nothing from the next request on.
    pub async fn change_robot(
        &self,
        id: i64,
        change: RobotChange,
        expected: Option<i64>,
        by: By,
    ) -> Result<RobotAccount> {
        self.db
            .write(move |tx| {
                let before = by_id(tx, id)?;
                check_version(expected, before.version)?;
                let description = change.description.as_ref().unwrap_or(&before.description);
                let is_disabled = change.is_disabled.unwrap_or(before.is_disabled);
                if (description, is_disabled) == (&before.description, before.is_disabled) {
                    return Ok(before);
                }
                tx.run(CHANGE, (description, is_disabled, id))?;
                let after = by_id(tx, id)?;
                by.record(tx, what("robot.update", &after, &after.full_name()), shown(&before), shown(&after))?;
                Ok(after)
            })
            .await
    }

    /// Deletes a robot with its tokens and grants, and the trust rules that stand for it.
    pub async fn delete_robot(&self, id: i64, expected: Option<i64>, by: By) -> Result<()> {
        self.db
            .write(move |tx| {
                let before = by_id(tx, id)?;
                check_version(expected, before.version)?;
                let grants = grants::shown_of(tx, GrantsOf::Principal(Principal::Robot(id)))?;
                tx.run(DELETE, [id])?;
                let was =
                    json!({ "description": before.description, "disabled": before.is_disabled, "grants": grants });
                by.record(tx, what("robot.delete", &before, &before.full_name()), was, Value::Null)
            })
            .await
    }
}

/// The robot that is called `team+ci`.
pub(crate) fn find(tx: &Tx<'_>, full_name: &str) -> Result<Option<RobotAccount>> {
    let Some((org, name)) = full_name.split_once('+') else { return Ok(None) };
    tx.one(BY_FULL_NAME, (org, name), robot)
}

fn by_id(tx: &Tx<'_>, id: i64) -> Result<RobotAccount> {
    tx.one(BY_ID, [id], robot)?.ok_or_else(|| Refusal::unknown("this robot"))
}

fn what<'a>(action: &'static str, robot: &'a RobotAccount, full_name: &'a str) -> What<'a> {
    What { action, org: Some(&robot.org), target: full_name }
}

fn shown(robot: &RobotAccount) -> Value {
    json!({ "description": robot.description, "disabled": robot.is_disabled })
}

fn robot(row: &Row<'_>) -> Result<RobotAccount> {
    Ok(RobotAccount {
        id: row.get(0)?,
        org: row.get(1)?,
        name: row.get(2)?,
        description: row.get(3)?,
        is_disabled: row.get(4)?,
        version: row.get(5)?,
        created_at: row.get(6)?,
    })
}

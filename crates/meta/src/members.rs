//! Who belongs to an org. An org that has owners keeps at least one, and a user stays owner of their own.

use std::fmt;
use std::str::FromStr;

use rusqlite::Row;
use serde_json::{Value, json};

use crate::accounts::{self, Account};
use crate::changes::{By, Made, Most, Refusal, What};
use crate::db::{Tx, parsed, signed, statements};
use crate::orgs::{self, Org};

use crate::{Meta, Millis, OrgId, Owning, Result, Role};

/// What a member is in an org.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Membership {
    /// May do everything in it.
    Owner,
    /// Belongs to it; what they may do, grants say.
    Member,
}

impl Membership {
    /// Its name, as in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Member => "member",
        }
    }
}

impl fmt::Display for Membership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Membership {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "owner" => Ok(Self::Owner),
            "member" => Ok(Self::Member),
            _ => Err(format!("\"{text}\" is no role of a member: expected owner or member")),
        }
    }
}

/// Somebody who belongs to an org.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Their name.
    pub user: String,
    /// What they are there.
    pub role: Membership,
    /// Since when.
    pub since: Millis,
}

const MOST: Most = Most { count: MEMBERS, limit: 10_000, what: "members", field: "user" };

statements! {
    LIST = "SELECT u.name, m.role, m.since FROM members m JOIN users u ON u.id = m.user_id
            WHERE m.org_id = $1 AND u.name > $2 ORDER BY u.name LIMIT $3";
    FIND = "SELECT u.name, m.role, m.since FROM members m JOIN users u ON u.id = m.user_id
            WHERE m.org_id = $1 AND m.user_id = $2";
    MEMBERS = "SELECT count(*) FROM members WHERE org_id = $1";
    SET = "INSERT INTO members (org_id, user_id, role, since) VALUES ($1, $2, $3, $4)
            ON CONFLICT (org_id, user_id) DO UPDATE SET role = excluded.role";
    REMOVE = "DELETE FROM members WHERE org_id = $1 AND user_id = $2";
    ANOTHER_OWNER = "SELECT 1 FROM members m JOIN users u ON u.id = m.user_id
            WHERE m.org_id = $1 AND m.user_id <> $2 AND m.role = 'owner' AND u.is_disabled = 0 LIMIT 1";
    LEAVE_TEAMS = "DELETE FROM team_members WHERE user_id = $1
            AND team_id IN (SELECT id FROM teams WHERE org_id = $2) RETURNING team_id";
    TEAM = "SELECT name FROM teams WHERE id = $1";
    /// Not what is granted to an address: whether it goes would say whose that is.
    LOSE_GRANTS = "DELETE FROM grants WHERE user_id = $1 AND org_id = $2 AND email IS NULL RETURNING role, repo_id";
    REPOSITORY = "SELECT name FROM repositories WHERE id = $1";
    /// Orgs beside their own that would be left without an owner.
    ALONE = "SELECT o.name FROM members m JOIN orgs o ON o.id = m.org_id
            WHERE m.user_id = $1 AND m.role = 'owner' AND o.personal_of IS NULL AND NOT EXISTS (
              SELECT 1 FROM members n JOIN users u ON u.id = n.user_id
              WHERE n.org_id = m.org_id AND n.user_id <> m.user_id AND n.role = 'owner' AND u.is_disabled = 0)
            ORDER BY o.name LIMIT 1";
}

impl Meta {
    /// Members of an org by name after `after`, at most `limit`.
    pub async fn members(&self, org: OrgId, after: &str, limit: usize) -> Result<Vec<Member>> {
        self.db.read(|tx| tx.all(LIST, (org.0, after, signed(limit as u64)), member))
    }

    /// What a user is in an org.
    pub async fn member(&self, org: OrgId, user: i64) -> Result<Option<Member>> {
        self.db.read(|tx| tx.one(FIND, (org.0, user), member))
    }

    /// Makes a user a member of an org, or an owner, or again a mere member.
    pub async fn set_member(
        &self,
        org: OrgId,
        user: &str,
        role: Membership,
        owning: Owning,
        by: By,
    ) -> Result<Made<Member>> {
        let user = user.to_owned();
        self.db
            .write(move |tx| {
                let (org, user) = (orgs::by_id(tx, org)?, accounts::must_find(tx, &user)?);
                let before = tx.one(FIND, (org.id.0, user.id), member)?;
                if let Some(known) = before.clone().filter(|known| known.role == role) {
                    return Ok(Made::known(known));
                }
                if role == Membership::Member && before.is_some() {
                    keep_an_owner(tx, &org, &user)?;
                }
                if before.is_none() {
                    leaves_room(tx, &org)?;
                }
                if role == Membership::Owner {
                    owning.leaves_room(tx, &user, "role")?;
                }
                tx.run(SET, (org.id.0, user.id, role.as_str(), by.now))?;
                let since = before.as_ref().map_or(by.now, |before| before.since);
                let after = Member { user: user.name, role, since };
                let action = if before.is_some() { "member.update" } else { "member.add" };
                let is_new = before.is_none();
                by.record(tx, what(action, &org, &after.user), shown(before.as_ref()), shown(Some(&after)))?;
                Ok(Made { value: after, is_new })
            })
            .await
    }

    /// Takes a user out of an org: membership, teams and what was granted to them by name.
    pub async fn remove_member(&self, org: OrgId, user: &str, by: By) -> Result<()> {
        let user = user.to_owned();
        self.db
            .write(move |tx| {
                let org = orgs::by_id(tx, org)?;
                let unknown = || Refusal::unknown(format!("member {user}"));
                let account = accounts::find(tx, &user)?.ok_or_else(unknown)?;
                let before = tx.one(FIND, (org.id.0, account.id), member)?.ok_or_else(unknown)?;
                if before.role == Membership::Owner {
                    keep_an_owner(tx, &org, &account)?;
                }
                tx.run(REMOVE, (org.id.0, account.id))?;
                let teams = leave_teams(tx, &org, account.id)?;
                let grants = lose_grants(tx, &org, account.id)?;
                let before = json!({ "role": before.role.as_str(), "teams": teams, "grants": grants });
                by.record(tx, what("member.remove", &org, &user), before, Value::Null)
            })
            .await
    }
}

/// Whether a user is a member of an org.
pub(crate) fn is_in(tx: &Tx<'_>, org: &Org, user: &Account) -> Result<bool> {
    Ok(tx.one(FIND, (org.id.0, user.id), |_| Ok(()))?.is_some())
}

/// Makes a user who is in none yet a member of an org.
pub(crate) fn join(tx: &Tx<'_>, org: &Org, user: &Account, by: &By) -> Result<()> {
    let made = Member { user: user.name.clone(), role: Membership::Member, since: by.now };
    tx.run(SET, (org.id.0, user.id, made.role.as_str(), by.now))?;
    by.record(tx, what("member.add", org, &made.user), Value::Null, shown(Some(&made)))
}

/// Refuses one more member where there are as many as there may be.
pub(crate) fn leaves_room(tx: &Tx<'_>, org: &Org) -> Result<()> {
    MOST.leaves_room(tx, org.id.0, &format!("org {}", org.name))
}

/// Leaves the user in no org of which they are the only owner. For when the account goes.
pub(crate) fn leaves_nobody_alone(tx: &Tx<'_>, user: &Account) -> Result<()> {
    let alone: Option<String> = tx.one(ALONE, [user.id], |row| Ok(row.get(0)?))?;
    match alone {
        Some(org) => Err(Refusal::kept(
            "role",
            format!("{} is the only owner of {org}: make somebody else an owner of it first", user.name),
        )),
        None => Ok(()),
    }
}

fn keep_an_owner(tx: &Tx<'_>, org: &Org, user: &Account) -> Result<()> {
    if org.personal_of.as_ref() == Some(&user.name) {
        return Err(Refusal::kept("role", format!("{} is the own org of {0}, who stays its owner", org.name)));
    }
    if tx.one(ANOTHER_OWNER, (org.id.0, user.id), |_| Ok(()))?.is_none() {
        let name = &user.name;
        return Err(Refusal::kept(
            "role",
            format!("{name} is the only owner of {}: make somebody else an owner first", org.name),
        ));
    }
    Ok(())
}

fn leave_teams(tx: &Tx<'_>, org: &Org, user: i64) -> Result<Vec<String>> {
    let left: Vec<i64> = tx.all(LEAVE_TEAMS, (user, org.id.0), |row| Ok(row.get(0)?))?;
    let mut names = Vec::with_capacity(left.len());
    for team in left {
        names.extend(tx.one(TEAM, [team], |row| Ok(row.get(0)?))?);
    }
    Ok(names)
}

/// Takes back what was granted to the user by name; says what that was.
fn lose_grants(tx: &Tx<'_>, org: &Org, user: i64) -> Result<Vec<String>> {
    let lost: Vec<(i64, Option<i64>)> = tx.all(LOSE_GRANTS, (user, org.id.0), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut texts = Vec::with_capacity(lost.len());
    for (role, repository) in lost {
        let role = Role::from_rank(role).map_or("nobody", Role::as_str);
        let on = match repository {
            None => Some(org.name.clone()),
            Some(id) => tx.one(REPOSITORY, [id], |row| Ok(row.get(0)?))?,
        };
        texts.push(format!("{role} of {}", on.unwrap_or_default()));
    }
    Ok(texts)
}

fn what<'a>(action: &'static str, org: &'a Org, user: &'a str) -> What<'a> {
    What { action, org: Some(&org.name), target: user }
}

fn shown(member: Option<&Member>) -> Value {
    member.map_or(Value::Null, |member| json!({ "role": member.role.as_str() }))
}

fn member(row: &Row<'_>) -> Result<Member> {
    Ok(Member { user: row.get(0)?, role: parsed(row, 1)?, since: row.get(2)? })
}

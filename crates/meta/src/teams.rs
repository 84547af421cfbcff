//! Teams: users of an org that are granted to as one.

use rusqlite::Row;
use serde_json::{Value, json};

use crate::changes::{By, Made, Most, Refusal, What, check_version};
use crate::db::{Tx, signed, statements};
use crate::grants::{self, GrantsOf};
use crate::{Error, Meta, Millis, OrgId, Result, accounts, members, orgs};

/// A team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Team {
    /// Its row.
    pub id: i64,
    /// The name of its org.
    pub org: String,
    /// Its name in the org.
    pub name: String,
    /// For people.
    pub description: String,
    /// Counts changes of the team itself, not of its members.
    pub version: i64,
    /// When it was made.
    pub created_at: Millis,
}

/// Somebody in a team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamMember {
    /// Their name.
    pub user: String,
    /// The provider whose groups say so; `None` when somebody here did.
    pub provider: Option<String>,
    /// Since when.
    pub since: Millis,
}

macro_rules! columns {
    () => {
        "SELECT t.id, o.name, t.name, t.description, t.version, t.created_at
         FROM teams t JOIN orgs o ON o.id = t.org_id "
    };
}

const MOST: Most = Most { count: TEAMS, limit: 1000, what: "teams", field: "name" };

statements! {
    LIST = concat!(columns!(), "WHERE t.org_id = $1 AND t.name > $2 ORDER BY t.name LIMIT $3");
    BY_NAME = concat!(columns!(), "WHERE t.org_id = $1 AND t.name = $2");
    BY_ID = concat!(columns!(), "WHERE t.id = $1");
    TEAMS = "SELECT count(*) FROM teams WHERE org_id = $1";
    MAKE = "INSERT INTO teams (org_id, name, description, created_at) VALUES ($1, $2, $3, $4)";
    CHANGE = "UPDATE teams SET description = $1, version = version + 1 WHERE id = $2";
    DELETE = "DELETE FROM teams WHERE id = $1";
    MEMBERS = "SELECT u.name, p.name, m.since FROM team_members m JOIN users u ON u.id = m.user_id
            LEFT JOIN providers p ON p.id = m.provider_id
            WHERE m.team_id = $1 AND u.name > $2 ORDER BY u.name LIMIT $3";
    MEMBER = "SELECT u.name, p.name, m.since FROM team_members m JOIN users u ON u.id = m.user_id
            LEFT JOIN providers p ON p.id = m.provider_id WHERE m.team_id = $1 AND m.user_id = $2";
    ADD = "INSERT INTO team_members (team_id, user_id, since) VALUES ($1, $2, $3)";
    /// What somebody here says holds, whatever a provider's groups say later.
    KEEP = "UPDATE team_members SET provider_id = NULL WHERE team_id = $1 AND user_id = $2";
    TAKE_OUT = "DELETE FROM team_members WHERE team_id = $1 AND user_id = $2";
}

impl Meta {
    /// Teams of an org by name after `after`, at most `limit`.
    pub async fn teams(&self, org: OrgId, after: &str, limit: usize) -> Result<Vec<Team>> {
        self.db.read(|tx| tx.all(LIST, (org.0, after, signed(limit as u64)), team))
    }

    /// The team of that name.
    pub async fn team(&self, org: OrgId, name: &str) -> Result<Option<Team>> {
        self.db.read(|tx| find(tx, org, name))
    }

    /// Makes a team.
    pub async fn make_team(&self, org: OrgId, name: &str, description: &str, by: By) -> Result<Made<Team>> {
        let (name, description) = (name.to_owned(), description.to_owned());
        self.db
            .write(move |tx| {
                let org = orgs::by_id(tx, org)?;
                match find(tx, org.id, &name)? {
                    Some(known) if known.description == description => return Ok(Made::known(known)),
                    Some(_) => {
                        let message = format!("{} has a team {name} with another description", org.name);
                        return Err(Refusal::exists("description", message));
                    }
                    None => {}
                }
                MOST.leaves_room(tx, org.id.0, &format!("org {}", org.name))?;
                tx.run(MAKE, (org.id.0, &name, &description, by.now))?;
                let found = find(tx, org.id, &name)?;
                let made = found.ok_or_else(|| Error::Damaged(format!("no row for team {name} just made")))?;
                by.record(tx, what("team.create", &made, &full(&made)), Value::Null, shown(&made))?;
                Ok(Made::new(made))
            })
            .await
    }

    /// Changes a team's description.
    pub async fn change_team(&self, team: i64, description: &str, expected: Option<i64>, by: By) -> Result<Team> {
        let description = description.to_owned();
        self.db
            .write(move |tx| {
                let before = by_id(tx, team)?;
                check_version(expected, before.version)?;
                if before.description == description {
                    return Ok(before);
                }
                tx.run(CHANGE, (&description, team))?;
                let after = by_id(tx, team)?;
                by.record(tx, what("team.update", &after, &full(&after)), shown(&before), shown(&after))?;
                Ok(after)
            })
            .await
    }

    /// Deletes a team, and what was granted to it.
    pub async fn delete_team(&self, team: i64, expected: Option<i64>, by: By) -> Result<()> {
        self.db
            .write(move |tx| {
                let before = by_id(tx, team)?;
                check_version(expected, before.version)?;
                let grants = grants::shown_of(tx, GrantsOf::Team(team))?;
                tx.run(DELETE, [team])?;
                let was = json!({ "description": before.description, "grants": grants });
                by.record(tx, what("team.delete", &before, &full(&before)), was, Value::Null)
            })
            .await
    }

    /// Who is in a team, by name after `after`, at most `limit`.
    pub async fn team_members(&self, team: i64, after: &str, limit: usize) -> Result<Vec<TeamMember>> {
        self.db.read(|tx| tx.all(MEMBERS, (team, after, signed(limit as u64)), member))
    }

    /// Puts a user into a team. Who was no member of its org becomes one: whoever is taken out of the org leaves its
    /// teams, and everybody in them is listed.
    pub async fn add_to_team(&self, team: i64, user: &str, by: By) -> Result<Made<TeamMember>> {
        let user = user.to_owned();
        self.db
            .write(move |tx| {
                let (team, user) = (by_id(tx, team)?, accounts::must_find(tx, &user)?);
                if let Some(known) = tx.one(MEMBER, (team.id, user.id), member)? {
                    if let Some(provider) = &known.provider {
                        tx.run(KEEP, (team.id, user.id))?;
                        let before = json!({ "user": user.name, "provider": provider });
                        let after = json!({ "user": user.name });
                        by.record(tx, what("team.add", &team, &full(&team)), before, after)?;
                    }
                    return Ok(Made::known(TeamMember { provider: None, ..known }));
                }
                let org = orgs::find(tx, &team.org)?.ok_or_else(|| Refusal::unknown("this team"))?;
                if !members::is_in(tx, &org, &user)? {
                    members::leaves_room(tx, &org)?;
                    members::join(tx, &org, &user, &by)?;
                }
                tx.run(ADD, (team.id, user.id, by.now))?;
                let after = json!({ "user": user.name });
                by.record(tx, what("team.add", &team, &full(&team)), Value::Null, after)?;
                Ok(Made::new(TeamMember { user: user.name, provider: None, since: by.now }))
            })
            .await
    }

    /// Takes a user out of a team.
    pub async fn take_from_team(&self, team: i64, user: &str, by: By) -> Result<()> {
        let user = user.to_owned();
        self.db
            .write(move |tx| {
                let team = by_id(tx, team)?;
                let account = accounts::find(tx, &user)?;
                let taken = account.map_or(Ok(0), |account| tx.run(TAKE_OUT, (team.id, account.id)))?;
                if taken == 0 {
                    return Err(Refusal::unknown(format!("member {user} of the team")));
                }
                let before = json!({ "user": user });
                by.record(tx, what("team.remove", &team, &full(&team)), before, Value::Null)
            })
            .await
    }
}

pub(crate) fn find(tx: &Tx<'_>, org: OrgId, name: &str) -> Result<Option<Team>> {
    tx.one(BY_NAME, (org.0, name), team)
}

fn by_id(tx: &Tx<'_>, id: i64) -> Result<Team> {
    tx.one(BY_ID, [id], team)?.ok_or_else(|| Refusal::unknown("this team"))
}

fn full(team: &Team) -> String {
    format!("{}/{}", team.org, team.name)
}

fn what<'a>(action: &'static str, team: &'a Team, full: &'a str) -> What<'a> {
    What { action, org: Some(&team.org), target: full }
}

fn shown(team: &Team) -> Value {
    json!({ "description": team.description })
}

fn team(row: &Row<'_>) -> Result<Team> {
    Ok(Team {
        id: row.get(0)?,
        org: row.get(1)?,
        name: row.get(2)?,
        description: row.get(3)?,
        version: row.get(4)?,
        created_at: row.get(5)?,
    })
}

fn member(row: &Row<'_>) -> Result<TeamMember> {
    Ok(TeamMember { user: row.get(0)?, provider: row.get(1)?, since: row.get(2)? })
}

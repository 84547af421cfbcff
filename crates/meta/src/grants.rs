//! Grants: a role on an org or a repository, given to a user, a team, a robot, or an address.
//!
//! What is given to an address works for whose it is, now or when it turns out, and is shown as it was given: whoever
//! grants learns by it of nobody whose address that is.

use rusqlite::Row;
use serde_json::{Value, json};
use wharf_oci::RepoName;

use crate::changes::{By, Refusal, What};
use crate::db::{Tx, parsed_or_null, signed, statements};
use crate::{Error, Meta, Millis, OrgId, Principal, RepoId, Result, Role};

/// Grants that the record of a deletion names.
const GRANTS_SHOWN: i64 = 100;

/// Whom something is granted to, by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Grantee {
    /// A user.
    User(String),
    /// A team of the org that the grant is in.
    Team(String),
    /// A robot, as `team+ci`.
    Robot(String),
    /// Whoever has this address or turns out to, in lower case.
    Email(String),
}

impl Grantee {
    /// `user`, `team`, `robot` or `email`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Team(_) => "team",
            Self::Robot(_) => "robot",
            Self::Email(_) => "email",
        }
    }

    /// The name, or the address.
    pub fn name(&self) -> &str {
        match self {
            Self::User(name) | Self::Team(name) | Self::Robot(name) | Self::Email(name) => name,
        }
    }
}

/// `user alice`
impl std::fmt::Display for Grantee {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind(), self.name())
    }
}

/// A grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// What it is revoked by.
    pub id: i64,
    /// The org it is in.
    pub org_id: OrgId,
    /// Its name.
    pub org: String,
    /// The repository it is limited to; `None`: the whole org.
    pub repository_id: Option<RepoId>,
    /// Its name.
    pub repository: Option<RepoName>,
    /// Whom it is to, as it was given.
    pub to: Grantee,
    /// The user who has it, by name or by their address.
    pub user_id: Option<i64>,
    /// What it makes them.
    pub role: Role,
    /// Who gave it.
    pub granted_by: String,
    /// When.
    pub granted_at: Millis,
}

impl Grant {
    /// The org's or the repository's name.
    pub fn target(&self) -> &str {
        self.repository.as_ref().map_or(&self.org, RepoName::as_str)
    }
}

/// Which grants a list shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantsOf<'a> {
    /// All.
    All,
    /// Those on an org and on its repositories.
    Org(OrgId),
    /// Those on one repository itself.
    Repository(RepoId),
    /// Those to a user by name or address, not by a team, or to a robot.
    Principal(Principal),
    /// Those to a team.
    Team(i64),
    /// Those to an address.
    Email(&'a str),
}

macro_rules! columns {
    () => {
        "SELECT g.id, o.name, r.name, u.name, t.name, b.name || '+' || a.name, g.email, g.role, g.granted_by,
           g.granted_at, g.org_id, g.repo_id, g.user_id
         FROM grants g JOIN orgs o ON o.id = g.org_id LEFT JOIN repositories r ON r.id = g.repo_id
         LEFT JOIN users u ON u.id = g.user_id LEFT JOIN teams t ON t.id = g.team_id
         LEFT JOIN robots a ON a.id = g.robot_id LEFT JOIN orgs b ON b.id = a.org_id "
    };
}

statements! {
    BY_ID = concat!(columns!(), "WHERE g.id = $1");
    LIST = concat!(columns!(), "WHERE g.id > $1 ORDER BY g.id LIMIT $2");
    OF_ORG = concat!(columns!(), "WHERE g.org_id = $1 AND g.id > $2 ORDER BY g.id LIMIT $3");
    OF_REPOSITORY = concat!(columns!(), "WHERE g.repo_id = $1 AND g.id > $2 ORDER BY g.id LIMIT $3");
    OF_USER = concat!(columns!(), "WHERE g.user_id = $1 AND g.id > $2 ORDER BY g.id LIMIT $3");
    OF_ROBOT = concat!(columns!(), "WHERE g.robot_id = $1 AND g.id > $2 ORDER BY g.id LIMIT $3");
    OF_TEAM = concat!(columns!(), "WHERE g.team_id = $1 AND g.id > $2 ORDER BY g.id LIMIT $3");
    AT_USER = concat!(columns!(), "WHERE g.user_id = $1 AND g.org_id = $2 AND (g.repo_id IS NULL OR g.repo_id = $3)
            ORDER BY g.id");
    AT_TEAMS = concat!(columns!(), "WHERE g.team_id IN (SELECT team_id FROM team_members WHERE user_id = $1)
            AND g.org_id = $2 AND (g.repo_id IS NULL OR g.repo_id = $3) ORDER BY g.id");
    AT_ROBOT = concat!(columns!(), "WHERE g.robot_id = $1 AND g.org_id = $2 AND (g.repo_id IS NULL OR g.repo_id = $3)
            ORDER BY g.id");
    OF_EMAIL = concat!(columns!(), "WHERE g.email = $1 AND g.id > $2 ORDER BY g.id LIMIT $3");
    TO_USER = concat!(columns!(), "WHERE g.user_id = $1 AND g.org_id = $2 AND coalesce(g.repo_id, 0) = $3
            AND g.email IS NULL");
    TO_TEAM = concat!(columns!(), "WHERE g.team_id = $1 AND g.org_id = $2 AND coalesce(g.repo_id, 0) = $3");
    TO_ROBOT = concat!(columns!(), "WHERE g.robot_id = $1 AND g.org_id = $2 AND coalesce(g.repo_id, 0) = $3");
    TO_EMAIL = concat!(columns!(), "WHERE g.email = $1 AND g.org_id = $2 AND coalesce(g.repo_id, 0) = $3");
    MAKE = "INSERT INTO grants
              (org_id, repo_id, user_id, team_id, robot_id, email, role, granted_by, granted_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    CHANGE = "UPDATE grants SET role = $1, granted_by = $2, granted_at = $3 WHERE id = $4";
    HAND_OVER = "UPDATE grants SET user_id = $1 WHERE id = $2";
    NAME = "UPDATE grants SET email = NULL WHERE id = $1";
    RAISE = "UPDATE grants SET role = $1 WHERE id = $2 AND role < $3";
    DELETE = "DELETE FROM grants WHERE id = $1";
}

impl Meta {
    /// The grant of that id.
    pub async fn grant(&self, id: i64) -> Result<Option<Grant>> {
        self.db.read(|tx| tx.one(BY_ID, [id], grant))
    }

    /// Grants by id after `after`, at most `limit`.
    pub async fn grants(&self, of: GrantsOf<'_>, after: i64, limit: usize) -> Result<Vec<Grant>> {
        self.db.read(|tx| list(tx, of, after, signed(limit as u64)))
    }

    /// Every grant that counts for somebody in a repository, or without one in an org as a whole: their own and those
    /// of their teams.
    pub async fn grants_at(&self, who: Principal, org: OrgId, repository: Option<RepoId>) -> Result<Vec<Grant>> {
        let repository = repository.map(|repository| repository.0);
        self.db.read(|tx| match who {
            Principal::User(user) => {
                let mut grants = tx.all(AT_USER, (user, org.0, repository), grant)?;
                grants.extend(tx.all(AT_TEAMS, (user, org.0, repository), grant)?);
                Ok(grants)
            }
            Principal::Robot(robot) => tx.all(AT_ROBOT, (robot, org.0, repository), grant),
        })
    }

    /// Changes the role that a grant gives.
    pub async fn change_grant(&self, id: i64, role: Role, by: By) -> Result<Grant> {
        self.db
            .write(move |tx| {
                let before = by_id(tx, id)?;
                if before.role == role {
                    return Ok(before);
                }
                tx.run(CHANGE, (role.rank(), &by.actor.name, by.now, id))?;
                let after = by_id(tx, id)?;
                by.record(tx, what("grant.update", &after), shown(&before), shown(&after))?;
                Ok(after)
            })
            .await
    }

    /// Takes a grant back.
    pub async fn delete_grant(&self, id: i64, by: By) -> Result<()> {
        self.db
            .write(move |tx| {
                let before = by_id(tx, id)?;
                tx.run(DELETE, [id])?;
                by.record(tx, what("grant.delete", &before), shown(&before), Value::Null)
            })
            .await
    }
}

/// Gives a user what was granted to an address that has turned out to be theirs. The record is no org's: its owners
/// gave to an address, and are not told whose it is.
pub(crate) fn wake(tx: &Tx<'_>, (user, name): (i64, &str), email: &str, by: &By) -> Result<()> {
    for grant in list(tx, GrantsOf::Email(email), 0, i64::MAX)? {
        tx.run(HAND_OVER, (user, grant.id))?;
        let after = json!({ "grant": grant.id, "role": grant.role.as_str(), "email": email, "user": name });
        by.record(tx, What { org: None, ..what("grant.wake", &grant) }, shown(&grant), after)?;
    }
    Ok(())
}

/// Leaves a user by name what was granted to an address that is theirs no more: whoever has it next gets none of it.
pub(crate) fn keep(tx: &Tx<'_>, user: i64, email: &str, by: &By) -> Result<()> {
    for before in list(tx, GrantsOf::Email(email), 0, i64::MAX)? {
        let after = if let Some(named) = granted(tx, &Holder::User(user), before.org_id, before.repository_id)? {
            let rank = before.role.rank();
            tx.run(RAISE, (rank, named.id, rank))?;
            tx.run(DELETE, [before.id])?;
            by_id(tx, named.id)?
        } else {
            tx.run(NAME, [before.id])?;
            by_id(tx, before.id)?
        };
        by.record(tx, what("grant.keep", &after), shown(&before), shown(&after))?;
    }
    Ok(())
}

/// The first of the grants that go with something, for the record: `writer of team/app to user alice`.
pub(crate) fn shown_of(tx: &Tx<'_>, of: GrantsOf<'_>) -> Result<Vec<String>> {
    let found = list(tx, of, 0, GRANTS_SHOWN)?;
    Ok(found.iter().map(|grant| format!("{} of {} to {}", grant.role, grant.target(), grant.to)).collect())
}

fn list(tx: &Tx<'_>, of: GrantsOf<'_>, after: i64, limit: i64) -> Result<Vec<Grant>> {
    match of {
        GrantsOf::All => tx.all(LIST, (after, limit), grant),
        GrantsOf::Org(org) => tx.all(OF_ORG, (org.0, after, limit), grant),
        GrantsOf::Repository(repository) => tx.all(OF_REPOSITORY, (repository.0, after, limit), grant),
        GrantsOf::Principal(Principal::User(user)) => tx.all(OF_USER, (user, after, limit), grant),
        GrantsOf::Principal(Principal::Robot(robot)) => tx.all(OF_ROBOT, (robot, after, limit), grant),
        GrantsOf::Team(team) => tx.all(OF_TEAM, (team, after, limit), grant),
        GrantsOf::Email(email) => tx.all(OF_EMAIL, (email, after, limit), grant),
    }
}

/// Whom a grant is to, by row.
pub(crate) enum Holder {
    User(i64),
    Team(i64),
    Robot(i64),
    /// And whose it is, if that is known.
    Email(String, Option<i64>),
}

/// What that holder has on just that.
pub(crate) fn granted(tx: &Tx<'_>, holder: &Holder, org: OrgId, repository: Option<RepoId>) -> Result<Option<Grant>> {
    let at = repository.map_or(0, |repository| repository.0);
    match holder {
        Holder::User(id) => tx.one(TO_USER, (id, org.0, at), grant),
        Holder::Team(id) => tx.one(TO_TEAM, (id, org.0, at), grant),
        Holder::Robot(id) => tx.one(TO_ROBOT, (id, org.0, at), grant),
        Holder::Email(email, _) => tx.one(TO_EMAIL, (email, org.0, at), grant),
    }
}

/// Makes a grant of what the holder does not have yet.
pub(crate) fn make(
    tx: &Tx<'_>,
    holder: &Holder,
    (org, repository): (OrgId, Option<RepoId>),
    role: Role,
    by: &By,
) -> Result<Grant> {
    let (mut user, mut team, mut robot, mut email) = (None, None, None, None);
    match holder {
        Holder::User(id) => user = Some(id),
        Holder::Team(id) => team = Some(id),
        Holder::Robot(id) => robot = Some(id),
        Holder::Email(address, owner) => (email, user) = (Some(address), owner.as_ref()),
    }
    let at = repository.map(|repository| repository.0);
    tx.run(MAKE, (org.0, at, user, team, robot, email, role.rank(), &by.actor.name, by.now))?;
    let made = granted(tx, holder, org, repository)?;
    let made = made.ok_or_else(|| Error::Damaged("no row for a grant just made".into()))?;
    by.record(tx, what("grant.create", &made), Value::Null, shown(&made))?;
    Ok(made)
}

fn by_id(tx: &Tx<'_>, id: i64) -> Result<Grant> {
    tx.one(BY_ID, [id], grant)?.ok_or_else(|| Refusal::unknown(format!("grant {id}")))
}

fn what<'a>(action: &'static str, grant: &'a Grant) -> What<'a> {
    What { action, org: Some(&grant.org), target: grant.target() }
}

fn shown(grant: &Grant) -> Value {
    json!({ "grant": grant.id, "role": grant.role.as_str(), (grant.to.kind()): grant.to.name() })
}

fn grant(row: &Row<'_>) -> Result<Grant> {
    let to = match (row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?) {
        (_, _, _, Some(email)) => Grantee::Email(email),
        (Some(user), _, _, _) => Grantee::User(user),
        (_, Some(team), _, _) => Grantee::Team(team),
        (_, _, Some(robot), _) => Grantee::Robot(robot),
        (None, None, None, None) => return Err(Error::Damaged("a grant to nobody".into())),
    };
    Ok(Grant {
        id: row.get(0)?,
        org: row.get(1)?,
        repository: parsed_or_null(row, 2)?,
        to,
        user_id: row.get(12)?,
        role: Role::from_rank(row.get(7)?).ok_or_else(|| Error::Damaged("a grant without a role".into()))?,
        granted_by: row.get(8)?,
        granted_at: row.get(9)?,
        org_id: OrgId(row.get(10)?),
        repository_id: row.get::<_, Option<i64>>(11)?.map(RepoId),
    })
}

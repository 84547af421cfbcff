//! Tokens that stand for a user or a robot, with at most the rights they name. The token itself is never stored.

use std::fmt;

use rusqlite::Row;
use serde_json::json;

use crate::audit::{self, Event};
use crate::changes::Most;
use crate::db::{Tx, signed, statements};
use crate::identities;
use crate::{Actor, Error, Meta, Millis, OrgId, Principal, RepoId, Result, Role};

/// Where a token is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Wherever its owner has rights.
    Everywhere,
    /// In the repositories of one org.
    Org(OrgId),
    /// In one repository.
    Repository(RepoId),
}

/// A token's row.
#[derive(Clone)]
pub struct ApiToken {
    /// What it is listed and revoked by.
    pub id: String,
    /// Whom it stands for.
    pub owner: Principal,
    /// What its owner calls it.
    pub name: String,
    /// Its last characters.
    pub hint: String,
    /// At most this.
    pub role: Role,
    /// There only.
    pub reach: Reach,
    /// The name of the org or repository it is good in; for people to read.
    pub place: Option<String>,
    /// When it was made.
    pub created_at: Millis,
    /// When it stops working; `None`: when it is revoked.
    pub expires_at: Option<Millis>,
    /// When it was used last, to the minute.
    pub used_at: Option<Millis>,
    /// Where from.
    pub used_from: Option<String>,
}

impl fmt::Debug for ApiToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiToken").field("id", &self.id).field("name", &self.name).finish_non_exhaustive()
    }
}

/// What became of a token that was to be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is there.
    Yes,
    /// Its owner has another of that name.
    NameTaken,
    /// Whoever makes it proved a password that has been replaced since, or is disabled by now.
    NotProved,
}

/// A token that is to be.
#[derive(Clone)]
pub struct NewApiToken {
    /// What it will be listed by.
    pub id: String,
    /// SHA-256 of the token.
    pub hash: Vec<u8>,
    /// Whom it stands for.
    pub owner: Principal,
    /// What its owner calls it.
    pub name: String,
    /// Its last characters.
    pub hint: String,
    /// At most this.
    pub role: Role,
    /// There only.
    pub reach: Reach,
    /// When it stops working.
    pub expires_at: Option<Millis>,
    /// Who makes it, and the stored hash of the password they proved for it; `None` when they proved none.
    pub proved: Option<(i64, String)>,
}

macro_rules! columns {
    () => {
        "SELECT t.id, t.user_id, t.robot_id, t.name, t.hint, t.role, t.org_id, t.repo_id, coalesce(o.name, r.name),
           t.created_at, t.expires_at, t.used_at, t.used_from
         FROM api_tokens t LEFT JOIN orgs o ON o.id = t.org_id LEFT JOIN repositories r ON r.id = t.repo_id"
    };
}

const MOST: Most = Most { count: COUNT_OF_USER, limit: 500, what: "API tokens", field: "name" };

statements! {
    BY_HASH = concat!(columns!(), " WHERE t.hash = $1");
    BY_ID = concat!(columns!(), " WHERE t.id = $1");
    OF_USER = concat!(columns!(), " WHERE t.user_id = $1 AND t.name > $2 ORDER BY t.name LIMIT $3");
    OF_ROBOT = concat!(columns!(), " WHERE t.robot_id = $1 AND t.name > $2 ORDER BY t.name LIMIT $3");
    KEEP = "INSERT INTO api_tokens (id, hash, user_id, robot_id, name, hint, role, org_id, repo_id, created_at, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING";
    COUNT_OF_USER = "SELECT count(*) FROM api_tokens WHERE user_id = $1";
    COUNT_OF_ROBOT = "SELECT count(*) FROM api_tokens WHERE robot_id = $1";
    TOUCH = "UPDATE api_tokens SET used_at = $1, used_from = $2 WHERE id = $3";
    REVOKE = "DELETE FROM api_tokens WHERE id = $1";
}

impl Meta {
    /// The token that hashes to this.
    pub async fn api_token_by_hash(&self, hash: &[u8]) -> Result<Option<ApiToken>> {
        self.db.read(|tx| tx.one(BY_HASH, [hash], token))
    }

    /// The token of that id.
    pub async fn api_token(&self, id: &str) -> Result<Option<ApiToken>> {
        self.db.read(|tx| tx.one(BY_ID, [id], token))
    }

    /// Tokens of `owner` by name after `after`, at most `limit`.
    pub async fn api_tokens(&self, owner: Principal, after: &str, limit: usize) -> Result<Vec<ApiToken>> {
        let (sql, id) = match owner {
            Principal::User(id) => (OF_USER, id),
            Principal::Robot(id) => (OF_ROBOT, id),
        };
        self.db.read(|tx| tx.all(sql, (id, after, signed(limit as u64)), token))
    }

    /// Records a token; `of` names its owner in the audit.
    pub async fn keep_api_token(&self, new: NewApiToken, of: &str, actor: &Actor, now: Millis) -> Result<Kept> {
        let (of, actor) = (of.to_owned(), actor.clone());
        self.db.write(move |tx| keep(tx, &new, &of, &actor, now)).await
    }

    /// Records when and from where a token was used.
    pub async fn touch_api_token(&self, id: &str, from: Option<String>, now: Millis) -> Result<()> {
        let id = id.to_owned();
        self.db.write(move |tx| tx.run(TOUCH, (now, from, id)).map(drop)).await
    }

    /// Ends a token; `of` names its owner in the audit. `false` when there was none.
    pub async fn revoke_api_token(&self, id: &str, of: &str, actor: &Actor, now: Millis) -> Result<bool> {
        let (id, of, actor) = (id.to_owned(), of.to_owned(), actor.clone());
        self.db
            .write(move |tx| {
                let Some(was) = tx.one(BY_ID, [&id], token)? else { return Ok(false) };
                tx.run(REVOKE, [&id])?;
                let details =
                    json!({ "token": was.name, "before": { "scope": was.role.as_str(), "place": was.place } });
                let org = of.split_once('+').map(|(org, _)| org.to_owned());
                audit::record(tx, &actor, now, &Event { action: "token.revoke", org, target: of, details })?;
                Ok(true)
            })
            .await
    }
}

fn keep(tx: &Tx<'_>, new: &NewApiToken, of: &str, actor: &Actor, now: Millis) -> Result<Kept> {
    if let Some((user, hash)) = &new.proved
        && !identities::is_proved(tx, *user, hash)?
    {
        return Ok(Kept::NotProved);
    }
    let (count, id) = match new.owner {
        Principal::User(id) => (COUNT_OF_USER, id),
        Principal::Robot(id) => (COUNT_OF_ROBOT, id),
    };
    Most { count, ..MOST }.leaves_room(tx, id, of)?;
    if !insert(tx, new, now)? {
        return Ok(Kept::NameTaken);
    }
    let place = tx.one(BY_ID, [&new.id], token)?.and_then(|made| made.place);
    let after = json!({ "scope": new.role.as_str(), "place": place, "expires_at": new.expires_at });
    let org = of.split_once('+').map(|(org, _)| org.to_owned());
    let details = json!({ "token": new.name, "after": after });
    audit::record(tx, actor, now, &Event { action: "token.create", org, target: of.to_owned(), details })?;
    Ok(Kept::Yes)
}

/// `false` when its owner has one of that name.
fn insert(tx: &Tx<'_>, new: &NewApiToken, now: Millis) -> Result<bool> {
    let NewApiToken { id, hash, owner, name, hint, role, reach, expires_at, proved: _ } = new;
    let (org, repository) = match reach {
        Reach::Everywhere => (None, None),
        Reach::Org(org) => (Some(org.0), None),
        Reach::Repository(repository) => (None, Some(repository.0)),
    };
    let (user, robot) = (owner.user(), owner.robot());
    let row = (id, hash, user, robot, name, hint, role.rank(), org, repository, now, expires_at);
    Ok(tx.run(KEEP, row)? > 0)
}

fn token(row: &Row<'_>) -> Result<ApiToken> {
    let owner = match (row.get(1)?, row.get(2)?) {
        (Some(user), _) => Principal::User(user),
        (None, Some(robot)) => Principal::Robot(robot),
        (None, None) => return Err(Error::Damaged("a token of nobody".into())),
    };
    let reach = match (row.get(6)?, row.get(7)?) {
        (Some(org), _) => Reach::Org(OrgId(org)),
        (None, Some(repository)) => Reach::Repository(RepoId(repository)),
        (None, None) => Reach::Everywhere,
    };
    let role = Role::from_rank(row.get(5)?).ok_or_else(|| Error::Damaged("a token without a role".into()))?;
    Ok(ApiToken {
        id: row.get(0)?,
        owner,
        name: row.get(3)?,
        hint: row.get(4)?,
        role,
        reach,
        place: row.get(8)?,
        created_at: row.get(9)?,
        expires_at: row.get(10)?,
        used_at: row.get(11)?,
        used_from: row.get(12)?,
    })
}

//! What somebody is where: the greatest of what grants, teams and membership make them. One read for one request, so
//! that a right taken away is gone at the next.

use std::collections::HashMap;

use rusqlite::Row;
use wharf_oci::RepoName;

use crate::db::{Tx, parsed_or_null, statements};
use crate::repositories::{self, Repository};
use crate::{Meta, OrgId, Principal, RepoId, Result, Role, Visibility};

/// What is at a repository's name, and what somebody is there.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// The repository, if it exists.
    pub repository: Option<Repository>,
    /// The org of that name, if it exists.
    pub org: Option<OrgId>,
    /// The repository's own or its org's; `None` where neither was set.
    pub visibility: Option<Visibility>,
    /// What the caller is there.
    pub role: Option<Role>,
}

/// What somebody is everywhere, for lists.
#[derive(Clone, Debug, Default)]
pub struct Rights {
    orgs: HashMap<OrgId, Role>,
    repositories: HashMap<RepoId, Role>,
}

impl Rights {
    /// In one repository.
    pub fn at(&self, org: OrgId, repository: RepoId) -> Option<Role> {
        self.orgs.get(&org).copied().max(self.repositories.get(&repository).copied())
    }

    /// In one org as a whole.
    pub fn in_org(&self, org: OrgId) -> Option<Role> {
        self.orgs.get(&org).copied()
    }
}

statements! {
    ORG = "SELECT id, visibility FROM orgs WHERE name = $1";
    ROLE_OF_USER = "SELECT max(role) FROM (
              SELECT role FROM grants WHERE user_id = $1 AND org_id = $2 AND (repo_id IS NULL OR repo_id = $3)
              UNION ALL
              SELECT g.role FROM team_members m JOIN grants g ON g.team_id = m.team_id
              WHERE m.user_id = $1 AND g.org_id = $2 AND (g.repo_id IS NULL OR g.repo_id = $3)
              UNION ALL
              SELECT 4 FROM members WHERE org_id = $2 AND user_id = $1 AND role = 'owner') roles";
    ROLE_APART_FROM_ADDRESSES = "SELECT max(role) FROM (
              SELECT role FROM grants WHERE user_id = $1 AND org_id = $2 AND (repo_id IS NULL OR repo_id = $3)
                AND email IS NULL
              UNION ALL
              SELECT g.role FROM team_members m JOIN grants g ON g.team_id = m.team_id
              WHERE m.user_id = $1 AND g.org_id = $2 AND (g.repo_id IS NULL OR g.repo_id = $3)
              UNION ALL
              SELECT 4 FROM members WHERE org_id = $2 AND user_id = $1 AND role = 'owner') roles";
    ROLE_OF_ROBOT = "SELECT max(role) FROM grants
            WHERE robot_id = $1 AND org_id = $2 AND (repo_id IS NULL OR repo_id = $3)";
    ALL_OF_USER = "SELECT org_id, repo_id, role FROM grants WHERE user_id = $1
            UNION ALL
            SELECT g.org_id, g.repo_id, g.role FROM team_members m JOIN grants g ON g.team_id = m.team_id
            WHERE m.user_id = $1
            UNION ALL
            SELECT org_id, NULL, 4 FROM members WHERE user_id = $1 AND role = 'owner'";
    ALL_OF_ROBOT = "SELECT org_id, repo_id, role FROM grants WHERE robot_id = $1";
}

impl Meta {
    /// What is at that name, and what `who` is there; nobody is nothing.
    pub async fn place(&self, who: Option<Principal>, name: &RepoName) -> Result<Place> {
        self.db.read(|tx| {
            let mut place = match repositories::find(tx, name)? {
                Some(repository) => Place {
                    org: Some(repository.org),
                    visibility: repository.visibility,
                    repository: Some(repository),
                    role: None,
                },
                None => org_place(tx, name.org())?,
            };
            if let (Some(who), Some(org)) = (who, place.org) {
                place.role = role(tx, who, org, place.repository.as_ref().map(|repository| repository.id))?;
            }
            Ok(place)
        })
    }

    /// What is at an org's name, and what `who` is in all of it.
    pub async fn org_place(&self, who: Option<Principal>, org: &str) -> Result<Place> {
        self.db.read(|tx| {
            let mut place = org_place(tx, org)?;
            if let (Some(who), Some(org)) = (who, place.org) {
                place.role = role(tx, who, org, None)?;
            }
            Ok(place)
        })
    }

    /// What `who` is there by whatever is not granted to an address: what somebody may be told who is not to learn whose
    /// address one is.
    pub async fn role_apart_from_addresses(
        &self,
        who: Principal,
        org: OrgId,
        repository: Option<RepoId>,
    ) -> Result<Option<Role>> {
        self.db.read(|tx| match who {
            Principal::User(id) => rank(tx, ROLE_APART_FROM_ADDRESSES, id, org, repository),
            Principal::Robot(_) => role(tx, who, org, repository),
        })
    }

    /// What `who` is everywhere.
    pub async fn rights(&self, who: Principal) -> Result<Rights> {
        let mut rights = Rights::default();
        let add = |row: &Row<'_>| {
            let (org, repository, rank) = (row.get(0)?, row.get::<_, Option<i64>>(1)?, row.get(2)?);
            let Some(role) = Role::from_rank(rank) else { return Ok(()) };
            let known = match repository {
                None => rights.orgs.entry(OrgId(org)).or_insert(role),
                Some(repository) => rights.repositories.entry(RepoId(repository)).or_insert(role),
            };
            *known = role.max(*known);
            Ok(())
        };
        self.db.read(|tx| match who {
            Principal::User(id) => tx.all(ALL_OF_USER, [id], add),
            Principal::Robot(id) => tx.all(ALL_OF_ROBOT, [id], add),
        })?;
        Ok(rights)
    }
}

/// What `who` is in a repository, or without one in the org as a whole.
pub(crate) fn role(tx: &Tx<'_>, who: Principal, org: OrgId, repository: Option<RepoId>) -> Result<Option<Role>> {
    let (sql, id) = match who {
        Principal::User(id) => (ROLE_OF_USER, id),
        Principal::Robot(id) => (ROLE_OF_ROBOT, id),
    };
    rank(tx, sql, id, org, repository)
}

fn rank(tx: &Tx<'_>, sql: &'static str, id: i64, org: OrgId, repository: Option<RepoId>) -> Result<Option<Role>> {
    let rank = tx.one(sql, (id, org.0, repository.map(|repository| repository.0)), |row| {
        Ok(row.get::<_, Option<i64>>(0)?.unwrap_or(0))
    })?;
    Ok(rank.and_then(Role::from_rank))
}

fn org_place(tx: &Tx<'_>, org: &str) -> Result<Place> {
    let found = tx.one(ORG, [org], |row| Ok((OrgId(row.get(0)?), parsed_or_null(row, 1)?)))?;
    let Some((org, visibility)) = found else { return Ok(Place::default()) };
    Ok(Place { org: Some(org), visibility, ..Place::default() })
}

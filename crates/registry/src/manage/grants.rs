//! Grants. Who may grant somewhere may find those to grant to; nobody else learns by them who there is.

pub use wharf_meta::Grantee;
use wharf_meta::{Grant as Row, GrantTarget, GrantsOf, Millis, NewGrant, OrgId, Principal, RepoId, Role};

use super::{Created, and_one, names, page};
use crate::access::{Action, Caller, Power, api_scope};
use crate::error::Takes;
use crate::{Error, Page, Registry, Result};

/// What is looked at of somebody's grants at a time, where only those on one target are wanted.
const BATCH: usize = 1000;
/// What is done where a grant is made, changed or taken back, for a refusal.
const CHANGING: &str = "change grants";

/// A role that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// What it is changed and taken back by.
    pub id: i64,
    /// On what: an org (`team`), or a repository (`team/app`).
    pub target: String,
    /// What was given.
    pub role: Role,
    /// To whom.
    pub to: Grantee,
    /// By whom.
    pub granted_by: String,
    /// When.
    pub granted_at: Millis,
}

impl From<Row> for Grant {
    fn from(row: Row) -> Self {
        let target = row.target().to_owned();
        let Row { id, to, role, granted_by, granted_at, .. } = row;
        Self { id, target, role, to, granted_by, granted_at }
    }
}

impl Registry {
    /// Grants by id after the id `after`: on an org and its repositories or on one repository, for who may grant
    /// there; of those or of all only those given directly to a user or robot. Without a target administrators see
    /// all, everybody else what was given to them.
    pub async fn grants(
        &self,
        caller: &Caller,
        target: Option<&str>,
        to: Option<&str>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Grant>> {
        let principal = self.admitted(caller)?;
        let message = || "the id of the last grant before is expected".into();
        let after =
            after.map_or(Ok(0), str::parse).map_err(|_| Error::Invalid { field: "after", message: message() })?;
        let of = match target {
            Some(target) => match self.place_to_grant(caller, "look up grants", target).await? {
                (org, None) => GrantsOf::Org(org),
                (_, Some(repository)) => GrantsOf::Repository(repository),
            },
            None if self.administers(caller) => GrantsOf::All,
            None if caller.ceiling(None, None) == Power::Nothing => {
                return Err(caller.too_narrow(api_scope(), Takes::Credential));
            }
            None if to.is_none_or(|to| to == caller.name()) => GrantsOf::Principal(principal),
            None => {
                let message = "only administrators look everywhere: say in which org or repository".into();
                return Err(Error::Invalid { field: "target", message });
            }
        };
        let found = match to {
            None => self.meta.grants(of, after, and_one(limit)).await?,
            Some(to) => match self.principal_named(to).await? {
                Some(who) => {
                    // By their address only to who knows whose it is.
                    let by_name = Some(to).filter(|to| *to != caller.name() && !self.administers(caller));
                    self.grants_to(who, by_name, of, after, and_one(limit)).await?
                }
                None => vec![],
            },
        };
        Ok(page(found, limit, Grant::from))
    }

    /// One grant, for who may grant there and for whom it is to.
    pub async fn grant(&self, caller: &Caller, id: i64) -> Result<Grant> {
        self.admitted(caller)?;
        let row = self.meta.grant(id).await?.ok_or_else(|| unknown(id))?;
        let is_theirs = match caller.identity().principal() {
            Some(Principal::User(id)) => row.user_id == Some(id),
            _ => matches!(&row.to, Grantee::Robot(name) if name == caller.name()),
        };
        if is_theirs {
            return match caller.ceiling(Some(row.org_id), row.repository_id) {
                Power::Nothing => Err(caller.too_narrow(api_scope(), Takes::Credential)),
                _ => Ok(row.into()),
            };
        }
        self.grant_to_change(caller, id).await.map(Grant::from)
    }

    /// Gives a role on an org or a repository. A repository that is not there is made, as a push would. What is given to
    /// an address is whose it is, now or when it turns out; nobody learns by it who that is. A robot of an org that the
    /// caller may not know of is not there.
    pub async fn create_grant(&self, caller: &Caller, target: &str, to: Grantee, role: Role) -> Result<Created<Grant>> {
        self.admitted(caller)?;
        grantable(role)?;
        let place = match self.place_to_grant(caller, CHANGING, target).await {
            Ok((org, None)) => GrantTarget::Org(org),
            Ok((_, Some(repository))) => GrantTarget::Repository(repository),
            Err(Error::NameUnknown(name)) => {
                self.authorize(caller, Action::Push, &name).await?;
                GrantTarget::NewRepository(name)
            }
            Err(error) => return Err(error),
        };
        let to = valid(to)?;
        let kind = to.kind();
        let nobody = |what: &str| Error::Invalid { field: kind, message: format!("there is no {what} to grant to") };
        if let Grantee::Robot(name) = &to
            && !self.may_name_robot(caller, name, names::org_of(target)).await?
        {
            return Err(nobody(&to.to_string()));
        }
        let fresh = if let GrantTarget::NewRepository(name) = &place { Some(name.clone()) } else { None };
        let made = self.meta.make_grant(NewGrant { target: place, to, role }, self.by(caller)).await;
        let made = made.map_err(Error::from).map_err(|error| match error {
            Error::NotFound { what } if what.starts_with(kind) => nobody(&what),
            error => error,
        });
        let made = match fresh {
            Some(name) => self.recorded(caller, &name, made)?,
            None => made?,
        };
        Ok(Created::of(made, Grant::from))
    }

    /// Changes the role that a grant gives.
    pub async fn update_grant(&self, caller: &Caller, id: i64, role: Role) -> Result<Grant> {
        grantable(role)?;
        let row = self.grant_to_change(caller, id).await?;
        Ok(self.meta.change_grant(row.id, role, self.by(caller)).await?.into())
    }

    /// Takes a grant back: the next request of whoever had it is without it.
    pub async fn delete_grant(&self, caller: &Caller, id: i64) -> Result<()> {
        let row = self.grant_to_change(caller, id).await?;
        Ok(self.meta.delete_grant(row.id, self.by(caller)).await?)
    }

    /// The org, and the repository of it, on which the caller may grant. [`Error::NameUnknown`] when they may, and
    /// there is no such repository.
    /// `doing` is what for, in words.
    pub(super) async fn place_to_grant(
        &self,
        caller: &Caller,
        doing: &'static str,
        target: &str,
    ) -> Result<(OrgId, Option<RepoId>)> {
        if !target.contains('/') {
            let seen = self.org_to(caller, Action::Manage, doing, target).await?;
            return Ok((seen.row.id, None));
        }
        let name = names::repository("target", target)?;
        let repository = self.authorize_to(caller, Action::Manage, doing, &name).await?;
        let repository = repository.ok_or(Error::NameUnknown(name))?;
        Ok((repository.org, Some(repository.id)))
    }

    /// A user or a robot.
    pub(super) async fn principal_named(&self, name: &str) -> Result<Option<Principal>> {
        if name.contains('+') {
            return Ok(self.meta.robot_named(name).await?.map(|robot| Principal::Robot(robot.id)));
        }
        Ok(self.meta.account(name).await?.map(|user| Principal::User(user.id)))
    }

    /// Whether somebody who manages `org` may learn of that robot: of their own org's, and of those of orgs that they
    /// may know of.
    pub(super) async fn may_name_robot(&self, caller: &Caller, robot: &str, org: &str) -> Result<bool> {
        let home = robot.split_once('+').map_or(robot, |(home, _)| home);
        if home == org {
            return Ok(true);
        }
        match self.seen_org(caller, home).await {
            Ok(_) => Ok(true),
            Err(Error::NotFound { .. } | Error::TokenTooNarrow { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Of somebody's grants those on the target, and only those to that name if one is given.
    async fn grants_to(
        &self,
        to: Principal,
        by_name: Option<&str>,
        of: GrantsOf<'_>,
        mut after: i64,
        wanted: usize,
    ) -> Result<Vec<Row>> {
        let is_wanted = |row: &Row| {
            let is_there = match of {
                GrantsOf::Org(org) => row.org_id == org,
                GrantsOf::Repository(repository) => row.repository_id == Some(repository),
                _ => true,
            };
            is_there && by_name.is_none_or(|name| row.to.name() == name)
        };
        let mut found = Vec::new();
        loop {
            let batch = self.meta.grants(GrantsOf::Principal(to), after, BATCH).await?;
            let Some(last) = batch.last().map(|row| row.id).filter(|_| found.len() < wanted) else { return Ok(found) };
            found.extend(batch.into_iter().filter(is_wanted));
            after = last;
        }
    }

    /// The grant, if the caller may grant where it is; to others it is not there.
    async fn grant_to_change(&self, caller: &Caller, id: i64) -> Result<Row> {
        self.admitted(caller)?;
        let row = self.meta.grant(id).await?.ok_or_else(|| unknown(id))?;
        match self.place_to_grant(caller, CHANGING, row.target()).await {
            Ok(_) => Ok(row),
            Err(Error::Denied { .. } | Error::NotFound { .. } | Error::NameUnknown(_)) => Err(unknown(id)),
            Err(error) => Err(error),
        }
    }
}

fn grantable(role: Role) -> Result<()> {
    if role <= Role::Maintainer {
        return Ok(());
    }
    let message = "owners are members of an org: make the user one there".into();
    Err(Error::Invalid { field: "role", message })
}

fn valid(to: Grantee) -> Result<Grantee> {
    match &to {
        Grantee::User(name) => names::name("user", name)?,
        Grantee::Team(name) => names::name("team", name)?,
        Grantee::Robot(name) => {
            let message = || "a robot's name is expected with its org, like team+ci".into();
            let parts = name.split_once('+').ok_or_else(|| Error::Invalid { field: "robot", message: message() })?;
            names::name("robot", parts.0)?;
            names::name("robot", parts.1)?;
        }
        Grantee::Email(address) => return Ok(Grantee::Email(names::email(address)?)),
    }
    Ok(to)
}

fn unknown(id: i64) -> Error {
    Error::NotFound { what: format!("grant {id}") }
}

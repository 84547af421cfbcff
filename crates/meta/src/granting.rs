//! How a grant comes about: whom it is to, and on what, must be found first.

use wharf_oci::RepoName;

use crate::changes::{By, Made, Most, Refusal};
use crate::db::{Tx, statements};
use crate::grants::{self, Grant, Grantee, Holder};
use crate::{Meta, OrgId, RepoId, Result, Role, accounts, orgs, repositories, robots, teams};

/// A grant that is to be.
#[derive(Clone, Debug)]
pub struct NewGrant {
    /// On what.
    pub target: GrantTarget,
    /// Whom it is to.
    pub to: Grantee,
    /// What it makes them.
    pub role: Role,
}

/// What is granted on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrantTarget {
    /// A whole org.
    Org(OrgId),
    /// A repository.
    Repository(RepoId),
    /// A repository that is made for it.
    NewRepository(RepoName),
}

/// Those that wait for an address too.
const MOST: Most = Most { count: GRANTS, limit: 10_000, what: "grants", field: "target" };

statements! {
    GRANTS = "SELECT count(*) FROM grants WHERE org_id = $1";
}

impl Meta {
    /// Grants. What is granted there already must be of the same role.
    pub async fn make_grant(&self, new: NewGrant, by: By) -> Result<Made<Grant>> {
        self.db
            .write(move |tx| {
                let (org, repository) = place(tx, &new.target, &by)?;
                let holder = holder(tx, org, &new.to)?;
                if let Some(known) = grants::granted(tx, &holder, org, repository)? {
                    if known.role == new.role {
                        return Ok(Made::known(known));
                    }
                    let message = format!("{} is {} of {} already: change that", known.to, known.role, known.target());
                    return Err(Refusal::exists("role", message));
                }
                MOST.leaves_room(tx, org.0, &format!("org {}", orgs::by_id(tx, org)?.name))?;
                grants::make(tx, &holder, (org, repository), new.role, &by).map(Made::new)
            })
            .await
    }
}

fn holder(tx: &Tx<'_>, org: OrgId, to: &Grantee) -> Result<Holder> {
    Ok(match to {
        Grantee::User(name) => Holder::User(accounts::must_find(tx, name)?.id),
        Grantee::Team(name) => {
            let found = teams::find(tx, org, name)?;
            let org = || orgs::by_id(tx, org).map(|org| org.name).unwrap_or_default();
            Holder::Team(found.ok_or_else(|| Refusal::unknown(format!("team {name} in {}", org())))?.id)
        }
        Grantee::Robot(name) => {
            Holder::Robot(robots::find(tx, name)?.ok_or_else(|| Refusal::unknown(format!("robot {name}")))?.id)
        }
        Grantee::Email(email) => Holder::Email(email.clone(), accounts::owner_of(tx, email)?),
    })
}

fn place(tx: &Tx<'_>, target: &GrantTarget, by: &By) -> Result<(OrgId, Option<RepoId>)> {
    let found = match target {
        GrantTarget::Org(org) => return Ok((*org, None)),
        GrantTarget::Repository(id) => repositories::manage::by_id(tx, *id)?,
        GrantTarget::NewRepository(name) => repositories::manage::create(tx, name, None, by)?,
    };
    Ok((found.org, Some(found.id)))
}

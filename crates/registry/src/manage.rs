//! What people change: orgs and who belongs to them, grants, users, tokens, repositories. The admin API, the commands
//! and the pages all come here.
//!
//! Every method takes the [`Caller`] first and asks [`decide`] for itself. What a caller may not know of is not there;
//! what they know of and may not change is denied, with who could.

use wharf_meta::{By, Made, Org as OrgRow, Place, Principal, Refusal};

use crate::access::{Action, Caller, Decision, Facts, Identity, Power, Reason, api_scope, decide};
use crate::audit::Tried;
use crate::{Error, Page, Registry, Result};

mod explain;
mod grants;
mod members;
mod names;
mod orgs;
mod providers;
mod repositories;
mod robots;
mod sessions;
mod stats;
mod teams;
mod tokens;
mod trust_rules;
mod users;

pub use explain::Explanation;
pub use grants::{Grant, Grantee};
pub use members::{Member, Membership};
pub use orgs::{Org, OrgCreation};
pub use providers::{GroupTeam, NewProvider, Provider, ProviderChange};
pub use repositories::{Contents, ManifestEntry, Repository, TagEntry};
pub use robots::{Robot, RobotChange};
pub use sessions::Session;
pub use stats::Stats;
pub use teams::{Team, TeamMember};
pub use tokens::{MadeToken, NewToken, Token};
pub use trust_rules::{NewTrustRule, TrustRule, TrustRuleChange};
pub use users::{NewUser, OrgRole, User, UserChange, Whoami};

/// What a creation came to: asking again for what is there already changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created<T> {
    /// As it is now.
    pub value: T,
    /// Whether it was not there before.
    pub is_new: bool,
}

impl<T> Created<T> {
    fn of<U>(made: Made<U>, view: impl FnOnce(U) -> T) -> Self {
        Self { value: view(made.value), is_new: made.is_new }
    }
}

/// An org, and what is to be decided in it.
struct Seen<'c> {
    row: OrgRow,
    facts: Facts<'c>,
}

impl Seen<'_> {
    /// Whether the caller may do `action`; `doing` says in the refusal what that was.
    fn allows(&self, caller: &Caller, action: Action, doing: &'static str) -> Result<()> {
        match decide(&self.facts, action) {
            Decision::Allow(_) => Ok(()),
            Decision::Deny(Reason::SignIn) => Err(sign_in()),
            Decision::Deny(Reason::TokenTooNarrow) => Err(caller.too_narrow(api_scope())),
            Decision::Deny(Reason::Hidden | Reason::NoRight) => {
                Err(Error::Denied { caller: caller.name().into(), action: doing, name: self.row.name.clone() })
            }
        }
    }
}

impl Registry {
    /// Who asks. Whoever shows an access token must have been admitted with it ([`Registry::admit_to_api`]).
    pub(crate) fn admitted(&self, caller: &Caller) -> Result<Principal> {
        let principal = caller.identity().principal().ok_or_else(sign_in)?;
        match self.facts(caller, &Place::default()).token {
            Some(_) => Err(caller.too_narrow(api_scope())),
            None => Ok(principal),
        }
    }

    /// The user who asks, by row and name, with all their rights: what people do with their own account takes them to
    /// have signed in, not a program with a token.
    fn in_person<'c>(&self, caller: &'c Caller) -> Result<(i64, &'c str)> {
        self.admitted(caller)?;
        match caller.identity() {
            Identity::User { id, name, .. } if caller.cap().is_none() && *id > 0 => Ok((*id, name)),
            Identity::User { id: 0, name, .. } => Err(Error::NotFound { what: format!("an account of {name}") }),
            _ => Err(caller.too_narrow(api_scope())),
        }
    }

    /// The org, if the caller may know of it: it is open to them, or they belong to it or hold a grant in it.
    async fn seen_org<'c>(&self, caller: &'c Caller, name: &str) -> Result<Seen<'c>> {
        let principal = self.admitted(caller)?;
        let place = self.meta.org_place(Some(principal), name).await?;
        let facts = self.facts(caller, &place);
        let unknown = || Error::NotFound { what: format!("org {name}") };
        let row = self.meta.org(name).await?.ok_or_else(unknown)?;
        match decide(&facts, Action::Pull) {
            Decision::Allow(_) => Ok(Seen { row, facts }),
            Decision::Deny(Reason::TokenTooNarrow) => Err(caller.too_narrow(api_scope())),
            // A token that is limited to one repository shows no org.
            Decision::Deny(_) if facts.ceiling > Power::Nothing && self.meta.belongs(principal, row.id).await? => {
                Ok(Seen { row, facts })
            }
            Decision::Deny(_) => Err(unknown()),
        }
    }

    /// The org, if the caller may do `action` in it.
    async fn org_to<'c>(
        &self,
        caller: &'c Caller,
        action: Action,
        doing: &'static str,
        name: &str,
    ) -> Result<Seen<'c>> {
        let seen = self.seen_org(caller, name).await?;
        self.note_decision(
            caller,
            decide(&seen.facts, action),
            &Tried { action, org: Some(name), target: name, doing },
        );
        seen.allows(caller, action, doing)?;
        Ok(seen)
    }

    /// The org, if the caller may know who is in it: members may, and whoever may grant there.
    async fn org_from_within<'c>(&self, caller: &'c Caller, name: &str) -> Result<Seen<'c>> {
        let seen = self.seen_org(caller, name).await?;
        let is_member = match caller.identity() {
            Identity::User { id, .. } => self.meta.member(seen.row.id, *id).await?.is_some(),
            Identity::Robot { .. } | Identity::Anonymous => false,
        };
        if !is_member {
            seen.allows(caller, Action::Manage, "look up who is")?;
        }
        Ok(seen)
    }

    /// Whether the caller may keep users, and whatever else is the whole registry's.
    fn must_administer(&self, caller: &Caller, doing: &'static str) -> Result<()> {
        let (action, facts) = (Action::Administer, self.facts(caller, &Place::default()));
        let decision = decide(&facts, action);
        self.note_decision(caller, decision, &Tried { action, org: None, target: "*", doing });
        match decision {
            Decision::Allow(_) => Ok(()),
            Decision::Deny(Reason::SignIn) => Err(sign_in()),
            Decision::Deny(Reason::TokenTooNarrow) => Err(caller.too_narrow(api_scope())),
            Decision::Deny(Reason::Hidden | Reason::NoRight) => {
                Err(Error::AdministratorsOnly { caller: caller.name().into(), action: doing })
            }
        }
    }

    pub(crate) fn by(&self, caller: &Caller) -> By {
        By { actor: caller.actor(), now: self.now() }
    }
}

fn sign_in() -> Error {
    Error::SignInNeeded { scope: Some(api_scope()) }
}

/// Of one entry more than were asked for.
fn page<T, U>(mut found: Vec<T>, limit: usize, view: impl FnMut(T) -> U) -> Page<U> {
    let more = found.len() > limit;
    found.truncate(limit);
    Page { entries: found.into_iter().map(view).collect(), more }
}

/// Lists are read with one entry more, to know whether there are any.
fn and_one(limit: usize) -> usize {
    limit.saturating_add(1)
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unknown { what } => Self::NotFound { what },
            Refusal::Exists { field, message } | Refusal::Kept { field, message } => Self::Exists { field, message },
            Refusal::Stale => Self::Stale,
        }
    }
}

#[cfg(test)]
mod tests;

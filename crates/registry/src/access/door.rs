//! The one door. Whatever is asked of a repository, an org or the registry as a whole passes here: a decision is noted,
//! and a no is said as the table of answers has it. What the caller may not know of is unknown; what they know of and
//! may not change is denied, with who could.

use wharf_meta::{Org, Place, Principal, Role};
use wharf_oci::{RepoName, Resource, Scope};

use super::{Action, Caller, Decision, Facts, Identity, Power, Reason, api_scope, decide};
use crate::error::Takes;
use crate::{Error, Registry, Result};

/// What somebody asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tried<'t> {
    pub(crate) action: Action,
    pub(crate) at: At<'t>,
    /// In words, for the refusal and its record: "change members".
    pub(crate) doing: &'static str,
}

/// Where.
#[derive(Clone, Copy, Debug)]
pub(crate) enum At<'t> {
    /// Named whether or not it exists: the caller reads their own record, and must not learn it there.
    Repository(&'t RepoName),
    Org(&'t str),
    /// The caller's own, by its name.
    Account(&'t str),
    Registry,
}

impl<'t> At<'t> {
    /// As the audit has it.
    pub(crate) fn target(self) -> &'t str {
        match self {
            Self::Repository(name) => name.as_str(),
            Self::Org(name) | Self::Account(name) => name,
            Self::Registry => "*",
        }
    }

    /// The org whose owners may know, if there is one.
    pub(crate) fn org(self) -> Option<&'t str> {
        match self {
            Self::Repository(name) => Some(name.org()),
            Self::Org(name) => Some(name),
            // A robot's.
            Self::Account(name) => name.split_once('+').map(|(org, _)| org),
            Self::Registry => None,
        }
    }

    fn unknown(self) -> Error {
        match self {
            Self::Repository(name) => Error::NameUnknown(name.clone()),
            Self::Org(_) | Self::Account(_) | Self::Registry => {
                Error::NotFound { what: format!("org {}", self.target()) }
            }
        }
    }
}

impl Tried<'_> {
    fn refusal(&self, caller: &Caller, reason: Reason) -> Error {
        let scope = match self.at {
            At::Repository(name) if self.action.is_of_content() => {
                Scope { resource: Resource::Repository(name.clone()), actions: self.action.scope() }
            }
            _ => api_scope(),
        };
        match (reason, self.at) {
            (Reason::SignIn, _) => Error::SignInNeeded { scope: Some(scope) },
            (Reason::TokenTooNarrow, _) => {
                let is_for_tokens = self.action.is_within(Role::Maintainer);
                caller.too_narrow(scope, if is_for_tokens { Takes::Credential } else { Takes::Person })
            }
            (Reason::Hidden, At::Repository(_) | At::Org(_) | At::Account(_)) => self.at.unknown(),
            (Reason::Hidden | Reason::NoRight, At::Registry) => {
                Error::AdministratorsOnly { caller: caller.name().into(), action: self.doing }
            }
            (Reason::NoRight, _) => {
                let (caller, name) = (caller.name().into(), self.at.target().into());
                Error::Denied { caller, action: self.doing, name, takes: self.action.granted_by() }
            }
        }
    }
}

/// An org that the caller may know of, and what is to be decided in it.
pub(crate) struct Seen<'c> {
    pub(crate) row: Org,
    facts: Facts<'c>,
}

impl Registry {
    /// Turns a decision into its answer; a no is noted.
    pub(super) fn answer(&self, caller: &Caller, decision: Decision, tried: &Tried<'_>) -> Result<()> {
        match decision {
            Decision::Deny(reason) => Err(self.refused(caller, reason, tried)),
            Decision::Allow(_) => Ok(()),
        }
    }

    fn refused(&self, caller: &Caller, reason: Reason, tried: &Tried<'_>) -> Error {
        self.note_refusal(caller, reason, tried);
        tried.refusal(caller, reason)
    }

    /// The user who asks, by row and name, with all their rights: what people do with their own account takes them to
    /// have signed in, not a program with a token.
    pub(crate) fn in_person<'c>(&self, caller: &'c Caller, doing: &'static str) -> Result<(i64, &'c str)> {
        self.admitted(caller)?;
        if let Identity::User { id: 0, name, .. } = caller.identity() {
            return Err(Error::NotFound { what: format!("an account of {name}") });
        }
        let tried = Tried { action: Action::Own, at: At::Account(caller.name()), doing };
        self.person(caller).ok_or_else(|| self.refused(caller, Reason::TokenTooNarrow, &tried))
    }

    /// The same, if it is one. Only a look: nothing is noted.
    pub(crate) fn person<'c>(&self, caller: &'c Caller) -> Option<(i64, &'c str)> {
        self.admitted(caller).ok()?;
        match caller.identity() {
            Identity::User { id, name, .. } if caller.cap().is_none() && *id > 0 => Some((*id, name)),
            _ => None,
        }
    }

    /// Who asks the admin API. Whoever shows an access token must have been admitted with it
    /// ([`Registry::admit_to_api`]).
    pub(crate) fn admitted(&self, caller: &Caller) -> Result<Principal> {
        let signed_in = caller.identity().principal();
        let principal = signed_in.ok_or_else(|| Error::SignInNeeded { scope: Some(api_scope()) })?;
        match self.facts(caller, &Place::default()).token {
            Some(_) => Err(caller.too_narrow(api_scope(), Takes::Credential)),
            None => Ok(principal),
        }
    }

    /// The org, if the caller may know of it: it is open to them, or they belong to it or hold a grant in it.
    pub(crate) async fn seen_org<'c>(&self, caller: &'c Caller, name: &str) -> Result<Seen<'c>> {
        self.look_at_org(caller, &Tried { action: Action::Pull, at: At::Org(name), doing: Action::Pull.verb() }).await
    }

    /// The org, if the caller may do `action` in it.
    pub(crate) async fn org_to<'c>(
        &self,
        caller: &'c Caller,
        action: Action,
        doing: &'static str,
        name: &str,
    ) -> Result<Seen<'c>> {
        let tried = Tried { action, at: At::Org(name), doing };
        let seen = self.look_at_org(caller, &tried).await?;
        self.answer(caller, decide(&seen.facts, action), &tried)?;
        Ok(seen)
    }

    /// The org, if the caller may know who is in it: members may, and whoever may grant there.
    pub(crate) async fn org_from_within<'c>(&self, caller: &'c Caller, name: &str) -> Result<Seen<'c>> {
        let seen = self.seen_org(caller, name).await?;
        let is_member = match caller.identity().principal() {
            Some(Principal::User(id)) => self.meta.member(seen.row.id, id).await?.is_some(),
            Some(Principal::Robot(_)) | None => false,
        };
        if !is_member {
            let tried = Tried { action: Action::Manage, at: At::Org(name), doing: "look up who is" };
            self.answer(caller, decide(&seen.facts, tried.action), &tried)?;
        }
        Ok(seen)
    }

    /// Whether the caller may keep users, and whatever else is the whole registry's.
    pub(crate) fn must_administer(&self, caller: &Caller, doing: &'static str) -> Result<()> {
        let action = Action::Administer;
        let decision = decide(&self.facts(caller, &Place::default()), action);
        self.answer(caller, decision, &Tried { action, at: At::Registry, doing })
    }

    /// Whether the caller is an administrator, and may act as one. Only a look: nothing is noted.
    pub(crate) fn administers(&self, caller: &Caller) -> bool {
        matches!(decide(&self.facts(caller, &Place::default()), Action::Administer), Decision::Allow(_))
    }

    /// The org that `tried` names, if the caller may know of it. One that they may not is refused as one that is not
    /// there, and noted as what they tried.
    async fn look_at_org<'c>(&self, caller: &'c Caller, tried: &Tried<'_>) -> Result<Seen<'c>> {
        let principal = self.admitted(caller)?;
        let name = tried.at.target();
        let place = self.meta.org_place(Some(principal), name).await?;
        let facts = self.facts(caller, &place);
        let row = self.meta.org(name).await?;
        let is_seen = match (decide(&facts, Action::Pull), &row) {
            (Decision::Allow(_), _) => true,
            (too_narrow @ Decision::Deny(Reason::TokenTooNarrow), Some(_)) => {
                self.answer(caller, too_narrow, tried)?;
                false
            }
            // A token that is limited to one repository shows no org.
            (Decision::Deny(_), Some(row)) => {
                facts.ceiling > Power::Nothing && self.meta.belongs(principal, row.id).await?
            }
            (Decision::Deny(_), None) => false,
        };
        match row {
            Some(row) if is_seen => Ok(Seen { row, facts }),
            _ => {
                if let Decision::Deny(reason) = decide(&facts, tried.action) {
                    self.note_refusal(caller, reason, tried);
                }
                Err(tried.at.unknown())
            }
        }
    }
}

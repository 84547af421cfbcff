//! The access decision: one pure function over facts.

use wharf_meta::{Role, Visibility};
use wharf_oci::Actions;

use super::Identity;

/// What callers without an account may do, registry-wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Anonymous {
    /// Nothing.
    #[default]
    Nothing,
    /// Pull from repositories that are public.
    Pull,
}

/// What is to be done in a repository or an org, or with the registry as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Read content or lists.
    Pull,
    /// Add content, move tags.
    Push,
    /// Delete content or tags.
    Delete,
    /// Change settings and grants.
    Manage,
    /// Change an org's members, teams, robots and trust rules.
    Own,
    /// Change users, providers, limits.
    Administer,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 6] = [Self::Pull, Self::Push, Self::Delete, Self::Manage, Self::Own, Self::Administer];

    /// What a token must have been given for it. Clients ask for `pull` with every `push`.
    pub(crate) fn scope(self) -> Actions {
        match self {
            Self::Pull => Actions::PULL,
            Self::Push => Actions::PULL | Actions::PUSH,
            Self::Delete => Actions::DELETE,
            Self::Manage | Self::Own | Self::Administer => Actions::ALL,
        }
    }

    /// What of it a token must have: `push` alone is enough to push.
    fn needs(self) -> Actions {
        if self == Self::Push { Actions::PUSH } else { self.scope() }
    }

    /// Whether it is of `/v2`, where an access token's scope bounds it.
    pub(crate) fn is_of_content(self) -> bool {
        matches!(self, Self::Pull | Self::Push | Self::Delete)
    }

    /// Its name in sentences and in `wharf access explain`.
    pub fn verb(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "push",
            Self::Delete => "delete",
            Self::Manage => "manage",
            Self::Own => "own",
            Self::Administer => "administer",
        }
    }

    /// Who may do it, for sentences.
    pub(crate) fn taken_by(self) -> &'static str {
        match self.takes() {
            Power::Nothing => "nobody in particular",
            Power::Reader => "a reader",
            Power::Writer => "a writer",
            Power::Maintainer => "a maintainer",
            Power::Owner => "an owner of the org",
            Power::Administrator => "an administrator",
        }
    }

    /// The role that it takes, if a grant can give it.
    pub(crate) fn granted_by(self) -> Option<Role> {
        [Role::Reader, Role::Writer, Role::Maintainer].into_iter().find(|role| self.is_within(*role))
    }

    /// Whether the role is enough for it.
    pub(crate) fn is_within(self, role: Role) -> bool {
        Power::from(role) >= self.takes()
    }

    fn takes(self) -> Power {
        match self {
            Self::Pull => Power::Reader,
            Self::Push => Power::Writer,
            Self::Delete | Self::Manage => Power::Maintainer,
            Self::Own => Power::Owner,
            Self::Administer => Power::Administrator,
        }
    }
}

impl std::str::FromStr for Action {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|action| action.verb() == text);
        found.ok_or_else(|| format!("\"{text}\" is no action: expected pull, push, delete, manage, own or administer"))
    }
}

/// How much somebody may. Each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Power {
    /// Nothing.
    Nothing,
    /// What a reader may.
    Reader,
    /// What a writer may.
    Writer,
    /// What a maintainer may.
    Maintainer,
    /// What an org's owner may.
    Owner,
    /// Everything.
    Administrator,
}

impl From<Role> for Power {
    fn from(role: Role) -> Self {
        match role {
            Role::Reader => Self::Reader,
            Role::Writer => Self::Writer,
            Role::Maintainer => Self::Maintainer,
            Role::Owner => Self::Owner,
        }
    }
}

/// Everything the decision rests on.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Who asks.
    pub identity: &'a Identity,
    /// The greatest role that grants, teams and membership give them there.
    pub role: Option<Role>,
    /// The repository's, its org's or the registry's; private where there is none.
    pub visibility: Visibility,
    /// The operator's word on callers without an account.
    pub anonymous: Anonymous,
    /// What the credential leaves of any right there.
    pub ceiling: Power,
    /// What the access token was given for there; `None` when none was used.
    pub token: Option<Actions>,
    /// The operator has turned tokens off: only administrators write.
    pub only_admins_write: bool,
}

/// Yes or no, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Go ahead.
    Allow(Because),
    /// Don't.
    Deny(Reason),
}

/// Why yes: the least that allows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because {
    /// It is open to such callers.
    Visibility(Visibility),
    /// They have that role there.
    Role(Role),
    /// They are an administrator.
    Administrator,
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Somebody may, but nobody is signed in.
    SignIn,
    /// The caller may, but the token was not given for it.
    TokenTooNarrow,
    /// The caller may not read there, so there is nothing there.
    Hidden,
    /// The caller may not write there, whether or not there is anything.
    NoRight,
}

/// May this caller do this?
pub fn decide(facts: &Facts<'_>, action: Action) -> Decision {
    let Some(because) = right(facts, action) else {
        return Decision::Deny(match (facts.identity, action) {
            (Identity::Anonymous, _) => Reason::SignIn,
            (_, Action::Pull) => Reason::Hidden,
            _ => Reason::NoRight,
        });
    };
    let covered = facts.token.is_none_or(|actions| action.is_of_content() && actions.contains(action.needs()));
    // A limit on a credential keeps nothing from anybody that they could read without it.
    let reaches = facts.ceiling >= action.takes() || (action == Action::Pull && is_open_to_all(facts));
    if covered && reaches { Decision::Allow(because) } else { Decision::Deny(Reason::TokenTooNarrow) }
}

/// What gives the caller the right, the credential aside.
fn right(facts: &Facts<'_>, action: Action) -> Option<Because> {
    let writes = matches!(action, Action::Push | Action::Delete);
    let is_admin = matches!(facts.identity, Identity::User { is_admin: true, .. });
    if action == Action::Pull && is_open(facts) {
        return Some(Because::Visibility(facts.visibility));
    }
    let by_role = facts.role.filter(|role| Power::from(*role) >= action.takes());
    match by_role {
        Some(role) if !(writes && facts.only_admins_write) => Some(Because::Role(role)),
        _ => is_admin.then_some(Because::Administrator),
    }
}

/// Whether such callers may read there without any role.
fn is_open(facts: &Facts<'_>) -> bool {
    let to_signed_in = matches!(facts.visibility, Visibility::Internal | Visibility::Public);
    is_open_to_all(facts) || (to_signed_in && *facts.identity != Identity::Anonymous)
}

fn is_open_to_all(facts: &Facts<'_>) -> bool {
    facts.visibility == Visibility::Public && facts.anonymous == Anonymous::Pull
}

#[cfg(test)]
mod tests;

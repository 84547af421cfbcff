//! The access decision: one pure function over facts.

use wharf_meta::Visibility;
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

/// What is to be done in a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Read content or lists.
    Pull,
    /// Add content, move tags.
    Push,
    /// Delete content or tags.
    Delete,
}

impl Action {
    /// What a token must have been given for it. Clients ask for `pull` with every `push`.
    pub(crate) fn scope(self) -> Actions {
        match self {
            Self::Pull => Actions::PULL,
            Self::Push => Actions::PULL | Actions::PUSH,
            Self::Delete => Actions::DELETE,
        }
    }

    /// What of it a token must have: `push` alone is enough to push.
    fn needs(self) -> Actions {
        match self {
            Self::Pull => Actions::PULL,
            Self::Push => Actions::PUSH,
            Self::Delete => Actions::DELETE,
        }
    }

    pub(crate) fn verb(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "push",
            Self::Delete => "delete",
        }
    }
}

/// Everything the decision rests on.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Who asks.
    pub identity: &'a Identity,
    /// The operator's word on callers without an account.
    pub anonymous: Anonymous,
    /// The repository's; `None` where neither it nor its org has one, or where there is no such repository.
    pub visibility: Option<Visibility>,
    /// What the token was given for here; `None` when none was used.
    pub token: Option<Actions>,
}

/// Yes, or no and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Go ahead.
    Allow,
    /// Don't.
    Deny(Reason),
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

/// What a caller is in a repository. Each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Reader,
    Writer,
    Maintainer,
}

/// May this caller do this?
pub fn decide(facts: &Facts<'_>, action: Action) -> Decision {
    let needed = match action {
        Action::Pull => Role::Reader,
        Action::Push => Role::Writer,
        Action::Delete => Role::Maintainer,
    };
    if role(facts).is_some_and(|role| role >= needed) {
        return match facts.token {
            Some(actions) if !actions.contains(action.needs()) => Decision::Deny(Reason::TokenTooNarrow),
            _ => Decision::Allow,
        };
    }
    Decision::Deny(match (facts.identity, action) {
        (Identity::Anonymous, _) => Reason::SignIn,
        (_, Action::Pull) => Reason::Hidden,
        _ => Reason::NoRight,
    })
}

fn role(facts: &Facts<'_>) -> Option<Role> {
    match (facts.identity, facts.visibility) {
        (Identity::User { is_admin: true, .. }, _) => Some(Role::Maintainer),
        (Identity::User { .. }, Some(Visibility::Internal | Visibility::Public)) => Some(Role::Reader),
        // Signing in never takes a right away.
        _ => role_of_anybody(facts),
    }
}

/// Unset visibility counts as public: only `anonymous = pull` opens it, and that is the operator's explicit word.
fn role_of_anybody(facts: &Facts<'_>) -> Option<Role> {
    let open = facts.anonymous == Anonymous::Pull && matches!(facts.visibility, Some(Visibility::Public) | None);
    open.then_some(Role::Reader)
}

#[cfg(test)]
mod tests;

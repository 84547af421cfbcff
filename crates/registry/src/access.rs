//! Who is asking, and may they.

use wharf_meta::{Repository, Visibility};
use wharf_oci::{Actions, RepoName, Resource, Scope};

use crate::{Error, Registry, Result, Secret};

mod decide;
mod passwords;
mod tokens;

pub use decide::{Action, Anonymous, Decision, Facts, Reason, decide};
pub(crate) use passwords::Passwords;
pub(crate) use tokens::Tokens;
pub use tokens::{IssuedToken, TokenRequest};

/// Who a caller turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// Nobody in particular.
    Anonymous,
    /// A user with an account.
    User {
        /// The account's row.
        id: i64,
        /// Its name.
        name: String,
        /// May do everything.
        is_admin: bool,
    },
}

/// What a request brought to prove who sends it.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// Nothing.
    None,
    /// User name and password.
    Basic {
        /// As typed.
        user: String,
        /// As typed.
        password: Secret,
    },
    /// An access token.
    Bearer(Secret),
}

/// Who is asking, and how far the token they ask with reaches.
#[derive(Clone, Debug)]
pub struct Caller {
    identity: Identity,
    /// What the token was given for; `None` without a token: everything the identity may.
    token: Option<Vec<Scope>>,
}

impl Caller {
    /// A caller that showed nothing.
    pub fn anonymous() -> Self {
        Self { identity: Identity::Anonymous, token: None }
    }

    /// Somebody with an account, without the trouble of signing in.
    #[cfg(test)]
    pub(crate) fn user(id: i64, name: &str, is_admin: bool) -> Self {
        Self { identity: Identity::User { id, name: name.into(), is_admin }, token: None }
    }

    /// Whether they showed nothing at all, not even a token for the anonymous.
    pub fn showed_nothing(&self) -> bool {
        self.identity == Identity::Anonymous && self.token.is_none()
    }

    /// The name that rows and logs record.
    pub fn name(&self) -> &str {
        match &self.identity {
            Identity::Anonymous => "anonymous",
            Identity::User { name, .. } => name,
        }
    }

    fn token_allows(&self, resource: &Resource) -> Option<Actions> {
        let scopes = self.token.as_ref()?;
        Some(scopes.iter().find(|scope| scope.resource == *resource).map_or(Actions::NONE, |scope| scope.actions))
    }
}

impl Registry {
    /// Who these credentials are of. Wrong ones are an error, none are [`Identity::Anonymous`].
    pub async fn authenticate(&self, credentials: Credentials) -> Result<Caller> {
        match credentials {
            Credentials::None => Ok(Caller::anonymous()),
            Credentials::Basic { user, password } if user.is_empty() && password.is_empty() => Ok(Caller::anonymous()),
            Credentials::Basic { user, password } => {
                let identity = self.sign_in(&user, password).await?;
                Ok(Caller { identity, token: None })
            }
            Credentials::Bearer(token) => self.caller_by_token(&token).await,
        }
    }

    /// Decides about `action` in the repository `name`, and hands out its row if it has one.
    pub(crate) async fn authorize(
        &self,
        caller: &Caller,
        action: Action,
        name: &RepoName,
    ) -> Result<Option<Repository>> {
        let repository = self.meta.repository(name).await?;
        match self.decide(caller, action, name, repository.as_ref()) {
            Decision::Allow => Ok(repository),
            Decision::Deny(reason) => Err(refusal(caller, action, name, reason)),
        }
    }

    /// Whether the caller may push to `name`: asked before a body is read, and again by what takes it.
    pub async fn may_push(&self, caller: &Caller, name: &RepoName) -> Result<()> {
        self.authorize(caller, Action::Push, name).await.map(drop)
    }

    /// As [`Registry::authorize`], for a repository that must exist.
    pub(crate) async fn authorize_known(&self, caller: &Caller, action: Action, name: &RepoName) -> Result<Repository> {
        let repository = self.authorize(caller, action, name).await?;
        repository.ok_or_else(|| Error::NameUnknown(name.clone()))
    }

    /// Whether the caller may read there, their token aside: for mounts and listings, which name what the
    /// token could not.
    pub(crate) fn may_read(&self, caller: &Caller, visibility: Option<Visibility>) -> bool {
        let facts = Facts { identity: &caller.identity, anonymous: self.settings.anonymous, visibility, token: None };
        decide(&facts, Action::Pull) == Decision::Allow
    }

    /// Decides about listing everything the caller can read.
    pub(crate) fn authorize_catalog(&self, caller: &Caller) -> Result<()> {
        let scope = Scope { resource: Resource::Catalog, actions: Actions::ALL };
        let covered = caller.token_allows(&Resource::Catalog).is_none_or(|actions| actions != Actions::NONE);
        match (&caller.identity, self.settings.anonymous) {
            (Identity::Anonymous, Anonymous::Nothing) => Err(Error::SignInNeeded { scope: Some(scope) }),
            _ if !covered => Err(Error::TokenTooNarrow { scope }),
            _ => Ok(()),
        }
    }

    /// `GET /v2/`: says whether these credentials work. Without any it always asks to sign in, since clients
    /// learn only here how to.
    pub fn ping(&self, caller: &Caller) -> Result<()> {
        if caller.showed_nothing() { Err(Error::SignInNeeded { scope: None }) } else { Ok(()) }
    }

    fn decide(&self, caller: &Caller, action: Action, name: &RepoName, repository: Option<&Repository>) -> Decision {
        let token = caller.token_allows(&Resource::Repository(name.clone()));
        let visibility = repository.and_then(|repository| repository.visibility);
        let facts = Facts { identity: &caller.identity, anonymous: self.settings.anonymous, visibility, token };
        match decide(&facts, action) {
            // Nobody may see the difference between what is not there and what they may not read.
            Decision::Allow if repository.is_none() && caller.identity == Identity::Anonymous => {
                Decision::Deny(Reason::SignIn)
            }
            decision => decision,
        }
    }
}

fn refusal(caller: &Caller, action: Action, name: &RepoName, reason: Reason) -> Error {
    let scope = Scope { resource: Resource::Repository(name.clone()), actions: action.scope() };
    match reason {
        Reason::SignIn => Error::SignInNeeded { scope: Some(scope) },
        Reason::TokenTooNarrow => Error::TokenTooNarrow { scope },
        Reason::Hidden => Error::NameUnknown(name.clone()),
        Reason::NoRight => {
            Error::Denied { caller: caller.name().into(), action: action.verb(), name: name.to_string() }
        }
    }
}

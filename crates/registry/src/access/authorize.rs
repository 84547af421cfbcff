//! From a caller and a name to facts, and from facts to a decision.

use wharf_meta::{Place, Repository, Rights, Visibility};
use wharf_oci::{Actions, RepoName, Resource, Scope};

use super::{Action, Anonymous, At, Caller, Decision, Facts, Identity, Reason, Tried, decide};
use crate::error::Takes;
use crate::{Error, Registry, Result};

/// Names that stand for something else in URLs, and that nobody makes by pushing.
const NEVER: [&str; 2] = ["api", "token"];

/// What a caller may read, for lists: everything is looked up once.
pub(crate) struct Readable<'r> {
    registry: &'r Registry,
    caller: &'r Caller,
    rights: Rights,
}

impl Readable<'_> {
    /// Whether the caller may read there, their access token's scope aside: lists name what the token could not.
    pub(crate) fn includes(&self, repository: &Repository) -> bool {
        let role = self.rights.at(repository.org, repository.id);
        let place = Place {
            org: Some(repository.org),
            visibility: repository.visibility,
            role,
            repository: Some(repository.clone()),
        };
        let facts = Facts { token: None, ..self.registry.facts(self.caller, &place) };
        matches!(decide(&facts, Action::Pull), Decision::Allow(_))
    }
}

impl Registry {
    /// Decides about `action` in the repository `name`, and hands out its row if it has one.
    pub(crate) async fn authorize(
        &self,
        caller: &Caller,
        action: Action,
        name: &RepoName,
    ) -> Result<Option<Repository>> {
        self.authorize_to(caller, action, action.verb(), name).await
    }

    /// As [`Registry::authorize`]; `doing` says what for, in words.
    pub(crate) async fn authorize_to(
        &self,
        caller: &Caller,
        action: Action,
        doing: &'static str,
        name: &RepoName,
    ) -> Result<Option<Repository>> {
        let place = self.meta.place(caller.identity.principal(), name).await?;
        let decision = self.decide(caller, action, name, &place);
        self.answer(caller, decision, &Tried { action, at: At::Repository(name), doing })?;
        Ok(place.repository)
    }

    /// The repository, if it is there and the caller may do that in it. Only a look: nothing is noted.
    pub(crate) async fn permitted(&self, caller: &Caller, action: Action, name: &RepoName) -> Option<Repository> {
        let place = self.meta.place(caller.identity.principal(), name).await.ok()?;
        let may = matches!(self.decide(caller, action, name, &place), Decision::Allow(_));
        place.repository.filter(|_| may)
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

    /// The caller as the admin API takes them: an access token must have been given out for it, and then bounds
    /// nothing further; what an API token or a trust rule leaves stays all there is.
    pub fn admit_to_api(&self, caller: Caller) -> Result<Caller> {
        match caller.token_allows(&Resource::Api) {
            _ if caller.identity == Identity::Anonymous => Err(Error::SignInNeeded { scope: Some(api_scope()) }),
            Some(Actions::NONE) => Err(caller.too_narrow(api_scope(), Takes::Credential)),
            _ => Ok(Caller { token: None, ..caller }),
        }
    }

    /// Everything that the caller may read, for lists.
    pub(crate) async fn readable<'r>(&'r self, caller: &'r Caller) -> Result<Readable<'r>> {
        let rights = match caller.identity.principal() {
            Some(principal) => self.meta.rights(principal).await?,
            None => Rights::default(),
        };
        Ok(Readable { registry: self, caller, rights })
    }

    /// The repository if the caller may read it, their access token's scope aside: for mounts, which name what the
    /// token could not. What an API token or a trust rule leaves is not set aside.
    pub(crate) async fn readable_source(&self, caller: &Caller, name: &RepoName) -> Result<Option<Repository>> {
        let place = self.meta.place(caller.identity.principal(), name).await?;
        let facts = Facts { token: None, ..self.facts(caller, &place) };
        let may = matches!(decide(&facts, Action::Pull), Decision::Allow(_));
        Ok(place.repository.filter(|_| may))
    }

    /// Decides about listing everything the caller can read.
    pub(crate) fn authorize_catalog(&self, caller: &Caller) -> Result<()> {
        let scope = Scope { resource: Resource::Catalog, actions: Actions::ALL };
        let covered = caller.token_allows(&Resource::Catalog).is_none_or(|actions| actions != Actions::NONE);
        match (&caller.identity, self.settings.anonymous) {
            (Identity::Anonymous, Anonymous::Nothing) => Err(Error::SignInNeeded { scope: Some(scope) }),
            _ if !covered => Err(caller.too_narrow(scope, Takes::Credential)),
            _ => Ok(()),
        }
    }

    /// `GET /v2/`: says whether these credentials work. Without any it always asks to sign in, since clients
    /// learn only here how to.
    pub fn ping(&self, caller: &Caller) -> Result<()> {
        if caller.showed_nothing() { Err(Error::SignInNeeded { scope: None }) } else { Ok(()) }
    }

    pub(crate) fn decide(&self, caller: &Caller, action: Action, name: &RepoName, place: &Place) -> Decision {
        let mut facts = self.facts(caller, place);
        facts.token = caller.token_allows(&Resource::Repository(name.clone()));
        match decide(&facts, action) {
            // Nobody may see the difference between what is not there and what they may not read.
            Decision::Allow(_) if place.repository.is_none() && caller.identity == Identity::Anonymous => {
                Decision::Deny(Reason::SignIn)
            }
            Decision::Allow(_) if place.org.is_none() && NEVER.contains(&name.org()) => Decision::Deny(Reason::NoRight),
            decision => decision,
        }
    }

    /// What a decision about that place rests on; whatever access token was used, it bounds nothing yet.
    pub(crate) fn facts<'c>(&self, caller: &'c Caller, place: &Place) -> Facts<'c> {
        let repository = place.repository.as_ref().map(|repository| repository.id);
        Facts {
            identity: &caller.identity,
            role: place.role,
            visibility: place.visibility.unwrap_or(match place.org {
                Some(_) => self.settings.visibility,
                None => Visibility::Private,
            }),
            anonymous: self.settings.anonymous,
            ceiling: caller.ceiling(place.org, repository),
            token: caller.token.as_ref().map(|_| Actions::NONE),
            only_admins_write: !self.settings.token_auth,
        }
    }
}

/// What a token for the admin API is asked for with.
pub(crate) fn api_scope() -> Scope {
    Scope { resource: Resource::Api, actions: Actions::ALL }
}

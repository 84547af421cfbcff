//! API tokens: users keep their own, owners those of their org's robots. A token makes no other: what it was limited to
//! could be got around, and it would outlive its own end.

use std::time::Duration;

use wharf_meta::{ApiToken, Kept, Millis, NewApiToken, Principal, Reach, Role};

use super::{and_one, names, page};
use crate::access::{Action, Caller, mint};
use crate::{Error, Page, Registry, Result, Secret};

/// A token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is revoked by; no secret.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// Its last characters, to tell it by.
    pub hint: String,
    /// The most that it gives.
    pub scope: Role,
    /// There only: an org, or a repository.
    pub on: Option<String>,
    /// When it was made.
    pub created_at: Millis,
    /// When it ends; `None`: when it is revoked.
    pub expires_at: Option<Millis>,
    /// When it was used last, to the minute.
    pub used_at: Option<Millis>,
    /// Where from.
    pub used_from: Option<String>,
}

impl From<ApiToken> for Token {
    fn from(row: ApiToken) -> Self {
        let ApiToken { id, name, hint, role, place, created_at, expires_at, used_at, used_from, .. } = row;
        Self { id, name, hint, scope: role, on: place, created_at, expires_at, used_at, used_from }
    }
}

/// A token to make.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// What to call it; no other token of the same owner may be called so.
    pub name: String,
    /// The most that it gives.
    pub scope: Role,
    /// There only: an org (`team`), or a repository (`team/app`).
    pub on: Option<String>,
    /// How long it is good; `None`: until it is revoked.
    pub lifetime: Option<Duration>,
}

/// A token that was just made.
#[derive(Clone, Debug)]
pub struct MadeToken {
    /// What to sign in with. Nobody can tell it again.
    pub secret: Secret,
    /// What is known of it.
    pub token: Token,
}

/// Whose tokens they are.
struct Owner<'n> {
    principal: Principal,
    name: &'n str,
}

impl Registry {
    /// The caller's tokens, by name after the name `after`.
    pub async fn own_tokens(&self, caller: &Caller, after: Option<&str>, limit: usize) -> Result<Page<Token>> {
        let (id, _) = self.in_person(caller, "list API tokens")?;
        self.tokens_of(Principal::User(id), after, limit).await
    }

    /// Makes a token of the caller's.
    pub async fn create_own_token(&self, caller: &Caller, new: NewToken) -> Result<MadeToken> {
        let (id, name) = self.in_person(caller, "make API tokens")?;
        self.make_token(caller, Owner { principal: Principal::User(id), name }, new).await
    }

    /// Ends a token of the caller's.
    pub async fn revoke_own_token(&self, caller: &Caller, id: &str) -> Result<()> {
        let (user, name) = self.in_person(caller, "revoke API tokens")?;
        self.end_token(caller, Owner { principal: Principal::User(user), name }, id).await
    }

    /// A user's tokens, by name after the name `after`. For administrators.
    pub async fn user_tokens(
        &self,
        caller: &Caller,
        user: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Token>> {
        let user = self.account_to_keep(caller, user).await?;
        self.tokens_of(Principal::User(user.id), after, limit).await
    }

    /// Ends a token of a user's. For administrators.
    pub async fn revoke_user_token(&self, caller: &Caller, user: &str, id: &str) -> Result<()> {
        let user = self.account_to_keep(caller, user).await?;
        self.end_token(caller, Owner { principal: Principal::User(user.id), name: &user.name }, id).await
    }

    /// A robot's tokens, by name after the name `after`. For owners of its org.
    pub async fn robot_tokens(
        &self,
        caller: &Caller,
        org: &str,
        robot: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Token>> {
        let robot = self.robot_to_change(caller, org, robot).await?;
        self.tokens_of(Principal::Robot(robot.id), after, limit).await
    }

    /// Makes a token of a robot's. For owners of its org. Several may be good at a time, to change from one to the next.
    pub async fn create_robot_token(
        &self,
        caller: &Caller,
        org: &str,
        robot: &str,
        new: NewToken,
    ) -> Result<MadeToken> {
        let robot = self.robot_to_change(caller, org, robot).await?;
        let owner = Owner { principal: Principal::Robot(robot.id), name: &robot.full_name() };
        self.make_token(caller, owner, new).await
    }

    /// Ends a token of a robot's. For owners of its org.
    pub async fn revoke_robot_token(&self, caller: &Caller, org: &str, robot: &str, id: &str) -> Result<()> {
        let robot = self.robot_to_change(caller, org, robot).await?;
        let owner = Owner { principal: Principal::Robot(robot.id), name: &robot.full_name() };
        self.end_token(caller, owner, id).await
    }

    async fn tokens_of(&self, owner: Principal, after: Option<&str>, limit: usize) -> Result<Page<Token>> {
        let found = self.meta.api_tokens(owner, after.unwrap_or(""), and_one(limit)).await?;
        Ok(page(found, limit, Token::from))
    }

    async fn make_token(&self, caller: &Caller, owner: Owner<'_>, new: NewToken) -> Result<MadeToken> {
        names::token_name(&new.name)?;
        if new.scope > Role::Maintainer {
            let message = "a token gives a maintainer's rights at most: expected read, write or admin".into();
            return Err(Error::Invalid { field: "scope", message });
        }
        if new.lifetime.is_some_and(|lifetime| lifetime.is_zero()) {
            let message = "a token's lifetime is expected to be longer than nothing".into();
            return Err(Error::Invalid { field: "expires_in", message });
        }
        let reach = self.reach(caller, new.on.as_deref()).await?;
        let minted = mint()?;
        let id = uuid::Uuid::now_v7().to_string();
        let row = NewApiToken {
            id: id.clone(),
            hash: minted.hash,
            owner: owner.principal,
            name: new.name.clone(),
            hint: minted.hint,
            role: new.scope,
            reach,
            expires_at: new.lifetime.map(|lifetime| self.after(lifetime)),
            proved: caller.proved(),
        };
        match self.meta.keep_api_token(row, owner.name, &caller.actor(), self.now()).await? {
            Kept::Yes => {}
            Kept::NotProved => return Err(Error::BadCredentials),
            Kept::NameTaken => {
                let message =
                    format!("{} has a token {} already: revoke that, or choose another name", owner.name, new.name);
                return Err(Error::Exists { field: "name", message });
            }
        }
        let made = self.meta.api_token(&id).await?.ok_or_else(|| unknown(&id))?;
        Ok(MadeToken { secret: minted.token, token: made.into() })
    }

    async fn end_token(&self, caller: &Caller, owner: Owner<'_>, id: &str) -> Result<()> {
        let found = self.meta.api_token(id).await?.filter(|token| token.owner == owner.principal);
        let ended = match found {
            Some(token) => self.meta.revoke_api_token(&token.id, owner.name, &caller.actor(), self.now()).await?,
            None => false,
        };
        if ended { Ok(()) } else { Err(unknown(id)) }
    }

    /// Where a token is to be good. Whoever limits it must know of the place.
    async fn reach(&self, caller: &Caller, on: Option<&str>) -> Result<Reach> {
        let invalid = |message: String| Error::Invalid { field: "on", message };
        match on {
            None => Ok(Reach::Everywhere),
            Some(repository) if repository.contains('/') => {
                let name = names::repository("on", repository)?;
                match self.authorize_known(caller, Action::Pull, &name).await {
                    Ok(found) => Ok(Reach::Repository(found.id)),
                    Err(error @ Error::NameUnknown(_)) => Err(invalid(error.to_string())),
                    Err(error) => Err(error),
                }
            }
            Some(org) => match self.seen_org(caller, org).await {
                Ok(seen) => Ok(Reach::Org(seen.row.id)),
                Err(error @ Error::NotFound { .. }) => Err(invalid(error.to_string())),
                Err(error) => Err(error),
            },
        }
    }
}

fn unknown(id: &str) -> Error {
    Error::NotFound { what: format!("token {id}") }
}

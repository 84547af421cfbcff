//! Users: administrators keep their accounts, everybody their own password.

pub use wharf_meta::UserChange;
use wharf_meta::{Account, Millis, NewUser as NewRow, Principal, Reach, Role, Seen};

use super::{Created, Membership, names};
use crate::access::{Caller, Identity, Power};
use crate::{Error, Registry, Result, Secret, Stretch};

/// What administrators do with users, in refusals.
const DOING: &str = "keep users";
/// Orgs that somebody is told they belong to.
const ORGS_SHOWN: usize = 1000;

/// A user's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// What they sign in as; also the name of their own org.
    pub name: String,
    /// Their mail address.
    pub email: Option<String>,
    /// May do everything.
    pub is_admin: bool,
    /// May do nothing.
    pub is_disabled: bool,
    /// Whether they can sign in with a password.
    pub has_password: bool,
    /// When the account was made.
    pub created_at: Millis,
    /// When they signed in last.
    pub signed_in_at: Option<Millis>,
    /// Counts changes.
    pub version: i64,
}

impl From<Account> for User {
    fn from(row: Account) -> Self {
        let Account { id: _, name, email, is_admin, is_disabled, has_password, version, created_at, signed_in_at } =
            row;
        Self { name, email, is_admin, is_disabled, has_password, created_at, signed_in_at, version }
    }
}

/// A user to make.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// What they sign in as.
    pub name: String,
    /// Their mail address, which the administrator answers for.
    pub email: Option<String>,
    /// Their password; without one they sign in by a provider.
    pub password: Option<Secret>,
    /// May do everything.
    pub is_admin: bool,
}

/// The caller, as the registry sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whoami {
    /// `alice`, or `team+ci`.
    pub name: String,
    /// A machine's account.
    pub is_robot: bool,
    /// Their mail address.
    pub email: Option<String>,
    /// May do everything.
    pub is_admin: bool,
    /// What proved who they are: `password`, `token:NAME`, `session`, `ci:RULE`.
    pub via: String,
    /// When that ends, if it is an API token or a CI job's; `None`: when somebody ends it.
    pub expires_at: Option<Millis>,
    /// At most this, where what they signed in with does not give all that they may.
    pub scope: Option<Role>,
    /// There only: an org, or a repository.
    pub on: Option<String>,
    /// Orgs they belong to or hold a grant in, by name; the first thousand.
    pub orgs: Vec<OrgRole>,
}

/// What somebody is in an org.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrgRole {
    /// The org.
    pub org: String,
    /// As a member of it.
    pub membership: Option<Membership>,
    /// What that, or a grant on all of it, makes them in its repositories.
    pub role: Option<Role>,
}

impl Registry {
    /// Who the caller is.
    pub async fn whoami(&self, caller: &Caller) -> Result<Whoami> {
        let principal = self.admitted(caller)?;
        let (is_robot, is_admin) = match caller.identity() {
            Identity::User { is_admin, .. } => (false, *is_admin),
            Identity::Robot { .. } | Identity::Anonymous => (true, false),
        };
        let account = if is_robot { None } else { self.meta.account(caller.name()).await? };
        let rights = self.meta.rights(principal).await?;
        let mut orgs = Vec::new();
        for org in self.meta.org_window(Seen::Theirs(principal), "", "", ORGS_SHOWN).await?.entries {
            if caller.ceiling(Some(org.id), None) == Power::Nothing {
                continue;
            }
            let membership = match principal {
                Principal::User(id) => self.meta.member(org.id, id).await?.map(|member| member.role),
                Principal::Robot(_) => None,
            };
            orgs.push(OrgRole { role: rights.in_org(org.id), org: org.name, membership });
        }
        let on = match caller.cap().map_or(Reach::Everywhere, |cap| cap.reach) {
            Reach::Everywhere => None,
            Reach::Org(org) => self.meta.org_by_id(org).await?.map(|org| org.name),
            Reach::Repository(id) => self.meta.repository_name(id).await?.map(|name| name.as_str().to_owned()),
        };
        Ok(Whoami {
            name: caller.name().into(),
            is_robot,
            email: account.and_then(|account| account.email),
            is_admin,
            via: caller.via().to_string(),
            expires_at: caller.until(),
            scope: caller.cap().map(|cap| cap.role),
            on,
            orgs,
        })
    }

    /// Users with `part` in their name or address, by name after the name `after`, or from where the stretch
    /// before ended. For administrators.
    pub async fn users(&self, caller: &Caller, part: &str, after: Option<&str>, limit: usize) -> Result<Stretch<User>> {
        self.must_administer(caller, DOING)?;
        let part = &part.to_ascii_lowercase();
        let look = move |after: String, window| async move {
            let found = self.meta.account_window(part, &after, window).await?;
            Ok((found.entries.into_iter().map(User::from).collect(), found.last))
        };
        self.look_through(caller, after, limit, look, |user: &User| &user.name).await
    }

    /// One user. For administrators, and for everybody about themselves.
    pub async fn user(&self, caller: &Caller, name: &str) -> Result<User> {
        self.admitted(caller)?;
        let is_self = matches!(caller.identity(), Identity::User { name: own, .. } if own == name);
        if !is_self {
            return self.account_to_keep(caller, name).await.map(User::from);
        }
        let found = self.meta.account(name).await?;
        found.map(User::from).ok_or_else(|| unknown(name))
    }

    /// Makes a user and the org of their name. What was granted to their address is theirs at once. For
    /// administrators.
    pub async fn create_user(&self, caller: &Caller, new: NewUser) -> Result<Created<User>> {
        self.must_administer(caller, DOING)?;
        names::name("name", &new.name)?;
        let email = new.email.as_deref().map(names::email).transpose()?;
        let password_hash = match &new.password {
            Some(password) => Some(self.hash_password("password", password.clone()).await?),
            None => None,
        };
        let row = NewRow { name: new.name, email, password_hash, is_admin: new.is_admin };
        let made = self.meta.make_user(row, self.by(caller)).await?;
        if !made.is_new && !self.same_password(caller, &made.value, new.password).await? {
            let message = format!("there is a user {} with another password", made.value.name);
            return Err(Error::Exists { field: "password", message });
        }
        Ok(Created::of(made, User::from))
    }

    /// Changes a user. Disabled, they can do nothing from the next request on. For administrators.
    pub async fn update_user(
        &self,
        caller: &Caller,
        name: &str,
        mut change: UserChange,
        expected: Option<i64>,
    ) -> Result<User> {
        let user = self.account_to_keep(caller, name).await?;
        if let Some(Some(address)) = &mut change.email {
            *address = names::email(address)?;
        }
        Ok(self.meta.change_user(user.id, change, expected, self.by(caller)).await?.into())
    }

    /// Deletes a user with their own org, memberships, grants and tokens. For administrators.
    pub async fn delete_user(&self, caller: &Caller, name: &str, expected: Option<i64>) -> Result<()> {
        let user = self.account_to_keep(caller, name).await?;
        Ok(self.meta.delete_user(user.id, expected, self.by(caller)).await?)
    }

    /// Gives a user another password, and ends everything they are signed in with. For administrators.
    pub async fn set_user_password(&self, caller: &Caller, name: &str, password: Secret) -> Result<()> {
        let user = self.account_to_keep(caller, name).await?;
        let hash = self.hash_password("password", password).await?;
        Ok(self.meta.change_password(user.id, &hash, self.by(caller)).await?)
    }

    /// Changes the caller's own password, which takes the one of now, and ends everything they are signed in with.
    pub async fn change_own_password(&self, caller: &Caller, current: Secret, new: Secret) -> Result<()> {
        let (id, name) = self.in_person(caller, "change the password")?;
        if !self.is_password_of(name, current, caller.source()).await? {
            return Err(Error::Invalid { field: "current", message: "this is not your password".into() });
        }
        let hash = self.hash_password("new", new).await?;
        Ok(self.meta.change_password(id, &hash, self.by(caller)).await?)
    }

    /// A user's account, for administrators.
    pub(super) async fn account_to_keep(&self, caller: &Caller, name: &str) -> Result<Account> {
        self.must_administer(caller, DOING)?;
        self.meta.account(name).await?.ok_or_else(|| unknown(name))
    }

    /// Of somebody who may do nothing no password can be told.
    async fn same_password(&self, caller: &Caller, known: &Account, password: Option<Secret>) -> Result<bool> {
        match password {
            None => Ok(!known.has_password),
            Some(password) => self.is_password_of(&known.name, password, caller.source()).await,
        }
    }
}

fn unknown(name: &str) -> Error {
    Error::NotFound { what: format!("user {name}") }
}

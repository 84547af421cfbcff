//! Who is asking, from where, and what of their rights the credential they showed leaves them.

use std::net::IpAddr;
use std::sync::Arc;

use wharf_meta::{Actor, Millis, OrgId, Principal, Reach, RepoId, Role, User};
use wharf_oci::{Actions, Resource, Scope};

use super::decide::{Action, Power};
use crate::error::Takes;
use crate::{Error, Secret};

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
    /// A machine's account.
    Robot {
        /// Its row.
        id: i64,
        /// `team+ci`
        name: String,
    },
}

impl Identity {
    /// Who holds grants; nobody for the anonymous.
    pub fn principal(&self) -> Option<Principal> {
        match self {
            Self::Anonymous => None,
            Self::User { id, .. } => Some(Principal::User(*id)),
            Self::Robot { id, .. } => Some(Principal::Robot(*id)),
        }
    }

    /// `user:5`, `robot:7`, empty for the anonymous: what is theirs is kept under this. Unlike a name it is never
    /// anybody else's.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::Anonymous => String::new(),
            Self::User { id, .. } => format!("user:{id}"),
            Self::Robot { id, .. } => format!("robot:{id}"),
        }
    }
}

/// What a request brought to prove who sends it.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// Nothing.
    None,
    /// User name and password, or in the password's place an API token or an access token.
    Basic {
        /// As typed.
        user: String,
        /// As typed.
        password: Secret,
    },
    /// An access token or an API token.
    Bearer(Secret),
}

/// Where a request comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The client, as far as trusted proxies tell; `None` on a unix socket.
    pub address: Option<IpAddr>,
    /// The request's id, as in the log and in `X-Request-Id`.
    pub request: Arc<str>,
}

impl Source {
    /// Not a request: the program itself.
    pub fn here() -> Self {
        Self { address: None, request: "".into() }
    }
}

/// What proved who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Via {
    /// Nothing did.
    Nothing,
    /// A password, or a token that was given out for one.
    Password,
    /// An API token.
    ApiToken {
        /// Its row.
        id: String,
        /// What its owner calls it.
        name: String,
    },
    /// A browser that somebody signed in with.
    Session,
    /// A token of an outside issuer, by a trust rule.
    Ci {
        /// The rule's row.
        rule: i64,
        /// The rule as it was: changed since, it is another.
        version: i64,
        /// Its name.
        name: String,
    },
    /// The data folder.
    Operator,
}

/// As the audit has it.
impl std::fmt::Display for Via {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nothing => f.write_str("none"),
            Self::Password => f.write_str("password"),
            Self::ApiToken { name, .. } => write!(f, "token:{name}"),
            Self::Session => f.write_str("session"),
            Self::Ci { name, .. } => write!(f, "ci:{name}"),
            Self::Operator => f.write_str("operator"),
        }
    }
}

/// What a credential leaves of its owner's rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cap {
    /// At most this.
    pub role: Role,
    /// There only.
    pub reach: Reach,
}

/// Who is asking, and how far what they ask with reaches.
#[derive(Clone, Debug)]
pub struct Caller {
    pub(super) identity: Identity,
    pub(super) via: Via,
    pub(super) cap: Option<Cap>,
    /// What the access token was given for; `None` without one: everything else allows.
    pub(super) token: Option<Vec<Scope>>,
    /// When what they showed ends, if that can be told.
    pub(super) until: Option<Millis>,
    pub(super) source: Source,
    /// The stored hash of the password that was proved, itself or by a token given out for it: what is made for it must
    /// not outlive it, though the password changes in between.
    pub(super) proved: Secret,
}

impl Caller {
    /// A caller that showed nothing.
    pub fn anonymous(source: Source) -> Self {
        Self::of(Identity::Anonymous, Via::Nothing, source)
    }

    /// Somebody who proved to be `identity` by `via`, with all their rights.
    pub(crate) fn of(identity: Identity, via: Via, source: Source) -> Self {
        Self { identity, via, cap: None, token: None, until: None, source, proved: Secret::default() }
    }

    /// Somebody with an account, as its row is.
    pub(crate) fn of_account(account: User, via: Via, source: Source) -> Self {
        let proved = Secret::new(account.password_hash.clone().unwrap_or_default());
        Self { proved, ..Self::of(Identity::from(account), via, source) }
    }

    /// The stored hash of the password that was proved; empty for none.
    pub(crate) fn proof(&self) -> &Secret {
        &self.proved
    }

    /// The same, with no more than `cap` leaves, until then.
    pub(crate) fn within(self, cap: Cap, until: Option<Millis>) -> Self {
        Self { cap: Some(cap), until, ..self }
    }

    /// Whoever holds the data folder: may do everything.
    pub fn operator() -> Self {
        let identity = Identity::User { id: 0, name: "operator".into(), is_admin: true };
        Self::of(identity, Via::Operator, Source::here())
    }

    /// Somebody with an account, without the trouble of signing in.
    #[cfg(test)]
    pub(crate) fn user(id: i64, name: &str, is_admin: bool) -> Self {
        Self::of(Identity::User { id, name: name.into(), is_admin }, Via::Password, Source::here())
    }

    /// Who they are.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What proved it.
    pub fn via(&self) -> &Via {
        &self.via
    }

    /// What the credential leaves of their rights; `None`: all.
    pub fn cap(&self) -> Option<Cap> {
        self.cap
    }

    /// When what they showed ends: an API token, or what a trust rule took or gave for a CI job's token. `None`: when
    /// somebody ends it, or that is not told of what they showed.
    pub fn until(&self) -> Option<Millis> {
        self.until
    }

    /// Where they ask from.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Whether they showed nothing at all, not even a token for the anonymous.
    pub fn showed_nothing(&self) -> bool {
        self.identity == Identity::Anonymous && self.token.is_none()
    }

    /// Their row and the stored hash of the password that they proved, if they proved one.
    pub(crate) fn proved(&self) -> Option<(i64, String)> {
        match (&self.identity, &self.via) {
            // It goes to the database, which has it.
            (Identity::User { id, .. }, Via::Password | Via::Session) if *id > 0 => {
                Some((*id, self.proved.expose().to_owned()))
            }
            _ => None,
        }
    }

    /// The name that rows and logs record.
    pub fn name(&self) -> &str {
        match &self.identity {
            Identity::Anonymous => "anonymous",
            Identity::User { name, .. } | Identity::Robot { name, .. } => name,
        }
    }

    /// They, as the audit has it.
    pub fn actor(&self) -> Actor {
        let request = Some(self.source.request.to_string()).filter(|request| !request.is_empty());
        Actor { name: self.name().into(), via: self.via.to_string(), address: self.source.address, request }
    }

    /// What the credential leaves of any right in that org, and in that repository of it.
    pub(crate) fn ceiling(&self, org: Option<OrgId>, repository: Option<RepoId>) -> Power {
        let Some(Cap { role, reach }) = self.cap else { return Power::Administrator };
        let reaches = match reach {
            Reach::Everywhere => true,
            Reach::Org(only) => org == Some(only),
            Reach::Repository(only) => repository == Some(only),
        };
        if reaches { role.into() } else { Power::Nothing }
    }

    /// Whether what they signed in with may be what keeps them from a change, whatever access token they fetch.
    pub(crate) fn is_held_from(&self, action: Action) -> bool {
        let holds = |cap: Cap| !action.is_within(cap.role) || cap.reach != Reach::Everywhere;
        action != Action::Pull && self.cap.is_some_and(holds)
    }

    /// The refusal that says which token is too narrow for what; `scope` is what to ask a wider access token for.
    pub(crate) fn too_narrow(&self, scope: Scope, takes: Takes) -> Error {
        let limits = |cap: Cap| match cap.reach {
            Reach::Everywhere => format!("{} at most", cap.role),
            Reach::Org(_) => format!("{} at most, in one org", cap.role),
            Reach::Repository(_) => format!("{} at most, in one repository", cap.role),
        };
        let token = match (&self.via, self.cap) {
            (Via::ApiToken { name, .. }, Some(cap)) => format!("the API token \"{name}\" ({})", limits(cap)),
            (Via::Ci { name, .. }, Some(cap)) => format!("the trust rule \"{name}\" ({})", limits(cap)),
            _ => "the token".into(),
        };
        let takes = if self.token.is_some() || self.cap.is_none() { Takes::AccessToken } else { takes };
        Error::TokenTooNarrow { scope, token, takes }
    }

    pub(super) fn token_allows(&self, resource: &Resource) -> Option<Actions> {
        let scopes = self.token.as_ref()?;
        Some(scopes.iter().find(|scope| scope.resource == *resource).map_or(Actions::NONE, |scope| scope.actions))
    }
}

#[cfg(test)]
impl Caller {
    /// As if by an access token for these.
    pub(crate) fn with_scopes(self, scopes: Vec<Scope>) -> Self {
        Self { token: Some(scopes), ..self }
    }
}

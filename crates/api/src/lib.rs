//! The admin API's shapes: what requests and answers under `/api/v1` hold, and the paths they go to.
//!
//! Requests are strict: a field that is not known is refused, and every text is of a type that bounds it, so that what
//! the server accepts is what the OpenAPI document says. Answers are read leniently: a newer server may say more.

mod access;
mod audit;
mod change;
mod grants;
mod limits;
mod number;
mod orgs;
mod page;
pub mod paths;
mod problem;
mod providers;
mod quotas;
mod repositories;
mod robots;
mod secret;
mod session;
mod stats;
mod teams;
mod text;
mod timestamp;
mod tokens;
mod trust_rules;
mod users;
mod words;

pub use access::{Access, AccessQuery, ActionName};
pub use audit::{AuditEvent, AuditQuery, Outcome};
pub use change::Change;
pub use grants::{Grant, GrantUpdate, GrantsQuery, NewGrant, Recipient};
pub use limits::{LimitClass, LimitPer, NewRateLimit, RateLimit};
pub use number::{Amount, NumberError, PageSize, Requests, RuleLifetime, Seconds, TokenLifetime};
pub use orgs::{Member, MemberRole, MemberUpdate, NewOrg, Org, OrgUpdate, OrgsQuery};
pub use page::{Page, PageQuery};
pub use problem::{Problem, ProblemKind};
pub use providers::{GroupTeam, NewProvider, Provider, ProviderUpdate};
pub use quotas::{NewQuota, Quota, Usage};
pub use repositories::{
    Contents, Manifest, NewRepository, RepositoriesQuery, Repository, RepositoryUpdate, Tag, TagsQuery, Visibility,
};
pub use robots::{NewRobot, Robot, RobotUpdate};
pub use secret::{NewPassword, Secret};
pub use session::{CallerKind, Membership, PasswordChange, Session, Whoami};
pub use stats::Stats;
pub use teams::{NewTeam, Team, TeamMember, TeamUpdate};
pub use text::{
    Audience, ClaimName, ClaimPattern, ClientId, Cursor, Description, Domain, Email, GroupName, Id, Issuer, Label,
    Name, OAuthScope, PrincipalName, RepositoryName, RobotName, Search, Target, TextError, TokenName,
};
pub use timestamp::{Timestamp, TimestampError};
pub use tokens::{MadeToken, NewToken, Role, Token, TokenScope};
pub use trust_rules::{Claims, NewTrustRule, TrustRule, TrustRuleUpdate};
pub use users::{NewUser, PasswordReset, User, UserUpdate, UsersQuery};
pub use words::WordError;

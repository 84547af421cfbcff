//! What people change: orgs and who belongs to them, grants, users, tokens, repositories. The admin API, the commands
//! and the pages all come here.
//!
//! Every method takes the [`Caller`] first and asks for itself, at the one door of `access/door.rs`.

use wharf_meta::{By, Made, Refusal};

use crate::access::Caller;
use crate::lists::{WALK, Walk, Walked};
use crate::{Error, Page, Registry, Result, Stretch};

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

impl Registry {
    pub(crate) fn by(&self, caller: &Caller) -> By {
        By { actor: caller.actor(), now: self.now() }
    }

    /// Looks through a list from behind `after` on: behind that name, or where the stretch before ended. `look` is as in
    /// [`Walk::through`]. What one look does not answer waits for its turn.
    async fn look_through<T, F>(
        &self,
        caller: &Caller,
        after: Option<&str>,
        limit: usize,
        look: impl Fn(String, usize) -> F,
        name: impl Fn(&T) -> &str,
    ) -> Result<Stretch<T>>
    where
        F: Future<Output = Result<(Vec<T>, Option<String>)>>,
    {
        let after = self.cursors.place("after", after.unwrap_or(""))?;
        let mut walked = Walk { windows: 1, ..WALK }.through(after, limit, &look).await?;
        if let Some(end) = walked.end.take() {
            let _turn = self.walks.turn(caller).await?;
            let rest = Walk { windows: WALK.windows - 1, ..WALK };
            let rest = rest.through(end, limit - walked.entries.len(), look).await?;
            walked.entries.extend(rest.entries);
            walked = Walked { entries: walked.entries, ..rest };
        }
        self.stretch(walked, name)
    }
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
            Refusal::Exists { field, message } => Self::Exists { field, message },
            Refusal::Enough { field, message } => Self::Enough { field, message },
            Refusal::Kept { field, message } => Self::MustStay { field, message },
            Refusal::Invalid { field, message } => Self::Invalid { field, message },
            Refusal::Stale => Self::Stale,
        }
    }
}

#[cfg(test)]
mod tests;

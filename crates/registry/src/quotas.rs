//! What orgs may keep. Whether it fits is decided where it is written, in `meta`; here is who may see and set it.

use wharf_meta::{OrgQuota, Quota};
use wharf_oci::RepoName;

use crate::access::{Action, At, Caller, Tried};
use crate::{Error, Registry, Result};

mod sentence;

pub(crate) use sentence::sentence;

impl Registry {
    /// What an org may keep, and what it keeps; for its owners.
    pub async fn quota(&self, caller: &Caller, org: &str) -> Result<OrgQuota> {
        let seen = self.org_to(caller, Action::Own, "see the quota", org).await?;
        Ok(self.meta.org_quota(seen.row.id).await?)
    }

    /// Sets what an org may keep, if the quota's version is still the `expected`; for administrators. What it keeps
    /// beyond that stays; nothing more is taken in.
    pub async fn set_quota(&self, caller: &Caller, org: &str, new: Quota, expected: Option<i64>) -> Result<OrgQuota> {
        self.must_administer(caller, "set quotas")?;
        let seen = self.seen_org(caller, org).await?;
        Ok(self.meta.set_quota(seen.row.id, new, expected, self.by(caller)).await?)
    }

    /// Passes on how a write to a repository went, and has it on record if it was the org's quota that refused it.
    pub(crate) fn recorded<T>(
        &self,
        caller: &Caller,
        name: &RepoName,
        outcome: Result<T, impl Into<Error>>,
    ) -> Result<T> {
        let outcome = outcome.map_err(Into::into);
        if let Err(Error::QuotaExceeded(over)) = &outcome {
            let tried = Tried { action: Action::Push, at: At::Repository(name), doing: Action::Push.verb() };
            self.note_refused(caller, &tried, &sentence(over));
        }
        outcome
    }
}

//! What orgs may keep. Whether it fits is decided where it is written, in `meta`; here is who may see and set it.

use wharf_meta::{OrgQuota, OverQuota, Quota, QuotaOf};
use wharf_oci::RepoName;

use crate::access::{Action, At, Caller, Tried};
use crate::{Error, Registry, Result};

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
}

impl Registry {
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

/// Says what is used up, how far, and what to do.
pub(crate) fn sentence(over: &OverQuota) -> String {
    let OverQuota { org, resource, used, reserved, limit } = over;
    let what_to_do = "delete what is not needed any more, or ask an administrator for a greater quota";
    match resource {
        QuotaOf::Bytes if *reserved > 0 => format!(
            "org {org} may keep {limit} bytes, has used {used} and reserved {reserved} for pushes under way: {what_to_do}"
        ),
        QuotaOf::Bytes => format!("org {org} may keep {limit} bytes and has used {used}: {what_to_do}"),
        QuotaOf::Repositories => {
            format!("org {org} may have {limit} repositories and has {used}: {what_to_do}")
        }
        QuotaOf::Tags => format!("org {org} may have {limit} tags and has {used}: {what_to_do}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_is_used_what_is_allowed_and_what_to_do() {
        let over = |resource, reserved| OverQuota { org: "team".into(), resource, used: 9, reserved, limit: 10 };
        assert_eq!(
            sentence(&over(QuotaOf::Bytes, 0)),
            "org team may keep 10 bytes and has used 9: delete what is not needed any more, or ask an administrator \
             for a greater quota"
        );
        let reserved = sentence(&over(QuotaOf::Bytes, 1));
        assert!(reserved.contains("has used 9 and reserved 1 for pushes under way"), "{reserved}");
        assert!(sentence(&over(QuotaOf::Repositories, 0)).starts_with("org team may have 10 repositories and has 9:"));
        assert!(sentence(&over(QuotaOf::Tags, 0)).starts_with("org team may have 10 tags and has 9:"));
    }
}

//! Who belongs to an org.

pub use wharf_meta::{Member, Membership};

use super::{Created, and_one, page};
use crate::access::{Action, Caller};
use crate::{Page, Registry, Result};

impl Registry {
    /// Members of an org, by name after the name `after`.
    pub async fn members(&self, caller: &Caller, org: &str, after: Option<&str>, limit: usize) -> Result<Page<Member>> {
        let seen = self.org_from_within(caller, org).await?;
        let found = self.meta.members(seen.row.id, after.unwrap_or(""), and_one(limit)).await?;
        Ok(page(found, limit, |member| member))
    }

    /// Makes a user a member or an owner.
    pub async fn set_member(
        &self,
        caller: &Caller,
        org: &str,
        user: &str,
        role: Membership,
    ) -> Result<Created<Member>> {
        let seen = self.org_to(caller, Action::Own, "change members", org).await?;
        let made = self.meta.set_member(seen.row.id, user, role, self.owning(caller), self.by(caller)).await?;
        Ok(Created::of(made, |member| member))
    }

    /// Takes a user out of an org, its teams included. Everybody may leave, except the last owner.
    pub async fn remove_member(&self, caller: &Caller, org: &str, user: &str) -> Result<()> {
        let leaves = self.person(caller).is_some_and(|(_, name)| name == user);
        let seen = if leaves {
            self.seen_org(caller, org).await?
        } else {
            self.org_to(caller, Action::Own, "change members", org).await?
        };
        Ok(self.meta.remove_member(seen.row.id, user, self.by(caller)).await?)
    }
}

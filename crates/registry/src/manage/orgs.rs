//! Orgs.

use wharf_meta::{Millis, Org as Row, Owning, Place, Reach, Seen, Visibility};

use super::{Created, Membership, names};
use crate::access::{Action, Caller, Decision, Identity, decide};
use crate::{Error, Registry, Result, Stretch};

/// Who may make orgs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OrgCreation {
    /// Administrators.
    #[default]
    Admins,
    /// Every user.
    Anyone,
}

/// An org, as a caller sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Org {
    /// The first component of its repositories' names.
    pub name: String,
    /// Who may read its repositories that do not say themselves; `None`: as the registry is set.
    pub visibility: Option<Visibility>,
    /// Who may read them in fact.
    pub effective_visibility: Visibility,
    /// The user whose own org it is.
    pub personal_of: Option<String>,
    /// What the caller is in it, other than an administrator.
    pub your_role: Option<Membership>,
    /// When it was made.
    pub created_at: Millis,
    /// Counts changes.
    pub version: i64,
}

impl Registry {
    /// Orgs that the caller may know of with `part` in their name, by name after the name `after`, or from where
    /// the stretch before ended.
    pub async fn orgs(&self, caller: &Caller, part: &str, after: Option<&str>, limit: usize) -> Result<Stretch<Org>> {
        let principal = self.admitted(caller)?;
        let rows = match caller.cap().map_or(Reach::Everywhere, |cap| cap.reach) {
            Reach::Everywhere => {
                let facts = self.facts(caller, &Place::default());
                let sees_all = matches!(decide(&facts, Action::Pull), Decision::Allow(_));
                let is_open = self.settings.visibility != Visibility::Private;
                let seen = if sees_all { Seen::All } else { Seen::By(principal, is_open) };
                let look = move |after: String, window| async move {
                    let found = self.meta.org_window(seen, part, &after, window).await?;
                    Ok((found.entries, found.last))
                };
                self.look_through(caller, after, limit, look, |row| &row.name).await?
            }
            Reach::Org(only) => {
                let is_next = |org: &Row| after.is_none_or(|after| *org.name > *after) && org.name.contains(part);
                let only = self.meta.org_by_id(only).await?.filter(is_next);
                Stretch { entries: only.into_iter().collect(), next: None }
            }
            Reach::Repository(_) => Stretch { entries: vec![], next: None },
        };
        let mut entries = Vec::with_capacity(rows.entries.len());
        for row in rows.entries {
            entries.push(self.org_view(caller, row).await?);
        }
        Ok(Stretch { entries, next: rows.next })
    }

    /// One org.
    pub async fn org(&self, caller: &Caller, name: &str) -> Result<Org> {
        let seen = self.seen_org(caller, name).await?;
        self.org_view(caller, seen.row).await
    }

    /// Makes an org, whose owner is the user who asks.
    pub async fn create_org(
        &self,
        caller: &Caller,
        name: &str,
        visibility: Option<Visibility>,
    ) -> Result<Created<Org>> {
        let owner = self.person(caller).map(|(id, _)| id);
        if self.settings.org_creation != OrgCreation::Anyone || owner.is_none() {
            self.must_administer(caller, "make orgs")?;
        }
        names::name("name", name)?;
        // What is there is shown to those who may see it only.
        if let Err(Error::NotFound { .. }) = self.seen_org(caller, name).await
            && self.meta.org(name).await?.is_some()
        {
            return Err(Error::Exists { field: "name", message: format!("the name {name} is taken: choose another") });
        }
        let made = self.meta.make_org(name, visibility, owner, self.owning(caller), self.by(caller)).await?;
        let is_new = made.is_new;
        Ok(Created { value: self.org_view(caller, made.value).await?, is_new })
    }

    /// Changes who may read an org's repositories that do not say themselves. `None` changes nothing.
    pub async fn update_org(
        &self,
        caller: &Caller,
        name: &str,
        visibility: Option<Option<Visibility>>,
        expected: Option<i64>,
    ) -> Result<Org> {
        let seen = self.org_to(caller, Action::Manage, "change settings", name).await?;
        let visibility = visibility.unwrap_or(seen.row.visibility);
        let row = self.meta.change_org(seen.row.id, visibility, expected, self.by(caller)).await?;
        self.org_view(caller, row).await
    }

    /// Deletes an org that has no repositories.
    pub async fn delete_org(&self, caller: &Caller, name: &str, expected: Option<i64>) -> Result<()> {
        let seen = self.org_to(caller, Action::Own, "delete what is", name).await?;
        Ok(self.meta.delete_org(seen.row.id, expected, self.by(caller)).await?)
    }

    /// Nobody may make orgs without end. What an administrator gives is their own concern.
    pub(super) fn owning(&self, caller: &Caller) -> Owning {
        let is_admin = matches!(caller.identity(), Identity::User { is_admin: true, .. });
        match self.settings.org_creation {
            OrgCreation::Anyone if !is_admin => Owning::Bounded,
            OrgCreation::Anyone | OrgCreation::Admins => Owning::Unbounded,
        }
    }

    async fn org_view(&self, caller: &Caller, row: Row) -> Result<Org> {
        let your_role = match caller.identity() {
            Identity::User { id, .. } => self.meta.member(row.id, *id).await?.map(|member| member.role),
            Identity::Robot { .. } | Identity::Anonymous => None,
        };
        Ok(Org {
            effective_visibility: row.visibility.unwrap_or(self.settings.visibility),
            name: row.name,
            visibility: row.visibility,
            personal_of: row.personal_of,
            your_role,
            created_at: row.created_at,
            version: row.version,
        })
    }
}

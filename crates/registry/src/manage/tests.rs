//! Each rule by what callers meet: who may, who may not, and what they are told.
#![expect(clippy::needless_pass_by_value, reason = "an outcome that was looked at is done with")]

use wharf_meta::GrantTarget;
use wharf_testkit::disk::LossyDisk;

use super::*;
use crate::access::{Action, Cap, Credentials, Source, Via};
use crate::tests::registry_with;
use crate::{Reach, Role, Secret, Settings, Visibility};

mod accounts;
mod callers;
mod explain;
mod grants;
mod orgs;
mod repositories;

/// A registry with an administrator `root` and users `alice`, `bob` and `carol`, and the org `team` of alice's.
struct World {
    r: Registry,
    _disk: LossyDisk,
}

impl World {
    async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    async fn with(settings: Settings) -> Self {
        let disk = LossyDisk::new().unwrap();
        let r = registry_with(&disk, settings).await;
        let by = || By { actor: wharf_meta::Actor::operator(), now: 1 };
        for name in ["root", "alice", "bob", "carol"] {
            let new = wharf_meta::NewUser { name: name.into(), is_admin: name == "root", ..Default::default() };
            r.meta.make_user(new, by()).await.unwrap();
        }
        let alice = r.meta.account("alice").await.unwrap().unwrap().id;
        r.meta.make_org("team", None, Some(alice), wharf_meta::Owning::Unbounded, by()).await.unwrap();
        Self { r, _disk: disk }
    }

    /// A user with all their rights, as the database has them now.
    async fn caller(&self, name: &str) -> Caller {
        let user = self.r.meta.account(name).await.unwrap().unwrap();
        Caller::user(user.id, name, user.is_admin)
    }

    /// The same by an API token.
    async fn by_token(&self, name: &str, role: Role, reach: Reach) -> Caller {
        let via = Via::ApiToken { id: "id".into(), name: "laptop".into() };
        Caller::of(self.caller(name).await.identity().clone(), via, Source::here()).within(Cap { role, reach }, None)
    }

    async fn org_id(&self, name: &str) -> wharf_meta::OrgId {
        self.r.meta.org(name).await.unwrap().unwrap().id
    }

    async fn push(&self, name: &str) -> wharf_meta::RepoId {
        self.r.meta.ensure_repository(&name.parse().unwrap(), &wharf_meta::Actor::operator(), 1).await.unwrap()
    }

    async fn join(&self, org: &str, user: &str, role: Membership) {
        let root = self.caller("root").await;
        self.r.set_member(&root, org, user, role).await.unwrap();
    }

    /// Gives a user a role on an org, or on a repository that exists.
    async fn give(&self, user: &str, target: &str, role: Role) {
        let name = if target.contains('/') { target.to_owned() } else { format!("{target}/x") };
        let place = self.r.meta.place(None, &name.parse().unwrap()).await.unwrap();
        let repository = place.repository.map(|found| found.id).filter(|_| target.contains('/'));
        let target = repository.map_or(GrantTarget::Org(place.org.unwrap()), GrantTarget::Repository);
        let to = wharf_meta::Grantee::User(user.into());
        let new = wharf_meta::NewGrant { target, to, role };
        let by = By { actor: wharf_meta::Actor::operator(), now: 1 };
        self.r.meta.make_grant(new, by).await.unwrap();
    }
}

fn denied<T: std::fmt::Debug>(outcome: Result<T>) -> String {
    let Err(error @ (Error::Denied { .. } | Error::AdministratorsOnly { .. })) = outcome else { panic!("{outcome:?}") };
    error.to_string()
}

fn hidden<T: std::fmt::Debug>(outcome: Result<T>) -> String {
    let Err(error @ (Error::NotFound { .. } | Error::NameUnknown(_))) = outcome else { panic!("{outcome:?}") };
    error.to_string()
}

fn invalid<T: std::fmt::Debug>(outcome: Result<T>) -> &'static str {
    let Err(Error::Invalid { field, .. }) = outcome else { panic!("{outcome:?}") };
    field
}

fn in_the_way<T: std::fmt::Debug>(outcome: Result<T>) -> &'static str {
    let Err(Error::Exists { field, .. } | Error::MustStay { field, .. } | Error::Enough { field, .. }) = outcome else {
        panic!("{outcome:?}")
    };
    field
}

fn too_narrow<T: std::fmt::Debug>(outcome: Result<T>) {
    assert!(matches!(outcome, Err(Error::TokenTooNarrow { .. })), "{outcome:?}");
}

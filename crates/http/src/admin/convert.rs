//! Between the registry's words and the API's.

use wharf_api as api;
use wharf_registry::{Role, Secret, Visibility};

pub(super) fn visibility(word: api::Visibility) -> Visibility {
    match word {
        api::Visibility::Private => Visibility::Private,
        api::Visibility::Internal => Visibility::Internal,
        api::Visibility::Public => Visibility::Public,
    }
}

pub(super) fn visibility_word(visibility: Visibility) -> api::Visibility {
    match visibility {
        Visibility::Private => api::Visibility::Private,
        Visibility::Internal => api::Visibility::Internal,
        Visibility::Public => api::Visibility::Public,
    }
}

pub(super) fn role(word: api::Role) -> Role {
    match word {
        api::Role::Reader => Role::Reader,
        api::Role::Writer => Role::Writer,
        api::Role::Maintainer => Role::Maintainer,
    }
}

/// In a repository an owner of its org is a maintainer.
pub(super) fn role_word(role: Role) -> api::Role {
    match role {
        Role::Reader => api::Role::Reader,
        Role::Writer => api::Role::Writer,
        Role::Maintainer | Role::Owner => api::Role::Maintainer,
    }
}

pub(super) fn scope(word: api::TokenScope) -> Role {
    match word {
        api::TokenScope::Read => Role::Reader,
        api::TokenScope::Write => Role::Writer,
        api::TokenScope::Admin => Role::Maintainer,
    }
}

pub(super) fn scope_word(role: Role) -> api::TokenScope {
    match role {
        Role::Reader => api::TokenScope::Read,
        Role::Writer => api::TokenScope::Write,
        Role::Maintainer | Role::Owner => api::TokenScope::Admin,
    }
}

/// Milliseconds since 1970.
pub(super) fn time(millis: i64) -> api::Timestamp {
    api::Timestamp::from_millis(millis)
}

/// Rows count their versions from 1.
pub(super) fn version(version: i64) -> u64 {
    u64::try_from(version).unwrap_or_default()
}

/// On its way to be hashed.
pub(super) fn password(new: &api::NewPassword) -> Secret {
    Secret::new(new.expose())
}

/// As the registry takes pages.
pub(super) fn limit(size: Option<api::PageSize>) -> usize {
    const USUAL: usize = 100;
    size.map_or(USUAL, |size| usize::try_from(size.get()).unwrap_or(USUAL))
}

/// As the registry takes where to go on.
pub(super) fn after(cursor: Option<&api::Cursor>) -> Option<&str> {
    cursor.map(api::Cursor::as_str)
}

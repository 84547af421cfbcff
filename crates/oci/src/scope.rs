//! Token scopes: `type:name:actions` (distribution/distribution, docs/content/spec/auth/scope.md).

use std::collections::HashMap;
use std::fmt;
use std::ops::{BitAnd, BitOr};

use crate::RepoName;

/// A set of `pull`, `push` and `delete`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Actions(u8);

impl Actions {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Reading.
    pub const PULL: Self = Self(1);
    /// Uploading and tagging.
    pub const PUSH: Self = Self(2);
    /// Deleting.
    pub const DELETE: Self = Self(4);
    /// All three; written `*` by clients.
    pub const ALL: Self = Self(7);

    const NAMED: [(Self, &'static str); 3] = [(Self::PULL, "pull"), (Self::PUSH, "push"), (Self::DELETE, "delete")];

    /// Reads a comma separated list: any order, repeats, `*`. Unknown actions are left out.
    pub fn parse(text: &str) -> Self {
        text.split(',').map(|action| Self::from_name(action.trim())).fold(Self::NONE, Self::union)
    }

    fn from_name(name: &str) -> Self {
        if name == "*" {
            return Self::ALL;
        }
        Self::NAMED.iter().find(|named| named.1 == name).map_or(Self::NONE, |named| named.0)
    }

    /// What is in either.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether all of `other` is in `self`.
    pub fn contains(self, other: Self) -> bool {
        self.intersection(other) == other
    }

    /// Whether nothing is in it.
    pub fn is_empty(self) -> bool {
        self == Self::NONE
    }

    /// The names, always in the order pull, push, delete.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMED.into_iter().filter(move |named| self.contains(named.0)).map(|named| named.1)
    }
}

impl BitOr for Actions {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.union(other)
    }
}

impl BitAnd for Actions {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        self.intersection(other)
    }
}

/// Comma separated, in the order pull, push, delete.
impl fmt::Display for Actions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, name) in self.names().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            f.write_str(name)?;
        }
        Ok(())
    }
}

/// What a scope is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Resource {
    /// `repository:<name>`
    Repository(RepoName),
    /// `registry:catalog`
    Catalog,
    /// `registry:api`, the admin API: Wharfinger's own.
    Api,
}

/// Actions on one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// On what.
    pub resource: Resource,
    /// To do what. May be empty.
    pub actions: Actions,
}

impl Scope {
    /// Reads one scope. `None` when it is malformed, of a kind that is not granted here, or names no legal repository.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        let (name, actions) = rest.rsplit_once(':')?;
        let resource = match (without_class(kind), name) {
            ("repository", name) => Resource::Repository(name.parse().ok()?),
            ("registry", "catalog") => Resource::Catalog,
            ("registry", "api") => Resource::Api,
            _ => return None,
        };
        Some(Self { resource, actions: Actions::parse(actions) })
    }

    /// Reads every `scope` parameter, repeated or space separated (goharbor/harbor#2411, google/go-containerregistry#724).
    ///
    /// One entry per resource, in order of first appearance; what cannot be granted is left out, never an error.
    pub fn parse_all<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<Self> {
        let mut scopes: Vec<Self> = Vec::new();
        let mut places: HashMap<Resource, usize> = HashMap::new();
        for scope in texts.flat_map(str::split_ascii_whitespace).filter_map(Self::parse) {
            let place = *places.entry(scope.resource.clone()).or_insert(scopes.len());
            match scopes.get_mut(place) {
                Some(known) => known.actions = known.actions | scope.actions,
                None => scopes.push(scope),
            }
        }
        scopes
    }
}

/// `repository(plugin)` is `repository`.
fn without_class(kind: &str) -> &str {
    kind.strip_suffix(')').and_then(|open| open.split_once('(')).map_or(kind, |(kind, _)| kind)
}

/// As in a challenge: the name as asked, the actions in fixed order.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.resource {
            Resource::Repository(name) => write!(f, "repository:{}:{}", name.asked(), self.actions),
            Resource::Catalog => f.write_str("registry:catalog:*"),
            Resource::Api => f.write_str("registry:api:*"),
        }
    }
}

#[cfg(test)]
mod tests;

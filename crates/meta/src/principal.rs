//! Who holds rights, how much of them, and who does something.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// Who holds grants and tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Principal {
    /// A person, by their account's row.
    User(i64),
    /// A robot, by its row.
    Robot(i64),
}

impl Principal {
    pub(crate) fn user(self) -> Option<i64> {
        if let Self::User(id) = self { Some(id) } else { None }
    }

    pub(crate) fn robot(self) -> Option<i64> {
        if let Self::Robot(id) = self { Some(id) } else { None }
    }
}

/// An org's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OrgId(pub(crate) i64);

/// What somebody is in an org or a repository. Each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Pulls and lists.
    Reader = 1,
    /// Also pushes, and moves and creates tags.
    Writer = 2,
    /// Also deletes, and changes settings and grants.
    Maintainer = 3,
    /// Of an org: also its members, teams, robots and trust rules. Comes with membership, never by a grant.
    Owner = 4,
}

impl Role {
    /// As rows have it.
    pub(crate) fn rank(self) -> i64 {
        self as i64
    }

    /// From a row; `None` for 0, which is what the greatest of no role is.
    pub(crate) fn from_rank(rank: i64) -> Option<Self> {
        [Self::Reader, Self::Writer, Self::Maintainer, Self::Owner].into_iter().find(|role| role.rank() == rank)
    }

    /// Its name, as in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Writer => "writer",
            Self::Maintainer => "maintainer",
            Self::Owner => "owner",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Of what can be granted.
impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "reader" => Ok(Self::Reader),
            "writer" => Ok(Self::Writer),
            "maintainer" => Ok(Self::Maintainer),
            _ => Err(format!("\"{text}\" is no role: expected reader, writer or maintainer")),
        }
    }
}

/// Who does something, as the audit has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// `alice`, `team+ci`, `anonymous`, or `operator` for whoever holds the data folder.
    pub name: String,
    /// What proved it: `password`, `token:NAME`, `session`, `ci:RULE`, `operator`, `none`.
    pub via: String,
    /// Where from.
    pub address: Option<IpAddr>,
    /// The request, as `X-Request-Id` has it.
    pub request: Option<String>,
}

impl Actor {
    /// Whoever holds the data folder.
    pub fn operator() -> Self {
        Self { name: "operator".into(), via: "operator".into(), address: None, request: None }
    }
}

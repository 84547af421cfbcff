//! Paths within a tree.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// Longest path and longest name in it, in bytes (Linux: PATH_MAX, NAME_MAX).
const LONGEST_PATH: usize = 4095;
const LONGEST_NAME: usize = 255;

/// A path below the root of a tree: `usr/bin/env`, no `.` and no `..` in it; empty for the root itself. Sorts parents
/// before their children.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TreePath(Vec<u8>);

impl TreePath {
    /// Takes `./usr//bin/` and `/usr/bin` alike. Errors, with the reason, when it would lead out or no disk could have it.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let shown = || shown(text);
        let mut path = Vec::with_capacity(text.len());
        for name in text.split(|byte| *byte == b'/') {
            match name {
                b"" | b"." => continue,
                b".." => return Err(format!("the path {} leads upwards", shown())),
                _ if name.len() > LONGEST_NAME => {
                    return Err(format!("the path {} has a name of more than {LONGEST_NAME} bytes", shown()));
                }
                _ if name.contains(&0) => return Err(format!("the path {} has a zero byte in it", shown())),
                _ => {}
            }
            if !path.is_empty() {
                path.push(b'/');
            }
            path.extend_from_slice(name);
        }
        if path.len() > LONGEST_PATH {
            return Err(format!("the path {} has more than {LONGEST_PATH} bytes", shown()));
        }
        Ok(Self(path))
    }

    /// Without a slash at either end.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Relative.
    pub fn as_path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.0))
    }

    /// Whether it is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The folder that it is in; the root's is the root.
    #[must_use]
    pub fn parent(&self) -> Self {
        let end = self.0.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
        Self(self.0[..end].to_vec())
    }

    /// Its last name; empty for the root.
    pub fn name(&self) -> &[u8] {
        self.names().last().unwrap_or_default()
    }

    /// Its names, from the root on.
    pub fn names(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.0.split(|byte| *byte == b'/').filter(|name| !name.is_empty())
    }

    /// What is called `path` below it.
    #[must_use]
    pub fn join(&self, path: &Self) -> Self {
        match (self.is_root(), path.is_root()) {
            (true, _) => path.clone(),
            (_, true) => self.clone(),
            _ => Self([self.0.as_slice(), b"/", path.0.as_slice()].concat()),
        }
    }

    /// What is called `name` in it; the caller knows that it is one name.
    pub(crate) fn child(&self, name: &[u8]) -> Self {
        debug_assert!(!name.contains(&b'/'), "it is one name");
        self.join(&Self(name.to_vec()))
    }

    /// Two paths that are not below it, between which in their order is all that is; none where that is to the end.
    pub(crate) fn around_below(&self) -> (Self, Option<Self>) {
        if self.is_root() {
            return (Self::default(), None);
        }
        // The byte after a slash.
        let with = |end: u8| Self([self.0.as_slice(), &[end]].concat());
        (with(b'/'), Some(with(b'/' + 1)))
    }

    /// What is left of it below `folder`, if it is there or the folder itself.
    pub fn below(&self, folder: &Self) -> Option<Self> {
        if folder.is_root() {
            return Some(self.clone());
        }
        match self.0.strip_prefix(folder.0.as_slice())? {
            [] => Some(Self::default()),
            [b'/', rest @ ..] => Some(Self(rest.to_vec())),
            _ => None,
        }
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&self.0))
    }
}

impl fmt::Debug for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&shown(&self.0), f)
    }
}

/// For messages: what a terminal would obey is escaped, and an end cut that nobody reads.
pub(crate) fn shown(text: &[u8]) -> String {
    const LONGEST: usize = 200;
    let text = String::from_utf8_lossy(text);
    let mut shown: String = text
        .chars()
        .take(LONGEST)
        .flat_map(|char| if char.is_control() { char.escape_default().collect::<Vec<_>>() } else { vec![char] })
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

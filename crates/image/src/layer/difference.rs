//! What is not the same in two trees.

use std::collections::BTreeSet;

use super::tree::{File, Tree};
use crate::tar::{Kind, TreePath};

/// A path at which two trees differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference<'a> {
    /// Where.
    pub path: &'a TreePath,
    /// What is there in the first.
    pub before: Option<&'a File>,
    /// What is there in the second.
    pub after: Option<&'a File>,
    /// In what they differ, where both have something. When it was written does not count: that is another time in each
    /// build.
    pub facts: Vec<&'static str>,
}

/// In the order of paths. Of trees that were made without digests, contents count as equal where their sizes are.
pub fn differences<'a>(before: &'a Tree, after: &'a Tree) -> impl Iterator<Item = Difference<'a>> {
    let paths: BTreeSet<&TreePath> = before.iter().chain(after.iter()).map(|(path, _)| path).collect();
    paths.into_iter().filter_map(|path| {
        let (before, after) = (before.get(path), after.get(path));
        let facts = match (before, after) {
            (Some(before), Some(after)) => facts(before, after),
            _ => return Some(Difference { path, before, after, facts: vec![] }),
        };
        (!facts.is_empty()).then_some(Difference { path, before, after, facts })
    })
}

fn facts(before: &File, after: &File) -> Vec<&'static str> {
    let (a, b) = (&before.attributes, &after.attributes);
    let extended = |file: &File| -> Vec<(String, Vec<u8>)> {
        let mut records = file.attributes.records.clone();
        records.retain(|(key, _)| key.contains("xattr."));
        records.sort();
        records
    };
    let is_same_kind = std::mem::discriminant(&before.kind) == std::mem::discriminant(&after.kind);
    let links = matches!((&before.kind, &after.kind), (Kind::Symlink(_), Kind::Symlink(_)));
    let compared = [
        ("kind", is_same_kind),
        ("target", !links || before.kind == after.kind),
        ("device", !is_same_kind || links || before.kind == after.kind),
        ("content", !is_same_kind || (before.size, &before.digest) == (after.size, &after.digest)),
        ("mode", links || a.mode == b.mode),
        ("owner", (a.uid, a.gid) == (b.uid, b.gid)),
        ("extended attributes", extended(before) == extended(after)),
    ];
    compared.into_iter().filter(|(_, is_same)| !is_same).map(|(fact, _)| fact).collect()
}

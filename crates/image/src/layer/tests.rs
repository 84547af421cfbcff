//! Layers by hand, and a model of two folders on top of each other that flattening is compared with.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

use super::*;
use crate::error::Result;
use crate::tar::{Attributes, Entry, Kind, Limits, Reader, TreePath, Writer};

mod importing;
mod model;

const ROOMY: Limits = Limits { entries: 1000, names: 1 << 20, bytes: 1 << 30 };

fn path(text: &str) -> TreePath {
    TreePath::parse(text.as_bytes()).unwrap()
}

fn file(at: &str, content: &str) -> (Entry, String) {
    (Entry::file(path(at), content.len() as u64), content.to_owned())
}

fn folder(at: &str, mode: u32) -> (Entry, String) {
    let attributes = Attributes { mode, ..Attributes::default() };
    (Entry { attributes, ..Entry::directory(path(at)) }, String::new())
}

fn link(at: &str, target: &str) -> (Entry, String) {
    (Entry { kind: Kind::Symlink(target.into()), ..Entry::file(path(at), 0) }, String::new())
}

fn other_name(at: &str, target: &str) -> (Entry, String) {
    (Entry { kind: Kind::HardLink(path(target)), ..Entry::file(path(at), 0) }, String::new())
}

fn tar(entries: &[(Entry, String)]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    for (entry, content) in entries {
        writer.append(entry, &mut content.as_bytes()).unwrap();
    }
    writer.finish().unwrap()
}

fn reader(tar: &[u8]) -> Reader<&[u8]> {
    Reader::new(tar, "a layer", ROOMY)
}

fn applied(layers: &[Vec<u8>]) -> Result<Tree> {
    let mut tree = Tree::with_digests();
    for layer in layers {
        tree.apply(&mut reader(layer))?;
    }
    Ok(tree)
}

fn flattened(layers: &[Vec<u8>]) -> Result<Vec<(Entry, String)>> {
    let mut out = Vec::new();
    flatten::flatten(&applied(layers)?, &mut |at| Ok(reader(&layers[at])), &mut out)?;
    let mut read = reader(&out);
    let mut entries = Vec::new();
    while let Some(entry) = read.next()? {
        let mut content = String::new();
        read.read_to_string(&mut content).unwrap();
        entries.push((entry, content));
    }
    Ok(entries)
}

fn shown(layers: &[&[(Entry, String)]]) -> Vec<String> {
    let layers: Vec<_> = layers.iter().map(|entries| tar(entries)).collect();
    let line = |(entry, content): (Entry, String)| match entry.kind {
        Kind::File => format!("{} {content}", entry.path),
        Kind::Directory => format!("{}/ {:o}", entry.path, entry.attributes.mode),
        Kind::Symlink(target) => format!("{} -> {}", entry.path, String::from_utf8_lossy(&target)),
        Kind::HardLink(target) => format!("{} = {target}", entry.path),
        other => format!("{} {other:?}", entry.path),
    };
    flattened(&layers).unwrap().into_iter().map(line).collect()
}

fn refusal(layers: &[&[(Entry, String)]]) -> String {
    let layers: Vec<_> = layers.iter().map(|entries| tar(entries)).collect();
    applied(&layers).unwrap_err().to_string()
}

#[test]
fn a_later_layer_wins() {
    let one = [folder("etc", 0o755), file("etc/a", "old"), file("etc/b", "b")];
    let two = [folder("etc", 0o700), file("etc/a", "new"), file("c/d", "d")];
    assert_eq!(shown(&[&one, &two]), ["c/ 755", "etc/ 700", "etc/b b", "etc/a new", "c/d d"]);
}

#[test]
fn whiteouts_take_away_what_is_below_and_never_their_own() {
    let one = [folder("etc", 0o755), file("etc/a", "old"), file("etc/b/c", "c"), file("x", "x")];
    let two = [file("etc/.wh.a", ""), file("etc/.wh.b", ""), file("x", "new"), file(".wh.x", ""), file(".wh.none", "")];
    assert_eq!(shown(&[&one, &two]), ["etc/ 755", "x new"]);
}

#[test]
fn an_opaque_folder_shows_its_own_wherever_it_says_so() {
    let one = [folder("d", 0o700), file("d/s/a", "a"), file("d/b", "b"), file("db", "db")];
    let before = [file("d/.wh..wh..opq", ""), file("d/s/own", "own")];
    let after = [file("d/s/own", "own"), file("d/.wh..wh..opq", "")];
    let expected = ["d/ 700", "d/s/ 755", "db db", "d/s/own own"];
    assert_eq!(shown(&[&one, &before]), expected);
    assert_eq!(shown(&[&one, &after]), expected);
}

#[test]
fn a_file_keeps_its_content_when_the_name_it_came_by_is_gone() {
    let one = [file("a", "content"), other_name("b", "a"), other_name("d/c", "b")];
    assert_eq!(shown(&[&one, &[file(".wh.a", "")]]), ["d/ 755", "b content", "d/c = b"]);
    assert_eq!(shown(&[&one, &[file("a", "other")]]), ["d/ 755", "b content", "d/c = b", "a other"]);
    // The link is in the upper layer, what it names in the lower one.
    assert_eq!(shown(&[&one[..1], &[other_name("0", "a")]]), ["0 content", "a = 0"]);
}

#[test]
fn a_link_is_followed_in_its_own_layer_and_gives_way_to_a_folder_of_a_later_one() {
    let one = [folder("usr/lib", 0o755), link("lib", "usr/lib"), file("lib/a", "a")];
    assert_eq!(shown(&[&one]), ["usr/ 755", "usr/lib/ 755", "lib -> usr/lib", "usr/lib/a a"]);
    let two = [file("lib/b", "b")];
    assert_eq!(shown(&[&one, &two]), ["lib/ 755", "usr/ 755", "usr/lib/ 755", "usr/lib/a a", "lib/b b"]);
    let out = [link("out", "../../../etc"), file("out/passwd", "x")];
    assert_eq!(shown(&[&out]), ["etc/ 755", "out -> ../../../etc", "etc/passwd x"]);
    let circle = [link("a", "b"), link("b", "a"), file("a/c", "")];
    assert!(refusal(&[&circle]).contains("lead to each other"));
}

#[test]
fn what_makes_no_tree_is_refused() {
    assert!(refusal(&[&[other_name("a", "none")]]).contains("which is not there"));
    assert!(refusal(&[&[folder("d", 0o755), other_name("a", "d")]]).contains("which is a folder"));
    assert!(refusal(&[&[file(".wh...", "")]]).contains("whiteout of nothing"));
    assert!(refusal(&[&[file(".", "")]]).contains("the root"));
}

#[test]
fn aufs_own_files_are_no_part_of_an_image() {
    assert_eq!(shown(&[&[file(".wh..wh.plnk/1.2", "x"), file(".wh..wh.aufs", ""), file("a", "a")]]), ["a a"]);
}

#[test]
fn devices_owners_times_and_extended_attributes_are_kept() {
    let records = vec![("SCHILY.xattr.user.a".to_owned(), b"1\n2\0".to_vec())];
    let attributes =
        Attributes { mode: 0o4755, uid: 5, gid: 3_000_000, modified: -5, records, ..Attributes::default() };
    let device = Entry { path: path("null"), kind: Kind::Character(1, 3), size: 0, attributes: attributes.clone() };
    let file = Entry { attributes, ..Entry::file(path("f"), 1) };
    let entries = [(device, String::new()), (file, "x".to_owned())];
    assert_eq!(flattened(&[tar(&entries)]).unwrap(), entries);
}

#[test]
fn a_layer_that_changes_between_two_looks_is_refused() {
    let one = tar(&[file("a", "a"), file("b", "b")]);
    let tree = applied(&[one]).unwrap();
    for other in [tar(&[file("a", "aa"), file("b", "b")]), tar(&[file("a", "a")])] {
        let error = flatten::flatten(&tree, &mut |_| Ok(reader(&other)), std::io::sink()).unwrap_err();
        assert!(error.to_string().contains("changed while it was read"), "{error}");
    }
}

#[test]
fn differences_name_what_was_added_changed_and_removed_and_in_what() {
    let before =
        [folder("d", 0o755), file("d/a", "1"), file("d/b", "1"), file("gone", ""), link("l", "a"), file("k", "")];
    let mut after =
        [folder("d", 0o700), file("d/a", "2"), file("d/b", "1"), file("new", ""), link("l", "b"), link("k", "a")];
    after[2].0.attributes.modified = 77;
    let trees = [applied(&[tar(&before)]).unwrap(), applied(&[tar(&after)]).unwrap()];
    let line = |difference: Difference<'_>| match (difference.before, difference.after) {
        (None, _) => format!("+ {}", difference.path),
        (_, None) => format!("- {}", difference.path),
        _ => format!("{} {}", difference.path, difference.facts.join(",")),
    };
    let lines: Vec<String> = differences(&trees[0], &trees[1]).map(line).collect();
    assert_eq!(lines, ["d mode", "d/a content", "- gone", "k kind", "l target", "+ new"]);
    assert_eq!(differences(&trees[0], &trees[0]).count(), 0);
}

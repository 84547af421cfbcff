use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io::{self, Read as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use tempfile::TempDir;
use wharf_oci::{Algorithm, Descriptor, Digest, Kind as ManifestKind, Manifest, MediaType};

use super::*;
use crate::compress::{Compression, Compressor};
use crate::error::{Error, Result};
use crate::made::Made;
use crate::tar::{Attributes, Entry, Kind, TreePath, Writer};
use crate::temporary::Temporary;
use crate::{Source as _, disk::UNFINISHED};

mod hostile;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn temporary() -> Temporary {
    Temporary::new(std::env::temp_dir())
}

fn packed(paths: &[&Path]) -> Made {
    let inputs: Vec<Input> = paths.iter().map(|path| Input { path: path.to_path_buf(), media_type: None }).collect();
    pack(&inputs, &Packing::default(), &temporary(), &mut io::empty()).unwrap()
}

fn unpacked(made: &Made, into: &Path) -> Result<()> {
    let manifest = made.root()?.view().unwrap();
    let unpacking = Unpacking::new(into, &manifest)?;
    for (at, (_, descriptor)) in unpacking.layers().enumerate() {
        unpacking.put(at, &mut made.blob(descriptor)?)?;
    }
    unpacking.finish()
}

/// Path, permissions, and content or target, of all below a folder.
fn listed(folder: &Path) -> BTreeMap<String, (u32, String)> {
    let mut found = BTreeMap::new();
    let mut left = vec![folder.to_owned()];
    while let Some(at) = left.pop() {
        for entry in fs::read_dir(&at).unwrap() {
            let path = entry.unwrap().path();
            let metadata = fs::symlink_metadata(&path).unwrap();
            let what = if metadata.is_dir() {
                left.push(path.clone());
                "folder".to_owned()
            } else if metadata.is_symlink() {
                format!("-> {}", fs::read_link(&path).unwrap().display())
            } else {
                fs::read_to_string(&path).unwrap()
            };
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            found.insert(name, (metadata.permissions().mode() & 0o7777, what));
        }
    }
    found
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn write(path: &Path, content: &str, mode: u32) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
    set_mode(path, mode);
}

#[test]
fn files_and_folders_come_back_with_their_bytes_names_and_permissions() {
    let (from, to) = (folder(), folder());
    let tree = from.path().join("tree");
    write(&tree.join("bin/tool"), "#!", 0o755);
    write(&tree.join("a/ä ☃"), "snow", 0o640);
    write(&tree.join("long/".repeat(50)).join("name"), "deep", 0o600);
    write(&tree.join("empty"), "", 0o444);
    symlink("../bin/tool", tree.join("a/link")).unwrap();
    fs::create_dir(tree.join("closed")).unwrap();
    write(&tree.join("closed/file"), "in", 0o644);
    set_mode(&tree.join("closed"), 0o555);
    let tool = from.path().join("run.sh");
    write(&tool, "echo", 0o755);
    let made = packed(&[&tree, &tool]);
    unpacked(&made, to.path()).unwrap();
    assert_eq!(listed(to.path()), listed(from.path()));
    // Once more, over what is there.
    set_mode(&to.path().join("tree/closed"), 0o755);
    unpacked(&made, to.path()).unwrap();
    assert_eq!(listed(to.path()), listed(from.path()));
}

#[test]
fn the_same_files_make_the_same_image_whenever_they_were_written() {
    let (one, two) = (folder(), folder());
    for (place, time) in [(&one, 1), (&two, 1_000_000)] {
        for name in ["b", "a", "c/d"] {
            write(&place.path().join("tree").join(name), name, 0o644);
            let file = File::open(place.path().join("tree").join(name)).unwrap();
            file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(time)).unwrap();
        }
    }
    let made = [&one, &two].map(|place| packed(&[&place.path().join("tree")]));
    assert_eq!(made[0].root().unwrap(), made[1].root().unwrap());
}

#[test]
fn a_manifest_says_what_oras_says() {
    let from = folder();
    write(&from.path().join("notes.md"), "# Notes", 0o644);
    write(&from.path().join("dir/a"), "a", 0o644);
    let made = packed(&[&from.path().join("notes.md"), &from.path().join("dir")]);
    let manifest = made.root().unwrap().view().unwrap();
    assert_eq!(manifest.artifact_type.as_deref(), Some("application/vnd.unknown.artifact.v1"));
    let config = manifest.config.unwrap();
    assert_eq!((config.media_type.as_str(), config.size, config.data_matches), (MediaType::OCI_EMPTY, 2, true));
    let [file, dir] = manifest.layers.as_slice() else { panic!("{:?}", manifest.layers) };
    assert_eq!((file.media_type.as_str(), file.annotations.len()), ("text/markdown", 1));
    assert_eq!(file.annotations[TITLE], "notes.md");
    assert_eq!((dir.media_type.as_str(), dir.annotations[UNPACK].as_str()), (FOLDER_TYPE, "true"));
    let mut tar = Vec::new();
    flate2::read::GzDecoder::new(made.blob(dir).unwrap()).read_to_end(&mut tar).unwrap();
    assert_eq!(dir.annotations[TAR_DIGEST], Digest::of(Algorithm::Sha256, &tar).to_string());
}

#[test]
fn standard_input_has_the_name_and_type_that_are_given() {
    let to = folder();
    let packing = Packing { name_of_input: Some("log.txt".to_owned()), ..Packing::default() };
    let made = pack(&[Input::parse("-:text/x-log")], &packing, &temporary(), &mut &b"lines"[..]).unwrap();
    let manifest = made.root().unwrap().view().unwrap();
    assert_eq!(manifest.layers[0].media_type, "text/x-log");
    assert_eq!(lone_file(&manifest).unwrap(), manifest.layers[0]);
    unpacked(&made, to.path()).unwrap();
    assert_eq!(fs::read_to_string(to.path().join("log.txt")).unwrap(), "lines");
}

#[test]
fn what_follows_a_colon_is_a_type_unless_a_file_is_called_so() {
    let from = folder();
    let odd = from.path().join("a:text/x");
    fs::create_dir_all(odd.parent().unwrap()).unwrap();
    let odd = odd.to_str().unwrap();
    let typed = |path: &str, media_type: &str| Input { path: path.into(), media_type: Some(media_type.to_owned()) };
    assert_eq!(Input::parse("a.bin:text/x"), typed("a.bin", "text/x"));
    assert_eq!(Input::parse("a:b"), Input { path: "a:b".into(), media_type: None });
    assert_eq!(Input::parse(odd), typed(odd.strip_suffix(":text/x").unwrap(), "text/x"));
    write(Path::new(odd), "", 0o644);
    assert_eq!(Input::parse(odd), Input { path: odd.into(), media_type: None });
}

#[test]
fn types_are_told_by_content_before_names() {
    let guessed = |name: &str, start: &[u8]| guess::media_type(Path::new(name), start);
    assert_eq!(guessed("a.txt", b"\x1f\x8b\x08"), "application/gzip");
    assert_eq!(guessed("A.JSON", b"{}"), "application/json");
    assert_eq!(guessed("model.bin", b"\x01"), "application/octet-stream");
    for (_, media_type) in guess::STARTS.iter().map(|(_, t)| ("", *t)).chain(guess::ENDINGS) {
        assert_eq!(MediaType::parse(media_type).unwrap().as_str(), media_type);
    }
}

#[test]
fn names_are_as_written_unless_they_lead_elsewhere() {
    let named = |path: &str| title::of(Path::new(path)).map(|title| title::text(&title));
    assert_eq!(named("a/b.txt").unwrap(), "a/b.txt");
    assert_eq!(named("./a/./b.txt").unwrap(), "a/b.txt");
    assert_eq!(named("/tmp/out/app").unwrap(), "app");
    assert_eq!(named("../app").unwrap(), "app");
    assert_eq!(named(".").unwrap(), ".");
    named("..").unwrap_err();
    let from = folder();
    write(&from.path().join("a/x"), "1", 0o644);
    write(&from.path().join("b/x"), "2", 0o644);
    let inputs = ["a/x", "b/x"].map(|path| Input { path: from.path().join(path), media_type: None });
    let error = pack(&inputs, &Packing::default(), &temporary(), &mut io::empty()).unwrap_err();
    assert!(error.to_string().contains("two of them would be called x"), "{error}");
    let inputs = [from.path().join("a"), "-".into()].map(|path| Input { path, media_type: None });
    let packing = Packing { name_of_input: Some("a/y".to_owned()), ..Packing::default() };
    let error = pack(&inputs, &packing, &temporary(), &mut io::empty()).unwrap_err();
    assert!(error.to_string().contains("one of a and a/y would lie in the other"), "{error}");
}

#[test]
fn what_cannot_be_unpacked_is_not_packed() {
    let from = folder();
    let tree = from.path().join("tree");
    write(&tree.join("a"), "", 0o644);
    let refusal = || {
        let input = Input { path: tree.clone(), media_type: None };
        pack(&[input], &Packing::default(), &temporary(), &mut io::empty()).unwrap_err().to_string()
    };
    for (target, reason) in [("/etc/passwd", "absolute"), ("../other", "outside"), ("a/../../b", "down and up")] {
        symlink(target, tree.join("link")).unwrap();
        assert!(refusal().contains(reason), "{}", refusal());
        fs::remove_file(tree.join("link")).unwrap();
    }
    let _socket = std::os::unix::net::UnixListener::bind(tree.join("socket")).unwrap();
    assert!(refusal().contains("a socket"), "{}", refusal());
}

#[test]
fn a_file_that_changes_after_it_was_packed_is_not_given_for_the_former() {
    let from = folder();
    let path = from.path().join("a");
    write(&path, "before", 0o644);
    let made = packed(&[&path]);
    write(&path, "behind", 0o644);
    let layer = made.root().unwrap().view().unwrap().layers[0].clone();
    let error = made.blob(&layer).unwrap().read_to_end(&mut Vec::new()).unwrap_err();
    assert!(error.to_string().contains("which has changed"), "{error}");
}

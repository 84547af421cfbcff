use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Places, Surroundings};

/// A machine whose files are these.
fn find(uid: u32, variables: &[(&'static str, &str)], files: &[(&str, &str)]) -> (tempfile::TempDir, Places) {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().to_str().unwrap().to_owned();
    for (name, text) in files {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let variables: BTreeMap<_, _> = variables.iter().map(|(name, value)| (*name, value.replace("AT", &at))).collect();
    let places = Places::find(&Surroundings { uid, variables, system: folder.path().into() }).unwrap().unwrap();
    (folder, places)
}

fn paths(paths: &[&str]) -> Vec<PathBuf> {
    paths.iter().map(PathBuf::from).collect()
}

const SYSTEM: &str = "[storage]\ndriver = 'overlay'\ngraphroot = '/var/lib/elsewhere'\n\
                      [storage.options]\nadditionalimagestores = ['/usr/lib/containers/storage']\n";

#[test]
fn without_files_it_is_the_usual_place() {
    let (machine, places) = find(0, &[("HOME", "/root")], &[]);
    assert_eq!(places.roots, [machine.path().join("var/lib/containers/storage")]);
    assert_eq!(places.driver, "overlay");
    let (_, places) = find(1000, &[("HOME", "/home/a")], &[]);
    assert_eq!(places.roots, paths(&["/home/a/.local/share/containers/storage"]));
    let (_, places) = find(1000, &[("HOME", "/home/a"), ("XDG_DATA_HOME", "/data")], &[]);
    assert_eq!(places.roots, paths(&["/data/containers/storage"]));
}

#[test]
fn the_machines_file_is_roots_and_a_user_has_their_own_place() {
    let files =
        [("etc/containers/storage.conf", SYSTEM), ("usr/share/containers/storage.conf", "[storage]\ndriver='vfs'")];
    let (_, places) = find(0, &[], &files);
    assert_eq!(places.roots, paths(&["/var/lib/elsewhere", "/usr/lib/containers/storage"]));
    let (_, places) = find(1000, &[("HOME", "/home/a")], &files);
    assert_eq!(places.roots, paths(&["/home/a/.local/share/containers/storage", "/usr/lib/containers/storage"]));
}

#[test]
fn a_users_file_is_over_the_machines() {
    let own = "[storage]\ndriver = 'vfs'\ngraphroot = '$HOME/images'\n";
    let files = [("etc/containers/storage.conf", SYSTEM), ("config/containers/storage.conf", own)];
    let (_, places) = find(1000, &[("HOME", "/home/a"), ("XDG_CONFIG_HOME", "AT/config")], &files);
    assert_eq!(places.roots, paths(&["/home/a/images", "/usr/lib/containers/storage"]));
    assert_eq!(places.driver, "vfs");
}

#[test]
fn the_machine_may_say_where_users_have_theirs() {
    let files = [("etc/containers/storage.conf", "[storage]\nrootless_storage_path = '/scratch/$USER/${UID}'\n")];
    let (_, places) = find(1000, &[("HOME", "/home/a"), ("USER", "a")], &files);
    assert_eq!(places.roots, paths(&["/scratch/a/1000"]));
}

#[test]
fn a_file_that_is_named_is_the_only_one() {
    let given = "[storage]\ngraphroot = '/given'\nimagestore = '/images'\n";
    let files = [("etc/containers/storage.conf", SYSTEM), ("given.conf", given)];
    let given = [("HOME", "/home/a"), ("CONTAINERS_STORAGE_CONF", "AT/given.conf"), ("STORAGE_DRIVER", "overlay2")];
    let (_, places) = find(1000, &given, &files);
    assert_eq!(places.roots, paths(&["/images", "/given"]));
    assert_eq!(places.driver, "overlay");
    let variables = BTreeMap::from([("CONTAINERS_STORAGE_CONF", "/nowhere/storage.conf".to_owned())]);
    let error = Places::find(&Surroundings { uid: 0, variables, system: "/".into() }).unwrap_err().to_string();
    assert!(error.contains("/nowhere/storage.conf"), "{error}");
}

#[test]
fn the_driver_is_the_one_that_there_are_images_of() {
    let files = [
        ("etc/containers/storage.conf", "[storage]\ndriver = 'overlay'\n"),
        ("var/lib/containers/storage/vfs-images/images.json", "[]"),
    ];
    let (machine, places) = find(0, &[], &files);
    assert_eq!(places.driver, "vfs");
    assert_eq!(Places::at(machine.path().join("var/lib/containers/storage")).driver, "vfs");
    assert_eq!(Places::at(Path::new("/nowhere").into()).driver, "overlay");
}

#[test]
fn a_file_that_is_no_toml_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("storage.conf");
    fs::write(&file, "[storage\n").unwrap();
    let variables = BTreeMap::from([("CONTAINERS_STORAGE_CONF", file.display().to_string())]);
    let error = Places::find(&Surroundings { uid: 0, variables, system: "/".into() }).unwrap_err().to_string();
    assert!(error.contains("storage.conf is damaged"), "{error}");
}

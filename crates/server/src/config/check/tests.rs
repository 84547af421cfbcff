use std::path::PathBuf;

use super::super::{Config, Sources};

fn problems(file: &str) -> Vec<String> {
    let file = Some((PathBuf::from("w.toml"), file.to_owned()));
    let loaded = Config::load(&Sources { file, root: true, ..Sources::default() }).unwrap();
    loaded.check_files().iter().map(ToString::to_string).collect()
}

#[test]
fn files_and_folders_that_are_there_or_makeable_are_no_problem_and_none_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().display();
    std::fs::write(folder.path().join("pem"), "").unwrap();
    let file = format!(
        "data = \"{root}/a/b/c\"\nlisten = \"unix:{root}/s\"\ntls = {{ certificate = \"{root}/pem\", key = \"{root}/pem\" }}"
    );
    assert_eq!(problems(&file), [""; 0]);
    assert_eq!(folder.path().read_dir().unwrap().count(), 1);
}

#[test]
fn files_and_folders_that_are_missing_or_of_the_wrong_kind_are_all_named() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().display();
    std::fs::write(folder.path().join("pem"), "").unwrap();
    let file = format!(
        "data = \"{root}/pem/data\"\nlisten = [\"unix:{root}/none/s\", \"unix:{root}/pem\"]\ntls.certificate = \"{root}\"\ntls.key = \"{root}/none\"\n"
    );
    let found = problems(&file);
    let expected = [
        format!("w.toml:3: tls.certificate: {root} is not a file"),
        format!("w.toml:4: tls.key: {root}/none: No such file or directory (os error 2)"),
        format!("w.toml:1: data: {root}/pem is not a folder"),
        format!("w.toml:2: listen: the folder of {root}/none/s is not there"),
        format!("w.toml:2: listen: {root}/pem is there and is not a socket: remove it, or choose another path"),
    ];
    assert_eq!(found, expected);
}

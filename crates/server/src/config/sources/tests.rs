use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

use super::super::{Config, Origin};
use super::*;

fn with_env(env: &[(&str, &str)]) -> Sources {
    let mut sources = Sources::default();
    sources.take_env(env.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))));
    sources.take_admin_password();
    sources
}

#[test]
fn only_our_own_variables_are_kept() {
    let sources = with_env(&[("WHARF_LISTEN", ":1"), ("AWS_SECRET_ACCESS_KEY", "x"), ("HOME", "/home/me")]);
    assert_eq!(sources.env.keys().collect::<Vec<_>>(), ["HOME", "WHARF_LISTEN"]);
}

#[test]
fn a_variable_that_is_not_utf8_is_a_problem_and_not_a_loss() {
    let mut sources = Sources { root: true, ..Sources::default() };
    sources.take_env([("WHARF_DATA".into(), OsString::from_vec(vec![b'/', 0xff]))]);
    let problems = Config::load(&sources).unwrap_err();
    assert_eq!(problems.iter().map(ToString::to_string).collect::<Vec<_>>(), ["WHARF_DATA: is not UTF-8"]);
}

#[test]
fn data_is_in_the_users_own_folder_unless_root_runs_the_server() {
    let data = |sources: &Sources| Config::load(sources).map(|loaded| loaded.config.data);
    let home = [("HOME", "/home/me")];
    assert_eq!(data(&with_env(&home)).unwrap(), Path::new("/home/me/.local/share/wharf"));
    assert_eq!(data(&with_env(&[home[0], ("XDG_DATA_HOME", "/x")])).unwrap(), Path::new("/x/wharf"));
    assert_eq!(data(&with_env(&[home[0], ("XDG_DATA_HOME", "x")])).unwrap(), Path::new("/home/me/.local/share/wharf"));
    assert_eq!(data(&Sources { root: true, ..with_env(&home) }).unwrap(), Path::new("/var/lib/wharf"));
    let problems = data(&with_env(&[])).unwrap_err();
    assert!(problems[0].to_string().starts_with("data: has no default"), "{problems:?}");
    let given = Config::load(&with_env(&[("WHARF_DATA", "/d")])).unwrap();
    assert_eq!(*given.origin("data"), Origin::Env("WHARF_DATA".into()));
}

#[test]
fn a_named_file_must_be_there_and_the_usual_one_may_be_missing() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("none.toml");
    let mut sources = with_env(&[("XDG_CONFIG_HOME", folder.path().to_str().unwrap())]);
    sources.read_file(None);
    assert!(sources.file.is_none() && sources.unread.is_empty());
    sources.read_file(Some(&missing));
    assert_eq!(sources.unread[0].place, "--config");
    let mut sources = with_env(&[("WHARF_CONFIG", missing.to_str().unwrap())]);
    sources.read_file(None);
    assert_eq!(sources.unread[0].place, "WHARF_CONFIG");
}

#[test]
fn the_usual_file_is_read_unless_another_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (usual, other) = (folder.path().join("wharf/wharf.toml"), folder.path().join("other.toml"));
    std::fs::create_dir(folder.path().join("wharf")).unwrap();
    std::fs::write(&usual, "").unwrap();
    std::fs::write(&other, "").unwrap();
    let xdg = ("XDG_CONFIG_HOME", folder.path().to_str().unwrap());
    for (env, flag, read) in [
        (vec![xdg], None, &usual),
        (vec![xdg, ("WHARF_CONFIG", other.to_str().unwrap())], None, &other),
        (vec![xdg, ("WHARF_CONFIG", "/nowhere")], Some(other.as_path()), &other),
    ] {
        let mut sources = with_env(&env);
        sources.read_file(flag);
        assert_eq!(sources.file.unwrap().0, *read);
    }
}

#[test]
fn the_first_password_comes_from_a_variable_or_a_file_but_not_both() {
    let read = |sources: &Sources| sources.admin_password.clone().unwrap().read();
    let text = with_env(&[("WHARF_ADMIN_PASSWORD", " hunter2 ")]);
    assert_eq!(read(&text).unwrap().expose(), " hunter2 ");
    assert!(!text.env.contains_key("WHARF_ADMIN_PASSWORD"));
    assert!(!format!("{:?}", text.admin_password).contains("hunter2"));

    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    let sources = with_env(&[("WHARF_ADMIN_PASSWORD_FILE", path), ("WHARF_ADMIN_PASSWORD", "")]);
    assert!(read(&sources).unwrap_err().to_string().ends_with("is empty"));
    std::fs::write(path, "hunter2\r\n").unwrap();
    assert_eq!(read(&sources).unwrap().expose(), "hunter2");

    let both = with_env(&[("WHARF_ADMIN_PASSWORD_FILE", path), ("WHARF_ADMIN_PASSWORD", "x")]);
    assert_eq!(both.unread[0].place, "WHARF_ADMIN_PASSWORD_FILE");
}

#[test]
fn a_password_file_that_is_gone_keeps_no_server_from_starting() {
    let sources = with_env(&[("WHARF_ADMIN_PASSWORD_FILE", "/gone"), ("HOME", "/home/me")]);
    let loaded = Config::load(&sources).unwrap();
    assert!(loaded.admin_password.unwrap().read().is_err());
}

use std::os::unix::fs::PermissionsExt as _;

use wharf_client::Secret;

use super::*;

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store { folder: folder.path().join("a/wharf"), keyring: None };
    (folder, store)
}

fn context(server: &str) -> Context {
    let door = Door::Token { realm: format!("{server}/token"), service: "wharf".into() };
    Context::new(server.into(), None, false, &door)
}

fn kept(secret: &str) -> Kept {
    Kept { user: "alice".into(), kind: Kind::RefreshToken, secret: Secret::new(secret) }
}

#[test]
fn what_is_kept_is_read_again_and_only_by_its_owner() {
    let (_folder, store) = store();
    assert!(store.contexts().unwrap().known.is_empty());
    store.keep("one", context("https://one"), kept("s1")).unwrap();
    store.keep("two", context("https://two"), kept("s2")).unwrap();
    assert_eq!(store.kept(Whose::Context("one")).unwrap(), Some(kept("s1")));
    let contexts = store.contexts().unwrap();
    assert_eq!(contexts.meant(None).unwrap(), "two");
    assert_eq!(contexts.meant(Some("one")).unwrap(), "one");
    assert!(contexts.get("one").unwrap().door().is_some());
    let mode = |path: PathBuf| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(store.folder.join("credentials.json")), 0o600);
    assert_eq!(mode(store.folder.clone()), 0o700);
}

#[test]
fn signing_out_forgets_the_secret_and_deleting_the_context_too() {
    let (_folder, store) = store();
    store.keep("one", context("https://one"), kept("s1")).unwrap();
    assert!(store.forget(Whose::Context("one")).unwrap());
    assert!(!store.forget(Whose::Context("one")).unwrap());
    assert!(store.contexts().unwrap().get("one").is_ok());
    store.delete("one").unwrap();
    assert!(matches!(store.contexts().unwrap().meant(None), Err(Error::NotSignedIn(_))));
    assert!(matches!(store.delete("one"), Err(Error::Usage(_))));
    assert!(matches!(store.select("one"), Err(Error::Usage(_))));
}

#[test]
fn keys_of_another_version_stay() {
    let (_folder, store) = store();
    store.keep("one", context("https://one"), kept("s1")).unwrap();
    let file = store.folder.join("contexts.json");
    let mut json: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    json["theme"] = "dark".into();
    json["contexts"]["one"]["mirror"] = 1.into();
    std::fs::write(&file, json.to_string()).unwrap();
    store.keep("one", context("https://one.example"), kept("s2")).unwrap();
    let json: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!((&json["theme"], &json["contexts"]["one"]["mirror"]), (&"dark".into(), &1.into()));
    assert_eq!(json["contexts"]["one"]["server"], "https://one.example");
}

#[test]
fn two_that_sign_in_at_once_are_both_kept() {
    let (_folder, store) = store();
    std::thread::scope(|scope| {
        for name in 0..8 {
            let store = &store;
            scope.spawn(move || {
                for _ in 0..20 {
                    store.keep(&format!("c{name}"), context("https://x"), kept("s")).unwrap();
                }
            });
        }
    });
    assert_eq!(store.contexts().unwrap().known.len(), 8);
    assert!((0..8).all(|name| store.kept(Whose::Context(&format!("c{name}"))).unwrap().is_some()));
}

#[test]
fn a_file_that_was_cut_or_is_a_link_is_no_obstacle() {
    let (_folder, store) = store();
    store.keep("one", context("https://one"), kept("s1")).unwrap();
    std::fs::write(store.folder.join(".credentials.json.new"), "{\"cut").unwrap();
    let (link, target) = (store.folder.join("contexts.json"), store.folder.join("elsewhere.json"));
    std::fs::rename(&link, &target).unwrap();
    std::os::unix::fs::symlink("elsewhere.json", &link).unwrap();
    store.keep("two", context("https://two"), kept("s2")).unwrap();
    assert!(link.is_symlink());
    assert_eq!(store.contexts().unwrap().known.len(), 2);
    assert!(!store.folder.join(".credentials.json.new").exists());
}

#[test]
fn a_broken_file_is_told_without_its_secrets() {
    let (_folder, store) = store();
    store.keep("one", context("https://one"), kept("hunter2")).unwrap();
    std::fs::write(store.folder.join("credentials.json"), "{\"credentials\": {\"one\": \"hunter2\"}}").unwrap();
    let error = store.kept(Whose::Context("one")).unwrap_err().to_string();
    assert!(error.contains("credentials.json") && !error.contains("hunter2"), "{error}");
}

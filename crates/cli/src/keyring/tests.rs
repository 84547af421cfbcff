use std::os::unix::fs::PermissionsExt as _;

use super::*;

/// A keyring that a script plays, in a folder of its own.
fn played(script: &str) -> (tempfile::TempDir, Keyring) {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("secret-tool");
    let text = format!("#!/bin/sh\ncd {}\n{script}\n", folder.path().display());
    // In a process of its own: a descriptor open for writing would be inherited by another test's child.
    let write = format!("cat > {0} && chmod 755 {0}", program.display());
    let mut child = Command::new("sh").args(["-c", &write]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(program.metadata().unwrap().permissions().mode() & 0o777, 0o755);
    (folder, Keyring::new(program, Duration::from_secs(20)))
}

#[test]
fn what_it_keeps_is_found_until_it_is_forgotten_and_is_on_no_command_line() {
    let (folder, keyring) = played(
        "echo \"$@\" >> asked; eval id=\\$$#; case $1 in store) cat > $id;; lookup) cat $id;; clear) rm $id;; esac",
    );
    let secret = Secret::new("hush'\"\n$x");
    let id = keyring.keep("wharf: one", &secret).unwrap();
    assert_eq!(keyring.find(&id).unwrap(), secret);
    keyring.forget(&id);
    keyring.find(&id).unwrap_err();
    assert!(!std::fs::read_to_string(folder.path().join("asked")).unwrap().contains("hush"));
}

#[test]
fn one_that_keeps_nothing_is_as_good_as_none() {
    for script in ["exit 0", "echo 'secret-tool: no such service' >&2; exit 1", "[ $1 = store ] && exit 0; echo other"]
    {
        let (_folder, keyring) = played(script);
        assert_eq!(keyring.keep("wharf: one", &Secret::new("hush")), None, "{script}");
    }
    let absent = Keyring::new("/nonexistent/secret-tool".into(), Duration::from_secs(1));
    assert_eq!(absent.keep("wharf: one", &Secret::new("hush")), None);
}

#[test]
fn one_that_says_nothing_is_waited_for_no_longer_than_that() {
    let (_folder, keyring) = played("exec sleep 1000");
    let keyring = Keyring { patience: Duration::from_millis(100), ..keyring };
    assert_eq!(keyring.keep("wharf: one", &Secret::new("hush")), None);
    assert!(keyring.find("x").unwrap_err().starts_with("no answer"));
}

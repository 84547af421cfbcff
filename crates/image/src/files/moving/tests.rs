use super::*;

#[test]
fn nothing_is_moved_when_a_folder_below_is_on_another_disk() {
    let to = |path: &str| Moves { renames: vec![("x".into(), path.into())], ..Moves::default() };
    // The kernel's own is a disk of its own everywhere.
    let error = to("/proc/x").check_places(Path::new("/")).unwrap_err().to_string();
    assert!(
        error.contains("/proc") && error.contains("another disk") && error.contains("nothing was written"),
        "{error}"
    );
    let folder = tempfile::tempdir().unwrap();
    // A folder that is still to be made is looked at in the one that it comes into.
    for path in ["x", "new/x"] {
        to(&folder.path().join(path).display().to_string()).check_places(folder.path()).unwrap();
    }
    let link = folder.path().join("link");
    std::os::unix::fs::symlink("/proc", &link).unwrap();
    to(&link.join("x").display().to_string()).check_places(&link).unwrap_or_else(|error| {
        // The folder that a person names may be a link, to a disk that is not written to.
        assert!(!error.to_string().contains("another disk"), "{error}");
    });
}

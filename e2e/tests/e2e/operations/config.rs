//! `wharf config`

use wharf_e2e::run_wharf;

fn file(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wharf.toml");
    std::fs::write(&path, text).unwrap();
    let flag = format!("--config {} --data {}/data", path.display(), folder.path().display());
    (folder, flag)
}

#[test]
fn show_says_where_each_value_comes_from() {
    let (folder, flags) = file("anonymous = \"pull\"\n");
    let shown = run_wharf(&format!("config show {flags} --listen :7000"), "").ok();
    let line = |key: &str| shown.lines().find(|line| line.starts_with(key)).unwrap_or_else(|| panic!("{shown}"));
    assert!(line("anonymous").contains("pull") && line("anonymous").contains("wharf.toml"), "{shown}");
    assert!(line("listen").contains(":7000") && line("listen").contains("--listen"), "{shown}");
    assert!(line("strict").contains("default"), "{shown}");
    assert!(!folder.path().join("data").exists(), "nothing is made");
}

#[test]
fn check_accepts_what_is_right_and_changes_nothing() {
    let (folder, flags) = file("[limits]\ndrain = \"5s\"\n");
    assert_eq!(run_wharf(&format!("config check {flags}"), "").ok(), "ok");
    assert!(!folder.path().join("data").exists());
}

#[test]
fn a_wrong_key_is_refused_with_the_nearest_right_one() {
    let (_folder, flags) = file("anonimous = \"pull\"\n[limits]\ndrian = \"5s\"\n");
    for command in ["config check", "config show", "serve"] {
        let refused = run_wharf(&format!("{command} {flags}"), "").fails_with("anonymous").fails_with("drain");
        assert_eq!(refused.status.code(), Some(1), "{refused}");
    }
}

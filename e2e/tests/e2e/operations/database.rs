//! `wharf db`

use wharf_e2e::{Wharf, run_wharf};

#[test]
fn status_only_looks_and_migrate_says_what_it_did() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().display(), folder.path().join("wharf.db"));
    std::fs::write(&file, "").unwrap();
    let status = |json: &str| run_wharf(&format!("db status {json} --data {data}"), "").ok();
    assert!(status("").contains("schema  0 of "), "{}", status(""));
    assert_eq!(file.metadata().unwrap().len(), 0, "status has written to the database");

    let schema: serde_json::Value = serde_json::from_str(&status("--json")).unwrap();
    let latest = &schema["known"];
    let migrate = || run_wharf(&format!("db migrate --data {data}"), "").ok();
    assert_eq!(migrate().trim(), format!("migrated from schema 0 to {latest}"));
    assert_eq!(migrate().trim(), format!("schema {latest} is the latest: nothing to do"));
    assert!(status("").contains(&format!("schema  {latest} of {latest}")), "{}", status(""));
    run_wharf(&format!("db migrate --data {data}/none"), "").fails_with("there is no registry");
}

#[test]
fn status_is_the_same_from_a_running_server_which_migrate_leaves_alone() {
    let mut wharf = Wharf::start();
    let running = wharf.command("db status", "").ok();
    wharf.command("db migrate", "").fails_with(&format!("pid {}", wharf.id()));
    wharf.api().get("/v2/").expect(200);
    wharf.stop();
    let stopped = wharf.command("db status", "").ok();
    assert_eq!(running.lines().next(), stopped.lines().next());
}

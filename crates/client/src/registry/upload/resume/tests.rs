use std::time::SystemTime;

use super::*;

/// As old as `days`.
fn aged(file: &Path, days: u64) {
    #[expect(clippy::disallowed_methods, reason = "files are as old as the system's clock says")]
    let then = SystemTime::now() - Duration::from_hours(24 * days);
    OpenOptions::new().append(true).open(file).unwrap().set_modified(then).unwrap();
}

fn begun(store: &ResumeStore, key: &str, days: u64) -> Kept {
    let mut kept = store.take("host/team/app", key).unwrap();
    let location = Url::parse("https://host/upload/1").unwrap();
    kept.note(&Session { location, least_chunk: 0, keeps_cut: false });
    for file in [kept.file.clone(), kept.file.with_extension("lock")] {
        aged(&file, days);
    }
    kept
}

#[test]
fn what_nobody_went_on_with_for_a_week_goes() {
    let folder = tempfile::tempdir().unwrap();
    let store = ResumeStore::new(folder.path());
    drop(begun(&store, "old", 8));
    drop(begun(&store, "young", 6));
    let busy = begun(&store, "busy", 8);
    // A push that was done and could not take its lock away.
    let lone = store.file("host/team/app", "lone").with_extension("lock");
    std::fs::write(&lone, "").unwrap();
    aged(&lone, 8);
    store.sweep();
    assert!(!lone.exists());
    drop(busy);
    let goes_on = |key| store.take("host/team/app", key).unwrap().session().is_some();
    assert_eq!([goes_on("old"), goes_on("young"), goes_on("busy")], [false, true, true]);
    ResumeStore::new(folder.path().join("none")).sweep();
}

#[test]
fn what_a_clock_that_is_ahead_wrote_is_not_old() {
    let folder = tempfile::tempdir().unwrap();
    let store = ResumeStore::new(folder.path());
    drop(begun(&store, "ahead", 0));
    let file = store.file("host/team/app", "ahead");
    for file in [&file, &file.with_extension("lock")] {
        let later = std::fs::metadata(file).unwrap().modified().unwrap() + Duration::from_hours(1);
        OpenOptions::new().append(true).open(file).unwrap().set_modified(later).unwrap();
    }
    store.sweep();
    assert!(store.take("host/team/app", "ahead").unwrap().session().is_some());
}

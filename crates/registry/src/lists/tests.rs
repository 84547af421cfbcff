use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::poll;
use wharf_blob::fs::FsStore;
use wharf_meta::{Actor, Durability, Meta, NewManifest};
use wharf_oci::{Algorithm, MediaType};
use wharf_testkit::disk::LossyDisk;

use super::*;
use crate::{Clock, Settings};

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> wharf_meta::Millis {
        1
    }

    fn elapsed(&self) -> std::time::Duration {
        std::time::Duration::ZERO
    }
}

async fn registry(disk: &LossyDisk) -> Registry {
    let meta = Meta::open(&disk.path().join("wharf.db"), Durability::Buffered).unwrap();
    let store = Arc::new(FsStore::on(Arc::new(disk.clone()), &disk.path().join("store")).unwrap());
    Registry::open(meta, store, Arc::new(Stopped), Settings::default()).await.unwrap()
}

async fn fill(r: &Registry, names: &[&str]) {
    for name in names {
        let repo = r.meta.ensure_repository(&name.parse().unwrap(), &Actor::operator(), 1).await.unwrap();
        let new = NewManifest {
            digest: Digest::of(Algorithm::Sha256, b"m"),
            media_type: MediaType::parse(MediaType::OCI_MANIFEST).unwrap(),
            bytes: b"m".into(),
            artifact_type: None,
            annotations: BTreeMap::new(),
            refs: vec![],
            required_blobs: vec![],
            required_children: vec![],
            tags: vec![],
            condition: None,
            by: Actor::operator(),
        };
        r.meta.put_manifest(repo, new, 1).await.unwrap();
    }
}

fn texts(entries: &[RepoName]) -> Vec<&str> {
    entries.iter().map(RepoName::as_str).collect()
}

#[tokio::test]
async fn a_search_of_strangers_who_may_nothing_never_reaches_the_database() {
    let disk = LossyDisk::new().unwrap();
    let r = registry(&disk).await;
    for file in ["wharf.db", "wharf.db-wal"] {
        let file = disk.path().join(file);
        let length = std::fs::metadata(&file).unwrap().len();
        std::fs::write(&file, vec![0xff; usize::try_from(length).unwrap()]).unwrap();
    }
    let admin = r.search(&Caller::user(1, "admin", true), "x", 9).await.unwrap_err();
    assert!(matches!(admin, Error::Meta(_)), "the database is gone: {admin}");
    let nobody = r.search(&Caller::anonymous(crate::Source::here()), "x", 9).await.unwrap_err();
    assert!(matches!(nobody, Error::SignInNeeded { .. }), "{nobody}");
}

#[tokio::test]
async fn other_requests_get_their_turn_between_windows() {
    let disk = LossyDisk::new().unwrap();
    let r = registry(&disk).await;
    fill(&r, &["a/1", "a/2", "a/3"]).await;
    let (admin, turns) = (Caller::user(1, "admin", true), Arc::new(AtomicUsize::new(0)));
    let walk = Walk { window: 1, windows: 9 };
    for round in 1..=2 {
        let counted = Arc::clone(&turns);
        let other = tokio::spawn(async move { counted.fetch_add(1, Ordering::Relaxed) });
        let entries = if round == 1 {
            r.walked(&admin, String::new(), 9, walk).await.unwrap().entries
        } else {
            r.found(&admin, "a/", 9, walk).await.unwrap().entries
        };
        assert_eq!(texts(&entries), ["a/1", "a/2", "a/3"]);
        assert_eq!(turns.load(Ordering::Relaxed), round);
        other.await.unwrap();
    }
}

/// One request's part of the catalog, and where the next begins.
async fn part(r: &Registry, caller: &Caller, last: &str, walk: Walk) -> (Vec<String>, Option<String>) {
    let last = r.cursors.place("last", last).unwrap();
    let page = r.walked(caller, last, 9, walk).await.unwrap();
    (page.entries.iter().map(ToString::to_string).collect(), page.next)
}

#[tokio::test]
async fn a_search_ends_and_a_catalog_goes_on_from_where_it_stopped() {
    let disk = LossyDisk::new().unwrap();
    let r = registry(&disk).await;
    fill(&r, &["a/1", "b/1", "b/2", "c/1", "c/2"]).await;
    r.meta.ensure_repository(&"b/empty".parse().unwrap(), &Actor::operator(), 1).await.unwrap();
    let (admin, walk) = (Caller::user(1, "admin", true), Walk { window: 2, windows: 1 });
    let (first, next) = part(&r, &admin, "", walk).await;
    assert_eq!(first, ["a/1", "b/1"]);
    let (second, next) = part(&r, &admin, &next.unwrap(), walk).await;
    assert_eq!(second, ["b/2"], "b/empty was looked at too");
    let (third, next) = part(&r, &admin, &next.unwrap(), walk).await;
    assert_eq!(third, ["c/1", "c/2"]);
    assert_eq!(part(&r, &admin, &next.unwrap(), walk).await, (vec![], None));
    assert_eq!(part(&r, &admin, "b/2", walk).await.0, ["c/1"], "a name will do");
    let found = r.found(&admin, "/2", 9, walk).await.unwrap();
    assert_eq!((texts(&found.entries), found.more), (vec![], true), "looked at two");
}

#[tokio::test]
async fn a_walk_that_finds_nothing_readable_ends_and_does_not_say_where() {
    let disk = LossyDisk::new().unwrap();
    let r = registry(&disk).await;
    fill(&r, &["a/1", "b/secret", "c/1", "d/1", "e/open"]).await;
    let open = r.meta.org("e").await.unwrap().unwrap().id;
    let by = wharf_meta::By { actor: Actor::operator(), now: 1 };
    r.meta.change_org(open, Some(crate::Visibility::Internal), None, by).await.unwrap();
    let (bob, walk) = (Caller::user(2, "bob", false), Walk { window: 1, windows: 2 });
    let (first, next) = part(&r, &bob, "", walk).await;
    assert_eq!(first, [""; 0]);
    let next = next.unwrap();
    assert!(!next.contains("secret") && next.len() > 255, "{next}");
    let (second, next) = part(&r, &bob, &next, walk).await;
    assert_eq!(second, [""; 0]);
    assert_eq!(part(&r, &bob, &next.unwrap(), walk).await, (vec!["e/open".to_owned()], None));
}

#[tokio::test]
async fn a_place_that_was_made_up_is_refused() {
    let disk = LossyDisk::new().unwrap();
    let r = registry(&disk).await;
    let refused = r.catalog(&Caller::user(1, "admin", true), "~made-up", 9).await.unwrap_err();
    assert!(matches!(refused, Error::Invalid { field: "last", .. }), "{refused}");
}

#[tokio::test]
async fn strangers_wait_for_each_other_and_nobody_else_for_them() {
    let disk = LossyDisk::new().unwrap();
    let r =
        Registry { settings: Settings { anonymous: Anonymous::Pull, ..Settings::default() }, ..registry(&disk).await };
    let (stranger, admin) = (Caller::anonymous(crate::Source::here()), Caller::user(1, "admin", true));
    r.catalog(&stranger, "", 9).await.unwrap();
    let _walking = (r.walks.turn(&stranger).await.unwrap(), r.walks.turn(&stranger).await.unwrap());
    assert!(poll!(pin!(r.catalog(&stranger, "", 9))).is_pending());
    assert!(poll!(pin!(r.search(&stranger, "x", 9))).is_pending());
    r.catalog(&admin, "", 9).await.unwrap();
    r.search(&admin, "x", 9).await.unwrap();
}

#[test]
fn the_weight_of_a_string_is_that_of_its_json() {
    let text: String = (0_u8..=0x7f).map(char::from).chain("é€🦀".chars()).collect();
    let subject = format!(r#"{{"mediaType":"a/b","digest":"sha256:{}","size":1}}"#, "0".repeat(64));
    let manifest = |annotation: &str| {
        let body = format!(
            r#"{{"schemaVersion":2,"config":{subject},"layers":[],"subject":{subject},"annotations":{{"k":"{annotation}"}}}}"#
        );
        Manifest::parse(None, body.as_bytes()).unwrap()
    };
    // 34 control characters, of which 5 are short, and a quote, a backslash.
    assert_eq!(in_json(&text), text.len() + 27 * 5 + 5 + 2);
    assert_eq!(listed_annotations(&manifest(&"x".repeat(ANNOTATIONS - 7))).len(), 1);
    assert_eq!(listed_annotations(&manifest(&"x".repeat(ANNOTATIONS - 6))).len(), 0);
    assert_eq!(listed_annotations(&manifest(&"\\u0001".repeat(ANNOTATIONS / 6))).len(), 0);
}

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use wharf_oci::{Algorithm, Digest, Hasher, MediaType, Reference, RepoName, Tag};

use super::*;

mod bounds;
mod holdings;
mod people;
mod quotas;
mod sign_ins;
mod trust_rules;

pub(crate) struct Scratch {
    pub(crate) meta: Meta,
    pub(crate) folder: tempfile::TempDir,
}

pub(crate) fn scratch() -> Scratch {
    let folder = tempfile::tempdir().unwrap();
    let meta = Meta::open(&folder.path().join("wharf.db"), Durability::Buffered).unwrap();
    Scratch { meta, folder }
}

fn digest(text: &str) -> Digest {
    Digest::of(Algorithm::Sha256, text.as_bytes())
}

fn tag(text: &str) -> Tag {
    text.parse().unwrap()
}

async fn repo(meta: &Meta, name: &str) -> RepoId {
    meta.ensure_repository(&name.parse().unwrap(), &Actor::operator(), 1).await.unwrap()
}

async fn push_blob(meta: &Meta, repo: RepoId, text: &str) -> Digest {
    let upload = uuid::Uuid::now_v7().to_string();
    let row = Upload {
        id: upload.clone(),
        repo,
        caller: "admin".into(),
        size: 0,
        hasher: Hasher::new(Algorithm::Sha256),
        boot: "b".into(),
        expires_at: 100,
    };
    meta.start_upload(row).await.unwrap();
    let digest = digest(text);
    let location = format!("sha256/{}/{}.{upload}", &digest.hex()[..2], digest.hex());
    let blob = NewBlob { upload, has_row: true, digest: digest.clone(), size: text.len() as u64, location };
    assert!(meta.commit_blob(repo, blob, 2, 10).await.unwrap());
    digest
}

fn manifest(text: &str, tags: &[&str]) -> NewManifest {
    NewManifest {
        digest: digest(text),
        media_type: MediaType::parse("application/vnd.oci.image.manifest.v1+json").unwrap(),
        bytes: text.into(),
        artifact_type: None,
        annotations: BTreeMap::new(),
        refs: vec![],
        required_blobs: vec![],
        required_children: vec![],
        tags: tags.iter().copied().map(tag).collect(),
        condition: None,
        by: Actor::operator(),
    }
}

fn all_statements() -> Vec<(&'static str, &'static str)> {
    [
        STATEMENTS,
        accounts::STATEMENTS,
        api_tokens::STATEMENTS,
        audit::STATEMENTS,
        audit::lanes::STATEMENTS,
        audit::retention::STATEMENTS,
        audit::settings::STATEMENTS,
        audit::since::STATEMENTS,
        blobs::STATEMENTS,
        contents::STATEMENTS,
        devices::STATEMENTS,
        federation::STATEMENTS,
        granting::STATEMENTS,
        grants::STATEMENTS,
        identities::STATEMENTS,
        limits::STATEMENTS,
        manifests::STATEMENTS,
        members::STATEMENTS,
        newcomers::STATEMENTS,
        orgs::STATEMENTS,
        owning::STATEMENTS,
        providers::STATEMENTS,
        referrers::STATEMENTS,
        repositories::STATEMENTS,
        repositories::manage::STATEMENTS,
        crate::quotas::STATEMENTS,
        crate::quotas::content::STATEMENTS,
        crate::quotas::limit::STATEMENTS,
        crate::quotas::reservations::STATEMENTS,
        crate::quotas::usage::STATEMENTS,
        rights::STATEMENTS,
        robots::STATEMENTS,
        sessions::STATEMENTS,
        tags::STATEMENTS,
        teams::STATEMENTS,
        uploads::STATEMENTS,
        users::STATEMENTS,
    ]
    .concat()
}

#[test]
fn every_statement_prepares_and_numbers_its_parameters_in_order() {
    let scratch = scratch();
    let connection = Connection::open(scratch.folder.path().join("wharf.db")).unwrap();
    for (name, sql) in all_statements() {
        let statement = connection.prepare(sql).unwrap_or_else(|error| panic!("{name}: {error}"));
        for number in 1..=statement.parameter_count() {
            // SQLite numbers `$n` by first appearance; PostgreSQL by n. Both must mean the same.
            assert_eq!(statement.parameter_index(&format!("${number}")).unwrap(), Some(number), "{name}: ${number}");
        }
    }
}

#[test]
fn no_statement_scans_a_table_that_grows_with_content() {
    let scratch = scratch();
    let connection = Connection::open(scratch.folder.path().join("wharf.db")).unwrap();
    // Totals are for operators; an INSERT's plan lists foreign keys that only deferred violations would walk.
    let small =
        |name: &str, sql: &str| ["COUNT", "TOTALS", "USERS", "VERSION"].contains(&name) || sql.starts_with("INSERT");
    for (name, sql) in all_statements().into_iter().filter(|(name, sql)| !small(name, sql)) {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let blanks = vec![rusqlite::types::Null; statement.parameter_count()];
        let steps = statement.query_map(rusqlite::params_from_iter(blanks), |row| row.get::<_, String>(3)).unwrap();
        for step in steps.map(Result::unwrap) {
            let scans = step.starts_with("SCAN") && !step.contains("USING");
            assert!(!scans || step.contains("keys"), "{name}: {step}");
        }
    }
}

/// The reviewed picture of the schema equals what the migrations make of it.
#[test]
fn schema_sql_is_the_sum_of_the_migrations() {
    let scratch = scratch();
    let connection = Connection::open(scratch.folder.path().join("wharf.db")).unwrap();
    let mut statement =
        connection.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name").unwrap();
    let parts: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let found = format!("-- Made by the test `schema_sql_is_the_sum_of_the_migrations`.\n\n{};\n", parts.join(";\n\n"));
    let reviewed = concat!(env!("CARGO_MANIFEST_DIR"), "/schema.sql");
    if std::fs::read_to_string(reviewed).unwrap_or_default() != found {
        let made = std::env::temp_dir().join("schema.sql");
        std::fs::write(&made, found).unwrap();
        panic!("the schema changed: review and `cp {} {reviewed}`", made.display());
    }
}

#[test]
fn a_database_of_a_later_version_is_left_alone() {
    let scratch = scratch();
    let file = scratch.folder.path().join("wharf.db");
    drop(scratch.meta);
    Connection::open(&file).unwrap().pragma_update(None, "user_version", 999).unwrap();
    let error = Meta::open(&file, Durability::Buffered).unwrap_err();
    assert!(matches!(error, Error::TooNew { found: 999, .. }), "{error}");
}

#[test]
fn a_database_can_be_opened_again() {
    let scratch = scratch();
    let file = scratch.folder.path().join("wharf.db");
    drop(scratch.meta);
    assert!(Meta::open(&file, Durability::Synced).is_ok());
}

#[tokio::test]
async fn a_short_name_and_its_library_form_share_a_row() {
    let meta = scratch().meta;
    let short = repo(&meta, "alpine").await;
    assert_eq!(short, repo(&meta, "library/alpine").await);
    let name: RepoName = "alpine".parse().unwrap();
    assert_eq!(meta.repository(&name).await.unwrap().unwrap().id, short);
}

#[tokio::test]
async fn a_blob_is_seen_only_where_it_was_pushed_or_mounted() {
    let meta = scratch().meta;
    let (a, b) = (repo(&meta, "team/a").await, repo(&meta, "team/b").await);
    let goods = push_blob(&meta, a, "goods").await;
    assert!(meta.blob(a, &goods).await.unwrap().is_some());
    assert!(meta.blob(b, &goods).await.unwrap().is_none());
    assert!(!meta.mount_blob(b, a, &goods, 3).await.unwrap());
    assert!(meta.mount_blob(a, b, &goods, 3).await.unwrap());
    assert!(meta.unlink_blob(a, &goods, &Actor::operator(), 4).await.unwrap());
    assert!(meta.blob(a, &goods).await.unwrap().is_none());
    assert!(meta.blob(b, &goods).await.unwrap().is_some());
}

#[tokio::test]
async fn a_second_push_of_a_blob_becomes_the_stored_copy() {
    let Scratch { meta, folder } = scratch();
    let a = repo(&meta, "team/a").await;
    let goods = push_blob(&meta, a, "goods").await;
    let first = meta.blob(a, &goods).await.unwrap().unwrap();
    push_blob(&meta, a, "goods").await;
    let second = meta.blob(a, &goods).await.unwrap().unwrap();
    assert_ne!(first.location, second.location);
    let connection = Connection::open(folder.path().join("wharf.db")).unwrap();
    let doomed: (String, i64) = connection
        .query_row("SELECT location, not_before FROM doomed", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert_eq!(doomed, (first.location, 10));
}

#[tokio::test]
async fn a_cancelled_upload_commits_nothing() {
    let meta = scratch().meta;
    let a = repo(&meta, "team/a").await;
    let goods = digest("goods");
    let blob = NewBlob { upload: "gone".into(), has_row: true, digest: goods.clone(), size: 5, location: "x".into() };
    assert!(!meta.commit_blob(a, blob, 1, 2).await.unwrap());
    assert!(meta.blob(a, &goods).await.unwrap().is_none());
}

#[tokio::test]
async fn a_manifest_that_misses_blobs_leaves_nothing() {
    let meta = scratch().meta;
    let a = repo(&meta, "team/a").await;
    let new = NewManifest { required_blobs: vec![digest("layer")], ..manifest("m", &["v1"]) };
    let outcome = meta.put_manifest(a, new, 1).await.unwrap();
    assert_eq!(outcome, PutOutcome::Missing(vec![digest("layer")]));
    assert!(meta.tags(a, "", 10).await.unwrap().is_empty());
    assert!(meta.manifest(a, &Reference::Digest(digest("m"))).await.unwrap().is_none());
}

/// moby/buildkit#1143: the entries of a build cache's index are blobs.
#[tokio::test]
async fn a_child_may_be_a_manifest_or_a_blob() {
    let meta = scratch().meta;
    let a = repo(&meta, "team/a").await;
    let blob = push_blob(&meta, a, "cache").await;
    meta.put_manifest(a, manifest("child", &[]), 1).await.unwrap();
    let new = NewManifest { required_children: vec![blob, digest("child")], ..manifest("index", &[]) };
    assert_eq!(meta.put_manifest(a, new, 1).await.unwrap(), PutOutcome::Stored);
}

#[tokio::test]
async fn deleting_a_manifest_takes_its_tags_and_only_those() {
    let meta = scratch().meta;
    let a = repo(&meta, "team/a").await;
    meta.put_manifest(a, manifest("one", &["v1", "latest"]), 1).await.unwrap();
    meta.put_manifest(a, manifest("two", &["v2"]), 2).await.unwrap();
    let gone = meta.delete_manifest(a, &digest("one"), &Actor::operator(), 3).await.unwrap();
    assert_eq!(gone, Some(vec![tag("latest"), tag("v1")]));
    assert_eq!(meta.tags(a, "", 10).await.unwrap(), [tag("v2")]);
    assert!(meta.delete_manifest(a, &digest("one"), &Actor::operator(), 3).await.unwrap().is_none());
    meta.put_manifest(a, manifest("one", &[]), 4).await.unwrap();
    assert!(meta.manifest(a, &Reference::Digest(digest("one"))).await.unwrap().is_some(), "a re-push brings it back");
}

#[tokio::test]
async fn moving_and_deleting_a_tag_leaves_its_history() {
    let Scratch { meta, folder } = scratch();
    let a = repo(&meta, "team/a").await;
    meta.put_manifest(a, manifest("one", &["v1"]), 1).await.unwrap();
    meta.put_manifest(a, manifest("one", &["v1"]), 2).await.unwrap();
    meta.put_manifest(a, manifest("two", &["v1"]), 3).await.unwrap();
    assert_eq!(
        meta.delete_tag(a, &tag("v1"), &Actor::operator(), 4).await.unwrap(),
        Some(TagDeleted { digest: digest("two") })
    );
    assert_eq!(meta.delete_tag(a, &tag("v1"), &Actor::operator(), 4).await.unwrap(), None);
    let connection = Connection::open(folder.path().join("wharf.db")).unwrap();
    let mut statement =
        connection.prepare("SELECT version, from_digest, to_digest FROM tag_events ORDER BY version").unwrap();
    let events: Vec<(i64, Option<String>, Option<String>)> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let (one, two) = (Some(digest("one").to_string()), Some(digest("two").to_string()));
    assert_eq!(events, [(1, None, one.clone()), (2, one, two.clone()), (3, two, None)]);
}

#[tokio::test]
async fn a_condition_on_the_tag_guards_the_push() {
    let meta = scratch().meta;
    let a = repo(&meta, "team/a").await;
    let put = |text: &str, condition| {
        let new = NewManifest { condition: Some(condition), ..manifest(text, &["v1"]) };
        let meta = meta.clone();
        async move { meta.put_manifest(a, new, 1).await.unwrap() }
    };
    assert_eq!(put("one", TagCondition::Exists).await, PutOutcome::ConditionFailed);
    assert_eq!(put("one", TagCondition::Absent).await, PutOutcome::Stored);
    assert_eq!(put("two", TagCondition::Absent).await, PutOutcome::ConditionFailed);
    assert_eq!(put("two", TagCondition::PointsAt(vec![digest("x")])).await, PutOutcome::ConditionFailed);
    assert_eq!(put("two", TagCondition::PointsAt(vec![digest("x"), digest("one")])).await, PutOutcome::Stored);
}

#[tokio::test]
async fn tags_come_in_byte_order_and_pages() {
    let meta = scratch().meta;
    let a = repo(&meta, "team/a").await;
    meta.put_manifest(a, manifest("one", &["b", "B", "_", "a", "10", "9"]), 1).await.unwrap();
    let texts = |tags: Vec<Tag>| tags.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    assert_eq!(texts(meta.tags(a, "", 100).await.unwrap()), "10 9 B _ a b");
    assert_eq!(texts(meta.tags(a, "A", 2).await.unwrap()), "B _");
}

#[tokio::test]
async fn referrers_are_those_of_exactly_that_digest_that_still_stand() {
    let meta = scratch().meta;
    let a = repo(&meta, "team/a").await;
    let subject = digest("subject");
    for (text, kind) in [("sig1", "sig"), ("sig2", "sig"), ("sbom", "sbom")] {
        let refs = vec![(RefKind::Subject, subject.clone())];
        let new = NewManifest { refs, artifact_type: Some(kind.into()), ..manifest(text, &[]) };
        meta.put_manifest(a, new, 1).await.unwrap();
    }
    let found = |filter: Option<&'static str>| {
        let (meta, subject) = (meta.clone(), subject.clone());
        async move {
            let all = meta.referrers(a, &subject, filter, "", 10, 1 << 20).await.unwrap();
            all.entries.into_iter().map(|referrer| referrer.digest).collect::<BTreeSet<_>>()
        }
    };
    assert_eq!(found(None).await.len(), 3);
    assert_eq!(found(Some("sig")).await, BTreeSet::from([digest("sig1"), digest("sig2")]));
    meta.delete_manifest(a, &digest("sig1"), &Actor::operator(), 2).await.unwrap();
    assert_eq!(found(Some("sig")).await, BTreeSet::from([digest("sig2")]));
    assert!(meta.referrers(a, &digest("other"), None, "", 10, 1 << 20).await.unwrap().entries.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_writes_all_happen_and_a_failing_one_fails_alone() {
    let meta = scratch().meta;
    let a = repo(&meta, "team/a").await;
    let writes = (0..200).map(|n| {
        let meta = meta.clone();
        tokio::spawn(async move {
            if n % 10 == 0 {
                let duplicate = SigningKey { id: "same".into(), secret: vec![] };
                return meta.keep_signing_key(duplicate, 1).await.is_ok();
            }
            let (text, tag) = (format!("m{n}"), format!("t{n}"));
            meta.put_manifest(a, manifest(&text, &[&tag]), 1).await.unwrap() == PutOutcome::Stored
        })
    });
    let mut succeeded = 0;
    for write in writes.collect::<Vec<_>>() {
        succeeded += usize::from(write.await.unwrap());
    }
    assert_eq!(succeeded, 180 + 1, "every manifest, and the first of the equal keys");
    assert_eq!(meta.tags(a, "", 1000).await.unwrap().len(), 180);
}

#[tokio::test]
async fn a_new_password_ends_refresh_tokens() {
    let meta = scratch().meta;
    assert!(meta.make_admin("admin", "hash", 1).await.unwrap());
    assert!(!meta.make_admin("admin", "other", 1).await.unwrap(), "an account is made once");
    let user = meta.user_by_name("admin").await.unwrap().unwrap();
    let token = RefreshToken { hash: vec![1], user_id: user.id, client_id: "docker".into(), expires_at: 100 };
    assert!(meta.keep_refresh_token(token, "hash", By { actor: Actor::operator(), now: 2 }).await.unwrap());
    meta.touch_refresh_token(&[1], 3).await.unwrap();
    assert!(meta.refresh_token(&[1]).await.unwrap().is_some());
    meta.change_password(user.id, "new", By { actor: Actor::operator(), now: 9 }).await.unwrap();
    assert!(meta.refresh_token(&[1]).await.unwrap().is_none());
    assert_eq!(meta.user_by_name("admin").await.unwrap().unwrap().password_hash.as_deref(), Some("new"));
}

/// A list reads rows: however long the manifests are, and whatever has become of their bytes.
#[tokio::test]
async fn referrers_are_listed_without_their_bytes_and_within_bounds() {
    let Scratch { meta, folder } = scratch();
    let a = repo(&meta, "team/a").await;
    let subject = digest("subject");
    for n in 0..5 {
        let annotations = BTreeMap::from([("k".to_owned(), "\"".repeat(500))]);
        let refs = vec![(RefKind::Subject, subject.clone())];
        let new = NewManifest { annotations, refs, ..manifest(&format!("sig{n}"), &[]) };
        meta.put_manifest(a, new, 1).await.unwrap();
    }
    let connection = Connection::open(folder.path().join("wharf.db")).unwrap();
    connection.execute("UPDATE manifests SET bytes = x'00'", []).unwrap();
    let list = async |after: &str, rows, bytes| meta.referrers(a, &subject, None, after, rows, bytes).await.unwrap();
    let all = list("", 5, 1 << 20).await;
    assert_eq!((all.entries.len(), all.more), (5, false));
    assert_eq!((all.entries[0].size, all.entries[0].annotations["k"].len()), (4, 500));
    assert!(all.bytes > 5 * 1000, "escapes count: {}", all.bytes);
    let by_rows = list("", 3, 1 << 20).await;
    assert_eq!((by_rows.entries.len(), by_rows.more), (3, true));
    let by_bytes = list(by_rows.entries[2].digest.as_str(), 9, 1).await;
    assert_eq!((by_bytes.entries.len(), by_bytes.more), (1, true), "never none");
    let rest = list(by_bytes.entries[0].digest.as_str(), 9, 1).await;
    assert_eq!((rest.entries.len(), rest.more), (1, false));
}

#[tokio::test]
async fn what_was_accepted_incomplete_is_counted_until_it_is_pushed_whole() {
    let meta = scratch().meta;
    let a = repo(&meta, "team/a").await;
    let layer = push_blob(&meta, a, "layer").await;
    let put = async |name: &str, refs: Vec<(RefKind, Digest)>, required_blobs| {
        let new = NewManifest { refs, required_blobs, ..manifest(name, &[]) };
        assert_eq!(meta.put_manifest(a, new, 1).await.unwrap(), PutOutcome::Stored);
        meta.count_incomplete().await.unwrap()
    };
    let whole = vec![(RefKind::Layer, layer.clone()), (RefKind::Subject, digest("elsewhere"))];
    assert_eq!(put("whole", whole, vec![layer.clone()]).await, 0, "a subject need not be there");
    let children = vec![(RefKind::Manifest, layer.clone()), (RefKind::Manifest, digest("whole"))];
    assert_eq!(put("index", children, vec![]).await, 0);
    assert_eq!(put("sparse", vec![(RefKind::Manifest, digest("late"))], vec![]).await, 1);
    // A manifest is no layer.
    assert_eq!(put("foreign", vec![(RefKind::Layer, digest("whole"))], vec![layer]).await, 2);
    put("late", vec![], vec![]).await;
    assert_eq!(put("sparse", vec![(RefKind::Manifest, digest("late"))], vec![]).await, 1);
    meta.delete_manifest(a, &digest("foreign"), &Actor::operator(), 2).await.unwrap();
    assert_eq!(meta.count_incomplete().await.unwrap(), 0);
}

#[tokio::test]
async fn a_refusal_names_the_first_hundred_missing_each_once() {
    let meta = scratch().meta;
    let a = repo(&meta, "team/a").await;
    let layers: Vec<Digest> = (0..300).map(|n| digest(&format!("layer{}", n / 2))).collect();
    let new = NewManifest { required_blobs: layers.clone(), ..manifest("m", &[]) };
    let PutOutcome::Missing(missing) = meta.put_manifest(a, new, 1).await.unwrap() else { panic!("it was taken") };
    assert_eq!(missing, layers.into_iter().step_by(2).take(100).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_client_keeps_its_newest_refresh_tokens() {
    let meta = scratch().meta;
    meta.make_admin("admin", "hash", 1).await.unwrap();
    let user_id = meta.user_by_name("admin").await.unwrap().unwrap().id;
    let keep = async |hash: u8, client_id: &str, now| {
        let token = RefreshToken { hash: vec![hash], user_id, client_id: client_id.into(), expires_at: 10_000 };
        assert!(meta.keep_refresh_token(token, "hash", By { actor: Actor::operator(), now }).await.unwrap());
    };
    keep(255, "other", 1).await;
    for n in 0..=100 {
        keep(n, "docker", i64::from(n) + 2).await;
    }
    let is_kept = async |hash: u8| meta.refresh_token(&[hash]).await.unwrap().is_some();
    assert!(!is_kept(0).await, "the oldest of a hundred and one");
    assert!(is_kept(1).await && is_kept(100).await && is_kept(255).await);
}

#[test]
fn what_proves_who_there_is_is_not_printed() {
    let user =
        User { id: 1, name: "admin".into(), password_hash: Some("$argon2".into()), is_admin: true, is_disabled: false };
    let key = SigningKey { id: "kid".into(), secret: vec![77, 78] };
    let printed = format!("{user:?} {key:?}");
    assert!(printed.contains("admin") && printed.contains("kid"), "{printed}");
    assert!(!printed.contains("argon2") && !printed.contains("77"), "{printed}");
}

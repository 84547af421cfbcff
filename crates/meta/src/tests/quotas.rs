//! What orgs keep is counted exactly, whatever happens in whatever order.

use proptest::prelude::*;

use super::people::{audited, by};
use super::*;

const REPOSITORIES: [&str; 4] = ["team/a", "team/b", "other/a", "other/b"];
const TAGS: [&str; 3] = ["v1", "v2", "v3"];
const UPLOADS: [&str; 3] = ["one", "two", "three"];

/// Something that changes what an org keeps. Numbers choose among few, so that they meet.
#[derive(Clone, Debug)]
enum Step {
    Push { repo: usize, blob: usize },
    Mount { from: usize, to: usize, blob: usize },
    Unlink { repo: usize, blob: usize },
    Put { repo: usize, manifest: usize, tags: Vec<usize> },
    DeleteManifest { repo: usize, manifest: usize },
    DeleteTag { repo: usize, tag: usize },
    DeleteRepository { repo: usize },
    Reserve { repo: usize, upload: usize, bytes: u64 },
    Lower { upload: usize, bytes: u64 },
    DeleteUpload { upload: usize },
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let (repo, blob, manifest, tag) = (0..REPOSITORIES.len(), 0..4_usize, 0..3_usize, 0..TAGS.len());
    let upload = 0..UPLOADS.len();
    prop_oneof![
        4 => (repo.clone(), blob.clone()).prop_map(|(repo, blob)| Step::Push { repo, blob }),
        3 => (repo.clone(), repo.clone(), blob.clone()).prop_map(|(from, to, blob)| Step::Mount { from, to, blob }),
        2 => (repo.clone(), blob).prop_map(|(repo, blob)| Step::Unlink { repo, blob }),
        4 => (repo.clone(), manifest.clone(), prop::collection::vec(tag.clone(), 0..4))
            .prop_map(|(repo, manifest, tags)| Step::Put { repo, manifest, tags }),
        2 => (repo.clone(), manifest).prop_map(|(repo, manifest)| Step::DeleteManifest { repo, manifest }),
        2 => (repo.clone(), tag).prop_map(|(repo, tag)| Step::DeleteTag { repo, tag }),
        1 => repo.clone().prop_map(|repo| Step::DeleteRepository { repo }),
        3 => (repo, upload.clone(), 0..999_u64)
            .prop_map(|(repo, upload, bytes)| Step::Reserve { repo, upload, bytes }),
        1 => (upload.clone(), 0..999_u64).prop_map(|(upload, bytes)| Step::Lower { upload, bytes }),
        1 => upload.prop_map(|upload| Step::DeleteUpload { upload }),
        1 => Just(Step::Restart),
    ]
}

/// Sets a quota on each org: without one nothing is reserved.
async fn limit(meta: &Meta, bytes: u64) {
    for name in ["team", "other"] {
        repo(meta, &format!("{name}/a")).await;
        let org = meta.org(name).await.unwrap().unwrap().id;
        meta.set_quota(org, Quota { bytes: Some(bytes), ..Quota::default() }, None, by(1)).await.unwrap();
    }
}

async fn take(meta: &Meta, step: Step) {
    let actor = Actor::operator();
    let blob = |number| format!("blob {}", "x".repeat(number * 7));
    let made = |text: usize| format!("manifest {}", "y".repeat(text * 5));
    match step {
        Step::Push { repo: at, blob: number } => {
            push_blob(meta, repo(meta, REPOSITORIES[at]).await, &blob(number)).await;
        }
        Step::Mount { from, to, blob: number } => {
            let (from, to) = (repo(meta, REPOSITORIES[from]).await, repo(meta, REPOSITORIES[to]).await);
            meta.mount_blob(from, to, &digest(&blob(number)), 3).await.unwrap();
        }
        Step::Unlink { repo: at, blob: number } => {
            let at = repo(meta, REPOSITORIES[at]).await;
            meta.unlink_blob(at, &digest(&blob(number)), &actor, 3).await.unwrap();
        }
        Step::Put { repo: at, manifest: number, tags } => {
            let at = repo(meta, REPOSITORIES[at]).await;
            let tags: Vec<&str> = tags.into_iter().map(|tag| TAGS[tag]).collect();
            meta.put_manifest(at, manifest(&made(number), &tags), 3).await.unwrap();
        }
        Step::DeleteManifest { repo: at, manifest: number } => {
            let at = repo(meta, REPOSITORIES[at]).await;
            meta.delete_manifest(at, &digest(&made(number)), &actor, 3).await.unwrap();
        }
        Step::DeleteTag { repo: at, tag: number } => {
            let at = repo(meta, REPOSITORIES[at]).await;
            meta.delete_tag(at, &tag(TAGS[number]), &actor, 3).await.unwrap();
        }
        Step::DeleteRepository { repo: at } => {
            meta.delete_repository(repo(meta, REPOSITORIES[at]).await, None, by(3)).await.unwrap();
        }
        Step::Reserve { repo: at, upload, bytes } => {
            let at = repo(meta, REPOSITORIES[at]).await;
            meta.reserve(UPLOADS[upload], at, bytes, bytes).await.unwrap();
        }
        Step::Lower { upload, bytes } => meta.reserve_no_more_than(UPLOADS[upload], bytes).await.unwrap(),
        Step::DeleteUpload { upload } => drop(meta.delete_upload(UPLOADS[upload]).await.unwrap()),
        Step::Restart => drop(meta.release_strays().await.unwrap()),
    }
}

type Content = Vec<(i64, String, String, i64, i64)>;
/// Bytes, tags, bytes reserved.
type Sums = BTreeMap<i64, (i64, i64, i64)>;

fn rows(connection: &Connection, sql: &str) -> Content {
    let mut statement = connection.prepare(sql).unwrap();
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?));
    statement.query_map([], row).unwrap().map(Result::unwrap).collect()
}

fn sums(connection: &Connection, sql: &str) -> Sums {
    let mut statement = connection.prepare(sql).unwrap();
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, (row.get(1)?, row.get(2)?, row.get(3)?)));
    let all: Sums = statement.query_map([], row).unwrap().map(Result::unwrap).collect();
    all.into_iter().filter(|(_, sums)| *sums != (0, 0, 0)).collect()
}

/// Counted anew from what repositories have.
fn counted(connection: &Connection) -> (Content, Sums) {
    let content = rows(
        connection,
        "SELECT r.org_id, b.digest, 'blob', b.size, count(*) FROM repo_blobs l
         JOIN repositories r ON r.id = l.repo_id JOIN blobs b ON b.digest = l.digest GROUP BY r.org_id, b.digest
         UNION ALL SELECT r.org_id, m.digest, 'manifest', m.size, count(*) FROM repo_manifests l
         JOIN repositories r ON r.id = l.repo_id JOIN manifests m ON m.digest = l.digest
         WHERE l.deleted_at IS NULL GROUP BY r.org_id, m.digest ORDER BY 1, 2, 3",
    );
    let mut all = sums(
        connection,
        "SELECT o.id, 0, (SELECT count(*) FROM tags t JOIN repositories r ON r.id = t.repo_id WHERE r.org_id = o.id),
           (SELECT coalesce(sum(bytes), 0) FROM reservations v WHERE v.org_id = o.id) FROM orgs o",
    );
    for (org, _, _, size, _) in &content {
        all.entry(*org).or_default().0 += size;
    }
    (content, all)
}

fn kept(connection: &Connection) -> (Content, Sums) {
    (
        rows(connection, "SELECT org_id, digest, kind, size, links FROM org_content ORDER BY 1, 2, 3"),
        sums(connection, "SELECT org_id, sum(bytes), sum(tags), sum(reserved) FROM org_usage GROUP BY org_id"),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn what_is_counted_along_the_way_is_what_a_count_anew_finds(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let Scratch { meta, folder } = scratch();
        let connection = Connection::open(folder.path().join("wharf.db")).unwrap();
        runtime.block_on(limit(&meta, 1 << 40));
        for step in steps {
            let taken = format!("{step:?}");
            runtime.block_on(take(&meta, step));
            prop_assert_eq!(kept(&connection), counted(&connection), "after {}", taken);
        }
    }
}

#[tokio::test]
async fn a_refused_write_counts_nothing() {
    let Scratch { meta, folder } = scratch();
    let a = repo(&meta, "team/a").await;
    let org = meta.org("team").await.unwrap().unwrap().id;
    meta.set_quota(org, Quota { bytes: Some(12), repositories: None, tags: Some(1) }, None, by(1)).await.unwrap();
    push_blob(&meta, a, "0123456789").await;
    let too_large = meta.put_manifest(a, manifest("a manifest", &[]), 2).await.unwrap_err();
    assert!(matches!(&too_large, Error::OverQuota(over) if over.used == 10 && over.limit == 12), "{too_large}");
    let many_tags = meta.put_manifest(a, manifest("m", &["v1", "v2"]), 2).await.unwrap_err();
    assert!(matches!(&many_tags, Error::OverQuota(over) if over.resource == QuotaOf::Tags), "{many_tags}");
    let connection = Connection::open(folder.path().join("wharf.db")).unwrap();
    assert_eq!(kept(&connection), counted(&connection));
    meta.put_manifest(a, manifest("m", &["v1"]), 2).await.unwrap();
}

/// The layers of one push go on beside each other even when little is left.
#[tokio::test]
async fn an_upload_of_unknown_length_leaves_most_of_the_rest_to_others() {
    let meta = scratch().meta;
    let a = repo(&meta, "team/a").await;
    let org = meta.org("team").await.unwrap().unwrap().id;
    assert_eq!(meta.reserve("one", a, 5000, 1).await.unwrap(), None);
    meta.set_quota(org, Quota { bytes: Some(1000), ..Quota::default() }, None, by(1)).await.unwrap();
    assert_eq!(meta.reserve("one", a, 5000, 1).await.unwrap(), Some(125));
    assert_eq!(meta.reserve("two", a, 5000, 1).await.unwrap(), Some(110));
    assert_eq!(meta.reserve("one", a, 700, 700).await.unwrap(), Some(700));
    assert_eq!(meta.org_quota(org).await.unwrap().usage.reserved, 810);
    assert!(meta.reserve("three", a, 191, 191).await.is_err());
    meta.reserve_no_more_than("one", 500).await.unwrap();
    meta.reserve_no_more_than("two", 500).await.unwrap();
    assert_eq!(meta.org_quota(org).await.unwrap().usage.reserved, 610);
    assert_eq!(meta.reserve("three", a, 191, 191).await.unwrap(), Some(191));
}

#[tokio::test]
async fn setting_a_quota_is_recorded_with_what_was_before() {
    let scratch = scratch();
    let meta = &scratch.meta;
    repo(meta, "team/a").await;
    let org = meta.org("team").await.unwrap().unwrap().id;
    let quota = |bytes| Quota { bytes: Some(bytes), ..Quota::default() };
    assert_eq!(meta.set_quota(org, quota(1), Some(0), by(1)).await.unwrap().version, 1);
    assert_eq!(meta.set_quota(org, quota(2), Some(1), by(1)).await.unwrap().version, 2);
    assert!(matches!(meta.set_quota(org, quota(3), Some(1), by(1)).await, Err(Error::Refused(Refusal::Stale))));
    let (action, org, target, details) = audited(&scratch).pop().unwrap();
    assert_eq!((action.as_str(), org.as_deref(), target.as_str()), ("quota.set", Some("team"), "team"));
    assert_eq!((&details["before"]["bytes"], &details["after"]["bytes"]), (&1.into(), &2.into()));
}

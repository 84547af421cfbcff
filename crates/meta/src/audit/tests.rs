use rusqlite::Connection;
use serde_json::json;

use super::*;
use crate::tests::{Scratch, scratch};

const FIRST: Millis = 1_800_000_000_000;

fn actor(name: &str) -> Actor {
    Actor { name: name.into(), via: "password".into(), address: "192.0.2.7".parse().ok(), request: Some("r".into()) }
}

fn noted(at: Millis, name: &str, action: &'static str, target: &str) -> Noted {
    let org = target.split('/').next().map(str::to_owned);
    let event = Event { action, org, target: target.into(), details: json!({ "n": at }) };
    Noted { at, actor: actor(name), event, outcome: Outcome::Done, times: 1, until: at }
}

/// Rows `1..=count`, a second apart, of changing actors, actions and targets.
async fn filled(meta: &Meta, count: i64) {
    let actions = ["manifest.push", "grant.create", "grant.delete", "sign-in.failure"];
    for chunk in (1..=count).collect::<Vec<_>>().chunks(5000) {
        let one = |&n: &i64| {
            let nth = |of: i64| usize::try_from(n % of).unwrap();
            let (who, action) = (["alice", "bob", "carol"][nth(3)], actions[nth(4)]);
            let row = noted(FIRST + n * 1000, who, action, &format!("org{}/app{}", n % 5, n % 7));
            let outcome = if n % 4 == 3 { Outcome::Refused } else { Outcome::Done };
            Noted { outcome, times: 1 + (n % 2).unsigned_abs(), ..row }
        };
        meta.note(chunk.iter().map(one).collect()).await.unwrap();
    }
}

/// All ids of a filter, page by page; and how many pages it took.
async fn all(meta: &Meta, filter: &AuditFilter, order: Order, limit: usize) -> (Vec<i64>, usize) {
    let (mut ids, mut pages, mut after) = (vec![], 0, None);
    loop {
        let page = meta.audit(filter, order, after, limit).await.unwrap();
        assert!(page.rows.len() <= limit);
        pages += 1;
        ids.extend(page.rows.iter().map(|row| row.id));
        match page.next {
            None => return (ids, pages),
            next => after = next,
        }
    }
}

#[tokio::test]
async fn what_is_recorded_is_read_back_whole() {
    let Scratch { meta, .. } = scratch();
    let event = Event {
        action: "grant.create",
        org: Some("team".into()),
        target: "team/app".into(),
        details: json!({ "after": { "role": "reader" } }),
    };
    let recorded = event.clone();
    meta.db.write(move |tx| record(tx, &actor("alice"), 7, &recorded)).await.unwrap();
    let refused = Noted { at: 8, actor: Actor::operator(), event, outcome: Outcome::Refused, times: 3, until: 9 };
    let refused = Noted { event: Event { details: Value::Null, org: None, ..refused.event }, ..refused };
    meta.note(vec![refused]).await.unwrap();
    let page = meta.audit(&AuditFilter::default(), Order::NewestFirst, None, 10).await.unwrap();
    let [newest, oldest] = &page.rows[..] else { panic!("{page:?}") };
    assert_eq!(
        (newest.outcome, newest.times, &newest.details, &newest.org),
        (Outcome::Refused, 3, &Value::Null, &None)
    );
    assert_eq!((newest.actor.as_str(), newest.via.as_str(), &newest.address), ("operator", "operator", &None));
    assert_eq!((oldest.actor.as_str(), oldest.address.as_deref()), ("alice", Some("192.0.2.7")));
    assert_eq!((oldest.at, oldest.request.as_deref(), oldest.times), (7, Some("r"), 1));
    assert_eq!((oldest.org.as_deref(), &oldest.details), (Some("team"), &json!({ "after": { "role": "reader" } })));
    assert_eq!((page.next, meta.newest_audit().await.unwrap()), (None, 2));
}

#[tokio::test]
async fn the_audit_is_only_ever_added_to() {
    let Scratch { meta, folder } = scratch();
    filled(&meta, 3).await;
    let other = Connection::open(folder.path().join("wharf.db")).unwrap();
    let error = other.execute("UPDATE audit SET actor = 'mallory' WHERE id = 1", []).unwrap_err();
    assert!(error.to_string().contains("only ever added to"), "{error}");
    let error = meta.db.write(|tx| tx.run("UPDATE audit SET times = 2", [])).await.unwrap_err();
    assert!(error.to_string().contains("only ever added to"), "{error}");
    // Ids are not used twice, so a reader's place stays a place.
    other.execute("DELETE FROM audit", []).unwrap();
    filled(&meta, 1).await;
    assert_eq!(meta.newest_audit().await.unwrap(), 4);
}

#[tokio::test]
async fn every_filter_finds_in_pages_what_a_look_at_all_finds() {
    let Scratch { meta, .. } = scratch();
    filled(&meta, 600).await;
    let everything = meta.audit(&AuditFilter::default(), Order::OldestFirst, None, 1000).await.unwrap().rows;
    assert_eq!(everything.len(), 600);
    let text = |text: &str| Some(text.to_owned());
    let filters = [
        AuditFilter::default(),
        AuditFilter { actor: text("alice"), ..AuditFilter::default() },
        AuditFilter { action: text("grant."), ..AuditFilter::default() },
        AuditFilter { action: text("grant.create"), outcome: Some(Outcome::Done), ..AuditFilter::default() },
        AuditFilter { target: text("org1/"), ..AuditFilter::default() },
        AuditFilter { target: text("org1/app3"), actor: text("bob"), ..AuditFilter::default() },
        AuditFilter { org: text("org2"), outcome: Some(Outcome::Refused), ..AuditFilter::default() },
        AuditFilter { since: Some(FIRST + 100_000), until: Some(FIRST + 200_000), ..AuditFilter::default() },
        AuditFilter { action: text("grant."), since: Some(FIRST + 590_000), ..AuditFilter::default() },
        AuditFilter { actor: text("nobody"), ..AuditFilter::default() },
        AuditFilter { target: text("org9"), ..AuditFilter::default() },
        AuditFilter { action: text(""), target: text(""), ..AuditFilter::default() },
        AuditFilter { since: Some(i64::MAX), ..AuditFilter::default() },
        AuditFilter { until: Some(0), ..AuditFilter::default() },
    ];
    for filter in filters {
        let mut wanted: Vec<i64> = everything.iter().filter(|row| filter.fits(row)).map(|row| row.id).collect();
        for limit in [1, 7, 1000] {
            assert_eq!(all(&meta, &filter, Order::OldestFirst, limit).await.0, wanted, "{filter:?}");
        }
        wanted.reverse();
        for limit in [1, 7, 1000] {
            assert_eq!(all(&meta, &filter, Order::NewestFirst, limit).await.0, wanted, "{filter:?}");
        }
    }
}

#[tokio::test]
async fn a_filter_that_lets_little_through_looks_at_a_few_rows_a_page() {
    let Scratch { meta, .. } = scratch();
    filled(&meta, 10_000).await;
    // No index says how something ended.
    let filter = AuditFilter { outcome: Some(Outcome::Refused), actor: Some("alice".into()), ..AuditFilter::default() };
    let (found, pages) = all(&meta, &filter, Order::NewestFirst, 100_000).await;
    assert_eq!((found.len(), pages), (834, 2));
    let rare = noted(FIRST, "dave", "org.delete", "rare");
    meta.note(vec![rare]).await.unwrap();
    filled(&meta, 5000).await;
    for filter in [
        AuditFilter { action: Some("org.".into()), ..AuditFilter::default() },
        AuditFilter { target: Some("ra".into()), ..AuditFilter::default() },
        AuditFilter { actor: Some("dave".into()), ..AuditFilter::default() },
    ] {
        assert_eq!(all(&meta, &filter, Order::NewestFirst, 10).await, (vec![10_001], 1), "by its index: {filter:?}");
    }
}

#[tokio::test]
async fn more_targets_than_lanes_are_found_all_the_same() {
    let Scratch { meta, .. } = scratch();
    let rows = (0..200).map(|n| noted(FIRST + n, "alice", "manifest.push", &format!("team/app{n}"))).collect();
    meta.note(rows).await.unwrap();
    meta.note(vec![noted(FIRST, "alice", "manifest.push", "other/app")]).await.unwrap();
    let filter = AuditFilter { target: Some("team/".into()), ..AuditFilter::default() };
    assert_eq!(all(&meta, &filter, Order::OldestFirst, 50).await.0, (1..=200).collect::<Vec<_>>());
}

async fn sweep_all(meta: &Meta, limits: AuditLimits) -> (usize, u64) {
    let mut removed = 0;
    loop {
        let swept = meta.sweep_audit(limits).await.unwrap();
        removed += swept.removed;
        if !swept.more {
            return (removed, swept.bytes);
        }
    }
}

fn limits(since: Millis, bytes: u64) -> AuditLimits {
    AuditLimits { since, bytes, cheap: &["manifest.push", "sign-in.failure"] }
}

#[tokio::test]
async fn rows_go_when_they_are_too_old_in_small_batches() {
    let Scratch { meta, .. } = scratch();
    filled(&meta, 3000).await;
    let first = meta.sweep_audit(limits(FIRST + 2_000_000, u64::MAX)).await.unwrap();
    assert_eq!((first.removed, first.more), (0, true), "measured first");
    assert_eq!(sweep_all(&meta, limits(FIRST + 2_000_000, u64::MAX)).await.0, 1999);
    let page = meta.audit(&AuditFilter::default(), Order::OldestFirst, None, 1).await.unwrap();
    assert_eq!(page.rows[0].id, 2000);
    assert_eq!(sweep_all(&meta, limits(FIRST + 2_000_000, u64::MAX)).await.0, 0, "twice is once");
    assert_eq!(sweep_all(&meta, limits(i64::MAX, u64::MAX)).await, (1001, 0), "and nothing is counted that has gone");
}

#[tokio::test]
async fn when_room_is_short_what_anybody_can_cause_goes_first_and_the_newest_stay() {
    let Scratch { meta, .. } = scratch();
    filled(&meta, 4000).await;
    let (_, whole) = sweep_all(&meta, limits(0, u64::MAX)).await;
    let (removed, left) = sweep_all(&meta, limits(0, whole * 3 / 4)).await;
    assert!((900..=1100).contains(&removed) && left <= whole * 3 / 4 && left > whole * 7 / 10, "{removed} {left}");
    let rights = AuditFilter { action: Some("grant.".into()), ..AuditFilter::default() };
    assert_eq!(all(&meta, &rights, Order::OldestFirst, 1000).await.0.len(), 2000);
    let (_, left) = sweep_all(&meta, limits(0, whole / 4)).await;
    assert!(left <= whole / 4);
    assert!(all(&meta, &rights, Order::OldestFirst, 1000).await.0.len() < 1100, "then the others");
    sweep_all(&meta, limits(0, 0)).await;
    let (left, _) = all(&meta, &AuditFilter::default(), Order::OldestFirst, 1000).await;
    assert_eq!(left, (3901..=4000).collect::<Vec<_>>());
}

/// Who may change rights in an org of their own can do so as often as they like.
#[tokio::test]
async fn a_flood_of_changes_washes_away_nobody_else_s() {
    let Scratch { meta, folder: _folder } = scratch();
    let one = |n: Millis, who: &str| noted(FIRST + n, who, "grant.create", &format!("{who}/app"));
    meta.note((0..50).map(|n| one(n, "alice")).collect()).await.unwrap();
    meta.note((50..5000).map(|n| one(n, "mallory")).collect()).await.unwrap();
    meta.note((5000..5050).map(|n| one(n, "alice")).collect()).await.unwrap();
    let (_, whole) = sweep_all(&meta, limits(0, u64::MAX)).await;
    let (_, left) = sweep_all(&meta, limits(0, whole / 4)).await;
    assert!(left <= whole / 4);
    let of_alice = AuditFilter { actor: Some("alice".into()), ..AuditFilter::default() };
    assert_eq!(all(&meta, &of_alice, Order::OldestFirst, 1000).await.0.len(), 100);
}

#[tokio::test]
async fn the_estimate_is_near_what_the_table_takes() {
    let Scratch { meta, folder: _folder } = scratch();
    let before = meta.size().await.unwrap();
    filled(&meta, 20_000).await;
    meta.fold_log().await.unwrap();
    let taken = meta.size().await.unwrap() - before.min(200_000);
    let (_, estimate) = sweep_all(&meta, limits(0, u64::MAX)).await;
    assert!(estimate * 2 > taken && estimate < taken * 2, "estimated {estimate}, taken {taken}");
}

#[tokio::test]
async fn a_reader_s_place_is_kept() {
    let Scratch { meta, .. } = scratch();
    assert_eq!(meta.audit_cursor("syslog").await.unwrap(), None);
    meta.keep_audit_cursor("syslog", 41).await.unwrap();
    meta.keep_audit_cursor("syslog", 42).await.unwrap();
    assert_eq!(meta.audit_cursor("syslog").await.unwrap(), Some(42));
    assert_eq!(meta.audit_cursor("other").await.unwrap(), None);
}

fn digest(text: &str) -> wharf_oci::Digest {
    wharf_oci::Digest::of(wharf_oci::Algorithm::Sha256, text.as_bytes())
}

fn manifest(text: &str, tags: &[&str], by: &Actor) -> crate::NewManifest {
    crate::NewManifest {
        digest: digest(text),
        media_type: wharf_oci::MediaType::parse("application/vnd.oci.image.manifest.v1+json").unwrap(),
        bytes: text.into(),
        artifact_type: None,
        annotations: std::collections::BTreeMap::new(),
        refs: vec![],
        required_blobs: vec![],
        required_children: vec![],
        tags: tags.iter().map(|tag| tag.parse().unwrap()).collect(),
        condition: None,
        by: by.clone(),
    }
}

#[tokio::test]
async fn pushes_and_deletes_are_recorded_with_what_was_before_and_only_when_they_change_something() {
    let Scratch { meta, folder: _folder } = scratch();
    let alice = actor("alice");
    let repo = meta.ensure_repository(&"team/app".parse().unwrap(), &alice, 1).await.unwrap();
    meta.ensure_repository(&"team/app".parse().unwrap(), &alice, 2).await.unwrap();
    for (text, tags) in [("one", &["v1", "v2"][..]), ("one", &["v1"]), ("two", &["v1"]), ("three", &[])] {
        meta.put_manifest(repo, manifest(text, tags, &alice), 3).await.unwrap();
    }
    let missing = crate::NewManifest { required_blobs: vec![digest("nowhere")], ..manifest("four", &["v4"], &alice) };
    meta.put_manifest(repo, missing, 4).await.unwrap();
    meta.delete_tag(repo, &"v1".parse().unwrap(), &alice, 5).await.unwrap().unwrap();
    meta.delete_manifest(repo, &digest("one"), &alice, 6).await.unwrap().unwrap();
    assert!(meta.delete_tag(repo, &"v1".parse().unwrap(), &alice, 7).await.unwrap().is_none());
    assert!(meta.delete_manifest(repo, &digest("one"), &alice, 7).await.unwrap().is_none());
    assert!(!meta.unlink_blob(repo, &digest("blob"), &alice, 7).await.unwrap());
    let rows = meta.audit(&AuditFilter::default(), Order::OldestFirst, None, 100).await.unwrap().rows;
    assert!(rows.iter().all(|row| row.actor == "alice" && row.org.as_deref() == Some("team") && row.times == 1));
    let found: Vec<_> = rows.iter().map(|row| format!("{} {} {}", row.at, row.action, row.target)).collect();
    assert_eq!(
        found,
        [
            "1 org.create team".into(),
            "1 repository.create team/app".into(),
            "3 manifest.push team/app:v1".into(),
            "3 manifest.push team/app:v1".into(),
            format!("3 manifest.push team/app@{}", digest("three")),
            "5 tag.delete team/app:v1".into(),
            format!("6 manifest.delete team/app@{}", digest("one")),
        ]
    );
    assert_eq!(rows[2].details["before"]["tags"], json!({ "v1": null, "v2": null }));
    assert_eq!(rows[3].details["before"]["tags"], json!({ "v1": digest("one") }));
    assert_eq!(rows[3].details["after"]["digest"], json!(digest("two")));
    assert_eq!(rows[5].details, json!({ "before": { "digest": digest("two") } }));
    assert_eq!(rows[6].details, json!({ "before": { "tags": ["v2"], "tagged": 1 } }));
}

/// What is told at the end of a window stands behind what was done within it.
#[tokio::test]
async fn a_row_written_late_hides_none_of_those_before_it() {
    let Scratch { meta, .. } = scratch();
    let event = |target: &str| Event {
        action: "team.create",
        org: Some("team".into()),
        target: target.into(),
        details: Value::Null,
    };
    let noted = |at, target: &str| Noted {
        at,
        actor: Actor::operator(),
        event: event(target),
        outcome: Outcome::Done,
        times: 1,
        until: at,
    };
    meta.note(vec![noted(1000, "team/core")]).await.unwrap();
    meta.note(vec![noted(990, "team/late")]).await.unwrap();
    let targets = async |since, until| {
        let filter = AuditFilter { since, until, ..AuditFilter::default() };
        let rows = meta.audit(&filter, Order::OldestFirst, None, 9).await.unwrap().rows;
        rows.into_iter().map(|row| row.target).collect::<Vec<_>>()
    };
    assert_eq!(targets(Some(995), None).await, ["team/core"]);
    assert_eq!(targets(None, Some(995)).await, ["team/late"]);
    assert_eq!(targets(Some(990), Some(2000)).await, ["team/core", "team/late"]);
}

/// A program that reads on by the last time it saw would miss what was written later and happened before.
#[tokio::test]
async fn by_id_nothing_is_missed_that_is_written_late() {
    let Scratch { meta, .. } = scratch();
    let late = Noted { times: 7, until: 1500, ..noted(900, "alice", "push", "team/late") };
    meta.note(vec![noted(1000, "alice", "push", "team/app")]).await.unwrap();
    let seen = meta.audit(&AuditFilter::default(), Order::OldestFirst, None, 9).await.unwrap().rows;
    meta.note(vec![late]).await.unwrap();
    let filter = AuditFilter { since_id: Some(seen[0].id), ..AuditFilter::default() };
    for order in [Order::OldestFirst, Order::NewestFirst] {
        let rows = meta.audit(&filter, order, None, 9).await.unwrap().rows;
        let rows: Vec<_> = rows.iter().map(|row| (&*row.target, row.at, row.until, row.times)).collect();
        assert_eq!(rows, [("team/late", 900, Some(1500), 7)]);
    }
    assert_eq!(seen[0].until, None, "one has no last");
    let none = AuditFilter { since_id: Some(i64::MAX), ..AuditFilter::default() };
    assert_eq!(meta.audit(&none, Order::OldestFirst, None, 9).await.unwrap().rows, []);
}

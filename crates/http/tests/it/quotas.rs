//! Quotas: what an org may keep, however many push at once.

use bytes::Bytes;
use serde_json::json;
use wharf_registry::{Caller, OrgUsage, Quota};

use super::*;

const MIB: usize = 1024 * 1024;

async fn set(b: &Boxed, org: &str, quota: Quota) {
    b.registry.set_quota(&Caller::operator(), org, quota, None).await.unwrap();
}

async fn limit_bytes(b: &Boxed, bytes: u64) {
    set(b, "team", Quota { bytes: Some(bytes), ..Quota::default() }).await;
}

async fn usage(b: &Boxed) -> OrgUsage {
    b.registry.quota(&Caller::operator(), "team").await.unwrap().usage
}

/// A box with the empty org `team`.
async fn with_team() -> Boxed {
    let b = Boxed::new().await;
    let location = start(&b, "team/app").await;
    cancel(&b, &location).await;
    b
}

fn blob(size: usize) -> Content {
    Content::random(size)
}

async fn finish(b: &Boxed, location: &str, blob: &Content) -> Reply {
    b.put(format!("{location}?digest={}", blob.digest)).await
}

#[tokio::test]
async fn usage_counts_what_an_org_has_once_wherever_in_it() {
    let b = Boxed::new().await;
    let image = b.push_image("team/app", "v1").await;
    let size = |image: &Image| {
        let blobs: usize = image.blobs().map(|blob| blob.bytes.len()).sum();
        (blobs + image.manifest.bytes.len()) as u64
    };
    let expected = OrgUsage { bytes: size(&image), reserved: 0, repositories: 1, tags: 1 };
    assert_eq!(usage(&b).await, expected);
    b.push("team/other", "v1", &image).await;
    b.push("team/other", "v2", &image).await;
    assert_eq!(usage(&b).await, OrgUsage { repositories: 2, tags: 3, ..expected });
    b.delete(format!("/v2/team/app/manifests/{}", image.manifest.digest)).await.expect(202);
    assert_eq!(usage(&b).await, OrgUsage { repositories: 2, tags: 2, ..expected });
    for name in ["app", "other"] {
        for blob in image.blobs() {
            b.delete(format!("/v2/team/{name}/blobs/{}", blob.digest)).await.expect(202);
        }
    }
    b.delete(format!("/v2/team/other/manifests/{}", image.manifest.digest)).await.expect(202);
    assert_eq!(usage(&b).await, OrgUsage { repositories: 2, ..OrgUsage::default() });
}

#[tokio::test]
async fn what_fits_is_taken_and_what_does_not_is_refused_with_what_to_do() {
    let b = with_team().await;
    limit_bytes(&b, 1000).await;
    b.push_blob("team/app", &blob(600)).await;
    let second = blob(500);
    let post = b.post(format!("/v2/team/app/blobs/uploads/?digest={}", second.digest));
    let refused = post.body(second.bytes.clone()).await.refused(403, "DENIED");
    let message = "org team may keep 1000 bytes, has used 600 bytes; this needs 500 bytes more: delete a repository";
    assert!(refused.message().starts_with(message), "{}", refused.message());
    let detail = &refused.json()["errors"][0]["detail"];
    let bytes = |name: &str| detail[name].as_u64().unwrap();
    assert_eq!((bytes("used"), bytes("limit"), bytes("wanted")), (600, 1000, 500));
    b.push_blob("team/app", &blob(400)).await;
    assert_eq!(usage(&b).await.bytes, 1000);
    assert!(b.files("uploads").is_empty());
}

#[tokio::test]
async fn nothing_begins_when_nothing_is_left() {
    let b = with_team().await;
    limit_bytes(&b, 500).await;
    let whole = blob(500);
    b.push_blob("team/app", &whole).await;
    b.post("/v2/team/app/blobs/uploads/").await.refused(403, "DENIED");
    let empty = blob(0);
    b.post(format!("/v2/team/app/blobs/uploads/?digest={}", empty.digest)).await.refused(403, "DENIED");
    // What the org has already costs nothing, and other orgs have their own.
    let mount = format!("/v2/team/other/blobs/uploads/?mount={}&from=team/app", whole.digest);
    b.post(mount).await.expect(201);
    let elsewhere = start(&b, "others/app").await;
    cancel(&b, &elsewhere).await;
    // Room again.
    for name in ["app", "other"] {
        b.delete(format!("/v2/team/{name}/blobs/{}", whole.digest)).await.expect(202);
    }
    b.push_blob("team/app", &blob(500)).await;
}

#[tokio::test]
async fn a_length_that_does_not_fit_is_refused_before_its_body_is_read() {
    let b = with_team().await;
    limit_bytes(&b, 1000).await;
    let location = start(&b, "team/app").await;
    let patch = b.patch(&location).header("content-length", "1001").stalled("never read");
    let refused = tokio::time::timeout(Duration::from_secs(5), std::future::IntoFuture::into_future(patch)).await;
    refused.unwrap().refused(403, "DENIED");
    b.get(&location).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
    assert_eq!(usage(&b).await, OrgUsage { repositories: 1, ..OrgUsage::default() });
    assert!(b.files("uploads").is_empty());
}

#[tokio::test]
async fn passing_the_quota_in_the_middle_of_a_stream_ends_and_frees_the_upload() {
    let b = with_team().await;
    limit_bytes(&b, 3 * MIB as u64).await;
    let location = start(&b, "team/app").await;
    let piece = || Ok(Bytes::from(vec![1; MIB]));
    let refused = b.patch(&location).stream((0..4).map(|_| piece()).collect()).await.refused(403, "DENIED");
    assert!(refused.message().contains("may keep 3 MiB,"), "{}", refused.message());
    b.get(&location).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
    assert!(b.files("uploads").is_empty());
    assert_eq!(usage(&b).await, OrgUsage { repositories: 1, ..OrgUsage::default() });
    let post = b.post(format!("/v2/team/app/blobs/uploads/?digest={NOWHERE}"));
    post.stream((0..4).map(|_| piece()).collect()).await.refused(403, "DENIED");
    assert_eq!(usage(&b).await.reserved, 0);
    // Exactly what is left does fit.
    let whole = blob(3 * MIB);
    let location = start(&b, "team/app").await;
    b.patch(&location).chunked(whole.bytes.clone()).await.expect(202);
    assert_eq!(usage(&b).await.reserved, 3 * MIB as u64);
    finish(&b, &location, &whole).await.expect(201);
    assert_eq!(usage(&b).await, OrgUsage { bytes: 3 * MIB as u64, repositories: 1, ..OrgUsage::default() });
}

#[tokio::test]
async fn what_an_upload_under_way_has_reserved_is_not_there_for_others() {
    let b = with_team().await;
    limit_bytes(&b, 1000).await;
    let location = start(&b, "team/app").await;
    b.patch(&location).body(vec![1; 700]).await.expect(202);
    assert_eq!(usage(&b).await.reserved, 700);
    let second = blob(400);
    let post = b.post(format!("/v2/team/app/blobs/uploads/?digest={}", second.digest));
    let refused = post.body(second.bytes.clone()).await.refused(403, "DENIED");
    let told = "has used 0 bytes and reserved 700 bytes for pushes under way; this needs 400 bytes more:";
    assert!(refused.message().contains(told), "{}", refused.message());
    cancel(&b, &location).await;
    assert_eq!(usage(&b).await.reserved, 0);
    b.push_blob("team/app", &second).await;
}

#[tokio::test]
async fn the_reservation_goes_with_the_upload_however_that_ends() {
    let b = with_team().await;
    limit_bytes(&b, 1000).await;
    // A digest that does not fit.
    let location = start(&b, "team/app").await;
    b.patch(&location).body(vec![1; 100]).await.expect(202);
    b.put(format!("{location}?digest={NOWHERE}")).await.refused(400, "DIGEST_INVALID");
    assert_eq!(usage(&b).await.reserved, 0);
    b.post(format!("/v2/team/app/blobs/uploads/?digest={NOWHERE}")).body("x").await.refused(400, "DIGEST_INVALID");
    assert_eq!(usage(&b).await.reserved, 0);
    // A cut: what arrived stays reserved, what was to come does not.
    let location = start(&b, "team/app").await;
    let cut = vec![Ok(Bytes::from(vec![1; 100])), Err(std::io::Error::other("cut"))];
    b.patch(&location).header("content-length", "900").stream(cut).await.refused(400, "BLOB_UPLOAD_INVALID");
    assert_eq!(usage(&b).await.reserved, 100);
    // Expiry.
    b.clock.advance(Duration::from_hours(25));
    assert_eq!(b.registry.sweep_uploads().await.unwrap(), 1);
    assert_eq!(usage(&b).await.reserved, 0);
    // A crash in the middle of a push in one request.
    let repo = b.meta.repository(&"team/app".parse().unwrap()).await.unwrap().unwrap().id;
    b.meta.reserve("01a1fce5-2985-75cd-973e-b484a5e6c93d", repo, 600, 600).await.unwrap();
    assert_eq!(usage(&b).await.reserved, 600);
    b.registry.sweep_strays().await.unwrap();
    assert_eq!(usage(&b).await.reserved, 0);
}

#[tokio::test]
async fn a_blob_that_the_org_has_settles_to_nothing() {
    let b = with_team().await;
    limit_bytes(&b, 1000).await;
    let shared = blob(400);
    b.push_blob("team/app", &shared).await;
    b.push_blob("team/app", &shared).await;
    b.push_blob("team/other", &shared).await;
    assert_eq!(usage(&b).await, OrgUsage { bytes: 400, repositories: 2, ..OrgUsage::default() });
}

#[tokio::test]
async fn manifests_and_mounts_from_other_orgs_must_fit_too() {
    let b = Boxed::new().await;
    let image = b.push_image("others/app", "v1").await;
    b.push_blob("team/app", &Content::empty_json()).await;
    let used = usage(&b).await.bytes;
    limit_bytes(&b, used + 10).await;
    let layer = &image.layers[0].digest;
    let mount = format!("/v2/team/app/blobs/uploads/?mount={layer}&from=others/app");
    b.post(mount).await.refused(403, "DENIED");
    let manifest = Draft::artifact("a/b").content();
    b.put_manifest("team/app", "v1", &manifest).await.refused(403, "DENIED");
    limit_bytes(&b, used + manifest.bytes.len() as u64).await;
    b.put_manifest("team/app", "v1", &manifest).await.expect(201);
    // Again, it costs nothing.
    b.put_manifest("team/app", "v2", &manifest).await.expect(201);
}

#[tokio::test]
async fn repositories_and_tags_can_be_limited() {
    let b = with_team().await;
    let image = b.push_image("team/app", "v1").await;
    set(&b, "team", Quota { bytes: None, repositories: Some(1), tags: Some(2) }).await;
    let refused = b.post("/v2/team/second/blobs/uploads/").await.refused(403, "DENIED");
    assert!(refused.message().starts_with("org team may have 1 repositories and has 1:"), "{}", refused.message());
    b.put_manifest("team/app", "v2", &image.manifest).await.expect(201);
    let refused = b.put_manifest("team/app", "v3", &image.manifest).await.refused(403, "DENIED");
    assert!(
        refused.message().starts_with("org team may have 2 tags and has 2; this needs 1 more:"),
        "{}",
        refused.message()
    );
    // Moving one is not making one.
    let other = Draft::artifact("a/b").content();
    b.push_blob("team/app", &Content::empty_json()).await;
    b.put_manifest("team/app", "v2", &other).await.expect(201);
    b.delete("/v2/team/app/manifests/v1").await.expect(202);
    b.put_manifest("team/app", "v3", &image.manifest).await.expect(201);
}

#[tokio::test]
async fn a_quota_that_is_lowered_takes_nothing_away_and_lets_nothing_in() {
    let b = with_team().await;
    b.push_blob("team/app", &blob(600)).await;
    let location = start(&b, "team/app").await;
    let late = blob(100);
    b.patch(&location).body(late.bytes.clone()).await.expect(202);
    limit_bytes(&b, 500).await;
    // Begun before there was a quota, it has no reservation: the end refuses it.
    finish(&b, &location, &late).await.refused(403, "DENIED");
    assert_eq!(usage(&b).await, OrgUsage { bytes: 600, repositories: 1, ..OrgUsage::default() });
    assert!(b.files("uploads").is_empty());
}

#[tokio::test]
async fn owners_see_the_quota_and_administrators_set_it_for_the_version_they_saw() {
    let b = with_team().await;
    b.make_user("bob");
    b.make_user("eve");
    b.grant("bob", "team", "owner");
    let caller = async |name: &str| {
        let password = wharf_registry::Secret::new("secret");
        let credentials = wharf_registry::Credentials::Basic { user: name.into(), password };
        b.registry.authenticate(credentials, wharf_registry::Source::here()).await.unwrap()
    };
    let (bob, eve, admin) = (caller("bob").await, caller("eve").await, caller("admin").await);
    let quota = Quota { bytes: Some(10), ..Quota::default() };
    assert_eq!(b.registry.quota(&bob, "team").await.unwrap().version, 0);
    assert!(b.registry.quota(&eve, "team").await.is_err());
    assert!(b.registry.quota(&Caller::anonymous(wharf_registry::Source::here()), "team").await.is_err());
    assert!(b.registry.set_quota(&bob, "team", quota, None).await.is_err());
    assert!(b.registry.set_quota(&admin, "nowhere", quota, None).await.is_err());
    let set = b.registry.set_quota(&admin, "team", quota, Some(0)).await.unwrap();
    assert_eq!((set.quota, set.version), (quota, 1));
    assert!(b.registry.set_quota(&admin, "team", Quota::default(), Some(0)).await.is_err());
    assert_eq!(b.registry.set_quota(&admin, "team", quota, Some(1)).await.unwrap().version, 1);
    assert_eq!(b.registry.quota(&bob, "team").await.unwrap().quota, quota);
    assert_eq!(b.registry.set_quota(&admin, "team", Quota::default(), Some(1)).await.unwrap().version, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn however_many_push_at_once_the_quota_is_never_exceeded() {
    const LIMIT: u64 = 200_000;
    let b = with_team().await;
    limit_bytes(&b, LIMIT).await;
    let watching = async {
        loop {
            let OrgUsage { bytes, reserved, .. } = usage(&b).await;
            assert!(bytes + reserved <= LIMIT, "{bytes} + {reserved}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let push = async |n: usize| {
        let goods = blob(3000 + 37 * n);
        let name = format!("team/app{}", n % 5);
        match n % 3 {
            0 => {
                let post = b.post(format!("/v2/{name}/blobs/uploads/?digest={}", goods.digest));
                post.body(goods.bytes.clone()).await.status
            }
            1 => {
                let post = b.post(format!("/v2/{name}/blobs/uploads/?digest={}", goods.digest));
                post.chunked(goods.bytes.clone()).await.status
            }
            _ => {
                let begun = b.post(format!("/v2/{name}/blobs/uploads/")).await;
                let Some(location) = begun.get("location").map(str::to_owned) else { return begun.status };
                let (first, second) = goods.bytes.split_at(goods.bytes.len() / 2);
                let patched = b.patch(&location).body(first.to_vec()).await;
                if patched.status != 202 {
                    return patched.status;
                }
                let put = b.put(format!("{location}?digest={}", goods.digest));
                put.body(second.to_vec()).await.status
            }
        }
    };
    let pushing = futures_util::future::join_all((0..150).map(push));
    let statuses = tokio::select! {
        statuses = pushing => statuses,
        () = watching => unreachable!("it watches until all have pushed"),
    };
    assert!(statuses.iter().all(|status| [201, 403].contains(&status.as_u16())), "{statuses:?}");
    let taken = statuses.iter().filter(|status| status.as_u16() == 201).count();
    assert!((10..150).contains(&taken), "{taken}");
    let at_end = usage(&b).await;
    assert_eq!(at_end.reserved, 0);
    assert!(at_end.bytes <= LIMIT && at_end.bytes > LIMIT / 2, "{at_end:?}");
}

#[tokio::test]
async fn a_write_that_a_quota_refuses_is_on_record_by_whatever_way_it_came() {
    let b = with_team().await;
    let image = b.push_image("team/app", "v1").await;
    let kept = blob(10);
    b.push_blob("others/app", &kept).await;
    set(&b, "team", Quota { bytes: Some(usage(&b).await.bytes + 10), tags: Some(1), ..Quota::default() }).await;
    let large = blob(100);
    let streamed = start(&b, "team/chunk").await;
    let finished = start(&b, "team/last").await;
    for name in ["post", "mount", "tag"] {
        cancel(&b, &start(&b, &format!("team/{name}")).await).await;
    }
    let whole = format!("/v2/team/post/blobs/uploads/?digest={}", large.digest);
    for _ in 0..50 {
        b.post(&whole).body(large.bytes.clone()).await.refused(403, "DENIED");
    }
    b.patch(&streamed).body(large.bytes.clone()).await.refused(403, "DENIED");
    b.put(format!("{finished}?digest={}", large.digest)).body(large.bytes.clone()).await.refused(403, "DENIED");
    b.put_manifest("team/app", "v2", &image.manifest).await.refused(403, "DENIED");
    let usage = usage(&b).await;
    set(&b, "team", Quota { bytes: Some(usage.bytes), repositories: Some(usage.repositories), tags: None }).await;
    b.post("/v2/team/app/blobs/uploads/").await.refused(403, "DENIED");
    b.post(format!("/v2/team/mount/blobs/uploads/?mount={}&from=others/app", kept.digest)).await.refused(403, "DENIED");
    b.post("/v2/team/new/blobs/uploads/").await.refused(403, "DENIED");
    b.post("/api/v1/repositories").json(&json!({ "name": "team/made" })).await.problem(403, "");
    b.make_user("bob");
    let grant = json!({ "target": "team/granted", "user": "bob", "role": "reader" });
    b.post("/api/v1/grants").json(&grant).await.problem(403, "");

    let rows = b.get("/api/v1/audit?org=team&action=push&outcome=refused&limit=100").await.expect(200).json();
    let rows = rows["items"].as_array().unwrap();
    let mut targets: Vec<_> = rows.iter().map(|row| row["target"].as_str().unwrap()).collect();
    targets.sort_unstable();
    targets.dedup();
    let all =
        ["team/app", "team/chunk", "team/granted", "team/last", "team/made", "team/mount", "team/new", "team/post"];
    assert_eq!(targets, all);
    assert!(rows.len() <= all.len() + 1, "fifty alike are a row or two: {rows:?}");
    for row in rows {
        let reason = row["details"]["reason"].as_str().unwrap();
        assert!(reason.starts_with("org team may "), "{reason}");
        assert_eq!(row["actor"], "admin");
    }
}

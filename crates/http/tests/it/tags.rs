//! Tag lists, and several tags in one push.

use super::*;

async fn tagged(b: &Boxed, name: &str, tags: &[&str]) {
    let image = b.push_image(name, tags[0]).await;
    for tag in &tags[1..] {
        b.put_manifest(name, tag, &image.manifest).await.expect(201);
    }
}

async fn list(b: &Boxed, query: &str) -> Vec<String> {
    b.get(format!("/v2/team/app/tags/list{query}")).await.expect(200).strings("tags")
}

#[tokio::test]
async fn tags_are_in_byte_order_and_keep_their_case() {
    let b = Boxed::new().await;
    tagged(&b, "team/app", &["b", "a", "B", "_x", "1.0", "10", "a-1", "v1.0_x"]).await;
    let reply = b.get("/v2/team/app/tags/list").await.expect(200);
    assert_eq!(reply.json()["name"], "team/app");
    assert_eq!(reply.strings("tags"), ["1.0", "10", "B", "_x", "a", "a-1", "b", "v1.0_x"]);
    assert_eq!(reply.next(), None);
}

/// regclient/regclient#272, pulp/pulp_container#220
#[tokio::test]
async fn pages_are_followed_to_their_end() {
    let b = Boxed::new().await;
    tagged(&b, "team/app", &["a", "b", "c", "d", "e"]).await;
    let mut path = Some("/v2/team/app/tags/list?n=2".to_owned());
    let mut pages = vec![];
    while let Some(page) = path.take() {
        let reply = b.get(page).await.expect(200);
        pages.push(reply.strings("tags"));
        path = reply.next().inspect(|next| assert!(next.starts_with("/v2/team/app/tags/list?n=2&last="), "{next}"));
    }
    assert_eq!(pages, [vec!["a", "b"], vec!["c", "d"], vec!["e"]]);
    let exact = b.get("/v2/team/app/tags/list?n=5").await.expect(200);
    assert_eq!(exact.next(), None, "nothing follows");
}

#[tokio::test]
async fn last_is_exclusive_and_need_not_exist() {
    let b = Boxed::new().await;
    tagged(&b, "team/app", &["a", "b", "d"]).await;
    assert_eq!(list(&b, "?last=a").await, ["b", "d"]);
    assert_eq!(list(&b, "?last=c").await, ["d"]);
    assert_eq!(list(&b, "?last=d").await, [""; 0]);
    assert_eq!(list(&b, "?last=a&n=1").await, ["b"]);
    assert_eq!(list(&b, "?last=").await, ["a", "b", "d"]);
    assert_eq!(list(&b, "?last=%00%ff/../").await, ["a", "b", "d"]);
}

/// pulp/pulp_container#220
#[tokio::test]
async fn n_is_a_whole_number() {
    let b = Boxed::new().await;
    tagged(&b, "team/app", &["a", "b"]).await;
    let none = b.get("/v2/team/app/tags/list?n=0").await.expect(200);
    assert_eq!((none.strings("tags").len(), none.next()), (0, None));
    for n in ["-1", "x", "1.5", "", "%20", "+1", "0x1"] {
        b.get(format!("/v2/team/app/tags/list?n={n}")).await.expect(400);
    }
    assert_eq!(list(&b, "?n=99999999999999999999999999").await, ["a", "b"]);
}

/// Joxit/docker-registry-ui#306
#[tokio::test]
async fn more_than_a_page_is_clamped() {
    let b = Boxed::builder().options(|o| o.page = 2).open().await;
    tagged(&b, "team/app", &["a", "b", "c"]).await;
    for query in ["", "?n=100"] {
        let reply = b.get(format!("/v2/team/app/tags/list{query}")).await.expect(200);
        assert_eq!(reply.strings("tags"), ["a", "b"]);
        assert_eq!(list(&b, reply.next().unwrap().split_once("list").unwrap().1).await, ["c"]);
    }
}

/// distribution/distribution#1186, opencontainers/distribution-spec#527
#[tokio::test]
async fn a_repository_without_tags_has_an_empty_list() {
    let b = Boxed::new().await;
    b.push_blob("team/app", &Content::random(10)).await;
    assert_eq!(list(&b, "").await, [""; 0]);
}

#[tokio::test]
async fn one_push_sets_many_tags() {
    let b = Boxed::new().await;
    let image = b.push_image("team/app", "old").await;
    let tags: Vec<String> = (10..30).map(|n| format!("v{n}")).collect();
    let query: Vec<String> = tags.iter().map(|tag| format!("tag={tag}")).collect();
    let reference = format!("{}?{}&tag=v10", image.manifest.digest, query.join("&"));
    let reply = b.put_manifest("team/app", reference, &image.manifest).await.expect(201);
    assert_eq!(reply.all("oci-tag"), tags);
    let mut expected = vec!["old".to_owned()];
    expected.extend(tags);
    assert_eq!(list(&b, "").await, expected);
}

#[tokio::test]
async fn one_bad_tag_and_nothing_is_set() {
    let b = Boxed::new().await;
    let image = b.push_image("team/app", "old").await;
    for bad in [".x", "-x", "a/b", "", "a%20b", &"x".repeat(129)] {
        let reference = format!("{}?tag=good&tag={bad}", image.manifest.digest);
        b.put_manifest("team/app", reference, &image.manifest).await.refused(400, "MANIFEST_INVALID");
    }
    let missing = Draft::image(&Content::random(9), &[]).content();
    let reference = format!("{}?tag=good", missing.digest);
    b.put_manifest("team/app", reference, &missing).await.refused(400, "MANIFEST_BLOB_UNKNOWN");
    assert_eq!(list(&b, "").await, ["old"]);
}

#[tokio::test]
async fn the_tag_of_the_path_needs_no_parameter() {
    let b = Boxed::new().await;
    let image = b.push_image("team/app", "v1").await;
    let reply = b.put_manifest("team/app", "v2?tag=v3", &image.manifest).await.expect(201);
    assert_eq!(reply.all("oci-tag"), [""; 0]);
    assert_eq!(list(&b, "").await, ["v1", "v2"]);
}

#[tokio::test]
async fn the_longest_tag_is_128() {
    let b = Boxed::new().await;
    let image = b.push_image("team/app", &"x".repeat(128)).await;
    b.get(format!("/v2/team/app/manifests/{}", "x".repeat(128))).await.expect(200);
    b.put_manifest("team/app", "x".repeat(129), &image.manifest).await.refused(400, "MANIFEST_INVALID");
    b.get(format!("/v2/team/app/manifests/{}", "x".repeat(129))).await.refused(404, "MANIFEST_UNKNOWN");
}

/// oras-project/oras-go#1396
#[tokio::test]
async fn a_tag_that_looks_like_a_digest_is_a_tag() {
    let b = Boxed::new().await;
    let image = b.push_image("team/app", "v1").await;
    let tag = image.manifest.digest.as_str().replace(':', "-");
    b.get(format!("/v2/team/app/manifests/{tag}")).await.refused(404, "MANIFEST_UNKNOWN");
    let index = Draft::index(&[]).content();
    b.put_manifest("team/app", &tag, &index).await.expect(201);
    assert_eq!(b.get(format!("/v2/team/app/manifests/{tag}")).await.expect(200).body, index.bytes);
    assert_eq!(list(&b, "").await, [tag.as_str(), "v1"]);
}

//! What refers to a digest.

use super::*;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

async fn ready() -> (Boxed, Content) {
    let b = Boxed::new().await;
    b.push_blob("team/app", &Content::empty_json()).await;
    let subject = b.push_image("team/app", "v1").await.manifest;
    (b, subject)
}

async fn list(b: &Boxed, subject: &Content, query: &str) -> Vec<serde_json::Value> {
    let reply = b.get(format!("/v2/team/app/referrers/{}{query}", subject.digest)).await.expect(200);
    assert_eq!(reply.header("content-type"), INDEX, "sigstore/sigstore-js#1187");
    let json = reply.json();
    assert_eq!((json["schemaVersion"].as_u64(), json["mediaType"].as_str()), (Some(2), Some(INDEX)));
    json["manifests"].as_array().unwrap().clone()
}

/// goharbor/harbor#18418, #20014, #19176; quay/quay#3071; opencontainers/distribution-spec#491
#[tokio::test]
async fn unknown_is_an_empty_list_and_malformed_is_400() {
    let (b, _) = ready().await;
    for name in ["team/app", "team/never-pushed", "x"] {
        for digest in [NOWHERE.to_owned(), format!("sha512:{}", "0".repeat(128))] {
            let reply = b.get(format!("/v2/{name}/referrers/{digest}")).await.expect(200);
            assert_eq!(reply.header("content-type"), INDEX);
            assert_eq!(reply.json()["manifests"].as_array().unwrap().len(), 0);
        }
        for bad in ["sha256:short", "latest", "md5:00", "sha256:"] {
            b.get(format!("/v2/{name}/referrers/{bad}")).await.refused(400, "DIGEST_INVALID");
        }
    }
}

/// project-zot/zot#1410
#[tokio::test]
async fn a_referrer_is_listed_with_its_type_and_annotations() {
    let (b, subject) = ready().await;
    let own = Draft::artifact("a/own").annotation("k", "v").subject(&subject).content();
    let config = Content::new("application/vnd.example.config", "{}");
    b.push_blob("team/app", &config).await;
    let by_config = Draft::image(&config, &[]).subject(&subject).content();
    let index = Draft::index(&[]).subject(&subject).content();
    let typed_index = Draft::index(&[]).set("artifactType", "a/index".into()).subject(&subject).content();
    for manifest in [&own, &by_config, &index, &typed_index] {
        let reply = b.put_manifest("team/app", &manifest.digest, manifest).await.expect(201);
        assert_eq!(reply.header("oci-subject"), subject.digest.as_str());
    }
    let listed = list(&b, &subject, "").await;
    assert_eq!(listed.len(), 4);
    let types = [
        (&own, Some("a/own")),
        (&by_config, Some(&*config.media_type)),
        (&index, None),
        (&typed_index, Some("a/index")),
    ];
    for (manifest, artifact_type) in types {
        let entry = listed.iter().find(|entry| entry["digest"] == manifest.digest.as_str()).unwrap();
        assert_eq!(entry["mediaType"], manifest.media_type);
        assert_eq!(entry["size"], manifest.bytes.len());
        assert_eq!(entry.get("artifactType").and_then(|text| text.as_str()), artifact_type);
        let annotations = entry.get("annotations").map(ToString::to_string);
        assert_eq!(annotations.as_deref(), if manifest == &own { Some("{\"k\":\"v\"}") } else { None });
    }
}

#[tokio::test]
async fn a_filter_is_applied_and_said_to_be() {
    let (b, subject) = ready().await;
    for artifact_type in ["a/b", "a/b", "a/c+json"] {
        let artifact = Draft::artifact(artifact_type).annotation("id", Content::random(9).digest.as_str());
        let artifact = artifact.subject(&subject).content();
        b.put_manifest("team/app", &artifact.digest, &artifact).await.expect(201);
    }
    for (query, count) in [("a/b", 2), ("a%2Fb", 2), ("a/c%2Bjson", 1), ("a/c+json", 1), ("none/such", 0)] {
        assert_eq!(list(&b, &subject, &format!("?artifactType={query}")).await.len(), count, "{query}");
        let path = format!("/v2/team/app/referrers/{}?artifactType={query}", subject.digest);
        assert_eq!(b.get(path).await.header("oci-filters-applied"), "artifactType");
    }
    let whole = b.get(format!("/v2/team/app/referrers/{}", subject.digest)).await;
    assert_eq!(whole.get("oci-filters-applied"), None);
}

#[tokio::test]
async fn pages_stay_below_what_clients_read_and_keep_the_filter() {
    let (b, subject) = ready().await;
    let mut pushed = vec![];
    for n in 0..40 {
        let draft = Draft::artifact("a/big").annotation("text", &"\"".repeat(100_000)).annotation("n", &n.to_string());
        let artifact = draft.subject(&subject).content();
        b.put_manifest("team/app", &artifact.digest, &artifact).await.expect(201);
        pushed.push(artifact.digest.to_string());
    }
    let mut path = Some(format!("/v2/team/app/referrers/{}?artifactType=a/big", subject.digest));
    let (mut listed, mut pages) = (vec![], 0);
    while let Some(page) = path.take() {
        let reply = b.get(page).await.expect(200);
        assert!(reply.body.len() < 3 << 20, "{}", reply.body.len());
        assert_eq!(reply.header("oci-filters-applied"), "artifactType");
        let json = reply.json();
        listed.extend(json["manifests"].as_array().unwrap().iter().map(|m| m["digest"].as_str().unwrap().to_owned()));
        path = reply.next();
        pages += 1;
    }
    pushed.sort();
    assert_eq!(listed, pushed);
    assert!(pages > 2, "{pages}");
}

#[tokio::test]
async fn many_small_referrers_are_one_page() {
    let (b, subject) = ready().await;
    for n in 0..50 {
        let artifact = Draft::artifact("a/b").annotation("n", &n.to_string()).subject(&subject).content();
        b.put_manifest("team/app", &artifact.digest, &artifact).await.expect(201);
    }
    assert_eq!(list(&b, &subject, "").await.len(), 50);
}

#[tokio::test]
async fn deleting_a_referrer_unlists_it_and_deleting_the_subject_does_not() {
    let (b, subject) = ready().await;
    let (one, two) = (Draft::artifact("a/1"), Draft::artifact("a/2"));
    let (one, two) = (one.subject(&subject).content(), two.subject(&subject).content());
    for artifact in [&one, &two, &one] {
        b.put_manifest("team/app", &artifact.digest, artifact).await.expect(201);
    }
    assert_eq!(list(&b, &subject, "").await.len(), 2, "one entry, however often pushed");
    b.delete(format!("/v2/team/app/manifests/{}", one.digest)).await.expect(202);
    assert_eq!(list(&b, &subject, "").await.len(), 1);
    b.delete(format!("/v2/team/app/manifests/{}", subject.digest)).await.expect(202);
    assert_eq!(list(&b, &subject, "").await.len(), 1);
    b.put_manifest("team/app", &one.digest, &one).await.expect(201);
    assert_eq!(list(&b, &subject, "").await.len(), 2);
}

#[tokio::test]
async fn referrers_belong_to_their_repository() {
    let (b, subject) = ready().await;
    b.push_blob("team/other", &Content::empty_json()).await;
    let artifact = Draft::artifact("a/b").subject(&subject).content();
    b.put_manifest("team/other", &artifact.digest, &artifact).await.expect(201);
    assert_eq!(list(&b, &subject, "").await.len(), 0);
}

#[tokio::test]
async fn a_blob_or_nothing_can_be_the_subject() {
    let (b, _) = ready().await;
    let blob = Content::random(9);
    b.push_blob("team/app", &blob).await;
    let artifact = Draft::artifact("a/b").subject(&blob).content();
    b.put_manifest("team/app", "about-a-blob", &artifact).await.expect(201);
    assert_eq!(list(&b, &blob, "").await.len(), 1);
    let chain = Draft::artifact("a/b").subject(&artifact).content();
    b.put_manifest("team/app", "about-that", &chain).await.expect(201);
    assert_eq!(list(&b, &blob, "").await.len(), 1, "never followed further");
}

/// A descriptor must fit into a page that clients read; the manifest itself has them all.
#[tokio::test]
async fn annotations_beyond_a_quarter_mebibyte_are_left_out_of_the_list() {
    let (b, subject) = ready().await;
    let text = |length| Draft::artifact("a/b").annotation("k", &"x".repeat(length)).subject(&subject).content();
    let (fits, too_long) = (text(200 << 10), text(300 << 10));
    for artifact in [&fits, &too_long] {
        b.put_manifest("team/app", &artifact.digest, artifact).await.expect(201);
    }
    let listed = list(&b, &subject, "").await;
    let entry = |artifact: &Content| listed.iter().find(|entry| entry["digest"] == artifact.digest.as_str()).unwrap();
    assert_eq!(entry(&fits)["annotations"]["k"].as_str().map(str::len), Some(200 << 10));
    assert_eq!(entry(&too_long).get("annotations"), None);
    assert_eq!(entry(&too_long)["artifactType"], "a/b");
    let pulled = b.get(format!("/v2/team/app/manifests/{}", too_long.digest)).await.expect(200);
    assert_eq!(pulled.body, too_long.bytes);
}

use super::*;

/// What cosign puts under an image's tag: a manifest with a layer for each signature.
async fn sign(desk: &Desk, repository: &str, image: &Image, signatures: &[&Content]) -> String {
    let layers: Vec<Content> = signatures.iter().map(|layer| (*layer).clone()).collect();
    let config = Content::new("application/vnd.oci.image.config.v1+json", "{}");
    for blob in layers.iter().chain([&config]) {
        desk.boxed.push_blob(repository, blob).await.expect(201);
    }
    let manifest = Draft::image(&config, &layers).content();
    let tag = format!("{}.sig", image.manifest.digest.to_string().replace(':', "-"));
    desk.boxed.put_manifest(repository, &tag, &manifest).await.expect(201);
    manifest.digest.to_string()
}

#[tokio::test]
async fn signatures_of_the_destination_are_never_replaced_by_fewer_or_others() {
    let desk = Desk::of_admin().await;
    let image = desk.boxed.push_image("team/staging", "v1").await;
    let tag = format!("{}.sig", image.manifest.digest.to_string().replace(':', "-"));
    let (first, second, prods) = (signature(), signature(), signature());
    let promote = "copy --referrers team/staging:v1 team/prod:v1 -q";
    sign(&desk, "team/staging", &image, &[&first]).await;
    desk.wharf(promote).await.ok();
    // More than there is goes there.
    let both = sign(&desk, "team/staging", &image, &[&first, &second]).await;
    desk.wharf(promote).await.ok();
    assert_eq!(desk.digest("team/prod", &tag).await, both);
    // Less than there is leaves it.
    let all = sign(&desk, "team/prod", &image, &[&first, &second, &prods]).await;
    desk.wharf(promote).await.ok();
    assert_eq!(desk.digest("team/prod", &tag).await, all);
    // What is neither is asked about before anything is written.
    sign(&desk, "team/staging", &image, &[&signature()]).await;
    desk.wharf("copy --referrers team/staging:v1 team/prod:v2 -q").await.fails(1, "signatures of its own");
    assert_eq!(desk.digest("team/prod", &tag).await, all);
    desk.boxed.get("/v2/team/prod/manifests/v2").await.expect(404);
}

fn signature() -> Content {
    Content { media_type: "application/vnd.dev.cosign.simplesigning.v1+json".into(), ..Content::random(64) }
}

/// One image in two repositories, each with a signature of its own. The tag that they are under, and both.
async fn promoted(desk: &Desk) -> (String, [String; 2]) {
    let image = desk.boxed.push_image("dev/app", "v1").await;
    desk.boxed.push("prod/appb", "v1", &image).await;
    let dev = sign(desk, "dev/app", &image, &[&signature()]).await;
    let prod = sign(desk, "prod/appb", &image, &[&signature()]).await;
    (format!("{}.sig", image.manifest.digest.to_string().replace(':', "-")), [dev, prod])
}

#[tokio::test]
async fn an_image_is_shown_with_its_signatures_and_as_many_as_the_list_counts() {
    let desk = Desk::of_admin().await;
    let (tag, [dev, _]) = promoted(&desk).await;
    let rows = desk.json("images list dev/app").await;
    assert_eq!((&rows[0]["signatures"], &rows[0]["referrers"]), (&json!(1), &json!(0)), "{rows}");
    let kind = "application/vnd.dev.cosign.simplesigning.v1+json";
    let shown = desk.json("images get dev/app:v1").await;
    assert_eq!(shown["referrers"], json!([{ "digest": dev, "artifact_type": kind, "tag": tag }]));
    let people = desk.wharf("images get dev/app:v1").await.ok();
    assert!(people.contains(&format!("{dev}  {kind}  {tag}")), "{people}");
}

#[tokio::test]
async fn signatures_in_a_layout_are_never_replaced_by_others() {
    let desk = Desk::of_admin().await;
    let (tag, [dev, _]) = promoted(&desk).await;
    let layout = desk.at("layout");
    desk.wharf(&format!("pull dev/app:v1 --referrers --to oci:{layout}:a -q")).await.ok();
    let before = std::fs::read(format!("{layout}/index.json")).unwrap();
    let lost = desk.wharf(&format!("pull prod/appb:v1 --referrers --to oci:{layout}:b -q")).await;
    lost.fails(1, "a name with a repository of its own, as in app:v1");
    assert_eq!(std::fs::read(format!("{layout}/index.json")).unwrap(), before);
    desk.wharf(&format!("copy --referrers oci:{layout}:a back/app:v1")).await.ok();
    assert_eq!(desk.digest("back/app", &tag).await, dev);
    // The same ones, and more, go there.
    desk.wharf(&format!("pull dev/app:v1 --referrers --to oci:{layout}:c -q")).await.ok();
}

#[tokio::test]
async fn repositories_keep_their_signatures_of_one_image_apart_in_a_layout() {
    let desk = Desk::of_admin().await;
    let (tag, signatures) = promoted(&desk).await;
    let (layout, archive) = (desk.at("layout"), desk.at("archive.tar"));
    desk.wharf(&format!("sync dev/app oci:{layout} --referrers --tags v*")).await.ok();
    desk.wharf(&format!("copy prod/appb:v1 oci:{layout}:appb:v1 --referrers")).await.ok();
    desk.wharf(&format!("copy prod/appb:v1 oci-archive:{archive}:appb:v1 --referrers")).await.ok();
    for (from, to, signature) in [
        (format!("oci:{layout}:app:v1"), "back/app", &signatures[0]),
        (format!("oci:{layout}:appb:v1"), "back/appb", &signatures[1]),
        (format!("oci-archive:{archive}:appb:v1"), "archived/appb", &signatures[1]),
    ] {
        desk.wharf(&format!("copy --referrers {from} {to}:v1")).await.ok();
        assert_eq!(desk.digest(to, &tag).await, *signature, "{from}");
    }
    for flags in ["", "--referrers"] {
        let org = format!("synced{}", flags.len());
        let said = desk.wharf(&format!("sync oci:{layout} {org} {flags}")).await;
        assert_eq!(said.code, 0, "{said}");
        for (name, signature) in ["app", "appb"].iter().zip(&signatures) {
            assert_eq!(desk.digest(&format!("{org}/{name}"), &tag).await, *signature, "{flags}");
        }
    }
}

#[tokio::test]
async fn a_signature_of_no_repository_in_a_layout_is_no_image() {
    let desk = Desk::of_admin().await;
    let (tag, [dev, _]) = promoted(&desk).await;
    let layout = desk.at("mine");
    desk.wharf(&format!("pull dev/app:v1 --referrers --to oci:{layout}:v1 -q")).await.ok();
    let said = desk.wharf(&format!("sync oci:{layout} bare")).await;
    assert!(said.code == 0 && said.err.contains("1 copied"), "{said}");
    desk.boxed.get(format!("/v2/bare/mine/manifests/{tag}")).await.expect(404);
    desk.wharf(&format!("sync oci:{layout} whole --referrers")).await.ok();
    assert_eq!(desk.digest("whole/mine", &tag).await, dev);
}

#[tokio::test]
async fn sync_replaces_no_signatures_and_counts_none_twice() {
    let desk = Desk::of_admin().await;
    let (tag, [dev, _]) = promoted(&desk).await;
    let said = desk.wharf("sync dev/app mirror --referrers").await;
    assert!(said.err.contains("1 copied, 1 there already"), "{said}");
    let image = desk.digest("mirror/app", "v1").await;
    assert_eq!(desk.digest("mirror/app", &tag).await, dev);
    // Another one signs at the destination.
    desk.wharf("copy prod/appb:v1 other/app:v1 --referrers").await.ok();
    let theirs = desk.digest("other/app", &tag).await;
    for flags in ["", "--referrers"] {
        let clash = desk.wharf(&format!("sync dev/app other {flags}")).await;
        assert!(clash.code == 1 && clash.err.contains("signatures of its own"), "{clash}");
        assert_eq!(desk.digest("other/app", &tag).await, theirs, "{image}");
    }
}

#[tokio::test]
async fn signatures_stay_behind_where_that_is_asked_for() {
    let desk = Desk::of_admin().await;
    let (tag, _) = promoted(&desk).await;
    let said = desk.wharf("sync dev/app bare --remove-signatures").await;
    assert!(said.code == 0 && said.err.contains("1 copied"), "{said}");
    assert_eq!(desk.boxed.get("/v2/bare/app/tags/list").await.expect(200).strings("tags"), ["v1"]);
    desk.wharf("sync dev/app bare").await.ok();
    assert_eq!(desk.boxed.get("/v2/bare/app/tags/list").await.expect(200).strings("tags"), [&*tag, "v1"]);
}

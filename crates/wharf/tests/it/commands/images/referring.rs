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
    let signature =
        || Content { media_type: "application/vnd.dev.cosign.simplesigning.v1+json".into(), ..Content::random(64) };
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

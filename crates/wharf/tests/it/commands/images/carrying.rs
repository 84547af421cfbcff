use super::*;

#[tokio::test]
async fn an_image_goes_to_a_layout_and_back_with_its_digest() {
    let desk = Desk::of_admin().await;
    for (tag, image) in [("oci", Image::random()), ("docker", Image::docker())] {
        desk.boxed.push("team/app", tag, &image).await;
        let (layout, digest) = (desk.at(&format!("layout-{tag}")), image.manifest.digest.to_string());
        let said = desk.wharf(&format!("pull team/app:{tag} --to oci:{layout}:v1")).await.ok();
        assert_eq!(said, format!("oci:{layout}:v1 is {digest}\n"));
        let pushed =
            desk.wharf(&format!("push team/back:{tag} --tag latest --tag 1.0 --from oci:{layout}:v1 -q")).await;
        assert_eq!(pushed.ok(), format!("{digest}\n"));
        for name in [tag, "latest", "1.0"] {
            assert_eq!(desk.digest("team/back", name).await, digest);
        }
    }
}

#[tokio::test]
async fn an_index_goes_whole_or_as_one_of_its_images() {
    let desk = Desk::of_admin().await;
    let (index, [_, arm]) = desk.push_index("team/app", "v1").await;
    desk.wharf("copy --all team/app:v1 team/whole:v1").await.ok();
    assert_eq!(desk.digest("team/whole", "v1").await, index.digest.to_string());
    desk.wharf("copy --platform linux/arm64 team/app:v1 team/one").await.ok();
    assert_eq!(desk.digest("team/one", "latest").await, arm.manifest.digest.to_string());
    let none = desk.wharf("copy --platform linux/s390x team/app:v1 team/none").await;
    assert!(none.err.contains("it has linux/amd64, linux/arm64: choose with --platform"), "{none}");
    assert_eq!(none.code, 4);
}

#[tokio::test]
async fn within_a_registry_nothing_is_moved() {
    let desk = Desk::of_admin().await;
    let image = desk.boxed.push_image("team/app", "v1").await;
    let events = desk.wharf("copy team/app:v1 other/app:v2 --json").await.ok();
    let events: Vec<Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> = events.iter().filter_map(|event| event["event"].as_str()).collect();
    assert_eq!(kinds, ["planned", "finished", "finished", "manifest", "done"]);
    assert!(events.iter().filter(|event| event["event"] == "finished").all(|event| event["how"] == "mounted"));
    assert_eq!(events[4]["digest"], image.manifest.digest.to_string());
    assert_eq!(events[4]["destination"], format!("{}/other/app:v2", desk.host()));
    // A second time everything is there.
    let again = desk.wharf("copy team/app:v1 team/app:v3").await;
    assert!(again.err.contains("there already") && !again.err.contains("copied"), "{again}");
}

#[tokio::test]
async fn nothing_is_seen_at_the_destination_unless_all_of_it_is_there() {
    let desk = Desk::of_admin().await;
    let image = desk.boxed.push_image("team/app", "v1").await;
    let layout = desk.at("layout");
    desk.wharf(&format!("pull team/app:v1 --to oci:{layout}:v1")).await.ok();
    let layer = image.layers[0].digest.to_string();
    let file = format!("{layout}/blobs/sha256/{}", &layer[7..]);
    std::fs::write(&file, vec![0; image.layers[0].bytes.len()]).unwrap();
    let failed = desk.wharf(&format!("push team/bad:v1 --from oci:{layout}:v1")).await;
    assert!(failed.code == 1 && failed.err.contains(&layer), "{failed}");
    desk.boxed.get("/v2/team/bad/manifests/v1").await.expect(404);

    let other = desk.at("other");
    let failed = desk.wharf(&format!("copy oci:{layout}:v1 oci:{other}:v1")).await;
    assert!(failed.code == 1 && failed.err.contains(&layer), "{failed}");
    desk.wharf(&format!("digest oci:{other}:v1")).await.fails(4, "other");
}

#[tokio::test]
async fn a_digest_is_written_where_a_script_looks_for_it() {
    let desk = Desk::of_admin().await;
    let image = desk.boxed.push_image("team/app", "v1").await;
    let file = desk.at("digest");
    desk.wharf(&format!("copy team/app:v1 team/b --digestfile {file}")).await.ok();
    assert_eq!(std::fs::read_to_string(file).unwrap().trim(), image.manifest.digest.to_string());
}

#[tokio::test]
async fn a_digest_as_destination_is_kept_to() {
    let desk = Desk::of_admin().await;
    let image = desk.boxed.push_image("team/app", "v1").await;
    let other = desk.boxed.push_image("team/app", "v2").await.manifest.digest;
    desk.wharf(&format!("copy team/app:v1 team/b@{other}")).await.fails(2, "is to be that digest");
    let digest = image.manifest.digest;
    desk.wharf(&format!("copy team/app:v1 team/b@{digest}")).await.ok();
    desk.boxed.head(format!("/v2/team/b/manifests/{digest}")).await.expect(200);
}

#[tokio::test]
async fn what_an_image_is_not_there_for_is_said() {
    let desk = Desk::new().await;
    desk.wharf("copy team/app:v1 oci:x").await.fails(3, "wharf auth login HOST");
    desk.sign_in(ADMIN, "").await;
    desk.boxed.push_image("team/app", "v1").await;
    desk.wharf("copy team/app:v2 oci:x").await.fails(4, "team/app has no manifest v2");
    desk.wharf("copy ostree:x oci:x").await.fails(2, "ostree: is not read or written");
    desk.wharf("copy team/app:v1 oci:x --tag y").await.fails(2, "tags are given at registries only");
    let host = desk.host();
    desk.wharf("auth logout").await.ok();
    desk.wharf(&format!("copy {host}/team/app:v1 oci:x")).await.fails(3, &format!("wharf auth login {host}"));
}

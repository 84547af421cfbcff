use wharf_testkit::fake_registry::{Answer, FakeRegistry};

use super::*;

/// An OCI image whose layer is what its configuration says.
pub(super) fn tar_image() -> Image {
    let layer = Content::new("application/vnd.oci.image.layer.v1.tar", vec![0; 10_240]);
    let rootfs = json!({ "type": "layers", "diff_ids": [layer.digest] });
    let config = json!({ "architecture": "amd64", "os": "linux", "rootfs": rootfs });
    let config = Content::new("application/vnd.oci.image.config.v1+json", config.to_string());
    let manifest = Draft::image(&config, std::slice::from_ref(&layer)).content();
    Image { config, layers: vec![layer], manifest }
}

#[tokio::test]
async fn an_image_goes_to_files_of_every_kind_and_back_with_its_digest() {
    let desk = Desk::of_admin().await;
    for (tag, image) in [("oci", Image::random()), ("docker", Image::docker())] {
        desk.boxed.push("team/app", tag, &image).await;
        let digest = image.manifest.digest.to_string();
        for (transport, name) in [("oci", ":v1"), ("oci-archive", ":v1"), ("dir", "")] {
            let place = format!("{transport}:{}{name}", desk.at(&format!("{transport}-{tag}")));
            let said = desk.wharf(&format!("pull team/app:{tag} --preserve-digests --to {place}")).await.ok();
            assert_eq!(said, format!("{place} is {digest}\n"));
            let line = format!("push team/back:{tag} --tag latest --tag 1.0 --preserve-digests --from {place} -q");
            assert_eq!(desk.wharf(&line).await.ok(), format!("{digest}\n"));
            for name in [tag, "latest", "1.0"] {
                assert_eq!(desk.digest("team/back", name).await, digest);
            }
        }
    }
}

#[tokio::test]
async fn an_archive_of_dockers_keeps_the_image_and_not_its_manifest() {
    let desk = Desk::of_admin().await;
    let image = tar_image();
    desk.boxed.push("team/app", "v1", &image).await;
    let archive = format!("docker-archive:{}:team/app:v1", desk.at("app.tar"));
    desk.wharf(&format!("pull team/app:v1 --to {archive}")).await.ok();
    desk.wharf(&format!("push team/back:v1 --from {archive}")).await.ok();
    let back = desk.wharf("inspect --raw team/back:v1").await.ok();
    let back: Value = serde_json::from_str(&back).unwrap();
    assert_eq!(back["config"]["digest"], image.config.digest.to_string());
    assert_eq!(back["layers"][0]["mediaType"], "application/vnd.docker.image.rootfs.diff.tar.gzip");
    desk.wharf("verify team/back:v1").await.ok();
    // Compression is deterministic: a second time nothing is new.
    desk.wharf(&format!("push team/again:v1 --from {archive}")).await.ok();
    assert_eq!(desk.digest("team/again", "v1").await, desk.digest("team/back", "v1").await);
    desk.wharf(&format!("pull team/app:v1 --to {archive}")).await.fails(1, "app.tar");
}

#[tokio::test]
async fn manifests_and_layers_change_as_they_are_asked_to() {
    let desk = Desk::of_admin().await;
    let image = tar_image();
    desk.boxed.push("team/app", "v1", &image).await;
    let raw = async |tag: &str| -> Value {
        serde_json::from_str(&desk.wharf(&format!("inspect --raw team/app:{tag}")).await.ok()).unwrap()
    };
    for (flags, tag, kind) in [
        ("--compress gzip --compression-level 9", "gzip", "application/vnd.oci.image.layer.v1.tar+gzip"),
        ("--compress zstd", "zstd", "application/vnd.oci.image.layer.v1.tar+zstd"),
        ("--compress gzip --format docker", "docker", "application/vnd.docker.image.rootfs.diff.tar.gzip"),
    ] {
        desk.wharf(&format!("copy team/app:v1 team/app:{tag} {flags}")).await.ok();
        let manifest = raw(tag).await;
        assert_eq!(manifest["layers"][0]["mediaType"], kind);
        assert_eq!(manifest["config"]["digest"], image.config.digest.to_string());
        desk.wharf(&format!("verify team/app:{tag}")).await.ok();
        desk.wharf(&format!("copy team/app:{tag} team/app:back --compress none --format oci")).await.ok();
        let back = raw("back").await;
        assert_eq!(back["config"], image.config.descriptor(), "of {tag}");
        assert_eq!(back["layers"], json!([image.layers[0].descriptor()]), "of {tag}");
    }
    desk.wharf("copy team/app:v1 team/app:x --compress zstd --format docker").await.fails(2, "no zstd");
    desk.wharf("copy team/app:v1 team/app:x --compress gzip --preserve-digests").await.fails(2, "forbids");
    desk.wharf("copy team/app:v1 team/app:x --compress gzip --compression-level 10").await.fails(2, "from 1 to 9");
}

#[tokio::test]
async fn how_much_a_folder_unpacks_to_is_limited_as_it_is_said() {
    let desk = Desk::of_admin().await;
    let (folder, out) = (desk.at("folder"), desk.at("out"));
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(desk.at("folder/zeros"), vec![0; 100_000]).unwrap();
    desk.wharf(&format!("push team/files:v1 {folder}")).await.ok();
    desk.wharf(&format!("pull team/files:v1 {out} --unpack --unpack-limit 50KiB"))
        .await
        .fails(1, "more than 51200 bytes");
    assert!(!std::path::Path::new(&out).exists());
    for limit in ["1MiB", "none"] {
        desk.wharf(&format!("pull team/files:v1 {out} --unpack --unpack-limit {limit}")).await.ok();
    }
    let line = format!("pull team/files:v1 --to dir:{} --unpack-limit 1MiB", desk.at("dir"));
    desk.wharf(&line).await.fails(2, "--unpack-limit");
}

#[tokio::test]
async fn a_layer_that_is_not_what_its_image_says_is_not_packed() {
    let desk = Desk::of_admin().await;
    let mut image = tar_image();
    let other =
        json!({ "architecture": "amd64", "os": "linux", "rootfs": { "diff_ids": [Content::random(9).digest] } });
    image.config = Content::new(&image.config.media_type, other.to_string());
    image.manifest = Draft::image(&image.config, &image.layers).content();
    desk.boxed.push("team/app", "v1", &image).await;
    desk.wharf("copy team/app:v1 team/x:v1 --compress gzip -q").await.fails(1, "a layer unpacks to");
    desk.boxed.get("/v2/team/x/manifests/v1").await.expect(404);
}

#[tokio::test]
async fn what_refers_to_an_image_goes_along() {
    let desk = Desk::of_admin().await;
    let image = desk.boxed.push_image("team/app", "v1").await;
    let empty = Content::empty_json();
    desk.boxed.push_blob("team/app", &empty).await.expect(201);
    let sbom = Draft::artifact("application/x.sbom").subject(&image.manifest).content();
    desk.boxed.put_manifest("team/app", &sbom.digest, &sbom).await.expect(201);
    let about_it = Draft::artifact("application/x.note").subject(&sbom).content();
    desk.boxed.put_manifest("team/app", &about_it.digest, &about_it).await.expect(201);
    let layout = desk.at("layout");
    desk.wharf(&format!("copy --referrers team/app:v1 oci:{layout}:v1")).await.ok();
    desk.wharf(&format!("copy --referrers oci:{layout}:v1 team/copy:v1")).await.ok();
    let listed = desk.json("images get team/copy:v1").await;
    assert_eq!(listed["referrers"][0]["digest"], sbom.digest.to_string());
    desk.boxed.get(format!("/v2/team/copy/manifests/{}", about_it.digest)).await.expect(200);
    let rows = desk.json("images list team/copy").await;
    assert_eq!((&rows[0]["referrers"], &rows[0]["signatures"]), (&json!(1), &json!(0)));
    let refused = desk.wharf("copy --referrers --format docker team/app:v1 team/x:v1").await;
    assert!(refused.code != 0, "{refused}");
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
    let layer = &image.layers[0].digest;
    desk.boxed.head(format!("/v2/team/b/blobs/{layer}")).await.expect(404);
    let digest = image.manifest.digest;
    desk.wharf(&format!("copy team/app:v1 team/b@{digest}")).await.ok();
    desk.boxed.head(format!("/v2/team/b/manifests/{digest}")).await.expect(200);
}

#[tokio::test]
async fn what_an_image_is_not_there_for_is_said() {
    let desk = Desk::new().await;
    let x = desk.at("x");
    desk.wharf(&format!("copy team/app:v1 oci:{x}")).await.fails(3, "wharf auth login HOST");
    desk.sign_in(ADMIN, "").await;
    desk.boxed.push_image("team/app", "v1").await;
    desk.wharf(&format!("copy team/app:v2 oci:{x}")).await.fails(4, "team/app has no manifest v2");
    desk.wharf(&format!("copy ostree:x oci:{x}")).await.fails(2, "ostree: is not read or written");
    desk.wharf(&format!("copy team/app:v1 oci:{x} --tag y")).await.fails(2, "tags are given at registries only");
    let host = desk.host();
    desk.wharf("auth logout").await.ok();
    desk.wharf(&format!("copy {host}/team/app:v1 oci:{x}")).await.fails(3, &format!("wharf auth login {host}"));
    assert!(!std::path::Path::new(&x).exists());
}

#[tokio::test]
async fn a_source_is_read_again_only_where_its_content_is_the_matter() {
    let desk = Desk::of_admin().await;
    let (fake, image) = (FakeRegistry::start().await, Image::random());
    desk.boxed.push("team/app", "v1", &image).await;
    desk.wharf(&format!("pull team/app:v1 --to oci:{}:v1", desk.at("layout"))).await.ok();
    let layer = image.layers[0].digest.clone();
    let damaged = format!("{}/blobs/sha256/{}", desk.at("layout"), layer.hex());
    std::fs::write(&damaged, Content::random(image.layers[0].bytes.len()).bytes).unwrap();
    let copy = format!("copy oci:{}:v1 {}/team/app:v1 --dest-tls-verify=false", desk.at("layout"), fake.host());
    desk.wharf(&copy).await.fails(1, &damaged);
    fake.spoil("PUT /v2/team/app/blobs/uploads/", usize::MAX, move |request, answer| {
        let words = json!({ "errors": [{ "code": "TOO_LARGE", "message": "that is more than this proxy takes" }] });
        let is_layer = request.query("digest").is_some_and(|digest| digest == layer.as_str());
        if is_layer { Answer::new(413).json(&words) } else { answer }
    });
    desk.wharf(&copy).await.fails(1, "that is more than this proxy takes");
}

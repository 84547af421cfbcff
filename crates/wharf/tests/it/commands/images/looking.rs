use super::*;

#[tokio::test]
async fn an_image_is_shown_as_skopeo_shows_it() {
    let desk = Desk::of_admin().await;
    let image = desk.boxed.push_image("team/app", "v1").await;
    let shown = desk.json("inspect team/app:v1").await;
    assert_eq!(shown["Name"], format!("{}/team/app", desk.host()));
    assert_eq!(shown["Digest"], image.manifest.digest.to_string());
    assert_eq!(shown["RepoTags"], json!(["v1"]));
    assert_eq!(shown["Architecture"], "amd64");
    assert_eq!(shown["Layers"], json!([image.layers[0].digest.to_string()]));
    let said = desk.wharf("inspect --format '{{.Digest}} {{.Os}}' team/app:v1").await.ok();
    assert_eq!(said, format!("{} linux\n", image.manifest.digest));
    assert_eq!(desk.wharf("inspect --raw team/app:v1").await.ok().as_bytes(), image.manifest.bytes);
    assert_eq!(desk.wharf("inspect --raw --config team/app:v1").await.ok().as_bytes(), image.config.bytes);
    let people = desk.wharf("inspect team/app:v1").await.ok();
    assert!(people.contains("platform  linux/amd64") && people.contains("in 1 layer"), "{people}");
    assert_eq!(desk.wharf("digest team/app:v1").await.ok(), format!("{}\n", image.manifest.digest));
}

#[tokio::test]
async fn an_index_is_shown_and_its_images_when_they_are_chosen() {
    let desk = Desk::of_admin().await;
    let (index, [_, arm]) = desk.push_index("team/app", "v1").await;
    let people = desk.wharf("inspect team/app:v1").await.ok();
    assert!(people.contains("OCI index of 2") && people.contains("linux/arm64"), "{people}");
    let chosen = desk.wharf("inspect --platform linux/arm64 --raw team/app:v1").await.ok();
    assert_eq!(chosen.as_bytes(), arm.manifest.bytes);
    assert_eq!(desk.json("inspect --platform linux/arm64 team/app:v1").await["Digest"], index.digest.to_string());
    let digest = desk.wharf("digest --platform linux/arm64 team/app:v1").await.ok();
    assert_eq!(digest, format!("{}\n", arm.manifest.digest));
}

#[tokio::test]
async fn images_of_a_repository_and_of_an_org_are_listed() {
    let desk = Desk::of_admin().await;
    let image = desk.boxed.push_image("team/app", "v1").await;
    desk.push_index("team/multi", "v2").await;
    let hex = "a".repeat(64);
    desk.boxed.push("team/app", &format!("sha256-{hex}.sig"), &image).await;
    let rows = desk.json("images list team/app").await;
    assert_eq!(rows.as_array().unwrap().len(), 1, "{rows}");
    assert_eq!(rows[0]["tag"], "v1");
    assert_eq!(rows[0]["platforms"], json!(["linux/amd64"]));
    let size = image.config.bytes.len() + image.layers[0].bytes.len();
    assert_eq!(rows[0]["size"], size);
    let all = desk.json("images list team --all").await;
    let tags: Vec<&str> = all.as_array().unwrap().iter().filter_map(|row| row["tag"].as_str()).collect();
    assert_eq!(tags, [&format!("sha256-{hex}.sig"), "v1", "amd64", "arm64", "v2"]);
    assert_eq!(all[4]["platforms"], json!(["linux/amd64", "linux/arm64"]));

    let one = desk.json("images get team/app:v1").await;
    assert_eq!(one["digest"], image.manifest.digest.to_string());
    assert!(one["tags"].as_array().unwrap().contains(&json!("v1")), "{one}");
    assert_eq!(one["manifests"][0]["layers"], 1);
}

#[tokio::test]
async fn repositories_are_found_by_name() {
    let desk = Desk::of_admin().await;
    desk.boxed.push_image("team/needle", "v1").await;
    desk.boxed.push_image("team/hay", "v1").await;
    let host = desk.host();
    let found = desk.json("search needle").await;
    assert_eq!(found.as_array().unwrap().len(), 1, "{found}");
    assert_eq!(found[0]["name"], format!("{host}/team/needle"));
    let listed = desk.wharf(&format!("repos list --registry {host}")).await.ok();
    assert_eq!(listed, format!("NAME\n{host}/team/hay\n{host}/team/needle\n"));
}

#[tokio::test]
async fn what_differs_is_told_from_what_cannot_be_compared() {
    let desk = Desk::of_admin().await;
    let image = super::carrying::tar_image();
    desk.boxed.push("team/app", "v1", &image).await;
    let tar = desk.at("tree.tar");
    desk.wharf(&format!("export team/app:v1 -q -o {tar}")).await.ok();
    desk.wharf(&format!("import {tar} team/app:v2 --change 'USER app' --compression none -q")).await.ok();
    let same = desk.wharf("diff team/app:v1 team/app:v1").await;
    assert_eq!((same.code, same.err.as_str()), (0, ""), "{same}");
    let different = desk.wharf("diff team/app:v1 team/app:v2").await;
    assert_eq!(different.code, 1, "{different}");
    assert_eq!(different.err.lines().count(), 1, "it tells of nothing that it carried: {different}");
    assert_eq!(desk.wharf("diff -q team/app:v1 team/app:v2").await.err, different.err);
    desk.wharf("diff team/app:v1 team/app:v3").await.fails(4, "v3");

    let layout = desk.at("layout");
    desk.wharf(&format!("pull team/app:v1 --to oci:{layout}")).await.ok();
    let config = image.config.digest.to_string();
    std::fs::write(format!("{layout}/blobs/sha256/{}", &config[7..]), "no JSON").unwrap();
    desk.wharf(&format!("diff team/app:v1 oci:{layout}")).await.fails(2, &config[7..]);
}

#[tokio::test]
async fn a_damaged_image_is_told_from_a_whole_one() {
    let desk = Desk::of_admin().await;
    let (_, [amd, _]) = desk.push_index("team/app", "v1").await;
    let whole = desk.wharf("verify team/app:v1").await.ok();
    assert!(whole.contains("3 manifests and 4 blobs"), "{whole}");
    let layout = desk.at("layout");
    desk.wharf(&format!("pull --all team/app:v1 --to oci:{layout}")).await.ok();
    desk.wharf(&format!("verify oci:{layout}")).await.ok();
    let blob = |digest: &str| format!("{layout}/blobs/sha256/{}", &digest[7..]);
    let (layer, config) = (amd.layers[0].digest.to_string(), amd.config.digest.to_string());
    let mut bytes = std::fs::read(blob(&layer)).unwrap();
    bytes[3] ^= 1;
    std::fs::write(blob(&layer), bytes).unwrap();
    std::fs::remove_file(blob(&config)).unwrap();
    let report = desk.wharf(&format!("verify oci:{layout} --json")).await;
    assert!(report.code == 1 && report.err.contains("is damaged"), "{report}");
    let found: Value = serde_json::from_str(&report.out).unwrap();
    let named: Vec<&str> =
        found["problems"].as_array().unwrap().iter().filter_map(|problem| problem["digest"].as_str()).collect();
    assert_eq!(named.len(), 2, "{found}");
    assert!(named.contains(&layer.as_str()) && named.contains(&config.as_str()), "{found}");
}

#[tokio::test]
async fn a_layer_is_to_unpack_to_what_its_image_says() {
    let desk = Desk::of_admin().await;
    let mut image = carrying::tar_image();
    desk.boxed.push("team/app", "v1", &image).await;
    for how in ["gzip", "zstd", "none"] {
        desk.wharf(&format!("copy team/app:v1 team/app:{how} --compress {how}")).await.ok();
        desk.wharf(&format!("verify team/app:{how}")).await.ok();
    }
    let packed = desk.wharf("inspect --raw team/app:gzip").await.ok();
    let packed: Value = serde_json::from_str(&packed).unwrap();
    let other = Content::random(9).digest;
    for (diff_ids, said) in [(json!([other]), "it unpacks to sha256:"), (json!([other, other]), "its manifest has 1")] {
        let config = json!({ "architecture": "amd64", "os": "linux", "rootfs": { "diff_ids": diff_ids } });
        image.config = Content::new(&image.config.media_type, config.to_string());
        image.manifest = Draft::image(&image.config, &[]).set("layers", packed["layers"].clone()).content();
        desk.boxed.push("team/app", "lying", &image).await;
        let found = desk.wharf("verify team/app:lying").await;
        assert!(found.code == 1 && found.out.contains(said) && found.err.contains("is damaged"), "{found}");
    }
}

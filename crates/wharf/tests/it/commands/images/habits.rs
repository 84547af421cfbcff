//! Command lines of skopeo's.

use super::carrying::tar_image;
use super::*;

/// Where nobody is signed in, but for what a file says.
fn auth_file(desk: &Desk, name: &str, password: &str) -> String {
    use base64::Engine as _;
    let auth = base64::engine::general_purpose::STANDARD.encode(format!("{ADMIN}:{password}"));
    let path = desk.at(name);
    std::fs::write(&path, json!({ "auths": { desk.host(): { "auth": auth } } }).to_string()).unwrap();
    path
}

#[tokio::test]
async fn each_end_has_a_sign_in_and_certificates_of_its_own() {
    let desk = Desk::new().await;
    let digest = desk.boxed.push_image("team/app", "v1").await.manifest.digest.to_string();
    let (good, bad) = (auth_file(&desk, "good.json", PASSWORD), auth_file(&desk, "bad.json", "wrong"));
    let host = desk.host();
    let ends = format!("docker://{host}/team/app:v1 docker://{host}/team/back:v1");
    let line = |words: &str| format!("copy -q --insecure-policy --retry-times 3 {words} {ends}");
    assert_eq!(desk.wharf(&line(&format!("--authfile {good}"))).await.ok().trim(), digest);
    let both = format!("--src-authfile {good} --dest-authfile {good} --src-tls-verify=false --dest-tls-verify=false");
    assert_eq!(desk.wharf(&line(&both)).await.ok().trim(), digest);
    desk.wharf(&line(&format!("--authfile {good} --src-authfile {bad}"))).await.fails(3, "team/app");
    desk.wharf(&line(&format!("--authfile {good} --dest-no-creds"))).await.fails(3, "team/back");
    let nowhere = format!("--authfile {good} --dest-cert-dir {}", desk.at("none"));
    desk.wharf(&line(&nowhere)).await.fails(4, "none");
    desk.wharf(&format!("inspect --no-creds docker://{host}/team/app:v1")).await.fails(3, "team/app");
}

#[tokio::test]
async fn what_is_not_taken_is_answered_by_what_to_say_instead_and_never_repeated() {
    let desk = Desk::new().await;
    let ends = "docker://a.example/x docker://b.example/x";
    for (line, instead) in [
        (format!("copy --src-creds jane:Secret1 {ends}"), "--src-authfile"),
        (format!("copy --dest-creds=jane:Secret1 {ends}"), "--dest-authfile"),
        (format!("sync --dest-password Secret1 {ends}"), "--password-stdin"),
        ("inspect --creds jane:Secret1 docker://a.example/x".into(), "wharf auth login"),
        ("tags list --registry-token Secret1 docker://a.example/x".into(), "--authfile"),
        ("delete --password Secret1 docker://a.example/x:v1".into(), "--authfile"),
        (format!("copy --override-arch arm64 {ends}"), "--platform"),
        (format!("--override-arch arm64 copy {ends}"), "--platform"),
        (format!("--policy p.json copy {ends}"), "policy.json is not read"),
        (format!("copy --dest-daemon-host tcp://x:1 {ends}"), "DOCKER_HOST"),
    ] {
        let ran = desk.wharf(&line).await;
        assert!(!ran.err.contains("Secret1"), "{ran}");
        ran.fails(2, instead);
    }
    let help = desk.wharf("copy --help").await.ok();
    assert!(!help.contains("creds <") && !help.contains("insecure-policy"), "{help}");
}

#[tokio::test]
async fn of_an_index_goes_what_multi_arch_says() {
    let desk = Desk::of_admin().await;
    let (index, [amd, _]) = desk.push_index("team/app", "v1").await;
    let whole = index.digest.to_string();
    let copied = async |words: &str| desk.wharf(&format!("--insecure-policy copy -q {words}")).await.ok();
    assert_eq!(copied("--multi-arch all team/app:v1 team/all:v1").await.trim(), whole);
    let mut one = desk.wharf("copy --multi-arch system --json team/app:v1 team/one:v1").await.ok();
    assert!(one.contains(&amd.manifest.digest.to_string()) == cfg!(target_arch = "x86_64"), "{one}");
    one.retain(|c| c != '\n');
    assert!(one.contains("also has images for linux/") && one.contains("--all takes them along"), "{one}");
    assert_eq!(copied("--multi-arch index-only team/app:v1 team/all:again").await.trim(), whole);
    assert_eq!(desk.digest("team/all", "again").await, whole);
    assert_eq!(copied("--multi-arch index-only team/app:v1 team/bare:v1").await.trim(), whole);
    desk.wharf("inspect --platform linux/amd64 team/bare:v1").await.fails(4, "team/bare");
    let into_a_file = format!("copy --multi-arch index-only team/app:v1 oci:{}", desk.at("bare"));
    desk.wharf(&into_a_file).await.fails(2, "registries alone");
    desk.wharf("copy --multi-arch all --all team/app:v1 team/all:v1").await.fails(2, "--multi-arch");
}

#[tokio::test]
async fn an_image_for_another_platform_than_is_named_is_not_there() {
    let desk = Desk::of_admin().await;
    let image = tar_image();
    desk.boxed.push("team/app", "v1", &image).await;
    let only = "no image for linux/arm64; it is one image, for linux/amd64";
    for line in ["copy --platform linux/arm64 team/app:v1 team/no:v1", "digest --platform linux/arm64 team/app:v1"] {
        desk.wharf(line).await.fails(4, only);
    }
    desk.wharf("inspect --platform linux/arm64 team/app:v1").await.fails(4, only);
    desk.wharf("copy --platform linux/amd64 team/app:v1 team/yes:v1").await.ok();
    let file = desk.at("report.txt");
    std::fs::write(&file, "for everybody").unwrap();
    desk.wharf(&format!("push team/report:v1 {file}")).await.ok();
    desk.wharf("copy --platform linux/arm64 team/report:v1 team/report:v2").await.ok();
}

#[tokio::test]
async fn layers_are_compressed_by_skopeos_words_too() {
    let desk = Desk::of_admin().await;
    desk.boxed.push("team/app", "v1", &tar_image()).await;
    let media_type = async |words: &str| {
        let place = format!("dir:{}", desk.at(&format!("to{}", words.len())));
        desk.wharf(&format!("copy {words} --remove-signatures team/app:v1 {place}")).await.ok();
        let raw: Value = serde_json::from_str(&desk.wharf(&format!("inspect --raw {place}")).await.ok()).unwrap();
        raw["layers"][0]["mediaType"].as_str().unwrap().rsplit('.').next().unwrap().to_owned()
    };
    assert_eq!(media_type("--dest-compress").await, "tar+gzip");
    assert_eq!(media_type("--dest-compress --dest-compress-format zstd --dest-compress-level 5").await, "tar+zstd");
    assert_eq!(media_type("--dest-decompress").await, "tar");
    let line = format!("copy --dest-compress-level 5 team/app:v1 dir:{}", desk.at("no"));
    desk.wharf(&line).await.fails(2, "needs --compress");
}

#[tokio::test]
async fn an_archive_of_dockers_has_several_names_and_several_images() {
    let desk = Desk::of_admin().await;
    desk.boxed.push("team/app", "v1", &tar_image()).await;
    let folder = desk.at("archive");
    let archive = desk.at("app.tar");
    let line = format!("copy team/app:v1 docker-archive:{archive}:team/app:v1 --additional-tag team/app:stable");
    desk.wharf(&line).await.ok();
    desk.wharf("copy team/app:v1 team/back:v1 --additional-tag team/x:y").await.fails(2, "--tag at registries");
    desk.wharf(&format!("digest docker-archive:{archive}:team/app:stable")).await.ok();

    let tar = async |words: &str| run(desk.program("/bin/tar".as_ref(), words), "", words).await.ok();
    std::fs::create_dir(&folder).unwrap();
    tar(&format!("-x -f {archive} -C {folder}")).await;
    let list = format!("{folder}/manifest.json");
    let mut images: Value = serde_json::from_str(&std::fs::read_to_string(&list).unwrap()).unwrap();
    assert_eq!(images[0]["RepoTags"].as_array().unwrap().len(), 2, "{images}");
    let mut other = images[0].clone();
    other["RepoTags"] = json!(["example.com/other/tool:v2"]);
    images.as_array_mut().unwrap().push(other);
    std::fs::write(&list, images.to_string()).unwrap();
    let both = desk.at("both.tar");
    tar(&format!("-c -f {both} -C {folder} .")).await;

    let ran = desk.wharf(&format!("copy --all docker-archive:{both} team/back:v1")).await;
    assert!(ran.err.contains("wharf sync takes them all"), "{ran}");
    desk.wharf(&format!("sync docker-archive:{both} mirror")).await.ok();
    assert_eq!(desk.digest("mirror/app", "v1").await, desk.digest("mirror/tool", "v2").await);
}

#[tokio::test]
async fn sync_takes_the_transports_that_skopeo_says_with_options() {
    let desk = Desk::of_admin().await;
    let digest = desk.boxed.push_image("team/app", "v1").await.manifest.digest.to_string();
    let (host, folder) = (desk.host(), desk.at("usb"));
    desk.wharf(&format!("sync --src docker --dest dir --scoped --keep-going {host}/team/app {folder}")).await.ok();
    assert!(std::fs::exists(format!("{folder}/{host}/team/app:v1/manifest.json")).unwrap());
    desk.wharf(&format!("sync -s dir -d docker {folder} {host}/back")).await.ok();
    assert_eq!(desk.digest("back/app", "v1").await, digest);
    desk.wharf(&format!("sync --src oci-archive --dest dir a {folder}")).await.fails(2, "docker, dir, yaml");
}

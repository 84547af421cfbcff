use super::*;

fn image(text: &str) -> ImageName {
    text.parse().unwrap()
}

#[test]
fn docker_hub_has_one_name_and_a_library() {
    for text in ["docker.io/alpine:3", "registry-1.docker.io/alpine:3", "index.docker.io/library/alpine:3"] {
        assert_eq!(of_hub(image(text)).unwrap().to_string(), "docker.io/library/alpine:3");
    }
    assert_eq!(of_hub(image("quay.io/alpine")).unwrap().to_string(), "quay.io/alpine");
}

#[test]
fn a_digest_says_more_than_the_tag_beside_it() {
    let digest = format!("sha256:{}", "a".repeat(64));
    let asked = |text: &str| reference(&image(text)).unwrap().to_string();
    assert_eq!(asked("team/app"), "latest");
    assert_eq!(asked("team/app:v1"), "v1");
    assert_eq!(asked(&format!("team/app:v1@{digest}")), digest);
}

use proptest::prelude::*;

use super::*;

const DIGEST: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

fn parsed(text: &str) -> (Option<String>, String, Option<String>, bool) {
    let name: ImageName = text.parse().unwrap();
    assert_eq!(name.to_string(), text);
    (name.host, name.name.asked().to_owned(), name.tag.map(|tag| tag.to_string()), name.digest.is_some())
}

#[test]
fn a_name_falls_into_host_repository_tag_and_digest() {
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(parsed("alpine"), (None, "alpine".into(), None, false));
    assert_eq!(parsed("team/app:v1"), (None, "team/app".into(), some("v1"), false));
    assert_eq!(parsed("localhost/app"), (some("localhost"), "app".into(), None, false));
    assert_eq!(parsed("localhost:5000/a/b:X"), (some("localhost:5000"), "a/b".into(), some("X"), false));
    assert_eq!(parsed("quay.io/a/b"), (some("quay.io"), "a/b".into(), None, false));
    assert_eq!(parsed("[::1]:5000/a:b"), (some("[::1]:5000"), "a".into(), some("b"), false));
    assert_eq!(parsed("Registry/a"), (some("Registry"), "a".into(), None, false));
    assert_eq!(parsed(&format!("a/b:t@{DIGEST}")), (None, "a/b".into(), some("t"), true));
    assert_eq!(parsed(&format!("10.0.0.1:1/a@{DIGEST}")), (some("10.0.0.1:1"), "a".into(), None, true));
}

/// A colon in the only component begins a tag: `localhost:5000` is an image named so.
#[test]
fn a_lone_component_is_never_a_host() {
    assert_eq!(parsed("localhost:5000"), (None, "localhost".into(), Some("5000".into()), false));
}

#[test]
fn what_is_no_image_name_is_refused() {
    let too_long = format!("{}/a", "x.".repeat(200));
    for text in [
        "",
        ":v1",
        "/a",
        "a/",
        "a//b",
        "a:",
        "a:b:c",
        "a@",
        "a@sha256:ab",
        "a/B",
        "https://quay.io/a",
        "quay.io:/a",
        "quay.io:99999/a",
        "quay.io:+1/a",
        "-x.io/a",
        "quay..io/a",
        "[::1/a",
        "[x]:1/a",
        "a b",
        "a@b@c",
        &too_long,
    ] {
        assert!(text.parse::<ImageName>().is_err(), "{text}");
    }
}

#[test]
fn docker_hub_is_spelt_out_and_others_are_left_alone() {
    let spelt = |text: &str| text.parse::<ImageName>().unwrap().spelt_out();
    assert_eq!(spelt("alpine"), "docker.io/library/alpine:latest");
    assert_eq!(spelt("docker.io/alpine:3"), "docker.io/library/alpine:3");
    assert_eq!(spelt("index.docker.io/a/b:3"), "docker.io/a/b:3");
    assert_eq!(spelt("quay.io/alpine"), "quay.io/alpine:latest");
    assert_eq!(spelt(&format!("a/b:t@{DIGEST}")), format!("docker.io/a/b@{DIGEST}"));
}

proptest! {
    #[test]
    fn whatever_is_read_is_written_back(text in "[a-z.:/@A-Z0-9_-]{0,40}") {
        if let Ok(name) = text.parse::<ImageName>() {
            prop_assert_eq!(name.to_string(), text);
            prop_assert!(name.spelt_out().parse::<ImageName>().is_ok());
        }
    }
}

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{Algorithm, Digest, DigestError};

const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

fn descriptor(media_type: &str, content: &str) -> Value {
    json!({"mediaType": media_type, "digest": Digest::of(Algorithm::Sha256, content.as_bytes()), "size": content.len()})
}

fn image() -> Value {
    json!({
        "schemaVersion": 2, "mediaType": MediaType::OCI_MANIFEST,
        "config": descriptor(MediaType::OCI_CONFIG, "{}"), "layers": [descriptor(LAYER, "one"), descriptor(LAYER, "two")],
    })
}

fn index() -> Value {
    json!({"schemaVersion": 2, "mediaType": MediaType::OCI_INDEX, "manifests": [descriptor(MediaType::OCI_MANIFEST, "image")]})
}

/// `base` with the members of `changes` put over it; null takes a member away.
fn with(mut base: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    let members = base.as_object_mut().unwrap();
    for (key, value) in changes {
        if value.is_null() {
            members.remove(&key)
        } else {
            members.insert(key, value)
        };
    }
    base
}

fn parse(content_type: impl Into<Option<&'static str>>, body: &Value) -> Result<Manifest, ManifestError> {
    Manifest::parse(content_type.into(), body.to_string().as_bytes())
}

fn bare(body: &Value) -> Result<Manifest, ManifestError> {
    parse(None, body)
}

fn field(path: &str) -> impl Fn(&ManifestError) -> bool {
    move |error| matches!(error, ManifestError::Field { path: at, .. } | ManifestError::Digest { path: at, .. } if at == path)
}

#[test]
fn an_image_names_its_config_and_layers() {
    let manifest = parse(MediaType::OCI_MANIFEST, &image()).unwrap();
    assert_eq!((manifest.kind, manifest.media_type.as_str()), (Kind::Image, MediaType::OCI_MANIFEST));
    assert_eq!(manifest.config.unwrap().digest, Digest::of(Algorithm::Sha256, b"{}"));
    assert_eq!(manifest.layers.iter().map(|layer| layer.size).collect::<Vec<_>>(), [3, 3]);
    assert!(manifest.children.is_empty() && manifest.subject.is_none());
}

/// project-zot/zot#622: Docker's types are as good as OCI's.
#[test]
fn docker_types_are_read_like_ocis() {
    let image = with(image(), json!({"mediaType": MediaType::DOCKER_MANIFEST}));
    assert_eq!(parse(MediaType::DOCKER_MANIFEST, &image).unwrap().kind, Kind::Image);
    let list = with(index(), json!({"mediaType": MediaType::DOCKER_LIST}));
    assert_eq!(parse(MediaType::DOCKER_LIST, &list).unwrap().kind, Kind::Index);
}

#[test]
fn an_index_names_its_children_even_when_they_are_layers() {
    // moby/buildkit#1143: a build cache is an index of blobs.
    let children = json!([descriptor(LAYER, "cache"), descriptor("application/vnd.buildkit.cacheconfig.v0", "config")]);
    let manifest = bare(&with(index(), json!({"manifests": children}))).unwrap();
    assert_eq!(manifest.kind, Kind::Index);
    assert_eq!(manifest.children.iter().map(|child| child.size).collect::<Vec<_>>(), [5, 6]);
}

/// containerd/containerd#3110
#[test]
fn a_header_that_says_nothing_leaves_it_to_the_body() {
    for content_type in [None, Some(""), Some("application/json"), Some("application/octet-stream; x=y")] {
        assert_eq!(parse(content_type, &image()).unwrap().media_type.as_str(), MediaType::OCI_MANIFEST);
        let silent = |body| with(body, json!({"mediaType": null}));
        assert_eq!(parse(content_type, &silent(image())).unwrap().media_type.as_str(), MediaType::OCI_MANIFEST);
        assert_eq!(parse(content_type, &silent(index())).unwrap().media_type.as_str(), MediaType::OCI_INDEX);
        assert_eq!(parse(content_type, &json!({"schemaVersion": 2})), Err(ManifestError::UnknownType));
    }
    let empty = json!({"schemaVersion": 2, "manifests": Value::Null});
    assert!(bare(&empty).unwrap().children.is_empty());
}

#[test]
fn header_and_body_must_agree() {
    assert!(matches!(parse(MediaType::OCI_INDEX, &image()), Err(ManifestError::TypeMismatch { .. })));
    assert!(matches!(parse("text/plain", &image()), Err(ManifestError::TypeMismatch { .. })));
    assert!(matches!(parse("nonsense", &image()), Err(ManifestError::MediaType(_))));
    assert!(parse("application/vnd.oci.image.manifest.v1+json; charset=utf-8", &image()).is_ok());
    let with_parameter = with(image(), json!({"mediaType": "application/vnd.oci.image.manifest.v1+json; a=b"}));
    assert!(bare(&with_parameter).is_err_and(|error| field("mediaType")(&error)));
}

/// GHSA-77vh-xpmg-72qh
#[test]
fn an_image_that_is_also_an_index_is_refused() {
    for extra in [json!({"manifests": []}), json!({"manifests": index()["manifests"]})] {
        assert_eq!(parse(MediaType::OCI_MANIFEST, &with(image(), extra)), Err(ManifestError::Ambiguous));
    }
    for extra in [json!({"layers": []}), json!({"config": {}}), json!({"fsLayers": []})] {
        for content_type in [Some(MediaType::OCI_INDEX), None, Some("application/vnd.other+json")] {
            let body = with(with(index(), extra.clone()), json!({"mediaType": null}));
            assert_eq!(parse(content_type, &body), Err(ManifestError::Ambiguous), "{content_type:?} {extra}");
        }
    }
    let declared_index = with(image(), json!({"mediaType": MediaType::OCI_INDEX}));
    assert_eq!(bare(&declared_index), Err(ManifestError::Ambiguous));
    assert_eq!(bare(&with(index(), json!({"mediaType": MediaType::OCI_MANIFEST}))), Err(ManifestError::Ambiguous));
}

#[test]
fn a_key_may_stand_once_in_each_object() {
    let image = image().to_string();
    let twice = |key: &str| Err(ManifestError::DuplicateKey(key.into()));
    let deep = image.replacen("\"size\":3", "\"x\":[{\"k\":1,\"k\":1}],\"size\":3", 1);
    let escaped = image.replacen("\"layers\"", "\"layer\\u0073\":[],\"layers\"", 1);
    let top = image.replacen("\"layers\"", "\"config\":{},\"layers\"", 1);
    for (body, key) in [(deep, "k"), (escaped, "layers"), (top, "config")] {
        assert_eq!(Manifest::parse(None, body.as_bytes()), twice(key), "{body}");
        assert_eq!(Manifest::parse(Some("application/vnd.other+json"), body.as_bytes()), twice(key), "{body}");
    }
}

/// Go's JSON reader ignores case, so `Layers` is a second `layers` to most clients.
#[test]
fn a_key_that_go_reads_as_ours_is_refused() {
    let misspelt = |error| matches!(error, ManifestError::Misspelt { .. });
    assert!(bare(&with(image(), json!({"Layers": []}))).is_err_and(misspelt));
    assert!(bare(&with(index(), json!({"layer\u{17f}": []}))).is_err_and(misspelt));
    let layer = with(descriptor(LAYER, "one"), json!({"Digest": "x"}));
    assert!(bare(&with(image(), json!({"layers": [layer]}))).is_err_and(misspelt));
    assert!(bare(&with(image(), json!({"annotations": {"Digest": "a", "digest": "b"}}))).is_ok());
}

#[test]
fn docker_schema_1_is_refused_by_type_and_by_shape() {
    for content_type in [MediaType::DOCKER_SCHEMA1, MediaType::DOCKER_SCHEMA1_SIGNED] {
        assert_eq!(Manifest::parse(Some(content_type), b"{}"), Err(ManifestError::Schema1));
    }
    for body in [
        json!({"schemaVersion": 1, "fsLayers": []}),
        json!({"fsLayers": []}),
        json!({"schemaVersion": 1}),
        json!({"schemaVersion": 1, "layers": []}),
    ] {
        for content_type in [None, Some("application/json")] {
            assert_eq!(parse(content_type, &body), Err(ManifestError::Schema1), "{body}");
        }
    }
    assert_eq!(
        parse(MediaType::OCI_MANIFEST, &with(image(), json!({"schemaVersion": 1}))),
        Err(ManifestError::Schema1)
    );
}

#[test]
fn the_schema_version_is_the_number_2() {
    for version in [Value::Null, json!("2"), json!(2.5), json!(3), json!([2])] {
        let body = with(image(), json!({"schemaVersion": version}));
        assert!(matches!(bare(&body), Err(ManifestError::SchemaVersion { .. })), "{body}");
    }
}

#[test]
fn nesting_is_limited_whatever_the_type() {
    let nested = |open: &str, close: &str, depth: usize| {
        let body = image().to_string();
        format!("{},\"x\":{}1{}}}", &body[..body.len() - 1], open.repeat(depth), close.repeat(depth))
    };
    for (open, close) in [("[", "]"), ("{\"k\":", "}")] {
        assert!(Manifest::parse(None, nested(open, close, 31).as_bytes()).is_ok());
        for depth in [32, 100_000] {
            assert_eq!(Manifest::parse(None, nested(open, close, depth).as_bytes()), Err(ManifestError::TooDeep));
        }
    }
    let unclosed = format!("{{\"x\":{}", "[".repeat(1_000_000));
    assert_eq!(Manifest::parse(Some("application/vnd.other+json"), unclosed.as_bytes()), Err(ManifestError::TooDeep));
}

#[test]
fn what_is_no_json_object_is_refused() {
    let marked = format!("\u{feff}{}", image());
    let trailing = format!("{} {{}}", image());
    for body in
        ["", " ", "[]", "null", "1", "\"x\"", "{", "{}x", "{\"a\":}", "{\"a\":1,}", "{'a':1}", "\0", &marked, &trailing]
    {
        assert!(matches!(Manifest::parse(None, body.as_bytes()), Err(ManifestError::NotJson { .. })), "{body}");
    }
    assert!(matches!(Manifest::parse(None, b"{\"a\":\"\xff\"}"), Err(ManifestError::NotJson { .. })));
}

#[test]
fn unknown_members_are_tolerated_at_any_depth() {
    let layer =
        with(descriptor(LAYER, "one"), json!({"platform": {"x": [1, -1, 1.5, true, "s"]}, "annotations": {"k": 5}}));
    let body = with(image(), json!({"layers": [layer], "new": {"deep": [[{}]]}, "blobs": 5, "artifactory": "x"}));
    assert_eq!(bare(&body).unwrap().layers.len(), 1);
}

#[test]
fn null_lists_and_maps_are_empty() {
    let body = image().to_string();
    let nulls = format!(
        "{},\"manifests\":null,\"annotations\":null,\"subject\":null,\"artifactType\":null}}",
        &body[..body.len() - 1]
    );
    let manifest = Manifest::parse(None, nulls.as_bytes()).unwrap();
    assert!(manifest.annotations.is_empty() && manifest.subject.is_none() && manifest.children.is_empty());
    assert!(bare(&with(image(), json!({"layers": null}))).unwrap().layers.is_empty());
    let no_children = index().to_string().replace(&index()["manifests"].to_string(), "null");
    assert!(Manifest::parse(None, no_children.as_bytes()).unwrap().children.is_empty());
}

#[test]
fn a_member_of_the_wrong_shape_is_named() {
    let layer = |changes| json!({"layers": [descriptor(LAYER, "one"), with(descriptor(LAYER, "two"), changes)]});
    for (changes, path) in [
        (json!({"config": null}), "config"),
        (json!({"config": []}), "config"),
        (json!({"layers": {}}), "layers"),
        (json!({"layers": [5]}), "layers[0]"),
        (json!({"layers": [Value::Null]}), "layers[0]"),
        (json!({"annotations": {"k": 1}}), "annotations"),
        (json!({"annotations": {"k": Value::Null}}), "annotations"),
        (json!({"annotations": []}), "annotations"),
        (json!({"artifactType": 1}), "artifactType"),
        (json!({"mediaType": 1}), "mediaType"),
        (json!({"subject": "x"}), "subject"),
        (json!({"subject": {"mediaType": LAYER, "size": 1}}), "subject.digest"),
        (layer(json!({"mediaType": null})), "layers[1].mediaType"),
        (layer(json!({"digest": "sha256:totallywrong"})), "layers[1].digest"),
        (layer(json!({"size": null})), "layers[1].size"),
        (layer(json!({"size": -1})), "layers[1].size"),
        (layer(json!({"size": 1.0})), "layers[1].size"),
        (layer(json!({"size": "3"})), "layers[1].size"),
        (layer(json!({"size": 9_223_372_036_854_775_808_u64})), "layers[1].size"),
        (layer(json!({"urls": "http://x"})), "layers[1].urls"),
        (layer(json!({"data": 5})), "layers[1].data"),
    ] {
        let error = bare(&with(image(), changes)).unwrap_err();
        assert!(field(path)(&error), "{path}: {error}");
    }
    assert!(bare(&with(image(), layer(json!({"size": i64::MAX})))).is_ok());
    assert!(
        bare(&with(index(), json!({"manifests": null, "mediaType": MediaType::OCI_INDEX}))).is_err_and(|error| field(
            "manifests"
        )(
            &error
        ))
    );
}

#[test]
fn a_child_of_an_unsupported_algorithm_is_refused() {
    let child =
        with(descriptor(MediaType::OCI_MANIFEST, "x"), json!({"digest": "md5:d41d8cd98f00b204e9800998ecf8427e"}));
    assert_eq!(
        bare(&with(index(), json!({"manifests": [child]}))),
        Err(ManifestError::Digest {
            path: "manifests[0].digest".into(),
            source: DigestError::UnsupportedAlgorithm("md5".into())
        })
    );
}

/// oras-project/oras#666, distribution/distribution#4927: the subject is not looked up here.
#[test]
fn a_subject_is_taken_from_images_and_indexes() {
    for base in [image(), index()] {
        let manifest = bare(&with(base, json!({"subject": descriptor(MediaType::OCI_MANIFEST, "subject")}))).unwrap();
        assert_eq!(manifest.subject.unwrap().digest, Digest::of(Algorithm::Sha256, b"subject"));
    }
}

#[test]
fn the_referrer_type_is_its_own_or_the_configs() {
    // sigstore/cosign#4995: older signatures only set the config's type.
    let signature = with(image(), json!({"config": descriptor("application/vnd.dev.sigstore.bundle.v0.3+json", "{}")}));
    assert_eq!(bare(&signature).unwrap().referrer_type(), Some("application/vnd.dev.sigstore.bundle.v0.3+json"));
    let typed = |base, own: &str| bare(&with(base, json!({"artifactType": own}))).unwrap();
    assert_eq!(typed(image(), "a/b").referrer_type(), Some("a/b"));
    assert_eq!(typed(image(), "").referrer_type(), Some(MediaType::OCI_CONFIG));
    assert_eq!(typed(index(), "a/b").referrer_type(), Some("a/b"));
    assert_eq!(typed(index(), "").referrer_type(), None);
}

/// docker/hub-feedback#2132, google/go-containerregistry#1418
#[test]
fn what_lies_elsewhere_or_comes_along_is_not_required() {
    let required = |changes: Value| {
        let layer = with(descriptor(LAYER, "{}"), changes);
        bare(&with(image(), json!({"layers": [layer]}))).unwrap().layers[0].is_required()
    };
    assert!(required(json!({})) && required(json!({"urls": []})));
    assert!(!required(json!({"urls": ["https://example.org/layer"]})));
    assert!(!required(json!({"mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"})));
    assert!(!required(json!({"data": "e30="})));
    assert!(
        required(json!({"data": "e30"}))
            && required(json!({"data": "AAA="}))
            && required(json!({"data": "e30=", "size": 3}))
    );
}

#[test]
fn legacy_artifacts_have_their_blobs_as_layers() {
    for media_type in [MediaType::OCI_ARTIFACT_LEGACY, MediaType::ORAS_ARTIFACT_LEGACY] {
        let body = json!({
            "mediaType": media_type, "artifactType": "application/x", "blobs": [descriptor("a/b", "blob")],
            "subject": descriptor(MediaType::OCI_MANIFEST, "subject"), "annotations": {"k": "v"},
        });
        let manifest = bare(&body).unwrap();
        assert_eq!(
            (manifest.kind, manifest.layers.len(), manifest.referrer_type()),
            (Kind::LegacyArtifact, 1, Some("application/x"))
        );
        assert!(manifest.subject.is_some() && manifest.annotations["k"] == "v");
    }
}

#[test]
fn an_unknown_type_gives_what_has_the_shape_of_references() {
    let body = json!({
        "layers": [descriptor(LAYER, "one"), 5, {"digest": "x"}], "config": "none", "blobs": [descriptor("a/b", "two")],
        "subject": descriptor("a/b", "subject"), "annotations": {"k": 1}, "artifactType": 5, "schemaVersion": 1,
    });
    let manifest = parse("application/vnd.other+json", &body).unwrap();
    assert_eq!((manifest.kind, manifest.layers.len()), (Kind::Opaque, 2));
    assert!(manifest.config.is_none() && manifest.subject.is_some() && manifest.annotations.is_empty());
}

#[test]
fn an_unknown_type_must_still_be_a_json_object() {
    for body in [b"\xff\x00 goods".as_slice(), b"<html>", b"[]", b"", b"\xef\xbb\xbf{}", b"{broken"] {
        assert!(matches!(Manifest::parse(Some("application/vnd.other"), body), Err(ManifestError::NotJson { .. })));
    }
}

#[test]
fn errors_stay_short_whatever_was_sent() {
    let long = "x".repeat(100_000);
    let layer = with(descriptor(LAYER, "one"), json!({"digest": long}));
    for body in [
        with(image(), json!({"mediaType": long})),
        with(image(), json!({"schemaVersion": long})),
        with(image(), json!({"layers": [layer]})),
    ] {
        for content_type in [None, Some(MediaType::OCI_MANIFEST)] {
            assert!(parse(content_type, &body).unwrap_err().to_string().len() < 400);
        }
    }
}

fn any_type() -> impl Strategy<Value = Option<&'static str>> {
    proptest::sample::select(vec![
        None,
        Some(MediaType::OCI_MANIFEST),
        Some(MediaType::OCI_INDEX),
        Some(MediaType::OCI_ARTIFACT_LEGACY),
        Some("application/vnd.other+json"),
    ])
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(content_type in any_type(), bytes: Vec<u8>) {
        let _ = Manifest::parse(content_type, &bytes);
    }

    #[test]
    fn broken_manifests_are_read_without_panic(
        content_type in any_type(),
        is_index: bool,
        cuts in proptest::collection::vec((any::<proptest::sample::Index>(), any::<proptest::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let mut bytes = if is_index { index() } else { image() }.to_string().into_bytes();
        for (at, from, byte) in cuts {
            let (at, from) = (at.index(bytes.len()), from.index(bytes.len()));
            bytes[at] = if byte < 200 { bytes[from] } else { byte };
            if byte % 7 == 0 {
                let end = (at + usize::from(byte)).min(bytes.len());
                bytes.drain(at..end);
                bytes.push(b'}');
            }
        }
        if let Ok(manifest) = Manifest::parse(content_type, &bytes) {
            prop_assert_eq!(Manifest::parse(Some(manifest.media_type.as_str()), &bytes), Ok(manifest.clone()));
            prop_assert!(manifest.kind != Kind::Image || (manifest.config.is_some() && manifest.children.is_empty()));
        }
    }
}

#[test]
fn a_child_says_what_it_runs_on_and_what_it_is_called() {
    let mut child = descriptor(MediaType::OCI_MANIFEST, "x");
    child["platform"] = json!({"os": "linux", "architecture": "arm64"});
    child["annotations"] = json!({"org.opencontainers.image.ref.name": "v1"});
    let odd = with(child.clone(), json!({"platform": "linux", "annotations": ["v1"], "artifactType": 1}));
    let manifest = bare(&with(index(), json!({"manifests": [child, odd]}))).unwrap();
    assert_eq!(manifest.children[0].platform, Some("linux/arm64".parse().unwrap()));
    assert_eq!(manifest.children[0].annotations["org.opencontainers.image.ref.name"], "v1");
    let odd = &manifest.children[1];
    assert!(odd.platform.is_none() && odd.annotations.is_empty() && odd.artifact_type.is_none(), "tolerated as before");
}

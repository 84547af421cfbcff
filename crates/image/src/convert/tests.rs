use serde_json::{Value, json};
use wharf_oci::Algorithm;

use super::*;

const OCI_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const DOCKER_GZIP: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";

fn sha(text: &str) -> Digest {
    Digest::of(Algorithm::Sha256, text.as_bytes())
}

fn descriptor(media_type: &str, text: &str) -> Value {
    json!({"mediaType": media_type, "size": text.len(), "digest": sha(text)})
}

fn stored(body: &Value) -> Stored {
    Stored::new(None, body.to_string()).unwrap()
}

fn oci_image(layer: &str) -> Value {
    json!({
        "schemaVersion": 2, "mediaType": MediaType::OCI_MANIFEST,
        "config": descriptor(MediaType::OCI_CONFIG, "config"), "layers": [descriptor(layer, "layer")],
    })
}

fn body(stored: &Stored) -> Value {
    serde_json::from_slice(&stored.bytes).unwrap()
}

fn converted(body: &Value, to: Format) -> Result<Stored, ConvertError> {
    convert(&stored(body), to, &Replacements::new())
}

fn refusal(body: &Value) -> String {
    converted(body, Format::Docker).unwrap_err().to_string()
}

#[test]
fn an_image_goes_to_docker_and_comes_back_the_same() {
    let oci = stored(&oci_image(OCI_GZIP));
    let docker = convert(&oci, Format::Docker, &Replacements::new()).unwrap();
    assert_eq!(
        body(&docker),
        json!({
            "schemaVersion": 2, "mediaType": MediaType::DOCKER_MANIFEST,
            "config": descriptor(MediaType::DOCKER_CONFIG, "config"), "layers": [descriptor(DOCKER_GZIP, "layer")],
        })
    );
    assert_eq!(
        (docker.media_type.as_str(), &docker.digest),
        (MediaType::DOCKER_MANIFEST, &Digest::of(Algorithm::Sha256, &docker.bytes))
    );
    assert_eq!(body(&convert(&docker, Format::Oci, &Replacements::new()).unwrap()), body(&oci));
}

#[test]
fn what_is_of_the_format_already_stays_to_the_byte() {
    let odd = Stored::new(None, format!("{}  ", oci_image(OCI_GZIP))).unwrap();
    assert_eq!(convert(&odd, Format::Oci, &Replacements::new()).unwrap(), odd);
}

#[test]
fn layers_are_replaced_and_the_rest_of_the_manifest_is_kept() {
    let mut image = oci_image("application/vnd.oci.image.layer.v1.tar+zstd");
    image["annotations"] = json!({"a": "b"});
    image["x-own"] = json!(1);
    image["layers"][0]["annotations"] = json!({"io.github.containers.zstd-chunked.manifest-position": "1:2:3:4"});
    let new = Descriptor::new(OCI_GZIP, sha("new"), 3);
    let replaced = Replacements::from([(sha("layer"), new)]);
    let same = body(&convert(&stored(&image), Format::Oci, &replaced).unwrap());
    assert_eq!(same["layers"][0], descriptor(OCI_GZIP, "new"));
    assert_eq!((&same["annotations"], &same["x-own"]), (&json!({"a": "b"}), &json!(1)));
    let docker = body(&convert(&stored(&image), Format::Docker, &replaced).unwrap());
    assert_eq!(docker["layers"][0], descriptor(DOCKER_GZIP, "new"));
    assert!(docker.get("annotations").is_none());
}

#[test]
fn what_annotations_say_of_a_replaced_layer_stays_unless_it_is_about_its_bytes() {
    let mut image = oci_image("application/vnd.oci.image.layer.v1.tar+zstd");
    image["layers"][0]["annotations"] = json!({
        "org.opencontainers.image.title": "site", "io.github.containers.zstd-chunked.manifest-position": "1:2:3:4",
        "containerd.io/snapshot/stargz/toc.digest": sha("toc"),
    });
    let replaced = Replacements::from([(sha("layer"), Descriptor::new(OCI_GZIP, sha("new"), 3))]);
    let new = body(&convert(&stored(&image), Format::Oci, &replaced).unwrap());
    assert_eq!(new["layers"][0]["annotations"], json!({"org.opencontainers.image.title": "site"}));
}

#[test]
fn a_list_of_dockers_may_name_images_of_ocis() {
    let platform = json!({"os": "linux", "architecture": "amd64"});
    let mut entry = descriptor(MediaType::OCI_MANIFEST, "child");
    entry["platform"] = platform;
    let list = json!({"schemaVersion": 2, "mediaType": MediaType::DOCKER_LIST, "manifests": [entry]});
    let new = Descriptor::new(MediaType::OCI_MANIFEST, sha("new child"), 9);
    let list = convert(&stored(&list), Format::Docker, &Replacements::from([(sha("child"), new)])).unwrap();
    let named = &body(&list)["manifests"][0];
    assert_eq!((&named["mediaType"], &named["digest"]), (&json!(MediaType::OCI_MANIFEST), &json!(sha("new child"))));
}

#[test]
fn what_becomes_dockers_is_written_as_docker_and_skopeo_write_it() {
    let docker = converted(&oci_image(OCI_GZIP), Format::Docker).unwrap();
    let named = |media_type: &str, text: &str| {
        format!(r#"{{"mediaType":"{media_type}","size":{},"digest":"{}"}}"#, text.len(), sha(text))
    };
    let expected = format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","config":{},"layers":[{}]}}"#,
        MediaType::DOCKER_MANIFEST,
        named(MediaType::DOCKER_CONFIG, "config"),
        named(DOCKER_GZIP, "layer"),
    );
    assert_eq!(String::from_utf8_lossy(&docker.bytes), expected);
}

#[test]
fn layers_that_lie_elsewhere_keep_their_urls() {
    let foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    let mut image = oci_image(foreign);
    image["mediaType"] = json!(MediaType::DOCKER_MANIFEST);
    image["config"]["mediaType"] = json!(MediaType::DOCKER_CONFIG);
    image["layers"][0]["urls"] = json!(["https://example.com/x"]);
    let oci = body(&converted(&image, Format::Oci).unwrap());
    assert_eq!(oci["layers"][0]["mediaType"], "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip");
    assert_eq!(oci["layers"][0]["urls"], image["layers"][0]["urls"]);
}

#[test]
fn an_index_goes_over_with_its_children() {
    let child = stored(&oci_image(OCI_GZIP));
    let platform = json!({"os": "linux", "architecture": "amd64"});
    let entry = json!({"mediaType": MediaType::OCI_MANIFEST, "digest": child.digest, "size": child.size(), "platform": platform});
    let index = json!({"schemaVersion": 2, "mediaType": MediaType::OCI_INDEX, "manifests": [entry]});
    let docker = convert(&child, Format::Docker, &Replacements::new()).unwrap();
    let replaced = Replacements::from([(child.digest.clone(), docker.descriptor())]);
    let list = convert(&stored(&index), Format::Docker, &replaced).unwrap();
    assert_eq!(list.media_type.as_str(), MediaType::DOCKER_LIST);
    let entry = json!({"mediaType": MediaType::DOCKER_MANIFEST, "digest": docker.digest, "size": docker.size(), "platform": platform});
    assert_eq!(body(&list)["manifests"], json!([entry]));
    assert!(refusal(&index).contains("was not converted with it"));
    let mut bare = index;
    bare["manifests"][0].as_object_mut().unwrap().remove("platform");
    let error = convert(&stored(&bare), Format::Docker, &replaced).unwrap_err().to_string();
    assert!(error.contains("names no platform"), "{error}");
}

#[test]
fn what_docker_cannot_say_is_refused() {
    let zstd = refusal(&oci_image("application/vnd.oci.image.layer.v1.tar+zstd"));
    assert!(zstd.contains("tar+zstd, which Docker does not know"), "{zstd}");
    assert!(refusal(&oci_image("application/vnd.in-toto+json")).contains("in-toto"));
    let mut artifact = oci_image(OCI_GZIP);
    artifact["config"]["mediaType"] = json!(MediaType::OCI_EMPTY);
    assert!(refusal(&artifact).contains("it is an artifact"));
    let mut signature = oci_image(OCI_GZIP);
    signature["subject"] = descriptor(MediaType::OCI_MANIFEST, "subject");
    assert!(refusal(&signature).contains("refers to a subject"));
    let opaque = Stored::new(Some("application/x-other"), "{}").unwrap();
    assert!(
        convert(&opaque, Format::Oci, &Replacements::new()).unwrap_err().to_string().contains("application/x-other")
    );
}

#[test]
fn a_format_is_read_as_it_is_written() {
    for (text, format) in [("oci", Format::Oci), ("docker", Format::Docker), ("v2s2", Format::Docker)] {
        assert_eq!(text.parse(), Ok(format));
    }
    assert!("v2s1".parse::<Format>().is_err());
    assert_eq!(Format::Docker.layer_type(Compression::ZSTD), None);
}

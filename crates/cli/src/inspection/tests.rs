use super::*;
use serde_json::json;

fn image(config: &Value) -> Image {
    let bytes = config.to_string();
    let descriptor =
        |kind: &str, of: &[u8]| json!({"mediaType": kind, "digest": digest(of).to_string(), "size": of.len()});
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MediaType::OCI_MANIFEST,
        "config": descriptor(MediaType::OCI_CONFIG, bytes.as_bytes()),
        "layers": [descriptor("application/vnd.oci.image.layer.v1.tar+gzip", b"layer")],
    });
    let manifest = manifest.to_string();
    Image {
        shown: "team/app:v1".into(),
        repository: "registry.example.com/team/app".into(),
        root: digest(b"index"),
        digest: digest(manifest.as_bytes()),
        manifest: Manifest::parse(None, manifest.as_bytes()).unwrap(),
        raw: config.clone(),
        config: ImageConfig::parse(bytes.as_bytes()).ok(),
        tags: vec!["v1".into()],
    }
}

fn digest(bytes: &[u8]) -> Digest {
    Digest::of(wharf_oci::Algorithm::Sha256, bytes)
}

fn config() -> Value {
    json!({
        "created": "2026-01-02T03:04:05.120000000+00:00",
        "architecture": "arm64", "os": "linux", "variant": "v8",
        "config": {"Env": ["A=b"], "Labels": {"x": "y"}, "Cmd": ["sh", "-c"], "User": "1000"},
        "rootfs": {"type": "layers", "diff_ids": []},
        "history": [{"created_by": "/bin/sh -c #(nop)  CMD [\"sh\"]", "empty_layer": true}],
    })
}

#[test]
fn programs_get_skopeos_members() {
    let value = serde_json::to_value(image(&config()).as_skopeo()).unwrap();
    let expected = json!({
        "Name": "registry.example.com/team/app",
        "Digest": digest(b"index").to_string(),
        "RepoTags": ["v1"],
        "Created": "2026-01-02T03:04:05.12Z",
        "DockerVersion": "",
        "Labels": {"x": "y"},
        "Architecture": "arm64",
        "Os": "linux",
        "Layers": [digest(b"layer").to_string()],
        "LayersData": [{
            "MIMEType": "application/vnd.oci.image.layer.v1.tar+gzip",
            "Digest": digest(b"layer").to_string(), "Size": 5, "Annotations": null,
        }],
        "Env": ["A=b"],
    });
    assert_eq!(value, expected);
}

#[test]
fn times_are_written_as_go_writes_them() {
    for (created, expected) in [
        (json!("2026-01-02T03:04:05Z"), json!("2026-01-02T03:04:05Z")),
        (json!("2026-01-02T03:04:05.000+02:00"), json!("2026-01-02T03:04:05+02:00")),
        (json!("2026-01-02T03:04:05.123456789Z"), json!("2026-01-02T03:04:05.123456789Z")),
        (json!("not a time"), json!("not a time")),
        (json!(null), json!(null)),
    ] {
        let mut config = config();
        config["created"] = created;
        assert_eq!(serde_json::to_value(image(&config).as_skopeo()).unwrap()["Created"], expected);
    }
}

#[test]
fn people_see_how_it_runs_and_how_it_was_made() {
    let text = image(&config()).as_text();
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for expected in ["platform linux/arm64/v8", "user 1000", "command [\"sh\", \"-c\"]", "label x=y"] {
        assert!(words.contains(expected), "no '{expected}' in\n{text}");
    }
    assert!(text.ends_with("history, as a Containerfile\n  CMD [\"sh\"]\n"), "{text}");
}

#[test]
fn templates_are_gos() {
    let fill = |template: &str| filled_in(template, &image(&config()).as_skopeo(), Members::Known);
    assert_eq!(fill("{{.Name}}").unwrap(), "registry.example.com/team/app\n");
    assert_eq!(fill("{{.RepoTags}} {{.Os}}/{{.Architecture}}").unwrap(), "[v1] linux/arm64\n");
    assert_eq!(fill("{{range .Env}}{{.}}\\n{{end}}").unwrap(), "A=b\n");
    assert_eq!(fill("{{json .Labels}}").unwrap(), "{\"x\":\"y\"}\n");
    assert!(matches!(fill("{{.Name"), Err(Error::Usage(_))));
    let all: Value = serde_json::from_str(&fill("json").unwrap()).unwrap();
    assert_eq!(all, serde_json::to_value(image(&config()).as_skopeo()).unwrap());
}

#[test]
fn a_mistyped_member_is_told_and_a_label_that_an_image_has_not_is_none() {
    let fill = |template: &str| filled_in(template, &image(&config()).as_skopeo(), Members::Known);
    for template in ["{{.Nope}}", "{{range .LayersData}}{{.Nope}}{{end}}", "{{if .Nope}}x{{end}}"] {
        let error = fill(template).unwrap_err().to_string();
        assert!(error.contains("there is no Nope in it"), "{template}: {error}");
    }
    assert_eq!(fill("{{.Labels.x}}{{if .Labels.nope}}!{{end}}").unwrap(), "y\n");
    assert_eq!(fill("{{range .LayersData}}{{if .Annotations.nope}}!{{end}}{{end}}").unwrap(), "\n");
    let any = filled_in("{{if .Nope}}x{{end}}", &config(), Members::Any);
    assert_eq!(any.unwrap(), "\n");
}

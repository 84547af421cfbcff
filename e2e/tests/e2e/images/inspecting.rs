use super::*;

/// Images whose configurations say as much, or as little, as builders let them.
fn configurations() -> Vec<(&'static str, Value)> {
    let rootfs = json!({ "type": "layers", "diff_ids": [digest_of(b"layer")] });
    vec![
        ("bare", json!({ "architecture": "amd64", "os": "linux", "rootfs": rootfs })),
        (
            "full",
            json!({
                "architecture": "arm64", "variant": "v8", "os": "linux", "author": "somebody",
                "created": "2026-01-02T03:04:05.120300000Z", "docker_version": "20.10.24",
                "config": {
                    "Env": ["PATH=/bin", "EMPTY="], "Labels": { "z": "1", "a": "<&>" }, "Entrypoint": ["/bin/sh"],
                    "Cmd": ["-c"], "User": "1000", "ExposedPorts": { "80/tcp": {} }
                },
                "history": [{ "created": "2026-01-02T03:04:05Z", "created_by": "/bin/sh -c true" }],
                "rootfs": rootfs,
            }),
        ),
        (
            "nulls",
            json!({
                "architecture": "amd64", "os": "linux", "created": "2026-01-02T03:04:05+02:00",
                "config": { "Env": null, "Labels": {}, "Cmd": null }, "history": null, "rootfs": rootfs,
            }),
        ),
    ]
}

/// Pushes an image of one layer whose configuration is this.
fn push(yard: &Yard, tag: &str, manifest_type: &str, config: &Value, types: [&str; 2]) {
    let api = yard.wharf.api();
    let (config, layer) = (config.to_string().into_bytes(), b"layer".to_vec());
    for blob in [&config, &layer] {
        api.push_blob("team/inspect", blob).unwrap();
    }
    let descriptor =
        |kind: &str, bytes: &[u8]| json!({ "mediaType": kind, "digest": digest_of(bytes), "size": bytes.len() });
    let manifest = json!({
        "schemaVersion": 2, "mediaType": manifest_type,
        "config": descriptor(types[0], &config), "layers": [descriptor(types[1], &layer)],
    });
    api.push_manifest("team/inspect", tag, manifest_type, manifest.to_string().as_bytes()).unwrap();
}

#[test]
fn what_skopeo_says_of_an_image_wharf_says_too() {
    let yard = Yard::new();
    let oci = "application/vnd.oci.image";
    let docker = "application/vnd.docker";
    let mut names = vec![];
    for (name, config) in configurations() {
        let kinds = [format!("{oci}.config.v1+json"), format!("{oci}.layer.v1.tar+gzip")];
        push(&yard, &format!("{name}-oci"), &format!("{oci}.manifest.v1+json"), &config, [&kinds[0], &kinds[1]]);
        let kinds = [format!("{docker}.container.image.v1+json"), format!("{docker}.image.rootfs.diff.tar.gzip")];
        let manifest_type = format!("{docker}.distribution.manifest.v2+json");
        push(&yard, &format!("{name}-docker"), &manifest_type, &config, [&kinds[0], &kinds[1]]);
        names.extend([format!("team/inspect:{name}-oci"), format!("team/inspect:{name}-docker")]);
    }
    yard.image("team/made:crane");
    names.push("team/made:crane".into());
    let host = yard.wharf.host();
    for name in names {
        let reference = format!("docker://{host}/{name}");
        let theirs: Value = serde_json::from_str(&yard.skopeo(&format!("inspect {reference}"))).unwrap();
        let ours: Value = serde_json::from_str(&yard.ok(&format!("inspect --json {reference}"))).unwrap();
        for (member, value) in theirs.as_object().unwrap() {
            assert_eq!(ours[member], *value, "{member} of {name}");
        }
        for template in ["{{.Name}} {{.Digest}} {{.RepoTags}}", "{{.Architecture}}", "{{range .Layers}}{{.}}{{end}}"] {
            let theirs = yard.skopeo(&format!("inspect --format '{template}' {reference}"));
            assert_eq!(yard.ok(&format!("inspect --format '{template}' {reference}")), theirs, "{template} of {name}");
        }
        assert_eq!(yard.ok(&format!("inspect --raw {reference}")), yard.skopeo(&format!("inspect --raw {reference}")));
        assert_eq!(yard.ok(&format!("digest {reference}")), yard.digest(&reference));
    }
    let tags = yard.skopeo(&format!("list-tags docker://{host}/team/inspect"));
    let theirs: Value = serde_json::from_str(&tags).unwrap();
    let ours: Value = serde_json::from_str(&yard.ok(&format!("tags list --json {host}/team/inspect"))).unwrap();
    assert_eq!(ours, theirs);
}

use super::*;

/// Every form of file that both know, and whether it keeps an OCI image's digest.
const FILES: [(&str, bool); 4] = [("oci", true), ("oci-archive", true), ("dir", true), ("docker-archive", false)];

#[test]
fn skopeo_reads_what_wharf_wrote_and_the_reverse() {
    let yard = Yard::new();
    let (peer, image) = (yard.peer.clone(), yard.oci_image("team/app:v1"));
    let source = format!("docker://{image}");
    let (digest, config) = (yard.digest(&source), yard.config(&source));
    for (transport, keeps) in FILES {
        let name = if transport == "dir" { "" } else { ":registry.example/app:v1" };
        let (ours, theirs) =
            (format!("{transport}:ours-{transport}{name}"), format!("{transport}:theirs-{transport}{name}"));
        yard.ok(&format!("copy {source} {ours}"));
        yard.skopeo(&format!("copy {source} {theirs}"));
        // Each out of what the other made, to the other registry.
        yard.skopeo(&format!("copy {ours} docker://{peer}/skopeo/{transport}:v1"));
        yard.ok(&format!("copy {theirs} docker://{peer}/wharf/{transport}:v1"));
        for by in ["skopeo", "wharf"] {
            let back = format!("docker://{peer}/{by}/{transport}:v1");
            assert_eq!(yard.config(&back), config, "{by} {transport}");
            if keeps {
                assert_eq!(yard.digest(&back), digest, "{by} {transport}");
            }
            yard.ok(&format!("verify {back}"));
            yard.sandbox.ok(&format!("crane validate --remote {peer}/{by}/{transport}:v1"));
        }
        yard.ok(&format!("verify {ours}"));
        yard.ok(&format!("verify {theirs}"));
    }
}

#[test]
fn an_index_goes_through_every_form_that_holds_one() {
    let yard = Yard::new();
    let host = yard.wharf.host();
    crate::clients::push_index(&yard.wharf, "team/multi", "v1");
    let source = format!("docker://{host}/team/multi:v1");
    let digest = yard.digest(&source);
    for transport in ["oci", "oci-archive", "dir"] {
        let name = if transport == "dir" { "" } else { ":v1" };
        yard.ok(&format!("copy --all {source} {transport}:all-{transport}{name}"));
        yard.skopeo(&format!("copy --all {transport}:all-{transport}{name} docker://{host}/skopeo/{transport}:v1"));
        yard.ok(&format!("copy --all {transport}:all-{transport}{name} docker://{host}/wharf/{transport}:v1"));
        for by in ["skopeo", "wharf"] {
            assert_eq!(yard.digest(&format!("docker://{host}/{by}/{transport}:v1")), digest, "{by} {transport}");
        }
    }
    yard.run(&format!("copy --all {source} docker-archive:all.tar")).fails_with("choose with --platform");
    yard.ok(&format!("copy --all {source} docker://{}/team/multi:v1", yard.peer));
    assert_eq!(yard.digest(&format!("docker://{}/team/multi:v1", yard.peer)), digest);
}

#[test]
fn formats_and_compressions_change_only_when_asked_for() {
    let yard = Yard::new();
    let (host, image) = (yard.wharf.host(), yard.image("team/app:v1"));
    let source = format!("docker://{image}");
    let (digest, config) = (yard.digest(&source), yard.config(&source));
    yard.ok(&format!("copy {source} docker://{}/app:same", yard.peer));
    assert_eq!(yard.digest(&format!("docker://{}/app:same", yard.peer)), digest);
    // What skopeo makes of it, and what we do, is the same to the byte.
    yard.ok(&format!("copy --format oci {source} docker://{host}/team/app:oci"));
    yard.ok(&format!("copy --format docker docker://{host}/team/app:oci docker://{host}/team/app:back"));
    let back: Value = serde_json::from_str(&yard.ok(&format!("inspect --raw {host}/team/app:back"))).unwrap();
    let before: Value = serde_json::from_str(&yard.ok(&format!("inspect --raw {source}"))).unwrap();
    assert_eq!(back, before);
    yard.run(&format!("copy --preserve-digests --format oci {source} {host}/team/app:x"))
        .fails_with("--preserve-digests forbids");

    yard.ok(&format!("copy --compress zstd --compression-level 5 {source} {host}/team/app:zstd"));
    let zstd: Value = serde_json::from_str(&yard.ok(&format!("inspect --raw {host}/team/app:zstd"))).unwrap();
    assert_eq!(zstd["layers"][0]["mediaType"], "application/vnd.oci.image.layer.v1.tar+zstd");
    assert_eq!(zstd["config"]["digest"], config.as_str());
    yard.ok(&format!("verify {host}/team/app:zstd"));
    let podman = crate::clients::podman::command(&yard.sandbox);
    for tag in ["oci", "zstd", "v1"] {
        yard.sandbox.ok(&format!("{podman} pull {host}/team/app:{tag}"));
        let said = yard.sandbox.ok(&format!("{podman} run --rm {host}/team/app:{tag} -c 'busybox echo hello'"));
        assert_eq!(said, "hello", "{tag}");
        yard.sandbox.ok(&format!("{podman} rmi -a -f"));
    }
}

#[test]
fn podman_and_crane_load_archives_of_wharfs_and_it_reads_theirs() {
    let yard = Yard::new();
    let (host, image) = (yard.wharf.host(), yard.image("team/app:v1"));
    let podman = crate::clients::podman::command(&yard.sandbox);
    yard.ok(&format!("pull {image} --to docker-archive:ours.tar:{image}"));
    yard.sandbox.ok(&format!("{podman} load -i ours.tar"));
    let said = yard.sandbox.ok(&format!("{podman} run --rm {image} -c 'busybox echo hello'"));
    assert_eq!(said, "hello");
    yard.sandbox.ok(&format!("crane push ours.tar {host}/team/app:crane"));
    assert_eq!(yard.config(&format!("docker://{host}/team/app:crane")), yard.config(&format!("docker://{image}")));

    for format in ["docker-archive", "oci-archive"] {
        yard.sandbox.ok(&format!("{podman} save --format {format} -o podman-{format}.tar {image}"));
        yard.ok(&format!("push {host}/team/app:{format} --from {format}:podman-{format}.tar"));
        yard.ok(&format!("verify {host}/team/app:{format}"));
        let config = yard.config(&format!("docker://{host}/team/app:{format}"));
        assert_eq!(config, yard.config(&format!("{format}:podman-{format}.tar")), "{format}");
    }
    // Through a pipe, which stays one.
    let through = format!("{} pull -q {host}/team/app:v1 --to docker-archive:/dev/stdout", binary().display());
    let listed = yard.sandbox.ok(&format!("sh -c '{through} | tar t'"));
    assert!(listed.contains("manifest.json"), "{listed}");
    yard.sandbox.ok(&format!("crane pull {image} crane.tar"));
    yard.ok(&format!("push {host}/team/app:tarball --from docker-archive:crane.tar"));
    yard.sandbox.ok(&format!("crane validate --remote {host}/team/app:tarball"));
}

#[test]
fn signatures_go_along_to_registries_of_either_kind() {
    let yard = Yard::new();
    let (host, peer) = (yard.wharf.host(), yard.peer.clone());
    let image = yard.oci_image("team/app:v1");
    let digest = yard.digest(&format!("docker://{image}"));
    let api = yard.wharf.api();
    let empty = b"{}".to_vec();
    api.push_blob("team/app", &empty).unwrap();
    let size = yard.skopeo(&format!("inspect --raw docker://{image}")).len();
    let oci = "application/vnd.oci.image.manifest.v1+json";
    let none = json!({ "mediaType": "application/vnd.oci.empty.v1+json", "digest": digest_of(&empty), "size": 2 });
    let referrer = json!({
        "schemaVersion": 2, "mediaType": oci, "artifactType": "application/x.sbom", "config": none, "layers": [none],
        "subject": { "mediaType": oci, "digest": digest, "size": size },
    });
    let referrer = referrer.to_string().into_bytes();
    api.push_manifest("team/app", &digest_of(&referrer), oci, &referrer).unwrap();
    // Cosign's signatures are images with a tag that has the digest in it.
    let tag = digest.replace(':', "-") + ".sig";
    yard.sandbox.ok(&format!("crane copy {} {host}/team/app:{tag}", yard.oci_image("team/signature:v1")));

    for to in [format!("{host}/other/app:v1"), format!("{peer}/other/app:v1")] {
        yard.ok(&format!("copy --referrers {image} docker://{to}"));
        let repository = to.trim_end_matches(":v1");
        yard.ok(&format!("digest {repository}@{}", digest_of(&referrer)));
        yard.ok(&format!("digest {repository}:{tag}"));
        let listed: Value = serde_json::from_str(&yard.ok(&format!("images list --json {repository}"))).unwrap();
        assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
        assert_eq!((listed[0]["signatures"].as_u64(), listed[0]["referrers"].as_u64()), (Some(1), Some(1)), "{listed}");
    }
    for (file, repository) in [("oci:kept", "back/folder"), ("oci-archive:kept.tar", "back/archive")] {
        yard.ok(&format!("copy --referrers {image} {file}"));
        yard.ok(&format!("copy --referrers {file} {host}/{repository}:v1"));
        assert_eq!(yard.ok(&format!("digest {host}/{repository}:v1")).trim(), digest, "{file}");
        yard.ok(&format!("digest {host}/{repository}:{tag}"));
        yard.ok(&format!("digest {host}/{repository}@{}", digest_of(&referrer)));
    }
    yard.run(&format!("copy --referrers {image} dir:folder")).fails_with("no room for signatures");
    yard.run(&format!("copy --referrers --format docker {image} {host}/other/app:v2")).fails_with("it is an artifact");
}

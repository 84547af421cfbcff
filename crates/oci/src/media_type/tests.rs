use super::*;

#[test]
fn parameters_are_cut_and_case_is_kept() {
    for header in
        ["application/Vnd.Foo+json", " application/Vnd.Foo+json ; charset=utf-8", "application/Vnd.Foo+json;a;b=c"]
    {
        assert_eq!(MediaType::parse(header).unwrap().as_str(), "application/Vnd.Foo+json");
    }
}

#[test]
fn texts_outside_rfc_6838_are_refused() {
    let long = format!("application/{}", "x".repeat(128));
    for bad in [
        "",
        ";",
        "/",
        "text",
        "text/",
        "/plain",
        "a/b/c",
        "text/pl ain",
        "te\0xt/x",
        "text/caf\u{e9}",
        "*/*",
        "a/b,c/d",
        "a/\n",
        &long,
    ] {
        assert!(MediaType::parse(bad).is_err(), "{bad:?}");
    }
    assert!(MediaType::parse(&long[..long.len() - 1]).is_ok());
}

#[test]
fn every_type_we_name_is_one() {
    use MediaType as M;
    for name in [
        M::OCI_MANIFEST,
        M::OCI_INDEX,
        M::OCI_CONFIG,
        M::OCI_EMPTY,
        M::DOCKER_MANIFEST,
        M::DOCKER_LIST,
        M::DOCKER_SCHEMA1,
        M::DOCKER_SCHEMA1_SIGNED,
        M::DOCKER_CONFIG,
        M::OCI_ARTIFACT_LEGACY,
        M::ORAS_ARTIFACT_LEGACY,
    ] {
        assert_eq!(M::parse(name).unwrap().is_docker(), [M::DOCKER_MANIFEST, M::DOCKER_LIST].contains(&name), "{name}");
    }
}

#[test]
fn foreign_and_nondistributable_layers_are_told_apart() {
    assert!(MediaType::is_foreign_layer("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"));
    assert!(MediaType::is_foreign_layer("application/vnd.oci.image.layer.nondistributable.v1.tar+zstd"));
    assert!(!MediaType::is_foreign_layer("application/vnd.docker.image.rootfs.diff.tar.gzip"));
    assert!(!MediaType::is_foreign_layer("application/vnd.oci.image.layer.v1.tar"));
}

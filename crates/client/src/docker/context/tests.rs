use super::*;

/// A folder of docker's with one context, and that as the current one.
fn folder(name: &str, meta: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let id = Digest::of(Algorithm::Sha256, name.as_bytes());
    let meta_folder = folder.path().join("contexts/meta").join(id.hex());
    std::fs::create_dir_all(&meta_folder).unwrap();
    std::fs::write(meta_folder.join("meta.json"), meta).unwrap();
    std::fs::write(folder.path().join("config.json"), format!(r#"{{"auths":{{}},"currentContext":"{name}"}}"#))
        .unwrap();
    folder
}

const ROOTLESS: &str = r#"{"Name":"rootless","Metadata":{},"Endpoints":{"docker":{"Host":"unix:///run/user/7/docker.sock","SkipTLSVerify":false}}}"#;

#[test]
fn the_current_context_says_where_docker_is_unless_another_is_named() {
    let rootless = folder("rootless", ROOTLESS);
    let socket = Some(Host::Unix("/run/user/7/docker.sock".into()));
    assert_eq!(Host::of_context(rootless.path(), None).unwrap(), socket);
    assert_eq!(Host::of_context(rootless.path(), Some("rootless")).unwrap(), socket);
    assert_eq!(Host::of_context(rootless.path(), Some("default")).unwrap(), None);
    let other = Host::of_context(rootless.path(), Some("desktop")).unwrap_err().to_string();
    assert!(other.contains("desktop") && other.contains("docker context ls"), "{other}");
}

#[test]
fn without_contexts_there_is_the_default_one() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(Host::of_context(folder.path(), None).unwrap(), None);
    assert_eq!(Host::of_context(&folder.path().join("none"), None).unwrap(), None);
    std::fs::write(folder.path().join("config.json"), "{}").unwrap();
    assert_eq!(Host::of_context(folder.path(), None).unwrap(), None);
}

#[test]
fn a_context_with_tls_has_its_certificates() {
    let meta = r#"{"Name":"far","Endpoints":{"docker":{"Host":"tcp://far:2376"}}}"#;
    let far = folder("far", meta);
    let address = "far:2376".to_owned();
    let bare = Host::Tcp { address: address.clone(), certificates: None };
    assert_eq!(Host::of_context(far.path(), None).unwrap(), Some(bare));
    let tls = far.path().join("contexts/tls").join(Digest::of(Algorithm::Sha256, b"far").hex()).join("docker");
    std::fs::create_dir_all(&tls).unwrap();
    assert_eq!(Host::of_context(far.path(), None).unwrap(), Some(Host::Tcp { address, certificates: Some(tls) }));
}

#[test]
fn what_cannot_be_used_is_told_with_its_name() {
    for (meta, words) in [
        (r#"{"Endpoints":{"docker":{"Host":"ssh://far"}}}"#, "'ssh://far', and expected unix://"),
        (r#"{"Endpoints":{}}"#, "does not say where"),
        (r#"{"Endpoints":{"docker":{"Host":""}}}"#, "does not say where"),
        ("not JSON", "meta.json: "),
    ] {
        let error = Host::of_context(folder("odd", meta).path(), None).unwrap_err().to_string();
        assert!(error.contains("docker's context odd") && error.contains(words), "{error}");
    }
    let broken = tempfile::tempdir().unwrap();
    std::fs::write(broken.path().join("config.json"), "{").unwrap();
    assert!(Host::of_context(broken.path(), None).unwrap_err().to_string().contains("config.json"));
}

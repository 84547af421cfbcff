use std::os::unix::fs::PermissionsExt as _;

use tempfile::TempDir;

use super::*;

const DAY: Duration = Duration::from_hours(24);

fn names(own: &Path) -> Vec<String> {
    let chain = read_chain(own).unwrap();
    let (_, parsed) = x509_parser::parse_x509_certificate(&chain[0]).unwrap();
    self_signed::names_of(&parsed)
}

fn text(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// A certificate and a key for `name` in `folder`.
fn put(folder: &TempDir, name: &str) -> (PathBuf, PathBuf) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let (certificate, key) = (folder.path().join("tls.crt"), folder.path().join("tls.key"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    (certificate, key)
}

fn served(reloader: &Reloader) -> Vec<String> {
    let current = reloader.current();
    let (_, parsed) = x509_parser::parse_x509_certificate(&current.cert[0]).unwrap();
    self_signed::names_of(&parsed)
}

#[test]
fn the_ca_is_kept_over_restarts_and_its_key_is_private() {
    let data = tempfile::tempdir().unwrap();
    let own = self_signed(data.path(), &["Registry.Example".into(), "[2001:db8::1]".into()]).unwrap();
    let (ca, server) = (text(own.ca_file()), text(own.server_file()));
    let names = names(&own.server_file());
    for name in ["localhost", "127.0.0.1", "::1", "registry.example", "2001:db8::1"] {
        assert!(names.contains(&name.to_owned()), "{name} in {names:?}");
    }
    let again = self_signed(data.path(), &["2001:DB8::1".into(), "registry.example".into()]).unwrap();
    assert_eq!((text(again.ca_file()), text(again.server_file())), (ca, server));
    for private in ["tls/ca.key", "tls/server.pem"] {
        assert_eq!(std::fs::metadata(data.path().join(private)).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let left: Vec<_> =
        std::fs::read_dir(data.path().join("tls")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "{left:?}");
}

#[test]
fn the_server_certificate_is_renewed_for_new_names_and_before_its_end() {
    let data = tempfile::tempdir().unwrap();
    let own = SelfSigned::new(data.path(), ["a"].into_iter());
    own.renew().unwrap();
    let (ca, first) = (text(own.ca_file()), text(own.server_file()));
    own.renew_at(now() + DAY * 360).unwrap();
    assert_eq!(text(own.server_file()), first, "more than 30 days are left");
    own.renew_at(now() + DAY * 368).unwrap();
    let second = text(own.server_file());
    assert_ne!(second, first, "less than 30 days were left");
    let more = SelfSigned::new(data.path(), ["a", "b"].into_iter());
    more.renew().unwrap();
    assert_eq!(names(&more.server_file()), ["a", "b"]);
    assert_eq!(text(own.ca_file()), ca);
}

#[test]
fn a_server_certificate_of_another_ca_or_cut_short_is_replaced() {
    let (data, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (own, foreign) =
        (SelfSigned::new(data.path(), ["a"].into_iter()), SelfSigned::new(other.path(), ["a"].into_iter()));
    own.renew().unwrap();
    foreign.renew().unwrap();
    for bad in [text(foreign.server_file()), String::new(), text(own.server_file())[..200].to_owned()] {
        std::fs::write(own.server_file(), &bad).unwrap();
        own.renew().unwrap();
        assert_ne!(text(own.server_file()), bad);
        load(&own.server_file(), &own.server_file()).unwrap();
    }
}

#[test]
fn a_ca_without_its_key_is_not_replaced_silently() {
    let data = tempfile::tempdir().unwrap();
    let own = self_signed(data.path(), &[]).unwrap();
    std::fs::remove_file(data.path().join("tls/ca.key")).unwrap();
    assert!(own.renew().unwrap_err().to_string().contains("ca.key"));
}

#[test]
fn a_client_that_trusts_the_ca_accepts_the_server() {
    let data = tempfile::tempdir().unwrap();
    let own = self_signed(data.path(), &["registry.example".into()]).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(read_chain(&own.ca_file()).unwrap().remove(0)).unwrap();
    let client = rustls::ClientConfig::builder_with_provider(Arc::new(provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = Arc::new(client);
    let server = server_config(Reloader::own(own).unwrap()).unwrap();
    for name in ["registry.example", "localhost", "127.0.0.1", "::1"] {
        let mut client = rustls::ClientConnection::new(Arc::clone(&client), name.try_into().unwrap()).unwrap();
        let mut server = rustls::ServerConnection::new(Arc::clone(&server)).unwrap();
        shake_hands(&mut client, &mut server).unwrap();
    }
    let mut client = rustls::ClientConnection::new(client, "evil.example".try_into().unwrap()).unwrap();
    let mut server = rustls::ServerConnection::new(server).unwrap();
    shake_hands(&mut client, &mut server).unwrap_err();
}

fn shake_hands(
    client: &mut rustls::ClientConnection,
    server: &mut rustls::ServerConnection,
) -> Result<(), rustls::Error> {
    while client.is_handshaking() || server.is_handshaking() {
        let mut wire = Vec::new();
        client.write_tls(&mut wire).unwrap();
        server.read_tls(&mut wire.as_slice()).unwrap();
        server.process_new_packets()?;
        let mut wire = Vec::new();
        server.write_tls(&mut wire).unwrap();
        let mut wire = wire.as_slice();
        while !wire.is_empty() {
            client.read_tls(&mut wire).unwrap();
            client.process_new_packets()?;
        }
    }
    Ok(())
}

#[test]
fn a_changed_certificate_is_swapped_in() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = put(&folder, "old.example");
    let reloader = Reloader::open(&certificate, &key).unwrap();
    assert!(!reloader.reload_if_changed().unwrap());
    put(&folder, "renewed.example");
    assert!(reloader.reload_if_changed().unwrap());
    assert_eq!(served(&reloader), ["renewed.example"]);
    put(&folder, "by-hangup.example");
    reloader.reload().unwrap();
    assert_eq!(served(&reloader), ["by-hangup.example"]);
    assert!(!reloader.reload_if_changed().unwrap());
}

#[test]
fn bad_new_files_keep_the_old_certificate_and_are_complained_of_once() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = put(&folder, "old.example");
    let reloader = Reloader::open(&certificate, &key).unwrap();
    std::fs::write(&certificate, "not a certificate").unwrap();
    assert!(!reloader.reload_if_changed().unwrap(), "the other file may be about to follow");
    reloader.reload_if_changed().unwrap_err();
    assert!(!reloader.reload_if_changed().unwrap());
    reloader.reload().unwrap_err();
    std::fs::remove_file(&certificate).unwrap();
    assert!(!reloader.reload_if_changed().unwrap());
    reloader.reload_if_changed().unwrap_err();
    assert_eq!(served(&reloader), ["old.example"]);
    put(&folder, "mended.example");
    assert!(reloader.reload_if_changed().unwrap());
    assert_eq!(served(&reloader), ["mended.example"]);
}

#[test]
fn two_files_replaced_one_after_the_other_are_one_change() {
    let (folder, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (certificate, key) = put(&folder, "old.example");
    let (new_certificate, new_key) = put(&new, "new.example");
    let reloader = Reloader::open(&certificate, &key).unwrap();
    std::fs::rename(new_certificate, &certificate).unwrap();
    assert!(!reloader.reload_if_changed().unwrap());
    std::fs::rename(new_key, &key).unwrap();
    assert!(reloader.reload_if_changed().unwrap());
    assert_eq!(served(&reloader), ["new.example"]);
}

#[test]
fn what_cannot_be_used_is_refused_with_its_file_and_reason() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (certificate, key) = put(&folder, "a.example");
    let (_, other_key) = put(&other, "b.example");
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "hello").unwrap();
    let encrypted = folder.path().join("encrypted.pem");
    std::fs::write(&encrypted, "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n")
        .unwrap();
    let missing = folder.path().join("missing.pem");
    for (certificate, key, file, reason) in [
        (&certificate, &other_key, "tls.key", "does not belong to"),
        (&empty, &key, "empty.pem", "no certificate"),
        (&key, &key, "tls.key", "no certificate"),
        (&certificate, &certificate, "tls.crt", "no private key"),
        (&certificate, &encrypted, "encrypted.pem", "encrypted"),
        (&missing, &key, "missing.pem", "cannot read"),
    ] {
        let error = load(certificate, key).unwrap_err().to_string();
        assert!(error.contains(file) && error.contains(reason), "{error}");
    }
}

#[test]
fn an_expired_certificate_still_loads() {
    let folder = tempfile::tempdir().unwrap();
    let mut params = rcgen::CertificateParams::new(["a".to_owned()]).unwrap();
    (params.not_before, params.not_after) = (rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(2021, 1, 1));
    let key = rcgen::KeyPair::generate().unwrap();
    let path = folder.path().join("a.pem");
    std::fs::write(&path, params.self_signed(&key).unwrap().pem() + &key.serialize_pem()).unwrap();
    load(&path, &path).unwrap();
    let doubt = doubt(&path).unwrap().unwrap();
    assert!(doubt.contains("a.pem expired on ") && doubt.contains("2021"), "{doubt}");
    let (certificate, _) = put(&folder, "registry.example");
    assert_eq!(super::doubt(&certificate).unwrap(), None);
}

#[test]
fn the_guide_names_every_clients_place() {
    let own = SelfSigned::new(Path::new("/my data"), std::iter::empty());
    let guide = own.instructions("registry.example:5000");
    for line in [
        "sudo install -D -m 644 '/my data/tls/ca.crt' /etc/docker/certs.d/registry.example:5000/ca.crt",
        "sudo install -D -m 644 '/my data/tls/ca.crt' /etc/containers/certs.d/registry.example:5000/ca.crt",
        "sudo tee /etc/containerd/certs.d/registry.example:5000/hosts.toml >/dev/null <<'END'",
        "  ca = \"/etc/containerd/certs.d/registry.example:5000/ca.crt\"",
    ] {
        assert!(guide.lines().any(|found| found == line), "{line}\n{guide}");
    }
}

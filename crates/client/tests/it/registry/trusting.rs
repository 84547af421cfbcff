//! Whose certificates are believed, and for which hosts.

use wharf_client::registry::{Identity, Push, Trust};
use wharf_testkit::fake_registry::{Answer, FakeRegistry};
use wharf_testkit::image::Image;

use super::*;

#[tokio::test]
async fn a_registry_that_wants_a_certificate_is_shown_it() {
    let (fake, certificates) = FakeRegistry::start_over_tls().await;
    fake.hold_manifest("team/app", "v1", &Image::random().manifest);
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, pem: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, pem).unwrap();
        path
    };
    let authorities = vec![file("ca.crt", &certificates.authority)];
    let (certificate, key) = (file("me.cert", &certificates.client), file("me.key", &certificates.client_key));
    let identity = Some(Identity { certificate, key });
    let tags = async |trust| {
        let endpoint = Endpoint { trust, ..endpoint(&format!("https://{}", fake.host())) };
        Registry::new(endpoint, Credential::Anonymous).unwrap().repository(&name("team/app")).tags().await
    };
    assert_eq!(
        tags(Trust {
            authorities: authorities.clone(),
            identity: identity.clone(),
            insecure: false,
            ..Trust::default()
        })
        .await
        .unwrap(),
        ["v1"]
    );
    assert_eq!(
        tags(Trust { authorities: vec![], identity: identity.clone(), insecure: true, ..Trust::default() })
            .await
            .unwrap(),
        ["v1"]
    );
    let unknown = tags(Trust { authorities: vec![], identity, insecure: false, ..Trust::default() }).await.unwrap_err();
    assert!(unknown.to_string().contains("cannot reach https://"), "{unknown}");
    assert!(unknown.to_string().contains("certificate"), "{unknown}");
    let nobody = tags(Trust { authorities, identity: None, insecure: false, ..Trust::default() }).await.unwrap_err();
    assert!(nobody.to_string().contains("cannot reach https://"), "{nobody}");
}

#[test]
fn certificates_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("client.cert");
    std::fs::write(&file, "no certificate").unwrap();
    let identity = Identity { certificate: file.clone(), key: file.clone() };
    let trust = Trust { identity: Some(identity), ..Trust::default() };
    let made = Registry::new(Endpoint { trust, ..endpoint("https://r.example") }, Credential::Anonymous);
    let error = made.err().unwrap().to_string();
    assert!(error.contains("client.cert"), "{error}");
}

/// A repository of a registry there, whoever it is.
fn doubtful(host: &str) -> Repository {
    let trust = Trust { insecure: true, ..Trust::default() };
    let endpoint = Endpoint { trust, ..endpoint(&format!("https://{host}")) };
    Registry::new(endpoint, Credential::Anonymous).unwrap().repository(&name("team/app"))
}

/// distribution/distribution#2225: TLS ends before the registry, which writes what it knows.
#[tokio::test]
async fn a_registrys_own_http_is_its_https_also_where_anybody_is_believed() {
    let fake = FakeRegistry::start_over_doubtful_tls().await;
    for tag in ["v1", "v2", "v3"] {
        fake.hold_manifest("team/app", tag, &Image::random().manifest);
    }
    let (repository, blob, host) = (doubtful(fake.host()), Bytes::random(3500), fake.host().to_owned());
    fake.spoil("POST ", usize::MAX, move |_, answer| {
        answer.set("location", format!("http://{host}/v2/team/app/blobs/uploads/upload-1"))
    });
    let push = Push { digest: Some(&blob.digest), size: Some(3500), chunk: Some(1000), ..Push::default() };
    repository.push_blob(&blob.bytes, push).await.unwrap();
    fake.page_size(2);
    let host = fake.host().to_owned();
    fake.spoil("GET /v2/team/app/tags/list", 1, move |_, answer| {
        answer.set("link", format!("<http://{host}/v2/team/app/tags/list?last=v2>; rel=\"next\""))
    });
    assert_eq!(repository.tags().await.unwrap(), ["v1", "v2", "v3"]);
}

#[tokio::test]
async fn who_believes_a_registry_does_not_believe_whom_it_names() {
    let (fake, other) = (FakeRegistry::start_over_doubtful_tls().await, FakeRegistry::start_over_doubtful_tls().await);
    let layer = Image::random().layers.swap_remove(0);
    other.hold_blob("team/app", &layer);
    let port = |fake: &FakeRegistry| fake.host().rsplit_once(':').unwrap().1.to_owned();
    // The registry at another port is the same machine.
    for (here, is_same) in [("127.0.0.1", true), ("localhost", false)] {
        let repository = doubtful(&format!("{here}:{}", port(&fake)));
        let to = format!("https://{}/v2/team/app/blobs/{}", other.host(), layer.digest);
        fake.behave();
        fake.spoil("GET /v2/team/app/blobs/", usize::MAX, move |_, _| Answer::new(307).set("location", &to));
        let outcome = read(&repository, &descriptor(&layer)).await;
        match outcome {
            Ok(bytes) => assert!(is_same && bytes == layer.bytes),
            Err(error) => {
                let said = error.to_string();
                let named = format!("cannot reach https://{}: ", other.host());
                assert!(!is_same && said.contains(&named) && said.contains("certificate"), "{said}");
            }
        }
        assert_eq!(other.asked().len(), 1);
    }
    // Nor does it get the password of who signs in.
    let realm = format!("Bearer realm=\"https://{}/token\",service=\"s\"", other.host());
    fake.spoil("GET /v2/team/app/tags", usize::MAX, move |_, _| Answer::new(401).set("www-authenticate", &realm));
    let error = doubtful(&format!("localhost:{}", port(&fake))).tags().await.unwrap_err();
    assert!(error.to_string().contains(&format!("cannot reach https://{}: ", other.host())), "{error}");
    assert_eq!(other.asked().len(), 1);
}

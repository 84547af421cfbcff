//! Against a registry of ours.

use wharf_client::registry::Push;
use wharf_oci::MediaType;
use wharf_testkit::boxed::{ADMIN, Boxed, PASSWORD, Served};
use wharf_testkit::image::Image;

use super::*;

struct Scene {
    boxed: Boxed,
    served: Served,
    registry: Registry,
}

impl Scene {
    async fn new() -> Self {
        let boxed = Boxed::new().await;
        let served = boxed.serve().await;
        let registry = Registry::new(endpoint(&served.addr.to_string()), by_password(ADMIN, PASSWORD)).unwrap();
        Self { boxed, served, registry }
    }

    fn repository(&self, text: &str) -> Repository {
        self.registry.repository(&name(text))
    }

    fn as_who(&self, credential: Credential) -> Registry {
        Registry::new(endpoint(&self.served.addr.to_string()), credential).unwrap()
    }
}

#[tokio::test]
async fn who_has_a_sign_in_is_never_taken_for_a_stranger() {
    let boxed = Boxed::builder().public().open().await;
    for (name, visibility) in [("team/open", "public"), ("team/closed", "private")] {
        boxed.push_image(name, "v1").await;
        boxed.set_visibility(name, visibility);
    }
    let served = boxed.serve().await;
    let catalog = async |credential| {
        Registry::new(endpoint(&served.addr.to_string()), credential).unwrap().catalog().await.unwrap()
    };
    assert_eq!(catalog(Credential::Anonymous).await, ["team/open"]);
    assert_eq!(catalog(by_password(ADMIN, PASSWORD)).await, ["team/closed", "team/open"]);
}

#[tokio::test]
async fn an_image_is_pushed_and_pulled_byte_for_byte() {
    let scene = Scene::new().await;
    let (repository, image) = (scene.repository("team/app"), Image::random());
    for blob in image.blobs() {
        assert_eq!(repository.has_blob(&blob.digest).await.unwrap(), None);
        let push = Push { digest: Some(&blob.digest), size: Some(blob.bytes.len() as u64), ..Push::default() };
        let landed = repository.push_blob(&blob.bytes, push).await.unwrap();
        assert_eq!((landed.digest, landed.size), (blob.digest.clone(), blob.bytes.len() as u64));
        assert_eq!(repository.has_blob(&blob.digest).await.unwrap(), Some(blob.bytes.len() as u64));
    }
    let media_type = MediaType::parse(&image.manifest.media_type).unwrap();
    let put = |at: &str| (reference(at), media_type.clone(), image.manifest.bytes.clone());
    let digest = image.manifest.digest.to_string();
    for at in ["v1", "v2", &digest] {
        let (reference, media_type, bytes) = put(at);
        let pushed = repository.put_manifest(&reference, &media_type, bytes).await.unwrap();
        assert_eq!((pushed.digest, pushed.subject), (image.manifest.digest.clone(), None));
        let head = repository.head(&reference).await.unwrap().unwrap();
        assert_eq!(head, descriptor(&image.manifest));
        let stored = repository.manifest(&reference).await.unwrap();
        assert_eq!(
            (stored.bytes, stored.media_type, stored.digest),
            (image.manifest.bytes.clone(), media_type, head.digest)
        );
    }
    for blob in image.blobs() {
        assert_eq!(read(&repository, &descriptor(blob)).await.unwrap(), blob.bytes);
    }
    assert_eq!(repository.tags().await.unwrap(), ["v1", "v2"]);
    assert_eq!(scene.registry.catalog().await.unwrap(), ["team/app"]);
    repository.delete(&reference("v1")).await.unwrap();
    assert_eq!(repository.tags().await.unwrap(), ["v2"]);
    repository.delete(&reference(&digest)).await.unwrap();
    assert_eq!(repository.head(&reference(&digest)).await.unwrap(), None);
    let error = repository.manifest(&reference("v2")).await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
    let said = error.to_string();
    assert!(said.contains(&format!("{}/team/app has no manifest v2", scene.served.addr)), "{said}");
}

#[tokio::test]
async fn a_large_blob_goes_in_chunks() {
    let scene = Scene::new().await;
    let (repository, blob) = (scene.repository("team/app"), Bytes::random(2_500_000));
    let told = Told::default();
    let note = |at| told.note(at);
    let size = blob.bytes.len() as u64;
    let known = Push { digest: Some(&blob.digest), size: Some(size), ..Push::default() };
    for push in [known, Push { size: Some(size), ..Push::default() }, Push::default()] {
        let push = Push { chunk: Some(1_000_000), progress: Some(&note), ..push };
        let landed = repository.push_blob(&blob.bytes, push).await.unwrap();
        assert_eq!((landed.digest, landed.size, told.last()), (blob.digest.clone(), size, size));
        assert_eq!(read(&repository, &descriptor(&blob)).await.unwrap(), blob.bytes);
    }
}

#[tokio::test]
async fn an_empty_blob_and_one_of_another_algorithm_are_blobs() {
    let scene = Scene::new().await;
    let repository = scene.repository("team/app");
    let empty = Bytes::new("application/octet-stream", "");
    repository.push_blob(&empty.bytes, Push::default()).await.unwrap();
    assert_eq!(read(&repository, &descriptor(&empty)).await.unwrap(), b"");

    let blob = Bytes::random(1000);
    let digest = blob.sha512();
    let push = Push { digest: Some(&digest), size: Some(1000), chunk: Some(400), ..Push::default() };
    repository.push_blob(&blob.bytes, push).await.unwrap();
    assert_eq!(read(&repository, &Descriptor { digest, ..descriptor(&blob) }).await.unwrap(), blob.bytes);
}

#[tokio::test]
async fn a_file_is_pushed_from_where_it_lies() {
    let scene = Scene::new().await;
    let blob = Bytes::random(300_000);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("layer");
    std::fs::write(&file, &blob.bytes).unwrap();
    let landed = scene.repository("team/app").push_blob(&file, Push::default()).await.unwrap();
    assert_eq!(landed.digest, blob.digest);
    let error = scene.repository("team/app").push_blob(&folder.path().join("none"), Push::default()).await.unwrap_err();
    assert!(error.to_string().contains("cannot be read: No such file"), "{error}");
}

#[tokio::test]
async fn a_blob_is_mounted_from_where_it_may_be_read() {
    let scene = Scene::new().await;
    let blob = Bytes::random(1000);
    scene.boxed.push_blob("team/a", &blob).await;
    assert!(scene.repository("team/b").mount(&blob.digest, &name("team/a")).await.unwrap());
    assert_eq!(scene.repository("team/b").has_blob(&blob.digest).await.unwrap(), Some(1000));
    // The upload that the registry began instead is cancelled: the box would complain about it.
    let other = Bytes::random(1000);
    assert!(!scene.repository("team/b").mount(&other.digest, &name("team/a")).await.unwrap());
}

#[tokio::test]
async fn who_is_not_let_in_is_told_what_to_do() {
    let scene = Scene::new().await;
    scene.boxed.push_image("team/app", "v1").await;
    scene.boxed.make_user("bob");
    let host = scene.served.addr.to_string();
    let head = async |credential| {
        let repository = scene.as_who(credential).repository(&name("team/app"));
        repository.manifest(&reference("v1")).await.unwrap_err()
    };
    let anonymous = head(Credential::Anonymous).await;
    assert!(matches!(anonymous, Error::SignInNeeded { .. }), "{anonymous}");
    assert!(anonymous.to_string().ends_with(&format!("wharf auth login {host}")), "{anonymous}");
    let wrong = head(by_password(ADMIN, "not-the-secret")).await;
    assert!(matches!(wrong, Error::SignInNeeded { .. }), "{wrong}");
    assert!(!wrong.to_string().contains("not-the-secret"), "{wrong}");
    assert!(head(by_password("bob", PASSWORD)).await.is_not_found());

    let theirs = scene.as_who(by_password("bob", PASSWORD));
    theirs.ping().await.unwrap();
    let blob = Bytes::random(10);
    let error = theirs.repository(&name("team/app")).push_blob(&blob.bytes, Push::default()).await.unwrap_err();
    assert!(matches!(error, Error::Denied { .. }), "{error}");
    assert!(error.to_string().starts_with(&format!("{host}/team/app: ")), "{error}");
}

//! Reading from registries that behave badly: what is given is right and whole, or there is an error.

use wharf_testkit::fake_registry::{Answer, Door, FakeRegistry, USER, USER_PASSWORD};
use wharf_testkit::image::{Draft, Image};

use super::*;

struct Scene {
    fake: FakeRegistry,
    image: Image,
    repository: Repository,
}

impl Scene {
    async fn new() -> Self {
        let (fake, image) = (FakeRegistry::start().await, Image::random());
        fake.hold_manifest("team/app", "v1", &image.manifest);
        for blob in image.blobs() {
            fake.hold_blob("team/app", blob);
        }
        let registry = Registry::new(endpoint(fake.host()), by_password(USER, USER_PASSWORD)).unwrap();
        Self { repository: registry.repository(&name("team/app")), fake, image }
    }

    fn by_digest(&self) -> Reference {
        Reference::Digest(self.image.manifest.digest.clone())
    }

    fn layer(&self) -> Descriptor {
        descriptor(&self.image.layers[0])
    }

    /// Spoils all answers that begin so.
    fn spoil(&self, pattern: &str, spoil: impl Fn(Answer) -> Answer + Send + Sync + 'static) {
        self.fake.behave();
        self.fake.spoil(pattern, usize::MAX, move |_, answer| spoil(answer));
    }
}

#[tokio::test]
async fn a_manifest_of_another_digest_is_none() {
    let scene = Scene::new().await;
    let other = Image::random().manifest;
    let (body, digest) = (other.bytes.clone(), other.digest.clone());
    // A wrong body under the right header, and a wrong header over the right body.
    scene.spoil("GET /v2/team/app/manifests/", move |answer| answer.body(body.clone()));
    for reference in [reference("v1"), scene.by_digest()] {
        let error = scene.repository.manifest(&reference).await.unwrap_err();
        assert!(matches!(error, Error::WrongDigest { .. }), "{error}");
        assert!(error.to_string().contains(&other.digest.to_string()), "{error}");
    }
    scene.spoil("GET /v2/team/app/manifests/", move |answer| answer.set("docker-content-digest", &digest));
    for reference in [reference("v1"), scene.by_digest()] {
        let error = scene.repository.manifest(&reference).await.unwrap_err();
        assert!(matches!(error, Error::WrongDigest { .. }), "{error}");
    }
    scene.spoil("HEAD /v2/team/app/manifests/", move |answer| answer.set("docker-content-digest", &other.digest));
    let error = scene.repository.head(&scene.by_digest()).await.unwrap_err();
    assert!(matches!(error, Error::WrongDigest { .. }), "{error}");
}

#[tokio::test]
async fn what_headers_leave_out_the_bytes_say() {
    // containerd/containerd#3238, goharbor/harbor#13740
    let scene = Scene::new().await;
    let wanted = descriptor(&scene.image.manifest);
    let leave_out: [fn(Answer) -> Answer; 5] = [
        |answer| answer.without("docker-content-digest"),
        |answer| answer.set("docker-content-digest", ""),
        |answer| answer.without("content-type"),
        |answer| answer.set("content-type", "application/json; charset=utf-8"),
        Answer::without_length,
    ];
    for spoil in leave_out {
        scene.spoil("HEAD /v2/team/app/manifests/", spoil);
        for reference in [reference("v1"), scene.by_digest()] {
            assert_eq!(scene.repository.head(&reference).await.unwrap().as_ref(), Some(&wanted));
        }
        scene.spoil("GET /v2/team/app/manifests/", spoil);
        let stored = scene.repository.manifest(&reference("v1")).await.unwrap();
        assert_eq!((stored.digest, stored.media_type.as_str()), (wanted.digest.clone(), wanted.media_type.as_str()));
    }
}

#[tokio::test]
async fn a_page_of_html_is_no_manifest_no_list_and_no_blob() {
    let scene = Scene::new().await;
    scene.spoil("", |_| Answer::html());
    let repository = &scene.repository;
    let said = [
        repository.manifest(&reference("v1")).await.unwrap_err(),
        repository.manifest(&scene.by_digest()).await.unwrap_err(),
        repository.head(&reference("v1")).await.unwrap_err(),
        repository.tags().await.unwrap_err(),
        repository.has_blob(&scene.layer().digest).await.unwrap_err(),
        repository.registry().catalog().await.unwrap_err(),
    ];
    for error in said {
        assert!(matches!(error, Error::NotUnderstood { .. }), "{error}");
        assert!(error.to_string().contains("does not answer as a registry does"), "{error}");
    }
    assert!(matches!(read(repository, &scene.layer()).await, Err(Error::WrongSize { .. })));
    scene.spoil("", |_| Answer::html().without_length());
    assert!(matches!(read(repository, &scene.layer()).await, Err(Error::Cut { .. } | Error::WrongSize { .. })));
}

#[tokio::test]
async fn a_manifest_of_5_mib_is_refused_and_taken_where_that_is_allowed() {
    let scene = Scene::new().await;
    let large = Draft::artifact("application/x").annotation("a", &"x".repeat(5 << 20)).content();
    scene.fake.hold_manifest("team/app", "large", &large);
    let error = scene.repository.manifest(&reference("large")).await.unwrap_err();
    assert!(error.to_string().contains("more than 4194304 bytes"), "{error}");
    scene.spoil("GET /v2/team/app/manifests/", Answer::without_length);
    assert!(scene.repository.manifest(&reference("large")).await.is_err());

    let endpoint = Endpoint { largest_manifest: 8 << 20, ..endpoint(scene.fake.host()) };
    let patient = Registry::new(endpoint, Credential::Anonymous).unwrap().repository(&name("team/app"));
    assert_eq!(patient.manifest(&reference("large")).await.unwrap().bytes, large.bytes);
}

#[tokio::test]
async fn a_manifest_that_is_cut_at_any_byte_is_none() {
    let scene = Scene::new().await;
    let size = scene.image.manifest.bytes.len();
    for at in 0..size {
        for with_length in [true, false] {
            let cut = move |answer: Answer| if with_length { answer.cut(at) } else { answer.without_length().cut(at) };
            scene.spoil("GET /v2/team/app/manifests/", cut);
            for reference in [reference("v1"), scene.by_digest()] {
                let outcome = scene.repository.manifest(&reference).await;
                assert!(outcome.is_err(), "{at} of {size}, {reference}");
            }
        }
    }
    // Once is no matter.
    scene.fake.behave();
    scene.fake.spoil("GET /v2/team/app/manifests/", 1, |_, answer| answer.cut(10));
    scene.fake.spoil("GET /v2/team/app/manifests/", 1, |_, answer| answer.silent());
    scene.repository.manifest(&reference("v1")).await.unwrap();
}

#[tokio::test]
async fn a_list_that_is_cut_at_any_byte_is_none() {
    let scene = Scene::new().await;
    let size = "{\"tags\":[\"v1\"]}".len();
    for at in 0..size {
        for with_length in [true, false] {
            let cut = move |answer: Answer| if with_length { answer.cut(at) } else { answer.without_length().cut(at) };
            scene.spoil("GET /v2/team/app/tags/list", cut);
            assert!(scene.repository.tags().await.is_err(), "{at} of {size}");
        }
    }
}

#[tokio::test]
async fn a_blob_that_is_cut_at_any_byte_goes_on_there() {
    let scene = Scene::new().await;
    let bytes = scene.image.layers[0].bytes.clone();
    for at in (0..bytes.len()).step_by(7) {
        for with_length in [true, false] {
            scene.fake.behave();
            let cut = move |answer: Answer| if with_length { answer.cut(at) } else { answer.without_length().cut(at) };
            scene.fake.spoil("GET /v2/team/app/blobs/", 1, move |_, answer| cut(answer));
            assert_eq!(read(&scene.repository, &scene.layer()).await.unwrap(), bytes, "cut at {at}");
        }
    }
    let ranges = scene.fake.asked();
    assert!(ranges.iter().any(|request| request.header("range") == Some("bytes=7-")));
    // Always cut, it is never whole.
    scene.spoil("GET /v2/team/app/blobs/", |answer| answer.cut(10));
    let error = read(&scene.repository, &scene.layer()).await.unwrap_err();
    assert!(matches!(error, Error::Cut { .. }), "{error}");
    assert!(
        error.to_string().contains("team/app: blob sha256:") && error.to_string().contains("try again later"),
        "{error}"
    );
}

#[tokio::test]
async fn a_registry_that_starts_anew_is_waited_for() {
    let scene = Scene::new().await;
    let mut endpoint = endpoint(scene.fake.host());
    endpoint.patience.first_pause = Duration::from_millis(40);
    let repository = Registry::new(endpoint, Credential::Anonymous).unwrap().repository(&name("team/app"));
    scene.fake.spoil("GET /v2/team/app/blobs/", 1, |_, answer| answer.cut(500));
    let mut blob = repository.blob(&scene.layer()).await.unwrap();
    let mut all = blob.next().await.unwrap().unwrap().to_vec();
    scene.fake.leave_for(Duration::from_millis(700));
    while let Some(part) = blob.next().await.unwrap() {
        all.extend_from_slice(&part);
    }
    assert_eq!(all, scene.image.layers[0].bytes);
    // What is asked for anew as well.
    scene.fake.leave_for(Duration::from_millis(200));
    assert_eq!(repository.tags().await.unwrap(), ["v1"]);
}

#[tokio::test]
async fn a_registry_without_ranges_gives_the_blob_anew() {
    // artifact-keeper#3766
    let scene = Scene::new().await;
    let bytes = scene.image.layers[0].bytes.clone();
    let whole = bytes.clone();
    scene.fake.spoil("GET /v2/team/app/blobs/", 1, |_, answer| answer.cut(500));
    scene.fake.spoil("GET /v2/team/app/blobs/", 1, move |_, answer| {
        answer.status(200).without("content-range").body(whole.clone())
    });
    assert_eq!(read(&scene.repository, &scene.layer()).await.unwrap(), bytes);
    // Other bytes than those asked for are no continuation.
    scene.fake.behave();
    scene.fake.spoil("GET /v2/team/app/blobs/", 1, |_, answer| answer.cut(500));
    scene.fake.spoil("GET /v2/team/app/blobs/", 1, |_, answer| answer.set("content-range", "bytes 400-1023/1024"));
    let error = read(&scene.repository, &scene.layer()).await.unwrap_err();
    assert!(matches!(error, Error::NotUnderstood { .. }), "{error}");
}

#[tokio::test]
async fn a_blob_of_other_bytes_or_another_size_is_an_error_and_not_an_end() {
    let scene = Scene::new().await;
    let layer = scene.layer();
    let wrong = Bytes::random(1024).bytes;
    scene.spoil("GET /v2/team/app/blobs/", move |answer| answer.body(wrong.clone()));
    assert!(matches!(read(&scene.repository, &layer).await, Err(Error::WrongDigest { .. })));
    for size in [0, 1, 1023, 1025, 5000] {
        for with_length in [true, false] {
            let body = vec![0; size];
            let spoil = move |answer: Answer| {
                let answer = answer.body(body.clone());
                if with_length { answer } else { answer.without_length() }
            };
            scene.spoil("GET /v2/team/app/blobs/", spoil);
            let error = read(&scene.repository, &layer).await.unwrap_err();
            let fits = matches!(error, Error::WrongSize { .. } | Error::Cut { .. } | Error::NotUnderstood { .. });
            assert!(fits, "{size}: {error}");
        }
    }
    // What reads hears of it too, and never gets all of it.
    let wrong = Bytes::random(1024).bytes;
    scene.spoil("GET /v2/team/app/blobs/", move |answer| answer.body(wrong.clone()));
    let (blob, mut all) = (scene.repository.blob(&layer).await.unwrap(), vec![]);
    assert!(tokio::io::AsyncReadExt::read_to_end(&mut blob.into_read(), &mut all).await.is_err());
    assert!(all.len() < 1024, "{}", all.len());
    scene.fake.behave();
    let mut whole = vec![];
    let blob = scene.repository.blob(&layer).await.unwrap();
    tokio::io::AsyncReadExt::read_to_end(&mut blob.into_read(), &mut whole).await.unwrap();
    assert_eq!(whole, scene.image.layers[0].bytes);
}

#[tokio::test]
async fn a_redirect_is_followed_without_the_credential() {
    let (scene, storage) = (Scene::new().await, FakeRegistry::start().await);
    let layer = &scene.image.layers[0];
    storage.hold_blob("team/app", layer);
    for door in [Door::Basic, Door::Tokens] {
        scene.fake.door(door);
        let to = format!("http://{}/v2/team/app/blobs/{}?signature=s", storage.host(), layer.digest);
        scene.spoil("GET /v2/team/app/blobs/", move |answer| match answer.content() {
            body if body.starts_with(b"{\"errors") => answer,
            _ => Answer::new(307).set("location", &to),
        });
        assert_eq!(read(&scene.repository, &scene.layer()).await.unwrap(), layer.bytes);
    }
    assert_eq!(storage.count("GET "), 2);
    assert!(storage.asked().iter().all(|request| request.header("authorization").is_none()));
    assert!(scene.fake.asked().iter().any(|request| request.header("authorization").is_some()));
    // Storage that a HEAD is sent to may know GET only (moby/moby#50065).
    let to = format!("http://{}/elsewhere", storage.host());
    scene.fake.spoil("HEAD /v2/team/app/blobs/", usize::MAX, move |_, answer| match answer.content() {
        body if body.starts_with(b"{\"errors") => answer,
        _ => Answer::new(307).set("location", &to),
    });
    storage.spoil("HEAD /elsewhere", 1, |_, answer| answer.status(403));
    assert_eq!(scene.repository.has_blob(&layer.digest).await.unwrap(), Some(1024));
}

#[tokio::test]
async fn redirects_end() {
    let scene = Scene::new().await;
    let here = format!("http://{}/v2/team/app/manifests/v1", scene.fake.host());
    for (location, said) in [
        (here.as_str(), "more than 10 redirects"),
        ("file:///etc/passwd", "neither https nor http"),
        ("http://user:word@127.0.0.1/", "holds a name or password"),
        ("http://[", "no URL"),
    ] {
        let to = location.to_owned();
        scene.spoil("GET /v2/team/app/manifests/", move |_| Answer::new(302).set("location", &to));
        let error = scene.repository.manifest(&reference("v1")).await.unwrap_err();
        assert!(error.to_string().contains(said), "{location}: {error}");
    }
    assert!(scene.fake.asked().len() < 20);
    scene.spoil("GET /v2/team/app/manifests/", |_| Answer::new(302));
    assert!(scene.repository.manifest(&reference("v1")).await.unwrap_err().to_string().contains("no Location"));
}

#[tokio::test]
async fn a_busy_registry_is_asked_again_but_not_without_end() {
    let scene = Scene::new().await;
    scene.fake.spoil("GET /v2/team/app/manifests/", 1, |_, answer| answer.status(429).set("retry-after", "1"));
    scene.fake.spoil("GET /v2/team/app/manifests/", 1, |_, answer| answer.status(500));
    let before = tokio::time::Instant::now();
    scene.repository.manifest(&reference("v1")).await.unwrap();
    assert!(before.elapsed() >= Duration::from_secs(1));

    scene.spoil("GET /v2/", |answer| answer.status(429).set("retry-after", "0"));
    let error = scene.repository.manifest(&reference("v1")).await.unwrap_err();
    assert!(error.to_string().contains("is busy"), "{error}");
    assert_eq!(scene.fake.count("GET /v2/team/app/manifests/"), 3 + 3);
    scene.spoil("GET /v2/", |answer| answer.status(429).set("retry-after", "86400"));
    let error = scene.repository.tags().await.unwrap_err();
    assert!(error.to_string().contains("try again in 24 hours"), "{error}");
    assert_eq!(scene.fake.count("GET /v2/team/app/tags"), 1);
}

#[tokio::test]
async fn lists_are_followed_to_their_end() {
    let scene = Scene::new().await;
    for at in 0..7 {
        scene.fake.hold_manifest("team/app", &format!("t{at}"), &scene.image.manifest);
    }
    scene.fake.page_size(3);
    assert_eq!(scene.repository.tags().await.unwrap(), ["t0", "t1", "t2", "t3", "t4", "t5", "t6", "v1"]);
    // distribution/distribution#1186
    scene.spoil("GET /v2/team/app/tags/list", |answer| {
        answer.body("{\"name\":\"team/app\",\"tags\":null}").without("link")
    });
    assert!(scene.repository.tags().await.unwrap().is_empty());
}

#[tokio::test]
async fn lists_that_go_in_circles_or_elsewhere_are_refused() {
    // regclient/regclient#272
    let scene = Scene::new().await;
    for (link, said) in [
        ("</v2/team/app/tags/list>; rel=\"next\"", "round in circles"),
        ("</v2/team/app/tags/list?last=zzz>; rel=\"next\"", "round in circles"),
        ("<http://127.0.0.1:1/v2/team/app/tags/list>; rel=\"next\"", "at another server"),
    ] {
        scene.spoil("GET /v2/team/app/tags/list", move |answer| answer.set("link", link));
        let error = scene.repository.tags().await.unwrap_err();
        assert!(error.to_string().contains(said), "{link}: {error}");
    }
    assert!(scene.fake.asked().len() < 10);
}

#[tokio::test]
async fn a_list_that_would_fill_the_memory_is_refused() {
    let scene = Scene::new().await;
    let page = std::sync::atomic::AtomicU32::new(0);
    scene.spoil("GET /v2/team/app/tags/list", move |answer| {
        let at = page.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let tags = serde_json::json!({ "tags": [format!("{at}{}", "x".repeat(5 << 20))] });
        answer.json(&tags).set("link", format!("</v2/team/app/tags/list?last={at}>; rel=\"next\""))
    });
    let error = scene.repository.tags().await.unwrap_err();
    assert!(error.to_string().contains("its list has more than 33554432 bytes"), "{error}");
    assert_eq!(scene.fake.count("GET /v2/team/app/tags/list"), 7);
}

#[tokio::test]
async fn repositories_are_found_by_the_search_or_by_their_names() {
    let scene = Scene::new().await;
    let registry = scene.repository.registry();
    let found = registry.search("app", 5).await.unwrap();
    assert_eq!(found.iter().map(|found| found.name.as_str()).collect::<Vec<_>>(), ["team/app"]);
    assert!(registry.search("nothing", 5).await.unwrap().is_empty());
    let results =
        serde_json::json!({ "results": [{ "name": "a", "description": "d", "star_count": 3 }, { "name": "b" }] });
    scene.spoil("GET /v1/search?q=a+b&n=1", move |_| Answer::new(200).json(&results));
    let found = registry.search("a b", 1).await.unwrap();
    assert_eq!((found.len(), found[0].star_count, found[0].description.as_str()), (1, 3, "d"));
}

#[tokio::test]
async fn http_is_spoken_only_where_it_is_allowed_and_there_is_no_https() {
    let scene = Scene::new().await;
    let address = format!("https://{}", scene.fake.host());
    let as_who = |or_http| {
        let endpoint = Endpoint { or_http, ..endpoint(&address) };
        Registry::new(endpoint, by_password(USER, USER_PASSWORD)).unwrap().repository(&name("team/app"))
    };
    let error = as_who(false).tags().await.unwrap_err();
    assert!(error.to_string().contains("cannot reach https://"), "{error}");
    assert_eq!(scene.fake.asked().len(), 0);
    let repository = as_who(true);
    assert_eq!(repository.tags().await.unwrap(), ["v1"]);
    repository.manifest(&reference("v1")).await.unwrap();
    assert_eq!(scene.fake.asked().iter().filter(|request| request.target == "/v2/").count(), 1);
    assert!(scene.fake.asked()[0].header("authorization").is_none());
    let nobody = Endpoint { or_http: true, ..endpoint("https://127.0.0.1:1") };
    let nobody = Registry::new(nobody, Credential::Anonymous).unwrap();
    assert!(nobody.ping().await.unwrap_err().to_string().contains("cannot reach https://127.0.0.1:1"));
}

#[tokio::test]
async fn an_answer_that_stands_still_is_given_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut endpoint = endpoint(&listener.local_addr().unwrap().to_string());
    endpoint.patience.idle = Duration::from_millis(100);
    let repository = Registry::new(endpoint, Credential::Anonymous).unwrap().repository(&name("team/app"));
    let error = repository.tags().await.unwrap_err();
    assert!(error.to_string().contains("nothing came for"), "{error}");
}

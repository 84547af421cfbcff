use wharf_testkit::fake_registry::{Answer, FakeRegistry};

use super::*;

/// A registry, two mirrors of it, and a file that says so.
struct Mirrored {
    desk: Desk,
    own: FakeRegistry,
    mirrors: [FakeRegistry; 2],
    image: Image,
}

impl Mirrored {
    async fn new(second_is: &str) -> Self {
        let (desk, own) = (Desk::new().await, FakeRegistry::start().await);
        let second = match second_is {
            // Nobody vouches for its certificate.
            "" => FakeRegistry::start_over_tls().await.0,
            _ => FakeRegistry::start().await,
        };
        let mirrors = [FakeRegistry::start().await, second];
        let conf = format!(
            "[[registry]]\nprefix = \"r.example/team\"\nlocation = \"{}/team\"\ninsecure = true\n\
            [[registry.mirror]]\nlocation = \"{}/m\"\ninsecure = true\n\
            [[registry.mirror]]\nlocation = \"{}/m\"\n{second_is}\n",
            own.host(),
            mirrors[0].host(),
            mirrors[1].host()
        );
        std::fs::create_dir(desk.home.path().join("containers")).unwrap();
        std::fs::write(desk.home.path().join("containers/registries.conf"), conf).unwrap();
        Self { desk, own, mirrors, image: Image::random() }
    }

    fn hold(fake: &FakeRegistry, name: &str, image: &Image) {
        image.blobs().for_each(|blob| fake.hold_blob(name, blob));
        fake.hold_manifest(name, "v1", &image.manifest);
    }
}

#[tokio::test]
async fn mirrors_are_asked_in_their_order_and_the_registry_last() {
    let all = Mirrored::new("insecure = true").await;
    let Mirrored { desk, own, mirrors, image } = &all;
    Mirrored::hold(own, "team/app", &Image::random());
    Mirrored::hold(&mirrors[1], "m/app", image);
    let said = desk.wharf("digest r.example/team/app:v1").await;
    assert!(said.err.contains(&format!("the mirror {}/m/app has no v1", mirrors[0].host())), "{said}");
    assert_eq!(said.ok(), format!("{}\n", image.manifest.digest));
    assert_eq!((mirrors[0].count("HEAD "), own.asked().len()), (1, 0));
    // One that may not be asked is passed over.
    mirrors[1].spoil("HEAD /v2/m/app/manifests/", usize::MAX, |_, _| Answer::new(403));
    let said = desk.wharf("digest r.example/team/app:v1").await;
    assert!(said.err.contains("is passed over"), "{said}");
    assert_ne!(said.ok(), format!("{}\n", image.manifest.digest));
}

#[tokio::test]
async fn what_a_mirror_has_lost_comes_from_its_registry() {
    let all = Mirrored::new("insecure = true").await;
    let Mirrored { desk, own, mirrors, image } = &all;
    Mirrored::hold(own, "team/app", image);
    for pattern in ["GET /v2/m/app/blobs/", "GET /v2/m/app/manifests/"] {
        Mirrored::hold(&mirrors[0], "m/app", image);
        mirrors[0].spoil(pattern, usize::MAX, |_, _| Answer::new(404));
        for to in [format!("oci:{}:v1", desk.at(&pattern.len().to_string())), "r.example/team/copy:v1".into()] {
            desk.wharf(&format!("copy r.example/team/app:v1 {to}")).await.ok();
            desk.wharf(&format!("verify {to}")).await.ok();
        }
        mirrors[0].behave();
    }
    assert!(mirrors[0].count("GET /v2/m/app/blobs/") > 0);
}

#[tokio::test]
async fn a_mirror_is_never_written_to_and_believed_only_as_it_is_said_of_it() {
    let all = Mirrored::new("").await;
    let Mirrored { desk, own, mirrors, image } = &all;
    Mirrored::hold(own, "team/app", image);
    Mirrored::hold(&mirrors[1], "m/app", image);
    let said = desk.wharf("copy r.example/team/app:v1 r.example/team/new:v2").await;
    assert!(said.err.contains(&format!("the mirror {}/m/app is passed over", mirrors[1].host())), "{said}");
    said.ok();
    assert!(own.manifest("team/new", "v2").is_some());
    desk.wharf("tags add r.example/team/new:v2 v3").await.ok();
    desk.wharf("tags delete r.example/team/new:v3").await.ok();
    let written = |fake: &FakeRegistry| fake.asked().iter().any(|asked| !asked.is("GET ") && !asked.is("HEAD "));
    assert!(written(own) && !mirrors.iter().any(written));
}

#[tokio::test]
async fn a_request_that_is_sent_again_is_told_of() {
    let all = Mirrored::new("insecure = true").await;
    let Mirrored { desk, own, image, .. } = &all;
    Mirrored::hold(own, "team/app", image);
    let busy = |_: &_, answer: Answer| answer.status(503).set("retry-after", 0);
    own.spoil("GET /v2/team/app/manifests/", 1, busy);
    let line = format!("copy r.example/team/app:v1 oci:{}:v1", desk.at("json"));
    let out = desk.wharf(&format!("{line} --json")).await.ok();
    let events: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let retries: Vec<&Value> = events.iter().filter(|event| event["event"] == "retry").collect();
    assert_eq!(retries.len(), 1, "{out}");
    assert_eq!(retries[0]["registry"], own.host());
    assert!(retries[0]["problem"].as_str().unwrap().contains("503") && retries[0]["wait"].is_number(), "{out}");
    own.spoil("GET /v2/team/app/blobs/", 1, |_, answer| answer.cut(9));
    let said = desk.wharf(&format!("copy r.example/team/app:v1 oci:{}:v1", desk.at("lines"))).await;
    assert!(said.err.contains(&format!("{}: ", own.host())) && said.err.contains("; asking again in 0."), "{said}");
    said.ok();
}

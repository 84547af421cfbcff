//! Pushing to registries that behave badly: what is said to be there is there, and nothing is begun anew that could go on.

use std::io;

use async_trait::async_trait;
use wharf_client::registry::{Content, Push, Reader, ResumeStore};
use wharf_oci::MediaType;
use wharf_testkit::fake_registry::{Answer, Door, FakeRegistry, Request, USER, USER_PASSWORD};
use wharf_testkit::image::{Draft, Image};

use super::*;

mod manifests;
mod setbacks;

const CHUNK: usize = 1000;

struct Scene {
    fake: FakeRegistry,
    repository: Repository,
    blob: Bytes,
}

impl Scene {
    /// With a blob of three and a half chunks to push.
    async fn new() -> Self {
        let fake = FakeRegistry::start().await;
        let registry = Registry::new(endpoint(fake.host()), by_password(USER, USER_PASSWORD)).unwrap();
        Self { repository: registry.repository(&name("team/app")), fake, blob: Bytes::random(3500) }
    }

    fn known(&self) -> Push<'_> {
        Push { digest: Some(&self.blob.digest), size: Some(3500), chunk: Some(CHUNK as u64), ..Push::default() }
    }

    /// Of which nothing is known before it is read.
    fn unknown(&self) -> Push<'_> {
        Push { digest: None, size: None, ..self.known() }
    }

    async fn push(&self, push: Push<'_>) -> Result<(), Error> {
        let landed = self.repository.push_blob(&self.blob.bytes, push).await?;
        assert_eq!((&landed.digest, landed.size), (&self.blob.digest, 3500));
        self.assert_there();
        Ok(())
    }

    fn assert_there(&self) {
        assert_eq!(self.fake.blob("team/app", self.blob.digest.as_str()).as_deref(), Some(&*self.blob.bytes));
        assert_eq!(self.fake.open_uploads(), 0);
    }

    fn assert_not_there(&self) {
        assert_eq!(self.fake.blob("team/app", self.blob.digest.as_str()), None);
    }

    /// Bytes that were sent in all.
    fn sent(&self) -> usize {
        self.fake.asked().iter().map(|request| request.body.len()).sum()
    }

    fn spoil(&self, pattern: &str, times: usize, spoil: impl Fn(Answer) -> Answer + Send + Sync + 'static) {
        self.fake.spoil(pattern, times, move |_, answer| spoil(answer));
    }
}

const UPLOADS: &str = "/v2/team/app/blobs/uploads/";

#[tokio::test]
async fn a_request_that_is_cut_at_any_byte_goes_on_from_where_the_registry_says() {
    for at in (0..CHUNK).step_by(37).chain([1, 2, CHUNK - 1]) {
        for is_known in [true, false] {
            let scene = Scene::new().await;
            scene.fake.cut_requests(&format!("PATCH {UPLOADS}"), 1, at);
            scene.push(if is_known { scene.known() } else { scene.unknown() }).await.unwrap();
            // Of one byte the protocol cannot say that it is there: it is sent again, and refused first.
            let again = if at == 1 { CHUNK + 1 } else { 0 };
            assert_eq!(scene.sent(), 3500 + again, "cut at {at}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_is_asked_for() {
    let scene = Scene::new().await;
    scene.spoil(&format!("PATCH {UPLOADS}"), 2, Answer::silent);
    scene.spoil(&format!("PUT {UPLOADS}"), 1, Answer::silent);
    scene.push(scene.known()).await.unwrap();
    assert_eq!(scene.sent(), 3500, "what the registry has is not sent again");
    // A small blob as well.
    let small = Bytes::random(100);
    scene.spoil(&format!("PUT {UPLOADS}"), 1, Answer::silent);
    let push = Push { digest: Some(&small.digest), size: Some(100), ..Push::default() };
    scene.repository.push_blob(&small.bytes, push).await.unwrap();
    assert!(scene.fake.blob("team/app", small.digest.as_str()).is_some());
}

#[tokio::test]
async fn a_busy_registry_is_waited_for_in_the_middle() {
    let scene = Scene::new().await;
    let refuse = |status: u16| move |_: &Request, _: Answer| Answer::new(status).set("retry-after", "0");
    for status in [429, 503, 500, 502, 408] {
        scene.fake.spoil(&format!("PATCH {UPLOADS}"), 1, refuse(status));
        let blob = Bytes::random(3500);
        let push = Push { digest: Some(&blob.digest), ..scene.known() };
        scene.repository.push_blob(&blob.bytes, push).await.unwrap();
        assert_eq!(scene.fake.blob("team/app", blob.digest.as_str()).as_deref(), Some(&*blob.bytes), "{status}");
    }
    let asked = scene.fake.count("PATCH");
    // A registry that has no room has none in a moment either.
    scene.fake.spoil(&format!("PATCH {UPLOADS}"), 1, |_, _| Answer::new(507).body("full"));
    let error = scene.push(scene.known()).await.unwrap_err();
    assert!(error.to_string().contains("507"), "{error}");
    assert_eq!(scene.fake.count("PATCH"), asked + 1);
    scene.fake.spoil(&format!("PATCH {UPLOADS}"), 1, |_, _| Answer::new(429).set("retry-after", "3600"));
    let error = scene.push(scene.known()).await.unwrap_err();
    assert!(matches!(error, Error::Cut { .. }), "{error}");
    scene.assert_not_there();
}

#[tokio::test]
async fn a_registry_that_fails_always_is_given_up_and_the_upload_ended() {
    let scene = Scene::new().await;
    scene.spoil(&format!("PATCH {UPLOADS}"), usize::MAX, |answer| answer.status(500));
    // It takes nothing, whatever it says.
    scene.fake.spoil(&format!("GET {UPLOADS}"), usize::MAX, |_, answer| answer.set("range", "0-0"));
    let error = scene.push(scene.known()).await.unwrap_err();
    assert!(matches!(error, Error::Cut { .. }), "{error}");
    assert!(
        error.to_string().contains("team/app: blob sha256:") && !error.to_string().contains("secret-state"),
        "{error}"
    );
    scene.assert_not_there();
    assert_eq!(scene.fake.open_uploads(), 0);
}

#[tokio::test]
async fn a_registry_that_forgets_an_upload_is_given_it_anew() {
    let scene = Scene::new().await;
    scene.fake.spoil(&format!("PATCH {UPLOADS}upload-1"), 1, |_, answer| answer);
    scene.fake.spoil(&format!("PATCH {UPLOADS}upload-1"), 1, |_, _| Answer::new(404));
    scene.repository.push_blob(&scene.blob.bytes, scene.known()).await.unwrap();
    assert!(scene.fake.blob("team/app", scene.blob.digest.as_str()).is_some());
    scene.fake.behave();
    let before = scene.fake.count("POST");
    scene.spoil("POST", usize::MAX, |answer| answer.set("location", "/v2/team/app/blobs/uploads/never-heard-of"));
    let other = Bytes::random(3500);
    let error = scene.repository.push_blob(&other.bytes, scene.unknown()).await.unwrap_err();
    assert!(error.to_string().contains("BLOB_UPLOAD_UNKNOWN, says the fake"), "{error}");
    assert!(scene.fake.count("POST") - before <= 6);
}

#[tokio::test]
async fn offsets_that_lie_do_no_harm() {
    // aws/containers-roadmap#2831: what 202 says stands still at the first chunk.
    let scene = Scene::new().await;
    scene.spoil(&format!("PATCH {UPLOADS}"), usize::MAX, |answer| answer.set("range", "0-999"));
    scene.push(scene.known()).await.unwrap();

    // More than was sent, and numbers that are none: nothing is skipped because of it.
    for range in ["0-99999", "0-18446744073709551614", "bytes", "5-10"] {
        let scene = Scene::new().await;
        scene.fake.cut_requests(&format!("PATCH {UPLOADS}"), 1, 500);
        scene.spoil(&format!("GET {UPLOADS}"), usize::MAX, move |answer| answer.set("range", range));
        match scene.push(scene.known()).await {
            Ok(()) => scene.assert_there(),
            Err(error) => {
                assert!(matches!(error, Error::NotUnderstood { .. }), "{range}: {error}");
                scene.assert_not_there();
            }
        }
    }

    // Fewer or more than it has, within what was sent: the digest at the end is wrong, and no blob is there.
    let scene = Scene::new().await;
    scene.fake.cut_requests(&format!("PATCH {UPLOADS}"), 1, 500);
    scene.spoil(&format!("GET {UPLOADS}"), usize::MAX, |answer| answer.set("range", "0-599"));
    scene.push(scene.known()).await.unwrap_err();
    scene.assert_not_there();
}

#[tokio::test]
async fn a_registry_that_takes_no_chunks_is_given_the_blob_in_one() {
    for status in [400, 404, 405, 411, 415, 416, 501] {
        for is_known in [true, false] {
            let scene = Scene::new().await;
            scene.fake.spoil(&format!("PATCH {UPLOADS}"), usize::MAX, move |_, _| Answer::new(status));
            scene.fake.spoil(&format!("GET {UPLOADS}"), usize::MAX, |_, _| Answer::new(404));
            let push = if is_known { scene.known() } else { scene.unknown() };
            let landed = scene.repository.push_blob(&scene.blob.bytes, push).await;
            let landed = landed.unwrap_or_else(|error| panic!("{status}, known: {is_known}: {error}"));
            assert_eq!(landed.digest, scene.blob.digest);
            assert!(scene.fake.blob("team/app", scene.blob.digest.as_str()).is_some());
        }
    }
    // A cut in the middle of it begins it anew.
    let scene = Scene::new().await;
    scene.fake.spoil(&format!("PATCH {UPLOADS}"), 1, |_, _| Answer::new(405));
    scene.fake.cut_requests(&format!("PUT {UPLOADS}"), 2, 2000);
    scene.repository.push_blob(&scene.blob.bytes, scene.known()).await.unwrap();
    assert!(scene.fake.blob("team/app", scene.blob.digest.as_str()).is_some());
}

#[tokio::test]
async fn a_registry_that_wants_larger_chunks_gets_them() {
    let scene = Scene::new().await;
    scene.spoil("POST", 1, |answer| answer.set("oci-chunk-min-length", "1700"));
    scene.push(scene.known()).await.unwrap();
    let sizes: Vec<usize> = scene.fake.asked().iter().filter(|r| r.method == "PATCH").map(|r| r.body.len()).collect();
    assert_eq!(sizes, [1700, 1700, 100]);
}

/// The lengths of what was sent, and where it was said to belong.
fn pieces(scene: &Scene) -> Vec<(String, usize, String)> {
    let asked = scene.fake.asked();
    let sent = asked.iter().filter(|request| matches!(&*request.method, "PATCH" | "PUT"));
    let range = |request: &Request| request.header("content-range").unwrap_or_default().to_owned();
    sent.map(|request| (request.method.clone(), request.body.len(), range(request))).collect()
}

#[tokio::test]
async fn where_nothing_is_lost_by_a_cut_the_last_chunk_ends_the_upload() {
    let scene = Scene::new().await;
    scene.spoil("POST", 1, |answer| answer.set("wharf-keeps-cut-chunks", "true"));
    scene.fake.cut_requests(&format!("PATCH {UPLOADS}"), 1, 300);
    scene.push(scene.known()).await.unwrap();
    let piece = |method: &str, length, range: &str| (method.to_owned(), length, range.to_owned());
    let expected = [
        piece("PATCH", 300, "0-999"),
        piece("PATCH", 1000, "300-1299"),
        piece("PATCH", 1000, "1300-2299"),
        piece("PATCH", 1000, "2300-3299"),
        piece("PUT", 200, "3300-3499"),
    ];
    assert_eq!(pieces(&scene), expected);
}

#[tokio::test]
async fn chunks_are_larger_where_nothing_is_lost_by_a_cut_unless_something_before_it_refuses_them() {
    let (scene, large) = (Scene::new().await, Bytes::random(20 << 20));
    let push = Push { digest: Some(&large.digest), size: Some(20 << 20), ..Push::default() };
    let lengths = |scene: &Scene| -> Vec<usize> { pieces(scene).into_iter().map(|(_, length, _)| length).collect() };
    scene.spoil("POST", 1, |answer| answer.set("wharf-keeps-cut-chunks", "true"));
    scene.repository.push_blob(&large.bytes, push).await.unwrap();
    assert_eq!(lengths(&scene), [20 << 20]);

    let scene = Scene::new().await;
    scene.spoil("POST", 1, |answer| answer.set("wharf-keeps-cut-chunks", "true"));
    scene.fake.answer_early(&format!("PUT {UPLOADS}"), 1, Answer::new(413));
    scene.repository.push_blob(&large.bytes, push).await.unwrap();
    assert_eq!(lengths(&scene)[1..], [16 << 20, 4 << 20, 0]);
    assert!(scene.fake.blob("team/app", large.digest.as_str()).is_some());
}

#[tokio::test]
async fn answers_to_a_post_that_begin_nothing_are_refused() {
    let scene = Scene::new().await;
    let spoilings: [fn(Answer) -> Answer; 5] = [
        |answer| answer.without("location"),
        |answer| answer.status(200),
        |answer| answer.status(201),
        |_| Answer::html(),
        |answer| answer.set("location", "ftp://elsewhere/"),
    ];
    for spoil in spoilings {
        scene.fake.behave();
        scene.spoil("POST", usize::MAX, spoil);
        let error = scene.push(scene.known()).await.unwrap_err();
        assert!(matches!(error, Error::NotUnderstood { .. }), "{error}");
    }
    scene.fake.behave();
    scene.spoil("POST", usize::MAX, |_| Answer::new(307).set("location", "http://127.0.0.1:1/"));
    scene.push(scene.known()).await.unwrap_err();
    scene.assert_not_there();
}

#[tokio::test]
async fn the_end_of_an_upload_has_to_be_said_to_be_one() {
    let scene = Scene::new().await;
    let other = Bytes::random(1).digest;
    scene.spoil(&format!("PUT {UPLOADS}"), 1, |_| Answer::html());
    let error = scene.push(scene.known()).await.unwrap_err();
    assert!(matches!(error, Error::NotUnderstood { .. }), "{error}");
    scene.spoil(&format!("PUT {UPLOADS}"), 1, move |answer| answer.set("docker-content-digest", &other));
    let error = scene.push(scene.known()).await.unwrap_err();
    assert!(matches!(error, Error::WrongDigest { .. }), "{error}");
    scene.spoil(&format!("PUT {UPLOADS}"), 1, |answer| answer.status(400));
    assert!(matches!(scene.push(scene.known()).await, Err(Error::Refused { .. })));
    // Some say 200 or 204 and mean it.
    scene.spoil(&format!("PUT {UPLOADS}"), 1, |answer| answer.status(204));
    scene.push(scene.known()).await.unwrap();
}

#[tokio::test]
async fn an_upload_on_another_host_is_not_shown_the_credential() {
    let (scene, storage) = (Scene::new().await, FakeRegistry::start().await);
    for door in [Door::Basic, Door::Tokens] {
        scene.fake.door(door);
        let begun = format!("http://{}{UPLOADS}", storage.host());
        let post = reqwest_post(&begun).await;
        let location = format!("http://{}{post}", storage.host());
        scene.fake.spoil("POST", usize::MAX, move |_, answer| match answer.content() {
            body if body.starts_with(b"{\"errors") => answer,
            _ => answer.set("location", &location),
        });
        scene.repository.push_blob(&scene.blob.bytes, scene.known()).await.unwrap();
        scene.fake.behave();
    }
    assert!(storage.asked().iter().all(|request| request.header("authorization").is_none()));
    assert!(scene.fake.asked().iter().any(|request| request.header("authorization").is_some()));
}

/// The path of a new upload there.
async fn reqwest_post(url: &str) -> String {
    let endpoint = url.trim_start_matches("http://").split('/').next().unwrap().to_owned();
    let mut stream = tokio::net::TcpStream::connect(&endpoint).await.unwrap();
    let request = format!("POST {UPLOADS} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n");
    tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut answer).await.unwrap();
    let location = answer.lines().find_map(|line| line.strip_prefix("location: ")).unwrap();
    location.to_owned()
}

#[tokio::test]
async fn tokens_that_end_between_chunks_are_replaced() {
    let scene = Scene::new().await;
    scene.fake.door(Door::Tokens);
    let expired = |_: &Request, _: Answer| Answer::new(401).set("www-authenticate", "Bearer realm=\"http://x/token\"");
    scene.fake.spoil(&format!("PATCH {UPLOADS}"), 1, expired);
    scene.fake.spoil(&format!("PUT {UPLOADS}"), 1, expired);
    // The first has been taken by the fake all the same, so that its offset says so.
    scene.repository.push_blob(&scene.blob.bytes, scene.known()).await.unwrap();
}

#[tokio::test]
async fn who_may_not_push_is_told_so_at_once() {
    let scene = Scene::new().await;
    let denied = serde_json::json!({ "errors": [{ "code": "DENIED", "message": "jane may only read team/app" }] });
    scene.spoil("POST", usize::MAX, move |_| Answer::new(403).json(&denied));
    let error = scene.push(scene.known()).await.unwrap_err();
    assert!(matches!(error, Error::Denied { .. }), "{error}");
    let said = error.to_string();
    assert!(said.contains("team/app: denied: jane may only read team/app; ask an owner"), "{said}");
    assert_eq!(scene.fake.count("POST"), 1);
}

#[tokio::test]
async fn a_command_that_helps_is_made_of_names_and_nothing_else() {
    let scene = Scene::new().await;
    let hint = "wharf authorizations create";
    for (caller, target, expected) in [
        ("jane", "team/app", Some("create team/app --user jane --permission writer")),
        ("team+ci", "team/app", Some("create team/app --robot team+ci --permission writer")),
        ("jane; reboot", "team/app", None),
        ("jane", "$(reboot)", None),
    ] {
        let detail = serde_json::json!({ "caller": caller, "target": target, "permission": "writer" });
        let denied = serde_json::json!({ "errors": [{ "code": "DENIED", "message": "no", "detail": detail }] });
        scene.spoil("POST", 1, move |_| Answer::new(403).json(&denied));
        let said = scene.push(scene.known()).await.unwrap_err().to_string();
        match expected {
            Some(expected) => assert!(said.ends_with(expected), "{said}"),
            None => assert!(!said.contains(hint) && said.contains("ask an owner"), "{said}"),
        }
    }
    let full = serde_json::json!({ "org": "team", "used": 9, "reserved": 0, "limit": 10, "wanted": 5 });
    let full = serde_json::json!({ "errors": [{ "code": "DENIED", "message": "full", "detail": full }] });
    scene.spoil("POST", 1, move |_| Answer::new(403).json(&full));
    let said = scene.push(scene.known()).await.unwrap_err().to_string();
    assert!(said.ends_with("team/app: denied: full; what it keeps: wharf quotas get team"), "{said}");
}

/// Content whose reader fails, or has another length than was said.
struct Broken(&'static str);

#[async_trait]
impl Content for Broken {
    async fn open(&self, _: u64) -> io::Result<Reader> {
        match self.0 {
            "short" => Ok(Reader::of(io::Cursor::new(vec![0; 2500]))),
            "absent" => Err(io::ErrorKind::NotFound.into()),
            _ => Ok(Reader::blocking(Failing(1500))),
        }
    }
}

struct Failing(usize);

impl io::Read for Failing {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::Error::other("the disk fell off"));
        }
        let count = into.len().min(self.0);
        self.0 -= count;
        Ok(count)
    }
}

#[tokio::test]
async fn content_that_cannot_be_read_is_no_blob() {
    let scene = Scene::new().await;
    for (what, said) in
        [("short", "shorter than was said"), ("absent", "entity not found"), ("failing", "the disk fell off")]
    {
        let error = scene.repository.push_blob(&Broken(what), scene.known()).await.unwrap_err();
        assert!(matches!(error, Error::Source { .. }) && error.to_string().contains(said), "{what}: {error}");
    }
    let error = scene.repository.push_blob(&Broken("failing"), scene.unknown()).await.unwrap_err();
    assert!(matches!(error, Error::Source { .. }), "{error}");
    scene.assert_not_there();
    assert_eq!(scene.fake.open_uploads(), 0, "what was begun is cancelled");
    // Other bytes than were said: the registry refuses them.
    let other = Bytes::random(3500);
    let error = scene.repository.push_blob(&other.bytes, scene.known()).await.unwrap_err();
    assert!(error.to_string().contains("DIGEST_INVALID"), "{error}");
}

#[tokio::test]
async fn an_upload_of_a_process_that_was_killed_is_gone_on_with() {
    for is_known in [true, false] {
        let (scene, folder) = (Scene::new().await, tempfile::tempdir().unwrap());
        let store = ResumeStore::new(folder.path().join("uploads"));
        let key = scene.blob.digest.to_string();
        let push = if is_known { scene.known() } else { scene.unknown() };
        let push = Push { resume: Some((&store, &key)), ..push };
        let files = || std::fs::read_dir(folder.path().join("uploads")).map_or(0, Iterator::count);
        let reached = tokio::sync::Notify::new();
        let note = |at| {
            if at >= 2000 {
                reached.notify_one();
            }
        };
        tokio::select! {
            biased;
            () = reached.notified() => {}
            outcome = scene.repository.push_blob(&scene.blob.bytes, Push { progress: Some(&note), ..push }) => {
                panic!("it was done before it was killed: {outcome:?}");
            }
        }
        assert_eq!(files(), 2, "its state and its lock");
        let before = scene.sent();
        scene.push(push).await.unwrap();
        assert!(scene.sent() - before < 3500, "{} bytes sent again", scene.sent() - before);
        assert_eq!((scene.fake.count("POST"), files()), (1, 0));
    }
}

#[tokio::test]
async fn states_of_uploads_are_the_owners_alone_and_one_processs_at_a_time() {
    use std::os::unix::fs::PermissionsExt as _;
    let (scene, folder) = (Scene::new().await, tempfile::tempdir().unwrap());
    let store = ResumeStore::new(folder.path());
    let push = Push { resume: Some((&store, "key")), ..scene.known() };
    scene.fake.spoil(&format!("PATCH {UPLOADS}"), usize::MAX, |_, _| Answer::new(500));
    scene.fake.spoil(&format!("GET {UPLOADS}"), usize::MAX, |_, answer| answer.set("range", "0-0"));
    scene.push(push).await.unwrap_err();
    let state = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let states: Vec<_> = state.filter(|path| path.extension().is_some_and(|kind| kind == "json")).collect();
    assert_eq!(states.len(), 1);
    assert_eq!(std::fs::metadata(&states[0]).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(scene.fake.open_uploads(), 1, "an upload that can be gone on with is not cancelled");

    // The registry forgot it, and the file is damaged: both are begun anew.
    scene.fake.behave();
    scene.fake.forget_uploads();
    scene.push(push).await.unwrap();
    std::fs::write(&states[0], "{\"place\": \"").unwrap();
    scene.push(push).await.unwrap();
    // Two at once: one goes without.
    let (one, two) = tokio::join!(scene.push(push), scene.push(push));
    one.unwrap();
    two.unwrap();
}

#[tokio::test]
async fn an_upload_of_other_bytes_under_the_same_key_is_begun_anew() {
    let (scene, folder) = (Scene::new().await, tempfile::tempdir().unwrap());
    let store = ResumeStore::new(folder.path());
    let push = Push { resume: Some((&store, "key")), ..scene.known() };
    let other = Bytes::random(3500);
    scene.fake.spoil(&format!("PATCH {UPLOADS}"), 1, |_, answer| answer);
    scene.fake.spoil(&format!("PATCH {UPLOADS}"), usize::MAX, |_, _| Answer::new(403));
    scene.repository.push_blob(&other.bytes, Push { digest: Some(&other.digest), ..push }).await.unwrap_err();
    scene.fake.behave();
    scene.push(push).await.unwrap();
}

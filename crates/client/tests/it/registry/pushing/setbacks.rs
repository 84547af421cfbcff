//! What goes wrong in the middle, and does not last.

use std::sync::atomic::{AtomicU32, Ordering};

use wharf_client::registry::Patience;

use super::*;

/// Waits for a registry for some seconds.
fn patient(fake: &FakeRegistry) -> Repository {
    let mut endpoint = endpoint(fake.host());
    endpoint.patience = Patience { tries: 5, first_pause: Duration::from_millis(40), ..endpoint.patience };
    Registry::new(endpoint, by_password(USER, USER_PASSWORD)).unwrap().repository(&name("team/app"))
}

#[tokio::test]
async fn a_registry_that_starts_anew_in_the_middle_is_waited_for() {
    for is_known in [true, false] {
        let mut scene = Scene::new().await;
        scene.repository = patient(&scene.fake);
        let told = AtomicU32::new(0);
        let leave = |at| {
            if at == 1000 && told.fetch_add(1, Ordering::Relaxed) == 0 {
                scene.fake.leave_for(Duration::from_secs(1));
            }
        };
        let push = if is_known { scene.known() } else { scene.unknown() };
        scene.push(Push { progress: Some(&leave), ..push }).await.unwrap();
        assert_eq!((scene.sent(), scene.fake.count("POST")), (3500, 1));
        assert!(told.into_inner() > 0);
    }
}

#[tokio::test]
async fn a_registry_that_is_in_trouble_has_not_forgotten_an_upload() {
    for status in [500, 502, 503, 504, 429] {
        let scene = Scene::new().await;
        scene.fake.cut_requests(&format!("PATCH {UPLOADS}"), 1, 300);
        let trouble = move |answer: Answer| answer.status(status).without("range").set("retry-after", "0");
        scene.spoil(&format!("GET {UPLOADS}"), 4, trouble);
        scene.push(scene.known()).await.unwrap();
        assert_eq!((scene.sent(), scene.fake.count("POST")), (3500, 1), "{status}");
    }
}

#[tokio::test]
async fn a_registry_that_stays_in_trouble_is_gone_on_with_by_the_next_process() {
    let (scene, folder) = (Scene::new().await, tempfile::tempdir().unwrap());
    let store = ResumeStore::new(folder.path());
    let push = Push { resume: Some((&store, "key")), ..scene.known() };
    scene.fake.cut_requests(&format!("PATCH {UPLOADS}"), 1, 700);
    scene.spoil(&format!("GET {UPLOADS}"), usize::MAX, |answer| answer.status(502).without("range"));
    for _ in 0..2 {
        let error = scene.push(push).await.unwrap_err();
        assert!(matches!(error, Error::Cut { .. }), "{error}");
    }
    scene.fake.behave();
    scene.push(push).await.unwrap();
    assert_eq!((scene.sent(), scene.fake.count("POST"), scene.fake.count("DELETE")), (3500, 1, 0));
}

#[tokio::test]
async fn going_back_and_forth_is_no_progress() {
    let scene = Scene::new().await;
    scene.spoil(&format!("PATCH {UPLOADS}"), usize::MAX, |_| Answer::new(500));
    let asked = AtomicU32::new(0);
    scene.spoil(&format!("GET {UPLOADS}"), usize::MAX, move |answer| {
        let is_even = asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
        answer.set("range", if is_even { "0-999" } else { "0-0" })
    });
    let push = tokio::time::timeout(Duration::from_secs(10), scene.push(scene.known()));
    let error = push.await.expect("should end").unwrap_err();
    assert!(matches!(error, Error::Cut { .. }), "{error}");
    assert!(scene.fake.count("PATCH") < 10, "{}", scene.fake.count("PATCH"));
}

#[tokio::test]
async fn an_upload_that_is_lost_each_time_is_not_begun_for_ever() {
    let scene = Scene::new().await;
    // Each comes a chunk further than the one before it, and is gone then.
    scene.fake.spoil(&format!("PATCH {UPLOADS}"), usize::MAX, |request, answer| {
        let session: u64 = request.path().rsplit_once('-').unwrap().1.parse().unwrap();
        let begins: u64 = request.header("content-range").unwrap().split_once('-').unwrap().0.parse().unwrap();
        if begins >= session * 500 { Answer::new(500) } else { answer }
    });
    scene.spoil(&format!("GET {UPLOADS}"), usize::MAX, |_| Answer::new(404));
    let error = scene.push(Push { chunk: Some(500), ..scene.known() }).await.unwrap_err();
    assert!(matches!(error, Error::Cut { .. }), "{error}");
    assert_eq!(scene.fake.count("POST"), 4);
    scene.assert_not_there();
}

#[tokio::test]
async fn what_landed_although_its_answer_was_lost_is_not_sent_again() {
    for (in_one, is_known) in [(true, true), (true, false), (false, false)] {
        let scene = Scene::new().await;
        if in_one {
            scene.spoil(&format!("PATCH {UPLOADS}"), usize::MAX, |_| Answer::new(405));
            scene.spoil(&format!("GET {UPLOADS}"), usize::MAX, |_| Answer::new(404));
        }
        scene.spoil(&format!("PUT {UPLOADS}"), 1, Answer::silent);
        let landed =
            scene.repository.push_blob(&scene.blob.bytes, if is_known { scene.known() } else { scene.unknown() });
        assert_eq!(landed.await.unwrap().digest, scene.blob.digest);
        assert!(scene.fake.blob("team/app", scene.blob.digest.as_str()).is_some());
        assert_eq!(scene.fake.count("PUT"), 1, "in one: {in_one}, known: {is_known}");
    }
}

#[tokio::test]
async fn a_refusal_in_the_middle_is_heard_at_once() {
    let (scene, store) = (Scene::new().await, FakeRegistry::start().await);
    // More than the connection holds by itself.
    let large = Bytes::random(32 << 20);
    let push = Push { digest: Some(&large.digest), size: Some(32 << 20), ..Push::default() };
    let location = format!("http://{}/upload", store.host());
    scene.spoil("POST", usize::MAX, move |answer| answer.set("location", &location));
    store.answer_early("PATCH ", usize::MAX, Answer::new(403));
    let refused = tokio::time::timeout(Duration::from_secs(10), scene.repository.push_blob(&large.bytes, push));
    let error = refused.await.expect("should not wait for what nobody reads").unwrap_err();
    assert!(matches!(error, Error::Denied { .. }), "{error}");
}

#[tokio::test]
async fn who_asks_for_large_chunks_gets_them_after_a_cut_and_from_a_later_process_too() {
    let scene = Scene::new().await;
    let large = |answer: Answer| answer.set("oci-chunk-min-length", "1700");
    let sizes = |scene: &Scene| -> Vec<usize> {
        let asked = scene.fake.asked();
        asked.iter().filter(|request| request.method == "PATCH").map(|request| request.body.len()).collect()
    };
    scene.spoil("POST", 1, large);
    scene.fake.cut_requests(&format!("PATCH {UPLOADS}"), 1, 300);
    scene.push(scene.unknown()).await.unwrap();
    assert_eq!(sizes(&scene), [300, 1700, 1500]);

    let (scene, folder) = (Scene::new().await, tempfile::tempdir().unwrap());
    let store = ResumeStore::new(folder.path());
    let push = Push { resume: Some((&store, "key")), ..scene.known() };
    scene.spoil("POST", 1, large);
    scene.fake.cut_requests(&format!("PATCH {UPLOADS}"), 1, 300);
    scene.spoil(&format!("GET {UPLOADS}"), 1, |_| Answer::new(403));
    scene.push(push).await.unwrap_err();
    scene.push(push).await.unwrap();
    assert_eq!(sizes(&scene), [300, 1700, 1500]);
}

#[tokio::test]
async fn an_upload_that_is_further_than_its_content_is_begun_anew() {
    let (scene, folder) = (Scene::new().await, tempfile::tempdir().unwrap());
    let store = ResumeStore::new(folder.path());
    let push = Push { resume: Some((&store, "key")), ..scene.unknown() };
    scene.spoil(&format!("PATCH {UPLOADS}"), 1, |answer| answer);
    scene.spoil(&format!("PATCH {UPLOADS}"), usize::MAX, |_| Answer::new(403));
    scene.push(push).await.unwrap_err();
    scene.fake.behave();
    let shorter = Bytes::random(900);
    scene.repository.push_blob(&shorter.bytes, push).await.unwrap();
    assert!(scene.fake.blob("team/app", shorter.digest.as_str()).is_some());
}

#[tokio::test]
async fn only_content_that_is_wrong_is_said_to_be() {
    let scene = Scene::new().await;
    for (status, is_wrong) in [(400, true), (413, false), (422, false)] {
        scene.spoil(&format!("PUT {UPLOADS}"), 1, move |_| Answer::new(status));
        let error = scene.push(scene.known()).await.unwrap_err();
        assert_eq!(error.is_wrong_content(), is_wrong, "{status}: {error}");
    }
}

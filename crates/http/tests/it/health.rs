//! /livez, /readyz, /metrics.

use std::future::IntoFuture as _;
use std::sync::{Arc, Mutex};

use tracing::{Event, Level, Metadata, Subscriber, span};
use wharf_testkit::boxed::StoreError as Error;
use wharf_testkit::failing::Operation;

use super::*;

fn broken() -> Error {
    let source = std::io::Error::from_raw_os_error(5);
    Error::Io { operation: "statvfs", path: "store".into(), source }
}

#[tokio::test]
async fn a_healthy_registry_is_live_and_ready_for_anybody() {
    let b = Boxed::new().await;
    for path in ["/livez", "/readyz"] {
        let reply = b.get(path).anonymous().await.expect(200);
        assert_eq!(reply.header("cache-control"), "no-store");
        assert!(reply.json()["status"].is_string());
    }
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_a_reason() {
    let (b, store) = Boxed::builder().open_failing().await;
    drop(store.clone().fail(Operation::Space, broken));
    let reply = b.get("/readyz").anonymous().await.expect(503).json();
    assert!(reply["reasons"][0].as_str().unwrap().contains("store"), "{reply}");
    b.get("/livez").await.expect(200);
    assert!(!reply.to_string().contains("space"), "the cause is not for strangers: {reply}");
    store.heal();
    // The answer is kept for 2 s: probes are no way to load the disk.
    b.get("/readyz").await.expect(503);
    tokio::time::sleep(Duration::from_millis(2100)).await;
    b.get("/readyz").await.expect(200);
}

/// Counts warnings.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<usize>>);

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() == Level::WARN
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, _: &Event<'_>) {
        *self.0.lock().unwrap() += 1;
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[tokio::test]
async fn the_cause_is_logged_when_readiness_changes_and_not_for_every_probe() {
    let warnings = Warnings::default();
    let (b, store) = Boxed::builder().open_failing().await;
    let _guard = tracing::subscriber::set_default(warnings.clone());
    drop(store.clone().fail(Operation::Space, broken));
    for _ in 0..2 {
        b.get("/readyz").await.expect(503);
        b.get("/readyz").await.expect(503);
        tokio::time::sleep(Duration::from_millis(2100)).await;
    }
    store.heal();
    b.get("/readyz").await.expect(200);
    assert_eq!(store.calls(Operation::Space), 3);
    assert_eq!(*warnings.0.lock().unwrap(), 1);
}

#[tokio::test]
async fn who_asks_often_or_goes_before_the_answer_makes_no_work() {
    let (b, store) = Boxed::builder().open_failing().await;
    for path in ["/readyz", "/metrics"] {
        let before = store.calls(Operation::Space);
        let held = store.hold(Operation::Space);
        for _ in 0..3 {
            // It goes when the work has begun, or waits for that of the one before.
            let mut asked = b.get(path).into_future();
            let begun = async {
                store.called(Operation::Space, before + 1).await;
                tokio::task::yield_now().await;
            };
            tokio::select! {
                biased;
                _ = &mut asked => panic!("{path}: answered before the client went"),
                () = begun => {}
            }
        }
        store.heal();
        drop(held);
        b.get(path).await.expect(200);
        b.get(path).await.expect(200);
        assert_eq!(store.calls(Operation::Space) - before, 1, "{path}");
    }
}

#[tokio::test]
async fn draining_is_a_reason() {
    let b = Boxed::new().await;
    b.drain();
    assert_eq!(b.get("/readyz").await.expect(503).json()["status"], "draining");
    b.get("/livez").await.expect(200);
    b.get("/v2/").await.expect(200);
}

#[tokio::test]
async fn metrics_are_openmetrics() {
    let b = Boxed::new().await;
    let image = b.push_image("team/app", "v1").await;
    b.get(format!("/v2/team/app/blobs/{}", image.layers[0].digest)).await.expect(200);
    b.get("/v2/Bad/tags/list").await.expect(400);
    b.ask("BREW", "/v2/").await.expect(405);
    let reply = b.get("/metrics").anonymous().await.expect(200);
    assert!(reply.header("content-type").starts_with("application/openmetrics-text"));
    let text = String::from_utf8(reply.body.to_vec()).unwrap();
    assert!(text.ends_with("# EOF\n"));
    assert!(!text.contains("BREW"), "a client's text makes no series");
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        assert!(series.starts_with("wharf_") && value.parse::<f64>().is_ok(), "{line}");
    }
    let value = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name} in {text}"));
        line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap()
    };
    assert!(value("wharf_received_bytes_total") > 1024.0);
    assert!(value("wharf_sent_bytes_total") >= 1024.0);
}

#[tokio::test]
async fn metrics_can_be_elsewhere() {
    let b = Boxed::builder().options(|o| o.metrics = false).open().await;
    b.get("/metrics").await.expect(404);
}

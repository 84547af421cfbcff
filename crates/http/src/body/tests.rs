use std::sync::Mutex;

use tracing::{Event, Level, Metadata, Subscriber, span};

use super::*;

/// Keeps the level of what is logged here.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<Level>>>);

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        if event.metadata().target().starts_with("wharf") {
            self.0.lock().unwrap().push(*event.metadata().level());
        }
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[tokio::test]
async fn a_blob_that_cannot_be_read_to_its_end_is_logged_once() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let file = tempfile::tempfile().unwrap();
    file.set_len(3 * BLOCK).unwrap();
    let content = Content::File { file, range: 0..5 * BLOCK };
    let body = outgoing(content, Pace::of(Version::HTTP_11), Metrics::new(Arc::default()));
    let blocks: Vec<_> = body.into_data_stream().take(4).collect().await;
    assert!(blocks[..3].iter().all(Result::is_ok) && blocks[3].is_err());
    assert_eq!(*log.0.lock().unwrap(), [Level::ERROR]);
}

#[tokio::test]
async fn http2_is_given_small_blocks_and_http1_large_ones() {
    for (version, block) in [(Version::HTTP_11, 512 << 10), (Version::HTTP_2, 64 << 10)] {
        let file = tempfile::tempfile().unwrap();
        file.set_len(1 << 20).unwrap();
        let body = outgoing(Content::File { file, range: 7..1 << 20 }, Pace::of(version), Metrics::new(Arc::default()));
        let blocks: Vec<Bytes> = body.into_data_stream().map(Result::unwrap).collect().await;
        assert_eq!(blocks.iter().map(Bytes::len).max(), Some(block));
        assert_eq!(blocks.iter().map(Bytes::len).sum::<usize>(), (1 << 20) - 7);
    }
}

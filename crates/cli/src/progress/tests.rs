use super::*;
use wharf_oci::Algorithm;

fn part(size: u64) -> Part {
    Part { kind: Kind::Layer, digest: Shown(Digest::of(Algorithm::Sha256, b"x")), size }
}

const HEX: &str = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";

fn started(size: u64, planned: u64) -> Event {
    Event::Started { part: part(size), planned }
}

#[test]
fn an_event_for_programs_is_a_flat_object() {
    let finished = Event::Finished { part: part(5), how: How::Mounted, became: None };
    let expected = serde_json::json!({
        "event": "finished", "kind": "layer", "digest": format!("sha256:{HEX}"), "size": 5, "how": "mounted"
    });
    assert_eq!(serde_json::to_value(&finished).unwrap(), expected);
    let started = serde_json::to_value(started(5, 5)).unwrap();
    assert_eq!(started["event"], "started");
    assert_eq!(started["size"], 5);
}

#[tokio::test(start_paused = true)]
async fn lines_tell_of_a_long_part_now_and_then() {
    let lines = Lines::default();
    let moved = |bytes| Event::Progress { digest: part(4096).digest, bytes, size: 4096 };
    assert_eq!(lines.line(&started(4096, 4096)), None);
    assert_eq!(lines.line(&moved(1)), None);
    tokio::time::advance(std::time::Duration::from_secs(11)).await;
    assert_eq!(lines.line(&moved(2048)).unwrap(), format!("{} 2 KiB of 4 KiB", &HEX[..12]));
    assert_eq!(lines.line(&moved(2049)), None);
    let done = Event::Finished { part: part(4096), how: How::There, became: None };
    assert_eq!(lines.line(&done).unwrap(), format!("layer {} 4 KiB there already", &HEX[..12]));
}

#[test]
fn a_total_counts_what_is_sent_again_once() {
    let bars = Bars::on(indicatif::ProgressDrawTarget::hidden());
    bars.tell(&Event::Planned { manifests: 1, parts: 2, bytes: 300 });
    bars.tell(&started(100, 100));
    for bytes in [40, 90, 10, 60] {
        bars.tell(&Event::Progress { digest: part(100).digest, bytes, size: 100 });
    }
    assert_eq!(bars.position(), (60, 300));
    bars.tell(&Event::Finished { part: part(100), how: How::Copied, became: None });
    assert_eq!(bars.position(), (100, 300));
}

#[test]
fn a_total_counts_what_was_planned_whatever_is_read() {
    let bars = Bars::on(indicatif::ProgressDrawTarget::hidden());
    bars.tell(&Event::Planned { manifests: 1, parts: 2, bytes: 300 });
    bars.tell(&started(900, 200));
    bars.tell(&Event::Progress { digest: part(900).digest, bytes: 450, size: 900 });
    assert_eq!(bars.position(), (100, 300));
    let other = Part { digest: Shown(Digest::of(Algorithm::Sha256, b"y")), ..part(100) };
    bars.tell(&Event::Finished { part: other, how: How::There, became: None });
    assert_eq!(bars.position(), (100, 200), "what is there is not to be carried");
    bars.tell(&Event::Finished { part: part(200), how: How::Copied, became: None });
    assert_eq!(bars.position(), (200, 200));
}

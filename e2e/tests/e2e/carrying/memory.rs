//! The client's memory does not grow with what it carries, whether it compresses it or not.

use wharf_e2e::{Layout, Relay, Wharf, say};

use super::Goal;

const LAYERS: [u64; 10] = [25; 10];
/// Of one run, in MiB. All layers together have more than twice as much.
const ROOM_MIB: u64 = 100;

#[test]
fn images_larger_than_the_client_may_be_are_carried_either_way() {
    let wharf = Wharf::start();
    let goal = Goal::wharfinger(&wharf, wharf.host());
    let layout = Layout::of_layers(&goal.sandbox.path("layout"), &LAYERS);
    let (from, host) = (goal.sandbox.at("layout"), &goal.host);
    // Under another name, so that nothing is mounted.
    let other = Relay::to(host).host();
    let login = Goal::line(&format!("auth login {other} -u admin --password-stdin"));
    goal.sandbox.feed(wharf.password(), &login).ok();
    let back = goal.sandbox.at("back");
    for (what, line) in [
        ("layout to registry", goal.copy_from(&from)),
        ("registry to registry", Goal::line(&format!("copy {host}/team/large:v1 {other}/other/large:v1"))),
        ("registry to layout", Goal::line(&format!("copy {host}/team/large:v1 oci:{back}:v1"))),
    ] {
        has_room(&goal, what, &line);
    }
    for digest in &layout.layers {
        goal.assert_same(digest, &layout.file(digest)).ok();
    }
}

#[test]
fn images_larger_than_the_client_may_be_are_compressed_on_their_way() {
    let wharf = Wharf::start();
    let goal = Goal::wharfinger(&wharf, wharf.host());
    let layout = Layout::of_bare_layers(&goal.sandbox.path("layout"), &LAYERS);
    let copy = goal.copy_from(&goal.sandbox.at("layout"));
    for how in ["gzip", "zstd"] {
        has_room(&goal, how, &format!("{copy} --compress {how}"));
        let manifest = wharf.api().get("/v2/team/large/manifests/v1").expect(200).json();
        let kind = manifest["layers"][9]["mediaType"].as_str();
        assert!(kind.is_some_and(|kind| kind.ends_with(how)), "{manifest}");
        let back = goal.sandbox.path(how);
        let line = format!("copy {}/team/large:v1 --compress none oci:{}:v1", goal.host, back.display());
        has_room(&goal, &format!("{how} and back"), &Goal::line(&line));
        let is_there = |digest: &String| back.join("blobs").join(digest.replace(':', "/")).is_file();
        assert!(layout.layers.iter().all(is_there), "{} is not what it was", back.display());
    }
}

/// Runs it, and fails unless it keeps to [`ROOM_MIB`].
fn has_room(goal: &Goal, what: &str, line: &str) {
    let peak = goal.sandbox.start(line, "copy.log").peak_mib();
    let (mib, count) = (LAYERS.iter().sum::<u64>(), LAYERS.len());
    say(&format!("{what}: {mib} MiB in {count} layers, at most {peak} MiB of memory"));
    assert!(peak > 0 && peak <= ROOM_MIB, "{what}: {peak} MiB");
}

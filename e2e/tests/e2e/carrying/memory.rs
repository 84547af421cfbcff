//! The client's memory does not grow with what it carries as it is.

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
        let peak = goal.sandbox.start(&line, "copy.log").peak_mib();
        say(&format!(
            "{what}: {} MiB in {} layers, at most {peak} MiB of memory",
            LAYERS.iter().sum::<u64>(),
            LAYERS.len()
        ));
        assert!(peak > 0 && peak <= ROOM_MIB, "{what}: {peak} MiB");
    }
    for digest in &layout.layers {
        goal.assert_same(digest, &layout.file(digest)).ok();
    }
}

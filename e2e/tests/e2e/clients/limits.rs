//! What clients make of limits and quotas: they pass on what the registry says.

use wharf_e2e::{Sandbox, Wharf};

use super::anonymous::with_public_image;
use super::{docker, over_http, podman};

const LAYERS: usize = 5;

fn set(wharf: &Wharf, path: &str, body: &str) {
    wharf.api().send("PUT", path, &[("Content-Type", "application/json")], body.as_bytes()).unwrap().expect(200);
}

/// Bytes that an org has used, and reserved.
fn used(wharf: &Wharf, org: &str) -> (u64, u64) {
    let quota = wharf.api().get(&format!("/api/v1/orgs/{org}/quota")).expect(200).json();
    (quota["bytes"]["used"].as_u64().unwrap(), quota["bytes"]["reserved"].as_u64().unwrap())
}

/// An image of some layers that do not compress; podman sends them side by side, their lengths untold.
fn build(sandbox: &Sandbox, podman: &str, image: &str) {
    let mut random = fastrand::Rng::new();
    let mut recipe = "FROM scratch\n".to_owned();
    for n in 0..LAYERS {
        std::fs::write(sandbox.path(&format!("layer{n}")), wharf_e2e::blob(&mut random, 2 << 20)).unwrap();
        recipe.extend(["COPY layer", &n.to_string(), " /\n"]);
    }
    sandbox.write("Containerfile", &recipe);
    sandbox.ok(&format!("{podman} build --layers -t {image} -f {} {}", sandbox.at("Containerfile"), sandbox.at("")));
}

#[test]
fn podman_pushes_up_to_the_quota_and_says_what_stands_against_more() {
    let (wharf, sandbox) = over_http();
    let (podman, host) = (podman::command(&sandbox), wharf.host());
    sandbox.feed(wharf.password(), &format!("{podman} login -u admin --password-stdin {host}")).ok();
    let image = format!("{host}/roomy/app:1");
    build(&sandbox, &podman, &image);
    sandbox.ok(&format!("{podman} push {image}"));
    let (whole, _) = used(&wharf, "roomy");
    for org in ["tight", "small"] {
        let made = format!("{{\"name\":\"{org}\"}}");
        let made = wharf.api().send("POST", "/api/v1/orgs", &[("Content-Type", "application/json")], made.as_bytes());
        made.unwrap().expect(201);
        sandbox.ok(&format!("{podman} tag {image} {host}/{org}/app:1"));
    }
    // Little more than it takes: layers on their way side by side leave each other room.
    set(&wharf, "/api/v1/orgs/tight/quota", &format!("{{\"bytes\":{}}}", whole + whole / 4));
    sandbox.ok(&format!("{podman} push {host}/tight/app:1"));
    assert_eq!(used(&wharf, "tight"), (whole, 0));
    set(&wharf, "/api/v1/orgs/small/quota", &format!("{{\"bytes\":{}}}", whole / 2));
    sandbox.run(&format!("{podman} push {host}/small/app:1")).fails_with("org small may keep");
    let (kept, reserved) = used(&wharf, "small");
    assert!(kept <= whole / 2 && reserved <= whole / 2 - kept, "{kept} {reserved}");
    wharf.api().get("/v2/small/app/manifests/1").expect_error(404, "MANIFEST_UNKNOWN");
}

#[test]
fn docker_says_which_limit_is_reached() {
    let (wharf, sandbox, image) = with_public_image();
    // What docker has, it asks for with HEAD, which is free.
    wharf.api().push_image("open/other", "1", &wharf_e2e::Image::new(&mut fastrand::Rng::new(), "amd64", 1000));
    set(&wharf, "/api/v1/limits/manifest-pulls/anonymous", "{\"requests\":1,\"seconds\":3600}");
    let daemon = docker::daemon(&sandbox);
    let docker = docker::command(&sandbox, "/usr/bin/docker");
    sandbox.ok(&format!("{docker} pull {image}"));
    sandbox.ok(&format!("{docker} pull {image}"));
    let second = sandbox.run(&format!("{docker} pull {}/open/other:1", wharf.host()));
    second.fails_with("the limit manifest-pulls/anonymous allows 1 in 1 hour");
    drop(daemon);
}

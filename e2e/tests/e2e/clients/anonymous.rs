//! `--anonymous pull`: whoever has no account reads what is public, and pushes nothing.

use wharf_e2e::{Sandbox, Setup, Wharf};

use super::{containerd, docker, podman, with};

/// A server with one public image, pushed by podman as the administrator, who then signs out.
pub(super) fn with_public_image() -> (Wharf, Sandbox, String) {
    let (wharf, sandbox) = with(Setup::new().flags("--anonymous pull --set visibility=public"));
    let (podman, host) = (podman::command(&sandbox), wharf.host());
    let image = format!("{host}/open/base:1");
    sandbox.ok(&format!("{podman} import {} {image}", sandbox.base()));
    sandbox.feed(wharf.password(), &format!("{podman} login -u admin --password-stdin {host}")).ok();
    sandbox.ok(&format!("{podman} push {image}"));
    sandbox.ok(&format!("{podman} logout {host}"));
    (wharf, sandbox, image)
}

#[test]
fn podman_pulls_without_credentials_and_cannot_push() {
    let (wharf, sandbox, image) = with_public_image();
    let (podman, host) = (podman::command(&sandbox), wharf.host());
    sandbox.ok(&format!("{podman} rmi -a -f"));
    sandbox.ok(&format!("{podman} pull {image}"));
    assert_eq!(sandbox.ok(&format!("{podman} run --rm {image} /bin/busybox echo hello")), "hello");
    sandbox.run(&format!("{podman} push {image} {host}/open/base:2")).fails_with("unauthorized");
    let found = sandbox.ok(&format!("{podman} search --tls-verify=false --format '{{{{.Name}}}}' {host}/base"));
    assert_eq!(found, format!("{host}/open/base"));
}

#[test]
fn docker_pulls_without_credentials_and_cannot_push() {
    let (wharf, sandbox, image) = with_public_image();
    let daemon = docker::daemon(&sandbox);
    let docker = docker::command(&sandbox, "/usr/bin/docker");
    sandbox.ok(&format!("{docker} pull {image}"));
    let found = sandbox.ok(&format!("{docker} search --format '{{{{.Name}}}}' {}/base", wharf.host()));
    assert!(found.contains("open/base"), "{found}");
    sandbox.ok(&format!("{docker} tag {image} {}/open/base:2", wharf.host()));
    sandbox.run(&format!("{docker} push {}/open/base:2", wharf.host())).fails_with("unauthorized");
    drop(daemon);
}

#[test]
fn containerd_pulls_without_credentials_and_cannot_push() {
    let (wharf, sandbox, image) = with_public_image();
    let daemon = containerd::daemon(&sandbox);
    let ctr = containerd::command(&sandbox);
    sandbox.ok(&format!("{ctr} images pull --plain-http --snapshotter native {image}"));
    // To another repository: where only the manifest is refused, this ctr sends it five times, and sometimes hangs.
    let push = format!("{ctr} images push --plain-http {}/public/other:1 {image}", wharf.host());
    sandbox.run(&push).fails_with("unauthorized");
    drop(daemon);
}

#[test]
fn crane_pulls_without_credentials_and_cannot_push() {
    let (wharf, sandbox, image) = with_public_image();
    sandbox.ok(&format!("crane validate --remote {image}"));
    let tar = sandbox.at("image.tar");
    sandbox.ok(&format!("crane pull {image} {tar}"));
    sandbox.run(&format!("crane push {tar} {}/open/base:2", wharf.host())).fails_with("unauthorized");
    wharf.anonymous().send("POST", "/v2/open/base/blobs/uploads/", &[], b"").unwrap().expect_error(401, "UNAUTHORIZED");
}

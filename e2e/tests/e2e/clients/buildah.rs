//! buildah

use wharf_e2e::{Sandbox, Wharf};

use super::{over_http, over_tls, podman, sign_in};

#[test]
fn buildah_builds_on_a_pulled_base_and_pushes_over_http() {
    let (wharf, sandbox) = over_http();
    whole_round(&wharf, &sandbox);
}

#[test]
fn buildah_builds_on_a_pulled_base_and_pushes_over_tls() {
    let (wharf, sandbox) = over_tls();
    whole_round(&wharf, &sandbox);
}

fn whole_round(wharf: &Wharf, sandbox: &Sandbox) {
    let (podman, host, base) = (podman::command(sandbox), wharf.host(), sandbox.base());
    let login = format!("buildah login --tls-verify={} -u admin --password-stdin {host}", wharf.ca().is_some());
    sign_in(wharf, sandbox, &login, "invalid username/password");
    sandbox.ok(&format!("{podman} import {base} {host}/team/base:1"));
    sandbox.ok(&format!("buildah push {host}/team/base:1"));
    sandbox.ok("buildah rmi -a -f");

    let run = "RUN /bin/busybox echo built > /built\nCMD [\"/bin/busybox\",\"cat\",\"/built\"]\n";
    sandbox.write("work/Containerfile", &format!("FROM {host}/team/base:1\n{run}"));
    let build = "buildah bud --isolation chroot --layers";
    sandbox.ok(&format!("{build} -t {host}/team/built:1 ."));
    sandbox.ok(&format!("buildah push --digestfile {} {host}/team/built:1", sandbox.at("digest")));
    let digest = std::fs::read_to_string(sandbox.path("digest")).unwrap();
    assert_eq!(digest, wharf.api().digest("team/built", "1"));
    sandbox.ok("buildah rmi -a -f");
    sandbox.ok(&format!("buildah pull {host}/team/built:1"));
    assert_eq!(sandbox.ok(&format!("{podman} run --rm {host}/team/built:1")), "built");

    // Layers go to a repository of their own, under tags named by a hash, and come back from there.
    let cache = format!("{host}/team/cache");
    sandbox.ok("buildah rmi -a -f");
    sandbox.ok(&format!("{build} --cache-to {cache} --cache-from {cache} -t {host}/team/built:2 ."));
    sandbox.ok("buildah rmi -a -f");
    let again = sandbox.run(&format!("{build} --cache-from {cache} -t {host}/team/built:3 ."));
    assert!(format!("{again}").contains("Using cache"), "{again}");
    multi_platform(wharf, sandbox);
}

fn multi_platform(wharf: &Wharf, sandbox: &Sandbox) {
    let host = wharf.host();
    let tls = format!("--tls-verify={}", wharf.ca().is_some());
    let index = format!("{host}/team/multi:1");
    sandbox.ok(&format!("buildah manifest create {index}"));
    sandbox.ok(&format!("buildah manifest add {tls} {index} docker://{host}/team/built:1"));
    sandbox.ok(&format!("buildah manifest push {tls} --all {index} docker://{index}"));
    let api = wharf.api();
    let pushed = api.get("/v2/team/multi/manifests/1").expect(200).json();
    assert_eq!(pushed["manifests"][0]["digest"], api.digest("team/built", "1"));
}

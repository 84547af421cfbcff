//! crane

use wharf_e2e::{Sandbox, Wharf};

use super::{assert_gone, assert_tags, over_http, over_tls};

#[test]
fn crane_pushes_copies_and_deletes_over_http() {
    let (wharf, sandbox) = over_http();
    whole_round(&wharf, &sandbox);
}

#[test]
fn crane_pushes_copies_and_deletes_over_tls() {
    let (wharf, sandbox) = over_tls();
    whole_round(&wharf, &sandbox);
}

fn whole_round(wharf: &Wharf, sandbox: &Sandbox) {
    let (host, base) = (wharf.host(), sandbox.base());
    let crane = |line: &str| sandbox.ok(&format!("crane {line}"));
    let repo = format!("{host}/team/crane");
    let append = format!("crane append --new_layer {base} --new_tag {repo}:1");
    sandbox.run(&append).fails_with("unauthorized");
    // crane login asks nobody: what it stored is refused when it is used.
    sandbox.feed("wrong", &format!("crane auth login -u admin --password-stdin {host}"));
    sandbox.run(&append).fails_with("unauthorized");
    sandbox.feed(wharf.password(), &format!("crane auth login -u admin --password-stdin {host}")).ok();
    sandbox.ok(&append);
    let digest = crane(&format!("digest {repo}:1"));
    assert_eq!(digest, wharf.api().digest("team/crane", "1"));

    let (tar, layout) = (sandbox.at("image.tar"), sandbox.at("layout"));
    crane(&format!("pull {repo}:1 {tar}"));
    crane(&format!("push {tar} {repo}:2"));
    crane(&format!("pull --format oci {repo}:1 {layout}"));
    crane(&format!("push {layout} {repo}:3"));
    assert_eq!(wharf.api().digest("team/crane", "3"), digest, "a layout keeps the digest");
    crane(&format!("validate --remote {repo}:1"));
    crane(&format!("mutate --label a=b {repo}:1 -t {repo}:4"));
    crane(&format!("tag {repo}:1 latest"));
    crane(&format!("index append -m {repo}:1 -m {repo}:4 -t {repo}:index"));
    crane(&format!("copy {repo}:index {host}/team/copy:index"));
    assert_eq!(wharf.api().digest("team/copy", "index"), wharf.api().digest("team/crane", "index"));
    assert_eq!(crane(&format!("ls {repo}")).lines().collect::<Vec<_>>(), ["1", "2", "3", "4", "index", "latest"]);
    assert_eq!(crane(&format!("catalog {host}")).lines().collect::<Vec<_>>(), ["team/copy", "team/crane"]);
    let listing = sandbox.shell(&format!("crane export {repo}:1 - | tar t")).ok();
    assert!(listing.contains("bin/busybox"), "{listing}");
    deletes(wharf, sandbox, &repo);
}

fn deletes(wharf: &Wharf, sandbox: &Sandbox, repo: &str) {
    sandbox.ok(&format!("crane delete {repo}:latest"));
    assert_tags(wharf, "team/crane", &["1", "2", "3", "4", "index"]);
    let digest = wharf.api().digest("team/crane", "4");
    sandbox.ok(&format!("crane delete {repo}@{digest}"));
    assert_gone(wharf, "team/crane", "4");
    assert_gone(wharf, "team/crane", &digest);
    sandbox.run(&format!("crane manifest {repo}:4")).fails_with("MANIFEST_UNKNOWN");
}

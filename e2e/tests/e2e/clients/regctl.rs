//! regctl

use wharf_e2e::{Sandbox, Wharf};

use super::{assert_gone, assert_tags, over_http, over_tls, push_index};

#[test]
fn regctl_copies_attaches_and_deletes_over_http() {
    let (wharf, sandbox) = over_http();
    sandbox.ok(&format!("regctl registry set --skip-check --tls disabled {}", wharf.host()));
    whole_round(&wharf, &sandbox);
}

#[test]
fn regctl_copies_attaches_and_deletes_over_tls() {
    let (wharf, sandbox) = over_tls();
    whole_round(&wharf, &sandbox);
}

fn whole_round(wharf: &Wharf, sandbox: &Sandbox) {
    let host = wharf.host();
    let regctl = |line: &str| sandbox.ok(&format!("regctl {line}"));
    let index = push_index(wharf, "team/multi", "1");
    let (multi, copy) = (format!("{host}/team/multi:1"), format!("{host}/team/copy"));
    sandbox.run(&format!("regctl image digest {multi}")).fails_with("unauthorized");
    super::sign_in(wharf, sandbox, &format!("regctl registry login -u admin --pass-stdin {host}"), "unauthorized");

    regctl(&format!("image copy --force-recursive --referrers --digest-tags {multi} {copy}:1"));
    assert_eq!(wharf.api().digest("team/copy", "1"), index);
    assert_eq!(regctl(&format!("image digest {copy}:1")), index);
    let (tar, layout) = (sandbox.at("x.tar"), sandbox.at("ocidir"));
    regctl(&format!("image export {multi} {tar}"));
    regctl(&format!("image import {copy}:2 {tar}"));
    regctl(&format!("image copy {multi} ocidir://{layout}:1"));
    regctl(&format!("image copy ocidir://{layout}:1 {copy}:3"));
    assert_eq!(wharf.api().digest("team/copy", "3"), index);
    assert_eq!(regctl(&format!("tag ls {copy}")).lines().collect::<Vec<_>>(), ["1", "2", "3"]);
    assert_eq!(regctl(&format!("tag ls {copy} --limit 1 --last 1")), "2");
    assert_eq!(regctl(&format!("repo ls {host}")).lines().collect::<Vec<_>>(), ["team/copy", "team/multi"]);

    artifacts(sandbox, &copy);
    let digest = sandbox.feed("some bytes", &format!("regctl blob put {copy}")).ok();
    assert_eq!(regctl(&format!("blob get {copy} {digest}")), "some bytes");
    deletes(wharf, sandbox, &copy);
}

fn artifacts(sandbox: &Sandbox, copy: &str) {
    let put = format!("regctl artifact put --artifact-type application/x-test --subject {copy}:1");
    sandbox.feed("a signature", &put).ok();
    let list = sandbox.ok(&format!("regctl artifact list {copy}:1 --format '{{{{jsonPretty .Descriptors}}}}'"));
    assert!(list.contains("application/x-test"), "{list}");
}

fn deletes(wharf: &Wharf, sandbox: &Sandbox, copy: &str) {
    sandbox.ok(&format!("regctl tag delete {copy}:3"));
    assert_tags(wharf, "team/copy", &["1", "2"]);
    sandbox.ok(&format!("regctl image mod {copy}:1 --annotation a=b --create {copy}:mod"));
    let digest = wharf.api().digest("team/copy", "mod");
    sandbox.ok(&format!("regctl manifest delete {copy}@{digest}"));
    assert_gone(wharf, "team/copy", &digest);
    assert_tags(wharf, "team/copy", &["1", "2"]);
}

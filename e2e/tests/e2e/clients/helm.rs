//! helm

use wharf_e2e::{Sandbox, Wharf};

use super::{assert_tags, over_http, over_tls, sign_in};

#[test]
fn helm_pushes_and_pulls_charts_over_http() {
    let (wharf, sandbox) = over_http();
    whole_round(&wharf, &sandbox, "--plain-http");
}

#[test]
fn helm_pushes_and_pulls_charts_over_tls() {
    let (wharf, sandbox) = over_tls();
    let ca = wharf.ca().unwrap();
    whole_round(&wharf, &sandbox, &format!("--ca-file {}", ca.display()));
}

fn whole_round(wharf: &Wharf, sandbox: &Sandbox, how: &str) {
    let (host, work) = (wharf.host(), sandbox.at("work"));
    let helm = |line: &str| sandbox.ok(&format!("helm {line}"));
    let charts = format!("oci://{host}/team/charts");
    helm("create chart");
    helm("package chart --version 1.2.3");
    helm("package chart --version 1.2.4+build.5");
    let push = |file: &str| format!("helm push {how} {file} {charts}");
    sandbox.run(&push("chart-1.2.3.tgz")).fails_with("unauthorized");
    sign_in(wharf, sandbox, &format!("helm registry login -u admin --password-stdin {how} {host}"), "401");

    let pushed = sandbox.run(&push("chart-1.2.3.tgz"));
    let digest = wharf.api().digest("team/charts/chart", "1.2.3");
    assert!(format!("{pushed}").contains(&digest), "{pushed}");
    sandbox.ok(&push("chart-1.2.4+build.5.tgz"));
    // A tag has no `+`: helm writes `_`.
    assert_tags(wharf, "team/charts/chart", &["1.2.3", "1.2.4_build.5"]);

    std::fs::create_dir(sandbox.path("work/pulled")).unwrap();
    for version in ["1.2.3", "1.2.4+build.5"] {
        helm(&format!("pull {how} {charts}/chart --version {version} --destination pulled"));
        let read = |folder: &str| std::fs::read(format!("{work}/{folder}chart-{version}.tgz")).unwrap();
        assert!(read("") == read("pulled/"), "the chart comes back byte for byte");
    }
    helm(&format!("pull {how} {charts}/chart --version '~1.2' --destination pulled"));
    let shown = helm(&format!("show chart {how} {charts}/chart --version 1.2.3"));
    assert!(shown.contains("version: 1.2.3"), "{shown}");
    helm(&format!("template x {how} {charts}/chart --version 1.2.3"));
    helm(&format!("registry logout {host}"));
    sandbox.run(&format!("helm show chart {how} {charts}/chart --version 1.2.3")).fails_with("unauthorized");
}

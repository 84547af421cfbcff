//! The OCI conformance suites, whose executables are in no package registry: `WHARF_E2E_CONFORMANCE_V111` is the test
//! program of distribution-spec v1.1.1, `WHARF_E2E_CONFORMANCE` the one of its main branch. What they check stands in our
//! own tests as well.

use std::collections::BTreeMap;

use wharf_e2e::{Sandbox, Setup, Wharf, say, since_start, variable};

#[test]
fn suite_v1_1_1_passes_over_http() {
    v111(Setup::new());
}

#[test]
fn suite_v1_1_1_passes_over_tls() {
    v111(Setup::new().tls());
}

#[test]
fn suite_of_main_passes_over_http() {
    of_main(Setup::new());
}

#[test]
fn suite_of_main_passes_over_tls() {
    of_main(Setup::new().tls());
}

fn executable(name: &str) -> Option<String> {
    let executable = variable(name);
    if executable.is_none() {
        say(&format!("this suite is not run: WHARF_E2E_{name} does not say where its executable is"));
    }
    executable
}

/// A registry either mounts without `from` or it does not; the suite has no tags from outside, and pushes: four tests
/// exclude four others.
const UNAVOIDABLE: [&str; 4] = [
    "Cross-mounting without from, and automatic content discovery disabled",
    "Get tag name from environment",
    "Populate registry with test tags (no push)",
    "Cross-mounting of nonexistent blob should yield session id",
];

fn v111(setup: Setup) {
    let Some(executable) = executable("CONFORMANCE_V111") else { return };
    // It opens uploads that it does not end.
    let wharf = setup.keeps_uploads().start();
    for delete_manifest_first in ["1", "0"] {
        let mut sandbox = Sandbox::of(&wharf);
        let namespace = format!("conformance/v111-{delete_manifest_first}");
        let env = [
            ("OCI_ROOT_URL", wharf.url()),
            ("OCI_USERNAME", "admin".into()),
            ("OCI_PASSWORD", wharf.password().into()),
            ("OCI_CROSSMOUNT_NAMESPACE", format!("{namespace}-mount")),
            ("OCI_NAMESPACE", namespace),
            ("OCI_TEST_PULL", "1".into()),
            ("OCI_TEST_PUSH", "1".into()),
            ("OCI_TEST_CONTENT_DISCOVERY", "1".into()),
            ("OCI_TEST_CONTENT_MANAGEMENT", "1".into()),
            ("OCI_AUTOMATIC_CROSSMOUNT", "1".into()),
            ("OCI_DELETE_MANIFEST_BEFORE_BLOBS", delete_manifest_first.into()),
            ("OCI_REPORT_DIR", sandbox.at("work")),
        ];
        for (name, value) in &env {
            sandbox.set(name, value);
        }
        let ran = sandbox.run(&format!("{executable} --ginkgo.no-color"));
        let report =
            std::fs::read_to_string(sandbox.path("work/junit.xml")).unwrap_or_else(|_| panic!("no report: {ran}"));
        judge_v111(&report, &ran.to_string());
        // Its blobs are random by the second it starts in.
        std::thread::sleep(std::time::Duration::from_millis(1100));
    }
}

fn judge_v111(report: &str, output: &str) {
    let cases: Vec<_> =
        report.split("<testcase ").skip(1).filter(|case| !case.contains("[ReportAfterSuite]")).collect();
    let with = |status: &str| cases.iter().filter(|case| case.contains(&format!("status=\"{status}\""))).count();
    let (passed, skipped) = (with("passed"), with("skipped"));
    say(&format!("v1.1.1: {passed} passed, {skipped} skipped of {}", cases.len()));
    let is_fine = |case: &str| {
        let avoidable = !UNAVOIDABLE.iter().any(|name| case.contains(name));
        case.contains("status=\"passed\"") || (case.contains("status=\"skipped\"") && !avoidable)
    };
    let bad: Vec<_> =
        cases.iter().filter(|case| !is_fine(case)).map(|case| case.lines().next().unwrap_or("")).collect();
    assert!(bad.is_empty() && skipped == UNAVOIDABLE.len() && passed > 70, "{bad:#?}\n{output}");
}

fn of_main(setup: Setup) {
    let Some(executable) = executable("CONFORMANCE") else { return };
    for (sparse, setup) in [("false", setup.clone()), ("true", setup.flags("--strict none"))] {
        let wharf = setup.start();
        for version in ["1.1", "dev"] {
            let start = since_start();
            let counts = run_main(&executable, &wharf, version, sparse);
            say(&format!(
                "main, {version}, sparse {sparse}: {counts:?} in {:.1?}",
                since_start().saturating_sub(start)
            ));
            assert!(counts["Pass"] > 500, "{counts:?}");
            for bad in ["FAIL", "Error", "Skip"] {
                assert_eq!(counts[bad], 0, "{bad}: {counts:?}");
            }
        }
    }
}

fn run_main(executable: &str, wharf: &Wharf, version: &str, sparse: &str) -> BTreeMap<String, usize> {
    let mut sandbox = Sandbox::of(wharf);
    let repo = format!("conformance/main-{version}-{sparse}");
    let env = [
        ("OCI_REGISTRY", wharf.host()),
        ("OCI_TLS", if wharf.ca().is_some() { "enabled" } else { "disabled" }.into()),
        ("OCI_USERNAME", "admin".into()),
        ("OCI_PASSWORD", wharf.password().into()),
        ("OCI_VERSION", version.into()),
        ("OCI_DATA_SPARSE", sparse.into()),
        ("OCI_REPO1", format!("{repo}-a")),
        ("OCI_REPO2", format!("{repo}-b")),
        ("OCI_LOG", "error".into()),
        ("OCI_RESULTS_DIR", sandbox.at("work")),
    ];
    for (name, value) in &env {
        sandbox.set(name, value);
    }
    let ran = sandbox.run(executable);
    // It exits with 0 even if it cannot start: only its report counts.
    let counts = counts(&ran.stdout);
    let good = counts.len() >= 4 && ["FAIL", "Error", "Skip"].iter().all(|bad| counts.get(*bad) == Some(&0));
    if !good {
        println!("{}\n{}", bad_lines(&ran.stdout), ran.stderr);
    }
    assert!(counts.contains_key("Pass"), "no report: {ran}");
    counts
}

/// Lines such as `  Pass.......: 703`.
fn counts(report: &str) -> BTreeMap<String, usize> {
    let count = |line: &str| {
        let (name, number) = line.trim().split_once(':')?;
        let name = name.trim_end_matches('.');
        let known = ["Pass", "FAIL", "Error", "Skip", "Disabled"].contains(&name);
        Some((name.to_owned(), number.trim().parse().ok()?)).filter(|_| known)
    };
    report.lines().filter_map(count).collect()
}

/// What is neither passed nor disabled, and the lines that say why.
fn bad_lines(report: &str) -> String {
    let tree = report.lines().skip_while(|line| !line.starts_with("Test results"));
    let interesting = tree.filter(|line| !line.ends_with(": Pass") && !line.ends_with(": Disabled"));
    interesting.take(200).collect::<Vec<_>>().join("\n")
}

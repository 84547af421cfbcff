//! cosign, with a key and without any network but the registry's.

use wharf_e2e::{Sandbox, Wharf};

use super::{over_http, over_tls};

#[test]
fn cosign_signs_attests_and_verifies_over_http() {
    let (wharf, sandbox) = over_http();
    whole_round(&wharf, sandbox, "--allow-http-registry");
}

#[test]
fn cosign_signs_attests_and_verifies_over_tls() {
    let (wharf, sandbox) = over_tls();
    whole_round(&wharf, sandbox, "");
}

fn whole_round(wharf: &Wharf, mut sandbox: Sandbox, how: &str) {
    sandbox.set("COSIGN_PASSWORD", "pw");
    let (host, base) = (wharf.host(), sandbox.base());
    let repo = format!("{host}/team/signed");
    let login = format!("cosign login -u admin --password-stdin {host}");
    sandbox.feed(wharf.password(), &login).ok();
    sandbox.ok(&format!("crane append --new_layer {base} --new_tag {repo}:1"));
    let image = format!("{repo}@{}", wharf.api().digest("team/signed", "1"));
    sandbox.ok("cosign generate-key-pair --output-key-prefix k");
    // An empty trusted root: without, cosign asks tuf-repo-cdn.sigstore.dev first.
    sandbox.ok("cosign trusted-root create --out root.json");
    let sign = format!("--key k.key --tlog-upload=false {how} --yes");
    let verify = format!("--key k.pub --trusted-root root.json --private-infrastructure {how}");

    sandbox.run(&format!("cosign verify {verify} {image}")).fails_with("no signatures found");
    sandbox.ok(&format!("cosign sign {sign} {image}"));
    sandbox.ok(&format!("cosign verify {verify} {image}"));
    sandbox.write("work/p.json", "{\"a\":1}");
    sandbox.ok(&format!("cosign attest {sign} --type custom --predicate p.json {image}"));
    sandbox.ok(&format!("cosign verify-attestation {verify} --type custom {image}"));
    sandbox.write("work/s.json", "{\"spdxVersion\":\"SPDX-2.3\"}");
    sandbox.ok(&format!("cosign attach sbom {how} --sbom s.json {image}"));
    sandbox.ok(&format!("cosign copy {how} {repo}:1 {host}/team/signed-copy:1"));
    by_referrers(wharf, &sandbox, how, &sign, &verify);
}

/// Signatures as referrers of the image instead of tags made from its digest.
fn by_referrers(wharf: &Wharf, sandbox: &Sandbox, how: &str, sign: &str, verify: &str) {
    let repo = format!("{}/team/referred", wharf.host());
    sandbox.ok(&format!("crane append --new_layer {} --new_tag {repo}:1", sandbox.at("base.tar")));
    let digest = wharf.api().digest("team/referred", "1");
    let image = format!("{repo}@{digest}");
    let old = "env COSIGN_EXPERIMENTAL=1 cosign";
    sandbox.ok(&format!("{old} sign --registry-referrers-mode oci-1-1 {sign} {image}"));
    sandbox.ok(&format!("{old} verify --experimental-oci11 {verify} {image}"));
    sandbox.ok(&format!("cosign sign --new-bundle-format {sign} {image}"));
    sandbox.ok(&format!("cosign verify --new-bundle-format {verify} {image}"));
    let list = wharf.api().get(&format!("/v2/team/referred/referrers/{digest}")).expect(200).json();
    assert_eq!(list["manifests"].as_array().map(Vec::len), Some(2), "{list}");
    assert_eq!(wharf.api().tags("team/referred"), ["1"], "no fallback tags");
    sandbox.ok(&format!("cosign tree {how} {image}"));
}

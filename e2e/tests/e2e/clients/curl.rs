//! curl: what no registry client shows, the protocol versions of HTTP and TLS.

use wharf_e2e::{Sandbox, Wharf};

use super::{over_http, over_tls};

#[test]
fn http_1_and_http_2_are_both_spoken_over_tls() {
    let (wharf, sandbox) = over_tls();
    round(&wharf, &sandbox, "--http1.1", "1.1");
    round(&wharf, &sandbox, "--http2", "2");
    // Without the CA nobody is fooled.
    let url = format!("{}/v2/", wharf.url());
    sandbox.run(&format!("env -u SSL_CERT_FILE curl -sS {url}")).fails_with("certificate");
    for version in ["1.2", "1.3"] {
        sandbox.ok(&format!("curl -sS --tlsv{version} --tls-max {version} -o body {url}"));
    }
    sandbox.run(&format!("curl -sS --tlsv1.0 --tls-max 1.1 {url}")).fails_with("curl:");
}

#[test]
fn http_1_and_http_2_are_both_spoken_without_tls() {
    let (wharf, sandbox) = over_http();
    round(&wharf, &sandbox, "--http1.1", "1.1");
    round(&wharf, &sandbox, "--http2-prior-knowledge", "2");
    sandbox.ok(&format!("curl -sSf --unix-socket {} http://x/livez", wharf.socket().display()));
}

/// A blob goes up and comes down again.
fn round(wharf: &Wharf, sandbox: &Sandbox, how: &str, version: &str) {
    let url = wharf.url();
    let user = format!("-u 'admin:{}'", wharf.password());
    let curl = |line: &str| sandbox.ok(&format!("curl -sSf {how} {user} {line}"));
    sandbox.write("work/blob", &format!("bytes by HTTP {version}"));
    let digest = sandbox.ok("openssl dgst -sha256 -r blob");
    let digest = format!("sha256:{}", digest.split(' ').next().unwrap_or_default());
    let pushed = curl(&format!(
        "-X POST -H 'Content-Type: application/octet-stream' --data-binary @blob -w '%{{http_version}} %{{http_code}}' \
         {url}/v2/team/curl/blobs/uploads/?digest={digest}"
    ));
    assert_eq!(pushed, format!("{version} 201"));
    curl(&format!("-o pulled {url}/v2/team/curl/blobs/{digest}"));
    sandbox.ok("cmp blob pulled");
    assert_eq!(curl(&format!("-r 6-7 {url}/v2/team/curl/blobs/{digest}")), "by");
}

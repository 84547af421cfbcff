//! Whatever is asked, the answer is one a client can read.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;

#[derive(Clone, Debug)]
struct Asked {
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

fn segment() -> impl Strategy<Value = String> {
    let digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
    let words = prop::sample::select(vec![
        "team",
        "app",
        "blobs",
        "uploads",
        "manifests",
        "tags",
        "list",
        "referrers",
        "_catalog",
        "_oci",
        "ext",
        "discover",
        "v1",
        "",
        "..",
        "%2e%2e",
        "%2F",
        "%",
        "%ff",
        "UP",
        digest,
        "sha256:x",
        "sha512:",
        "a__b",
        "x",
        "00000000-0000-0000-0000-000000000000",
    ]);
    prop_oneof![9 => words.prop_map(str::to_owned), 1 => "[!$&'()*+,;=:@A-Za-z0-9._~-]{0,20}"]
}

fn query() -> impl Strategy<Value = String> {
    let keys = ["n", "last", "digest", "mount", "from", "tag", "artifactType", "digest-algorithm", "q", "scope", "x"];
    let pair = (prop::sample::select(keys.to_vec()), prop_oneof![segment(), "[0-9-]{0,25}"]);
    prop::collection::vec(pair.prop_map(|(key, value)| format!("{key}={value}")), 0..3)
        .prop_map(|pairs| pairs.join("&"))
}

fn headers() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    let names = [
        "range",
        "content-range",
        "if-none-match",
        "if-match",
        "if-range",
        "content-type",
        "accept",
        "host",
        "content-encoding",
        "authorization",
        "expect",
        "content-length",
    ];
    let values = prop_oneof![
        "[0-9]{0,22}-[0-9]{0,22}",
        "bytes=[0-9]{0,22}-[0-9]{0,22}",
        "application/vnd\\.oci\\.image\\.(manifest|index)\\.v1\\+json",
        "(Basic|Bearer) [A-Za-z0-9=.]{0,30}",
        "[ -~]{0,30}",
    ];
    prop::collection::vec((prop::sample::select(names.to_vec()), values), 0..3)
}

fn asked() -> impl Strategy<Value = Asked> {
    let methods = prop::sample::select(vec!["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
    let roots = prop::sample::select(vec!["/v2/", "/v2/", "/v2/team/app/", "/v2/team/app/", "/v1/", "/token", "/"]);
    let path = (roots, prop::collection::vec(segment(), 0..5), query());
    let path = path.prop_map(|(root, segments, query)| format!("{root}{}?{query}", segments.join("/")));
    let body = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        "\\{(\"(schemaVersion|layers|manifests|config|mediaType|subject)\":(2|\\[\\]|\\{\\}|\"x\"),?){0,4}\\}"
            .prop_map(String::into_bytes),
    ];
    (methods, path, headers(), body).prop_map(|(method, path, headers, body)| Asked { method, path, headers, body })
}

async fn answer(b: &Boxed, asked: &Asked) -> Reply {
    let mut ask = b.ask(asked.method, &asked.path).body(asked.body.clone());
    for (name, value) in &asked.headers {
        ask = ask.header(name, value);
    }
    ask.await
}

#[test]
fn any_request_is_answered_below_500_and_refusals_say_why() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let b = runtime.block_on(async {
        let b = Boxed::new().await.leaving_uploads();
        b.push_image("team/app", "v1").await;
        b
    });
    let mut runner = TestRunner::new(Config { cases: 1500, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&asked(), |asked| {
        let valid = asked.path.parse::<http::Uri>().is_ok();
        prop_assume!(valid);
        // `send` itself checks the body of every refusal.
        let reply = runtime.block_on(answer(&b, &asked));
        prop_assert!(reply.status.as_u16() < 500, "{reply:?}");
        prop_assert!(!reply.status.is_informational());
        Ok(())
    });
    outcome.unwrap();
}

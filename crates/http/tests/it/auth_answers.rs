//! Where a challenge sends the client: the realm.

use super::*;

async fn realm(b: &Boxed, host: &str) -> String {
    let refused = b.get("/v2/").anonymous().header("host", host).await.expect(401);
    let challenge = refused.header("www-authenticate").to_owned();
    challenge.split('"').nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn the_realm_is_where_the_client_thinks_it_is() {
    let b = Boxed::new().await;
    assert_eq!(realm(&b, "registry.example:5000").await, "http://registry.example:5000/token");
    assert_eq!(realm(&b, "[::1]:5000").await, "http://[::1]:5000/token");
}

#[tokio::test]
async fn the_realm_is_the_configured_one() {
    let b = Boxed::builder().options(|o| o.public_url = Some("https://hub.example/".into())).open().await;
    assert_eq!(realm(&b, "whatever").await, "https://hub.example/token");
}

#[tokio::test]
async fn a_host_cannot_break_out_of_the_challenge() {
    let b = Boxed::new().await;
    for host in ["a\",error=\"x", "a b", "a/b", "", "\u{e9}", "a,b", "user@host"] {
        assert_eq!(realm(&b, host).await, "http://localhost/token", "{host:?}");
    }
}

#[tokio::test]
async fn forwarded_headers_of_strangers_are_not_believed() {
    let b = Boxed::new().await;
    let ask = b.get("/v2/").anonymous().header("x-forwarded-proto", "https").header("x-forwarded-host", "evil.example");
    assert!(ask.await.expect(401).header("www-authenticate").contains("\"http://localhost/token\""));
}

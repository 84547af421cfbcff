use super::super::{Setting, settings};
use super::*;

#[test]
fn slips_wrong_sections_and_turned_words_find_the_right_name() {
    for (wrong, right) in [
        ("listn", Some("listen")),
        ("tls.cert", Some("tls.certificate")),
        ("limits.page", Some("limits.tags_page")),
        ("certificate", Some("tls.certificate")),
        ("tls.self-signed", Some("tls.self_signed")),
        ("limits.max_manifest_size", Some("limits.manifest_size")),
        ("trusted_proxy", Some("trusted_proxies")),
        ("uploads.tags_page", Some("limits.tags_page")),
        ("Public_URL", Some("public_url")),
        ("storage.s3.bucket", None),
    ] {
        assert_eq!(nearest(wrong, settings().map(|setting| setting.key.into())).as_deref(), right, "{wrong}");
    }
    for (wrong, right) in
        [("WHARF_TLS_CERTIFCATE", "WHARF_TLS_CERTIFICATE"), ("WHARF_TRUSTED_PROXY", "WHARF_TRUSTED_PROXIES")]
    {
        assert_eq!(nearest(wrong, settings().map(Setting::env)).as_deref(), Some(right));
    }
}

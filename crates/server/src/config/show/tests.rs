use super::super::tests::sources;
use super::super::{Config, Origin};
use super::*;
use crate::config::Secret;

fn loaded() -> Loaded {
    let file = "listen = [\":5000\", \"unix:/run/w.sock\"]\n[limits]\nmanifest_size = \"8MiB\"\nuploads = 7\n";
    Config::load(&sources(file, &[("WHARF_ANONYMOUS", "pull")], &[("--log-level", "log.level", "debug")])).unwrap()
}

#[test]
fn every_value_is_shown_with_its_origin() {
    insta::assert_snapshot!(render_show(&loaded(), false), @r#"
    listen                   :5000, unix:/run/w.sock  file /etc/wharf.toml:1
    data                     /var/lib/wharf           default
    public_url               -                        default
    anonymous                pull                     env WHARF_ANONYMOUS
    visibility               private                  default
    org_creation             admins                   default
    token_auth               true                     default
    strict                   layers                   default
    docker_manifests         accept                   default
    trusted_proxies          -                        default
    proxy_protocol           false                    default
    tls.certificate          -                        default
    tls.key                  -                        default
    tls.self_signed          false                    default
    tls.names                -                        default
    limits.manifest_size     8MiB                     file /etc/wharf.toml:3
    limits.header_size       32KiB                    default
    limits.url_size          16KiB                    default
    limits.header_timeout    15s                      default
    limits.body_idle         1m                       default
    limits.uploads           7                        file /etc/wharf.toml:4
    limits.connections       4096                     default
    limits.drain             1m                       default
    limits.tags_page         10000                    default
    uploads.expire           1d                       default
    uploads.checkpoint       16MiB                    default
    tokens.lifetime          5m                       default
    tokens.refresh_lifetime  90d                      default
    outgoing.allow           -                        default
    outgoing.issuers         -                        default
    outgoing.ca              -                        default
    audit.keep               400d                     default
    audit.size               1GiB                     default
    audit.syslog             -                        default
    metrics.listen           -                        default
    log.format               auto                     default
    log.level                debug                    flag --log-level
    "#);
}

#[test]
fn json_has_lists_numbers_booleans_and_null() {
    let rows: Vec<serde_json::Value> = serde_json::from_str(&render_show(&loaded(), true)).unwrap();
    assert_eq!(rows.len(), settings().count());
    let row = |key: &str| rows.iter().find(|row| row["key"] == key).unwrap().clone();
    assert_eq!(
        row("listen"),
        serde_json::json!({"key": "listen", "value": [":5000", "unix:/run/w.sock"], "origin": "file /etc/wharf.toml:1"})
    );
    assert_eq!(row("limits.uploads")["value"], 7);
    assert_eq!(row("tls.self_signed")["value"], false);
    assert_eq!(row("public_url")["value"], serde_json::Value::Null);
    assert_eq!(row("limits.manifest_size")["value"], "8MiB");
    assert_eq!(row("log.level")["origin"], Origin::Flag("--log-level".into()).to_string());
}

#[test]
fn a_secret_is_never_shown() {
    use super::super::value::Value as _;
    let secret = Some(Secret::new("hunter2"));
    assert_eq!(secret.to_raw(), Some(Raw::Text("•••".into())));
    assert_eq!(format!("{secret:?} {}", secret.clone().unwrap()), "Some(•••) •••");

    // As if there were a setting whose type forgot to hide itself.
    let listen = settings().next().unwrap();
    let hidden = Setting { secret: true, ..*listen };
    assert_eq!(value(&hidden, &loaded()), Some(Raw::Text("•••".into())));
}

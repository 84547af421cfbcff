//! Where each client wants the CA.

use std::fmt::Write as _;
use std::path::Path;

/// Commands to copy, for the registry as clients name it: `host:port`.
pub(super) fn instructions(ca: &Path, registry: &str) -> String {
    let ca = quote(&ca.display().to_string());
    let mut text = String::new();
    for (client, folder) in [("docker", "/etc/docker/certs.d"), ("podman, buildah, skopeo", "/etc/containers/certs.d")]
    {
        let target = quote(&format!("{folder}/{registry}/ca.crt"));
        let _ = writeln!(text, "# {client}\nsudo install -D -m 644 {ca} {target}");
    }
    let folder = format!("/etc/containerd/certs.d/{registry}");
    let (target, hosts) = (quote(&format!("{folder}/ca.crt")), quote(&format!("{folder}/hosts.toml")));
    let _ = write!(
        text,
        "# containerd (its config.toml must set the registry's config_path = \"/etc/containerd/certs.d\")\n\
         sudo install -D -m 644 {ca} {target}\n\
         sudo tee {hosts} >/dev/null <<'END'\n\
         server = \"https://{registry}\"\n\
         [host.\"https://{registry}\"]\n\
         \x20 ca = \"{folder}/ca.crt\"\n\
         END\n"
    );
    text
}

/// As the shell reads it.
fn quote(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-:".contains(&byte);
    if text.bytes().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

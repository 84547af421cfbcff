//! What `wharf serve` says on standard output once it answers: where it is, who may, and how to push.

use std::fmt::Write as _;

use wharf_registry::Secret;

/// What the text depends on.
pub(crate) struct Welcome<'a> {
    /// `https://host:port` that clients use; empty where nobody has said.
    pub(crate) url: &'a str,
    /// Every listener, described.
    pub(crate) listeners: &'a [String],
    /// The administrator's password, if it was made up just now.
    pub(crate) password: Option<&'a Secret>,
    /// The command that runs this program.
    pub(crate) program: &'a str,
    /// The data folder as the operator gave it.
    pub(crate) data: &'a str,
    /// How to trust the self-signed CA.
    pub(crate) trust: Option<&'a str>,
}

impl Welcome<'_> {
    /// The text.
    pub(crate) fn text(&self) -> String {
        let listeners = self.listeners.join(", ");
        let mut text = match self.url {
            // Only sockets: what clients call the proxy in front of them is not known here.
            "" => format!("Wharfinger listens on {listeners}; set public_url to what clients call it\n\n"),
            url => format!("Wharfinger serves {url} (listening on {listeners})\n\n"),
        };
        match self.password {
            // Shown this once: only its hash is kept.
            Some(password) => drop(writeln!(
                text,
                "  user      admin\n  password  {}\n\nThe password is shown this once. A new one: {} admin reset-password --data {}\n",
                password.expose(),
                self.program,
                self.data
            )),
            None => drop(writeln!(
                text,
                "  user      admin\n  password  as set; a new one: {} admin reset-password --data {}\n",
                self.program, self.data
            )),
        }
        if let Some(trust) = self.trust {
            text.push_str(trust);
            text.push('\n');
        }
        if self.url.is_empty() {
            return text;
        }
        let (scheme, host) = self.url.split_once("://").unwrap_or(("http", self.url));
        let plain = if scheme == "https" { "" } else { " --tls-verify=false" };
        let push = format!("podman push{plain} docker.io/library/alpine {host}/alpine");
        let _ = write!(
            text,
            "Push an image:\n\n  podman login{plain} -u admin {host}\n  podman pull docker.io/library/alpine\n  {push}\n"
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_up_password_is_shown_and_a_kept_one_is_not() {
        let secret = Secret::new("s3cret");
        let listeners = ["127.0.0.1:5000".to_owned()];
        let new = Welcome {
            url: "http://127.0.0.1:5000",
            listeners: &listeners,
            password: Some(&secret),
            program: "target/release/wharf",
            data: "./data",
            trust: None,
        };
        assert!(new.text().contains("password  s3cret"));
        assert!(new.text().contains("podman login --tls-verify=false -u admin 127.0.0.1:5000"));
        let again = Welcome { password: None, url: "https://r.example", ..new };
        assert!(again.text().contains("a new one: target/release/wharf admin reset-password --data ./data"));
        assert!(again.text().contains("podman push docker.io/library/alpine r.example/alpine"));
    }
}

//! The user's commands, against a server as it is run.

use wharf_e2e::{Ran, Sandbox, Terminal, Wharf, binary};

mod credentials;
mod files;
mod keyring;
mod local;
mod sign_in;
mod story;
mod terminal;

/// Somebody at a machine of their own.
struct Person {
    sandbox: Sandbox,
    host: String,
}

impl Person {
    /// They trust no certificate yet.
    fn of(wharf: &Wharf) -> Self {
        let mut sandbox = Sandbox::of(wharf);
        sandbox.unset("SSL_CERT_FILE");
        Self { sandbox, host: wharf.host() }
    }

    fn wharf(&self, line: &str) -> Ran {
        self.feed("", line)
    }

    fn feed(&self, input: &str, line: &str) -> Ran {
        self.sandbox.feed(input, &format!("{} {line}", binary().display()))
    }

    fn at_terminal(&self, line: &str) -> Terminal {
        self.sandbox.terminal(&format!("{} {line}", binary().display()))
    }

    /// As the administrator.
    fn signs_in(&self, wharf: &Wharf) {
        let login = format!("auth login {} -u admin --password-stdin", self.host);
        self.feed(wharf.password(), &login).ok();
    }
}

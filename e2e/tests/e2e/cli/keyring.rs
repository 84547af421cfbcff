//! The keyring of a session, GNOME's: a bus, a daemon, and `secret-tool`.

use wharf_e2e::{Ran, Wharf, binary};

use super::Person;

/// Unlocked, and asked until it answers.
const UNLOCKED: &str = "printf keys | gnome-keyring-daemon --unlock --components=secrets >/dev/null
for _ in 1 2 3 4 5 6 7 8 9 10; do
    if printf x | timeout 5 secret-tool store --label=ready is ready; then break; fi
    sleep 0.5
done
secret-tool clear is ready
";
/// What it keeps for wharf, secrets left out.
const KEPT: &str = "secret-tool search --all application wharf 2>&1 | sed '/^secret = /d'";

impl Person {
    /// Runs a script in a session with a bus of its own.
    fn in_session(&self, script: &str) -> Ran {
        self.sandbox.write("session.sh", script);
        self.sandbox.run(&format!("dbus-run-session -- sh -eu {}", self.sandbox.at("session.sh")))
    }

    fn credentials(&self) -> String {
        std::fs::read_to_string(self.sandbox.path("home/.config/wharf/credentials.json")).unwrap()
    }
}

#[test]
fn a_sign_in_lies_in_the_keyring_and_goes_from_it_when_it_ends() {
    let wharf = Wharf::start();
    let person = Person::of(&wharf);
    person.sandbox.write("password", wharf.password());
    let (ours, host, password) = (binary().display().to_string(), wharf.host(), person.sandbox.at("password"));
    let login = format!("{ours} auth login {host} -u admin --password-stdin < {password}\n");

    let said = person.in_session(&format!("{UNLOCKED}{login}{KEPT}\n{ours} auth status\n")).ok();
    assert!(said.contains(&format!("label = wharf: {host}")) && said.contains("user           admin"), "{said}");
    let kept = person.credentials();
    assert!(kept.contains("\"keyring\"") && !kept.contains("\"secret\""), "{kept}");
    // Without the session the secret is out of reach, and that is said.
    person.wharf("auth status").fails_with("keyring");

    let said = person.in_session(&format!("{UNLOCKED}{ours} repos list\n{ours} auth logout\n{KEPT}\n")).ok();
    assert!(said.contains("signed out") && !said.contains("label ="), "{said}");
    assert!(!person.credentials().contains("keyring"));
}

#[test]
fn a_keyring_that_is_locked_and_can_ask_nobody_leaves_the_secret_in_a_file() {
    let wharf = Wharf::start();
    let person = Person::of(&wharf);
    person.sandbox.write("password", wharf.password());
    let login = format!(
        "{} auth login {} -u admin --password-stdin < {}\n",
        binary().display(),
        wharf.host(),
        person.sandbox.at("password")
    );
    person.in_session(&format!("{UNLOCKED}true\n")).ok();
    person.in_session(&format!("gnome-keyring-daemon --start --components=secrets >/dev/null\n{login}")).ok();
    assert!(person.credentials().contains("\"secret\""), "{}", person.credentials());
    person.wharf("auth status").ok();
}

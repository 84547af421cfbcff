use std::os::unix::fs::PermissionsExt as _;

use wharf_e2e::{Setup, Wharf};

use super::Person;

#[test]
fn a_certificate_of_the_servers_own_is_believed_when_its_authority_is_named() {
    let wharf = Setup::new().tls().start();
    let (person, ca) = (Person::of(&wharf), wharf.ca().unwrap());
    let login = format!("auth login https://{} -u admin --password-stdin", wharf.host());
    let refused = person.feed(wharf.password(), &login);
    assert_eq!(refused.status.code(), Some(5), "{refused}");
    refused.fails_with("--ca FILE");
    person.feed(wharf.password(), &format!("{login} --ca {}", ca.display())).ok();
    person.wharf("auth status").ok();
    person.feed(wharf.password(), &format!("{login} --insecure --context trusting")).ok();
    person.wharf("auth status --context trusting").ok();
    // With an authority named, this machine's own names mean https too.
    let bare = format!("auth login {} --ca {} -u admin --password-stdin --context bare", wharf.host(), ca.display());
    person.feed(wharf.password(), &bare).ok();
    std::fs::remove_file(person.sandbox.path("home/.config/wharf/credentials.json")).unwrap();
    let none = person.wharf("auth status");
    assert_eq!(none.status.code(), Some(1), "{none}");
}

#[test]
fn a_server_that_speaks_no_tls_is_told() {
    let wharf = Wharf::start();
    let person = Person::of(&wharf);
    let login = format!("auth login https://{} -u admin --password-stdin", wharf.host());
    person.feed(wharf.password(), &login).fails_with("if it has no TLS");
}

#[test]
fn the_secret_is_in_no_argument_no_output_and_no_log_and_its_file_is_its_owners() {
    let wharf = Wharf::start();
    let person = Person::of(&wharf);
    person.signs_in(&wharf);
    let file = person.sandbox.path("home/.config/wharf/credentials.json");
    let kept = std::fs::read_to_string(&file).unwrap();
    let secret = kept.split('"').find(|word| word.len() > 40).expect("a refresh token").to_owned();
    assert!(!kept.contains(wharf.password()), "the password is not kept");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(file.parent().unwrap().metadata().unwrap().permissions().mode() & 0o7777, 0o700);
    for line in ["auth status", "auth status --json", "contexts list --json"] {
        assert!(!person.wharf(line).ok().contains(&secret), "{line}");
    }
    assert!(!wharf.logged().contains(&secret) && !wharf.logged().contains(wharf.password()));

    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let warned = person.wharf("auth status");
    assert!(warned.stderr.contains("chmod 600"), "{warned}");
    person.signs_in(&wharf);
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o7777, 0o600, "a new sign-in repairs it");
}

#[test]
fn a_server_that_starts_anew_is_waited_for_and_knows_the_sign_in_again() {
    let mut wharf = Wharf::start();
    let person = Person::of(&wharf);
    person.signs_in(&wharf);
    wharf.stop();
    let away = person.wharf("auth status");
    assert_eq!(away.status.code(), Some(5), "{away}");
    wharf.restart();
    person.wharf("auth status").ok();
}

#[test]
fn a_sign_in_without_tokens_keeps_the_password_and_says_so() {
    let wharf = Setup::new().flags("--set token_auth=false").start();
    let person = Person::of(&wharf);
    let login = format!("auth login {} -u admin --password-stdin", wharf.host());
    let signed_in = person.feed(wharf.password(), &login);
    assert!(signed_in.stderr.contains("the password itself is kept"), "{signed_in}");
    assert!(person.wharf("auth status").ok().contains("the password"));
    person.wharf("auth token").fails_with("gives out no tokens");
}

use wharf_e2e::{Setup, Wharf, wait_for};

use super::Person;

#[test]
fn a_company_sets_up_its_registry_by_commands_alone() {
    let wharf = Wharf::start();
    let (admin, alice, ci) = (Person::of(&wharf), Person::of(&wharf), Person::of(&wharf));
    admin.signs_in(&wharf);
    let password = admin.wharf("users create alice --email alice@example.org").ok();
    admin.wharf("orgs create team").ok();
    admin.wharf("members set team alice --role owner").ok();

    alice.feed(&password, &format!("auth login {} -u alice --password-stdin", alice.host)).ok();
    alice.wharf("robots create team+ci").ok();
    alice.wharf("authorizations create team --robot team+ci --permission writer").ok();
    let token = alice.wharf("tokens create build --robot team+ci --scope write --expires 90d").ok();
    alice.wharf("orgs create other").fails_with("administrator");

    // Where a build runs: skopeo with the robot's token, and the same token for wharf itself.
    let image = ci.sandbox.base();
    let login = format!("skopeo login --tls-verify=false -u team+ci --password-stdin {}", ci.host);
    ci.sandbox.feed(&token, &login).ok();
    let to = format!("docker://{}/team/app:v1", ci.host);
    push(&ci, &image, &to).ok();
    ci.feed(&token, &format!("auth login {} --token-stdin", ci.host)).ok();
    assert_eq!(ci.wharf("repos list --quiet").ok(), "team/app");

    assert!(alice.wharf("access explain team+ci push team/app").ok().starts_with("yes: "));
    alice.wharf("tokens revoke build --robot team+ci").ok();
    let refused = ci.wharf("repos list");
    assert_eq!(refused.status.code(), Some(3), "{refused}");
    push(&ci, &image, &to).fails_with("unauthorized");

    alice.wharf("repos delete team/app").ok();
    alice.wharf("repos get team/app").fails_with("team/app");
    alice.wharf("auth logout").ok();
    admin.wharf("users delete alice").ok();
}

fn push(who: &Person, tar: &str, to: &str) -> wharf_e2e::Ran {
    who.sandbox.run(&format!("skopeo copy --dest-tls-verify=false tarball:{tar} {to}"))
}

#[test]
fn a_server_that_lets_anybody_pull_still_knows_who_signs_in() {
    let wharf = Setup::new().flags("--anonymous pull").start();
    let person = Person::of(&wharf);
    person.signs_in(&wharf);
    assert!(person.wharf("auth status").ok().contains("admin"));
    person.wharf("auth token --scope repository:team/app:push").ok();
}

#[test]
fn the_audit_is_followed_as_it_happens() {
    let wharf = Wharf::start();
    let person = Person::of(&wharf);
    person.signs_in(&wharf);
    let terminal = person.at_terminal("audit export --since 1h --follow");
    terminal.sees("\"actor\":\"admin\"");
    person.wharf("orgs create team").ok();
    wait_for("the new event is shown", 15, || terminal.screen().contains("\"org.create\"").then_some(()));
    let once = terminal.screen().matches("\"org.create\"").count();
    assert_eq!(once, 1, "{}", terminal.screen());
}

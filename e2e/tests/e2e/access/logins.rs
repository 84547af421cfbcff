//! Every client signs in with every kind of credential.

use wharf_e2e::{CiIssuer, Ran};

use super::{Team, push};
use crate::clients::{containerd, docker, podman};

/// Signs in by `login` with each kind of credential, then does what a reader may; a wrong one is refused.
fn with_each(team: &Team, login: impl Fn(&str, &str) -> Ran, reads: impl Fn(&str) -> Ran, logout: impl Fn()) {
    push(&team.wharf, "team/app", "1");
    let job = team.issuer.job("octo/app", "main");
    for (kind, user, secret) in [
        ("password", "alice", super::PASSWORD.to_owned()),
        ("token", "alice", team.token_of_alice("read")),
        ("robot", "team+ci", team.token_of_robot("one")),
        ("ci", "team+ci", job),
    ] {
        login(user, &secret).ok();
        reads(kind).ok();
        logout();
        reads(kind).fails();
    }
    let (other, old) = (team.issuer.job("evil/app", "main"), team.issuer.old_job("octo/app", "main"));
    let token = team.token_of_alice("write");
    let slip = format!("{}x", &token[..token.len() - 1]);
    for (user, secret) in
        [("alice", "wrong"), ("alice", &slip), ("team+ci", &token), ("team+ci", &other), ("team+ci", &old)]
    {
        // Some clients store without asking: then the next request is refused.
        login(user, secret);
        reads(user).fails();
        logout();
    }
}

#[test]
fn podman_signs_in_with_password_token_robot_and_ci() {
    let team = Team::start();
    let (podman, host) = (podman::command(&team.sandbox), team.wharf.host());
    let run = |line: &str| team.sandbox.run(&format!("{podman} {line}"));
    let login = |user: &str, secret: &str| {
        team.sandbox.feed(secret, &format!("{podman} login -u {user} --password-stdin {host}"))
    };
    let image = format!("{host}/team/app:podman");
    run(&format!("import {} {image}", team.sandbox.base())).ok();
    login("admin", team.wharf.password()).ok();
    run(&format!("push {image}")).ok();
    run(&format!("logout {host}")).ok();
    let reads = |_: &str| {
        run("rmi -a -f");
        run(&format!("pull {image}"))
    };
    with_each(&team, login, reads, || drop(run(&format!("logout {host}"))));
}

#[test]
fn docker_signs_in_with_password_token_robot_and_ci() {
    let team = Team::start();
    let _daemon = docker::daemon(&team.sandbox);
    let (docker, host) = (docker::command(&team.sandbox, "/usr/bin/docker"), team.wharf.host());
    let run = |line: &str| team.sandbox.run(&format!("{docker} {line}"));
    let login = |user: &str, secret: &str| {
        team.sandbox.feed(secret, &format!("{docker} login -u {user} --password-stdin {host}"))
    };
    let base = team.sandbox.base();
    let image = format!("{host}/team/app:docker");
    run(&format!("import {base} {image}")).ok();
    login("admin", team.wharf.password()).ok();
    run(&format!("push {image}")).ok();
    run(&format!("logout {host}")).ok();
    let reads = |_: &str| {
        run(&format!("rmi -f {image}"));
        run(&format!("pull {image}"))
    };
    with_each(&team, login, reads, || drop(run(&format!("logout {host}"))));
}

#[test]
fn skopeo_signs_in_with_password_token_robot_and_ci() {
    let team = Team::start();
    let host = team.wharf.host();
    let login = |user: &str, secret: &str| {
        let line = format!("skopeo login --tls-verify=false -u {user} --password-stdin {host}");
        team.sandbox.feed(secret, &line)
    };
    let reads = |_: &str| team.sandbox.run(&format!("skopeo inspect --tls-verify=false docker://{host}/team/app:1"));
    with_each(&team, login, reads, || drop(team.sandbox.run(&format!("skopeo logout {host}"))));
}

#[test]
fn crane_signs_in_with_password_token_robot_and_ci() {
    let team = Team::start();
    let host = team.wharf.host();
    let login = |user: &str, secret: &str| {
        team.sandbox.feed(secret, &format!("crane auth login -u {user} --password-stdin {host}"))
    };
    let reads = |_: &str| team.sandbox.run(&format!("crane validate --remote {host}/team/app:1 --fast"));
    with_each(&team, login, reads, || drop(team.sandbox.run(&format!("crane auth logout {host}"))));
}

#[test]
fn helm_signs_in_with_password_token_robot_and_ci() {
    let team = Team::start();
    let host = team.wharf.host();
    let login = |user: &str, secret: &str| {
        let line = format!("helm registry login -u {user} --password-stdin --plain-http {host}");
        team.sandbox.feed(secret, &line)
    };
    team.sandbox.ok("helm create app");
    team.sandbox.ok("helm package app --version 1.2.3");
    login("admin", team.wharf.password()).ok();
    team.sandbox.ok(&format!("helm push --plain-http app-1.2.3.tgz oci://{host}/team"));
    team.sandbox.ok(&format!("helm registry logout {host}"));
    let reads =
        |_: &str| team.sandbox.run(&format!("helm show chart --plain-http oci://{host}/team/app --version 1.2.3"));
    with_each(&team, login, reads, || drop(team.sandbox.run(&format!("helm registry logout {host}"))));
}

#[test]
fn containerd_pulls_with_password_token_robot_and_ci() {
    let team = Team::start();
    let _daemon = containerd::daemon(&team.sandbox);
    let (ctr, host) = (containerd::command(&team.sandbox), team.wharf.host());
    push(&team.wharf, "team/app", "1");
    let image = format!("{host}/team/app:1");
    let pull = |user: &str, secret: &str| {
        // Fetched only: its layer is no archive.
        team.sandbox.run(&format!("{ctr} content fetch --plain-http -u '{user}:{secret}' {image}"))
    };
    pull("alice", super::PASSWORD).ok();
    pull("alice", &team.token_of_alice("read")).ok();
    pull("team+ci", &team.token_of_robot("one")).ok();
    pull("team+ci", &team.issuer.job("octo/app", "main")).ok();
    pull("team+ci", &team.issuer.job("octo/app", "other")).fails();
}

/// An internal GitLab, as it is usually set up: in the company's network, with a certificate of the company's authority.
#[test]
fn a_job_of_an_issuer_inside_is_known_once_its_authority_is_in_outgoing_ca() {
    let (issuer, authority) = CiIssuer::start_tls();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.crt");
    std::fs::write(&file, authority).unwrap();
    let team = Team::trusting(issuer, &format!("--set outgoing.ca={}", file.display()));
    push(&team.wharf, "team/app", "1");
    let job = team.issuer.job("octo/app", "main");
    let caller = team.wharf.anonymous().basic("team+ci", &job).token("repository:team/app:pull");
    caller.get("/v2/team/app/manifests/1").expect(200);
}

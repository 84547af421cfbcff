//! Certificates while the server runs.

use rustix::process::Signal;
use wharf_e2e::{Sandbox, Setup, Wharf};

/// A certificate with this common name, over the one that was there.
fn issue(sandbox: &Sandbox, name: &str) {
    let subject = format!("-subj /CN={name} -addext subjectAltName=IP:127.0.0.1");
    let keys = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout new.key -out new.crt";
    sandbox.ok(&format!("openssl req -x509 -days 2 {subject} {keys}"));
    sandbox.shell("mv new.key tls.key; mv new.crt tls.crt").ok();
}

fn served(sandbox: &Sandbox, host: &str) -> String {
    sandbox
        .shell(&format!("openssl s_client -connect {host} </dev/null 2>/dev/null | openssl x509 -noout -subject"))
        .ok()
}

#[test]
fn sighup_brings_a_new_certificate_and_keeps_the_old_one_if_it_is_bad() {
    let plain = Wharf::start();
    let sandbox = Sandbox::of(&plain);
    issue(&sandbox, "first");
    let work = sandbox.at("work");
    let flags = format!("--tls-certificate {work}/tls.crt --tls-key {work}/tls.key");
    let wharf = Setup::new().flags(&flags).allow("tls.").start();
    assert_eq!(served(&sandbox, &wharf.host()), "subject=CN = first");

    issue(&sandbox, "second");
    wharf.signal(Signal::HUP);
    wharf.wait_for_log("certificate loaded");
    assert_eq!(served(&sandbox, &wharf.host()), "subject=CN = second");

    sandbox.write("work/tls.crt", "not a certificate");
    wharf.signal(Signal::HUP);
    wharf.wait_for_log("holds no certificate");
    assert_eq!(served(&sandbox, &wharf.host()), "subject=CN = second");
}

#[test]
fn a_self_made_authority_outlives_a_restart() {
    let mut wharf = Setup::new().tls().start();
    let ca = std::fs::read(wharf.ca().unwrap()).unwrap();
    wharf.stop();
    wharf.restart();
    assert!(std::fs::read(wharf.ca().unwrap()).unwrap() == ca);
    Sandbox::of(&wharf).ok(&format!("curl -sSf {}/livez", wharf.url()));
}

#[test]
fn sighup_without_a_certificate_ends_nothing() {
    let wharf = Wharf::start();
    wharf.signal(Signal::HUP);
    wharf.wait_for_log("SIGHUP");
    wharf.api().get("/v2/").expect(200);
}

#[test]
fn a_key_of_another_certificate_is_refused_at_start() {
    let plain = Wharf::start();
    let sandbox = Sandbox::of(&plain);
    issue(&sandbox, "first");
    sandbox.shell("cp tls.key old.key").ok();
    issue(&sandbox, "second");
    let work = sandbox.at("work");
    let tls = format!("--tls-certificate {work}/tls.crt --tls-key {work}/old.key --data {work}/data");
    for command in ["serve --listen 127.0.0.1:0", "config check"] {
        wharf_e2e::run_wharf(&format!("{command} {tls}"), "").fails_with("does not belong");
    }
}

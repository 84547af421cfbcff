//! The administrator's password.

use wharf_e2e::{Setup, Wharf, run_wharf};

fn status(wharf: &Wharf, password: &str) -> u16 {
    wharf.anonymous().basic("admin", password).get("/v2/").status
}

#[test]
fn the_first_password_is_the_one_given_and_is_never_printed() {
    let wharf = Wharf::start();
    assert_eq!(status(&wharf, wharf.password()), 200);
    assert_eq!(status(&wharf, "another"), 401);
    assert!(!wharf.printed().contains(wharf.password()), "{}", wharf.printed());
    assert!(!wharf.logged().contains(wharf.password()), "{}", wharf.logged());
}

#[test]
fn without_one_a_random_password_is_shown_once() {
    let mut wharf = Setup::new().without_password().start();
    let printed = wharf.printed();
    let shown = printed.lines().find_map(|line| line.trim().strip_prefix("password")).expect("a password").trim();
    assert!(shown.len() >= 16, "{shown}");
    assert_eq!(status(&wharf, shown), 200);
    wharf.stop();
    wharf.restart();
    assert!(!wharf.printed().contains(shown), "shown again: {}", wharf.printed());
    assert!(wharf.printed().contains("wharf admin reset-password"), "{}", wharf.printed());
    assert_eq!(status(&wharf, shown), 200);
}

#[test]
fn a_start_that_fails_does_not_use_up_the_first_password() {
    let (other, folder) = (Wharf::start(), tempfile::tempdir().unwrap());
    let data = folder.path().join("data");
    let at = data.display();
    for (line, problem) in [
        (format!("serve --data {at} --listen {}", other.host()), other.host()),
        (format!("serve --data {at} --listen 127.0.0.1:0 --set metrics.listen={}", other.host()), other.host()),
        (
            format!("serve --data {at} --listen 127.0.0.1:0 --set tls.certificate=/none --set tls.key=/none"),
            "/none".into(),
        ),
    ] {
        let failed = run_wharf(&line, "").fails_with(&problem);
        assert!(failed.stdout.is_empty(), "{failed}");
    }
    let wharf = Setup::new().without_password().data(&data).start();
    let printed = wharf.printed();
    let shown = printed.lines().find_map(|line| line.trim().strip_prefix("password")).expect("a password").trim();
    assert_eq!(status(&wharf, shown), 200, "{printed}");
}

#[test]
fn the_first_password_may_come_from_a_file_and_acts_only_then() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "from a file\n").unwrap();
    let path = file.path().display().to_string();
    let mut wharf = Setup::new().without_password().env("WHARF_ADMIN_PASSWORD_FILE", &path).start();
    assert_eq!(status(&wharf, "from a file"), 200);
    std::fs::write(file.path(), "another").unwrap();
    wharf.stop();
    wharf.restart();
    assert_eq!(status(&wharf, "from a file"), 200);
    assert_eq!(status(&wharf, "another"), 401);
}

#[test]
fn reset_password_works_while_the_server_runs_and_while_it_does_not() {
    let mut wharf = Wharf::start();
    let session = wharf.api().token("repository:team/app:pull");
    session.get("/v2/").expect(200);
    let running = wharf.command("admin reset-password", "").ok();
    assert_eq!(status(&wharf, wharf.password()), 401, "the old one is refused at once");
    assert_eq!(status(&wharf, &running), 200);

    wharf.stop();
    let stopped = wharf.command("admin reset-password", "").ok();
    wharf.command("admin reset-password --password-stdin", "of my own choice\n").ok();
    wharf.restart();
    assert_eq!(status(&wharf, &running), 401);
    assert_eq!(status(&wharf, &stopped), 401);
    assert_eq!(status(&wharf, "of my own choice"), 200);
    wharf.command("admin reset-password nobody", "").fails_with("nobody");
}

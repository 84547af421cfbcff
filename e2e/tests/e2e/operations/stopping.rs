//! Starting twice, and stopping.

use std::io::Write as _;

use rustix::process::Signal;
use wharf_e2e::{Setup, Wharf, blob, digest_of, read_answer, run_wharf, wait_for};

#[test]
fn a_second_server_on_the_same_data_names_the_first_and_ends() {
    let wharf = Wharf::start();
    let second = wharf.command("serve --listen 127.0.0.1:0", "");
    assert_eq!(second.status.code(), Some(1), "{second}");
    let second = second.fails_with(&format!("pid {}", wharf.id()));
    assert!(second.stdout.is_empty(), "{second}");
    wharf.api().get("/v2/").expect(200);
}

#[test]
fn a_killed_server_leaves_no_lock_behind() {
    let mut wharf = Wharf::start();
    wharf.kill();
    wharf.restart();
    wharf.api().get("/v2/").expect(200);
}

#[test]
fn a_port_that_is_taken_is_named() {
    let (wharf, other) = (Wharf::start(), tempfile::tempdir().unwrap());
    let line = format!("serve --listen {} --data {}", wharf.host(), other.path().display());
    run_wharf(&line, "").fails_with(&wharf.host());
}

#[test]
fn sigterm_lets_a_running_upload_finish_and_takes_no_new_work() {
    let mut wharf = Wharf::start();
    let (api, bytes) = (wharf.api(), blob(&mut fastrand::Rng::new(), 200_000));
    let path = format!("/v2/team/slow/blobs/uploads/?digest={}", digest_of(&bytes));
    let mut upload = api.start("POST", &path, &[], bytes.len()).unwrap();
    upload.write_all(&bytes[..1000]).unwrap();
    // The upload's file is there: the server has begun to read.
    wait_for("the upload begins", 10, || std::fs::read_dir(wharf.data().join("uploads")).ok()?.next().map(drop));
    wharf.signal(Signal::TERM);
    wharf.wait_for_log("stopping");
    let refused = api.send("GET", "/v2/", &[], b"");
    assert!(refused.as_ref().map_or(true, |answer| answer.status == 503), "new work was taken: {refused:?}");
    for part in bytes[1000..].chunks(50_000) {
        std::thread::sleep(std::time::Duration::from_millis(50));
        upload.write_all(part).unwrap();
    }
    let answer = read_answer(&upload, false).unwrap().expect(201);
    assert_eq!(answer.header("docker-content-digest"), Some(digest_of(&bytes).as_str()));
    assert!(wharf.wait().success());
    wharf.restart();
    let stored = wharf.api().get(&format!("/v2/team/slow/blobs/{}", digest_of(&bytes))).expect(200);
    assert!(stored.body == bytes);
}

#[test]
fn an_upload_that_outlasts_the_drain_goes_on_after_the_restart() {
    let setup = Setup::new()
        .flags("--set limits.drain=1s")
        .allow("requests still running")
        .allow("requests were still running");
    let mut wharf = setup.start();
    let (api, bytes) = (wharf.api(), blob(&mut fastrand::Rng::new(), 100_000));
    let location = api.upload("team/slow").unwrap();
    api.send("PATCH", &location, &[], &bytes[..40_000]).unwrap().expect(202);
    let mut hanging = api.start("PATCH", &location, &[], 60_000).unwrap();
    hanging.write_all(&bytes[40_000..50_000]).unwrap();
    wharf.stop();
    wharf.restart();
    let status = wharf.api().get(&location).expect(204);
    let range = status.header("range").unwrap();
    let have: usize = range.strip_prefix("0-").unwrap().parse::<usize>().unwrap() + 1;
    assert!((40_000..=50_000).contains(&have), "{range}");
    let finish = format!("{location}?digest={}", digest_of(&bytes));
    wharf.api().send("PUT", &finish, &[], &bytes[have..]).unwrap().expect(201);
}

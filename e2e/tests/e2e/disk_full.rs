//! A disk that is really full.

use std::path::{Path, PathBuf};
use std::process::Command;

use wharf_e2e::{Setup, Wharf, blob, tool};

const MIB: usize = 1 << 20;

/// A small file system of its own.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn new(mebibytes: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let size = format!("size={mebibytes}m");
        let status =
            Command::new(tool("mount")).args(["-t", "tmpfs", "-o", &size, "wharf-e2e"]).arg(folder.path()).status();
        assert!(status.unwrap().success(), "cannot mount a tmpfs: the end-to-end tests run as root");
        Self(folder)
    }

    fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new(tool("umount")).arg("-l").arg(self.0.path()).status();
    }
}

fn free(folder: &Path) -> u64 {
    let stat = rustix::fs::statvfs(folder).unwrap();
    stat.f_bavail * stat.f_frsize
}

fn push(wharf: &Wharf, random: &mut fastrand::Rng, size: usize) -> wharf_e2e::Answer {
    let bytes = blob(random, size);
    let path = format!("/v2/team/app/blobs/uploads/?digest={}", wharf_e2e::digest_of(&bytes));
    wharf.api().send("POST", &path, &[], &bytes).unwrap()
}

#[test]
fn a_full_disk_refuses_the_push_keeps_the_rest_readable_and_gives_its_space_back() {
    let disk = SmallDisk::new(32);
    let setup = Setup::new().data(&disk.data()).allow("No space left").allow("ENOSPC").allow("full");
    let (wharf, mut random) = (setup.start(), fastrand::Rng::new());
    let kept = blob(&mut random, MIB);
    let digest = wharf.api().push_blob("team/app", &kept).unwrap();
    let before = free(disk.0.path());
    for _ in 0..2 {
        let refused = push(&wharf, &mut random, 40 * MIB).expect(507);
        let error = &refused.json()["errors"][0];
        assert!(error["code"].is_string() && error["message"].is_string(), "{error}");
        assert!(wharf.api().get(&format!("/v2/team/app/blobs/{digest}")).expect(200).body == kept);
        assert!(free(disk.0.path()) + MIB as u64 >= before, "the failed upload's space is not back");
    }
    push(&wharf, &mut random, MIB).expect(201);
    wharf.anonymous().get("/livez").expect(200);
    drop(wharf);
}

#[test]
fn a_disk_filled_by_somebody_else_refuses_writes_and_serves_reads_until_there_is_room() {
    let disk = SmallDisk::new(32);
    let setup = Setup::new().data(&disk.data()).allow("No space left").allow("full").allow("not ready");
    let (mut wharf, mut random) = (setup.start(), fastrand::Rng::new());
    let kept = blob(&mut random, MIB);
    let digest = wharf.api().push_blob("team/app", &kept).unwrap();
    let filler = disk.0.path().join("filler");
    let fill = std::fs::write(&filler, vec![1; 40 * MIB]);
    assert!(fill.is_err(), "the disk is full");
    for size in [10, 100_000, MIB] {
        push(&wharf, &mut random, size).expect(507);
        assert!(wharf.api().get(&format!("/v2/team/app/blobs/{digest}")).expect(200).body == kept);
    }
    std::fs::remove_file(filler).unwrap();
    push(&wharf, &mut random, MIB).expect(201);
    wharf.stop();
    wharf.restart();
    assert!(wharf.api().get(&format!("/v2/team/app/blobs/{digest}")).expect(200).body == kept);
    drop(wharf);
}

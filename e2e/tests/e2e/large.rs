//! Memory does not grow with what is pushed or pulled. `WHARF_E2E_LARGE_MIB` sets the size.

use std::io::{Read as _, Write as _};

use wharf_e2e::{Hasher, Wharf, blob, number, read_answer, say};

const MIB: usize = 1 << 20;
/// What a server may hold beside what it is: buffers of a few MiB for each direction.
const ROOM_MIB: u64 = 48;

#[test]
fn a_large_blob_goes_through_constant_memory_and_comes_back_whole() {
    let (wharf, size) = (Wharf::start(), usize::try_from(number("LARGE_MIB", 256)).unwrap());
    let api = wharf.api().token("repository:team/large:pull,push");
    let before = peak_mib(&wharf);
    let (block, mut hasher) = (blob(&mut fastrand::Rng::new(), MIB), Hasher::default());

    let location = api.upload("team/large").unwrap();
    let mut upload = api.start("PATCH", &location, &[], size * MIB).unwrap();
    for n in 0..size {
        // No two MiB are the same.
        let number = n.to_le_bytes();
        upload.write_all(&number).unwrap();
        upload.write_all(&block[number.len()..]).unwrap();
        hasher.update(&number);
        hasher.update(&block[number.len()..]);
    }
    read_answer(&upload, false).unwrap().expect(202);
    let digest = hasher.digest();
    api.send("PUT", &format!("{location}?digest={digest}"), &[], b"").unwrap().expect(201);

    let mut pull = api.start("GET", &format!("/v2/team/large/blobs/{digest}"), &[], 0).unwrap();
    let mut head = vec![];
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        pull.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    let (mut hasher, mut buffer) = (Hasher::default(), vec![0; MIB]);
    for _ in 0..size {
        pull.read_exact(&mut buffer).unwrap();
        hasher.update(&buffer);
    }
    assert_eq!(hasher.digest(), digest);
    let grown = peak_mib(&wharf) - before;
    say(&format!("{size} MiB each way: the server's peak memory grew by {grown} MiB"));
    assert!(grown < ROOM_MIB, "memory grew by {grown} MiB");
}

/// The most memory it has ever held.
fn peak_mib(wharf: &Wharf) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", wharf.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("VmHWM");
    line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).expect("a number") / 1024
}

//! A push's file operations, as the kernel sees them: bytes are durable before the row that names them, the row before
//! the answer.

use wharf_e2e::{Daemon, Sandbox, Wharf, blob, say, variable, wait_for};

/// A system call: the lines of the trace in which it begins and ends.
struct Call {
    begins: usize,
    ends: usize,
    text: String,
}

#[test]
fn a_push_syncs_file_then_folder_then_database_and_then_answers() {
    let wharf = Wharf::start();
    let sandbox = Sandbox::of(&wharf);
    let api = wharf.api().token("repository:team/app:pull,push");
    if variable("NO_PTRACE").is_some() {
        say("the order of a push's file operations is not tested: WHARF_E2E_NO_PTRACE is set");
        return;
    }
    let strace = trace(&wharf, &sandbox);
    let digest = api.push_blob("team/app", &blob(&mut fastrand::Rng::new(), 300_000)).unwrap();
    wait_for("the answer is traced", 10, || sandbox_text(&sandbox).contains("HTTP/1.1 201").then_some(()));
    drop(strace);
    check(&sandbox_text(&sandbox), digest.strip_prefix("sha256:").unwrap());
}

fn sandbox_text(sandbox: &Sandbox) -> String {
    std::fs::read_to_string(sandbox.path("trace")).unwrap_or_default()
}

fn trace(wharf: &Wharf, sandbox: &Sandbox) -> Daemon {
    let calls = "fsync,fdatasync,rename,renameat,renameat2,write,writev,sendto,sendmsg,pwrite64";
    let line = format!("strace -f -y -s 64 -e trace={calls} -o {} -p {}", sandbox.at("trace"), wharf.id());
    let log = sandbox.path("strace.log");
    sandbox.daemon(&line, "strace.log", move || {
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        assert!(
            !said.contains("not permitted"),
            "ptrace is not permitted here; without: WHARF_E2E_NO_PTRACE=1\n{said}"
        );
        said.contains("attached")
    })
}

fn check(trace: &str, hex: &str) {
    let calls = calls(trace);
    let find = |what: &str, after: usize, is: &dyn Fn(&str) -> bool| {
        let found = calls.iter().find(|call| call.begins > after && is(&call.text));
        found.unwrap_or_else(|| panic!("no {what} after line {after} of the trace:\n{trace}"))
    };
    let rename = find("rename", 0, &|call| call.starts_with("rename") && call.contains(hex));
    let file = find("sync of the file", 0, &|call| is_sync(call) && call.contains("/uploads/"));
    assert!(file.ends < rename.begins, "the file is renamed before it is durable:\n{trace}");
    let fan_out = format!("/sha256/{}>", &hex[..2]);
    let folder = find("sync of the folder", rename.ends, &|call| is_sync(call) && call.contains(&fan_out));
    let database = find("sync of the database", folder.ends, &|call| is_sync(call) && call.contains("wharf.db-wal>"));
    find("answer", database.ends, &|call| call.contains("HTTP/1.1 201"));
    let early = calls.iter().find(|call| call.text.contains("HTTP/1.1 201") && call.begins < database.ends);
    assert!(early.is_none(), "answered before the database was durable:\n{trace}");
    let other = find("sync of the parent folder", 0, &|call| is_sync(call) && call.contains("/sha256>"));
    assert!(other.ends < database.begins, "the new folder's own entry is not durable:\n{trace}");
}

fn is_sync(call: &str) -> bool {
    call.starts_with("fsync(") || call.starts_with("fdatasync(")
}

/// Joins the two halves of calls during which another thread made one.
fn calls(trace: &str) -> Vec<Call> {
    let mut calls: Vec<Call> = vec![];
    let mut open = std::collections::BTreeMap::new();
    for (n, line) in trace.lines().enumerate() {
        let Some((thread, text)) = line.trim().split_once(char::is_whitespace) else { continue };
        let text = text.trim();
        if text.starts_with("<...") {
            if let Some(begun) = open.remove(thread) {
                let call: &mut Call = &mut calls[begun];
                call.ends = n;
            }
            continue;
        }
        let unfinished = text.contains("<unfinished ...>");
        if unfinished {
            open.insert(thread, calls.len());
        }
        calls.push(Call { begins: n, ends: if unfinished { usize::MAX } else { n }, text: text.into() });
    }
    calls
}

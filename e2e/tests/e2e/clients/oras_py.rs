//! oras as a library of Python (oras-project/oras-py), for files. Its default way of asking for tokens keeps the first one that
//! it gets, which is one for pulling: pushes ask with the password each time (`auth_backend="basic"`).

use wharf_e2e::{Ran, Sandbox, Wharf, binary};

use super::over_http;

/// What both scripts begin with: who they are is on standard input.
const SIGN_IN: &str = r#"
import sys, oras.client
host, way = sys.argv[1:3]
client = oras.client.OrasClient(hostname=host, insecure=True, auth_backend=way)
client.login(username="admin", password=sys.stdin.read(), hostname=host, config_path="sign-in/docker.json")
"#;
const PUSH: &str = r#"
print(client.push(target=host + "/team/py:1", files=["hello.txt:text/plain", "more.bin"]).headers["docker-content-digest"])
print(client.get_tags(host + "/team/py"))
"#;
const PULL: &str = r#"
print(client.pull(target=host + "/team/ours:1", outdir=sys.argv[3]))
"#;

fn python(wharf: &Wharf, sandbox: &Sandbox, script: &str, arguments: &str) -> Ran {
    sandbox.write("work/run.py", &format!("{SIGN_IN}{script}"));
    sandbox.feed(wharf.password(), &format!("oras-python3 run.py {} {arguments}", wharf.host()))
}

#[test]
fn files_go_both_ways_between_oras_for_python_and_wharf() {
    let (wharf, sandbox) = over_http();
    let host = wharf.host();
    let ours = |line: &str| sandbox.ok(&format!("{} {line}", binary().display()));
    let read = |name: &str| std::fs::read_to_string(sandbox.path(name)).unwrap();
    sandbox.write("work/hello.txt", "hello");
    sandbox.write("work/more.bin", "more");
    let said = python(&wharf, &sandbox, PUSH, "basic").ok();
    assert!(said.contains(&wharf.api().digest("team/py", "1")) && said.contains("['1']"), "{said}");
    sandbox.feed(wharf.password(), &format!("{} auth login {host} -u admin --password-stdin", binary().display())).ok();
    ours(&format!("pull {host}/team/py:1 pulled --unpack"));
    assert_eq!((read("work/pulled/hello.txt"), read("work/pulled/more.bin")), ("hello".into(), "more".into()));

    sandbox.write("work/dir/deep/a", "a");
    ours(&format!("push {host}/team/ours:1 hello.txt dir"));
    for way in ["basic", "token"] {
        python(&wharf, &sandbox, PULL, &format!("{way} {way}")).ok();
        let (file, folder) = (read(&format!("work/{way}/hello.txt")), read(&format!("work/{way}/dir/deep/a")));
        assert_eq!((file.as_str(), folder.as_str()), ("hello", "a"), "{way}");
    }
}

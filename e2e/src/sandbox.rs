//! A home of its own for the clients of one test.
//!
//! Their environment is cleared: this machine's SSL_CERT_FILE or REGISTRY_AUTH_FILE would decide the test. Podman, buildah
//! and skopeo still share one thing, /var/lib/containers/cache, which remembers where a blob was seen: every sandbox's base
//! image has random bytes in it, so that no other test has pushed its layer.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::daemon::Daemon;
use crate::machine::run_id;
use crate::program::{self, Ran, search_path, split, tool};
use crate::running::Running;
use crate::terminal::Terminal;
use crate::wharf::Wharf;

const CONTAINERS_CONF: &str = r#"
[containers]
# Without: "error setting rlimit type 7: operation not permitted"
default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
# Else CNI makes a bridge and iptables chains on this machine, and leaves them.
netns = "none"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "none"
lock_type = "file"
"#;

/// A folder and an environment.
pub struct Sandbox {
    folder: TempDir,
    env: BTreeMap<String, String>,
}

impl Sandbox {
    /// For clients of `wharf`: they trust its CA, or know that it has none.
    pub fn of(wharf: &Wharf) -> Self {
        // Sockets lie in it, and their paths have room for 107 bytes.
        let folder = tempfile::Builder::new().prefix("we-").tempdir_in("/tmp").unwrap();
        let mut sandbox = Self { folder, env: BTreeMap::new() };
        sandbox.lay_out(wharf);
        if let Some(ca) = wharf.ca() {
            sandbox.set("SSL_CERT_FILE", &ca.display().to_string());
        }
        sandbox
    }

    fn lay_out(&mut self, wharf: &Wharf) {
        for folder in ["home", "run", "tmp", "docker", "work"] {
            fs::create_dir(self.path(folder)).unwrap();
        }
        self.write("containers.conf", CONTAINERS_CONF);
        let at = self.folder.path().display();
        let storage =
            format!("[storage]\ndriver = \"overlay\"\ngraphroot = \"{at}/graph\"\nrunroot = \"{at}/run/storage\"\n");
        self.write("storage.conf", &storage);
        let (host, insecure) = (wharf.host(), wharf.ca().is_none());
        let entry = format!("[[registry]]\nlocation = \"{host}\"\ninsecure = {insecure}\n");
        self.write("registries.conf", &format!("unqualified-search-registries = []\n{entry}"));
        self.write("auth.json", "{}");
        let path = search_path();
        self.set("PATH", &path);
        let files = [
            ("HOME", "home"),
            ("XDG_RUNTIME_DIR", "run"),
            ("TMPDIR", "tmp"),
            ("CONTAINERS_CONF", "containers.conf"),
            ("CONTAINERS_STORAGE_CONF", "storage.conf"),
            ("CONTAINERS_REGISTRIES_CONF", "registries.conf"),
            ("REGISTRY_AUTH_FILE", "auth.json"),
            ("DOCKER_CONFIG", "docker"),
            ("REGCTL_CONFIG", "regctl.json"),
            ("HELM_CONFIG_HOME", "helm/config"),
            ("HELM_CACHE_HOME", "helm/cache"),
            ("HELM_DATA_HOME", "helm/data"),
            ("HELM_REGISTRY_CONFIG", "helm/registry.json"),
            ("TUF_ROOT", "tuf"),
        ];
        for (name, file) in files {
            let path = self.path(file).display().to_string();
            self.set(name, &path);
        }
    }

    /// Sets a variable for what runs from now on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.env.insert(name.into(), value.into());
    }

    /// Takes a variable away.
    pub fn unset(&mut self, name: &str) {
        self.env.remove(name);
    }

    /// A file or folder of the sandbox.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// As [`Sandbox::path`], for command lines.
    pub fn at(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Writes a file.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Runs a command line in the folder `work`.
    pub fn run(&self, line: &str) -> Ran {
        self.feed("", line)
    }

    /// As [`Sandbox::run`]; its stdout, or the test fails.
    pub fn ok(&self, line: &str) -> String {
        self.run(line).ok()
    }

    /// Runs a command line with `input` on stdin.
    pub fn feed(&self, input: &str, line: &str) -> Ran {
        program::run(self.command(line), line, input.as_bytes())
    }

    /// Runs a script of the shell.
    pub fn shell(&self, script: &str) -> Ran {
        self.feed(script, "sh -eu")
    }

    /// Starts a daemon; its output goes to the file `log`.
    pub fn daemon(&self, line: &str, log: &str, ready: impl Fn() -> bool) -> Daemon {
        Daemon::start(self.command(line), &self.path(log), ready)
    }

    /// Starts a command line; its output goes to the file `log`.
    pub fn start(&self, line: &str, log: &str) -> Running {
        Running::start(self.command(line), line, self.path(log))
    }

    /// Runs a command line at a terminal.
    pub fn terminal(&self, line: &str) -> Terminal {
        Terminal::start(&self.command(line))
    }

    fn command(&self, line: &str) -> Command {
        let words = split(line);
        let mut command = Command::new(tool(&words[0]));
        command.args(&words[1..]).env_clear().envs(&self.env).current_dir(self.path("work"));
        command
    }

    /// `base.tar`: a root folder with a static busybox as its shell, and random bytes.
    pub fn base(&self) -> String {
        let bin = self.path("base/bin");
        fs::create_dir_all(&bin).unwrap();
        fs::copy(tool("busybox"), bin.join("busybox")).unwrap();
        // There already on a second call, which makes another layer.
        let _ = std::os::unix::fs::symlink("busybox", bin.join("sh"));
        fs::write(self.path("base/unique"), run_id().to_ne_bytes()).unwrap();
        let (base, tar) = (self.at("base"), self.at("base.tar"));
        self.ok(&format!("tar -C {base} -cf {tar} ."));
        tar
    }

    /// The sandbox's folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // Podman and containerd mount in their storage; what stays mounted keeps the folder from going.
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let own = self.folder.path().display().to_string();
        let points = mounts.lines().filter_map(|line| line.split(' ').nth(1)).filter(|point| point.starts_with(&own));
        for point in points.collect::<Vec<_>>().into_iter().rev() {
            let _ = Command::new("umount").arg("-l").arg(point).status();
        }
    }
}

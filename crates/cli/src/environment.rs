//! What the commands take from outside: the one place that looks at the environment and at the clock.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use wharf_client::Secret;
use wharf_client::credentials::Source;
use wharf_image::Temporary;
use wharf_image::storage::{Podman, Surroundings};

use crate::keyring::Keyring;
use crate::{Error, Result, registries};

/// The folder of contexts and credentials: `$WHARF_CONFIG_HOME`, else `wharf` in `$XDG_CONFIG_HOME` or `~/.config`.
pub(crate) fn config_folder() -> Result<PathBuf> {
    // Ours does what it says, relative or not.
    if let Some(folder) = variable("WHARF_CONFIG_HOME") {
        return Ok(folder.into());
    }
    let base = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")));
    let folder = base.map(|base| base.join("wharf"));
    folder.ok_or_else(|| Error::Failed("there is no folder for sign-ins: set HOME or WHARF_CONFIG_HOME".into()))
}

/// Where registries.conf may be (containers-registries.conf(5)); `$CONTAINERS_REGISTRIES_CONF` stands for them all.
pub(crate) fn registries_files() -> registries::Files {
    if let Some(path) = variable("CONTAINERS_REGISTRIES_CONF") {
        return registries::Files { main: vec![path.into()], ..registries::Files::default() };
    }
    let own = containers_folder();
    let of = |name: &str| own.iter().map(|own| own.join(name)).collect::<Vec<PathBuf>>();
    let mut main = of("registries.conf");
    main.extend(["/etc/containers/registries.conf", "/usr/share/containers/registries.conf"].map(PathBuf::from));
    let mut drop_ins = vec![PathBuf::from("/etc/containers/registries.conf.d")];
    drop_ins.extend(of("registries.conf.d"));
    let chosen = cache_base().map(|base| base.join("containers/short-name-aliases.conf"));
    registries::Files { main, drop_ins, chosen }
}

/// Where certs.d may be, the first that knows a host wins (containers-certs.d(5)).
pub(crate) fn certificate_folders() -> Vec<PathBuf> {
    let own = containers_folder().map(|own| own.join("certs.d"));
    own.into_iter().chain(["/etc/containers/certs.d", "/etc/docker/certs.d"].map(PathBuf::from)).collect()
}

/// What people configure for podman, skopeo and the like.
fn containers_folder() -> Option<PathBuf> {
    let base = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")));
    base.map(|base| base.join("containers"))
}

/// What is kept to go on with later: `$XDG_STATE_HOME/wharf`, else `~/.local/state/wharf`.
pub(crate) fn state_folder() -> Option<PathBuf> {
    let base = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")));
    base.map(|base| base.join("wharf"))
}

fn cache_base() -> Option<PathBuf> {
    absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))
}

/// What is kept to be faster next time, and may be deleted: `$XDG_CACHE_HOME/wharf`, else `~/.cache/wharf`.
pub(crate) fn cache_folder() -> Option<PathBuf> {
    cache_base().map(|base| base.join("wharf"))
}

/// Where what needs room for a whole image goes meanwhile: `$TMPDIR`, else `/var/tmp` as with podman, since `/tmp` may be
/// memory.
pub(crate) fn temporary() -> Temporary {
    Temporary::new(absolute("TMPDIR").unwrap_or_else(|| "/var/tmp".into()))
}

/// Whose storage of podman's is meant.
pub(crate) fn storage_surroundings() -> Surroundings {
    let variables = Surroundings::VARIABLES.into_iter().filter_map(|name| Some((name, variable(name)?))).collect();
    // In a user namespace of podman's everybody is root, and the storage is still the one of who came.
    let outside = variable("_CONTAINERS_ROOTLESS_UID").and_then(|uid| uid.parse().ok());
    let uid = outside.unwrap_or_else(|| rustix::process::getuid().as_raw());
    Surroundings { uid, variables, system: "/".into() }
}

/// What says where docker is, and the folder of the certificates for it.
pub(crate) fn docker_host() -> (Option<String>, Option<PathBuf>) {
    let certificates =
        || variable("DOCKER_CERT_PATH").map(PathBuf::from).or_else(|| Some(absolute("HOME")?.join(".docker")));
    (variable("DOCKER_HOST"), variable("DOCKER_TLS_VERIFY").and_then(|_| certificates()))
}

/// Docker's folder, and the context that is named rather than the current one.
pub(crate) fn docker_context() -> (Option<PathBuf>, Option<String>) {
    (docker_folder(), variable("DOCKER_CONTEXT"))
}

fn docker_folder() -> Option<PathBuf> {
    variable("DOCKER_CONFIG").map(PathBuf::from).or_else(|| Some(absolute("HOME")?.join(".docker")))
}

/// How podman is run.
pub(crate) fn podman() -> Podman {
    let this = std::env::current_exe().unwrap_or_else(|_| "wharf".into());
    let is_root = rustix::process::getuid().is_root();
    let layer_writer = (!is_root).then(|| vec![this.into(), "storage-layer".into()]);
    Podman { command: vec!["podman".into()], layer_writer, temporary: temporary() }
}

/// Whether a terminal can draw over what it shows.
pub(crate) fn can_draw() -> bool {
    variable("TERM").is_some_and(|terminal| terminal != "dumb")
}

/// Where podman keeps sign-ins (containers-auth.json(5)): `$REGISTRY_AUTH_FILE`, else a file that ends with the session.
pub(crate) fn auth_file() -> PathBuf {
    let by_user = || PathBuf::from(format!("/run/containers/{}", rustix::process::getuid().as_raw()));
    let named = variable("REGISTRY_AUTH_FILE").map(PathBuf::from);
    named.unwrap_or_else(|| {
        let folder = absolute("XDG_RUNTIME_DIR").map(|folder| folder.join("containers"));
        folder.unwrap_or_else(by_user).join("auth.json")
    })
}

/// Where docker keeps sign-ins.
pub(crate) fn docker_file() -> Option<PathBuf> {
    docker_folder().map(|folder| folder.join("config.json"))
}

/// Where sign-ins are, in the order they are asked, after what the command line names: in `$REGISTRY_AUTH_FILE` alone where
/// that is set, as with podman. `helpers` are those that registries.conf names for all registries.
pub(crate) fn sign_ins(helpers: &[String]) -> Vec<Source> {
    if let Some(path) = variable("REGISTRY_AUTH_FILE") {
        return vec![Source::Containers(path.into())];
    }
    let mut sources: Vec<Source> = vec![];
    sources.extend(variable("DOCKER_AUTH_CONFIG").map(|text| Source::Given(Secret::new(text))));
    sources.push(Source::Containers(auth_file()));
    sources.extend(containers_folder().map(|own| Source::Containers(own.join("auth.json"))));
    sources.extend(docker_file().map(Source::Docker));
    sources.extend(absolute("HOME").map(|home| Source::Legacy(home.join(".dockercfg"))));
    sources.extend(helpers.iter().filter(|name| *name != "containers-auth.json").cloned().map(Source::Helper));
    sources
}

/// The system's keyring, where a session has one: on a machine without, nothing is waited for.
pub(crate) fn keyring() -> Option<Keyring> {
    let socket = absolute("XDG_RUNTIME_DIR").map(|folder| folder.join("bus"));
    let has_bus = variable("DBUS_SESSION_BUS_ADDRESS").is_some() || socket.is_some_and(|socket| socket.exists());
    // Where somebody can be asked to unlock it, they get the time to.
    let has_display = variable("DISPLAY").or_else(|| variable("WAYLAND_DISPLAY")).is_some();
    let patience = Duration::from_secs(if has_display { 120 } else { 5 });
    on_path(Keyring::PROGRAM).filter(|_| has_bus).map(|program| Keyring::new(program, patience))
}

/// The program of that name, as the shell would find it.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    path_folders().into_iter().map(|folder| folder.join(program)).find(|file| is_program(file))
}

/// Folders that programs are found in, in which this one's other name may be put: its own, and the person's.
pub(crate) fn link_folders() -> Vec<PathBuf> {
    let own = std::env::current_exe().ok().and_then(|program| Some(program.parent()?.to_owned()));
    let home = absolute("HOME").map(|home| home.join(".local/bin"));
    let on_path = path_folders();
    own.into_iter().chain(home).filter(|folder| on_path.contains(folder)).collect()
}

fn path_folders() -> Vec<PathBuf> {
    let path = variable("PATH").unwrap_or_default();
    std::env::split_paths(&path).filter(|folder| folder.is_absolute()).collect()
}

fn is_program(file: &Path) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// The context to use when `--context` is not given.
pub(crate) fn context() -> Option<String> {
    variable("WHARF_CONTEXT")
}

/// The XDG Base Directory Specification wants relative paths ignored.
fn absolute(name: &str) -> Option<PathBuf> {
    variable(name).map(PathBuf::from).filter(|path| path.is_absolute())
}

/// An empty one is as good as none: that is how compose files leave a variable out.
#[expect(clippy::disallowed_methods, reason = "the commands' own place for it, as server::config is the server's")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Milliseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "a person says '2 hours ago' and means their own clock")]
pub(crate) fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

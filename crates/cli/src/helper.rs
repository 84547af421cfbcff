//! `docker-credential-wharf`: what `wharf` is signed in with, for docker, podman and whoever else asks by the protocol of
//! docker-credential-helpers; and where they are told to ask.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use wharf_client::Secret;
use wharf_client::credentials::{AuthFile, Keeper, Login, serve};
use wharf_oci::hub;

use crate::contexts::{Context, Contexts, Kept, Kind, Store, Whose};
use crate::output::note;
use crate::session::Session;
use crate::{Result, environment};

mod there;

/// What `credHelpers` calls it.
pub(crate) const NAME: &str = "wharf";
/// The name that the program goes by then.
const PROGRAM: &str = "docker-credential-wharf";
/// What API tokens begin with.
pub(crate) const TOKEN: &str = "whf_";

/// Does what a credential helper is asked, if that is the name that the program was called by.
pub fn helped(mut words: impl Iterator<Item = std::ffi::OsString>) -> Option<ExitCode> {
    let called = words.next()?;
    if Path::new(&called).file_name()? != PROGRAM {
        return None;
    }
    let action = words.next().unwrap_or_default();
    let outcome = Store::usual().map_err(|error| error.to_string()).and_then(|store| {
        let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
        serve(&action.to_string_lossy(), &mut Ours(store), &mut input, &mut output).map_err(|error| error.to_string())
    });
    Some(match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            note(&format!("{PROGRAM}: {problem}"));
            ExitCode::FAILURE
        }
    })
}

/// Sign-ins of contexts by their hosts, and beside them those of registries that are no context's.
struct Ours(Store);

impl Keeper for Ours {
    fn get(&mut self, url: &str) -> std::result::Result<Option<Login>, String> {
        self.found(url).map(|kept| kept.map(Kept::login)).map_err(|error| error.to_string())
    }

    fn store(&mut self, url: &str, login: Login) -> std::result::Result<(), String> {
        let kept = match login {
            Login::IdentityToken { user, token } => Kept { user, kind: Kind::RefreshToken, secret: token },
            Login::Password { user, password } => Kept { user, kind: kind_of(&password), secret: password },
            Login::AccessToken(_) => return Err("a token that is no password is not kept".into()),
        };
        self.keep(url, kept).map_err(|error| error.to_string())
    }

    fn erase(&mut self, url: &str) -> std::result::Result<(), String> {
        self.forget(url).map_err(|error| error.to_string())
    }

    fn list(&mut self) -> std::result::Result<BTreeMap<String, String>, String> {
        self.users().map_err(|error| error.to_string())
    }
}

impl Ours {
    fn found(&self, url: &str) -> Result<Option<Kept>> {
        for (name, _) in self.0.contexts()?.of_host(hub::host_of(url), None) {
            if let Some(kept) = self.0.kept(Whose::Context(name))? {
                return Ok(Some(kept));
            }
        }
        self.0.kept(Whose::Registry(hub::host_of(url)))
    }

    fn keep(&self, url: &str, kept: Kept) -> Result<()> {
        let contexts = self.0.contexts()?;
        let whose = match contexts.of_host(hub::host_of(url), None).into_iter().next() {
            Some((name, _)) => Whose::Context(name),
            None => Whose::Registry(hub::host_of(url)),
        };
        // Whoever brings a token alone is who was there, as far as anybody knows.
        let [mut users, mut others] = self.0.users()?;
        let before = match whose {
            Whose::Context(name) => users.remove(name),
            Whose::Registry(host) => others.remove(host),
        };
        let user = if kept.user.is_empty() { before.clone().unwrap_or_default() } else { kept.user };
        let kept = there::exchanged(&contexts, whose, Kept { user, ..kept })?;
        let former = before.map(|_| self.0.kept(whose)).transpose().map(Option::flatten);
        let secret = kept.secret.clone();
        self.0.renew(whose, kept)?;
        there::end(&contexts, whose, former.map(|former| former.filter(|former| former.secret != secret)))
    }

    fn forget(&self, url: &str) -> Result<()> {
        let contexts = self.0.contexts()?;
        let own = contexts.of_host(hub::host_of(url), None).into_iter().map(|(name, _)| Whose::Context(name));
        for whose in own.chain([Whose::Registry(hub::host_of(url))]) {
            let former = self.0.kept(whose);
            // Forgotten first: a server that is away must not keep anybody signed in here.
            if self.0.forget(whose)? {
                there::end(&contexts, whose, former)?;
            }
        }
        Ok(())
    }

    fn users(&self) -> Result<BTreeMap<String, String>> {
        let contexts = self.0.contexts()?;
        let [by_context, mut all] = self.0.users()?;
        for (name, user) in by_context {
            let address = contexts.known.get(&name).map(Context::address).transpose()?;
            all.extend(address.map(|address| (address.host(), user)));
        }
        Ok(all)
    }
}

fn kind_of(password: &Secret) -> Kind {
    // As docker takes it: a token in the password's place.
    if password.expose().starts_with(TOKEN) { Kind::ApiToken } else { Kind::Password }
}

/// Whether podman and docker can find it.
pub(crate) fn is_found() -> bool {
    environment::on_path(PROGRAM).is_some() || link()
}

/// Has podman and docker ask this program for `host`. Says in which files; why not is told, and is no failure.
pub(crate) fn set_up(host: &str, auth_file: Option<&Path>) -> Vec<PathBuf> {
    if !is_found() {
        note(&format!(
            "wharf: docker and podman are not signed in along with it, because no {PROGRAM} is on PATH: \
             ln -s \"$(command -v wharf)\" /usr/local/bin/{PROGRAM}, and sign in again"
        ));
        return vec![];
    }
    let mut done = vec![];
    for file in files(auth_file) {
        match file.set_helper(host, NAME) {
            Ok(()) => done.push(file.path().to_owned()),
            Err(error) => note(&format!("wharf: {error}")),
        }
    }
    done
}

/// Takes [`set_up`] back for a context's server, unless another context of it still is what they ask for.
pub(crate) fn take_away_unused(
    session: &Session,
    contexts: &Contexts,
    context: &str,
    auth_file: Option<&Path>,
) -> Result<()> {
    let [users, _] = session.store.users()?;
    let host = contexts.get(context)?.address()?.host();
    if !contexts.of_host(&host, None).iter().any(|(name, _)| users.contains_key(*name)) {
        take_away(&host, auth_file);
    }
    Ok(())
}

/// Takes [`set_up`] back.
pub(crate) fn take_away(host: &str, auth_file: Option<&Path>) {
    for file in files(auth_file) {
        if let Err(error) = file.unset_helper(host, NAME) {
            note(&format!("wharf: {error}"));
        }
    }
}

/// podman's file is gone with the session that it is of, and then podman asks docker's.
fn files(auth_file: Option<&Path>) -> Vec<AuthFile> {
    let podman = auth_file.map_or_else(environment::auth_file, Path::to_owned);
    let docker = environment::docker_file().map(AuthFile::docker);
    [AuthFile::containers(podman)].into_iter().chain(docker).collect()
}

/// Gives this program its other name, where programs are found and it may.
fn link() -> bool {
    let Ok(program) = std::env::current_exe() else { return false };
    environment::link_folders().iter().any(|folder| std::os::unix::fs::symlink(&program, folder.join(PROGRAM)).is_ok())
}

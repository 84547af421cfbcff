use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::helper::Helper;
use super::{AuthFile, Credentials, Error, Found, Keeper, Login, Source, serve};
use crate::Secret;

/// `jane:secret`
const JANE: &str = "amFuZTpzZWNyZXQ=";
/// `team:other`
const TEAM: &str = "dGVhbTpvdGhlcg==";

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, content: &Value) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, content.to_string()).unwrap();
        path
    }

    /// A helper that keeps what it has in a file of its own, and notes what it was asked.
    fn helper(&self, name: &str, body: &str) {
        let (text, path) = (self.0.path().join(name), self.0.path().join(format!("docker-credential-{name}")));
        fs::write(&text, format!("#!/bin/sh\ncd {}\n{body}\n", self.0.path().display())).unwrap();
        // What this process wrote itself, a child of another test may hold open for writing: then it cannot be run.
        let installed = Command::new("install").args(["-m", "700"]).args([&text, &path]).status().unwrap();
        assert!(installed.success());
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.path().join(name)).unwrap()
    }

    fn find(&self, sources: Vec<Source>, host: &str, repository: &str) -> Option<Found> {
        Credentials::new(sources).with_helpers_in(self.0.path()).find(host, repository).unwrap()
    }
}

fn password(user: &str, password: &str) -> Login {
    Login::Password { user: user.into(), password: Secret::new(password) }
}

fn user(found: Option<Found>) -> String {
    found.map(|found| found.login.user().to_owned()).unwrap_or_default()
}

#[test]
fn the_narrowest_key_is_right_then_the_host_then_its_url() {
    let folder = Folder::new();
    let file = folder.file(
        "auth.json",
        &json!({ "auths": {
            "r.example/team/app": { "auth": TEAM }, "r.example": { "auth": JANE },
            "https://old.example/v1/": { "auth": JANE }, "marked.example": {},
        }}),
    );
    let found = |host, repository| user(folder.find(vec![Source::Containers(file.clone())], host, repository));
    assert_eq!(found("r.example", "team/app"), "team");
    assert_eq!(found("r.example", "team/app/deeper"), "team");
    assert_eq!(found("r.example", "team/apple"), "jane");
    assert_eq!(found("r.example", ""), "jane");
    assert_eq!(found("old.example", "x"), "jane");
    for host in ["r.example:5000", "example", "marked.example", "other.example"] {
        assert_eq!(found(host, "team/app"), "", "{host}");
    }
}

#[test]
fn the_first_place_that_knows_something_is_right() {
    let folder = Folder::new();
    let none = folder.0.path().join("none.json");
    let empty = folder.0.path().join("empty.json");
    fs::write(&empty, "\n").unwrap();
    let one = folder.file("one.json", &json!({ "auths": { "a.example": { "auth": JANE } } }));
    let two =
        folder.file("two.json", &json!({ "auths": { "a.example": { "auth": TEAM }, "b.example": { "auth": TEAM } } }));
    let given = json!({ "auths": { "c.example": { "auth": JANE } } }).to_string();
    let legacy = folder.file(".dockercfg", &json!({ "d.example": { "auth": JANE, "email": "j@example" } }));
    let sources = vec![
        Source::Given(Secret::new(given)),
        Source::Containers(none),
        Source::Containers(empty),
        Source::Containers(one.clone()),
        Source::Docker(two),
        Source::Legacy(legacy),
    ];
    let found = |host| folder.find(sources.clone(), host, "x");
    let first = found("a.example").unwrap();
    assert_eq!((first.login, first.from), (password("jane", "secret"), one.display().to_string()));
    assert_eq!(user(found("b.example")), "team");
    assert_eq!(found("c.example").unwrap().from, "DOCKER_AUTH_CONFIG");
    assert_eq!(user(found("d.example")), "jane");
}

#[test]
fn docker_hub_has_many_names_and_one_sign_in() {
    let folder = Folder::new();
    for key in ["https://index.docker.io/v1/", "docker.io", "index.docker.io"] {
        let file = folder.file("config.json", &json!({ "auths": { key: { "auth": JANE } } }));
        for host in ["docker.io", "index.docker.io", "registry-1.docker.io"] {
            assert_eq!(user(folder.find(vec![Source::Docker(file.clone())], host, "library/alpine")), "jane", "{key}");
        }
    }
}

#[test]
fn tokens_and_older_spellings_are_read() {
    let folder = Folder::new();
    let file = folder.file(
        "config.json",
        &json!({ "auths": {
            "token.example": { "auth": "amFuZTo=", "identitytoken": "it" }, "bearer.example": { "registrytoken": "rt" },
            "plain.example": { "username": "jane", "password": "a:b" }, "padded.example": { "auth": "amFuZTpzZWNyZXQAAA==" },
        }}),
    );
    let found = |host| folder.find(vec![Source::Docker(file.clone())], host, "").unwrap().login;
    assert_eq!(found("token.example"), Login::IdentityToken { user: "jane".into(), token: Secret::new("it") });
    assert_eq!(found("bearer.example"), Login::AccessToken(Secret::new("rt")));
    assert_eq!(found("plain.example"), password("jane", "a:b"));
    assert_eq!(found("padded.example"), password("jane", "secret"));
}

#[test]
fn helpers_come_before_what_is_in_the_file() {
    let folder = Folder::new();
    let get = |user: &str| {
        format!(
            "read url; echo \"$1 $url\" >> asked; echo '{{\"ServerURL\":\"x\",\"Username\":\"{user}\",\"Secret\":\"s\"}}'"
        )
    };
    folder.helper("own", &get("own"));
    folder.helper("store", &get("<token>"));
    let file = folder.file(
        "config.json",
        &json!({ "auths": { "a.example": { "auth": JANE }, "b.example": { "auth": JANE } },
            "credHelpers": { "a.example": "own" }, "credsStore": "store" }),
    );
    let docker = |host| folder.find(vec![Source::Docker(file.clone())], host, "x").unwrap();
    assert_eq!(docker("a.example").login, password("own", "s"));
    assert_eq!(docker("a.example").from, "docker-credential-own");
    let token = Login::IdentityToken { user: String::new(), token: Secret::new("s") };
    assert_eq!(docker("b.example").login, token);
    docker("docker.io");
    assert_eq!(folder.read("asked"), "get a.example\nget a.example\nget b.example\nget https://index.docker.io/v1/\n");
    let podman = folder.find(vec![Source::Containers(file.clone())], "b.example", "x").unwrap();
    assert_eq!(podman.login, password("jane", "secret"), "podman does not ask credsStore");
    let all = folder.find(vec![Source::Helper("own".into())], "c.example", "x").unwrap();
    assert_eq!(all.login, password("own", "s"));
}

#[test]
fn a_helper_that_knows_nothing_is_no_failure_and_one_that_fails_is_quoted() {
    let folder = Folder::new();
    let sources = |helper: &str| {
        let content = json!({ "auths": { "a.example": { "auth": JANE } }, "credHelpers": { "a.example": helper } });
        Credentials::new(vec![Source::Docker(folder.file("config.json", &content))]).with_helpers_in(folder.0.path())
    };
    folder.helper("empty", "echo 'credentials not found in native keychain'; exit 1");
    assert_eq!(sources("empty").find("a.example", "x").unwrap(), None);
    folder.helper("locked", "printf 'the keyring is locked\\033[2J'; exit 1");
    let said = |helper: &str| sources(helper).find("a.example", "x").unwrap_err().to_string();
    assert_eq!(said("locked"), "the credential helper docker-credential-locked failed: the keyring is locked[2J");
    folder.helper("garbled", "echo secret-garbage");
    assert!(said("garbled").ends_with("answers with something else") && !said("garbled").contains("garbage"));
    assert!(said("absent").contains("is not installed"), "{}", said("absent"));
    assert!(said("../empty").contains("a name that no program has"), "{}", said("../empty"));
}

#[test]
fn a_store_that_is_not_installed_is_passed_over() {
    let folder = Folder::new();
    let file =
        folder.file("config.json", &json!({ "auths": { "a.example": { "auth": JANE } }, "credsStore": "desktop" }));
    assert_eq!(user(folder.find(vec![Source::Docker(file)], "a.example", "x")), "jane");
}

#[test]
fn a_damaged_file_is_named_and_not_quoted() {
    let folder = Folder::new();
    let path = folder.0.path().join("auth.json");
    for text in [
        "{\"auths\": {\"a.example\": {\"auth\": \"c2VjcmV0\"",
        "[\"c2VjcmV0\"]",
        "{\"auths\":{\"a.example\":{\"auth\":\"c2VjcmV0\"}}}",
    ] {
        fs::write(&path, text).unwrap();
        let error = Credentials::new(vec![Source::Containers(path.clone())]).find("a.example", "x").unwrap_err();
        let said = error.to_string();
        assert!(said.contains("auth.json") && said.contains("sign in again") && !said.contains("c2VjcmV0"), "{said}");
    }
    fs::write(
        &path,
        "{\"auths\":{\"a.example\":{\"auth\":\"c2VjcmV0\"},\"b.example\":{\"auth\":\"amFuZTpzZWNyZXQ=\"}}}",
    )
    .unwrap();
    assert_eq!(
        user(folder.find(vec![Source::Containers(path)], "b.example", "x")),
        "jane",
        "another's entry is no matter"
    );
}

#[test]
fn what_is_stored_is_found_and_everything_else_stays() {
    let folder = Folder::new();
    let path = folder.0.path().join("sub/real.json");
    fs::create_dir(path.parent().unwrap()).unwrap();
    let before = "{\n    \"HttpHeaders\": {\"X\": [1, 2]},\n    \"auths\": {\"other.example\": {\"auth\": \"dGVhbTpvdGhlcg==\", \"email\": \"e\"}}\n}\n";
    fs::write(&path, before).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let link = folder.0.path().join("config.json");
    symlink("sub/real.json", &link).unwrap();
    let file = AuthFile::docker(&link);
    file.store("a.example", &password("jane", "secret")).unwrap();
    file.store("docker.io", &Login::IdentityToken { user: "jane".into(), token: Secret::new("it") }).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("\n    \"HttpHeaders\"") && text.ends_with("}\n"), "{text}");
    let content: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(content["HttpHeaders"], json!({ "X": [1, 2] }));
    assert_eq!(content["auths"]["other.example"], json!({ "auth": TEAM, "email": "e" }));
    assert_eq!(content["auths"]["a.example"], json!({ "auth": JANE }));
    assert_eq!(content["auths"]["https://index.docker.io/v1/"], json!({ "auth": "amFuZTo=", "identitytoken": "it" }));
    let found = folder.find(vec![Source::Docker(link.clone())], "a.example", "x").unwrap();
    assert_eq!(found.login, password("jane", "secret"));
    assert!(file.erase("a.example").unwrap() && !file.erase("a.example").unwrap());
    assert!(file.erase("docker.io").unwrap());
    let left: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["real.json"], "nothing is left lying about");
}

#[test]
fn a_new_file_is_the_owners_alone() {
    let folder = Folder::new();
    let path = folder.0.path().join("new/containers/auth.json");
    let file = AuthFile::containers(&path);
    assert!(!file.erase("a.example").unwrap() && !path.exists(), "nothing is made to forget something");
    file.store("a.example/team", &password("jane", "secret")).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        "{\n\t\"auths\": {\n\t\t\"a.example/team\": {\n\t\t\t\"auth\": \"amFuZTpzZWNyZXQ=\"\n\t\t}\n\t}\n}"
    );
    assert_eq!(user(folder.find(vec![Source::Containers(path)], "a.example", "team/app")), "jane");
}

#[test]
fn sign_ins_go_to_the_helper_that_the_file_names() {
    let folder = Folder::new();
    folder.helper("keep", "case $1 in store) cat > kept;; get) cat kept 2>/dev/null || { echo 'credentials not found in native keychain'; exit 1; };; erase) rm kept;; esac");
    let path = folder.file("config.json", &json!({ "credsStore": "keep" }));
    let file = AuthFile::docker(&path).with_helpers_in(folder.0.path());
    file.store("a.example", &password("jane", "s\"e\ncret")).unwrap();
    let kept: Value = serde_json::from_str(&folder.read("kept")).unwrap();
    assert_eq!(kept, json!({ "ServerURL": "a.example", "Username": "jane", "Secret": "s\"e\ncret" }));
    assert_eq!(
        serde_json::from_str::<Value>(&folder.read("config.json")).unwrap()["auths"],
        json!({ "a.example": {} })
    );
    assert_eq!(
        folder.find(vec![Source::Docker(path.clone())], "a.example", "x").unwrap().login,
        password("jane", "s\"e\ncret")
    );
    assert!(file.erase("a.example").unwrap() && !file.erase("a.example").unwrap());
    assert!(!folder.0.path().join("kept").exists());
}

#[test]
fn a_helper_is_named_for_a_host_and_taken_back() {
    let folder = Folder::new();
    let path = folder.file(
        "auth.json",
        &json!({ "auths": { "a.example": { "auth": JANE } }, "credHelpers": { "b.example": "pass" } }),
    );
    let file = AuthFile::containers(&path);
    file.set_helper("a.example", "wharf").unwrap();
    let content: Value = serde_json::from_str(&folder.read("auth.json")).unwrap();
    assert_eq!(content, json!({ "credHelpers": { "a.example": "wharf", "b.example": "pass" } }));
    assert!(!file.unset_helper("b.example", "wharf").unwrap(), "another's");
    assert!(file.unset_helper("a.example", "wharf").unwrap());
}

#[test]
fn two_writers_at_once_lose_nothing() {
    let folder = Folder::new();
    let path = folder.0.path().join("auth.json");
    let write = |writer: usize, path: &Path| {
        let file = AuthFile::containers(path);
        for at in 0..10 {
            file.store(&format!("{writer}-{at}.example"), &password("jane", "secret")).unwrap();
        }
    };
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let path = &path;
            scope.spawn(move || write(writer, path));
        }
    });
    let content: Value = serde_json::from_str(&folder.read("auth.json")).unwrap();
    assert_eq!(content["auths"].as_object().unwrap().len(), 40);
}

/// Keeps in memory; `broken` keeps nothing.
#[derive(Default)]
struct Memory(BTreeMap<String, Login>);

impl Keeper for Memory {
    fn get(&mut self, url: &str) -> Result<Option<Login>, String> {
        if url == "broken" { Err("the keyring is locked".into()) } else { Ok(self.0.get(url).cloned()) }
    }

    fn store(&mut self, url: &str, login: Login) -> Result<(), String> {
        self.0.insert(url.into(), login);
        Ok(())
    }

    fn erase(&mut self, url: &str) -> Result<(), String> {
        self.0.remove(url);
        Ok(())
    }

    fn list(&mut self) -> Result<BTreeMap<String, String>, String> {
        Ok(self.0.iter().map(|(url, login)| (url.clone(), login.user().to_owned())).collect())
    }
}

#[test]
fn we_are_a_helper_by_the_protocol() {
    let mut memory = Memory::default();
    let mut ask = |action: &str, input: &str| {
        let mut output = vec![];
        let is_done = serve(action, &mut memory, &mut input.as_bytes(), &mut output).unwrap();
        (is_done, String::from_utf8(output).unwrap())
    };
    let yes = |text: &str| (true, text.to_owned());
    let no = |text: &str| (false, format!("{text}\n"));
    let jane = r#"{"ServerURL":"a.example","Username":"jane","Secret":"s"}"#;
    assert_eq!(ask("get", "a.example\n"), no("credentials not found in native keychain"));
    assert_eq!(ask("store", jane), yes(""));
    assert_eq!(ask("store", r#"{"ServerURL":"b.example","Username":"<token>","Secret":"it"}"#), yes(""));
    assert_eq!(ask("get", "a.example\n"), yes(&format!("{jane}\n")));
    assert_eq!(ask("get", "b.example").1, "{\"ServerURL\":\"b.example\",\"Username\":\"<token>\",\"Secret\":\"it\"}\n");
    assert_eq!(ask("list", ""), yes("{\"a.example\":\"jane\",\"b.example\":\"\"}\n"));
    assert_eq!(ask("erase", "a.example\n"), yes(""));
    assert!(!ask("get", "a.example\n").0);
    assert_eq!(ask("get", "\n"), no("no credentials server URL"));
    assert_eq!(ask("erase", ""), no("no credentials server URL"));
    assert_eq!(ask("store", r#"{"Username":"jane","Secret":"s"}"#), no("no credentials server URL"));
    assert_eq!(ask("store", r#"{"ServerURL":"a.example","Secret":"s"}"#), no("no credentials username"));
    assert_eq!(ask("get", "broken"), no("the keyring is locked"));
    let garbled = ask("store", "{\"Secret\": hush");
    assert!(!garbled.0 && !garbled.1.contains("hush"), "{}", garbled.1);
    assert!(ask("version", "").0 && !ask("frobnicate", "").0);
}

#[test]
fn a_sign_in_cannot_be_printed() {
    let login = Login::IdentityToken { user: "jane".into(), token: Secret::new("hush") };
    let error = Error::Malformed { place: "x".into(), problem: "y".into() };
    assert!(!format!("{login:?}{error:?}").contains("hush"));
}

#[test]
fn a_helper_that_never_answers_is_not_waited_for_for_ever() {
    let folder = Folder::new();
    folder.helper("slow", "exec sleep 600");
    let helper = Helper::new("slow", Some(folder.0.path())).unwrap().waiting(Duration::from_millis(200));
    let problem = helper.get("r.example").unwrap_err().to_string();
    assert_eq!(problem, "the credential helper docker-credential-slow gave no answer in 0 seconds");
}

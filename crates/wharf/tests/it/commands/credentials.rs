//! Sign-ins that are shared with podman and docker.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use serde_json::json;
use wharf_testkit::fake_registry::{Door, FakeRegistry, USER, USER_PASSWORD};
use wharf_testkit::image::Image;

use super::*;

impl Desk {
    /// With files of podman's and docker's, and the helper where programs are found.
    async fn of_many_tools() -> Self {
        let mut desk = Self::new().await;
        let at = |name: &str| desk.home.path().join(name).display().to_string();
        let env = [("PATH", at("bin")), ("XDG_RUNTIME_DIR", at("run")), ("DOCKER_CONFIG", at("docker"))];
        desk.env.extend(env);
        fs::create_dir(desk.home.path().join("bin")).unwrap();
        symlink(env!("CARGO_BIN_EXE_wharf"), desk.helper_file()).unwrap();
        desk
    }

    fn helper_file(&self) -> PathBuf {
        self.home.path().join("bin/docker-credential-wharf")
    }

    async fn helper(&self, action: &str, input: &str) -> Ran {
        run(self.program(&self.helper_file(), action), input, action).await
    }

    fn read(&self, name: &str) -> Value {
        serde_json::from_slice(&fs::read(self.home.path().join(name)).unwrap()).unwrap()
    }

    fn write(&self, name: &str, value: &Value) {
        let path = self.home.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, value.to_string()).unwrap();
    }

    /// Whether a file of sign-ins has that value.
    fn has_kept(&self, secret: &str) -> bool {
        fs::read_to_string(self.file("credentials.json")).unwrap().contains(&format!(": \"{secret}\""))
    }

    /// How often the administrator is signed in.
    async fn sign_ins(&self) -> usize {
        let listed = self.boxed.get("/api/v1/self/sessions").await.expect(200).json();
        listed["items"].as_array().unwrap().len()
    }

    /// An image that only the administrator may read; its name, and its digest.
    async fn private_image(&self) -> (String, String) {
        let image = Image::random();
        self.boxed.push("team/app", "v1", &image).await;
        (format!("{}/team/app:v1", self.host()), image.manifest.digest.to_string())
    }
}

fn auth_of(user: &str, password: &str) -> Value {
    use base64::Engine as _;
    json!({ "auth": base64::prelude::BASE64_STANDARD.encode(format!("{user}:{password}")) })
}

const PODMAN: &str = "run/containers/auth.json";
const DOCKER: &str = "docker/config.json";

#[tokio::test]
async fn podman_and_docker_are_signed_in_along_and_signed_out_again() {
    let desk = Desk::of_many_tools().await;
    let host = desk.host();
    desk.write(DOCKER, &json!({ "psFormat": "x", "auths": { &host: auth_of("old", "old"), "r.example": {} } }));
    let said = desk.feed(PASSWORD, &format!("auth login {host} -u {ADMIN} --password-stdin")).await.ok();
    assert!(said.ends_with("and so are podman and docker\n"), "{said}");
    assert_eq!(desk.read(PODMAN), json!({ "credHelpers": { &host: "wharf" } }));
    let kept = json!({ "psFormat": "x", "auths": { "r.example": {} }, "credHelpers": { &host: "wharf" } });
    assert_eq!(desk.read(DOCKER), kept);

    let given: Value = serde_json::from_str(&desk.helper("get", &format!("{host}\n")).await.ok()).unwrap();
    assert_eq!((&given["ServerURL"], &given["Username"]), (&json!(host), &json!("<token>")));
    let form = format!("grant_type=refresh_token&service=wharf&refresh_token={}", given["Secret"].as_str().unwrap());
    let request = desk.boxed.post("/token").header("content-type", "application/x-www-form-urlencoded");
    request.body(form).await.expect(200);
    assert_eq!(desk.helper("get", &format!("https://{host}/v1/")).await.code, 0, "however it is spelt");
    assert_eq!(desk.helper("list", "").await.ok(), format!("{{\"{host}\":\"{ADMIN}\"}}\n"));

    desk.sign_in(ADMIN, "--context second").await;
    desk.wharf("auth logout --context second").await.ok();
    assert_eq!(desk.read(DOCKER), kept, "the first context is still signed in");
    desk.wharf(&format!("auth logout {host}")).await.ok();
    assert_eq!(desk.read(PODMAN), json!({}));
    assert_eq!(desk.read(DOCKER), json!({ "psFormat": "x", "auths": { "r.example": {} } }));
    let gone = desk.helper("get", &host).await;
    assert_eq!((gone.code, &*gone.out), (1, "credentials not found in native keychain\n"));
}

#[tokio::test]
async fn nobody_else_is_signed_in_when_that_is_asked_for_or_the_helper_is_nowhere() {
    let desk = Desk::of_many_tools().await;
    desk.sign_in(ADMIN, "--no-helper").await;
    fs::remove_file(desk.helper_file()).unwrap();
    let login = format!("auth login {} -u {ADMIN} --password-stdin", desk.host());
    let told = desk.feed(PASSWORD, &login).await;
    assert!(told.code == 0 && told.err.contains("ln -s") && !told.out.contains("docker"), "{told}");
    assert!(!desk.home.path().join("run").exists() && !desk.home.path().join("docker").exists());

    // Where programs are found and may be put, the program gives itself its other name.
    let mut desk = desk;
    let own = desk.home.path().join(".local/bin");
    fs::create_dir_all(&own).unwrap();
    desk.env = vec![("HOME", desk.home.path().display().to_string()), ("PATH", own.display().to_string())];
    desk.env.push(("XDG_RUNTIME_DIR", desk.home.path().join("run").display().to_string()));
    desk.feed(PASSWORD, &login).await.ok();
    assert_eq!(run(desk.program(&own.join("docker-credential-wharf"), "get"), &desk.host(), "get").await.code, 0);
    assert_eq!(desk.read(".docker/config.json"), desk.read(PODMAN));
}

#[tokio::test]
async fn what_podman_and_docker_store_with_the_helper_signs_in_here() {
    let desk = Desk::of_many_tools().await;
    desk.sign_in(ADMIN, "").await;
    let host = desk.host();
    let stored = |secret: &str| json!({ "ServerURL": host, "Username": ADMIN, "Secret": secret }).to_string();
    desk.helper("erase", &host).await.ok();
    desk.wharf("auth status").await.fails(1, "wharf auth login");
    desk.helper("store", &stored(PASSWORD)).await.ok();
    assert_eq!(desk.json("auth status").await["by"], "a password or a browser");
    assert!(!desk.has_kept(PASSWORD));
    assert_eq!(desk.helper("store", &stored("not it")).await.code, 1);
    desk.wharf("auth status").await.ok();
    let token = desk.wharf("tokens create one --scope read").await.ok();
    desk.helper("store", &stored(token.trim())).await.ok();
    assert!(desk.wharf("auth status").await.ok().contains("the API token one"));

    let url = "https://index.docker.io/v1/";
    let other = json!({ "ServerURL": url, "Username": "jane", "Secret": "s" }).to_string();
    desk.helper("store", &other).await.ok();
    let given: Value = serde_json::from_str(&desk.helper("get", url).await.ok()).unwrap();
    assert_eq!((&given["Username"], &given["Secret"]), (&json!("jane"), &json!("s")));
    assert_eq!(desk.helper("get", "r.example").await.code, 1);
    assert_eq!(desk.file("credentials.json").metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(desk.helper("frobnicate", "").await.code, 1);
}

#[tokio::test]
async fn what_the_helper_replaces_or_forgets_ends_on_the_server_and_no_password_is_kept() {
    let desk = Desk::of_many_tools().await;
    let host = desk.host();
    let stored = json!({ "ServerURL": host, "Username": ADMIN, "Secret": PASSWORD }).to_string();
    desk.sign_in(ADMIN, "").await;
    desk.helper("store", &stored).await.ok();
    assert_eq!(desk.sign_ins().await, 1);
    desk.helper("erase", &host).await.ok();
    assert_eq!(desk.sign_ins().await, 0);
    desk.wharf(&format!("contexts delete {host}")).await.ok();

    // Of no context: it is found out what the server is.
    desk.helper("store", &stored).await.ok();
    assert!(!desk.has_kept(PASSWORD));
    let given: Value = serde_json::from_str(&desk.helper("get", &host).await.ok()).unwrap();
    assert_eq!(given["Username"], "<token>");
    desk.helper("store", &stored).await.ok();
    assert_eq!(desk.sign_ins().await, 1);
    desk.helper("erase", &host).await.ok();
    assert_eq!(desk.sign_ins().await, 0);

    // A server that is away keeps nobody signed in.
    desk.sign_in(ADMIN, "").await;
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let contexts = fs::read_to_string(desk.file("contexts.json")).unwrap();
    fs::write(desk.file("contexts.json"), contexts.replace(&host, &gone)).unwrap();
    fs::write(desk.file("credentials.json"), desk.read("wharf/credentials.json").to_string().replace(&host, &gone))
        .unwrap();
    let told = desk.helper("erase", &gone).await;
    assert!(told.code == 0 && told.err.contains("could not be ended"), "{told}");
    assert_eq!(desk.helper("get", &gone).await.code, 1);
}

#[tokio::test]
async fn a_context_that_is_deleted_is_signed_out_everywhere() {
    let desk = Desk::of_many_tools().await;
    desk.sign_in(ADMIN, "").await;
    desk.wharf(&format!("contexts delete {}", desk.host())).await.ok();
    assert_eq!(desk.sign_ins().await, 0);
    assert_eq!((desk.read(PODMAN), desk.read(DOCKER)), (json!({}), json!({})));
}

#[tokio::test]
async fn sign_ins_of_podman_and_docker_are_good_here_in_their_order() {
    let mut desk = Desk::of_many_tools().await;
    let (image, digest) = desk.private_image().await;
    let (host, good) = (desk.host(), auth_of(ADMIN, PASSWORD));
    let digest_of = format!("digest {image} --tls-verify=false");
    desk.wharf(&digest_of).await.fails(3, "wharf auth login");
    let (good, bad) = (json!({ "auths": { &host: good } }), json!({ "auths": { &host: auth_of(ADMIN, "not it") } }));
    // Each is right until one is there that is asked before it.
    for place in [DOCKER, "containers/auth.json", PODMAN] {
        desk.write(place, &good);
        assert_eq!(desk.wharf(&digest_of).await.ok().trim(), digest, "{place}");
        desk.write(place, &bad);
        desk.wharf(&digest_of).await.fails(3, "wharf auth login");
    }
    desk.env.push(("DOCKER_AUTH_CONFIG", good.to_string()));
    desk.wharf(&digest_of).await.ok();
    desk.write("named.json", &bad);
    desk.env.push(("REGISTRY_AUTH_FILE", desk.home.path().join("named.json").display().to_string()));
    desk.wharf(&digest_of).await.fails(3, "wharf auth login");
    desk.write("named.json", &json!({}));
    desk.env.retain(|(name, _)| *name != "DOCKER_AUTH_CONFIG");
    desk.write(PODMAN, &good);
    desk.wharf(&digest_of).await.fails(3, "wharf auth login");
    desk.write("flag.json", &good);
    let flag = format!("{digest_of} --authfile {}", desk.home.path().join("flag.json").display());
    desk.wharf(&flag).await.ok();
    desk.wharf(&format!("{digest_of} --authfile /nonexistent")).await.fails(4, "/nonexistent");
}

#[tokio::test]
async fn another_registry_is_checked_and_kept_where_podman_keeps_it() {
    let desk = Desk::of_many_tools().await;
    let (fake, image) = (FakeRegistry::start().await, Image::random());
    fake.hold_manifest("team/app", "v1", &image.manifest);
    let host = fake.host();
    for door in [Door::Basic, Door::Tokens] {
        fake.door(door);
        let login = format!("auth login {host} -u {USER} --password-stdin --no-helper");
        desk.feed("not it", &login).await.fails(3, host);
        assert!(!desk.home.path().join(PODMAN).exists() || desk.read(PODMAN) == json!({}));
        let said = desk.feed(USER_PASSWORD, &login).await.ok();
        assert!(said.contains(PODMAN) && !said.contains(USER_PASSWORD), "{said}");
        assert_eq!(desk.read(PODMAN), json!({ "auths": { host: auth_of(USER, USER_PASSWORD) } }));
        assert_eq!(desk.home.path().join(PODMAN).metadata().unwrap().permissions().mode() & 0o777, 0o600);
        desk.wharf(&format!("digest {host}/team/app:v1 --tls-verify=false")).await.ok();
        desk.wharf(&format!("auth logout {host}")).await.ok();
        desk.wharf(&format!("digest {host}/team/app:v1 --tls-verify=false")).await.fails(3, "wharf auth login");
    }
    desk.wharf("contexts list").await.ok();
    desk.wharf(&format!("auth login {host} --device")).await.fails(2, "no Wharfinger");
    desk.feed("x", &format!("auth login {host} -u a --password-stdin --context c")).await.fails(2, "no context");
}

#[tokio::test]
async fn another_registry_is_signed_in_to_for_podman_and_docker_and_their_own_helpers_stay() {
    let desk = Desk::of_many_tools().await;
    let (fake, image) = (FakeRegistry::start().await, Image::random());
    fake.hold_manifest("team/app", "v1", &image.manifest);
    fake.door(Door::Basic);
    let host = fake.host();
    let (login, look) = (format!("auth login {host} -u {USER} --password-stdin"), format!("digest {host}/team/app:v1"));
    desk.feed("not it", &login).await.fails(3, host);
    let said = desk.feed(USER_PASSWORD, &login).await.ok();
    assert!(said.ends_with("and so are podman and docker\n"), "{said}");
    for file in [PODMAN, DOCKER] {
        assert_eq!(desk.read(file), json!({ "credHelpers": { host: "wharf" } }));
    }
    let given: Value = serde_json::from_str(&desk.helper("get", host).await.ok()).unwrap();
    assert_eq!((&given["Username"], &given["Secret"]), (&json!(USER), &json!(USER_PASSWORD)));
    desk.wharf(&look).await.ok();
    desk.wharf(&format!("auth logout {host}")).await.ok();
    assert_eq!((desk.read(PODMAN), desk.read(DOCKER)), (json!({}), json!({})));
    assert_eq!(desk.helper("get", host).await.code, 1);
    desk.wharf(&look).await.fails(3, "wharf auth login");

    let own = json!({ "credHelpers": { host: "theirs" } });
    desk.write(PODMAN, &own);
    desk.feed(USER_PASSWORD, &login).await.fails(1, "docker-credential-theirs");
    assert_eq!(desk.read(PODMAN), own);
}

#[tokio::test]
async fn signing_in_believes_whom_images_believe_and_finds_out_by_itself_whether_this_machine_speaks_tls() {
    let desk = Desk::of_many_tools().await;
    let (fake, certificates) = FakeRegistry::start_over_tls().await;
    let login = format!("auth login {} -u {USER} --password-stdin", fake.host());
    desk.feed(USER_PASSWORD, &login).await.fails(5, "--ca FILE");
    let folder = desk.home.path().join("containers/certs.d").join(fake.host());
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("ca.crt"), certificates.authority).unwrap();
    fs::write(folder.join("jane.cert"), certificates.client).unwrap();
    fs::write(folder.join("jane.key"), certificates.client_key).unwrap();
    desk.feed(USER_PASSWORD, &login).await.ok();
}

#[tokio::test]
async fn a_keyring_keeps_the_secret_and_one_that_is_gone_is_told() {
    let mut desk = Desk::of_many_tools().await;
    let keyring = "eval id=\\$$#\ncase $1 in store) cat > $id;; lookup) cat $id;; clear) rm $id;; esac\n";
    let (folder, tool) = (desk.home.path().join("keys"), desk.home.path().join("bin/secret-tool"));
    fs::create_dir(&folder).unwrap();
    desk.env[0].1 += ":/usr/bin:/bin";
    // Written by another process: a descriptor open for writing would be inherited by another test's child.
    let mut write = desk.program("/bin/sh".as_ref(), &format!("-c 'cat > {0}; chmod 755 {0}'", tool.display()));
    write.env("PATH", "/usr/bin:/bin");
    run(write, &format!("#!/bin/sh\ncd {}\n{keyring}", folder.display()), "sh").await.ok();
    desk.sign_in(ADMIN, "").await;
    let kept = desk.read("wharf/credentials.json").to_string();
    assert!(!kept.contains("keyring") && fs::read_dir(&folder).unwrap().count() == 0, "without a bus there is none");

    desk.env.push(("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent".into()));
    desk.sign_in(ADMIN, "").await;
    let keys: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|key| key.unwrap().path()).collect();
    let [key] = &keys[..] else { panic!("{keys:?}") };
    let secret = fs::read_to_string(key).unwrap();
    let kept = desk.read("wharf/credentials.json").to_string();
    assert!(secret.len() > 40 && !kept.contains(&secret), "{kept}");
    assert!(desk.helper("get", &desk.host()).await.ok().contains(&secret));
    desk.wharf("orgs list").await.ok();
    desk.wharf("auth logout").await.ok();
    assert!(!key.exists(), "signed out is forgotten");

    desk.sign_in(ADMIN, "").await;
    fs::remove_dir_all(&folder).unwrap();
    desk.wharf("orgs list").await.fails(3, "--no-keyring --context");
    desk.wharf("contexts list").await.ok();
    desk.sign_in(ADMIN, "--no-keyring").await;
    desk.wharf("orgs list").await.ok();
}

#[tokio::test]
async fn a_helper_that_is_silent_keeps_no_signal_from_ending_the_command() {
    let desk = Desk::new().await;
    let folder = desk.home.path().join("silent");
    std::fs::create_dir(&folder).unwrap();
    let helper = folder.join("docker-credential-silent");
    // By another process, as above.
    let mut write = desk.program("/bin/sh".as_ref(), &format!("-c 'cat > {0}; chmod 755 {0}'", helper.display()));
    write.env("PATH", "/usr/bin:/bin");
    run(write, "#!/bin/sh\nexec 2>/dev/null\n: > $0.began\nsleep 25\n", "sh").await.ok();
    let config = serde_json::json!({ "credHelpers": { desk.host(): "silent" } });
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
    let script = format!(
        "start=$(date +%s); {} digest {}/team/app:1 & pid=$!; until test -e {}.began; do sleep 0.1; done; kill -TERM $pid; wait $pid; \
        echo code $?; test $(($(date +%s) - start)) -lt 15",
        env!("CARGO_BIN_EXE_wharf"),
        desk.host(),
        helper.display()
    );
    let mut shell = desk.program("/bin/sh".as_ref(), "");
    let path = format!("{}:/usr/bin:/bin", folder.display());
    shell.args(["-c", &script]).env("DOCKER_CONFIG", &folder).env("PATH", path);
    let ran = run(shell, "", "digest").await;
    assert_eq!(ran.err, "wharf: interrupted\n");
    assert_eq!(ran.ok(), "code 130\n");
}

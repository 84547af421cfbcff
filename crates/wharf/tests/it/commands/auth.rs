use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;

use super::*;

#[tokio::test]
async fn a_password_is_exchanged_for_a_sign_in_that_only_its_owner_can_read() {
    let desk = Desk::new().await;
    let login = format!("auth login {} -u admin --password-stdin", desk.host());
    let said = desk.feed(PASSWORD, &login).await.ok();
    assert_eq!(said, format!("admin is signed in to {0} (context {0})\n", desk.host()));
    let credentials = std::fs::read_to_string(desk.file("credentials.json")).unwrap();
    let password = format!(": \"{PASSWORD}\"");
    assert!(!credentials.contains(&password) && credentials.contains("refresh-token"), "{credentials}");
    assert_eq!(desk.file("credentials.json").metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let status = desk.wharf("auth status").await.ok();
    assert!(status.contains("user           admin\n") && status.contains("administrator  yes\n"), "{status}");
    assert_eq!(desk.json("auth status").await["self"]["name"], "admin");
}

#[tokio::test]
async fn a_wrong_password_is_told_and_not_kept() {
    let desk = Desk::new().await;
    let login = format!("auth login {} -u admin --password-stdin", desk.host());
    desk.feed("not it\n", &login).await.fails(3, "user name or password is wrong");
    assert!(!desk.file("credentials.json").exists());
    desk.wharf("auth status").await.fails(1, "wharf auth login HOST");
    desk.wharf("orgs list").await.fails(3, "wharf auth login HOST");
}

#[tokio::test]
async fn without_a_terminal_nothing_is_asked_and_the_next_step_is_told() {
    let desk = Desk::new().await;
    desk.wharf(&format!("auth login {}", desk.host())).await.fails(2, "--token-stdin");
    desk.wharf(&format!("auth login {} -u admin", desk.host())).await.fails(2, "--password-stdin");
    desk.wharf(&format!("auth login {} -u admin --password-stdin", desk.host())).await.fails(2, "has no password");
    desk.wharf("auth login").await.fails(2, "wharf auth login HOST");
    desk.wharf("auth login http://registry.example.com -u a").await.fails(2, "--insecure");
    desk.wharf("auth login registry.example.com/team/app -u a").await.fails(2, "without what is on it");
    desk.wharf(&format!("auth login {} --ca /nonexistent -u a", desk.host())).await.fails(2, "/nonexistent");
}

#[tokio::test]
async fn access_tokens_are_printed_for_other_programs() {
    let desk = Desk::of_admin().await;
    let token = desk.wharf("auth token").await.ok();
    desk.boxed.get("/api/v1/self").bearer(token.trim()).await.expect(200);
    let token = desk.json("auth token --scope repository:team/app:pull,push").await;
    assert_eq!(token["expires_in"], 300);
    desk.wharf("auth token --scope foo").await.fails(2, "repository:team/app:pull,push");
    desk.wharf("auth token --scope repository:team/app:fetch").await.fails(2, "is no scope");
    let start = desk.boxed.post("/v2/team/app/blobs/uploads/").bearer(token["token"].as_str().unwrap()).await;
    let location = start.expect(202).header("location").to_owned();
    desk.boxed.delete(&location).await.expect(204);
}

#[tokio::test]
async fn a_token_that_gives_less_than_was_asked_for_is_told_of() {
    let desk = Desk::of_admin().await;
    desk.boxed.make_user("alice");
    desk.boxed.push_image("team/app", "v1").await;
    desk.sign_in("alice", "--context alice").await;
    desk.wharf("auth token --scope repository:team/app:pull,push")
        .await
        .fails(1, "you may do nothing of repository:team/app:pull,push");
    desk.boxed.grant("alice", "team/app", "reader");
    let less = desk.wharf("auth token --scope repository:team/app:pull,push").await;
    assert!(less.err.contains("of repository:team/app:pull,push the token gives repository:team/app:pull\n"), "{less}");
    assert_eq!(less.ok().lines().count(), 1);
}

#[tokio::test]
async fn advice_to_sign_in_names_the_context_and_is_given_once() {
    let desk = Desk::of_admin().await;
    desk.boxed.make_user("alice");
    desk.sign_in("alice", "--context alice").await;
    desk.boxed.registry.reset_password("alice", None).await.unwrap();
    let over = desk.wharf("orgs list").await;
    assert_eq!(over.err.matches("sign in").count(), 1, "{over}");
    over.fails(3, "; sign in: wharf auth login --context alice\n");
}

#[tokio::test]
async fn nobody_elses_sign_in_is_replaced_unasked_and_what_is_replaced_ends() {
    let desk = Desk::of_admin().await;
    desk.boxed.make_user("bob");
    let bob = format!("auth login {} -u bob --password-stdin", desk.host());
    let said = "admin is signed in there";
    desk.feed(PASSWORD, &bob).await.fails(2, said);
    assert_eq!(desk.json("auth status").await["self"]["name"], "admin");
    desk.sign_in(ADMIN, "").await;
    assert_eq!(desk.json("sessions list").await.as_array().unwrap().len(), 1);

    // Whose a token is shows only when it is tried.
    desk.sign_in(ADMIN, "--context other").await;
    desk.sign_in("bob", "--context bob").await;
    let token = desk.wharf("tokens create laptop").await.ok();
    let login = format!("auth login {} --token-stdin", desk.host());
    desk.feed(&token, &login).await.fails(2, said);
    desk.feed(PASSWORD, &format!("{bob} --replace")).await.ok();
    assert_eq!(desk.json("auth status").await["self"]["name"], "bob");
    assert_eq!(desk.json("sessions list --context other").await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_password_that_is_changed_ends_the_sign_in_and_says_so() {
    let desk = Desk::of_admin().await;
    let hash = desk.boxed.registry.reset_password(ADMIN, None).await.unwrap();
    assert!(hash.is_some());
    desk.wharf("auth status").await.fails(1, "wharf auth login");
    desk.wharf("orgs list").await.fails(3, "wharf auth login");
}

#[tokio::test]
async fn a_server_that_is_away_is_told_apart_from_one_that_refuses() {
    let mut desk = Desk::of_admin().await;
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    desk.served.addr = gone;
    desk.feed(PASSWORD, &format!("auth login {gone} -u admin --password-stdin")).await.fails(5, "cannot reach");
    desk.wharf("orgs get Team").await.fails(2, "invalid value");
}

#[tokio::test]
async fn eight_sign_ins_at_once_are_all_kept() {
    let desk = Desk::new().await;
    let names: Vec<String> = (0..8).map(|n| format!("--context c{n}")).collect();
    let mut all = vec![];
    for name in &names {
        all.push(desk.sign_in(ADMIN, name));
    }
    join(all).await;
    assert_eq!(desk.json("contexts list").await.as_array().unwrap().len(), 8);
    for name in &names {
        desk.wharf(&format!("auth status {name}")).await.ok();
    }
}

/// All at once.
async fn join(futures: Vec<impl Future<Output = ()>>) {
    let mut futures: Vec<_> = futures.into_iter().map(Box::pin).collect();
    std::future::poll_fn(|context| {
        futures.retain_mut(|future| future.as_mut().poll(context).is_pending());
        if futures.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

/// The code that a waiting sign-in shows, and the sign-in.
async fn waiting(desk: &Desk) -> (String, tokio::task::JoinHandle<std::process::Output>) {
    let mut child = desk.command(&format!("auth login {} --device", desk.host())).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let (code, said) = tokio::task::spawn_blocking(move || {
        let mut lines = String::new();
        while !lines.contains("enter") {
            assert_ne!(said.read_line(&mut lines).unwrap(), 0, "{lines}");
        }
        (lines.split_whitespace().last().unwrap().to_owned(), said)
    })
    .await
    .unwrap();
    let ended = tokio::task::spawn_blocking(move || {
        let output = child.wait_with_output().unwrap();
        drop(said);
        output
    });
    (code, ended)
}

async fn decides(desk: &Desk, code: &str, decision: &str) {
    let mut browser = desk.boxed.browser();
    browser.sign_in(ADMIN).await;
    let page = browser.get(&format!("/device?user_code={code}")).await.expect(200);
    browser.submit(&page, &[("decision", decision)]).await.expect(200);
}

#[tokio::test]
async fn a_browser_elsewhere_signs_in_who_has_no_password_here() {
    let desk = Desk::new().await;
    let (code, ended) = waiting(&desk).await;
    decides(&desk, &code, "allow").await;
    let output = ended.await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.starts_with("admin is signed in to"), "{output:?}");
    assert_eq!(desk.json("auth status").await["by"], "a password or a browser");
    let sessions = desk.json("sessions list").await;
    assert!(sessions.as_array().unwrap().iter().any(|session| session["client"] == "wharf"), "{sessions}");
}

#[tokio::test]
async fn a_browser_of_somebody_else_replaces_nobody_and_leaves_no_sign_in() {
    let desk = Desk::new().await;
    desk.boxed.make_user("bob");
    desk.sign_in("bob", "").await;
    let (code, ended) = waiting(&desk).await;
    decides(&desk, &code, "allow").await;
    assert_eq!(ended.await.unwrap().status.code(), Some(2));
    assert_eq!(desk.json("auth status").await["self"]["name"], "bob");
    let listed = desk.boxed.get("/api/v1/self/sessions").await.expect(200).json();
    let clients: Vec<_> = listed["items"].as_array().unwrap().iter().map(|session| &session["client"]).collect();
    assert_eq!(clients, ["browser"], "{listed}");
}

#[tokio::test]
async fn a_sign_in_that_cannot_be_written_down_is_ended() {
    let desk = Desk::new().await;
    let login = format!("auth login {} -u admin --password-stdin", desk.host());
    // No file can have a byte, as on a full disk.
    let mut full = Command::new("sh");
    full.args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_wharf")]);
    full.args(words(&login)).env_clear().env("XDG_CONFIG_HOME", desk.home.path());
    full.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    run(full, PASSWORD, &login).await.fails(1, "credentials.json");
    let listed = desk.boxed.get("/api/v1/self/sessions").await.expect(200).json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 0, "{listed}");
}

#[tokio::test]
async fn a_browser_that_refuses_signs_nobody_in() {
    let desk = Desk::new().await;
    let (code, ended) = waiting(&desk).await;
    decides(&desk, &code, "refuse").await;
    assert_eq!(ended.await.unwrap().status.code(), Some(1));
    assert!(!desk.file("credentials.json").exists());
}

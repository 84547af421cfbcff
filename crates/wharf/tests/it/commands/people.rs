use super::*;

#[tokio::test]
async fn an_org_is_made_shown_changed_and_deleted() {
    let desk = Desk::of_admin().await;
    assert_eq!(desk.wharf("orgs create team --visibility internal").await.ok(), "org team is made\n");
    let again = desk.wharf("orgs create team --visibility internal").await.ok();
    assert_eq!(again, "org team is there already, as asked for\n");
    desk.wharf("orgs create team --visibility public").await.fails(1, "visibility");
    let listed = desk.wharf("orgs list --search tea").await.ok();
    let row: Vec<&str> = listed.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(row[..2], ["team", "internal"]);
    assert_eq!(desk.wharf("orgs list --search tea --quiet").await.ok(), "team\n");
    let names = desk.json("orgs list").await;
    assert!(names.as_array().unwrap().iter().any(|org| org["name"] == "team"), "{names}");

    let version = desk.json("orgs get team").await["version"].as_u64().unwrap();
    desk.wharf(&format!("orgs update team --visibility default --if-version {version}")).await.ok();
    assert!(desk.json("orgs get team").await["visibility"].is_null());
    let stale = desk.wharf(&format!("orgs update team --visibility public --if-version {version}")).await;
    stale.fails(1, "read it again, and then change it\n");
    desk.wharf("orgs update team").await.fails(2, "nothing is to be changed");

    assert_eq!(desk.wharf("orgs delete team").await.ok(), "org team is deleted\n");
    desk.wharf("orgs get team").await.fails(4, "team");
    let none = desk.wharf("orgs list --search tea").await;
    assert_eq!((none.code, none.out.as_str(), none.err.as_str()), (0, "", "there are no orgs that you may know of\n"));
    assert_eq!(desk.wharf("orgs list --search tea --json").await.ok(), "[]\n");
}

#[tokio::test]
async fn lists_longer_than_a_page_are_whole() {
    let desk = Desk::of_admin().await;
    for n in 0..3 {
        desk.wharf(&format!("orgs create org{n}")).await.ok();
    }
    // The server's own pages, as small as they can be.
    let token = desk.wharf("auth token").await.ok();
    let first = desk.boxed.get("/api/v1/orgs?q=org&limit=2").bearer(token.trim()).await.expect(200).json();
    assert!(first["next"].is_string(), "{first}");
    assert_eq!(desk.wharf("orgs list --search org --quiet").await.ok(), "org0\norg1\norg2\n");
}

#[tokio::test]
async fn members_and_teams_come_and_go() {
    let desk = Desk::of_admin().await;
    desk.boxed.make_user("alice");
    desk.boxed.make_user("bob");
    desk.wharf("orgs create team").await.ok();
    assert_eq!(desk.wharf("members set team alice").await.ok(), "alice is member of org team\n");
    desk.wharf("members set team bob --role owner").await.ok();
    desk.wharf("members set team bob --role boss").await.fails(2, "owner");
    let members = desk.wharf("members list team").await.ok();
    assert!(members.contains("\nalice  member  ") && members.contains("\nbob    owner   "), "{members}");

    desk.wharf("teams create team/backend --description 'Who keeps the servers'").await.ok();
    assert_eq!(
        desk.wharf("teams add team/backend alice bob").await.ok(),
        "alice is in team team/backend\nbob is in team team/backend\n"
    );
    let team = desk.json("teams get team/backend").await;
    assert_eq!(team["description"], "Who keeps the servers");
    assert_eq!(team["members"].as_array().unwrap().len(), 2);
    let shown = desk.wharf("teams get team/backend").await.ok();
    assert!(shown.starts_with("name         team/backend\n") && shown.contains("\n\nUSER   "), "{shown}");
    desk.wharf("teams remove team/backend bob").await.ok();
    desk.wharf("teams update team/backend --description ''").await.ok();
    assert_eq!(desk.json("teams list team").await[0]["description"], "");
    desk.wharf("teams add team/nobody alice").await.fails(4, "nobody");

    desk.wharf("members remove team alice").await.ok();
    assert_eq!(desk.json("teams get team/backend").await["members"], serde_json::json!([]));
    desk.wharf("teams delete team/backend").await.ok();
    let none = desk.wharf("teams list team").await;
    assert_eq!((none.out.as_str(), none.err.as_str()), ("", "the org has no teams\n"));
}

#[tokio::test]
async fn an_account_is_made_with_a_password_that_is_shown_once() {
    let desk = Desk::of_admin().await;
    let made = desk.wharf("users create alice --email alice@example.org").await;
    assert!(made.err.contains("not shown again"), "{made}");
    let password = made.ok().trim().to_owned();
    assert_eq!(password.len(), 24);
    let login = format!("auth login {} -u alice --password-stdin --context alice", desk.host());
    desk.feed(&password, &login).await.ok();
    desk.wharf("users list --context alice").await.fails(1, "administrator");
    desk.wharf(&format!("contexts use {}", desk.host())).await.ok();

    let quiet = desk.wharf("users create dave --quiet").await;
    assert_eq!((quiet.err.as_str(), quiet.out.len()), ("", 25), "{quiet}");
    let again = desk.wharf("users create alice --email alice@example.org").await;
    assert!(!again.out.contains(&password), "{again}");
    desk.feed("correct horse\n", "users create bob --password-stdin --admin").await.ok();
    desk.wharf("users create carol --no-password").await.ok();
    let users = desk.wharf("users list").await.ok();
    let row = |name: &str| users.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{users}"));
    assert!(row("alice").contains("alice@example.org  no     no"), "{users}");
    assert!(row("bob").contains("-                  yes    no"), "{users}");
    assert_eq!(desk.json("users get carol").await["has_password"], false);

    let new = desk.wharf("users reset-password alice").await.ok();
    desk.feed(&password, &login).await.fails(3, "wrong");
    desk.feed(&new, &login).await.ok();
    desk.wharf(&format!("contexts use {}", desk.host())).await.ok();
    desk.wharf("users update alice --disable --email none").await.ok();
    let alice = desk.json("users get alice").await;
    assert_eq!((alice["is_disabled"].as_bool(), alice["email"].is_null()), (Some(true), true));
    desk.feed(&new, &login).await.fails(3, "");
    desk.wharf("users update alice --enable").await.ok();
    desk.wharf("users delete alice").await.ok();
    desk.wharf("users get alice").await.fails(4, "alice");
}

#[tokio::test]
async fn sign_ins_are_listed_told_when_they_end_and_ended_from_elsewhere() {
    let desk = Desk::of_admin().await;
    desk.sign_in(ADMIN, "--context other").await;
    let sessions = desk.json("sessions list").await;
    assert_eq!(sessions.as_array().unwrap().len(), 2, "{sessions}");
    assert_eq!(sessions[0]["client"], "wharf");
    let status = desk.json("auth status").await;
    assert!(status["expires_at"].as_str().is_some_and(|time| time.ends_with('Z')), "{status}");

    desk.wharf("auth logout --context other").await.ok();
    assert_eq!(desk.json(&format!("sessions list --context {}", desk.host())).await.as_array().unwrap().len(), 1);
    desk.wharf("auth status --context other").await.fails(1, "nobody is signed in");

    desk.wharf(&format!("contexts use {}", desk.host())).await.ok();
    let id = desk.wharf("sessions list --quiet").await.ok();
    desk.wharf("sessions revoke 0123456789").await.fails(4, "wharf sessions list");
    desk.wharf(&format!("sessions revoke {}", &id[..8])).await.ok();
    desk.wharf("sessions list").await.fails(3, "wharf auth login");
    // What is over on the server is over here.
    let out = desk.wharf("auth logout").await;
    assert_eq!(out.code, 0, "{out}");
}

#[tokio::test]
async fn a_password_that_its_owner_changes_ends_every_other_sign_in() {
    let desk = Desk::of_admin().await;
    desk.sign_in(ADMIN, "--context other").await;
    desk.wharf("auth change-password").await.fails(2, "a line each");
    desk.feed("wrong\ncorrect horse\n", "auth change-password --password-stdin").await.fails(1, "password");
    desk.feed(&format!("{PASSWORD}\nshort\n"), "auth change-password --password-stdin").await.fails(1, "8 to 256");
    let said = desk.feed(&format!("{PASSWORD}\ncorrect horse\n"), "auth change-password --password-stdin").await.ok();
    assert_eq!(said, "the password of admin is changed; every other sign-in has ended\n");
    desk.wharf("auth status").await.ok();
    desk.wharf(&format!("auth status --context {}", desk.host())).await.fails(1, "wharf auth login");
}

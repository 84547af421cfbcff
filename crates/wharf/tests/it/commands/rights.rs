use super::*;

#[tokio::test]
async fn authorizations_are_given_listed_and_taken_away() {
    let desk = Desk::of_admin().await;
    desk.boxed.make_user("alice");
    desk.wharf("orgs create team").await.ok();
    desk.wharf("repos create team/app").await.ok();
    desk.wharf("teams create team/backend").await.ok();
    desk.wharf("robots create team+ci").await.ok();

    let said = desk.wharf("authorizations create team/app --email a@b.c --permission reader").await.ok();
    assert!(said.starts_with("email a@b.c is reader on team/app (grant "), "{said}");
    desk.wharf("authorizations create team --team backend --role writer").await.ok();
    desk.wharf("grants create team/app --robot team+ci --role writer").await.ok();
    desk.wharf("grants create team/app --user alice --role maintainer").await.ok();
    desk.wharf("grants create team/app --user alice --team backend --role reader")
        .await
        .fails(2, "cannot be used with");
    desk.wharf("grants create team/app --role reader").await.fails(2, "--user");
    desk.wharf("grants create team/app --user nobody --role reader").await.fails(1, "nobody");

    let update = "wharf authorizations update team/app --user alice --permission reader";
    desk.wharf("grants create team/app --user alice --role reader").await.fails(1, update);
    let said = desk.wharf(update.trim_start_matches("wharf ")).await.ok();
    assert!(said.starts_with("user alice is reader on team/app (grant "), "{said}");
    let id = desk.json("authorizations list --to alice").await[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(desk.json(&format!("grants update {id} --role maintainer")).await["role"], "maintainer");
    desk.wharf("grants update team/app --role reader").await.fails(2, "say whose");
    desk.wharf("grants update team/app --team nobody --role reader").await.fails(4, "no grant on team/app");

    let all = desk.wharf("authorizations list team").await.ok();
    let rows: Vec<Vec<&str>> = all.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["ID", "TARGET", "TO", "NAME", "ROLE", "BY", "GRANTED"]);
    assert_eq!(rows.len(), 5, "{all}");
    assert!(rows.iter().any(|row| row[1..6] == ["team/app", "email", "a@b.c", "reader", "admin"]), "{all}");
    assert_eq!(desk.json("authorizations list --to alice").await.as_array().unwrap().len(), 1);

    desk.wharf("authorizations delete team/app --email A@B.C").await.ok();
    desk.wharf("authorizations delete team/app --email a@b.c").await.fails(4, "no grant on team/app");
    let id = desk.json("authorizations list --to alice").await[0]["id"].as_str().unwrap().to_owned();
    desk.wharf(&format!("authorizations delete {id}")).await.ok();
    desk.wharf(&format!("authorizations delete {id}")).await.fails(4, "");
    desk.wharf("authorizations delete team/app").await.fails(2, "say whose");
    assert_eq!(desk.json("authorizations list team").await.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_grant_opens_a_repository_at_once_and_access_explains_it() {
    let desk = Desk::of_admin().await;
    desk.boxed.make_user("alice");
    desk.wharf("orgs create team").await.ok();
    desk.boxed.push_image("team/app", "v1").await;
    let no = desk.wharf("access explain alice pull team/app").await.ok();
    assert!(no.starts_with("no: "), "{no}");
    let shown = desk.wharf("repos get team/app").await.ok();
    assert!(shown.contains("tags             1\nmanifests        1\nblobs            "), "{shown}");
    assert_eq!(desk.json("repos get team/app").await["contents"]["tags"], 1);
    desk.wharf("authorizations create team/app --user alice --permission reader").await.ok();
    let yes = desk.wharf("access explain alice pull team/app").await.ok();
    assert!(yes.starts_with("yes: ") && yes.contains("\n  - "), "{yes}");
    assert_eq!(desk.wharf("access explain alice push team/app --quiet").await.ok(), "no\n");
    assert_eq!(desk.json("access explain alice pull team/app").await["is_allowed"], true);

    desk.sign_in("alice", "--context alice").await;
    assert_eq!(desk.wharf("repos list --quiet").await.ok(), "team/app\n");
    desk.wharf("repos delete team/app").await.fails(1, "");
    desk.wharf(&format!("authorizations delete team/app --user alice --context {}", desk.host())).await.ok();
    desk.wharf("repos get team/app").await.fails(4, "");
}

#[tokio::test]
async fn a_repository_says_who_may_read_it() {
    let desk = Desk::of_admin().await;
    desk.wharf("orgs create team --visibility internal").await.ok();
    desk.wharf("repos create team/app").await.ok();
    let shown = desk.json("repos get team/app").await;
    assert!(shown["visibility"].is_null() && shown["effective_visibility"] == "internal", "{shown}");
    desk.wharf("repos update team/app --visibility private").await.ok();
    let listed = desk.wharf("repos list --org team").await.ok();
    assert!(listed.lines().nth(1).unwrap().starts_with("team/app  private  "), "{listed}");
    desk.wharf("repos update team/app --visibility secret").await.fails(2, "or default");
    desk.wharf("repos delete team/app").await.ok();
    desk.wharf("repos get team/app").await.fails(4, "");
}

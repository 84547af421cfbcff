use super::*;

#[tokio::test]
async fn several_servers_are_kept_apart_and_one_is_meant() {
    let (one, two) = (Desk::of_admin().await, Desk::new().await);
    let login = format!("auth login {} -u admin --password-stdin --context two", two.host());
    one.feed(PASSWORD, &login).await.ok();
    let listed = one.wharf("contexts list").await.ok();
    let lines: Vec<Vec<&str>> = listed.lines().map(|line| line.split_whitespace().collect()).collect();
    let (first, second) = (one.host(), two.host());
    assert_eq!(lines[0], ["NAME", "CURRENT", "SERVER", "USER"]);
    assert_eq!(lines[1], [first.as_str(), "-", &format!("http://{first}"), "admin"]);
    assert_eq!(lines[2], ["two", "*", &format!("http://{second}"), "admin"]);

    assert_eq!(one.json("auth status").await["context"], "two");
    assert_eq!(one.json(&format!("auth status --context {first}")).await["context"], first);
    one.wharf(&format!("contexts use {first}")).await.ok();
    assert_eq!(one.json("auth status").await["context"], first);
    assert_eq!(one.wharf("contexts list --quiet").await.ok(), format!("{first}\ntwo\n"));

    one.wharf("contexts delete two").await.ok();
    one.wharf("contexts use two").await.fails(2, &format!("there is no context two; known are {first}"));
    one.wharf("orgs list --context two").await.fails(2, "no context two");
    assert!(!std::fs::read_to_string(one.file("credentials.json")).unwrap().contains("\"two\""));
}

#[tokio::test]
async fn a_name_is_not_given_to_another_server_behind_its_owners_back() {
    let (one, two) = (Desk::new().await, Desk::new().await);
    one.sign_in(ADMIN, "--context work").await;
    let login = format!("auth login {} -u admin --password-stdin --context work", two.host());
    one.feed(PASSWORD, &login).await.fails(2, "wharf contexts delete work");
    // The same server again is signing in anew, and needs no address.
    one.feed(PASSWORD, "auth login -u admin --password-stdin --context work").await.ok();
    one.feed(PASSWORD, "auth login -u admin --password-stdin").await.ok();
}

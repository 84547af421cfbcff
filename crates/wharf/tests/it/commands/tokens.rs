use super::*;

#[tokio::test]
async fn a_token_is_printed_alone_and_signs_in_where_it_was_put() {
    let desk = Desk::of_admin().await;
    let made = desk.wharf("tokens create laptop --scope write --expires 90d").await;
    assert!(made.err.contains("gives write on everything, until 20") && made.err.contains("not shown again"), "{made}");
    let token = made.ok();
    assert!(token.starts_with("whf_") && token.lines().count() == 1, "{token}");
    desk.wharf("tokens create laptop").await.fails(1, "name");
    let listed = desk.wharf("tokens list").await.ok();
    assert!(listed.lines().nth(1).unwrap().starts_with("laptop  "), "{listed}");
    assert!(!listed.contains(token.trim()), "{listed}");

    desk.feed(&token, &format!("auth login {} --token-stdin --context ci", desk.host())).await.ok();
    let status = desk.wharf("auth status").await.ok();
    assert!(status.contains("signed in by   the API token laptop\nat most        write on everything\n"), "{status}");
    assert!(status.contains("until          20"), "{status}");
    let status = desk.json("auth status").await;
    assert_eq!((&status["by"], &status["expires_at"]), (&"the API token laptop".into(), &status["self"]["expires_at"]));
    assert!(status["expires_at"].as_str().unwrap().starts_with("20"), "{status}");
    let kept = std::fs::read_to_string(desk.file("credentials.json")).unwrap();
    assert!(kept.contains(token.trim()) && kept.contains("\"api-token\""));
    let access = desk.wharf("auth token --scope repository:team/app:pull,push").await.ok();
    assert!(!access.contains("whf_"), "{access}");
    desk.wharf("orgs create team")
        .await
        .fails(1, "no API token can do it; sign in with your password or a browser: wharf auth login");

    desk.wharf(&format!("tokens revoke laptop --context {}", desk.host())).await.ok();
    desk.wharf("auth status").await.fails(1, "wharf auth login");
    desk.wharf(&format!("tokens revoke laptop --context {}", desk.host())).await.fails(4, "wharf tokens list");
}

#[tokio::test]
async fn a_token_in_the_passwords_place_is_taken_for_one() {
    let desk = Desk::of_admin().await;
    let token = desk.wharf("tokens create laptop --quiet").await.ok();
    desk.feed(&token, &format!("auth login {} -u admin --password-stdin --context ci", desk.host())).await.ok();
    assert_eq!(desk.json("auth status").await["self"]["via"], "token:laptop");
}

#[tokio::test]
async fn a_robot_has_tokens_of_its_own() {
    let desk = Desk::of_admin().await;
    desk.wharf("orgs create team").await.ok();
    desk.wharf("robots create team+ci --description Builds").await.ok();
    desk.wharf("robots create ci").await.fails(2, "team+ci");
    let token = desk.wharf("tokens create build --robot team+ci --scope write --on team").await.ok();
    let id = desk.json("tokens list --robot team+ci").await[0]["id"].as_str().unwrap().to_owned();
    desk.feed(&token, &format!("auth login {} --token-stdin --context robot", desk.host())).await.ok();
    let status = desk.json("auth status").await;
    assert_eq!((&status["self"]["name"], &status["self"]["kind"]), (&"team+ci".into(), &"robot".into()));
    let said = desk.wharf("auth status").await.ok();
    assert!(said.contains("until          it is revoked"), "{said}");
    desk.wharf(&format!("contexts use {}", desk.host())).await.ok();

    desk.wharf("robots update team+ci --disable").await.ok();
    desk.wharf("auth status --context robot").await.fails(1, "");
    desk.wharf("robots update team+ci --enable --description ''").await.ok();
    desk.wharf("auth status --context robot").await.ok();
    desk.wharf(&format!("tokens revoke {id} --robot team+ci")).await.ok();
    desk.wharf("auth status --context robot").await.fails(1, "");
    let listed = desk.wharf("robots list team").await.ok();
    assert!(listed.lines().nth(1).unwrap().starts_with("team+ci  -"), "{listed}");
    desk.wharf("robots delete team+ci").await.ok();
    desk.wharf("robots get team+ci").await.fails(4, "");
}

#[tokio::test]
async fn an_administrator_ends_somebody_elses_tokens() {
    let desk = Desk::of_admin().await;
    desk.boxed.make_user("alice");
    desk.sign_in("alice", "--context alice").await;
    desk.wharf("tokens create lost").await.ok();
    desk.wharf("tokens list --user admin").await.fails(1, "");
    let admin = format!("--context {}", desk.host());
    assert_eq!(desk.wharf(&format!("tokens list --user alice --quiet {admin}")).await.ok(), "lost\n");
    desk.wharf(&format!("tokens revoke lost --user alice {admin}")).await.ok();
    assert_eq!(desk.wharf("tokens list --json").await.ok(), "[]\n");
    assert_eq!(desk.json(&format!("sessions list --user alice {admin}")).await.as_array().unwrap().len(), 1);
}

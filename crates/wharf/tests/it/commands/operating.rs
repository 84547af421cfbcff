use super::*;

#[tokio::test]
async fn a_quota_is_set_in_parts_and_shown_with_what_is_used() {
    let desk = Desk::of_admin().await;
    desk.wharf("orgs create team").await.ok();
    desk.wharf("quotas set team --bytes 10GiB --tags 5").await.ok();
    desk.wharf("quotas set team --repositories 3").await.ok();
    desk.wharf("quotas set team --tags none").await.ok();
    let quota = desk.json("quotas get team").await;
    assert_eq!((quota["bytes"]["limit"].as_u64(), quota["repositories"]["limit"].as_u64()), (Some(10 << 30), Some(3)));
    assert!(quota["tags"]["limit"].is_null(), "{quota}");
    let shown = desk.wharf("quotas get team").await.ok();
    assert!(
        shown.contains("bytes         0B of 10GiB\n") && shown.contains("tags          0 of no limit\n"),
        "{shown}"
    );
    desk.wharf("quotas set team").await.fails(2, "--bytes");
    desk.wharf("quotas set team --bytes 10GB").await.fails(2, "GiB");
    desk.wharf("quotas get nobody").await.fails(4, "nobody");
}

#[tokio::test]
async fn limits_are_set_and_go_back_to_their_defaults() {
    let desk = Desk::of_admin().await;
    desk.wharf("limits set manifest-pulls anonymous 100/6h").await.ok();
    desk.wharf("limits set pushes caller none").await.ok();
    let find = |all: &Value, class: &str, per: &str| {
        let all = all.as_array().unwrap();
        all.iter().find(|limit| limit["class"] == class && limit["per"] == per).cloned().unwrap_or_default()
    };
    let all = desk.json("limits list").await;
    let pulls = find(&all, "manifest-pulls", "anonymous");
    assert_eq!((pulls["requests"].as_u64(), pulls["seconds"].as_u64()), (Some(100), Some(21_600)), "{all}");
    assert!(find(&all, "pushes", "caller")["requests"].is_null(), "{all}");
    let shown = desk.wharf("limits list").await.ok();
    assert!(shown.lines().any(|line| line.split_whitespace().eq(["manifest-pulls", "anonymous", "100/6h", "no"])));
    desk.wharf("limits unset manifest-pulls anonymous").await.ok();
    let all = desk.json("limits list").await;
    assert_ne!(find(&all, "manifest-pulls", "anonymous")["requests"].as_u64(), Some(100), "{all}");
    desk.wharf("limits set manifest-pulls everybody 1/s").await.fails(2, "anonymous");
    desk.wharf("limits set manifest-pulls anonymous 0/s").await.fails(2, "");
}
#[tokio::test]
async fn a_trust_rule_is_made_for_the_server_it_is_made_on() {
    let desk = Desk::of_admin().await;
    desk.wharf("orgs create team").await.ok();
    desk.wharf("robots create team+ci").await.ok();
    let create = "trust create team/main --robot team+ci --issuer https://token.actions.githubusercontent.com \
                  --claim repository=octo/app --claim ref=refs/heads/* --role writer --lifetime 10m";
    desk.wharf("trust create team/all --robot ci --issuer https://id.example.org").await.fails(2, "--claim");
    desk.wharf(create).await.ok();
    let rule = desk.json("trust get team/main").await;
    assert_eq!((&rule["robot"], &rule["lifetime"]), (&"team+ci".into(), &600.into()), "{rule}");
    let shown = desk.wharf("trust get team/main").await.ok();
    assert!(shown.starts_with("name      team/main\n") && shown.contains("\nlifetime  10m\n"), "{shown}");
    assert_eq!(rule["audience"], format!("http://{}", desk.host()));
    assert_eq!(rule["claims"]["ref"], "refs/heads/*");
    desk.wharf("trust update team/main --disable --role reader --claim repository=octo/tool").await.ok();
    let rule = desk.json("trust list team").await[0].clone();
    assert_eq!((&rule["is_enabled"], &rule["role"]), (&false.into(), &"reader".into()), "{rule}");
    assert_eq!(rule["claims"], serde_json::json!({ "repository": "octo/tool" }));
    desk.wharf("trust delete team/main").await.ok();
    desk.wharf("trust get team/main").await.fails(4, "");
}

#[tokio::test]
async fn a_provider_is_made_with_a_secret_that_is_never_shown() {
    let desk = Desk::of_admin().await;
    desk.wharf("orgs create team").await.ok();
    desk.wharf("teams create team/backend").await.ok();
    let create = "providers create company --issuer https://id.example.org --client-id wharf --client-secret-stdin \
                  --trusted-domain example.org --groups-claim groups --group developers=team/backend";
    desk.wharf(create).await.fails(2, "has no client secret");
    desk.wharf(&create.replace(" --client-secret-stdin", "")).await.fails(2, "--client-secret-stdin");
    desk.feed("hunter2hunter2\n", create).await.ok();
    let shown = desk.wharf("providers get company").await.ok();
    assert!(shown.contains("groups           developers=team/backend\n") && !shown.contains("hunter2"), "{shown}");
    desk.wharf("providers update company --disable --groups-claim none --title 'Our sign-in'").await.ok();
    let provider = desk.json("providers list").await[0].clone();
    assert_eq!((&provider["is_enabled"], &provider["title"]), (&false.into(), &"Our sign-in".into()));
    assert!(provider["groups_claim"].is_null() && provider["trusted_domains"][0] == "example.org", "{provider}");
    desk.wharf("providers delete company").await.ok();
    assert_eq!(desk.wharf("providers list --json").await.ok(), "[]\n");
}

#[tokio::test]
async fn the_audit_is_listed_filtered_and_exported() {
    let desk = Desk::of_admin().await;
    desk.boxed.make_user("alice");
    desk.wharf("orgs create team").await.ok();
    desk.wharf("authorizations create team --user alice --permission reader").await.ok();
    let listed = desk.wharf("audit list --action grant.create").await.ok();
    let rows: Vec<Vec<&str>> = listed.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["AT", "ACTOR", "VIA", "ADDRESS", "ACTION", "OUTCOME", "TARGET", "DETAILS"]);
    assert_eq!((rows.len(), rows[1][1], rows[1][4], rows[1][5]), (2, "admin", "grant.create", "done"), "{listed}");
    assert_eq!(desk.json("audit list --limit 1").await.as_array().unwrap().len(), 1);
    let exported = desk.wharf("audit export").await.ok();
    let events: Vec<Value> = exported.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(events.len() > 2 && events.iter().any(|event| event["action"] == "org.create"), "{exported}");
    let nothing = desk.wharf("audit list --actor nobody").await;
    assert_eq!((nothing.code, nothing.out.as_str()), (0, ""), "{nothing}");
    assert!(nothing.err.contains("nothing of that kind happened"), "{nothing}");
    desk.wharf("audit list --outcome maybe").await.fails(2, "refused");
    assert!(listed.contains("role=reader"), "{listed}");
    desk.wharf("audit export --actor nobody").await.ok();
    desk.wharf("audit export --org nosuch").await.fails(4, "org nosuch");
    desk.wharf("audit list --org nosuch").await.fails(4, "org nosuch");
    desk.wharf("audit list --action grant.created").await.fails(2, "grant.create, ");
    desk.wharf("audit list --action trust-rule.").await.ok();
    desk.wharf("repos list --org nosuch").await.fails(4, "org nosuch");
    desk.wharf("repos list --org team").await.ok();
}

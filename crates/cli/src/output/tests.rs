use super::*;

#[test]
fn tables_have_plain_columns_that_awk_can_count() {
    let rows = [
        vec![("name", "team".to_owned()), ("visibility", String::new()), ("made", "x".into())],
        vec![("name", "a-long-name\u{1b}[2J".to_owned()), ("visibility", "private".into()), ("made", "y".into())],
    ];
    assert_eq!(table(&rows, 2), "NAME            VISIBILITY\nteam            -\na-long-name[2J  private\n");
}

#[test]
fn one_object_is_a_line_for_each_field() {
    assert_eq!(block(&[("name", "team".into()), ("your role", String::new())]), "name       team\nyour role  -\n");
}

#[test]
fn json_keeps_what_this_version_does_not_know() {
    #[derive(serde::Deserialize)]
    struct Known {
        name: String,
    }
    let seen: Seen<Known> = serde_json::from_str(r#"{"name":"a","new":[1]}"#).unwrap();
    assert_eq!((seen.item.name.as_str(), seen.raw["new"][0].as_u64()), ("a", Some(1)));
    assert!(serde_json::from_str::<Seen<Known>>("{}").is_err());
}

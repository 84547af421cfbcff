use super::*;

const GITHUB: &str = "https://token.actions.githubusercontent.com";

fn use_it(shelf: &mut Shelf, url: &str, user: &str) -> Arc<Issuer> {
    let issuer = shelf.get(url);
    shelf.used(url, user);
    issuer
}

fn flood(shelf: &mut Shelf, user: Option<&str>) {
    for number in 0..1000 {
        let url = format!("https://{}-{number}.example", user.unwrap_or("nobody"));
        shelf.get(&url);
        if let Some(user) = user {
            shelf.used(&url, user);
        }
        assert!(shelf.places.len() <= USED + NEW);
    }
}

#[test]
fn who_uses_many_issuers_pushes_out_none_of_anothers() {
    let mut shelf = Shelf::default();
    let github = use_it(&mut shelf, GITHUB, "team");
    flood(&mut shelf, Some("evil"));
    flood(&mut shelf, Some("worse"));
    assert!(Arc::ptr_eq(&github, &shelf.get(GITHUB)));
}

#[test]
fn issuers_whose_tokens_are_of_no_use_push_out_only_each_other() {
    let mut shelf = Shelf::default();
    let github = use_it(&mut shelf, GITHUB, "team");
    flood(&mut shelf, Some("other"));
    flood(&mut shelf, None);
    assert!(Arc::ptr_eq(&github, &shelf.get(GITHUB)));
    let newest = shelf.get("https://nobody-999.example");
    flood(&mut shelf, Some("evil"));
    assert!(Arc::ptr_eq(&newest, &shelf.get("https://nobody-999.example")));
}

#[test]
fn an_issuer_that_several_use_is_not_lost_with_the_one_who_uses_most() {
    for first in ["evil", "team"] {
        let mut shelf = Shelf::default();
        let github = use_it(&mut shelf, GITHUB, first);
        use_it(&mut shelf, "https://evil.example", "evil");
        use_it(&mut shelf, GITHUB, "team");
        use_it(&mut shelf, GITHUB, "evil");
        flood(&mut shelf, Some("evil"));
        assert!(Arc::ptr_eq(&github, &shelf.get(GITHUB)), "first used by {first}");
    }
}

#[test]
fn of_their_own_everybody_loses_what_they_used_longest_ago() {
    let mut shelf = Shelf::default();
    let (a, b) = (use_it(&mut shelf, "https://a.example", "evil"), use_it(&mut shelf, "https://b.example", "evil"));
    for number in 0..USED - 2 {
        use_it(&mut shelf, &format!("https://{number}.example"), "evil");
    }
    use_it(&mut shelf, "https://a.example", "evil");
    use_it(&mut shelf, "https://more.example", "evil");
    assert!(Arc::ptr_eq(&a, &shelf.get("https://a.example")));
    assert!(!Arc::ptr_eq(&b, &shelf.get("https://b.example")));
}

//! Guessing passwords is slow, and keeps no owner out.

use std::future::IntoFuture as _;

use wharf_registry::{Caller, Secret};

use super::*;

const OFFICE: &str = "192.0.2.1";
const STRANGE: &str = "198.51.100.66";

async fn guess(b: &Boxed, user: &str, from: &str) -> Reply {
    b.get("/v2/").basic(user, "a wrong guess").from(from).await
}

async fn guesses(b: &Boxed, user: &str, from: &str, count: usize) {
    for _ in 0..count {
        guess(b, user, from).await.refused(401, "UNAUTHORIZED");
    }
}

#[tokio::test]
async fn after_ten_wrong_passwords_the_next_waits_even_if_it_is_right() {
    let b = Boxed::new().await;
    guesses(&b, "admin", STRANGE, 10).await;
    let refused = guess(&b, "admin", STRANGE).await.refused(429, "TOOMANYREQUESTS");
    assert_eq!(refused.header("retry-after"), "90");
    assert!(refused.message().contains("sign-ins/caller"), "{}", refused.message());
    b.get("/v2/").from(STRANGE).await.refused(429, "TOOMANYREQUESTS");
    for path in ["/token", "/v2/", "/api/v1/self"] {
        let refused = b.get(path).from(STRANGE).await.expect(429);
        let policies = refused.all("ratelimit-policy").join(", ");
        assert!(policies.contains("\"sign-ins/caller\";q=10"), "{path}: {policies}");
        let states = refused.all("ratelimit").join(", ");
        assert!(states.contains("\"sign-ins/caller\";r=0;t=90"), "{path}: {states}");
        assert!(refused.header("ratelimit-remaining").starts_with("0;"), "{path}");
    }
    let form = "grant_type=password&username=admin&password=secret";
    b.post("/token").form(form).from(STRANGE).await.refused(429, "TOOMANYREQUESTS");
    b.clock.advance(Duration::from_secs(90));
    b.get("/v2/").from(STRANGE).await.expect(200);
}

/// What was verified before is not compared with either: it would answer as many guesses as come.
#[tokio::test]
async fn a_throttled_guess_is_not_compared_with_anything() {
    let b = Boxed::new().await;
    b.get("/v2/").from(OFFICE).await.expect(200);
    guesses(&b, "admin", STRANGE, 10).await;
    b.get("/v2/").from(STRANGE).await.refused(429, "TOOMANYREQUESTS");
}

#[tokio::test]
async fn nobody_can_lock_the_owner_out_of_where_they_work() {
    let b = Boxed::new().await;
    b.get("/v2/").from(OFFICE).await.expect(200);
    // From everywhere, until nobody strange may try any more.
    for host in 1..=3 {
        guesses(&b, "admin", &format!("198.51.100.{host}"), 10).await;
    }
    // A place where nothing failed has one try.
    guesses(&b, "admin", "203.0.113.5", 1).await;
    let refused = b.get("/v2/").from("203.0.113.5").await.refused(429, "TOOMANYREQUESTS");
    assert!(refused.message().contains("sign-ins/anonymous"), "{}", refused.message());
    b.get("/v2/").from("203.0.113.6").await.expect(200);
    b.get("/v2/").from(OFFICE).await.expect(200);
    b.get("/token").from(OFFICE).await.expect(200);
    // Nor by wrong passwords for others from the same office.
    b.make_user("bob");
    for user in ["bob", "carol", "dave", "eve", "frank", "grace"] {
        guesses(&b, user, OFFICE, 10).await;
    }
    let refused = guess(&b, "heidi", OFFICE).await.refused(429, "TOOMANYREQUESTS");
    assert!(refused.message().contains("sign-ins/address"), "{}", refused.message());
    b.get("/v2/").from(OFFICE).await.expect(200);
}

#[tokio::test]
async fn an_address_is_known_to_a_user_for_a_month() {
    let b = Boxed::new().await;
    b.get("/v2/").from(OFFICE).await.expect(200);
    let flood = async || {
        for host in 1..=3 {
            guesses(&b, "admin", &format!("198.51.100.{host}"), 10).await;
        }
    };
    b.clock.advance(Duration::from_hours(24 * 29));
    flood().await;
    b.get("/v2/").from(OFFICE).await.expect(200);
    b.clock.advance(Duration::from_hours(24 * 31));
    flood().await;
    guesses(&b, "admin", OFFICE, 1).await;
    b.get("/v2/").from(OFFICE).await.refused(429, "TOOMANYREQUESTS");
}

#[tokio::test]
async fn wrong_passwords_of_others_at_the_same_address_keep_nobody_out_who_works_there() {
    let b = Boxed::new().await;
    b.get("/v2/").from(OFFICE).await.expect(200);
    guesses(&b, "admin", OFFICE, 10).await;
    guess(&b, "admin", OFFICE).await.refused(429, "TOOMANYREQUESTS");
    b.get("/v2/").from(OFFICE).await.expect(200);
    // It is no way to try as many as one likes.
    for _ in 0..60 {
        guess(&b, "admin", OFFICE).await.refused(429, "TOOMANYREQUESTS");
    }
    b.get("/v2/").from(OFFICE).await.refused(429, "TOOMANYREQUESTS");
}

#[tokio::test]
async fn names_that_nobody_has_are_throttled_like_those_that_somebody_has() {
    let b = Boxed::new().await;
    guesses(&b, "nobody", STRANGE, 10).await;
    let nobody = guess(&b, "nobody", STRANGE).await.refused(429, "TOOMANYREQUESTS");
    guesses(&b, "admin", STRANGE, 10).await;
    let somebody = guess(&b, "admin", STRANGE).await.refused(429, "TOOMANYREQUESTS");
    assert_eq!(nobody.message(), somebody.message());
    assert_eq!(nobody.header("retry-after"), somebody.header("retry-after"));
}

#[tokio::test]
async fn right_passwords_do_not_count() {
    let b = Boxed::new().await;
    for _ in 0..50 {
        b.get("/v2/").from(OFFICE).await.expect(200);
    }
    guesses(&b, "admin", OFFICE, 9).await;
    b.get("/v2/").from(OFFICE).await.expect(200);
}

/// artifact-keeper/artifact-keeper#1195
#[tokio::test]
async fn tokens_neither_count_nor_are_stopped() {
    let b = Boxed::new().await;
    let token = b.token(&[]).await;
    let stale = format!("whf_{}", "a".repeat(46));
    for _ in 0..70 {
        b.get("/v2/").basic("admin", &stale).from(OFFICE).await.refused(401, "UNAUTHORIZED");
        b.get("/v2/").bearer(&stale).from(OFFICE).await.refused(401, "UNAUTHORIZED");
    }
    b.get("/v2/").from(OFFICE).await.expect(200);
    guesses(&b, "admin", STRANGE, 10).await;
    b.get("/v2/").from(STRANGE).await.refused(429, "TOOMANYREQUESTS");
    b.get("/v2/").bearer(&token).from(STRANGE).await.expect(200);
}

#[tokio::test]
async fn many_guesses_at_once_are_no_more_than_one_after_another() {
    let b = Boxed::new().await;
    let all = futures_util::future::join_all((0..60).map(|_| guess(&b, "admin", STRANGE))).await;
    // Two are checked at once; one too many is owed.
    let checked = all.iter().filter(|reply| reply.status == 401).count();
    assert!(checked <= 11, "{checked} were compared");
    assert!(all.iter().all(|reply| [401, 429].contains(&reply.status.as_u16())));
    b.clock.advance(Duration::from_secs(90 * (checked as u64 - 9)));
    b.get("/v2/").from(STRANGE).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_right_passwords_at_once_are_all_right() {
    let b = Boxed::new().await;
    let all = futures_util::future::join_all((0..60).map(|_| b.get("/v2/").from(OFFICE).into_future())).await;
    assert!(all.iter().all(|reply| reply.status == 200), "{all:?}");
}

#[tokio::test]
async fn a_password_that_is_set_has_8_to_256_characters() {
    let b = Boxed::new().await;
    for (password, length) in [("sëven77".to_owned(), 7), ("x".repeat(257), 257)] {
        let refused = b.registry.reset_password("admin", Some(Secret::new(password))).await.unwrap_err().to_string();
        assert_eq!(refused, format!("the password has {length} characters: 8 to 256 are expected"));
    }
    b.registry.reset_password("admin", Some(Secret::new("pässwörd"))).await.unwrap();
    b.get("/v2/").basic("admin", "pässwörd").await.expect(200);
    let limits = b.registry.limits(&Caller::operator()).await.unwrap();
    assert!(limits.iter().any(|limit| limit.class == wharf_registry::Class::SignIns && limit.requests == Some(10)));
}

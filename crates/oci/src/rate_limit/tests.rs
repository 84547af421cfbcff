use proptest::prelude::*;

use super::*;

fn limit(name: &str, quota: u64, window: u64, remaining: u64, reset: u64) -> RateLimit {
    let (window, reset) = (Duration::from_secs(window), Duration::from_secs(reset));
    RateLimit { name: name.into(), quota, window, remaining, reset }
}

#[test]
fn one_limit_is_a_list_of_one() {
    let headers = RateLimitHeaders::of(&[limit("manifest-pulls", 100, 60, 50, 30)]).unwrap();
    assert_eq!(headers.policy, "\"manifest-pulls\";q=100;w=60");
    assert_eq!(headers.state, "\"manifest-pulls\";r=50;t=30");
    assert_eq!(headers.limit, "100;w=60");
    assert_eq!(headers.remaining, "50;w=60");
}

#[test]
fn docker_is_told_of_the_limit_that_is_hit_first() {
    let limits = [limit("burst", 100, 60, 50, 30), limit("daily", 1000, 86400, 3, 80_000)];
    let headers = RateLimitHeaders::of(&limits).unwrap();
    assert_eq!(headers.policy, "\"burst\";q=100;w=60, \"daily\";q=1000;w=86400");
    assert_eq!(headers.state, "\"burst\";r=50;t=30, \"daily\";r=3;t=80000");
    assert_eq!((&*headers.limit, &*headers.remaining), ("1000;w=86400", "3;w=86400"));
}

#[test]
fn of_two_that_are_hit_at_once_docker_is_told_of_the_one_that_lasts() {
    let limits = [limit("burst", 10, 60, 0, 60), limit("daily", 100, 86400, 0, 9000)];
    assert_eq!(RateLimitHeaders::of(&limits).unwrap().limit, "100;w=86400");
}

#[test]
fn no_limit_has_no_headers() {
    assert_eq!(RateLimitHeaders::of(&[]), None);
}

#[test]
fn part_of_a_second_is_a_second_to_wait() {
    assert_eq!(retry_after(Duration::ZERO), 0);
    assert_eq!(retry_after(Duration::from_millis(1)), 1);
    assert_eq!(retry_after(Duration::from_secs(2)), 2);
    assert_eq!(retry_after(Duration::from_millis(2001)), 3);
    assert_eq!(retry_after(Duration::MAX), GREATEST);
}

proptest! {
    /// RFC 9651: printable ASCII, quotes balanced, integers of at most 15 digits.
    #[test]
    fn whatever_a_limit_is_called_the_fields_stay_well_formed(
        name in ".{0,40}", quota: u64, window: u64, remaining: u64, reset: u64,
    ) {
        let headers = RateLimitHeaders::of(&[limit(&name, quota, window, remaining, reset)]).unwrap();
        for field in [&headers.policy, &headers.state] {
            prop_assert!(field.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{field}");
            let unescaped = field.replace("\\\\", "").replace("\\\"", "");
            prop_assert_eq!(unescaped.matches('"').count(), 2, "{}", field);
            let parameters = field.rsplit('"').next().unwrap();
            for parameter in parameters.split(';').skip(1) {
                let (_, digits) = parameter.split_once('=').unwrap();
                prop_assert!(digits.len() <= 15 && digits.bytes().all(|byte| byte.is_ascii_digit()), "{field}");
            }
        }
    }
}

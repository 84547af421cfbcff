use proptest::prelude::*;

use super::*;

fn rate(requests: u64, seconds: u64) -> Rate {
    Rate::new(requests, Duration::from_secs(seconds)).unwrap()
}

/// Takes at each of these moments; which were let through.
fn let_through(rate: Rate, moments: &[Nanos]) -> Vec<Nanos> {
    let mut full_at = 0;
    let mut through = vec![];
    for moment in moments {
        if let Ok(later) = rate.take(full_at, *moment) {
            full_at = later;
            through.push(*moment);
        }
    }
    through
}

#[test]
fn a_fresh_bucket_is_full_and_no_fuller_after_a_year() {
    let rate = rate(100, 60);
    assert_eq!(rate.level(0, 0), Level { remaining: 100, reset: Duration::ZERO });
    let year = nanos(Duration::from_hours(365 * 24));
    assert_eq!(rate.level(0, year).remaining, 100);
    assert_eq!(let_through(rate, &[year; 300]).len(), 100);
}

#[test]
fn what_was_taken_comes_back_evenly() {
    let rate = rate(60, 60);
    let second = nanos(Duration::from_secs(1));
    let mut full_at = 0;
    for taken in 1..=60 {
        full_at = rate.take(full_at, 0).unwrap();
        assert_eq!(rate.level(full_at, 0), Level { remaining: 60 - taken, reset: Duration::from_secs(taken) });
    }
    assert_eq!(rate.take(full_at, 0), Err(Duration::from_secs(1)));
    assert_eq!(rate.take(full_at, second / 4), Err(Duration::from_millis(750)));
    assert!(rate.take(full_at, second).is_ok());
    assert_eq!(rate.level(full_at, 30 * second).remaining, 30);
    assert_eq!(rate.level(full_at, 60 * second), Level { remaining: 60, reset: Duration::ZERO });
}

#[test]
fn what_was_not_there_is_owed() {
    let rate = rate(2, 60);
    let half = nanos(Duration::from_secs(30));
    let full_at = (0..3).fold(0, |full_at, _| rate.charge(full_at, 0));
    assert_eq!(rate.level(full_at, 0), Level { remaining: 0, reset: Duration::from_mins(1) });
    assert_eq!(rate.take(full_at, 0), Err(Duration::from_mins(1)));
    assert_eq!(rate.level(full_at, half).remaining, 0);
    assert_eq!(rate.level(full_at, 2 * half).remaining, 1);
    assert_eq!(rate.charge(0, half), 2 * half);
}

#[test]
fn rates_that_cannot_be_counted_are_none() {
    let second = Duration::from_secs(1);
    assert!(Rate::new(0, second).is_none());
    assert!(Rate::new(1, Duration::ZERO).is_none());
    assert!(Rate::new(1, Duration::from_millis(999)).is_none());
    assert!(Rate::new(1, LONGEST + second).is_none());
    assert!(Rate::new(MOST + 1, second).is_none());
    assert!(Rate::new(MOST, second).is_some());
    assert!(Rate::new(1, LONGEST).is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// The promise: within any time `d` no more than `requests` and what comes back in `d`.
    #[test]
    fn never_more_than_the_quota_and_what_comes_back(
        requests in 1_u64..40,
        seconds in 1_u64..100,
        gaps in prop::collection::vec(0_u64..3_000_000_000, 1..300),
    ) {
        let rate = rate(requests, seconds);
        let moments: Vec<Nanos> = gaps.iter().scan(0, |at, gap| { *at += gap; Some(*at) }).collect();
        let through = let_through(rate, &moments);
        for (first, from) in through.iter().enumerate() {
            for (last, to) in through.iter().enumerate().skip(first) {
                let count = (last - first + 1) as u64;
                let back = (to - from) / rate.interval();
                prop_assert!(count <= requests + back, "{count} in {} ns", to - from);
            }
        }
        prop_assert!(!through.is_empty());
    }

    /// Nobody is turned away with something left, nor let through with nothing left.
    #[test]
    fn what_is_said_to_remain_can_be_taken_and_not_one_more(
        requests in 1_u64..1000, seconds in 1_u64..100_000, full_at: u32, now: u32,
    ) {
        let rate = rate(requests, seconds);
        let (full_at, now) = (u64::from(full_at) * 1000, u64::from(now) * 1000);
        let level = rate.level(full_at, now);
        let mut at = full_at;
        for _ in 0..level.remaining {
            at = rate.take(at, now).unwrap();
        }
        prop_assert!(rate.take(at, now).is_err());
    }

    /// Whoever waits as long as they were told is let through; whoever comes a nanosecond earlier is not.
    #[test]
    fn the_wait_is_neither_too_long_nor_too_short(requests in 1_u64..1000, seconds in 1_u64..100_000, now: u32) {
        let rate = rate(requests, seconds);
        let now = u64::from(now);
        let mut full_at = 0;
        let wait = loop {
            match rate.take(full_at, now) {
                Ok(later) => full_at = later,
                Err(wait) => break nanos(wait),
            }
        };
        prop_assert!(rate.take(full_at, now + wait).is_ok());
        prop_assert!(rate.take(full_at, now + wait - 1).is_err());
    }

    /// The greatest rates do not overflow.
    #[test]
    fn any_rate_and_any_moment_can_be_counted(requests in 1..=MOST, seconds in 1..=LONGEST.as_secs(), full_at: u64, now in 0..u64::MAX / 2) {
        let rate = rate(requests, seconds);
        let level = rate.level(full_at, now);
        prop_assert!(level.remaining <= requests);
        prop_assert_eq!(rate.take(full_at, now).is_ok(), level.remaining > 0);
    }
}

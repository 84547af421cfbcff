use proptest::prelude::*;

use super::*;

const SECOND: Nanos = 1_000_000_000;

fn key(requests: u64, who: Who) -> Key {
    let rate = Rate::new(requests, Duration::from_mins(1)).unwrap();
    Key { class: Class::ManifestPulls, per: Per::Anonymous, rate, who }
}

fn net(text: &str) -> Net {
    Net::of(Some(text.parse().unwrap()))
}

#[test]
fn an_address_is_an_ipv4_host_or_an_ipv6_customer() {
    assert_ne!(net("192.0.2.1"), net("192.0.2.2"));
    assert_eq!(net("192.0.2.1"), net("::ffff:192.0.2.1"));
    assert_eq!(net("2001:db8:1:2::1"), net("2001:db8:1:2:ffff::9"));
    assert_ne!(net("2001:db8:1:2::1"), net("2001:db8:1:3::1"));
    assert_ne!(Net::of(None), net("0.0.0.0"));
}

#[test]
fn everybody_has_a_bucket_of_their_own() {
    let buckets = Buckets::new();
    let (one, other) = (key(1, Who::Net(net("192.0.2.1"))), key(1, Who::Net(net("192.0.2.2"))));
    assert!(buckets.open(one.clone()).take(0).is_ok());
    assert!(buckets.open(one).take(0).is_err());
    assert!(buckets.open(other).take(0).is_ok());
}

#[test]
fn looking_takes_nothing_and_makes_nothing() {
    let buckets = Buckets::new();
    let key = key(5, Who::Net(Net::Here));
    for _ in 0..100 {
        assert_eq!(buckets.look(key.clone()).level(0).remaining, 5);
    }
    assert_eq!(buckets.levels.len(), 0);
}

#[test]
fn what_was_taken_can_be_given_back_once() {
    let buckets = Buckets::new();
    let key = key(2, Who::Net(Net::Here));
    let mut bucket = buckets.open(key.clone());
    bucket.take(0).unwrap();
    buckets.open(key.clone()).take(0).unwrap();
    bucket.give_back(0);
    bucket.give_back(0);
    assert_eq!(buckets.look(key.clone()).level(0).remaining, 1);
    // Long after, the bucket has filled by itself: giving back makes it no fuller.
    let mut late = buckets.open(key.clone());
    late.take(0).unwrap();
    late.give_back(1000 * SECOND);
    assert_eq!(buckets.look(key).level(1000 * SECOND).remaining, 2);
}

proptest! {
    /// The promise holds of what was kept, whatever was given back and however late.
    #[test]
    fn giving_back_gives_nobody_one_too_many(
        requests in 1_u64..6,
        steps in prop::collection::vec((0_u64..40 * SECOND, prop::option::of(0_usize..8)), 1..120),
    ) {
        let buckets = Buckets::new();
        let key = key(requests, Who::Net(Net::Here));
        let interval = key.rate.interval();
        let (mut now, mut open, mut kept) = (0, Vec::new(), Vec::new());
        for (gap, back_after) in steps {
            now += gap;
            for (left, bucket) in &mut open {
                *left -= 1;
                if *left == 0 {
                    Bucket::give_back(bucket, now);
                }
            }
            open.retain(|(left, _)| *left > 0);
            let mut bucket = buckets.open(key.clone());
            if bucket.take(now).is_ok() {
                match back_after {
                    Some(steps) => open.push((steps + 1, bucket)),
                    None => kept.push(now),
                }
            }
        }
        for (first, from) in kept.iter().enumerate() {
            for (last, to) in kept.iter().enumerate().skip(first) {
                let count = (last - first + 1) as u64;
                prop_assert!(count <= requests + (to - from) / interval, "{count} in {} ns", to - from);
            }
        }
    }
}

#[test]
fn a_changed_rate_begins_with_a_full_bucket() {
    let buckets = Buckets::new();
    let who = Who::Net(Net::Here);
    buckets.open(key(1, who.clone())).take(0).unwrap();
    assert!(buckets.open(key(1, who.clone())).take(0).is_err());
    assert!(buckets.open(key(2, who)).take(0).is_ok());
}

#[test]
fn many_at_once_never_take_more_than_there_is() {
    let buckets = Buckets::new();
    let key = key(100, Who::Net(Net::Here));
    let through = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..50 {
                    if buckets.open(key.clone()).take(0).is_ok() {
                        through.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!(through.into_inner(), 100);
}

#[test]
fn memory_is_bounded_however_many_come() {
    let buckets = Buckets::new();
    for address in 0..u32::try_from(BUCKETS * 3).unwrap() {
        buckets.open(key(5, Who::Net(Net::V4(Ipv4Addr::from(address))))).take(0).unwrap();
    }
    assert!(buckets.levels.len() <= BUCKETS);
}

use super::*;

const NOW: Millis = 1_800_000_000_000;

fn refused(at: Millis, address: &str, target: &str) -> Noted {
    let address = address.parse().ok();
    let actor = Actor { name: "mallory".into(), via: "password".into(), address, request: Some(at.to_string()) };
    let event = Event {
        action: "manifest.push",
        org: Some("team".into()),
        target: target.into(),
        details: json!({ "at": at }),
    };
    Noted { at, actor, event, outcome: Outcome::Refused, times: 1, until: at }
}

/// `target × times` of each row.
fn brief(rows: &[Noted]) -> Vec<String> {
    rows.iter().map(|row| format!("{} × {}", row.event.target, row.times)).collect()
}

#[test]
fn the_first_is_written_at_once_and_those_alike_as_one_when_the_minute_is_over() {
    let mut window = Window::new();
    window.note(refused(NOW, "192.0.2.1", "team/app"));
    assert_eq!(brief(&window.take(NOW)), ["team/app × 1"]);
    for n in 1..=5000 {
        window.note(refused(NOW + n, "192.0.2.1", "team/app"));
        assert!(window.take(NOW + n).is_empty());
    }
    let rows = window.take(NOW + MINUTE);
    assert_eq!(brief(&rows), ["team/app × 5000"]);
    assert_eq!(
        (rows[0].at, rows[0].actor.request.clone()),
        (NOW + 1, Some((NOW + 1).to_string())),
        "of the first of them"
    );
    assert!(window.take(NOW + 2 * MINUTE).is_empty());
    window.note(refused(NOW + 3 * MINUTE, "192.0.2.1", "team/app"));
    assert_eq!(brief(&window.take(NOW + 3 * MINUTE)), ["team/app × 1"], "a minute later it is new");
}

#[test]
fn what_differs_in_anything_is_told_apart() {
    let mut window = Window::new();
    let one = refused(NOW, "192.0.2.1", "team/app");
    window.note(one.clone());
    window.note(refused(NOW, "192.0.2.2", "team/app"));
    window.note(refused(NOW, "192.0.2.1", "team/other"));
    window.note(Noted { outcome: Outcome::Done, ..one.clone() });
    window.note(Noted { actor: Actor { name: "bob".into(), ..one.actor.clone() }, ..one.clone() });
    window.note(Noted { actor: Actor { via: "session".into(), ..one.actor.clone() }, ..one.clone() });
    window.note(Noted { event: Event { action: "tag.delete", ..one.event.clone() }, ..one.clone() });
    assert_eq!(window.take(NOW).len(), 7);
}

#[test]
fn one_address_cannot_make_up_more_than_its_share() {
    let mut window = Window::new();
    for n in 0..100_000 {
        window.note(refused(NOW, "192.0.2.1", &format!("team/app{n}")));
    }
    window.note(refused(NOW, "192.0.2.2", "team/app"));
    let rows = window.take(NOW);
    assert_eq!(rows.len(), KINDS_OF_ADDRESS + 2);
    assert!(brief(&rows).contains(&format!("* × {}", 100_000 - KINDS_OF_ADDRESS)), "{:?}", brief(&rows));
    assert!(brief(&rows).contains(&"team/app × 1".to_owned()), "others are still told apart");
    let all = rows.iter().find(|row| row.event.target == "*").unwrap();
    assert_eq!((all.actor.name.as_str(), all.actor.address), ("mallory", "192.0.2.1".parse().ok()));
    assert_eq!(all.event.org, None);
}

#[test]
fn a_network_of_ipv6_is_one_address() {
    let mut window = Window::new();
    for n in 0..1000 {
        window.note(refused(NOW, &format!("2001:db8::{n:x}"), &format!("team/app{n}")));
    }
    let rows = window.take(NOW);
    assert_eq!(rows.len(), KINDS_OF_ADDRESS + 1);
    assert!(rows.iter().any(|row| row.actor.address == "2001:db8::".parse().ok() && row.times == 936));
}

#[test]
fn the_rows_of_a_minute_are_bounded_whoever_makes_them_up() {
    let mut window = Window::new();
    for n in 0..50_000_u32 {
        let address = std::net::Ipv4Addr::from(n).to_string();
        window.note(refused(NOW, &address, "team/app"));
        window.note(refused(NOW, &address, "team/app"));
    }
    let first = window.take(NOW);
    assert_eq!(first.len(), KINDS);
    let rest = window.take(NOW + MINUTE);
    let [more] = &rest[..] else { panic!("{:?}", brief(&rest)) };
    let total: u64 = first.iter().map(|row| row.times).sum();
    assert_eq!((more.event.action, more.times), ("audit.more", 100_000 - total));
    assert_eq!(more.event.details["kinds"], COUNTED, "as far as it counts");
}

#[test]
fn what_cannot_be_written_waits_and_what_is_too_much_is_counted() {
    let mut window = Window::new();
    window.note(refused(NOW, "192.0.2.1", "first"));
    let rows = window.take(NOW);
    window.give_back(rows);
    window.note(refused(NOW + 1, "192.0.2.1", "first"));
    window.note(refused(NOW + 1, "192.0.2.1", "second"));
    assert_eq!(brief(&window.take(NOW + 1)), ["first × 1", "second × 1"]);
    assert_eq!(brief(&window.take(NOW + MINUTE)), ["first × 1"]);
    for minute in 0..100 {
        let now = NOW + (2 + minute) * MINUTE;
        for n in 0..KINDS {
            window.note(refused(now, &std::net::Ipv4Addr::from(u32::try_from(n).unwrap()).to_string(), "x"));
        }
        let rows = window.take(now);
        assert!(rows.len() <= WAITING + KINDS + 1);
        window.give_back(rows);
    }
    let rows = window.take(NOW + 200 * MINUTE);
    let times: u64 = rows.iter().map(|row| row.times).sum();
    assert_eq!(times, 100 * 1000, "nothing is forgotten without a number");
    assert!(rows.iter().any(|row| row.event.action == "audit.lost"));
}

#[test]
fn a_clock_that_is_set_back_ends_the_minute() {
    let mut window = Window::new();
    window.note(refused(NOW, "192.0.2.1", "team/app"));
    assert_eq!(window.take(NOW).len(), 1);
    window.note(refused(NOW, "192.0.2.1", "team/app"));
    assert_eq!(brief(&window.take(NOW - 10 * MINUTE)), ["team/app × 1"]);
    window.note(refused(NOW, "192.0.2.1", "team/app"));
    window.take(NOW);
    window.note(refused(NOW, "192.0.2.1", "team/app"));
    assert_eq!(brief(&window.end(NOW)), ["team/app × 1"]);
}

/// Who looks why something fails would be told one cause of two.
#[test]
fn what_has_another_cause_is_another_row() {
    let mut window = Window::new();
    let because = |reason: &str| {
        let one = refused(1, "203.0.113.1", "team/app");
        Noted { event: Event { details: json!({ "reason": reason }), ..one.event }, ..one }
    };
    for reason in ["it has expired", "no trust rule fits", "it has expired", "has used 980 bytes", "has used 1.2 KiB"] {
        window.note(because(reason));
    }
    let mut rows: Vec<_> =
        window.take(2).into_iter().map(|row| (row.event.details["reason"].to_string(), row.times)).collect();
    rows.sort();
    let row = |reason: &str, times| (format!("\"{reason}\""), times);
    assert_eq!(rows, [row("has used 980 bytes", 2), row("it has expired", 2), row("no trust rule fits", 1)]);
}

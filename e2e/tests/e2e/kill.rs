//! `kill -9` at random moments under concurrent pushes: what was acknowledged is there and whole, what was not is there
//! whole or not at all.
//!
//! `WHARF_E2E_KILLS` sets the rounds, `WHARF_E2E_SEED` repeats a run's bytes and moments; the rest is the scheduler's.

mod ledger;
mod pusher;

use std::thread;
use std::time::Duration;

use ledger::Ledger;
use wharf_e2e::{Api, Setup, Wharf, number, run_id, say, since_start};

const PUSHERS: usize = 4;

#[test]
fn nothing_acknowledged_is_lost_and_nothing_half_made_is_seen() {
    let (rounds, seed) = (number("KILLS", 50), number("SEED", run_id()));
    say(&format!("{rounds} kills; repeat with WHARF_E2E_SEED={seed}"));
    let mut random = fastrand::Rng::with_seed(seed);
    // Of the uploads that were cut, those whose answer was cut too stay until they expire.
    let mut wharf = Setup::new().keeps_uploads().start();
    let (mut earlier, start): (Vec<Ledger>, _) = (vec![], since_start());
    for round in 0..rounds {
        let ledgers = push_until_killed(&mut wharf, round, &mut random);
        wharf.restart();
        let api = sign_in(&wharf, round);
        for mut ledger in ledgers {
            ledger.check(&api);
            ledger.finish_upload(&api);
            earlier.push(ledger);
        }
    }
    report(&earlier, start);
    let api = wharf.api();
    for chunk in earlier.chunks(PUSHERS) {
        let api = api.token(&scopes(chunk.iter().map(|ledger| ledger.repo.as_str())));
        for ledger in chunk {
            ledger.check(&api);
        }
    }
}

fn report(ledgers: &[Ledger], start: Duration) {
    let count = |of: fn(&Ledger) -> usize| ledgers.iter().map(of).sum::<usize>();
    let (blobs, manifests) = (count(Ledger::acknowledged_blobs), count(Ledger::acknowledged_manifests));
    say(&format!(
        "{blobs} blobs and {manifests} manifests were acknowledged, {:.0?} so far",
        since_start().saturating_sub(start)
    ));
    assert!(manifests > ledgers.len(), "too little was pushed for this to prove anything");
}

fn push_until_killed(wharf: &mut Wharf, round: u64, random: &mut fastrand::Rng) -> Vec<Ledger> {
    let api = sign_in(wharf, round);
    let (seeds, moment) = ([(); PUSHERS].map(|()| random.u64(..)), random.u64(10..500));
    let pushers: Vec<_> = repos(round)
        .zip(seeds)
        .map(|(repo, seed)| {
            let api = api.clone();
            thread::spawn(move || pusher::push(&api, repo, fastrand::Rng::with_seed(seed)))
        })
        .collect();
    thread::sleep(Duration::from_millis(moment));
    wharf.kill();
    pushers.into_iter().map(|pusher| pusher.join().expect("a pusher")).collect()
}

fn repos(round: u64) -> impl Iterator<Item = String> {
    (0..PUSHERS).map(move |pusher| format!("kill/r{round}-p{pusher}"))
}

fn sign_in(wharf: &Wharf, round: u64) -> Api {
    let repos: Vec<_> = repos(round).collect();
    wharf.api().token(&scopes(repos.iter().map(String::as_str)))
}

fn scopes<'a>(repos: impl Iterator<Item = &'a str>) -> String {
    repos.map(|repo| format!("repository:{repo}:pull,push")).collect::<Vec<_>>().join("%20")
}

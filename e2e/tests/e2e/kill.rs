//! `kill -9` at random moments under concurrent pushes that get into each other's way: what was acknowledged is there and
//! whole, what was not is there whole or not at all.
//!
//! Each pusher has a repository of its own, and all have one more together. They push images of a pool that outlives the
//! rounds into both, several at once; they mount blobs from each other, move the same tag, delete tags and manifests. After
//! each restart these hold:
//!
//! - A blob whose push or mount was acknowledged is there. Any blob that is there is whole.
//! - A change of a manifest or tag takes effect between its request and its answer; one in flight at the kill took effect
//!   or did not. A change is *later* than another if it began after the other's answer. What is found is the result of a
//!   change that no acknowledged one is later than; only where none was acknowledged may it be as if there had been none.
//!   So a tag stays where it was acknowledged last, and what was deleted stays deleted, unless another change was under way.
//! - A manifest that is there has its blobs, a tag has its manifest; deleting a manifest takes along the tags on it.
//! - A cut upload has what was acknowledged and can be finished. Only one whose last request was in flight may be unknown:
//!   then the blob is there, or it can be pushed anew.
//! - What was found after the restart is found again at the end, after all the other kills.
//!
//! `WHARF_E2E_KILLS` sets the rounds, `WHARF_E2E_SEED` repeats a run's bytes and moments; the rest is the scheduler's.

mod history;
mod ledger;
mod pusher;
mod upload;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use ledger::{Found, Ledger};
use pusher::{Pushed, Pusher};
use wharf_e2e::{Api, Image, Setup, Wharf, number, run_id, say, since_start};

const PUSHERS: usize = 6;
/// Bytes of the layers that all push.
const POOL: [usize; 4] = [10, 3_000, 60_000, 1_000_000];

/// What became of one round.
struct Round {
    /// One for each pusher, then the one of all.
    ledgers: Vec<Ledger>,
    pushed: Vec<Pushed>,
    found: Vec<Found>,
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_half_made_is_seen() {
    let (count, seed, start) = (number("KILLS", 50), number("SEED", run_id()), since_start());
    say(&format!("{count} kills; repeat with WHARF_E2E_SEED={seed}"));
    let mut random = fastrand::Rng::with_seed(seed);
    let pool = POOL.map(|size| Arc::new(Image::new(&mut random, "amd64", size)));
    // Of the uploads that were cut, those whose answer was cut too stay until they expire.
    let mut wharf = Setup::new().keeps_uploads().start();
    let mut rounds = vec![];
    for number in 0..count {
        let mut round = push_until_killed(&mut wharf, number, &pool, &mut random);
        wharf.restart();
        let api = sign_in(&wharf, &round.ledgers);
        // Before anything is pushed anew: it might heal what is to be found.
        round.found = round.ledgers.iter().map(|ledger| ledger.check(&api)).collect();
        for pushed in &round.pushed {
            pushed.finish_upload(&api, &round.ledgers);
        }
        rounds.push(round);
    }
    report(&rounds, since_start().saturating_sub(start));
    for round in rounds {
        let api = sign_in(&wharf, &round.ledgers);
        for (ledger, found) in round.ledgers.iter().zip(&round.found) {
            assert_eq!(ledger.check(&api), *found, "{}: changed after the restart", ledger.repo);
        }
    }
}

fn push_until_killed(wharf: &mut Wharf, round: u64, pool: &[Arc<Image>], random: &mut fastrand::Rng) -> Round {
    let own = (0..PUSHERS).map(|pusher| format!("kill/r{round}-p{pusher}"));
    let ledgers: Vec<_> = own.chain([format!("kill/r{round}-all")]).map(Ledger::new).collect();
    let (seeds, moment) = ([(); PUSHERS].map(|()| random.u64(..)), random.u64(10..800));
    let api = sign_in(wharf, &ledgers);
    let pushed = thread::scope(|scope| {
        let pusher = |(own, seed)| Pusher::new(&api, &ledgers, own, pool, fastrand::Rng::with_seed(seed));
        let pushers = seeds.into_iter().enumerate().map(pusher);
        let pushers: Vec<_> = pushers.map(|pusher| scope.spawn(|| pusher.push_until_killed())).collect();
        thread::sleep(Duration::from_millis(moment));
        wharf.kill();
        pushers.into_iter().map(|pusher| pusher.join().expect("a pusher")).collect()
    });
    Round { ledgers, pushed, found: vec![] }
}

fn sign_in(wharf: &Wharf, ledgers: &[Ledger]) -> Api {
    let scopes = ledgers.iter().map(|ledger| format!("repository:{}:pull,push,delete", ledger.repo));
    wharf.api().token(&scopes.collect::<Vec<_>>().join("%20"))
}

/// Says how much was proved, and fails if that is too little.
fn report(rounds: &[Round], took: Duration) {
    let count = |of: fn(&Ledger) -> usize| rounds.iter().flat_map(|round| &round.ledgers).map(of).sum::<usize>();
    let (blobs, manifests, deletes) = (count(Ledger::blobs), count(Ledger::manifests), count(Ledger::deletes));
    let contended = (count(Ledger::contended_blobs), count(Ledger::contended_changes));
    let mounts = rounds.iter().flat_map(|round| &round.pushed).map(|pushed| pushed.mounts).sum::<usize>();
    say(&format!(
        "acknowledged: {blobs} blobs, {mounts} mounts, {manifests} manifests, {deletes} deletes; several at once pushed the \
         same blob {} times and changed the same tag or manifest {} times; {} changes were in flight at the kill; {took:.0?}",
        contended.0,
        contended.1,
        count(Ledger::in_flight)
    ));
    let counts = [manifests, mounts, deletes, contended.0, contended.1];
    assert!(counts.iter().all(|count| *count > rounds.len()), "too little was done for this to prove anything");
}

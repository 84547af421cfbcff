//! The targets under a generator that gives the same inputs on every machine, for toolchains without libFuzzer.
//!
//! Runs `INPUTS` inputs per target, or for `WHARF_FUZZ_SECONDS` in all when that is set.

use std::path::Path;
use std::time::{Duration, Instant};

use wharf_fuzz::{TARGETS, Target, made_seeds};

const INPUTS: u64 = 4_000;
const LONGEST: usize = 16_384;

/// `SplitMix64` (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `bound`, or 0 when that is 0.
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound.max(1)).unwrap()).unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }
}

/// The files of `seeds/<target>/`, in the order of their names, and what is made.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    let files = std::fs::read_dir(&folder).into_iter().flatten();
    let mut paths: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut seeds = made_seeds(target);
    seeds.extend(paths.iter().map(|path| std::fs::read(path).unwrap()));
    assert!(!seeds.is_empty(), "{target} begins with nothing");
    seeds
}

fn mutate(random: &mut Random, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut input = seeds[random.below(seeds.len())].clone();
    for _ in 0..random.below(6) {
        let (at, from) = (random.below(input.len()), random.below(input.len()));
        let (low, high) = (at.min(from), at.max(from));
        match random.below(6) {
            0 if !input.is_empty() => input[at] = random.byte(),
            1 if !input.is_empty() => input[at] = input[from],
            2 => drop(input.drain(low..high)),
            3 => input.insert(at, random.byte()),
            4 => input.extend_from_within(low..high),
            _ => {
                let other = &seeds[random.below(seeds.len())];
                input.truncate(at);
                input.extend_from_slice(&other[random.below(other.len())..]);
            }
        }
        input.truncate(LONGEST);
    }
    input
}

fn noise(random: &mut Random) -> Vec<u8> {
    let length = random.below(300);
    (0..length).map(|_| random.byte()).collect()
}

fn run((name, target): Target, limit: Option<Duration>) {
    let seeds = seeds(name);
    for seed in &seeds {
        target(seed);
    }
    let mut random = Random(1);
    let start = Instant::now();
    for count in 0_u64.. {
        // Archives are files, which take longer than what is in memory.
        let most = if name == "archive" { INPUTS / 8 } else { INPUTS };
        if limit.map_or(count >= most, |limit| start.elapsed() >= limit) {
            break;
        }
        let input = if count % 8 == 0 { noise(&mut random) } else { mutate(&mut random, &seeds) };
        let stands = std::panic::catch_unwind(|| target(&input)).is_ok();
        assert!(stands, "target {name}, input {count}: {:?}", String::from_utf8_lossy(&input));
    }
}

#[test]
fn every_target_stands_its_seeds_and_their_mutations() {
    let seconds = std::env::var("WHARF_FUZZ_SECONDS").ok().map(|text| text.parse::<u32>().expect("whole seconds"));
    let targets = u32::try_from(TARGETS.len()).unwrap();
    let limit = seconds.map(|seconds| Duration::from_secs(seconds.into()) / targets);
    for target in TARGETS {
        run(target, limit);
    }
}

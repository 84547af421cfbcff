//! libFuzzer's entry into [`wharf_fuzz::archive`]. It begins with archives that are made here, and not kept as files.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: {
        // Where `run` has its corpus; without it there is nothing to begin with, and that is all.
        for (at, seed) in wharf_fuzz::archive_seeds().iter().enumerate() {
            drop(std::fs::write(format!("corpus/archive/seed-{at}"), seed));
        }
    },
    |data: &[u8]| wharf_fuzz::archive(data)
);

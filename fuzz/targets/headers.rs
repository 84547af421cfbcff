//! libFuzzer's entry into [`wharf_fuzz::headers`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wharf_fuzz::headers(data));

use proptest::prelude::*;

use super::*;

/// Text that compresses as libraries do, longer than a few pieces.
fn content(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let word = state >> 24;
        bytes.extend_from_slice(format!("{word} lorem {} ", word % 7).as_bytes());
    }
    bytes.truncate(length);
    bytes
}

fn compressed(content: &[u8], how: Compression, threads: usize) -> (Vec<u8>, Summary) {
    let mut compressor = Compressor::new(content, how, threads).unwrap();
    assert_eq!(compressor.summary(), None);
    let mut bytes = Vec::new();
    compressor.read_to_end(&mut bytes).unwrap();
    (bytes, compressor.summary().unwrap())
}

fn unpacked(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    Unpacked::new(bytes, 1 << 30)?.read_to_end(&mut all)?;
    Ok(all)
}

const ALL: [Compression; 4] = [Compression::None, Compression::GZIP, Compression::Gzip { level: 9 }, Compression::ZSTD];
const PIECE: usize = 256 << 10;

#[test]
fn what_is_compressed_unpacks_to_the_same_and_is_summed_up() {
    for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE + 17] {
        let content = content(length);
        for how in ALL {
            let (bytes, summary) = compressed(&content, how, 2);
            assert!(unpacked(&bytes).unwrap() == content, "{how:?} {length}");
            let digest = |bytes: &[u8]| Digest::of(Algorithm::Sha256, bytes);
            assert_eq!((summary.diff_id, summary.unpacked), (digest(&content), length as u64));
        }
    }
}

#[test]
fn the_result_is_the_same_for_any_number_of_threads_and_any_way_it_is_read() {
    struct Dribble<'a>(&'a [u8]);
    impl Read for Dribble<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let short = buf.len().min(10_007);
            self.0.read(&mut buf[..short])
        }
    }
    let content = content(5 * PIECE + 3);
    for how in ALL {
        let (bytes, _) = compressed(&content, how, 1);
        for threads in [1, 2, 7] {
            assert!(compressed(&content, how, threads).0 == bytes, "{how:?} {threads}");
        }
        let mut slow = Vec::new();
        let mut compressor = Compressor::new(Dribble(&content), how, 3).unwrap();
        io::copy(&mut compressor, &mut slow).unwrap();
        assert!(slow == bytes, "{how:?}");
    }
}

#[test]
fn gzip_is_one_member_that_any_inflater_reads() {
    let content = content(3 * PIECE);
    let (bytes, _) = compressed(&content, Compression::GZIP, 2);
    let mut all = Vec::new();
    let mut decoder = flate2::bufread::GzDecoder::new(&bytes[..]);
    decoder.read_to_end(&mut all).unwrap();
    assert!(all == content && decoder.into_inner().is_empty());
}

#[test]
fn content_that_fails_while_it_is_read_is_never_compressed_to_an_end() {
    struct Fails(usize);
    impl Read for Fails {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            self.0 += 1;
            if self.0 == 20 { Err(ErrorKind::ConnectionReset.into()) } else { Ok(buf.len().min(100_000)) }
        }
    }
    for how in ALL {
        let mut compressor = Compressor::new(Fails(0), how, 2).unwrap();
        let error = io::copy(&mut compressor, &mut io::sink()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{how:?}");
        assert_eq!(compressor.summary(), None);
    }
    let mut gzip = Compressor::new(Fails(0), Compression::GZIP, 2).unwrap();
    assert!(io::copy(&mut gzip, &mut io::sink()).is_err() && gzip.read(&mut [0; 9]).is_err(), "nor after it");
}

#[test]
fn content_that_is_cut_anywhere_is_an_error() {
    let content = content(300);
    for how in [Compression::GZIP, Compression::ZSTD] {
        let (bytes, _) = compressed(&content, how, 1);
        for cut in 6..bytes.len() {
            assert!(unpacked(&bytes[..cut]).is_err(), "{how:?} {cut}");
        }
        assert!(unpacked(&[&bytes[..], b"tail"].concat()).is_err(), "{how:?}");
    }
}

#[test]
fn a_bomb_is_unpacked_to_the_limit_only() {
    for how in ALL {
        let (bytes, _) = compressed(&vec![0; 4 << 20], how, 1);
        let mut out = Vec::new();
        let error = Unpacked::new(&bytes[..], 1 << 20).unwrap().read_to_end(&mut out).unwrap_err();
        assert!(error.to_string().contains("more than 1048576 bytes"), "{error}");
        assert!(out.len() <= 1 << 20);
        assert_eq!(io::copy(&mut Unpacked::new(&bytes[..], 4 << 20).unwrap(), &mut io::sink()).unwrap(), 4 << 20);
    }
}

#[test]
fn several_members_or_frames_are_one_content() {
    for how in [Compression::GZIP, Compression::ZSTD] {
        let both = [compressed(b"hello, ", how, 1).0, compressed(b"world", how, 1).0].concat();
        assert_eq!(unpacked(&both).unwrap(), b"hello, world");
    }
    // zstd:chunked has a skippable frame with its table of contents.
    let skippable =
        [&[0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9][..], &compressed(b"x", Compression::ZSTD, 1).0].concat();
    assert_eq!(unpacked(&skippable).unwrap(), b"x");
}

#[test]
fn compressions_that_are_not_read_are_named() {
    assert!(Compression::detect(b"BZh91AY").unwrap_err().to_string().contains("bzip2"));
    assert!(Compression::detect(b"\xfd7zXZ\0").unwrap_err().to_string().contains("xz"));
    assert_eq!(Compression::detect(b"").unwrap(), Compression::None);
    assert_eq!(Compression::detect(b"usr/bin").unwrap(), Compression::None);
}

proptest! {
    #[test]
    fn any_bytes_are_unpacked_or_refused_without_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..300), start in 0..3_usize) {
        let magic: [&[u8]; 3] = [b"", b"\x1f\x8b\x08\0", b"\x28\xb5\x2f\xfd"];
        bytes.splice(..0, magic[start].iter().copied());
        let _ = unpacked(&bytes);
    }
}

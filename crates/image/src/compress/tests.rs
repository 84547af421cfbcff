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

/// "hello, wharf\n" by xz -0.
const XZ: &[u8] =
    b"\xfd7zXZ\0\0\x04\xe6\xd6\xb4\x46\x02\0\x21\x01\x0c\0\0\0\x8f\x98\x41\x9c\x01\0\x0chello, wharf\x0a\0\0\0\0\
\x82\x47\x82\xec\xf3\x36\xc3\x12\0\x01\x25\x0d\x71\x19\xc4\xb6\x1f\xb6\xf3\x7d\x01\0\0\0\0\x04YZ";
/// The same by bzip2 -1.
const BZIP2: &[u8] =
    b"BZh11AY&SY\x8f\x4a\xfa\x08\0\0\x03\xd1\x80\0\x10\x40\x04\x23\x44\x90\x80\x20\0\x21\xa0\x06\x42\x01\xa6\
\x9a\x2e\x7b\x41\x58\x50\x4b\xc5\xdc\x91\x4e\x14\x24\x23\xd2\xbe\x82\0";
/// 4 MiB of zeros by bzip2 -9.
const BZIP2_BOMB: &[u8] =
    b"BZh91AY&SY\x56\x02\xe2\x88\0\x20\x20\x48\0\xc0\0\0\x04\0\x08\x20\0\x30\xcc\x05\x29\xa6\x02\x01\xb1\
\x02\x01\xe2\xee\x48\xa7\x0a\x12\x0a\xc0\x5c\x51\0";
/// Ten bytes, with a dictionary of 256 MiB.
const XZ_LARGE: &[u8] =
    b"\xfd7zXZ\0\0\x04\xe6\xd6\xb4\x46\x02\0\x21\x01\x20\0\0\0\x09\x88\xa5\x76\xe0\0\x09\0\x06\x5d\0\x3c\x6b\x7c\
\0\0\0\0\0\0\x98\x4f\xb5\x4d\x7d\x98\xfd\xf4\0\x01\x22\x0a\x15\x1a\xe1\x67\x1f\xb6\xf3\x7d\x01\0\0\0\0\x04YZ";

#[test]
fn what_others_compress_otherwise_is_read_too() {
    for (name, bytes) in [("xz", XZ), ("bzip2", BZIP2)] {
        assert_eq!(unpacked(bytes).unwrap(), b"hello, wharf\n", "{name}");
        assert!(Unpacked::new(bytes, 13).unwrap().was_compressed());
        assert_eq!(unpacked(&[bytes, bytes].concat()).unwrap(), b"hello, wharf\nhello, wharf\n", "{name}");
        for cut in 6..bytes.len() {
            assert!(unpacked(&bytes[..cut]).is_err(), "{name} {cut}");
        }
        for at in 6..bytes.len() - 1 {
            let mut damaged = bytes.to_vec();
            damaged[at] ^= 0x10;
            assert!(unpacked(&damaged).map_or(true, |read| read == b"hello, wharf\n"), "{name} {at}");
        }
        let error = io::copy(&mut Unpacked::new(bytes, 12).unwrap(), &mut io::sink()).unwrap_err();
        assert!(error.to_string().contains("more than 12 bytes"), "{error}");
    }
    assert_eq!(unpacked(b"BZh9\x17rE8P\x90\0\0\0\0").unwrap(), b"", "nothing, by bzip2");
    let error = io::copy(&mut Unpacked::new(BZIP2_BOMB, 1 << 20).unwrap(), &mut io::sink()).unwrap_err();
    assert!(error.to_string().contains("more than 1048576 bytes"), "{error}");
    assert!(unpacked(XZ_LARGE).unwrap_err().to_string().contains("96 MiB of memory"));
}

#[test]
fn what_only_begins_like_a_compression_is_content() {
    for plain in [&b""[..], b"usr/bin", b"BZhang.txt", b"\xfd7zXY\0"] {
        assert_eq!(unpacked(plain).unwrap(), plain);
        assert!(!Unpacked::new(plain, 100).unwrap().was_compressed());
    }
}

proptest! {
    #[test]
    fn any_bytes_are_unpacked_or_refused_without_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..300), start in 0..5_usize) {
        let magic: [&[u8]; 5] =
            [b"", b"\x1f\x8b\x08\0", b"\x28\xb5\x2f\xfd", b"BZh91AY&SY", b"\xfd7zXZ\0\0\x04\xe6\xd6\xb4\x46"];
        bytes.splice(..0, magic[start].iter().copied());
        let _ = unpacked(&bytes);
    }
}

use std::io::Cursor;

use proptest::prelude::*;

use super::*;

fn descriptor(content: &[u8]) -> Descriptor {
    Descriptor::new("x/y", Digest::of(Algorithm::Sha256, content), content.len() as u64)
}

/// At most three bytes at a time.
struct Dribble<'a>(&'a [u8]);

impl Read for Dribble<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let short = buf.len().min(3);
        self.0.read(&mut buf[..short])
    }
}

fn read(content: &[u8], named: &Descriptor) -> (Vec<u8>, Option<io::Error>) {
    let mut reader = Verified::new(Dribble(content), named, "file");
    let mut all = Vec::new();
    let error = reader.read_to_end(&mut all).err();
    if error.is_some() {
        assert!(reader.read(&mut [0; 8]).is_err(), "an error stays");
    }
    (all, error)
}

#[test]
fn the_right_content_comes_through() {
    for content in [&b""[..], b"a", b"hello, world"] {
        let (all, error) = read(content, &descriptor(content));
        assert!(error.is_none());
        assert_eq!(all, content);
    }
}

#[test]
fn content_of_no_bytes_is_checked_too() {
    let wrong = Descriptor { size: 0, ..descriptor(b"x") };
    assert!(read(b"", &wrong).1.unwrap().to_string().contains("sha256:"));
}

#[test]
fn an_error_says_where_and_what() {
    let named = descriptor(b"hello");
    assert_eq!(read(b"hell", &named).1.unwrap().to_string(), "file: it ends after 4 of 5 bytes");
    assert_eq!(read(b"hell", &named).1.unwrap().kind(), ErrorKind::UnexpectedEof);
    assert!(read(b"hello!", &named).1.unwrap().to_string().contains("longer than the 5 bytes"));
    assert!(read(b"hellO", &named).1.unwrap().to_string().contains("its content has digest"));
}

proptest! {
    /// Somebody who counts bytes, and never asks for the end, is not deceived either.
    #[test]
    fn wrong_content_never_comes_through_whole(right in prop::collection::vec(any::<u8>(), 1..40), wrong in prop::collection::vec(any::<u8>(), 0..40)) {
        prop_assume!(right != wrong);
        let (all, error) = read(&wrong, &descriptor(&right));
        prop_assert!(error.is_some());
        prop_assert!(all.len() < right.len());
    }
}

#[test]
fn a_source_that_fails_is_told_from_a_destination_that_fails() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let named = descriptor(b"hello");
    let put =
        |content: &[u8], sink: &mut dyn Write| copy_named(&named, &mut Cursor::new(content), sink, Path::new("f"));
    assert!(matches!(put(b"hello", &mut Full), Err(Error::Io { doing: "write", .. })));
    assert!(matches!(put(b"hell", &mut Vec::new()), Err(Error::Content { .. })));
    assert!(put(b"hello", &mut Vec::new()).is_ok());
}

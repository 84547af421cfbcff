//! Compression of layers: the same bytes in give the same bytes out, whatever the machine and its number of cores, so that
//! an upload that was cut can be continued from the start of the content.
//!
//! Layers are told by what they begin with, never by their names or media types, which lie.

use std::io::{self, BufReader, Chain, Cursor, ErrorKind, Read};

use lzma_rust2::XzReader;
use wharf_oci::{Algorithm, Digest};
use zstd::zstd_safe::CParameter;

use crate::hashed::Hashed;
use crate::verified::BLOCK;

mod gzip;

/// How a layer is, or is to be, compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Not at all.
    None,
    /// RFC 1952, one member.
    Gzip {
        /// 1 (fast) to 9 (small).
        level: u8,
    },
    /// RFC 8878, one frame.
    Zstd {
        /// 1 (fast) to 19 (small).
        level: u8,
    },
}

impl Compression {
    /// What layers are compressed with unless somebody asks for something else. Level 2 of zlib-rs
    /// is within 4 % of the size that podman's and skopeo's compressor has at its own default, at two thirds of its time.
    pub const GZIP: Self = Self::Gzip { level: 2 };

    /// zstd's own default.
    pub const ZSTD: Self = Self::Zstd { level: 3 };
}

/// Bytes that zstd compresses as one piece; left to itself it takes 8 MiB, several for each worker. Part of the result.
const ZSTD_PIECE: u32 = 1 << 20;
/// Workers of zstd, at most: as many keep up with most disks, and each has some 4 MiB in its hands.
const MOST_ZSTD: usize = 4;

/// What has gone into a [`Compressor`]. What came out is hashed by whoever takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// SHA-256 of it.
    pub diff_id: Digest,
    /// Its bytes.
    pub unpacked: u64,
}

/// Gives the content of `R` compressed. Works ahead on several cores while nobody reads.
pub struct Compressor<R: Read> {
    inner: Inner<R>,
    is_done: bool,
}

enum Inner<R: Read> {
    Plain(Hashed<R>),
    Gzip(gzip::Parallel<Hashed<R>>),
    Zstd(Box<zstd::stream::read::Encoder<'static, BufReader<Hashed<R>>>>),
}

impl<R: Read> Compressor<R> {
    /// `threads` is how many cores to use, at least 1; the result is the same for any number.
    pub fn new(content: R, compression: Compression, threads: usize) -> io::Result<Self> {
        let content = Hashed::new(content, Algorithm::Sha256);
        let threads = threads.clamp(1, 16);
        let inner = match compression {
            Compression::None => Inner::Plain(content),
            Compression::Gzip { level } => Inner::Gzip(gzip::Parallel::new(content, level, threads)),
            Compression::Zstd { level } => {
                let buffered = BufReader::with_capacity(BLOCK, content);
                let mut encoder = zstd::stream::read::Encoder::with_buffer(buffered, i32::from(level.clamp(1, 19)))?;
                // One worker compresses otherwise than none does, two like one.
                encoder.multithread(u32::try_from(threads.min(MOST_ZSTD)).unwrap_or(1))?;
                encoder.set_parameter(CParameter::JobSize(ZSTD_PIECE))?;
                Inner::Zstd(Box::new(encoder))
            }
        };
        Ok(Self { inner, is_done: false })
    }

    /// What went through; `None` before all has been read.
    pub fn summary(&self) -> Option<Summary> {
        let content = match &self.inner {
            Inner::Plain(content) => content,
            Inner::Gzip(parallel) => parallel.content(),
            Inner::Zstd(encoder) => encoder.get_ref().get_ref(),
        };
        self.is_done.then(|| Summary { diff_id: content.digest(), unpacked: content.size() })
    }
}

impl<R: Read> Read for Compressor<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.inner {
            Inner::Plain(content) => content.read(buf)?,
            Inner::Gzip(parallel) => parallel.read(buf)?,
            Inner::Zstd(encoder) => encoder.read(buf)?,
        };
        self.is_done |= read == 0 && !buf.is_empty();
        Ok(read)
    }
}

type Whole<R> = Chain<Cursor<Vec<u8>>, R>;

/// Gives content decompressed, whatever it is compressed with, and no more of it than a limit: the rest of a bomb is
/// never unpacked. Content that ends in the middle of its compression is an error.
pub struct Unpacked<R: Read> {
    inner: Unpack<R>,
    left: u64,
    limit: u64,
}

enum Unpack<R: Read> {
    Plain(Whole<R>),
    Gzip(Box<flate2::bufread::MultiGzDecoder<BufReader<Whole<R>>>>),
    Zstd(Box<zstd::stream::read::Decoder<'static, BufReader<Whole<R>>>>),
    /// Read, as skopeo reads it, and never written.
    Bzip2(Box<bzip2::bufread::MultiBzDecoder<BufReader<Whole<R>>>>),
    /// The same.
    Xz(Box<XzReader<BufReader<Whole<R>>>>),
}

/// Memory that unpacking xz may take, in KiB: `xz -9` asks for 65 MiB, and a file may ask for 4 GiB.
const XZ_MEMORY: u32 = 96 << 10;

/// Largest window of a zstd frame, in powers of two: what zstd itself takes without being asked.
const LARGEST_WINDOW: u32 = 27;

impl<R: Read> Unpacked<R> {
    /// Reads the first bytes of `content`; at most `limit` bytes come out.
    pub fn new(mut content: R, limit: u64) -> io::Result<Self> {
        let mut start = Vec::new();
        content.by_ref().take(6).read_to_end(&mut start)?;
        let magic = start.clone();
        let whole = Cursor::new(start).chain(content);
        let buffered = |whole| BufReader::with_capacity(BLOCK, whole);
        let inner = match magic.as_slice() {
            [0x1f, 0x8b, ..] => Unpack::Gzip(Box::new(flate2::bufread::MultiGzDecoder::new(buffered(whole)))),
            // A frame, or a skippable one before it (RFC 8878 §3.1).
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(buffered(whole))?;
                decoder.window_log_max(LARGEST_WINDOW)?;
                Unpack::Zstd(Box::new(decoder))
            }
            // Then the size of its blocks, and the number that each begins with, or that of the end where there is none.
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41] | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72] => {
                Unpack::Bzip2(Box::new(bzip2::bufread::MultiBzDecoder::new(buffered(whole))))
            }
            [0xfd, b'7', b'z', b'X', b'Z', 0] => {
                Unpack::Xz(Box::new(XzReader::new_mem_limit(buffered(whole), true, XZ_MEMORY)))
            }
            _ => Unpack::Plain(whole),
        };
        Ok(Self { inner, left: limit, limit })
    }

    /// Whether anything was compressed at all.
    pub fn was_compressed(&self) -> bool {
        !matches!(self.inner, Unpack::Plain(_))
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.inner {
            Unpack::Plain(content) => content.read(buf)?,
            Unpack::Gzip(decoder) => decoder.read(buf)?,
            Unpack::Zstd(decoder) => decoder.read(buf)?,
            Unpack::Bzip2(decoder) => decoder.read(buf)?,
            Unpack::Xz(decoder) => decoder.read(buf).map_err(of_xz)?,
        };
        let Some(left) = self.left.checked_sub(read as u64) else {
            let reason = format!("it unpacks to more than {} bytes, which is the limit", self.limit);
            return Err(io::Error::new(ErrorKind::InvalidData, reason));
        };
        self.left = left;
        Ok(read)
    }
}

/// What it needs is said in the words of an allocation that failed.
fn of_xz(error: io::Error) -> io::Error {
    if error.kind() != ErrorKind::OutOfMemory {
        return error;
    }
    let reason = format!("unpacking its xz needs more than {} MiB of memory", XZ_MEMORY >> 10);
    io::Error::new(ErrorKind::InvalidData, reason)
}

/// Reads until `buf` is full or nothing is left; says how much there was.
fn fill(reader: &mut impl Read, buf: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buf.len() {
        match reader.read(&mut buf[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests;

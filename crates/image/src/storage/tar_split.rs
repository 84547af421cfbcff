//! The recipe that containers/storage keeps beside a layer (`ID.tar-split.gz`, github.com/vbatts/tar-split): the bytes of
//! the layer's tar in order, with the contents of files left out and named instead.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::bufread::MultiGzDecoder;
use serde::Deserialize;

/// Longest line that is taken, in bytes. Padding at a tar's end comes as one segment from older versions.
const LONGEST_LINE: u64 = 64 << 20;

/// What comes next in the tar.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// These bytes: headers and padding.
    Bytes(Vec<u8>),
    /// The content of this file of the layer.
    File(Content),
}

/// A file's content in the tar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Content {
    /// As the tar's header has it, `./etc/hosts`.
    pub(super) name: Vec<u8>,
    /// In bytes; never 0.
    pub(super) size: u64,
    /// CRC-64 of ISO 3309.
    pub(super) crc: u64,
}

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "type")]
    kind: u8,
    name: Option<String>,
    /// In base64, where the name is not UTF-8.
    name_raw: Option<String>,
    size: Option<u64>,
    payload: Option<String>,
}

const FILE: u8 = 1;
const SEGMENT: u8 = 2;

/// Reads a recipe line by line.
pub(super) struct Recipe {
    lines: BufReader<MultiGzDecoder<BufReader<File>>>,
    line: Vec<u8>,
}

impl Recipe {
    pub(super) fn new(file: File) -> Self {
        Self { lines: BufReader::new(MultiGzDecoder::new(BufReader::new(file))), line: Vec::new() }
    }

    /// The tar's length, by reading to the end.
    pub(super) fn measure(self) -> io::Result<u64> {
        let mut size: u64 = 0;
        for entry in self {
            let more = match entry? {
                Entry::Bytes(bytes) => bytes.len() as u64,
                Entry::File(content) => content.size,
            };
            size = size.checked_add(more).ok_or_else(|| damaged("its sizes do not add up"))?;
        }
        Ok(size)
    }

    fn read(&mut self) -> io::Result<Option<Entry>> {
        loop {
            self.line.clear();
            let read = (&mut self.lines).take(LONGEST_LINE).read_until(b'\n', &mut self.line)?;
            if read == 0 {
                return Ok(None);
            }
            if self.line.last() != Some(&b'\n') {
                return Err(damaged("it is cut, or has a line that is too long"));
            }
            let line = serde_json::from_slice(&self.line).map_err(|error| damaged(&error.to_string()))?;
            if let Some(entry) = entry(line)? {
                return Ok(Some(entry));
            }
        }
    }
}

impl Iterator for Recipe {
    type Item = io::Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

/// Nothing for what adds no bytes: empty segments, folders, links and empty files.
fn entry(line: Line) -> io::Result<Option<Entry>> {
    let payload = decode(line.payload.as_deref().unwrap_or_default())?;
    match line.kind {
        SEGMENT if payload.is_empty() => Ok(None),
        SEGMENT => Ok(Some(Entry::Bytes(payload))),
        FILE if line.size.unwrap_or_default() == 0 => Ok(None),
        FILE => {
            let crc = payload.try_into().map_err(|_| damaged("a file has no checksum of eight bytes"))?;
            let name = match line.name_raw {
                Some(raw) => decode(&raw)?,
                None => line.name.unwrap_or_default().into_bytes(),
            };
            let size = line.size.unwrap_or_default();
            Ok(Some(Entry::File(Content { name, size, crc: u64::from_be_bytes(crc) })))
        }
        kind => Err(damaged(&format!("it has an entry of type {kind}, which is not known"))),
    }
}

fn decode(text: &str) -> io::Result<Vec<u8>> {
    STANDARD.decode(text).map_err(|error| damaged(&error.to_string()))
}

fn damaged(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the list of the layer's parts is damaged: {reason}"))
}

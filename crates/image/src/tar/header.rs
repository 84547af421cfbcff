//! The 512 bytes before each entry (POSIX.1-2017 pax, §ustar Interchange Format; GNU tar §Standard).

use super::{Attributes, Kind, TreePath};

pub(super) const BLOCK: usize = 512;

/// A header's bytes, whose sum has been checked.
pub(super) struct Header(Box<[u8; BLOCK]>);

/// What a header is for.
pub(super) enum Meaning {
    /// An entry.
    Entry(Kind),
    /// Its content is the name of the next entry.
    LongName,
    /// Its content is the link of the next entry.
    LongLink,
    /// Its content are records of the next entry.
    Records,
    /// Its content are records of all that follow, or a comment. Go hands them on and applies none.
    Global,
}

impl Header {
    /// Errors with a reason; `None` for the block of zeros that ends a file.
    pub(super) fn parse(block: Box<[u8; BLOCK]>) -> Result<Option<Self>, String> {
        if block.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let header = Self(block);
        if number(header.field(148, 8)) != Ok(i64::from(sum(&header.0))) {
            return Err("it is no tar file, or a header in it is damaged: its sum is wrong".to_owned());
        }
        Ok(Some(header))
    }

    fn field(&self, start: usize, length: usize) -> &[u8] {
        &self.0[start..start + length]
    }

    fn text(&self, start: usize, length: usize) -> &[u8] {
        let field = self.field(start, length);
        field.split(|byte| *byte == 0).next().unwrap_or_default()
    }

    fn number(&self, start: usize, length: usize, what: &str) -> Result<i64, String> {
        number(self.field(start, length)).map_err(|reason| format!("its {what} is no number: {reason}"))
    }

    fn unsigned(&self, start: usize, length: usize, what: &str) -> Result<u64, String> {
        u64::try_from(self.number(start, length, what)?).map_err(|_| format!("its {what} is negative"))
    }

    fn is_ustar(&self) -> bool {
        self.field(257, 6) == b"ustar\0"
    }

    fn has_names(&self) -> bool {
        self.field(257, 5) == b"ustar"
    }

    pub(super) fn name(&self) -> Vec<u8> {
        let prefix = if self.is_ustar() { self.text(345, 155) } else { &[] };
        match prefix {
            [] => self.text(0, 100).to_vec(),
            _ => [prefix, b"/", self.text(0, 100)].concat(),
        }
    }

    pub(super) fn link(&self) -> &[u8] {
        self.text(157, 100)
    }

    pub(super) fn size(&self) -> Result<u64, String> {
        self.unsigned(124, 12, "size")
    }

    /// Written before there were kinds, when a folder was a file whose name ended in a slash.
    pub(super) fn is_old(&self) -> bool {
        self.0[156] == 0
    }

    /// Without what it links to.
    pub(super) fn meaning(&self) -> Result<Meaning, String> {
        let kind = match self.0[156] {
            0 | b'0' | b'7' => Kind::File,
            b'1' => Kind::HardLink(TreePath::default()),
            b'2' => Kind::Symlink(vec![]),
            b'3' => Kind::Character(self.device(329)?, self.device(337)?),
            b'4' => Kind::Block(self.device(329)?, self.device(337)?),
            b'5' => Kind::Directory,
            b'6' => Kind::Fifo,
            b'L' => return Ok(Meaning::LongName),
            b'K' => return Ok(Meaning::LongLink),
            b'x' => return Ok(Meaning::Records),
            b'g' => return Ok(Meaning::Global),
            b'S' => return Err("it is stored as a sparse file: make the tar file without --sparse".to_owned()),
            other => return Err(format!("it is of the unknown kind {:?}", char::from(other))),
        };
        Ok(Meaning::Entry(kind))
    }

    fn device(&self, start: usize) -> Result<u32, String> {
        u32::try_from(self.unsigned(start, 8, "device")?).map_err(|_| "its device has too large a number".to_owned())
    }

    pub(super) fn attributes(&self) -> Result<Attributes, String> {
        let mode = u32::try_from(self.unsigned(100, 8, "mode")? & 0o7777).unwrap_or_default();
        let names: [&[u8]; 2] = if self.has_names() { [self.text(265, 32), self.text(297, 32)] } else { [&[], &[]] };
        Ok(Attributes {
            mode,
            uid: self.unsigned(108, 8, "owner")?,
            gid: self.unsigned(116, 8, "group")?,
            user: names[0].to_vec(),
            group: names[1].to_vec(),
            modified: self.number(136, 12, "time")?,
            records: vec![],
        })
    }
}

/// Of all bytes, with its own field as spaces.
fn sum(block: &[u8; BLOCK]) -> u32 {
    let own = 148..156;
    block.iter().enumerate().map(|(at, byte)| if own.contains(&at) { 32 } else { u32::from(*byte) }).sum()
}

/// Octal digits, or GNU's binary form: the first bit set, then two's complement.
fn number(field: &[u8]) -> Result<i64, String> {
    if field.first().is_some_and(|byte| byte & 0x80 != 0) {
        return binary(field);
    }
    let text = String::from_utf8_lossy(field);
    let digits = text.trim_matches(|char| matches!(char, ' ' | '\0'));
    // What follows a zero byte is not looked at.
    let digits = digits.split('\0').next().unwrap_or_default().trim_end();
    if digits.is_empty() {
        return Ok(0);
    }
    let is_octal = digits.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    i64::from_str_radix(digits, 8).ok().filter(|_| is_octal).ok_or_else(|| format!("{digits:?}"))
}

fn binary(field: &[u8]) -> Result<i64, String> {
    let is_negative = field[0] & 0x40 != 0;
    let first = if is_negative { field[0] } else { field[0] & 0x7f };
    let mut value: i128 = if is_negative { -1 } else { 0 };
    for byte in std::iter::once(&first).chain(&field[1..]) {
        value = (value << 8) | i128::from(*byte);
        if i64::try_from(value).is_err() {
            return Err("it has more than 64 bits".to_owned());
        }
    }
    i64::try_from(value).map_err(|_| "it has more than 64 bits".to_owned())
}

/// A header to write. What does not fit its fields is said by records before it, and cut here.
pub(super) struct Fields<'a> {
    pub(super) kind: u8,
    pub(super) name: &'a [u8],
    pub(super) link: &'a [u8],
    pub(super) size: u64,
    pub(super) device: (u32, u32),
    pub(super) attributes: &'a Attributes,
}

/// Largest number that fits a field of 8 or of 12 bytes in octal.
pub(super) const LARGEST_SHORT: u64 = 0o7_777_777;
pub(super) const LARGEST_LONG: u64 = 0o77_777_777_777;

impl Fields<'_> {
    pub(super) fn to_block(&self) -> [u8; BLOCK] {
        let mut block = [0; BLOCK];
        let attributes = self.attributes;
        put(&mut block[0..100], self.name);
        octal(&mut block[100..108], u64::from(attributes.mode & 0o7777));
        octal(&mut block[108..116], attributes.uid.min(LARGEST_SHORT));
        octal(&mut block[116..124], attributes.gid.min(LARGEST_SHORT));
        octal(&mut block[124..136], self.size.min(LARGEST_LONG));
        octal(&mut block[136..148], u64::try_from(attributes.modified).unwrap_or(0).min(LARGEST_LONG));
        block[156] = self.kind;
        put(&mut block[157..257], self.link);
        put(&mut block[257..265], b"ustar\x0000");
        put(&mut block[265..296], &attributes.user);
        put(&mut block[297..328], &attributes.group);
        octal(&mut block[329..337], u64::from(self.device.0));
        octal(&mut block[337..345], u64::from(self.device.1));
        let sum = sum(&block);
        put(&mut block[148..156], format!("{sum:06o}\0 ").as_bytes());
        block
    }
}

fn put(field: &mut [u8], text: &[u8]) {
    let length = text.len().min(field.len());
    field[..length].copy_from_slice(&text[..length]);
}

/// With a zero byte at its end.
fn octal(field: &mut [u8], number: u64) {
    let digits = field.len() - 1;
    put(field, format!("{number:0digits$o}").as_bytes());
}

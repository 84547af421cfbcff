//! Records of the pax format: `27 SCHILY.xattr.user.a=value\n`, the number being the length of all of it.
//!
//! Values are bytes and may hold line ends: capabilities and access lists do.

use super::Attributes;

/// What stands in the way of a header's fields.
#[derive(Default)]
pub(super) struct Records(Vec<(String, Vec<u8>)>);

impl Records {
    /// Errors with a reason.
    pub(super) fn parse(mut bytes: &[u8]) -> Result<Self, String> {
        let mut records: Vec<(String, Vec<u8>)> = Vec::new();
        while !bytes.is_empty() {
            let (record, rest) = split(bytes).ok_or("its pax records are damaged")?;
            let equals = record.iter().position(|byte| *byte == b'=').ok_or("a pax record of it has no value")?;
            let key = std::str::from_utf8(&record[..equals]).map_err(|_| "a pax record of it has no readable name")?;
            if key.starts_with("GNU.sparse.") {
                return Err("it is stored as a sparse file: make the tar file without --sparse".to_owned());
            }
            if records.iter().any(|(known, _)| known == key) {
                return Err(format!("it has two pax records {key}"));
            }
            records.push((key.to_owned(), record[equals + 1..].to_vec()));
            bytes = rest;
        }
        Ok(Self(records))
    }

    /// The value of a record, once.
    pub(super) fn take(&mut self, key: &str) -> Option<Vec<u8>> {
        let at = self.0.iter().position(|(known, _)| known == key)?;
        // An empty value takes a global record back, and there are none here.
        Some(self.0.remove(at).1).filter(|value| !value.is_empty())
    }

    pub(super) fn take_number(&mut self, key: &str) -> Result<Option<u64>, String> {
        let Some(value) = self.take(key) else { return Ok(None) };
        let number = std::str::from_utf8(&value).ok().and_then(|text| text.parse().ok());
        number.map(Some).ok_or_else(|| format!("its pax record {key} is no number"))
    }

    /// Into what the header said; the rest is kept as it is.
    pub(super) fn apply(mut self, attributes: &mut Attributes) -> Result<(), String> {
        if let Some(uid) = self.take_number("uid")? {
            attributes.uid = uid;
        }
        if let Some(gid) = self.take_number("gid")? {
            attributes.gid = gid;
        }
        if let Some(name) = self.take("uname") {
            attributes.user = name;
        }
        if let Some(name) = self.take("gname") {
            attributes.group = name;
        }
        if let Some(time) = self.take("mtime") {
            self.apply_time(attributes, time)?;
        }
        // When it was read, and when its inode changed, are no properties of a tree.
        for passing in ["atime", "ctime"] {
            self.take(passing);
        }
        attributes.records = self.0;
        Ok(())
    }

    /// Fractions stay a record.
    fn apply_time(&mut self, attributes: &mut Attributes, time: Vec<u8>) -> Result<(), String> {
        let text = String::from_utf8_lossy(&time);
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let is_number = fraction.bytes().all(|byte| byte.is_ascii_digit());
        let seconds = whole.parse().ok().filter(|_| is_number);
        attributes.modified = seconds.ok_or("its pax record mtime is no time")?;
        if fraction.bytes().any(|byte| byte != b'0') {
            self.0.insert(0, ("mtime".to_owned(), time));
        }
        Ok(())
    }
}

/// The first record without its length and its line end, and what follows.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = bytes.iter().take(20).position(|byte| *byte == b' ')?;
    let length: usize = std::str::from_utf8(&bytes[..space]).ok()?.parse().ok()?;
    let record = bytes.get(space + 1..length)?;
    Some((record.strip_suffix(b"\n")?, &bytes[length..]))
}

/// Appends a record.
pub(super) fn write(records: &mut Vec<u8>, key: &str, value: &[u8]) {
    let rest = key.len() + value.len() + 3;
    // Its length counts its own digits.
    let length = (1..20).map(|digits| rest + digits).find(|length| rest + length.to_string().len() == *length);
    records.extend_from_slice(format!("{} {key}=", length.unwrap_or(rest)).as_bytes());
    records.extend_from_slice(value);
    records.push(b'\n');
}

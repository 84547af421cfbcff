//! Media types of files, by what they begin with and by how their names end.

use std::path::Path;

/// What a file's first bytes say beyond doubt.
pub(super) const STARTS: [(&[u8], &str); 12] = [
    (b"\x1f\x8b", "application/gzip"),
    (b"\x28\xb5\x2f\xfd", "application/zstd"),
    (b"\xfd7zXZ\0", "application/x-xz"),
    (b"BZh", "application/x-bzip2"),
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"\x7fELF", "application/x-executable"),
    (b"\0asm", "application/wasm"),
    (b"SQLite format 3\0", "application/vnd.sqlite3"),
    (b"-----BEGIN ", "application/x-pem-file"),
];

/// What names say, for formats that begin in no way of their own or share it with others.
pub(super) const ENDINGS: [(&str, &str); 36] = [
    ("txt", "text/plain"),
    ("log", "text/plain"),
    ("md", "text/markdown"),
    ("csv", "text/csv"),
    ("html", "text/html"),
    ("htm", "text/html"),
    ("css", "text/css"),
    ("js", "text/javascript"),
    ("mjs", "text/javascript"),
    ("xml", "application/xml"),
    ("json", "application/json"),
    ("jsonl", "application/jsonl"),
    ("yaml", "application/yaml"),
    ("yml", "application/yaml"),
    ("toml", "application/toml"),
    ("sh", "application/x-sh"),
    ("py", "text/x-python"),
    ("sql", "application/sql"),
    ("svg", "image/svg+xml"),
    ("webp", "image/webp"),
    ("ico", "image/vnd.microsoft.icon"),
    ("woff2", "font/woff2"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("tar", "application/x-tar"),
    ("zip", "application/zip"),
    ("jar", "application/java-archive"),
    ("war", "application/java-archive"),
    ("whl", "application/zip"),
    ("deb", "application/vnd.debian.binary-package"),
    ("rpm", "application/x-rpm"),
    ("iso", "application/vnd.efi.iso"),
    ("img", "application/vnd.efi.img"),
    ("pem", "application/x-pem-file"),
    ("crt", "application/x-x509-ca-cert"),
    ("sig", "application/octet-stream"),
];

/// What it is, or that nothing is known of it.
pub(super) fn media_type(path: &Path, start: &[u8]) -> &'static str {
    let by_start = STARTS.iter().find(|(begins, _)| start.starts_with(begins));
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    let by_name = ENDINGS.iter().find(|(known, _)| *known == ending);
    match (by_start, by_name) {
        (Some((_, media_type)), _) | (None, Some((_, media_type))) => media_type,
        (None, None) => "application/octet-stream",
    }
}

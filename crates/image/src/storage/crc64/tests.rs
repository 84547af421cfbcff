use super::Crc64;

fn crc(bytes: &[u8]) -> u64 {
    let mut crc = Crc64::new();
    crc.update(bytes);
    crc.value()
}

/// From a tar-split of podman's, and the check value of CRC-64/GO-ISO in the catalogue of CRC algorithms.
#[test]
fn known_sums_come_out() {
    assert_eq!(crc(b""), 0);
    assert_eq!(crc(b"hi\n"), 0x6149_9810_0000_0000);
    assert_eq!(crc(b"123456789"), 0xb909_56c7_75a4_1001);
}

#[test]
fn where_the_bytes_are_cut_does_not_matter() {
    let bytes: Vec<u8> = (0..100u8).collect();
    for at in 0..bytes.len() {
        let mut pieces = Crc64::new();
        pieces.update(&bytes[..at]);
        pieces.update(&bytes[at..]);
        assert_eq!(pieces.value(), crc(&bytes), "cut at {at}");
    }
}

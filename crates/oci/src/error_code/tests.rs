use super::*;

#[test]
fn codes_are_spelled_as_the_specification_spells_them() {
    assert_eq!(ErrorCode::BlobUploadUnknown.to_string(), "BLOB_UPLOAD_UNKNOWN");
    assert_eq!(ErrorCode::ManifestBlobUnknown.to_string(), "MANIFEST_BLOB_UNKNOWN");
    assert_eq!(ErrorCode::TooManyRequests.to_string(), "TOOMANYREQUESTS");
}

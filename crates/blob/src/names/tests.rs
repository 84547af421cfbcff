use super::*;

const ID: &str = "0190b6a1-7c00-7a3b-8f00-00000000abcd";

#[test]
fn an_upload_id_is_written_as_it_is_read() {
    assert_eq!(ID.parse::<UploadId>().unwrap().to_string(), ID);
}

#[test]
fn another_spelling_of_an_upload_id_is_refused() {
    let others = [
        ID.to_uppercase(),
        ID.replace('-', ""),
        format!("{{{ID}}}"),
        format!("urn:uuid:{ID}"),
        format!("{ID} "),
        String::new(),
        "../../etc/passwd".into(),
    ];
    for text in others {
        assert_eq!(text.parse::<UploadId>(), Err(UploadIdError), "{text}");
    }
}

use proptest::prelude::*;

use super::*;

const HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn name(text: &str) -> RepoName {
    text.parse().unwrap()
}

fn digest() -> Digest {
    format!("sha256:{HEX}").parse().unwrap()
}

#[test]
fn every_endpoint_has_its_route() {
    for (path, route) in [
        ("/v2", Route::Ping),
        ("/v2/", Route::Ping),
        ("/v2/_catalog", Route::Catalog),
        ("/v2/_oci/ext/discover", Route::Extensions(None)),
        ("/v2/a/_oci/ext/discover", Route::Extensions(Some(name("a")))),
        (&format!("/v2/a/b/blobs/sha256:{HEX}"), Route::Blob(name("a/b"), digest())),
        ("/v2/a/blobs/uploads", Route::Uploads(name("a"))),
        ("/v2/a/blobs/uploads/", Route::Uploads(name("a"))),
        ("/v2/a/blobs/uploads/0190-Ab", Route::Upload(name("a"), "0190-Ab".into())),
        ("/v2/a/manifests/v1", Route::Manifest(name("a"), "v1".parse().unwrap())),
        (&format!("/v2/a/manifests/sha256:{HEX}"), Route::Manifest(name("a"), Reference::Digest(digest()))),
        ("/v2/a/tags/list", Route::Tags(name("a"))),
        (&format!("/v2/a/referrers/sha256:{HEX}"), Route::Referrers(name("a"), digest())),
    ] {
        assert_eq!(Route::parse(path), Ok(route), "{path}");
    }
}

#[test]
fn names_may_contain_the_words_of_routes() {
    for (path, route) in [
        ("/v2/x/manifests/tags/list", Route::Tags(name("x/manifests"))),
        ("/v2/x/manifests/manifests/tags", Route::Manifest(name("x/manifests"), "tags".parse().unwrap())),
        ("/v2/x/manifests/list", Route::Manifest(name("x"), "list".parse().unwrap())),
        ("/v2/tags/list/tags/list", Route::Tags(name("tags/list"))),
        (&format!("/v2/a/blobs/uploads/blobs/sha256:{HEX}"), Route::Blob(name("a/blobs/uploads"), digest())),
        ("/v2/a/blobs/uploads/blobs/uploads/", Route::Uploads(name("a/blobs/uploads"))),
        ("/v2/a/blobs/uploads/tags/list", Route::Tags(name("a/blobs/uploads"))),
        ("/v2/blobs/uploads/blobs/uploads/id", Route::Upload(name("blobs/uploads"), "id".into())),
        (&format!("/v2/v2/referrers/referrers/sha256:{HEX}"), Route::Referrers(name("v2/referrers"), digest())),
    ] {
        assert_eq!(Route::parse(path), Ok(route), "{path}");
    }
}

#[test]
fn escapes_are_decoded_exactly_once() {
    assert_eq!(Route::parse(&format!("/v2/a/blobs/sha256%3A{HEX}")), Ok(Route::Blob(name("a"), digest())));
    assert_eq!(Route::parse("/v2/%61/%74ags/list"), Ok(Route::Tags(name("a"))));
    assert!(matches!(Route::parse(&format!("/v2/a/blobs/sha256%253A{HEX}")), Err(RouteError::Digest { .. })));
}

#[test]
fn an_escaped_slash_makes_no_new_segment() {
    for path in ["/v2/a%2Fb/tags/list", "/v2/a%2fb/manifests/v1", "/v2/%2F/tags/list"] {
        assert!(matches!(Route::parse(path), Err(RouteError::Name(_))), "{path}");
    }
    assert!(matches!(Route::parse("/v2/a/manifests/b%2Fc"), Err(RouteError::Reference { .. })));
    assert_eq!(Route::parse("/v2/a/tags%2Flist"), Err(RouteError::NotFound));
}

#[test]
fn dots_and_empty_segments_name_nothing() {
    for path in [
        "/v2/../tags/list",
        "/v2/a/../b/tags/list",
        "/v2/%2e%2e/tags/list",
        "/v2/./manifests/v1",
        "/v2//tags/list",
        "/v2/a//tags/list",
        "/v2/tags/list",
        "/v2/manifests/v1",
        "/v2/A/tags/list",
        "/v2/_x/tags/list",
        "/v2/a%00/tags/list",
        "/v2/blobs/uploads/",
        "/v2/a\\b/tags/list",
    ] {
        assert!(matches!(Route::parse(path), Err(RouteError::Name(_))), "{path}");
    }
}

#[test]
fn broken_escapes_are_told_apart() {
    for path in
        ["/v2/%zz/tags/list", "/v2/a/manifests/%", "/v2/a/manifests/%4", "/v2/%ff/tags/list", "/v2/%e9/manifests/v1"]
    {
        assert_eq!(Route::parse(path), Err(RouteError::Encoding), "{path}");
    }
}

#[test]
fn other_paths_are_not_found() {
    for path in [
        "",
        "/",
        "v2/",
        "/v1/",
        "/v2x",
        "/v22/a/tags/list",
        "/v2//",
        "/v2/a",
        "/v2/a/b",
        "/v2/a/tags",
        "/v2/a/tags/list/",
        "/v2/a/tags/list/x",
        "/v2/a/manifests/",
        "/v2/a/manifests/b/c",
        "/v2/a/blobs/",
        "/v2/_catalog/",
        "/v2/a/blobs/uploads/id/",
        "/v2/a/blobs/uploads//",
    ] {
        assert_eq!(Route::parse(path), Err(RouteError::NotFound), "{path}");
    }
}

#[test]
fn a_session_id_is_letters_digits_and_dashes() {
    assert!(Route::parse(&format!("/v2/a/blobs/uploads/{}", "x".repeat(64))).is_ok());
    for id in ["a_b", "a.b", "..", "a%2Fb", "\u{e9}", &"x".repeat(65)] {
        assert_eq!(Route::parse(&format!("/v2/a/blobs/uploads/{id}")), Err(RouteError::NotFound), "{id}");
    }
}

/// The v1.1.1 suite asks for `.INVALID_MANIFEST_NAME` and wants 404; a PUT of it is 400. So the error says which part failed.
#[test]
fn a_bad_last_part_keeps_its_repository() {
    let Err(RouteError::Reference { name: repository, text, .. }) =
        Route::parse("/v2/a/manifests/.INVALID%5fMANIFEST_NAME")
    else {
        panic!("expected a reference error");
    };
    assert_eq!((repository, text.as_str()), (name("a"), ".INVALID_MANIFEST_NAME"));
    for path in ["/v2/a/blobs/v1", "/v2/a/referrers/sha256:00", "/v2/a/blobs/md5:00"] {
        assert!(matches!(Route::parse(path), Err(RouteError::Digest { .. })), "{path}");
    }
}

fn legal_name() -> impl Strategy<Value = String> {
    let component = prop_oneof![
        Just("blobs".to_owned()),
        Just("uploads".to_owned()),
        Just("manifests".to_owned()),
        Just("tags".to_owned()),
        Just("list".to_owned()),
        Just("referrers".to_owned()),
        "[a-z0-9]{1,6}((\\.|_|__|-{1,3})[a-z0-9]{1,4}){0,2}",
    ];
    proptest::collection::vec(component, 1..6).prop_map(|components| components.join("/"))
}

fn escape(text: &str, every: usize) -> String {
    let escape = |(i, b): (usize, u8)| {
        if b != b'/' && (i + 1).is_multiple_of(every) { format!("%{b:02X}") } else { char::from(b).to_string() }
    };
    text.bytes().enumerate().map(escape).collect()
}

proptest! {
    #[test]
    fn a_path_of_any_legal_name_leads_to_it(text in legal_name(), tag in "[a-zA-Z0-9_][a-zA-Z0-9._-]{0,20}", every in 1_usize..50) {
        let digest = digest();
        for (tail, route) in [
            (format!("blobs/{digest}"), Route::Blob(name(&text), digest.clone())),
            ("blobs/uploads/".into(), Route::Uploads(name(&text))),
            ("blobs/uploads".into(), Route::Uploads(name(&text))),
            ("blobs/uploads/0-a".into(), Route::Upload(name(&text), "0-a".into())),
            (format!("manifests/{tag}"), Route::Manifest(name(&text), tag.parse().unwrap())),
            (format!("manifests/{digest}"), Route::Manifest(name(&text), Reference::Digest(digest.clone()))),
            ("tags/list".into(), Route::Tags(name(&text))),
            (format!("referrers/{digest}"), Route::Referrers(name(&text), digest.clone())),
            ("_oci/ext/discover".into(), Route::Extensions(Some(name(&text)))),
        ] {
            let path = format!("{text}/{tail}");
            prop_assert_eq!(Route::parse(&format!("/v2/{}", &path)), Ok(route.clone()));
            prop_assert_eq!(Route::parse(&format!("/v2/{}", escape(&path, every))), Ok(route));
        }
    }

    #[test]
    fn any_text_is_read_without_panic(path in "(/v2)?(/(blobs|uploads|manifests|tags|list|[^/]*))*") {
        let _ = Route::parse(&path);
    }
}

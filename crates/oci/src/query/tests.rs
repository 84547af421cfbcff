use super::*;

#[test]
fn pairs_keep_their_order_and_their_repeats() {
    let query = Query::parse(Some("scope=a&x=1&scope=b&&flag&=empty&scope="));
    assert_eq!(query.all("scope").collect::<Vec<_>>(), ["a", "b", ""]);
    assert_eq!(
        (query.get("scope"), query.get("flag"), query.get(""), query.get("none")),
        (Some("a"), Some(""), Some("empty"), None)
    );
    assert_eq!(Query::parse(None), Query::parse(Some("")));
}

#[test]
fn escapes_are_decoded_once_and_plus_is_a_space() {
    let query = Query::parse(Some("digest=sha256%3Aab&twice=%253A&type=a%2Fb%2Bjson+x&k%65y=v=w%26"));
    assert_eq!(query.get("digest"), Some("sha256:ab"));
    assert_eq!(query.get("twice"), Some("%3A"));
    assert_eq!(query.get("type"), Some("a/b+json x"));
    assert_eq!(query.get("key"), Some("v=w&"));
}

#[test]
fn what_does_not_decode_stays_as_written() {
    let query = Query::parse(Some("a=%zz&b=100%&c=%4&d=%ff+1"));
    assert_eq!((query.get("a"), query.get("b"), query.get("c")), (Some("%zz"), Some("100%"), Some("%4")));
    assert_eq!(query.get("d"), Some("%ff+1"));
}

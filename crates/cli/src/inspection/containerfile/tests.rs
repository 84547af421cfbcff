use super::*;

fn one(created_by: &str) -> String {
    instruction(&HistoryEntry { created_by: created_by.into(), ..HistoryEntry::default() })
}

#[test]
fn every_builders_words_become_a_containerfiles() {
    for (by, expected) in [
        ("/bin/sh -c #(nop)  CMD [\"sh\"]", "CMD [\"sh\"]"),
        ("/bin/sh -c #(nop) ADD file:1234abcd in / ", "ADD file:1234abcd /"),
        ("/bin/sh -c #(nop) COPY dir:12 in /srv in here", "COPY dir:12 /srv in here"),
        ("/bin/sh -c apt-get update", "RUN apt-get update"),
        ("|2 A=1 B=two words /bin/sh -c make $A", "RUN make $A"),
        ("RUN /bin/sh -c make # buildkit", "RUN make"),
        ("RUN |1 V=2 /bin/sh -c make $V # buildkit", "RUN make $V"),
        ("COPY . /srv # buildkit", "COPY . /srv"),
        ("ENV PATH=/usr/bin", "ENV PATH=/usr/bin"),
        ("bazel build ...", "RUN bazel build ..."),
    ] {
        assert_eq!(one(by), expected, "of {by}");
    }
}

#[test]
fn a_step_without_a_command_keeps_its_comment() {
    let entry = HistoryEntry { comment: "Imported from -".into(), ..HistoryEntry::default() };
    assert_eq!(instructions(&[entry]), ["# Imported from -"]);
}

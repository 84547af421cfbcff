//! File descriptors: as many as the machine allows, and a word when they cannot be enough.
//!
//! A shell and systemd give a process a soft limit of 1,024 for the sake of programs that use select(2), which nothing here does.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// A connection, and the blob or upload that it moves.
const FOR_A_CONNECTION: u64 = 2;

/// Lifts the soft limit to the hard one, and warns when that is too little for so many connections.
pub(crate) fn raise(connections: u32) {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let lifted = Rlimit { current: limit.maximum, maximum: limit.maximum };
        // A sandbox may refuse; the server runs with what it has.
        if let Err(error) = setrlimit(Resource::Nofile, lifted) {
            tracing::warn!(%error, "cannot raise the limit of open files");
        }
    }
    if let Some(shortage) = shortage(getrlimit(Resource::Nofile).current, connections) {
        tracing::warn!("{shortage}");
    }
}

/// What is wrong with `may_open` descriptors; `None` of them is any number.
fn shortage(may_open: Option<u64>, connections: u32) -> Option<String> {
    let (may_open, needed) = (may_open?, FOR_A_CONNECTION * u64::from(connections));
    (may_open < needed).then(|| {
        format!(
            "limits.connections = {connections} may need {needed} open files, and this process may have {may_open}: \
             raise LimitNOFILE= (ulimit -Hn), or lower limits.connections"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_becomes_the_hard_one() {
        let before = getrlimit(Resource::Nofile);
        let soft = before.maximum.map_or(512, |hard| hard.min(512));
        setrlimit(Resource::Nofile, Rlimit { current: Some(soft), ..before }).unwrap();
        raise(1);
        assert_eq!(getrlimit(Resource::Nofile), Rlimit { current: before.maximum, maximum: before.maximum });
    }

    #[test]
    fn too_few_for_the_connections_are_told_with_what_to_do() {
        assert_eq!(shortage(None, 4096), None);
        assert_eq!(shortage(Some(8192), 4096), None);
        let told = shortage(Some(8191), 4096).unwrap();
        assert!(told.contains("4096") && told.contains("8192") && told.contains("LimitNOFILE"), "{told}");
    }
}

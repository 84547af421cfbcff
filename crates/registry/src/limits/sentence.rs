//! What a refusal says.

use std::time::Duration;

use super::{Class, Per};

/// Names the limit, what it allows and when to come back.
pub(crate) fn sentence(class: Class, per: Per, requests: u64, window: Duration, wait: Duration) -> String {
    let (window, wait) = (spoken(window), roughly(wait));
    let (what, whose, advice) = match (class, per) {
        (Class::SignIns, Per::Caller) => ("wrong passwords for this user", "from one address", ", or use a token"),
        (Class::SignIns, Per::Anonymous) => {
            ("wrong passwords for this user", "from strange addresses", ", or use a token")
        }
        (Class::SignIns, _) => ("wrong passwords", "from one address", ", or use a token"),
        (Class::ManifestPulls, per) => ("manifest pulls", whose(per), advice(per)),
        (Class::BlobPulls, per) => ("blob pulls", whose(per), advice(per)),
        (Class::Pushes, per) => ("pushes", whose(per), advice(per)),
        (Class::Tokens, per) => ("requests for tokens", whose(per), advice(per)),
        (Class::Changes, per) => ("changes", whose(per), advice(per)),
        (Class::Lists, per) => ("searches and lists", whose(per), advice(per)),
    };
    format!(
        "too many {what}: the limit {class}/{per} allows {requests} in {window} {whose}; come back in {wait}{advice}"
    )
}

fn whose(per: Per) -> &'static str {
    match per {
        Per::Caller => "to each user and robot",
        Per::Anonymous => "to each address without signing in",
        Per::Address => "to each address",
        Per::Repository => "in each repository",
    }
}

fn advice(per: Per) -> &'static str {
    if per == Per::Anonymous { ", or sign in" } else { "" }
}

const UNITS: [(u64, &str); 3] = [(86_400, "day"), (3600, "hour"), (60, "minute")];

/// `90 seconds`, `1 hour`: in the largest unit that is exact, parts of a second as a whole one.
fn spoken(duration: Duration) -> String {
    let seconds = wharf_oci::retry_after(duration).max(1);
    let (length, unit) = UNITS.into_iter().find(|(length, _)| seconds.is_multiple_of(*length)).unwrap_or((1, "second"));
    counted(seconds / length, unit)
}

/// `90 seconds`, `4 hours`: rounded up, in the largest unit of which there are two.
fn roughly(duration: Duration) -> String {
    let seconds = wharf_oci::retry_after(duration).max(1);
    let (length, unit) = UNITS.into_iter().find(|(length, _)| seconds >= 2 * length).unwrap_or((1, "second"));
    counted(seconds.div_ceil(length), unit)
}

fn counted(count: u64, unit: &str) -> String {
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

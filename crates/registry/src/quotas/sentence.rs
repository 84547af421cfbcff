//! What is said when a quota is used up.

use wharf_meta::{OverQuota, QuotaOf};

/// Says what is used up, how far, what was asked for, and what to do.
pub(crate) fn sentence(over: &OverQuota) -> String {
    let OverQuota { org, resource, used, reserved, limit, wanted } = over;
    let greater = "or ask an administrator for a greater quota";
    match resource {
        QuotaOf::Bytes => {
            let under_way = match reserved {
                0 => String::new(),
                _ => format!(" and reserved {} for pushes under way", size(*reserved)),
            };
            let wanted = if *wanted > 0 { format!("; this needs {} more", size(*wanted)) } else { String::new() };
            // Layers of deleted tags and manifests stay until they are collected.
            let advice = "delete a repository or blobs that are not needed any more";
            let (limit, used) = (size(*limit), size(*used));
            format!("org {org} may keep {limit}, has used {used}{under_way}{wanted}: {advice}, {greater}")
        }
        QuotaOf::Repositories => {
            format!("org {org} may have {limit} repositories and has {used}: delete one, {greater}")
        }
        QuotaOf::Tags => {
            format!("org {org} may have {limit} tags and has {used}; this needs {wanted} more: delete some, {greater}")
        }
    }
}

/// `9.5 GiB`: in the largest unit that fits, rounded down.
fn size(bytes: u64) -> String {
    let units = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let Some((unit, shift)) = units.into_iter().find(|(_, shift)| bytes >> shift > 0) else {
        return format!("{bytes} bytes");
    };
    let (whole, tenth) = (bytes >> shift, ((bytes & ((1 << shift) - 1)) * 10) >> shift);
    if tenth == 0 { format!("{whole} {unit}") } else { format!("{whole}.{tenth} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_is_used_what_is_allowed_what_was_asked_for_and_what_to_do() {
        let over = |resource, reserved, wanted| OverQuota {
            org: "team".into(),
            resource,
            used: 9 << 30,
            reserved,
            limit: (10 << 30) + (1 << 29),
            wanted,
        };
        let advice =
            "delete a repository or blobs that are not needed any more, or ask an administrator for a greater quota";
        assert_eq!(
            sentence(&over(QuotaOf::Bytes, 0, 0)),
            format!("org team may keep 10.5 GiB, has used 9 GiB: {advice}")
        );
        assert_eq!(
            sentence(&over(QuotaOf::Bytes, 1500, 2 << 40)),
            format!(
                "org team may keep 10.5 GiB, has used 9 GiB and reserved 1.4 KiB for pushes under way; this needs 2 TiB more: {advice}"
            )
        );
        let few = |resource| sentence(&OverQuota { used: 9, limit: 10, ..over(resource, 0, 2) });
        assert!(few(QuotaOf::Repositories).starts_with("org team may have 10 repositories and has 9: delete one,"));
        assert!(few(QuotaOf::Tags).starts_with("org team may have 10 tags and has 9; this needs 2 more: delete some,"));
        assert_eq!(
            (size(0), size(1023), size(u64::MAX)),
            ("0 bytes".into(), "1023 bytes".into(), "16777215.9 TiB".into())
        );
    }
}

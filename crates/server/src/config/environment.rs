//! Settings from `WHARF_*`. Whatever begins so is ours: an unknown one is a typing error, unless it is listed here.

use std::collections::BTreeMap;

use super::given::Given;
use super::suggest::{nearest, with_hint};
use super::{Origin, Problem, Raw, settings};

/// Read by somebody else: the last two by the user's commands.
const RESERVED: [&str; 5] =
    ["WHARF_CONFIG", "WHARF_ADMIN_PASSWORD", "WHARF_ADMIN_PASSWORD_FILE", "WHARF_CONFIG_HOME", "WHARF_CONTEXT"];

/// Of the tests and fuzz targets, whose servers inherit their environment.
const OF_TESTS: [&str; 2] = ["WHARF_E2E_", "WHARF_FUZZ_"];

pub(super) fn read(env: &BTreeMap<String, String>, problems: &mut Vec<Problem>) -> Vec<Given> {
    let mut given = vec![];
    for (name, value) in env.iter().filter(|(name, _)| name.starts_with("WHARF_")) {
        if let Some(setting) = settings().find(|setting| setting.env() == *name) {
            given.push(Given { setting, raw: Ok(Raw::Text(value.clone())), origin: Origin::Env(name.clone()) });
        } else if !is_foreign(name) {
            let names = settings().map(super::Setting::env).chain(RESERVED.map(String::from));
            let message = with_hint("no setting has this name", nearest(name, names));
            problems.push(Problem::new(name, message));
        }
    }
    given
}

pub(super) fn is_foreign(name: &str) -> bool {
    RESERVED.contains(&name) || OF_TESTS.iter().any(|prefix| name.starts_with(prefix)) || is_from_kubernetes(name)
}

/// For a Service named `wharf`, the obvious name, Kubernetes puts `WHARF_SERVICE_HOST`, `WHARF_SERVICE_PORT[_<name>]`,
/// `WHARF_PORT` and `WHARF_PORT_<n>_TCP[_…]` into every pod of its namespace, the registry's own included
/// (kubernetes.io, Accessing the Service): refusing them would keep the server from starting there.
fn is_from_kubernetes(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("WHARF_") else { return false };
    if matches!(rest, "SERVICE_HOST" | "SERVICE_PORT" | "PORT") || rest.starts_with("SERVICE_PORT_") {
        return true;
    }
    let Some((port, protocol)) = rest.strip_prefix("PORT_").and_then(|rest| rest.split_once('_')) else { return false };
    let (protocol, detail) = protocol.split_once('_').unwrap_or((protocol, "ADDR"));
    port.parse::<u16>().is_ok()
        && matches!(protocol, "TCP" | "UDP" | "SCTP")
        && matches!(detail, "ADDR" | "PORT" | "PROTO")
}

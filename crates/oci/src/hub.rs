//! Docker Hub, the one registry that goes by several names: images call it one, its API answers at another, and what
//! docker keeps for it is under a third.

/// As images name it.
pub const NAME: &str = "docker.io";
/// Where its images are served.
pub const API: &str = "registry-1.docker.io";
/// As docker's files and helpers name it.
pub const KEY: &str = "https://index.docker.io/v1/";

/// Whether that is a host of its.
pub fn is_it(host: &str) -> bool {
    matches!(host, NAME | API | "index.docker.io" | "registry.hub.docker.com")
}

/// The host as images name it.
pub fn name_of(host: &str) -> &str {
    if is_it(host) { NAME } else { host }
}

/// Where the host's images are served.
pub fn api_of(host: &str) -> &str {
    if is_it(host) { API } else { host }
}

/// The host that somebody means by a URL of it, or by itself.
pub fn host_of(text: &str) -> &str {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    name_of(rest.map_or(text, |rest| rest.split('/').next().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::{API, KEY, NAME, api_of, host_of, name_of};

    #[test]
    fn docker_hub_is_one_registry_by_all_its_names() {
        for text in [NAME, API, KEY, "index.docker.io", "https://registry.hub.docker.com", "http://docker.io/x"] {
            assert_eq!(host_of(text), NAME, "{text}");
        }
        assert_eq!((name_of(API), api_of("index.docker.io")), (NAME, API));
        for host in ["quay.io", "docker.io.example.com", "127.0.0.1:5000"] {
            assert_eq!([host_of(host), name_of(host), api_of(host)], [host; 3]);
        }
        assert_eq!(host_of("https://r.example:5000/v1/"), "r.example:5000");
    }
}

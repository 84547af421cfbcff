//! What must hold between settings, and the bounds of single ones.

use std::time::Duration;

use super::value::{ByteSize, Item};
use super::{Config, Loaded, Problem};

/// A broken rule: the settings it is about, the one to change first, and what to do.
struct Broken(&'static [&'static str], String);

/// A setting whose own value could not be taken (`failed`) says nothing about the others.
pub(super) fn broken(loaded: &Loaded, failed: &[&str]) -> Vec<Problem> {
    let mut found = vec![];
    tls(&loaded.config, &mut found);
    access(&loaded.config, &mut found);
    proxy(&loaded.config, &mut found);
    listeners(&loaded.config, &mut found);
    bounds(&loaded.config, &mut found);
    found.retain(|Broken(keys, _)| !keys.iter().any(|key| failed.contains(key)));
    let problem = |Broken(keys, message): Broken| Problem::new(loaded.origin(keys[0]).place(keys[0]), message);
    found.into_iter().map(problem).collect()
}

fn tls(config: &Config, found: &mut Vec<Broken>) {
    let tls = &config.tls;
    let mut require = |holds: bool, keys, message: &str| {
        if !holds {
            found.push(Broken(keys, message.into()));
        }
    };
    let (certificate, key) = (tls.certificate.is_some(), tls.key.is_some());
    require(!certificate || key, &["tls.certificate", "tls.key"], "needs its private key: give tls.key as well");
    require(
        !key || certificate,
        &["tls.key", "tls.certificate"],
        "needs its certificate: give tls.certificate as well",
    );
    let both = "excludes tls.certificate: give a certificate, or have one made";
    require(!(tls.self_signed && certificate), &["tls.self_signed", "tls.certificate"], both);
    let idle = "only goes into a self-signed certificate: set tls.self_signed, or leave tls.names out";
    require(tls.self_signed || tls.names.is_empty(), &["tls.names", "tls.self_signed"], idle);
}

fn access(config: &Config, found: &mut Vec<Broken>) {
    if !config.token_auth && config.anonymous == super::Anonymous::Pull {
        let message = "needs token_auth: clients without an account pull with a token that anybody gets";
        found.push(Broken(&["anonymous", "token_auth"], message.into()));
    }
}

fn proxy(config: &Config, found: &mut Vec<Broken>) {
    if config.proxy_protocol && config.trusted_proxies.is_empty() {
        let message = "has no effect without trusted_proxies: give the addresses of the load balancer";
        found.push(Broken(&["proxy_protocol", "trusted_proxies"], message.into()));
    }
}

fn listeners(config: &Config, found: &mut Vec<Broken>) {
    for (n, one) in config.listen.iter().enumerate() {
        if let Some(other) = config.listen[..n].iter().find(|other| one.overlaps(other)) {
            let message = format!("{other} and {one} cannot both be listened on: leave one out");
            found.push(Broken(&["listen"], message));
        }
    }
    let Some(metrics) = &config.metrics.listen else { return };
    if let Some(main) = config.listen.iter().find(|main| metrics.overlaps(main)) {
        let message = format!(
            "{metrics} is taken by the registry itself ({main}): choose another port, or leave it out, as /metrics is there too"
        );
        found.push(Broken(&["metrics.listen", "listen"], message));
    }
}

fn bounds(config: &Config, found: &mut Vec<Broken>) {
    let limits = &config.limits;
    let (kib, second) = (ByteSize::kib(1), Duration::from_secs(1));
    let mut within = Within(found);
    within.at_least(&["limits.manifest_size"], &limits.manifest_size, &kib);
    // Manifests are held in memory and in database rows.
    within.at_most(&["limits.manifest_size"], &limits.manifest_size, &ByteSize::mib(64));
    // Less is not a buffer that hyper can work with.
    within.at_least(&["limits.header_size"], &limits.header_size, &ByteSize::kib(8));
    within.at_least(&["limits.url_size"], &limits.url_size, &kib);
    // More does not fit http::Uri.
    within.at_most(&["limits.url_size"], &limits.url_size, &ByteSize::kib(64));
    within.at_least(&["limits.header_timeout"], &limits.header_timeout, &second);
    within.at_least(&["limits.body_idle"], &limits.body_idle, &second);
    within.at_least(&["limits.uploads"], &limits.uploads, &1);
    within.at_least(&["limits.connections"], &limits.connections, &1);
    within.at_least(&["limits.tags_page"], &limits.tags_page, &1);
    within.at_least(&["uploads.expire"], &config.uploads.expire, &(second * 60));
    within.at_least(&["uploads.checkpoint"], &config.uploads.checkpoint, &ByteSize::mib(1));
    // What a crash may cost a client is a promise, not a preference.
    within.at_most(&["uploads.checkpoint"], &config.uploads.checkpoint, &ByteSize::mib(64));
    // Clients take a token without or with a shorter lifetime for one of 60 seconds (docker token specification).
    within.at_least(&["tokens.lifetime"], &config.tokens.lifetime, &(second * 60));
    within.at_least(&["audit.keep"], &config.audit.keep, &(second * 3600));
    within.at_least(&["audit.size"], &config.audit.size, &ByteSize::mib(1));
    let refresh = &["tokens.refresh_lifetime", "tokens.lifetime"];
    within.at_least(refresh, &config.tokens.refresh_lifetime, &config.tokens.lifetime);
}

struct Within<'a>(&'a mut Vec<Broken>);

impl Within<'_> {
    fn at_least<T: Item + PartialOrd>(&mut self, keys: &'static [&'static str], value: &T, least: &T) {
        if value < least {
            self.0.push(Broken(keys, format!("{} is too little: at least {}", value.show(), least.show())));
        }
    }

    fn at_most<T: Item + PartialOrd>(&mut self, keys: &'static [&'static str], value: &T, most: &T) {
        if value > most {
            self.0.push(Broken(keys, format!("{} is too much: at most {}", value.show(), most.show())));
        }
    }
}

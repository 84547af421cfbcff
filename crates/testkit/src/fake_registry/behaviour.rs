//! What a registry should do.

use std::collections::{BTreeMap, HashMap};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use wharf_oci::{Algorithm, Digest, MediaType};

use super::{Answer, Door, Request, USER, USER_PASSWORD};

type Named = (String, String);

pub(super) struct State {
    host: String,
    pub(super) door: Door,
    pub(super) page_size: usize,
    pub(super) has_referrers: bool,
    pub(super) blobs: HashMap<Named, Vec<u8>>,
    /// By repository, and tag or digest: type and bytes.
    pub(super) manifests: BTreeMap<Named, (String, Vec<u8>)>,
    /// By id.
    pub(super) uploads: HashMap<String, Vec<u8>>,
    /// Scopes by token.
    pub(super) tokens: HashMap<String, String>,
    pub(super) asked: Vec<Request>,
    made: usize,
}

impl State {
    pub(super) fn new(host: &str) -> Self {
        Self {
            host: host.into(),
            door: Door::Open,
            page_size: usize::MAX,
            has_referrers: true,
            blobs: HashMap::new(),
            manifests: BTreeMap::new(),
            uploads: HashMap::new(),
            tokens: HashMap::new(),
            asked: vec![],
            made: 0,
        }
    }

    pub(super) fn keep_manifest(&mut self, name: &str, reference: &str, media_type: &str, bytes: &[u8]) -> Digest {
        let digest = Digest::of(Algorithm::Sha256, bytes);
        for reference in [reference, digest.as_str()] {
            self.manifests.insert((name.into(), reference.into()), (media_type.into(), bytes.to_vec()));
        }
        digest
    }

    pub(super) fn answer(&mut self, request: &Request) -> Answer {
        let path = request.path().to_owned();
        if path == "/token" {
            return self.token(request);
        }
        if let Some(refusal) = self.turned_away(request) {
            return refusal;
        }
        if path == "/v2/" {
            return Answer::new(200).json(&json!({}));
        }
        if path == "/v2/_catalog" {
            let mut names: Vec<&str> = self.manifests.keys().map(|(name, _)| name.as_str()).collect();
            names.dedup();
            return self.page(request, "repositories", &names);
        }
        let Some(rest) = path.strip_prefix("/v2/") else { return unknown("NOT_FOUND") };
        for part in ["/blobs/uploads/", "/blobs/", "/manifests/", "/referrers/", "/tags/"] {
            if let Some((name, last)) = rest.split_once(part) {
                return match part {
                    "/blobs/uploads/" => self.upload(request, name, last),
                    "/blobs/" => self.blob(request, name, last),
                    "/manifests/" => self.manifest(request, name, last),
                    "/referrers/" => self.referrers(request, name, last),
                    _ => self.tags(request, name),
                };
            }
        }
        unknown("NAME_UNKNOWN")
    }

    fn token(&mut self, request: &Request) -> Answer {
        let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{USER}:{USER_PASSWORD}")));
        let form: HashMap<_, _> = url::form_urlencoded::parse(&request.body).into_owned().collect();
        let is_refresh = form.get("refresh_token").is_some_and(|token| token == "refresh-jane");
        if !is_refresh && request.header("authorization") != Some(&basic) {
            let words = json!({ "errors": [{ "code": "UNAUTHORIZED", "message": "wrong name or password" }] });
            return Answer::new(401).json(&words);
        }
        self.made += 1;
        let token = format!("token-{}", self.made);
        let query = request.target.split_once('?').map_or("", |(_, query)| query);
        let asked = url::form_urlencoded::parse(query.as_bytes()).chain(url::form_urlencoded::parse(&request.body));
        let scopes = asked.filter(|(key, _)| key == "scope").map(|(_, value)| value.into_owned());
        let scopes = scopes.collect::<Vec<_>>().join(" ");
        self.tokens.insert(token.clone(), scopes);
        Answer::new(200).json(&json!({ "token": token, "expires_in": 300 }))
    }

    /// The 401, unless what the request shows is good for it.
    fn turned_away(&self, request: &Request) -> Option<Answer> {
        let shown = request.header("authorization").unwrap_or_default();
        let words = json!({ "errors": [{ "code": "UNAUTHORIZED", "message": "sign in first" }] });
        let refusal = Answer::new(401).json(&words);
        match self.door {
            Door::Open => None,
            Door::Basic => {
                let good = format!("Basic {}", BASE64_STANDARD.encode(format!("{USER}:{USER_PASSWORD}")));
                (shown != good).then(|| refusal.set("www-authenticate", "Basic realm=\"fake\""))
            }
            Door::Tokens => {
                let scope = scope(request);
                let known = shown.strip_prefix("Bearer ").and_then(|token| self.tokens.get(token));
                if known.is_some_and(|scopes| scope.is_empty() || covers(scopes, &scope)) {
                    return None;
                }
                let error = if known.is_some() { ",error=\"insufficient_scope\"" } else { "" };
                let realm =
                    format!("Bearer realm=\"http://{}/token\",service=\"fake\",scope=\"{scope}\"{error}", self.host);
                Some(refusal.set("www-authenticate", realm))
            }
        }
    }

    fn blob(&self, request: &Request, name: &str, digest: &str) -> Answer {
        let Some(bytes) = self.blobs.get(&(name.into(), digest.into())) else { return unknown("BLOB_UNKNOWN") };
        let answer =
            Answer::new(200).set("docker-content-digest", digest).set("content-type", "application/octet-stream");
        let from =
            request.header("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
        match from {
            Some(from) if from < bytes.len() => {
                let range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
                answer.status(206).set("content-range", range).body(&bytes[from..])
            }
            Some(_) => Answer::new(416),
            None => answer.body(bytes.clone()),
        }
    }

    fn upload(&mut self, request: &Request, name: &str, id: &str) -> Answer {
        let location = |id: &str| format!("/v2/{name}/blobs/uploads/{id}?state=secret-state");
        if request.method == "POST" {
            let from = request.query("from").zip(request.query("mount"));
            if let Some((from, digest)) = from
                && let Some(bytes) = self.blobs.get(&(from, digest.clone())).cloned()
            {
                self.blobs.insert((name.into(), digest.clone()), bytes);
                return Answer::new(201).set("location", format!("/v2/{name}/blobs/{digest}"));
            }
            self.made += 1;
            let id = format!("upload-{}", self.made);
            self.uploads.insert(id.clone(), vec![]);
            return Answer::new(202).set("location", location(&id)).set("range", "0-0");
        }
        let Some(have) = self.uploads.get_mut(id) else { return unknown("BLOB_UPLOAD_UNKNOWN") };
        let begins = request.header("content-range").and_then(|range| range.split_once('-')?.0.parse::<usize>().ok());
        let fits = begins.is_none_or(|begins| begins == have.len());
        if fits && matches!(request.method.as_str(), "PATCH" | "PUT") {
            have.extend_from_slice(&request.body);
        }
        let range = format!("0-{}", have.len().saturating_sub(1));
        let known = |status| Answer::new(status).set("location", location(id)).set("range", &range);
        match request.method.as_str() {
            "PATCH" => known(if fits { 202 } else { 416 }),
            "GET" => known(204),
            "DELETE" => {
                self.uploads.remove(id);
                Answer::new(204)
            }
            _ => {
                let digest = request.query("digest").unwrap_or_default();
                // Whoever is cut while the last bytes come has not ended it.
                let Ok(wanted) = digest.parse::<Digest>() else { return refusal(400, "DIGEST_INVALID") };
                let announced = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
                if request.body.len() < announced {
                    return known(202);
                }
                let have = self.uploads.remove(id).expect("it was there");
                if Digest::of(wanted.algorithm(), &have) != wanted {
                    return refusal(400, "DIGEST_INVALID");
                }
                self.blobs.insert((name.into(), digest.clone()), have);
                let location = format!("/v2/{name}/blobs/{digest}");
                Answer::new(201).set("location", location).set("docker-content-digest", digest)
            }
        }
    }

    fn manifest(&mut self, request: &Request, name: &str, reference: &str) -> Answer {
        let key = (name.to_owned(), reference.to_owned());
        match request.method.as_str() {
            "PUT" => {
                let media_type = request.header("content-type").unwrap_or_default();
                let digest = self.keep_manifest(name, reference, media_type, &request.body);
                let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
                let answer = Answer::new(201).set("docker-content-digest", &digest);
                match body["subject"]["digest"].as_str().filter(|_| self.has_referrers) {
                    Some(subject) => answer.set("oci-subject", subject),
                    None => answer,
                }
            }
            "DELETE" => match self.manifests.remove(&key) {
                Some(_) => Answer::new(202),
                None => unknown("MANIFEST_UNKNOWN"),
            },
            _ => match self.manifests.get(&key) {
                Some((media_type, bytes)) => {
                    let digest = Digest::of(Algorithm::Sha256, bytes);
                    let answer = Answer::new(200).set("content-type", media_type).set("docker-content-digest", digest);
                    answer.body(bytes.clone())
                }
                None => unknown("MANIFEST_UNKNOWN"),
            },
        }
    }

    fn referrers(&self, request: &Request, name: &str, subject: &str) -> Answer {
        if !self.has_referrers {
            return unknown("NOT_FOUND");
        }
        let mut found = vec![];
        for ((of, reference), (media_type, bytes)) in &self.manifests {
            let body: Value = serde_json::from_slice(bytes).unwrap_or_default();
            if of == name && reference.contains(':') && body["subject"]["digest"] == subject {
                found.push(json!({ "mediaType": media_type, "digest": reference, "size": bytes.len(),
                    "artifactType": body["artifactType"] }));
            }
        }
        let asked = request.query("artifactType");
        found.retain(|entry| asked.as_ref().is_none_or(|asked| entry["artifactType"] == **asked));
        let index = json!({ "schemaVersion": 2, "mediaType": MediaType::OCI_INDEX, "manifests": found });
        let answer = Answer::new(200).json(&index).set("content-type", MediaType::OCI_INDEX);
        if asked.is_some() { answer.set("oci-filters-applied", "artifactType") } else { answer }
    }

    fn tags(&self, request: &Request, name: &str) -> Answer {
        let tags: Vec<&str> = self
            .manifests
            .keys()
            .filter(|(of, at)| of == name && !at.contains(':'))
            .map(|(_, at)| at.as_str())
            .collect();
        self.page(request, "tags", &tags)
    }

    fn page(&self, request: &Request, member: &str, all: &[&str]) -> Answer {
        let last = request.query("last").unwrap_or_default();
        let left: Vec<&&str> = all.iter().filter(|entry| **entry > last.as_str()).collect();
        let page: Vec<&&str> = left.iter().copied().take(self.page_size).collect();
        let answer = Answer::new(200).json(&json!({ member: page }));
        match page.last() {
            Some(end) if page.len() < left.len() => {
                answer.set("link", format!("<{}?last={end}>; rel=\"next\"", request.path()))
            }
            _ => answer,
        }
    }
}

fn scope(request: &Request) -> String {
    let name = request.path().strip_prefix("/v2/").unwrap_or_default();
    let end = ["/blobs/", "/manifests/", "/referrers/", "/tags/"].iter().find_map(|part| name.find(part));
    let actions = match request.method.as_str() {
        "GET" | "HEAD" => "pull",
        "DELETE" if request.path().contains("/manifests/") => "delete",
        _ => "pull,push",
    };
    end.map(|end| format!("repository:{}:{actions}", &name[..end])).unwrap_or_default()
}

/// Whether one of the scopes has all actions of the wanted one.
fn covers(scopes: &str, wanted: &str) -> bool {
    let (resource, actions) = wanted.rsplit_once(':').expect("a scope");
    scopes.split(' ').filter_map(|scope| scope.rsplit_once(':')).any(|(known, given)| {
        known == resource && actions.split(',').all(|action| given.split(',').any(|one| one == action))
    })
}

fn unknown(code: &str) -> Answer {
    refusal(404, code)
}

fn refusal(status: u16, code: &str) -> Answer {
    Answer::new(status).json(&json!({ "errors": [{ "code": code, "message": format!("{code}, says the fake") }] }))
}

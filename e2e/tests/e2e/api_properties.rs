//! The admin API against its own OpenAPI document: schemathesis makes requests of it, right ones and wrong ones, and
//! judges every answer. No 5xx, no status, media type or body that the document does not describe, nothing accepted that
//! it forbids, nothing done for somebody who is not signed in.
//!
//! The same requests at every run: neither seed nor stored examples change them.

use wharf_e2e::{Sandbox, Setup, Wharf, say, since_start};

/// Where what the document allows may still be refused with 400: it depends on what there is, on two fields together, or
/// on how many components a name has.
const DEPENDS: [&str; 20] = [
    "getRepository",
    "getContents",
    "listTags",
    "deleteTag",
    "listManifests",
    "getManifest",
    "deleteManifest",
    "explainAccess",
    "listAudit",
    "listGrants",
    "createGrant",
    "listOwnSessions",
    "listUserSessions",
    "createOwnToken",
    "createRobotToken",
    "createRepository",
    "createTrustRule",
    "createProvider",
    "changeOwnPassword",
    "setLimit",
];

/// With these an administrator can shut out whoever is asking: they come last, and nothing is learnt from a 401 then.
const LOCKS_OUT: [&str; 5] = ["updateUser", "deleteUser", "resetPassword", "setLimit", "unsetLimit"];

/// What may come of a request that the document allows.
const EXPECTED: &str = r#""2xx", "401", "403", "404", "409", "412", "429""#;

/// Also requests that are made up, not only those that the document's bounds suggest.
const FUZZING: &str = "--phases examples,coverage,fuzzing";

/// The operations that may answer 400 to what the document allows: those of [`DEPENDS`], and those that take `If-Match`,
/// since the tool counts what it breaks of a header as right.
fn may_refuse() -> Vec<String> {
    let document: serde_json::Value =
        serde_json::from_str(include_str!("../../../docs/reference/openapi.json")).unwrap();
    let operations = document["paths"].as_object().unwrap().values().filter_map(|path| path.as_object()).flatten();
    let conditional = operations.map(|(_method, operation)| operation).filter(|operation| {
        let parameters = operation["parameters"].as_array().map_or(&[][..], Vec::as_slice);
        parameters.iter().any(|parameter| parameter["name"] == "If-Match")
    });
    let ids = conditional.map(|operation| operation["operationId"].as_str().unwrap());
    DEPENDS.into_iter().chain(ids).map(|id| format!("\"{id}\"")).collect()
}

/// A run of the tool.
struct Run<'w> {
    wharf: &'w Wharf,
    sandbox: Sandbox,
    /// More of its arguments.
    arguments: String,
}

impl<'w> Run<'w> {
    /// As nobody, or with that access token.
    fn new(wharf: &'w Wharf, token: Option<&str>) -> Self {
        let mut sandbox = Sandbox::of(wharf);
        let auth = if token.is_some() { "[auth.openapi.bearer]\nbearer = \"${WHARF_TOKEN}\"\n" } else { "" };
        // The environment, since a command line is for everybody to read.
        sandbox.set("WHARF_TOKEN", token.unwrap_or_default());
        let config = format!(
            "warnings = false\n{auth}\
             [generation]\ndeterministic = true\ndatabase = \"none\"\nmax-examples = 8\n\
             [checks.positive_data_acceptance]\nexpected-statuses = [{EXPECTED}]\n\
             [[operations]]\ninclude-operation-id = [{}]\n\
             checks.positive_data_acceptance.expected-statuses = [{EXPECTED}, \"400\"]\n",
            may_refuse().join(", ")
        );
        std::fs::write(sandbox.path("work/schemathesis.toml"), config).unwrap();
        Self { wharf, sandbox, arguments: String::new() }
    }

    fn with(mut self, arguments: &str) -> Self {
        self.arguments = format!("{} {arguments}", self.arguments);
        self
    }

    /// Without a finding, in at least so many requests.
    fn finds_nothing(self, what: &str, least: usize) {
        let start = since_start();
        let (config, url) = (self.sandbox.at("work/schemathesis.toml"), self.wharf.url());
        let line = format!(
            "schemathesis --config-file {config} run {url}/api/v1/openapi.json --no-color --workers 2 \
             --suppress-health-check all --continue-on-failure {}",
            self.arguments
        );
        let ran = self.sandbox.run(&line);
        let findings = ran.stdout.split("= FAILURES =").nth(1).unwrap_or(&ran.stdout);
        assert!(ran.status.success(), "{what}: {findings}{}", ran.stderr);
        let output = ran.ok();
        let cases = output.lines().find_map(|line| line.trim().split_once(" generated, "));
        let cases: usize = cases.unwrap_or_else(|| panic!("{output}")).0.parse().unwrap();
        assert!(cases >= least, "only {cases} requests: {output}");
        say(&format!("{what}: {cases} requests in {:.1?}", since_start().saturating_sub(start)));
    }
}

/// An access token for the admin API.
fn token(wharf: &Wharf, user: &str, password: &str) -> String {
    let path = "/token?service=wharf&scope=registry:api:*";
    let answer = wharf.anonymous().basic(user, password).get(path).expect(200);
    answer.json()["token"].as_str().unwrap().to_owned()
}

fn selected(option: &str) -> String {
    LOCKS_OUT.map(|id| format!("{option} {id}")).join(" ")
}

#[test]
fn the_admin_api_keeps_to_its_document() {
    let wharf = Setup::new().start();
    let admin = wharf.api();
    let json = [("Content-Type", "application/json")];
    // Wrong credentials are part of the test, and come from one address.
    for per in ["caller", "anonymous", "address"] {
        let body = br#"{"requests":null,"seconds":60}"#;
        admin.send("PUT", &format!("/api/v1/limits/sign-ins/{per}"), &json, body).unwrap().expect(200);
    }
    let user = br#"{"name":"bob","password":"correct horse"}"#;
    admin.send("POST", "/api/v1/users", &json, user).unwrap().expect(201);

    Run::new(&wharf, None)
        .with("--phases examples,coverage --exclude-checks ignored_auth")
        .finds_nothing("nobody", 1000);
    let bob = token(&wharf, "bob", "correct horse");
    Run::new(&wharf, Some(&bob)).with(FUZZING).finds_nothing("a user", 1000);
    let root = token(&wharf, "admin", wharf.password());
    Run::new(&wharf, Some(&root))
        .with(FUZZING)
        .with(&selected("--exclude-operation-id"))
        .finds_nothing("an administrator", 1000);
    admin.get("/api/v1/self").expect(200);
    let last = format!("--exclude-checks ignored_auth {}", selected("--include-operation-id"));
    Run::new(&wharf, Some(&root)).with(FUZZING).with(&last).finds_nothing("what may lock out", 100);
}

//! Who may do what, with the clients people have and the ways they prove who they are.

mod isolation;
mod logins;
mod revoked;

use serde_json::json;
use wharf_e2e::{Api, CiIssuer, Image, Sandbox, Setup, Wharf};

/// A password that anybody may know.
const PASSWORD: &str = "a long enough password";

/// A server with a private repository `team/app`, `alice` who may read it, a robot `team+ci` that may write, and tokens
/// of either.
struct Team {
    wharf: Wharf,
    sandbox: Sandbox,
    issuer: CiIssuer,
}

impl Team {
    fn start() -> Self {
        Self::trusting(CiIssuer::start(), "")
    }

    fn trusting(issuer: CiIssuer, flags: &str) -> Self {
        let allow = format!("--set outgoing.allow=127.0.0.0/8 --set outgoing.issuers={}", issuer.url());
        let wharf = Setup::new().flags(&allow).flags(flags).start();
        let sandbox = Sandbox::of(&wharf);
        let team = Self { wharf, sandbox, issuer };
        let admin = team.wharf.api();
        made(&admin, "orgs", &json!({ "name": "team" }));
        team.user("alice");
        made(&admin, "repositories", &json!({ "name": "team/app", "visibility": "private" }));
        made(&admin, "grants", &json!({ "target": "team/app", "role": "reader", "user": "alice" }));
        made(&admin, "orgs/team/robots", &json!({ "name": "ci" }));
        made(&admin, "grants", &json!({ "target": "team", "role": "writer", "robot": "team+ci" }));
        let rule = json!({ "name": "github", "robot": "ci", "issuer": team.issuer.url(), "audience": CiIssuer::AUDIENCE,
            "claims": { "repository": "octo/app", "ref": "refs/heads/main" }, "role": "writer" });
        made(&admin, "orgs/team/trust-rules", &rule);
        team
    }

    fn user(&self, name: &str) {
        made(&self.wharf.api(), "users", &json!({ "name": name, "password": PASSWORD }));
    }

    fn as_user(&self, name: &str) -> Api {
        self.wharf.anonymous().basic(name, PASSWORD)
    }

    fn token_of_alice(&self, scope: &str) -> String {
        let name = format!("laptop-{scope}");
        secret(&self.as_user("alice"), "self/tokens", &json!({ "name": name, "scope": scope }))
    }

    fn token_of_robot(&self, name: &str) -> String {
        secret(&self.wharf.api(), "orgs/team/robots/ci/tokens", &json!({ "name": name, "scope": "write" }))
    }
}

/// Makes something by the admin API.
fn made(api: &Api, path: &str, body: &serde_json::Value) -> serde_json::Value {
    api.json("POST", &format!("/api/v1/{path}"), body).expect(201).json()
}

fn secret(api: &Api, path: &str, body: &serde_json::Value) -> String {
    made(api, path, body)["secret"].as_str().expect("a secret").to_owned()
}

/// An image that nobody else has, pushed by the administrator without any client.
fn push(wharf: &Wharf, repo: &str, tag: &str) -> Image {
    let image = Image::new(&mut fastrand::Rng::new(), "amd64", 100_000);
    wharf.api().push_image(repo, tag, &image);
    image
}

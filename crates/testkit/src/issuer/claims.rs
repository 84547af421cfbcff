//! Tokens as the issuers out there shape them.

use serde_json::{Value, json};

use super::{Issuer, lay_over};

impl Issuer {
    /// As GitHub Actions gives to a job of `repository` (`octo/app`) on `reference` (`refs/heads/main`).
    pub fn github(&self, repository: &str, reference: &str, audience: &str, over: Value) -> String {
        let owner = repository.split('/').next().unwrap_or_default();
        let mut claims = json!({
            "jti": "6f5d3a1e-0b1e-4b43-9d1a-0c2ad4f5a001",
            "sub": format!("repo:{repository}:ref:{reference}"),
            "aud": audience,
            "ref": reference,
            "sha": "ffac537e6cbbf934b08745a378932722df287a53",
            "repository": repository,
            "repository_owner": owner,
            "repository_visibility": "private",
            "repository_id": "74",
            "repository_owner_id": "65",
            "run_id": "30433642",
            "run_number": "29",
            "run_attempt": "1",
            "runner_environment": "github-hosted",
            "actor": "octocat",
            "actor_id": "12",
            "workflow": "release",
            "workflow_ref": format!("{repository}/.github/workflows/release.yml@{reference}"),
            "job_workflow_ref": format!("{repository}/.github/workflows/release.yml@{reference}"),
            "head_ref": "",
            "base_ref": "",
            "event_name": "push",
            "ref_type": "branch",
            "ref_protected": "true",
        });
        lay_over(&mut claims, over);
        self.mint_by(jsonwebtoken::Algorithm::RS256, claims)
    }

    /// As GitLab CI gives to a job of `project` (`group/app`) on `branch`.
    pub fn gitlab(&self, project: &str, branch: &str, audience: &str, over: Value) -> String {
        let namespace = project.rsplit_once('/').map_or(project, |(namespace, _)| namespace);
        let mut claims = json!({
            "jti": "c82eeb0c-5c6f-4a33-abf5-4c474b92b558",
            "sub": format!("project_path:{project}:ref_type:branch:ref:{branch}"),
            "aud": audience,
            "namespace_id": "72",
            "namespace_path": namespace,
            "project_id": "20",
            "project_path": project,
            "user_id": "1",
            "user_login": "sample-user",
            "user_email": "sample-user@example.com",
            "pipeline_id": "574",
            "pipeline_source": "push",
            "job_id": "302",
            "ref": branch,
            "ref_type": "branch",
            "ref_path": format!("refs/heads/{branch}"),
            "ref_protected": "true",
            "runner_environment": "self-hosted",
            "sha": "714a629c0b401fdce83e847fc9589983fc6f46bc",
        });
        lay_over(&mut claims, over);
        self.mint_by(jsonwebtoken::Algorithm::RS256, claims)
    }

    /// As a Kubernetes cluster projects into a pod of the service account `namespace`/`account`.
    pub fn kubernetes(&self, namespace: &str, account: &str, audiences: &[&str], over: Value) -> String {
        let mut claims = json!({
            "sub": format!("system:serviceaccount:{namespace}:{account}"),
            "aud": audiences,
            "kubernetes.io": {
                "namespace": namespace,
                "pod": { "name": "build-7d4f", "uid": "9e1b3f0c-0d1c-4d9a-8a51-0b8f5f4b9b1a" },
                "serviceaccount": { "name": account, "uid": "14ee3fa4-a7e2-420f-9f9a-dbc4507c3798" },
            },
        });
        lay_over(&mut claims, over);
        self.mint_by(jsonwebtoken::Algorithm::RS256, claims)
    }
}

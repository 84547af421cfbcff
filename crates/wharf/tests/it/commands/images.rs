use serde_json::json;
use wharf_testkit::image::{Content, Draft, Image};

use super::*;

mod carrying;
mod habits;
mod looking;
mod mirrors;
mod mistakes;
mod naming;
mod referring;
mod syncing;

impl Desk {
    /// A path of the person's own, for command lines.
    fn at(&self, name: &str) -> String {
        self.home.path().join(name).display().to_string()
    }

    /// The digest that a name stands for, as the registry says.
    async fn digest(&self, repository: &str, reference: &str) -> String {
        let reply = self.boxed.head(format!("/v2/{repository}/manifests/{reference}")).await.expect(200);
        reply.header("docker-content-digest").to_owned()
    }

    /// An index of two platforms; itself, and the two.
    async fn push_index(&self, repository: &str, tag: &str) -> (Content, [Image; 2]) {
        let images = [Image::random(), Image::random()];
        for (image, architecture) in images.iter().zip(["amd64", "arm64"]) {
            self.boxed.push(repository, architecture, image).await;
        }
        let child = |image: &Image, architecture: &str| {
            let mut child = image.manifest.descriptor();
            child["platform"] = json!({ "os": "linux", "architecture": architecture });
            child
        };
        let children = [child(&images[0], "amd64"), child(&images[1], "arm64")];
        let index = Draft::index(&[]).set("manifests", json!(children)).content();
        self.boxed.put_manifest(repository, tag, &index).await.expect(201);
        (index, images)
    }
}

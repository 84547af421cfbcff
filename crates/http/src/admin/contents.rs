//! What is in a repository: tags and manifests.

use wharf_api::{self as api, paths};
use wharf_oci::{Digest, Reference, RepoName, Tag};
use wharf_registry::manage::{Contents, ManifestEntry, TagEntry};

use super::convert::{after, limit, time};
use super::operation::{Operation, Operations};
use super::request::{Call, Params, Path};
use super::{Outcome, reply};

const GROUP: &str = "Repositories";

pub(super) fn operations(all: Operations) -> Operations {
    all.add(
        Operation::get(paths::CONTENTS, GROUP, "getContents", "Show how much is in a repository")
            .says("Counted as it is asked for.")
            .answers::<api::Contents>(200, "The numbers."),
        count,
    )
    .add(
        Operation::get(paths::TAGS, GROUP, "listTags", "List a repository's tags")
            .asks::<api::TagsQuery>()
            .lists::<api::Tag>("A page of tags, by name."),
        list_tags,
    )
    .add(
        Operation::delete(paths::TAG, GROUP, "deleteTag", "Delete a tag")
            .says("The manifest stays, by its digest. For maintainers."),
        delete_tag,
    )
    .add(
        Operation::get(paths::MANIFESTS, GROUP, "listManifests", "List a repository's manifests")
            .asks::<api::PageQuery>()
            .lists::<api::Manifest>("A page of manifests, by digest."),
        list_manifests,
    )
    .add(
        Operation::get(paths::MANIFEST, GROUP, "getManifest", "Show a manifest")
            .says("What the registry knows of it; its bytes are at `/v2`.")
            .answers::<api::Manifest>(200, "The manifest."),
        show,
    )
    .add(
        Operation::delete(paths::MANIFEST, GROUP, "deleteManifest", "Delete a manifest")
            .says("With the tags that point at it. For maintainers."),
        delete_manifest,
    )
}

async fn count(call: Call, Path((repository,)): Path<(RepoName,)>) -> Outcome {
    let Contents { tags, manifests, blobs, bytes } =
        call.registry().repository_contents(&call.caller, &repository).await?;
    reply::found(&api::Contents { tags, manifests, blobs, bytes })
}

async fn list_tags(
    call: Call,
    Path((repository,)): Path<(RepoName,)>,
    Params(query): Params<api::TagsQuery>,
) -> Outcome {
    let (after, limit) = (after(query.after.as_ref()), limit(query.limit));
    let found = call.registry().tag_entries(&call.caller, &repository, after, limit).await?;
    reply::page(&call, found, |entry| entry.tag.to_string(), view_tag)
}

async fn delete_tag(call: Call, Path((repository, tag)): Path<(RepoName, Tag)>) -> Outcome {
    call.registry().delete_manifest(&call.caller, &repository, &Reference::Tag(tag)).await?;
    Ok(reply::done())
}

async fn list_manifests(
    call: Call,
    Path((repository,)): Path<(RepoName,)>,
    Params(query): Params<api::PageQuery>,
) -> Outcome {
    let (after, limit) = (after(query.after.as_ref()), limit(query.limit));
    let found = call.registry().manifest_entries(&call.caller, &repository, after, limit).await?;
    reply::page(&call, found, |entry| entry.digest.to_string(), view)
}

async fn show(call: Call, Path((repository, digest)): Path<(RepoName, Digest)>) -> Outcome {
    reply::found(&view(call.registry().manifest_entry(&call.caller, &repository, &digest).await?))
}

async fn delete_manifest(call: Call, Path((repository, digest)): Path<(RepoName, Digest)>) -> Outcome {
    call.registry().delete_manifest(&call.caller, &repository, &Reference::Digest(digest)).await?;
    Ok(reply::done())
}

fn view_tag(entry: TagEntry) -> api::Tag {
    api::Tag {
        name: entry.tag.to_string(),
        digest: entry.digest.to_string(),
        media_type: entry.media_type.to_string(),
        size: entry.size,
        content_size: entry.content_size,
        pushed_at: time(entry.at),
        pushed_by: entry.by,
    }
}

fn view(entry: ManifestEntry) -> api::Manifest {
    api::Manifest {
        digest: entry.digest.to_string(),
        media_type: entry.media_type.to_string(),
        artifact_type: entry.artifact_type,
        subject: entry.subject.map(|subject| subject.to_string()),
        size: entry.size,
        content_size: entry.content_size,
        tags: entry.tags.iter().map(ToString::to_string).collect(),
        pushed_at: time(entry.at),
        pushed_by: entry.by,
    }
}

//! Repositories.

use wharf_api::{self as api, RepositoryName, paths};
use wharf_oci::RepoName;
use wharf_registry::manage::Repository;

use super::convert::{after, limit, time, version, visibility, visibility_word};
use super::operation::{Operation, Operations};
use super::request::{Call, IfMatch, Json, Params, Path};
use super::{Outcome, reply};

const GROUP: &str = "Repositories";

pub(super) fn operations(all: Operations) -> Operations {
    all.add(
        Operation::get(paths::REPOSITORIES, GROUP, "listRepositories", "List repositories")
            .says("Those that the caller may read, empty ones included, by name. A page may be shorter than asked for and not be the last.")
            .asks::<api::RepositoriesQuery>()
            .lists::<api::Repository>("A page of repositories."),
        list,
    )
    .add(
        Operation::post(paths::REPOSITORIES, GROUP, "createRepository", "Make a repository")
            .says("For writers in the org. Pushing makes one too.")
            .takes::<api::NewRepository>()
            .makes::<api::Repository>(&["ETag"]),
        create,
    )
    .add(
        Operation::get(paths::REPOSITORY, GROUP, "getRepository", "Show a repository")
            .answers_versioned::<api::Repository>(200, "The repository."),
        show,
    )
    .add(
        Operation::patch(paths::REPOSITORY, GROUP, "updateRepository", "Change a repository")
            .says("For maintainers.")
            .takes::<api::RepositoryUpdate>()
            .answers_versioned::<api::Repository>(200, "The repository as it is now."),
        update,
    )
    .add(
        Operation::delete(paths::REPOSITORY, GROUP, "deleteRepository", "Delete a repository")
            .says("With everything in it, and the grants on it. For maintainers of its org.").guarded(),
        delete,
    )
}

async fn list(call: Call, Params(query): Params<api::RepositoriesQuery>) -> Outcome {
    let org = query.org.as_ref().map(api::Name::as_str);
    let part = query.q.as_ref().map_or("", api::Search::as_str);
    let (after, limit) = (after(query.after.as_ref()), limit(query.limit));
    let found = call.registry().repositories(&call.caller, org, part, after, limit).await?;
    reply::page_until(&call, found.entries, found.next, |repository| view(&repository))
}

async fn create(call: Call, Json(new): Json<api::NewRepository>) -> Outcome {
    let (name, readers) = (name(&new.name)?, new.visibility.map(visibility));
    let made = call.registry().create_repository(&call.caller, &name, readers).await?;
    let repository = view(&made.value);
    reply::made(made.is_new, paths::repository(&repository.name), &repository, Some(repository.version))
}

async fn show(call: Call, Path((repository,)): Path<(RepoName,)>) -> Outcome {
    let repository = view(&call.registry().repository(&call.caller, &repository).await?);
    reply::versioned(&repository, repository.version)
}

async fn update(
    call: Call,
    Path((repository,)): Path<(RepoName,)>,
    seen: IfMatch,
    Json(to): Json<api::RepositoryUpdate>,
) -> Outcome {
    let readers = to.visibility.into_option().map(|own| own.map(visibility));
    let repository = call.registry().update_repository(&call.caller, &repository, readers, seen.version()).await?;
    let repository = view(&repository);
    reply::versioned(&repository, repository.version)
}

async fn delete(call: Call, Path((repository,)): Path<(RepoName,)>, seen: IfMatch) -> Outcome {
    call.registry().delete_repository(&call.caller, &repository, seen.version()).await?;
    Ok(reply::done())
}

/// One grammar, two types.
fn name(name: &RepositoryName) -> Result<RepoName, super::Refusal> {
    name.as_str()
        .parse()
        .map_err(|error: wharf_oci::NameError| super::request::invalid(Some("name".into()), &error.to_string()))
}

fn view(repository: &Repository) -> api::Repository {
    api::Repository {
        name: repository.name.as_str().to_owned(),
        visibility: repository.visibility.map(visibility_word),
        effective_visibility: visibility_word(repository.effective_visibility),
        created_at: time(repository.created_at),
        version: version(repository.version),
    }
}

//! Repositories, and what is in them.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::words::words;
use crate::{Change, Cursor, Name, PageSize, RepositoryName, Search, Timestamp};

words! {
    /// Who may read.
    Visibility {
        /// Who was given a role.
        Private = "private",
        /// Whoever is signed in.
        Internal = "internal",
        /// Anyone, if the server lets callers without an account pull.
        Public = "public",
    }
}

/// A repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Repository {
    /// Its canonical name.
    pub name: String,
    /// Who may read it, by its own setting; `null`: as its org says.
    pub visibility: Option<Visibility>,
    /// Who may read it in fact.
    pub effective_visibility: Visibility,
    /// When it was made.
    pub created_at: Timestamp,
    /// Counts changes of its settings; the `ETag`.
    pub version: u64,
}

/// How much is in a repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Contents {
    /// Tags.
    pub tags: u64,
    /// Manifests, tagged or not.
    pub manifests: u64,
    /// Blobs.
    pub blobs: u64,
    /// Bytes of both.
    pub bytes: u64,
}

/// A repository to make. Pushing makes one too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRepository {
    /// Its name.
    pub name: RepositoryName,
    /// Who may read it; `null`: as its org says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Visibility>,
}

/// What to change of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RepositoryUpdate {
    /// Who may read it; `null`: as its org says.
    #[schema(value_type = Option<Visibility>, required = false)]
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    pub visibility: Change<Option<Visibility>>,
}

/// Which repositories.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub struct RepositoriesQuery {
    /// Only those of this org.
    #[param(inline)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub org: Option<Name>,
    /// Only those with this in their name.
    #[param(inline)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub q: Option<Search>,
    /// Entries, at most. Left out: 100.
    #[param(inline)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<PageSize>,
    /// `next` of the page before.
    #[param(inline)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Cursor>,
}

/// Which tags.
pub type TagsQuery = crate::PageQuery;

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tag {
    /// Its name.
    pub name: String,
    /// The manifest it points at.
    pub digest: String,
    /// That manifest's media type.
    pub media_type: String,
    /// Bytes of the manifest itself.
    pub size: u64,
    /// Bytes of the config and the layers that it names; those of an index's images are theirs.
    pub content_size: u64,
    /// When it was made, or moved there.
    pub pushed_at: Timestamp,
    /// By whom.
    pub pushed_by: String,
}

/// A manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Manifest {
    /// Its digest.
    pub digest: String,
    /// Its media type.
    pub media_type: String,
    /// What kind of artifact it is, if it says.
    pub artifact_type: Option<String>,
    /// The manifest that it is about, if it says.
    pub subject: Option<String>,
    /// Bytes of the manifest itself.
    pub size: u64,
    /// Bytes of the config and the layers that it names; those of an index's images are theirs.
    pub content_size: u64,
    /// Tags that point at it; the first hundred.
    pub tags: Vec<String>,
    /// When it was pushed.
    pub pushed_at: Timestamp,
    /// By whom.
    pub pushed_by: String,
}

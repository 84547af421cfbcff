//! Images of a repository, as a list shows them: what takes more than a tag's name to know is asked for, once.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use wharf_client::registry::{self, Repository};
use wharf_image::Stored;
use wharf_oci::{Descriptor, Digest, ImageConfig, ImageName, Manifest, MediaType, Reference, Tag};

use crate::copy::cosigns;
use crate::origin::{At, Origin, stored};
use crate::output::{Seen, Show, seen};
use crate::parse::{ago, count, human, human_word, some};
use crate::{Error, Result, inspection};

/// Tags that are asked about at once.
const AT_ONCE: usize = 8;

/// An image of a list.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    repository: String,
    tag: String,
    digest: String,
    media_type: String,
    platforms: Vec<String>,
    /// Of all platforms, compressed, in bytes.
    size: u64,
    /// RFC 3339, as its builder wrote it.
    created: Option<String>,
    signatures: usize,
    referrers: usize,
}

/// One image.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Detail {
    repository: String,
    digest: String,
    media_type: String,
    tags: Vec<String>,
    size: u64,
    created: Option<String>,
    manifests: Vec<Child>,
    referrers: Vec<Referrer>,
}

/// A manifest of an image: itself, or those that its index lists.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Child {
    digest: String,
    media_type: String,
    platform: Option<String>,
    /// Of what it names, in bytes.
    size: u64,
    layers: usize,
    created: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Referrer {
    digest: String,
    artifact_type: String,
    /// That it is found by, where nothing in it names the image.
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
}

impl Show for Row {
    const COLUMNS: usize = 7;

    fn show(&self) -> Vec<(&'static str, String)> {
        vec![
            ("image", format!("{}:{}", self.repository, self.tag)),
            ("digest", short(&self.digest)),
            ("platforms", self.platforms.join(",")),
            ("size", human_word(self.size)),
            ("created", self.created.as_deref().map(ago).unwrap_or_default()),
            ("signatures", self.signatures.to_string()),
            ("referrers", self.referrers.to_string()),
        ]
    }
}

impl Show for Detail {
    const COLUMNS: usize = 4;

    fn show(&self) -> Vec<(&'static str, String)> {
        let mut fields = vec![
            ("image", format!("{}@{}", self.repository, self.digest)),
            ("media type", self.media_type.clone()),
            ("tags", self.tags.join(", ")),
            ("size", human(self.size)),
            ("created", self.created.clone().unwrap_or_default()),
        ];
        fields.extend(self.manifests.iter().map(|child| {
            let platform = child.platform.as_deref().unwrap_or("-");
            (
                "manifest",
                format!("{}  {platform}  {} in {}", child.digest, human(child.size), count(child.layers, "layer")),
            )
        }));
        let referrers = self.referrers.iter();
        fields.extend(referrers.map(|Referrer { digest, artifact_type, tag }| {
            let tag = tag.as_ref().map(|tag| format!("  {tag}")).unwrap_or_default();
            ("referrer", format!("{digest}  {artifact_type}{tag}"))
        }));
        fields
    }
}

/// `sha256:` and the first twelve digits.
fn short(digest: &str) -> String {
    digest.chars().take("sha256:".len() + 12).collect()
}

/// Looks at the images of one repository.
pub(crate) struct Lister {
    repository: Repository,
    /// All tags, once asked for.
    all: Mutex<Option<Vec<String>>>,
    /// What each of them stands for, once asked for.
    digests: Mutex<Option<Vec<(Tag, Digest)>>>,
}

impl Lister {
    pub(crate) fn new(repository: Repository) -> Self {
        Self { repository, all: Mutex::default(), digests: Mutex::default() }
    }

    /// Of which these are the images.
    pub(crate) fn repository(&self) -> &Repository {
        &self.repository
    }

    /// Those for people, or all.
    pub(crate) async fn tags(&self, all: bool) -> Result<Vec<Tag>> {
        let tags = self.names().await?;
        let wanted = tags.iter().filter(|tag| all || !is_of_programs(tag));
        Ok(wanted.filter_map(|tag| tag.parse().ok()).collect())
    }

    /// All tags, as the registry lists them.
    pub(crate) async fn names(&self) -> Result<Vec<String>> {
        let mut all = self.all.lock().await;
        if let Some(all) = &*all {
            return Ok(all.clone());
        }
        Ok(all.insert(self.repository.tags().await?).clone())
    }

    /// Those that stand for this digest.
    pub(crate) async fn tags_of(&self, digest: &Digest) -> Result<Vec<Tag>> {
        let mut known = self.digests.lock().await;
        let all = match &*known {
            Some(all) => all,
            None => known.insert(self.heads().await?),
        };
        Ok(all.iter().filter(|(_, of)| of == digest).map(|(tag, _)| tag.clone()).collect())
    }

    /// Deletes a tag alone. A registry that cannot says so in its own ways: what can be done then is said here, unless
    /// other tags would be lost by it.
    pub(crate) async fn delete_tag(&self, tag: &Tag, place: &ImageName) -> Result<()> {
        let error = match self.repository.delete(&Reference::Tag(tag.clone())).await {
            Ok(()) => {
                if let Some(known) = self.digests.lock().await.as_mut() {
                    known.retain(|(name, _)| name != tag);
                }
                return Ok(());
            }
            Err(error) => error,
        };
        let registry::Error::Refused { refusal, .. } = &error else { return Err(error.into()) };
        if ![400, 405].contains(&refusal.status.as_u16()) {
            return Err(error.into());
        }
        let said = match self.others_of(tag).await {
            Ok(others) if others.is_empty() => {
                format!("wharf delete {place}@$(wharf digest {place}:{tag}) deletes this image, which has no other tag")
            }
            Ok(others) => {
                let (of, them) = (count(others.len(), "other tag"), some(&others));
                format!("this image has {of}, {them}, and stays")
            }
            Err(_) => "which other tags this image has is not known".to_owned(),
        };
        Err(Error::Failed(format!(
            "{error}; a registry that deletes no tags deletes images, with all their tags: {said}"
        )))
    }

    /// The other tags of what a tag stands for.
    async fn others_of(&self, tag: &Tag) -> Result<Vec<String>> {
        let found = self.repository.head(&Reference::Tag(tag.clone())).await?;
        let found = found.ok_or_else(|| Error::NotFound(format!("the tag {tag} is gone")))?;
        let tags = self.tags_of(&found.digest).await?;
        let mut others: Vec<String> = tags.iter().filter(|other| *other != tag).map(Tag::to_string).collect();
        // docker-registry lists its own in no order.
        others.sort();
        Ok(others)
    }

    async fn heads(&self) -> Result<Vec<(Tag, Digest)>> {
        let tags = self.tags(true).await?;
        let each = tags.into_iter().map(|tag| async move {
            let found = self.repository.head(&Reference::Tag(tag.clone())).await?;
            Ok::<_, Error>(found.map(|found| (tag, found.digest)))
        });
        let all: Vec<Option<(Tag, Digest)>> = stream::iter(each).buffered(AT_ONCE).try_collect().await?;
        Ok(all.into_iter().flatten().collect())
    }

    /// A tag that is gone by now is in no list.
    pub(crate) async fn row(&self, tag: &Tag) -> Result<Option<Seen<Row>>> {
        let root = match self.repository.manifest(&Reference::Tag(tag.clone())).await {
            Ok(root) => stored(root),
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let children = self.children(&root).await?;
        let referrers = self.referrers(&root.digest).await?;
        let signatures = referrers.iter().filter(|found| is_signature(&found.artifact_type)).count();
        let tags = self.tags_beside(&root.digest).await?;
        let signature_tags =
            tags.iter().filter(|tag| tag.as_str().rsplit_once('.').is_some_and(|(_, of)| of == "sig")).count();
        let row = Row {
            repository: self.repository.place(),
            tag: tag.to_string(),
            digest: root.digest.to_string(),
            media_type: root.media_type.to_string(),
            platforms: children.iter().filter_map(|child| child.platform.clone()).collect(),
            size: children.iter().map(|child| child.size).sum(),
            created: children.iter().find_map(|child| child.created.clone()),
            signatures: signatures + signature_tags,
            referrers: referrers.len() - signatures + tags.len() - signature_tags,
        };
        seen(row).map(Some)
    }

    pub(crate) async fn detail(&self, root: &Stored, tags: Vec<String>) -> Result<Seen<Detail>> {
        let manifests = self.children(root).await?;
        let mut referrers = self.referrers(&root.digest).await?;
        referrers.extend(self.referrers_by_tag(&root.digest).await?);
        seen(Detail {
            repository: self.repository.place(),
            digest: root.digest.to_string(),
            media_type: root.media_type.to_string(),
            tags,
            size: manifests.iter().map(|child| child.size).sum(),
            created: manifests.iter().find_map(|child| child.created.clone()),
            manifests,
            referrers,
        })
    }

    fn origin(&self) -> Origin {
        let reference = Reference::Digest(Digest::of(wharf_oci::Algorithm::Sha256, b""));
        let at = At::Registry { repository: self.repository.clone(), reference, own: None };
        Origin { shown: self.repository.place(), at, unpacks: false }
    }

    /// The images of an index, or the image itself. What an index says of no platform (attestations) is not run.
    async fn children(&self, root: &Stored) -> Result<Vec<Child>> {
        let origin = self.origin();
        let view = origin.view(root)?;
        if !root.is_index() {
            return Ok(vec![child(&origin, &root.descriptor(), &view).await?]);
        }
        let mut children = vec![];
        for listed in view.children.iter().filter(|listed| !is_attestation(listed)) {
            // An index need not have all of its images.
            match origin.manifest(&listed.digest).await {
                Ok(stored) => children.push(child(&origin, listed, &origin.view(&stored)?).await?),
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(children)
    }

    async fn referrers(&self, digest: &Digest) -> Result<Vec<Referrer>> {
        let found = self.origin().referrers(digest).await?;
        Ok(found
            .into_iter()
            .map(|found| Referrer {
                digest: found.digest.to_string(),
                artifact_type: found.artifact_type.unwrap_or(found.media_type),
                tag: None,
            })
            .collect())
    }

    /// What cosign keeps under tags that have the digest in their names: its kind is its first layer's.
    async fn referrers_by_tag(&self, digest: &Digest) -> Result<Vec<Referrer>> {
        let mut all = vec![];
        for tag in self.tags_beside(digest).await? {
            let Some(found) = self.origin().tagged(tag.clone()).await? else { continue };
            let layer = self.origin().view(&found)?.layers.into_iter().next();
            let artifact_type = layer.map_or_else(|| found.media_type.to_string(), |layer| layer.media_type);
            all.push(Referrer { digest: found.digest.to_string(), artifact_type, tag: Some(tag.to_string()) });
        }
        Ok(all)
    }

    /// Those of [`cosigns`] that there are for an image.
    async fn tags_beside(&self, digest: &Digest) -> Result<Vec<Tag>> {
        let names = self.names().await?;
        Ok(cosigns(digest).filter(|tag| names.iter().any(|name| name == tag.as_str())).collect())
    }
}

async fn child(origin: &Origin, listed: &Descriptor, view: &Manifest) -> Result<Child> {
    let config = view.config.as_ref();
    let config = match config.filter(|config| MediaType::is_image_config(&config.media_type)) {
        // A configuration that cannot be read says nothing, here.
        Some(config) => ImageConfig::parse(&origin.config(config).await?).ok(),
        None => None,
    };
    let own = config.as_ref().and_then(inspection::platform);
    Ok(Child {
        digest: listed.digest.to_string(),
        media_type: view.media_type.to_string(),
        platform: listed.platform.as_ref().map(ToString::to_string).or(own),
        size: view.layers.iter().chain(&view.config).map(|part| part.size).sum(),
        layers: view.layers.len(),
        created: config.as_ref().and_then(inspection::created),
    })
}

/// What buildkit adds to an index beside the images.
fn is_attestation(listed: &Descriptor) -> bool {
    listed.platform.as_ref().is_some_and(|platform| platform.os == "unknown")
}

/// Cosign's, and those of Notary.
fn is_signature(artifact_type: &str) -> bool {
    artifact_type.starts_with("application/vnd.dev.sigstore.bundle")
        || artifact_type.starts_with("application/vnd.dev.cosign.")
        || artifact_type == "application/vnd.cncf.notary.signature"
}

/// `sha256-<hex>`, with or without an ending: the referrers' tag, and cosign's.
pub(crate) fn is_of_programs(tag: &str) -> bool {
    let digest = tag.split('.').next().unwrap_or_default();
    let hex = digest.strip_prefix("sha256-").or_else(|| digest.strip_prefix("sha512-"));
    hex.is_some_and(|hex| hex.len() >= 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests;

//! What is to be carried: manifests, children before parents, and the parts that they name, each once.

use std::collections::HashSet;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use wharf_image::Stored;
use wharf_image::convert::{Format, Replacements};
use wharf_oci::{Descriptor, Digest, ImageConfig, Manifest, MediaType, Platform, Tag};

use super::manifests::converted;
use super::recipe::{Ends, Recipe, Wish, layer_type};
use super::tagged;
use crate::budget::Budget;
use crate::origin::{Origin, Wanted};
use crate::packing::Packing;
use crate::progress::Kind;
use crate::target::Target;
use crate::{Error, Result};

/// Indexes in indexes, and referrers of referrers.
const DEEPEST: usize = 8;
/// Manifests that are asked for at once.
const AT_ONCE: usize = 6;

/// The tags under which cosign keeps an image's signatures, attestations and SBOMs: `sha256-<hex>.sig`. A digest that is
/// too long for a tag has none.
pub(crate) fn cosigns(image: &Digest) -> impl Iterator<Item = Tag> {
    let stem = format!("{}-{}", image.algorithm(), image.hex());
    ["sig", "att", "sbom"].into_iter().filter_map(move |ending| format!("{stem}.{ending}").parse().ok())
}

/// What a person wants to be carried.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) which: Which,
    /// Signatures and whatever else refers to an image go along.
    pub(crate) referrers: bool,
    /// Whose manifests there are to be.
    pub(crate) format: Option<Format>,
    pub(crate) compress: Wish,
    /// What would change a digest is refused.
    pub(crate) preserve_digests: bool,
}

impl Options {
    /// It alone, as it is.
    pub(crate) fn unchanged(which: Which) -> Self {
        Self { which, referrers: false, format: None, compress: Wish::Usual, preserve_digests: false }
    }
}

/// Which of an index's images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// All, and the index.
    All,
    /// The index alone: its images are there already.
    Index,
    /// The one for this platform.
    For(Wanted),
}

/// All of it.
pub(super) struct Plan {
    /// As it is at the source.
    pub(super) root: Digest,
    pub(super) recipe: Recipe,
    pub(super) manifests: Vec<Planned>,
    pub(super) parts: Vec<Part>,
    /// What the index also has, where nobody said which to take.
    pub(super) left_out: Vec<String>,
}

/// A manifest to carry.
pub(super) struct Planned {
    pub(super) stored: Stored,
    pub(super) view: Manifest,
    /// A name of its own, beside those that the root gets: signatures are found by it.
    pub(super) tag: Option<Tag>,
}

/// A blob to carry.
pub(super) struct Part {
    pub(super) descriptor: Descriptor,
    pub(super) kind: Kind,
    /// The source need not have it: its bytes are in the manifest.
    pub(super) is_optional: bool,
    /// It is compressed anew.
    pub(super) packing: Option<Packing>,
}

impl Plan {
    /// Asks the source for all that is to be carried, but for the blobs. What cannot be done is refused here, before
    /// anything is written.
    pub(super) async fn new(origin: &Origin, target: &Target, options: &Options) -> Result<Self> {
        let accepts = target.accepts();
        let ends = Ends { unpacks: origin.unpacks, packs: target.packs };
        let recipe = Recipe::new(accepts, ends, options)?;
        let root = origin.root().await?;
        let mut left_out = vec![];
        let root = match &options.which {
            Which::All | Which::Index => root,
            Which::For(wanted) => {
                left_out = others(origin, &root, wanted)?;
                origin.image_for(root, wanted).await?
            }
        };
        if root.is_index() && !accepts.indexes {
            let shown = &origin.shown;
            let said = format!("{shown} is an index, and a file of that kind holds one image: choose with --platform");
            return Err(Error::Usage(said));
        }
        if options.which == Which::Index && target.registry().is_none() {
            let said = "an index whose images lie elsewhere is for registries alone: take --all";
            return Err(Error::Usage(format!("{}: {said}", target.shown)));
        }
        if options.referrers && !accepts.beside {
            let said = "a place of that kind has no room for signatures and other referrers: leave --referrers out";
            return Err(Error::Usage(format!("{}: {said}", target.shown)));
        }
        if target.runs && !root.is_index() && origin.view(&root)?.image_config().is_none() {
            let (shown, there) = (&origin.shown, &target.shown);
            return Err(Error::Usage(format!(
                "{shown} is an artifact, not an image, and {there} holds images only: wharf pull --unpack writes its \
                 files, and a registry, oci:, oci-archive: and dir: hold it as it is"
            )));
        }
        let digest = root.digest.clone();
        let manifests = Walk::of(origin, root, options).await?;
        let manifests = tagged::settled(manifests, &digest, target).await?;
        let parts = parts(origin, &manifests, &recipe).await?;
        let plan = Self { root: digest, recipe, manifests, parts, left_out };
        let becomes = plan.check(origin, options)?;
        plan.check_digest(origin, target, &becomes).await?;
        Ok(plan)
    }

    /// What the manifests will be, as far as that is known: layers that are compressed anew keep their digests here.
    /// Returns what the root becomes then.
    fn check(&self, origin: &Origin, options: &Options) -> Result<Digest> {
        let mut replaced = Replacements::new();
        for part in &self.parts {
            if let Some(packing) = &part.packing {
                let descriptor = &part.descriptor;
                let new = Descriptor::new(layer_type(packing.compression), descriptor.digest.clone(), descriptor.size);
                replaced.insert(descriptor.digest.clone(), new);
            }
        }
        let mut changed = !replaced.is_empty();
        let mut becomes = self.root.clone();
        for planned in &self.manifests {
            let new = converted(planned, self.recipe.format, &mut replaced)?.digest;
            changed |= new != planned.stored.digest;
            if planned.stored.digest == self.root {
                becomes = new;
            }
        }
        if !changed {
            return Ok(becomes);
        }
        let shown = &origin.shown;
        if options.preserve_digests {
            let said = format!("{shown} cannot go there as it is, and --preserve-digests forbids to change it");
            return Err(Error::Usage(said));
        }
        if self.manifests.iter().any(Planned::is_about_another) {
            let said = "its signatures and other referrers name digests that would change: \
                        leave --referrers out, or add --preserve-digests";
            return Err(Error::Usage(format!("{shown}: {said}")));
        }
        Ok(becomes)
    }

    /// Refuses a destination by another digest than the image will have, where that is known before its layers are packed.
    async fn check_digest(&self, origin: &Origin, target: &Target, becomes: &Digest) -> Result<()> {
        if self.parts.iter().any(|part| part.packing.is_some()) {
            return Ok(());
        }
        for part in self.parts.iter().filter(|part| part.kind == Kind::Layer) {
            if origin.unpacked(&part.descriptor).await?.is_some() {
                return Ok(());
            }
        }
        target.is_to_be(becomes)
    }
}

impl Planned {
    fn is_about_another(&self) -> bool {
        self.view.subject.is_some() || self.tag.is_some()
    }
}

/// The other platforms of an index, of which a person named none. What says of no platform is no image that is run.
fn others(origin: &Origin, root: &Stored, wanted: &Wanted) -> Result<Vec<String>> {
    if wanted.is_named || !root.is_index() {
        return Ok(vec![]);
    }
    let all: Vec<Platform> = origin.view(root)?.children.into_iter().filter_map(|child| child.platform).collect();
    let taken = wanted.platform.choose(all.iter().map(|platform| (platform, platform)));
    let others = all.iter().filter(|platform| Some(*platform) != taken && platform.os != "unknown");
    Ok(others.map(ToString::to_string).collect())
}

struct Walk<'a> {
    origin: &'a Origin,
    options: &'a Options,
    budget: Budget,
    known: HashSet<Digest>,
    manifests: Vec<Planned>,
}

impl<'a> Walk<'a> {
    /// All manifests that the root leads to, and if so those that refer to them.
    async fn of(origin: &'a Origin, root: Stored, options: &'a Options) -> Result<Vec<Planned>> {
        let (budget, known) = (Budget::new(&origin.shown), HashSet::new());
        let mut walk = Self { origin, options, budget, known, manifests: vec![] };
        walk.add(root, 0).await?;
        Ok(walk.manifests)
    }

    /// A manifest after all that it leads to, and before what refers to it.
    async fn add(&mut self, stored: Stored, depth: usize) -> Result<()> {
        if depth > DEEPEST {
            let shown = &self.origin.shown;
            return Err(Error::Failed(format!("{shown}: its manifests name each other more than {DEEPEST} deep")));
        }
        if !self.known.insert(stored.digest.clone()) {
            return Ok(());
        }
        let view = self.origin.view(&stored)?;
        let goes = |child: &&Descriptor| is_manifest(child) && self.options.which != Which::Index;
        let children: Vec<Digest> = view.children.iter().filter(goes).map(|child| child.digest.clone()).collect();
        for child in self.fetch(&children).await? {
            Box::pin(self.add(child, depth + 1)).await?;
        }
        let digest = stored.digest.clone();
        self.manifests.push(Planned { stored, view, tag: None });
        if self.options.referrers { self.add_referrers(&digest, depth).await } else { Ok(()) }
    }

    /// In their order, several asked for at once.
    async fn fetch(&mut self, digests: &[Digest]) -> Result<Vec<Stored>> {
        let origin = self.origin;
        let new: Vec<&Digest> = digests.iter().filter(|digest| !self.known.contains(*digest)).collect();
        let mut coming = stream::iter(new.into_iter().map(|digest| origin.manifest(digest))).buffered(AT_ONCE);
        let mut all = vec![];
        while let Some(stored) = coming.try_next().await? {
            self.budget.spend(&stored)?;
            all.push(stored);
        }
        Ok(all)
    }

    async fn add_referrers(&mut self, subject: &Digest, depth: usize) -> Result<()> {
        let found = self.origin.referrers(subject).await?;
        let digests: Vec<Digest> = found.into_iter().map(|found| found.digest).collect();
        for referrer in self.fetch(&digests).await? {
            Box::pin(self.add(referrer, depth + 1)).await?;
        }
        for tag in cosigns(subject) {
            self.add_tagged(tag, depth).await?;
        }
        Ok(())
    }

    /// What cosign keeps under a tag that has the digest in its name.
    async fn add_tagged(&mut self, tag: Tag, depth: usize) -> Result<()> {
        let Some(stored) = self.origin.tagged(tag.clone()).await? else { return Ok(()) };
        self.budget.spend(&stored)?;
        let digest = stored.digest.clone();
        Box::pin(self.add(stored, depth + 1)).await?;
        if let Some(planned) = self.manifests.iter_mut().find(|planned| planned.stored.digest == digest) {
            planned.tag = Some(tag);
        }
        Ok(())
    }
}

/// An index may list blobs beside manifests (moby/buildkit#1143).
pub(crate) fn is_manifest(child: &Descriptor) -> bool {
    const ALL: [&str; 6] = [
        MediaType::OCI_MANIFEST,
        MediaType::OCI_INDEX,
        MediaType::DOCKER_MANIFEST,
        MediaType::DOCKER_LIST,
        MediaType::OCI_ARTIFACT_LEGACY,
        MediaType::ORAS_ARTIFACT_LEGACY,
    ];
    ALL.contains(&child.media_type.as_str())
}

/// Each once, in the order that they are named in. What lies elsewhere stays there.
async fn parts(origin: &Origin, manifests: &[Planned], recipe: &Recipe) -> Result<Vec<Part>> {
    let mut known = HashSet::new();
    let mut parts = vec![];
    for planned in manifests {
        let view = &planned.view;
        let diff_ids = diff_ids(origin, view, recipe).await?;
        // What a layer of something else is to be, its own tools know.
        let is_image = view.image_config().is_some();
        let packing = |at: usize, layer: &Descriptor| {
            let compression = recipe.pack(layer).filter(|_| is_image)?;
            Some(Packing { compression, diff_id: diff_ids.get(at).cloned() })
        };
        let layers = view.layers.iter().enumerate().map(|(at, layer)| (layer, Kind::Layer, packing(at, layer)));
        let blobs = view.children.iter().filter(|child| !is_manifest(child)).map(|blob| (blob, Kind::Layer, None));
        let config = view.config.iter().map(|config| (config, Kind::Config, None));
        for (descriptor, kind, packing) in layers.chain(blobs).chain(config) {
            let is_elsewhere = descriptor.has_urls || MediaType::is_foreign_layer(&descriptor.media_type);
            if !is_elsewhere && known.insert(descriptor.digest.clone()) {
                let (descriptor, is_optional) = (descriptor.clone(), descriptor.data_matches);
                parts.push(Part { descriptor, kind, is_optional, packing });
            }
        }
    }
    Ok(parts)
}

/// What its layers are without compression, as the configuration says; asked for only where one is compressed anew.
async fn diff_ids(origin: &Origin, view: &Manifest, recipe: &Recipe) -> Result<Vec<Digest>> {
    let is_packed = view.layers.iter().any(|layer| recipe.pack(layer).is_some());
    let Some(config) = view.config.as_ref().filter(|_| is_packed) else { return Ok(vec![]) };
    let config = ImageConfig::parse(&origin.config(config).await?);
    Ok(config.map(|config| config.diff_ids).ok().filter(|all| all.len() == view.layers.len()).unwrap_or_default())
}

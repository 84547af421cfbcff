//! The images of a plan: looked at, several at once; carried, one after the other; and then what is gone is deleted.
//!
//! One that fails does not keep the others from being carried. In a repository of which anything failed nothing is
//! deleted, nor where the source has nothing of what is meant: both look alike to a source that lost something.

use std::collections::BTreeSet;
use std::rc::Rc;

use futures_util::{StreamExt as _, stream};
use wharf_image::Stored;
use wharf_oci::{Digest, ImageName, MediaType, Tag};

use super::Whither;
use super::found::{Item, Whole, outdated};
use super::report::{Line, Report, What};
use crate::copy::{Fate, Options, Which, Wish, copy};
use crate::listing::Lister;
use crate::origin::{Origin, stored};
use crate::output::{Output, note};
use crate::parse::{count, some};
use crate::place::{MoreNames, Place};
use crate::progress::Progress;
use crate::reach::{Reach, reference};
use crate::session::Confirmed;
use crate::{Error, Result, ask};

/// Images that are looked at at once.
const AT_ONCE: usize = 8;
/// What is at the destination is looked at without a word.
const SILENT: Output = Output { json: false, quiet: true };

/// One image to carry, and how its registry is reached.
pub(crate) struct Job {
    pub(crate) reach: Rc<Reach>,
    pub(crate) item: Item,
}

/// Where the images go, and how.
pub(crate) struct Run<'a> {
    pub(crate) to: &'a Reach,
    pub(crate) destination: &'a Whither,
    pub(crate) options: Options,
    /// Nothing is done, only said.
    pub(crate) is_dry: bool,
}

/// An image that was looked at.
struct Looked {
    origin: Origin,
    place: Place,
    /// What it is, if that is at the destination already.
    there: Option<Digest>,
}

/// A tag that goes.
struct Doomed {
    lister: Rc<Lister>,
    place: ImageName,
    tag: Tag,
    name: String,
}

impl Run<'_> {
    /// Carries what is not there yet; signatures by their tags when those that go along with their images are there.
    pub(crate) async fn carry(&self, jobs: &[Job], report: &mut Report) -> Result<()> {
        let (signatures, images): (Vec<&Job>, Vec<&Job>) = jobs.iter().partition(|job| job.item.is_of_programs());
        for jobs in [images, signatures] {
            for (job, looked) in self.look_at(&jobs, report).await? {
                let line = self.line(job, What::Copied);
                match self.carry_one(job, &looked, report).await {
                    Ok(digest) => report.tell(&line.with(&digest)),
                    Err(error) => report.failed(job.item.repository(), line, error)?,
                }
            }
        }
        Ok(())
    }

    /// Those that are to be carried.
    async fn look_at<'j>(&self, jobs: &[&'j Job], report: &mut Report) -> Result<Vec<(&'j Job, Looked)>> {
        let progress = Progress::new(report.out);
        let look = async |job: &'j Job| (job, self.look(job, &progress).await);
        let mut all = std::pin::pin!(stream::iter(jobs.iter().copied()).map(look).buffered(AT_ONCE));
        let mut left = vec![];
        while let Some((job, looked)) = all.next().await {
            match looked {
                Ok(Looked { there: Some(digest), .. }) => {
                    report.tell(&self.line(job, What::Unchanged).with(&digest));
                }
                Ok(_) if self.is_dry => report.tell(&self.line(job, What::WouldCopy)),
                Ok(looked) => left.push((job, looked)),
                Err(error) => report.failed(job.item.repository(), self.line(job, What::Failed), error)?,
            }
        }
        Ok(left)
    }

    fn line(&self, job: &Job, what: What) -> Line {
        Line::new(Some(job.item.place.to_string()), self.shown(&job.item.name), what)
    }

    /// Where what is called so goes.
    fn shown(&self, name: &str) -> Option<String> {
        self.destination.place(name).ok().map(|place| place.to_string())
    }

    async fn look(&self, job: &Job, progress: &Progress) -> Result<Looked> {
        let place = self.destination.place(&job.item.name)?;
        let origin = job.reach.origin(&job.item.place, progress).await?;
        if job.item.is_of_programs() {
            let coming = origin.head().await?.map(|coming| coming.digest);
            let there = match self.there(&place).await? {
                Some(there) if Some(&there) != coming.as_ref() => self.kept(&origin, &place).await?,
                same => same,
            };
            return Ok(Looked { origin, place, there });
        }
        let wanted = self.wanted(&origin).await?;
        let there = if self.may_be_there() { self.there(&place).await? } else { None };
        Ok(Looked { origin, place, there: there.filter(|there| *there == wanted) })
    }

    /// The digest of signatures that stay at the destination as they are.
    async fn kept(&self, origin: &Origin, place: &Place) -> Result<Option<Digest>> {
        let Some(there) = self.held(place).await? else { return Ok(None) };
        let coming = origin.root().await?;
        match Fate::of(&there, &coming) {
            Fate::Go => Ok(None),
            Fate::Same | Fate::Stay => Ok(Some(there.digest)),
            Fate::Clash => Err(Error::Failed(format!(
                "{place} has signatures of its own ({}), which these ({}) would replace: delete that tag there if they may go",
                there.digest, coming.digest
            ))),
        }
    }

    /// What goes along with an image, and what it is changed to, is looked at by carrying it.
    fn may_be_there(&self) -> bool {
        let Options { referrers, format, compress, .. } = &self.options;
        !referrers && format.is_none() && *compress == Wish::Usual
    }

    /// The digest of what would be carried.
    async fn wanted(&self, origin: &Origin) -> Result<Digest> {
        let said = origin.head().await?;
        let is_list = |media_type: &str| [MediaType::OCI_INDEX, MediaType::DOCKER_LIST].contains(&media_type);
        match (said, &self.options.which) {
            (Some(said), Which::All | Which::Index) => Ok(said.digest),
            (None, Which::All | Which::Index) => Ok(origin.root().await?.digest),
            (Some(said), Which::For(wanted)) if !is_list(&said.media_type) && !wanted.is_named => Ok(said.digest),
            (_, Which::For(wanted)) => Ok(origin.image_for(origin.root().await?, wanted).await?.digest),
        }
    }

    /// The digest of what is there now. What cannot be read there may still be written.
    async fn there(&self, place: &Place) -> Result<Option<Digest>> {
        use wharf_client::registry::Error::{Denied, SignInNeeded};
        let Place::Registry(at) = place else { return Ok(self.held(place).await?.map(|there| there.digest)) };
        let image = self.to.full(at)?;
        match self.to.to_write(&image)?.head(&reference(&image)?).await {
            Ok(found) => Ok(found.map(|found| found.digest)),
            Err(SignInNeeded { .. } | Denied { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The manifest that is there now, as [`Run::there`].
    async fn held(&self, place: &Place) -> Result<Option<Stored>> {
        use wharf_client::registry::Error::{Denied, NotFound, SignInNeeded};
        let Place::Registry(at) = place else {
            let origin = self.to.origin(place, &Progress::new(SILENT)).await;
            return Ok(match origin {
                Ok(origin) => origin.root().await.ok(),
                Err(_) => None,
            });
        };
        let image = self.to.full(at)?;
        match self.to.to_write(&image)?.manifest(&reference(&image)?).await {
            Ok(found) => Ok(Some(stored(found))),
            Err(NotFound { .. } | SignInNeeded { .. } | Denied { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn carry_one(&self, job: &Job, looked: &Looked, report: &Report) -> Result<Digest> {
        if let Place::Folder(folder) = &looked.place {
            std::fs::create_dir_all(folder).map_err(Error::file(folder))?;
        }
        let target = self.to.target(&looked.place, &MoreNames::default()).await?;
        let mut options = self.options.clone();
        if job.item.is_of_programs() {
            // It runs nowhere.
            options.which = Which::All;
        }
        Ok(copy(&looked.origin, target, &options, &Progress::new(report.out)).await?.digest)
    }

    /// Deletes tags that the source has no more, of the repositories that are whole; `or_all` also where the source has
    /// none of what is meant.
    pub(crate) async fn prune(
        &self,
        wholes: &[Whole],
        or_all: bool,
        confirmed: Confirmed,
        report: &mut Report,
    ) -> Result<()> {
        let mut doomed = vec![];
        for name in wholes.iter().map(|whole| whole.name.as_str()).collect::<BTreeSet<_>>() {
            match self.doomed(wholes, name, or_all, report).await {
                Ok(found) => doomed.extend(found),
                Err(error) => report.failed(name, Line::new(None, self.shown(name), What::Failed), error)?,
            }
        }
        if !self.is_dry && !doomed.is_empty() {
            let asked = ask::confirm(&question(&doomed), confirmed.yes).await;
            asked.map_err(|error| match error {
                Error::Declined => Error::Failed("nothing was deleted; the images are carried".into()),
                error => error,
            })?;
        }
        for Doomed { lister, place, tag, name } in doomed {
            let line = |what| Line::new(None, Some(format!("{place}:{tag}")), what);
            if self.is_dry {
                report.tell(&line(What::WouldPrune));
                continue;
            }
            match lister.delete_tag(&tag, &place).await {
                Ok(()) => report.tell(&line(What::Pruned)),
                Err(error) => report.failed(&name, line(What::Failed), error)?,
            }
        }
        Ok(())
    }

    async fn doomed(&self, wholes: &[Whole], name: &str, or_all: bool, report: &Report) -> Result<Vec<Doomed>> {
        let Place::Registry(at) = self.destination.place(name)? else { return Ok(vec![]) };
        if report.has_failed(name) {
            note(&format!("nothing of {at} is deleted, because not all that goes there could be read and carried"));
            return Ok(vec![]);
        }
        let place = self.to.full(&at)?;
        let lister = Rc::new(Lister::new(self.to.to_write(&place)?));
        let there = match lister.names().await {
            // Nothing was ever put there.
            Err(error) if error.is_not_found() => return Ok(vec![]),
            other => other?,
        };
        let is_empty = wholes.iter().any(|whole| whole.name == name && whole.tags.is_empty());
        if is_empty && !or_all && !outdated(wholes, name, &there, true).is_empty() {
            note(&format!(
                "the source of {at} has no image of those that are meant: --prune-empty deletes theirs there"
            ));
        }
        let tags = outdated(wholes, name, &there, or_all).into_iter();
        let doom = |tag| Doomed { lister: Rc::clone(&lister), place: place.clone(), tag, name: name.to_owned() };
        Ok(tags.map(doom).collect())
    }
}

fn question(doomed: &[Doomed]) -> String {
    let names: Vec<String> = doomed.iter().map(|gone| format!("{}:{}", gone.place, gone.tag)).collect();
    format!("Delete {} that the source has no more: {}?", count(doomed.len(), "tag"), some(&names))
}

//! `wharf sync`

use std::collections::BTreeMap;
use std::rc::Rc;

use clap::Args;
use globset::Glob;
use regex::Regex;

use super::Carrying;
use crate::place::{AtRegistry, Place};
use crate::reach::{Access, Reach};
use crate::session::{Confirmed, Session};
use crate::sides::Sides;
use crate::sync::{
    Filter, Found, Job, Range, Report, Run, Whence, Whither, Whole, in_words_of, of_archive, of_folders, of_layout,
    of_repository, read, repository_name,
};
use crate::verb::Act;
use crate::{Error, Result};

#[derive(Debug, Args)]
#[command(
    after_help = "Sources:\n  [HOST/]NAME        all images of a repository\n  [HOST/]NAME:TAG    one of them\n  \
    yaml:FILE          what a list names, in the form of skopeo sync\n  \
    dir:PATH           a folder with dir: images in it\n  oci:PATH           all named images of an OCI layout\n  docker-archive:FILE  those of a file as docker save writes it\n\n\
    An image that fails does not stop the others; the exit code is 1 then, and nothing of its repository is pruned.\n\n\
    Examples:\n  wharf sync quay.io/podman/hello registry.example.com/mirror --all\n  \
    wharf sync yaml:list.yml registry.example.com/mirror --scoped --prune --dry-run\n  \
    wharf sync team/app dir:backup --tags-semver '>= 1.2'"
)]
pub(crate) struct Sync {
    /// Where the images are
    source: String,
    /// Below what they are to be: [HOST/]NAME, HOST, dir:PATH or oci:PATH
    destination: String,
    /// Say the source's transport as skopeo has it: docker, dir or yaml
    #[arg(long, short, hide = true, value_parser = ["docker", "dir", "yaml"])]
    src: Option<String>,
    /// Say the destination's transport as skopeo has it: docker or dir
    #[arg(long, short, hide = true, value_parser = ["docker", "dir"])]
    dest: Option<String>,
    #[command(flatten)]
    meant: Meant,
    /// Name them by their whole names there, with the registry
    #[arg(long)]
    scoped: bool,
    #[command(flatten)]
    manner: Manner,
    #[command(flatten)]
    pruning: Pruning,
    #[command(flatten)]
    carrying: Carrying,
    #[command(flatten)]
    sides: Sides,
    #[command(flatten)]
    access: Access,
}

/// How much is done.
#[derive(Debug, Args)]
struct Manner {
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Stop at the first image that fails
    #[arg(long, conflicts_with = "keep_going")]
    fail_fast: bool,
    /// What is done anyway, said in skopeo's word
    #[arg(long, hide = true)]
    keep_going: bool,
}

/// Which tags; all that is said must hold.
#[derive(Debug, Args)]
struct Meant {
    /// Tags that fit a pattern, as in 'v1.*'; may be repeated, and one is enough
    #[arg(long, value_name = "GLOB")]
    tags: Vec<Glob>,
    /// Tags in which this is found, as in '^v[0-9]+$'
    #[arg(long, value_name = "REGEX")]
    tags_regex: Option<Regex>,
    /// Tags that are versions in a range, as in '>= 1.2, < 2'
    #[arg(long, value_name = "RANGE")]
    tags_semver: Option<Range>,
}

impl Meant {
    fn is_any(&self) -> bool {
        self.tags.is_empty() && self.tags_regex.is_none() && self.tags_semver.is_none()
    }

    fn filter(&self) -> Result<Filter> {
        let filter = Filter::default().and_globs(&self.tags).map_err(Error::Usage)?;
        Ok(filter.and(self.tags_regex.clone(), self.tags_semver.clone()))
    }
}

/// What goes at the destination.
#[derive(Debug, Args)]
struct Pruning {
    /// Delete tags there that are meant and that the source has no more; asks
    #[arg(long)]
    prune: bool,
    /// The same where the source has none of what is meant, which is more often a mistake
    #[arg(long, requires = "prune")]
    prune_empty: bool,
    #[command(flatten)]
    confirmed: Confirmed,
}

/// All there is to do.
#[derive(Default)]
struct Plan {
    jobs: Vec<Job>,
    wholes: Vec<Whole>,
}

impl Plan {
    fn add(&mut self, reach: &Rc<Reach>, found: Found) {
        self.jobs.extend(found.items.into_iter().map(|item| Job { reach: Rc::clone(reach), item }));
        self.wholes.extend(found.whole);
    }

    /// Two images of one name would be one after the other; one that is listed twice is one.
    fn check(&mut self) -> Result<()> {
        let mut known: BTreeMap<String, Place> = BTreeMap::new();
        let mut twice = None;
        self.jobs.retain(|Job { item, .. }| match known.get(&item.name) {
            Some(place) => {
                if *place != item.place {
                    twice.get_or_insert_with(|| format!("{place} and {}", item.place));
                }
                false
            }
            None => known.insert(item.name.clone(), item.place.clone()).is_none(),
        });
        let Some(both) = twice else { return Ok(()) };
        Err(Error::Usage(format!("{both} would go to one place: --scoped keeps them apart")))
    }
}

impl Act for Sync {
    const ASKS: bool = true;

    async fn run(self, session: &Session) -> Result<()> {
        let (source, destination) = self.ends()?;
        self.check(&source, &destination)?;
        let to = Reach::new(session, self.sides.destination(&self.access))?;
        let (options, is_dry) = (self.carrying.options()?, self.manner.dry_run);
        let run = Run { to: &to, destination: &destination, options, is_dry };
        let mut report = Report::new(session.out, self.manner.fail_fast);
        let mut plan = self.plan(session, &source, &self.sides.source(&self.access), &mut report).await?;
        plan.check()?;
        if self.carrying.leaves_signatures() {
            plan.jobs.retain(|job| !job.item.is_of_programs());
        }
        run.carry(&plan.jobs, &mut report).await?;
        if self.pruning.prune {
            let Pruning { prune_empty, confirmed, .. } = self.pruning;
            run.prune(&plan.wholes, prune_empty, confirmed, &mut report).await?;
        }
        report.end()
    }
}

impl Sync {
    /// What the words for the two ends mean.
    fn ends(&self) -> Result<(Whence, Whither)> {
        let source = in_words_of(self.src.as_deref(), &self.source).parse().map_err(Error::Usage)?;
        let destination = in_words_of(self.dest.as_deref(), &self.destination).parse().map_err(Error::Usage)?;
        Ok((source, destination))
    }

    /// Refuses what contradicts itself.
    fn check(&self, source: &Whence, destination: &Whither) -> Result<()> {
        let usage = |said: &str| Err(Error::Usage(said.into()));
        let is_whole = |at: &AtRegistry| at.repository_only().is_ok();
        match source {
            Whence::Repository(at) if is_whole(at) => {}
            _ if !self.meant.is_any() => {
                return usage("--tags, --tags-regex and --tags-semver choose among the tags of one repository");
            }
            Whence::List(_) => {}
            _ if self.pruning.prune => return usage("--prune is for a whole repository, or a list of them"),
            _ => {}
        }
        if self.pruning.prune && !matches!(destination, Whither::Registry(_)) {
            return usage("--prune deletes tags of registries, and the destination is none");
        }
        Ok(())
    }

    /// Asks each source what there is.
    async fn plan(&self, session: &Session, source: &Whence, access: &Access, report: &mut Report) -> Result<Plan> {
        let mut plan = Plan::default();
        if let Whence::List(path) = source {
            for listed in read(path, access)? {
                let reach = Rc::new(Reach::new(session, listed.access)?);
                for (at, filter) in listed.repositories {
                    let name = repository_name(&reach, &at, self.scoped)?;
                    match of_repository(&reach, &at, filter, self.scoped).await {
                        Ok(found) => plan.add(&reach, found),
                        Err(error) => report.unknown(&name, &at, error)?,
                    }
                }
            }
            return Ok(plan);
        }
        let reach = Rc::new(Reach::new(session, access.clone())?);
        let local = |items| Found { items, whole: None };
        // Nothing else is asked for: what is wrong with it is wrong with all.
        let found = match source {
            Whence::Repository(at) => of_repository(&reach, at, self.meant.filter()?, self.scoped).await?,
            Whence::Folders(path) => local(of_folders(path, self.scoped).await?),
            Whence::Layout(path) => local(of_layout(path, self.scoped).await?),
            Whence::DockerArchive(path) => local(of_archive(path, self.scoped).await?),
            Whence::List(_) => local(vec![]),
        };
        plan.add(&reach, found);
        Ok(plan)
    }
}

//! Changes of one repository's manifests and tags, and what may be left of them. The rule is in the test's head.

/// What somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Push { digest: String, tag: Option<String> },
    DeleteTag(String),
    DeleteManifest(String),
}

/// In the order in which they began.
#[derive(Debug, Default)]
pub(super) struct History(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    change: Change,
    outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    InFlight,
    /// Changes from this one on began after its answer.
    Acknowledged(usize),
    /// There was nothing to delete.
    Nothing,
}

impl Change {
    /// Whether it points that tag somewhere, or deletes it.
    fn moves(&self, name: &str) -> bool {
        matches!(self, Self::Push { tag: Some(tag), .. } | Self::DeleteTag(tag) if tag == name)
    }

    /// Where a tag points that it moves.
    fn target(&self) -> Option<&str> {
        if let Self::Push { digest, .. } = self { Some(digest) } else { None }
    }

    /// Whether a manifest is there after it; `None` if it has nothing to do with it.
    fn of_manifest(&self, name: &str) -> Option<bool> {
        match self {
            Self::Push { digest, .. } if digest == name => Some(true),
            Self::DeleteManifest(digest) if digest == name => Some(false),
            _ => None,
        }
    }

    fn is_delete(&self) -> bool {
        !matches!(self, Self::Push { .. })
    }
}

impl Entry {
    fn is_acknowledged(&self) -> bool {
        matches!(self.outcome, Outcome::Acknowledged(_))
    }

    /// Whether the change that began at `at` is later than this one.
    fn is_before(&self, at: usize) -> bool {
        matches!(self.outcome, Outcome::Acknowledged(next) if next <= at)
    }
}

impl History {
    /// To be called before the request is sent; says where it stands.
    pub(super) fn begin(&mut self, change: Change) -> usize {
        self.0.push(Entry { change, outcome: Outcome::InFlight });
        self.0.len() - 1
    }

    /// To be called after the answer.
    pub(super) fn acknowledge(&mut self, at: usize) {
        self.0[at].outcome = Outcome::Acknowledged(self.0.len());
    }

    /// The answer was that there is nothing to delete.
    pub(super) fn nothing_there(&mut self, at: usize) {
        self.0[at].outcome = Outcome::Nothing;
    }

    /// Whether a manifest may be there, or not be there.
    pub(super) fn manifest_may_be(&self, digest: &str, there: bool) -> bool {
        let (last, untouched) = self.last(|change| change.of_manifest(digest));
        last.iter().any(|(.., left)| *left == there) || (untouched && !there)
    }

    /// Whether a tag may point there, or with `None` be gone.
    pub(super) fn tag_may_be(&self, tag: &str, target: Option<&str>) -> bool {
        let (last, untouched) = self.last(|change| change.moves(tag).then(|| change.target()));
        let is_left = |at: usize, entry: &Entry, left: Option<&str>| match (left, target) {
            (Some(digest), Some(target)) => {
                let later = |(m, delete): (usize, &Entry)| delete.is_acknowledged() && entry.is_before(m);
                digest == target && !self.manifest_deletes(digest).any(later)
            }
            // The manifest may have taken it along.
            (Some(digest), None) => self.manifest_deletes(digest).any(|(_, delete)| !delete.is_before(at)),
            (None, target) => target.is_none(),
        };
        last.into_iter().any(|(at, entry, left)| is_left(at, entry, left)) || (untouched && target.is_none())
    }

    /// Whether a tag cannot point anywhere.
    pub(super) fn tag_must_be_gone(&self, tag: &str) -> bool {
        let (last, _) = self.last(|change| change.moves(tag).then(|| change.target()));
        !last.into_iter().any(|(.., left)| self.tag_may_be(tag, left) && left.is_some())
    }

    /// The changes `of` something that no acknowledged one is later than, with what each leaves; and whether none was
    /// acknowledged.
    fn last<'h, T>(&'h self, of: impl Fn(&'h Change) -> Option<T>) -> (Vec<(usize, &'h Entry, T)>, bool) {
        let mut last: Vec<_> = self.entries().filter_map(|(at, entry)| Some((at, entry, of(&entry.change)?))).collect();
        let latest = last.iter().filter(|(_, entry, _)| entry.is_acknowledged()).map(|(at, ..)| *at).max();
        last.retain(|(_, entry, _)| latest.is_none_or(|latest| !entry.is_before(latest)));
        (last, latest.is_none())
    }

    fn manifest_deletes(&self, digest: &str) -> impl Iterator<Item = (usize, &Entry)> {
        self.entries().filter(move |(_, entry)| entry.change.of_manifest(digest) == Some(false))
    }

    fn entries(&self) -> impl Iterator<Item = (usize, &Entry)> {
        self.0.iter().enumerate().filter(|(_, entry)| entry.outcome != Outcome::Nothing)
    }

    pub(super) fn tags(&self) -> impl Iterator<Item = &String> {
        self.entries().filter_map(|(_, entry)| match &entry.change {
            Change::Push { tag, .. } => tag.as_ref(),
            _ => None,
        })
    }

    pub(super) fn acknowledged_deletes(&self) -> usize {
        self.entries().filter(|(_, entry)| entry.is_acknowledged() && entry.change.is_delete()).count()
    }

    pub(super) fn acknowledged_pushes(&self) -> usize {
        self.entries().filter(|(_, entry)| entry.is_acknowledged() && !entry.change.is_delete()).count()
    }

    pub(super) fn in_flight(&self) -> usize {
        self.entries().filter(|(_, entry)| entry.outcome == Outcome::InFlight).count()
    }

    /// Changes that began while another of the same tag or manifest was under way.
    pub(super) fn contended(&self) -> usize {
        let meets = |at: usize, entry: &Entry| {
            let earlier = self.entries().take_while(move |(other, _)| *other < at);
            earlier.filter(|(_, other)| !other.is_before(at)).any(|(_, other)| touch(&entry.change, &other.change))
        };
        self.entries().filter(|(at, entry)| meets(*at, entry)).count()
    }
}

/// Whether both change the same tag or the same manifest.
fn touch(one: &Change, other: &Change) -> bool {
    let tag = |change: &Change| match change {
        Change::Push { tag, .. } => tag.clone(),
        Change::DeleteTag(tag) => Some(tag.clone()),
        Change::DeleteManifest(_) => None,
    };
    let manifest = |change: &Change| match change {
        Change::Push { digest, .. } | Change::DeleteManifest(digest) => Some(digest.clone()),
        Change::DeleteTag(_) => None,
    };
    let same = |one: Option<String>, other| one.is_some() && one == other;
    same(tag(one), tag(other)) || same(manifest(one), manifest(other))
}

#[cfg(test)]
mod tests;

//! Two folders on top of each other, as overlayfs shows them: the lower one where the upper one says nothing.

use proptest::prelude::*;

use super::*;

/// What a path is: kind and mode, or content by which its names are known to be one file.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Thing {
    Folder(u32),
    /// Nobody said how it is to be.
    ImpliedFolder,
    File(String),
    Link(String),
}

type Folder = BTreeMap<String, Thing>;

#[derive(Clone, Debug)]
enum Step {
    File(String),
    Folder(String, u32),
    Link(String),
    OtherName(String, String),
    Whiteout(String),
    Opaque(String),
}

fn paths() -> impl Strategy<Value = String> {
    // A name that sorts between `a` and what is in it.
    proptest::collection::vec(prop_oneof!["[abc]", Just("a-".to_owned())], 1..4).prop_map(|names| names.join("/"))
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => paths().prop_map(Step::File),
        3 => (paths(), 0..0o1000_u32).prop_map(|(path, mode)| Step::Folder(path, mode)),
        1 => paths().prop_map(Step::Link),
        2 => (paths(), paths()).prop_map(|(path, target)| Step::OtherName(path, target)),
        2 => paths().prop_map(Step::Whiteout),
        1 => paths().prop_map(Step::Opaque),
    ]
}

fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

/// A layer being unpacked into an empty folder.
#[derive(Default)]
struct Upper {
    entries: Vec<(Entry, String)>,
    things: Folder,
    whiteouts: BTreeSet<String>,
    opaque: BTreeSet<String>,
}

impl Upper {
    /// Leaves out what no tool makes: a path twice, and something within what the same layer says is no folder.
    fn take(&mut self, step: Step, number: usize) {
        let at = match &step {
            Step::File(at)
            | Step::Folder(at, _)
            | Step::Link(at)
            | Step::OtherName(at, _)
            | Step::Whiteout(at)
            | Step::Opaque(at) => at,
        };
        let blocked = |at: &str| matches!(self.things.get(at), Some(Thing::File(_) | Thing::Link(_)));
        if parents(at).any(blocked) || (matches!(step, Step::Opaque(_)) && blocked(at)) {
            return;
        }
        let is_known = |step: &Step| match (self.things.get(at), step) {
            (None, _) | (_, Step::Whiteout(_) | Step::Opaque(_)) => false,
            (Some(known), step) => *known != Thing::ImpliedFolder || !matches!(step, Step::Folder(..)),
        };
        if is_known(&step) {
            return;
        }
        let at = at.clone();
        let (entry, thing) = match step {
            Step::Whiteout(at) => {
                let (folder, name) = at.rsplit_once('/').map_or(("", at.as_str()), |(folder, name)| (folder, name));
                self.entries.push(file(&format!("{folder}/.wh.{name}"), ""));
                self.whiteouts.insert(at);
                return;
            }
            Step::Opaque(at) => {
                self.entries.push(file(&format!("{at}/.wh..wh..opq"), ""));
                self.opaque.insert(at);
                return;
            }
            Step::File(_) => (file(&at, &number.to_string()), Thing::File(number.to_string())),
            Step::Folder(_, mode) => (folder(&at, mode), Thing::Folder(mode)),
            Step::Link(_) => (link(&at, &number.to_string()), Thing::Link(number.to_string())),
            Step::OtherName(_, target) => match self.things.get(&target) {
                Some(Thing::File(content)) => (other_name(&at, &target), Thing::File(content.clone())),
                _ => return,
            },
        };
        for parent in parents(&at) {
            self.things.entry(parent.to_owned()).or_insert(Thing::ImpliedFolder);
        }
        self.things.insert(at, thing);
        self.entries.push(entry);
    }

    fn over(self, lower: Folder) -> Folder {
        let is_folder = |thing: Option<&Thing>| matches!(thing, None | Some(Thing::Folder(_) | Thing::ImpliedFolder));
        let is_seen = |at: &str| {
            let is_whole = |above: &str| {
                !self.whiteouts.contains(above) && !self.opaque.contains(above) && is_folder(self.things.get(above))
            };
            !self.whiteouts.contains(at) && parents(at).all(is_whole)
        };
        let mut seen: Folder = lower.into_iter().filter(|(at, _)| is_seen(at)).collect();
        for (at, thing) in self.things {
            let lower = seen.get(&at);
            if thing == Thing::ImpliedFolder && lower.is_some() && is_folder(lower) {
                continue;
            }
            seen.insert(at, thing);
        }
        seen
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]
    #[test]
    fn flattening_gives_what_folders_on_top_of_each_other_show(
        layers in proptest::collection::vec(proptest::collection::vec(steps(), 0..8), 1..4),
    ) {
        let mut number = 0;
        let mut model = Folder::new();
        let mut tars = Vec::new();
        for steps in layers {
            let mut upper = Upper::default();
            for step in steps {
                number += 1;
                upper.take(step, number);
            }
            tars.push(tar(&upper.entries));
            model = upper.over(model);
        }
        let mut found = Folder::new();
        for (entry, content) in flattened(&tars).unwrap() {
            let at = entry.path.to_string();
            prop_assert!(parents(&at).all(|parent| found.contains_key(parent)), "{} comes before its folder", at);
            let thing = match entry.kind {
                Kind::Directory => Thing::Folder(entry.attributes.mode),
                Kind::File => Thing::File(content),
                Kind::Symlink(target) => Thing::Link(String::from_utf8(target).unwrap()),
                Kind::HardLink(target) => found[&target.to_string()].clone(),
                other => panic!("{other:?}"),
            };
            prop_assert!(found.insert(at, thing).is_none());
        }
        for thing in model.values_mut() {
            if *thing == Thing::ImpliedFolder {
                *thing = Thing::Folder(0o755);
            }
        }
        prop_assert_eq!(found, model);
    }
}

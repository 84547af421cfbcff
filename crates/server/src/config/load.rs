//! Puts the sources on top of each other. What is wrong in one place does not hide what is wrong in another.

use std::collections::BTreeMap;

use super::given::Given;
use super::suggest::{nearest, with_hint};
use super::{AdminPassword, Config, Origin, Problem, Raw, Setting, Sources, environment, file, rules, settings};

/// A configuration that holds, and where each value comes from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The values.
    pub config: Config,
    /// The administrator's first password, if the environment has it.
    pub admin_password: Option<AdminPassword>,
    origins: BTreeMap<&'static str, Origin>,
}

impl Loaded {
    /// Where the value of `key` comes from.
    pub fn origin(&self, key: &str) -> &Origin {
        self.origins.get(key).unwrap_or(&Origin::Default)
    }
}

impl Config {
    /// Parses and joins `sources`: default < file < environment < flag. Reads nothing else.
    pub fn load(sources: &Sources) -> Result<Loaded, Vec<Problem>> {
        let mut problems = sources.unread.clone();
        let mut given = vec![];
        if let Some((path, text)) = &sources.file {
            given.extend(file::read(path, text, &mut problems));
        }
        given.extend(environment::read(&sources.env, &mut problems));
        given.extend(from_flags(sources, &mut problems));

        let mut loaded = Loaded {
            config: Self::default(),
            admin_password: sources.admin_password.clone(),
            origins: BTreeMap::new(),
        };
        loaded.apply_computed(sources, &given, &mut problems);
        let failed = loaded.apply(given, &mut problems);
        problems.extend(rules::broken(&loaded, &failed));
        if problems.is_empty() { Ok(loaded) } else { Err(problems) }
    }
}

impl Loaded {
    /// Defaults that depend on who runs the server, for settings of which nobody says anything.
    fn apply_computed(&mut self, sources: &Sources, given: &[Given], problems: &mut Vec<Problem>) {
        let unsaid = |setting: &&Setting| !given.iter().any(|given| given.setting.key == setting.key);
        for setting in settings().filter(unsaid) {
            let Some(computed) = setting.computed else { continue };
            let set = (computed.find)(sources).and_then(|text| (setting.set)(&mut self.config, &Raw::Text(text)));
            problems.extend(set.err().map(|message| Problem::new(setting.key, message)));
        }
    }

    /// Returns the keys whose value could not be taken.
    fn apply(&mut self, given: Vec<Given>, problems: &mut Vec<Problem>) -> Vec<&'static str> {
        let mut failed = vec![];
        for Given { setting, raw, origin } in given {
            match raw.and_then(|raw| (setting.set)(&mut self.config, &raw)) {
                Ok(()) => drop(self.origins.insert(setting.key, origin)),
                Err(message) => {
                    problems.push(Problem::new(origin.place(setting.key), message));
                    failed.push(setting.key);
                }
            }
        }
        failed
    }
}

fn from_flags(sources: &Sources, problems: &mut Vec<Problem>) -> Vec<Given> {
    let mut given: Vec<Given> = vec![];
    for flag in &sources.flags {
        let origin = Origin::Flag(flag.name.into());
        let Some(setting) = settings().find(|setting| setting.key == flag.key) else {
            let hint = nearest(&flag.key, settings().map(|setting| setting.key.into()));
            problems.push(Problem::new(origin.place(&flag.key), with_hint("there is no such setting", hint)));
            continue;
        };
        if let Some(twice) = given.iter().find(|given| given.setting.key == setting.key) {
            let message = format!("is already given by {}: give it once", twice.origin.place(setting.key));
            problems.push(Problem::new(origin.place(setting.key), message));
        }
        given.push(Given { setting, raw: Ok(flag.value.clone()), origin });
    }
    given
}

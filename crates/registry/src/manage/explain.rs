//! Why somebody may do something, or may not: what the decision rests on, told to who may know it.

use wharf_meta::{Grantee, Place, Principal};
use wharf_oci::RepoName;

use super::names;
use crate::access::{Action, Anonymous, Because, Caller, Decision, Identity, Power, Reason, Source, Via, decide};
use crate::{Error, Registry, Result};

/// A decision as a request would meet it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Who.
    pub user: String,
    /// Wants to do what.
    pub action: Action,
    /// Where.
    pub target: String,
    /// Whether they may.
    pub is_allowed: bool,
    /// Why, in one sentence.
    pub reason: String,
    /// What it rests on, one line each.
    pub because: Vec<String>,
}

/// Whom it is about.
struct Subject {
    caller: Caller,
    is_disabled: bool,
    /// Whether all of it may be told: to administrators, and to the person themself. Others learn what somebody may do,
    /// and nothing of their account or address: what is granted to addresses does not count for them.
    is_open: bool,
}

/// Where it is about.
struct Target<'t> {
    text: &'t str,
    repository: Option<RepoName>,
    place: Place,
}

impl Target<'_> {
    fn org(&self) -> &str {
        self.repository.as_ref().map_or(self.text, RepoName::org)
    }
}

impl Registry {
    /// Why `user` may or may not do `action` on an org or a repository. Administrators may ask about everybody, who
    /// may grant there about that place, and everybody about themselves.
    pub async fn explain(&self, caller: &Caller, user: &str, action: Action, target: &str) -> Result<Explanation> {
        self.admitted(caller)?;
        let asks_of_self = caller.name() == user;
        if !asks_of_self && !self.administers(caller) {
            self.may_grant_at(caller, target).await?;
        }
        let subject = if asks_of_self {
            Subject { caller: caller.clone(), is_disabled: false, is_open: true }
        } else {
            let found = self.subject(caller, user, names::org_of(target)).await?;
            found.ok_or_else(|| Error::NotFound { what: format!("user or robot {user}") })?
        };
        let target = self.target(&subject, target).await?;
        let decision = self.decision(&subject, action, &target);
        let is_hidden = asks_of_self && self.is_hidden(&subject, &target);
        let because = if is_hidden {
            vec![
                self.about_subject(&subject),
                format!("nothing that you may know of gives you a right on {}", target.text),
            ]
        } else {
            self.because(&subject, action, &target).await?
        };
        let is_allowed = matches!(decision, Decision::Allow(_)) && !subject.is_disabled;
        let reason = sentence(&subject, action, &target, decision);
        Ok(Explanation { user: user.into(), action, target: target.text.into(), is_allowed, reason, because })
    }

    async fn may_grant_at(&self, caller: &Caller, target: &str) -> Result<()> {
        match self.place_to_grant(caller, "look up what others may do", target).await {
            // A repository that does not exist yet, in an org where they may.
            Ok(_) | Err(Error::NameUnknown(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Whoever has that name, told as far as `asker` may know; `org` is where it is about.
    async fn subject(&self, asker: &Caller, name: &str, org: &str) -> Result<Option<Subject>> {
        let is_open = self.administers(asker);
        if name == "anonymous" {
            return Ok(Some(Subject { caller: Caller::anonymous(Source::here()), is_disabled: false, is_open }));
        }
        let (identity, is_disabled) = if name.contains('+') {
            if !self.may_name_robot(asker, name, org).await? {
                return Ok(None);
            }
            let Some(robot) = self.meta.robot_named(name).await? else { return Ok(None) };
            (Identity::Robot { id: robot.id, name: name.into() }, robot.is_disabled)
        } else {
            let Some(user) = self.meta.account(name).await? else { return Ok(None) };
            (Identity::User { id: user.id, name: user.name, is_admin: user.is_admin }, user.is_disabled)
        };
        Ok(Some(Subject { caller: Caller::of(identity, Via::Password, Source::here()), is_disabled, is_open }))
    }

    async fn target<'t>(&self, subject: &Subject, text: &'t str) -> Result<Target<'t>> {
        let mut target = self.whole_target(subject, text).await?;
        let place = &mut target.place;
        if let (false, Some(who), Some(org)) = (subject.is_open, subject.caller.identity().principal(), place.org) {
            let repository = place.repository.as_ref().map(|repository| repository.id);
            place.role = self.meta.role_apart_from_addresses(who, org, repository).await?;
        }
        Ok(target)
    }

    async fn whole_target<'t>(&self, subject: &Subject, text: &'t str) -> Result<Target<'t>> {
        let who = subject.caller.identity().principal();
        if text.contains('/') {
            let name = names::repository("target", text)?;
            let place = self.meta.place(who, &name).await?;
            return Ok(Target { text, repository: Some(name), place });
        }
        Ok(Target { text, repository: None, place: self.meta.org_place(who, text).await? })
    }

    fn decision(&self, subject: &Subject, action: Action, target: &Target<'_>) -> Decision {
        match &target.repository {
            Some(name) => self.decide(&subject.caller, action, name, &target.place),
            None => decide(&self.facts(&subject.caller, &target.place), action),
        }
    }

    /// Whoever may not read there is not told what is, nor is a token that is good elsewhere.
    fn is_hidden(&self, subject: &Subject, target: &Target<'_>) -> bool {
        let repository = target.place.repository.as_ref().map(|repository| repository.id);
        let is_elsewhere = subject.caller.ceiling(target.place.org, repository) == Power::Nothing;
        let reads = !matches!(self.decision(subject, Action::Pull, target), Decision::Deny(Reason::Hidden));
        is_elsewhere || !(reads || target.place.role.is_some())
    }

    async fn because(&self, subject: &Subject, action: Action, target: &Target<'_>) -> Result<Vec<String>> {
        let mut lines = vec![self.about_subject(subject)];
        lines.extend(self.about_place(target).await?);
        if let (Some(principal), Some(org)) = (subject.caller.identity().principal(), target.place.org) {
            let repository = target.place.repository.as_ref().map(|repository| repository.id);
            lines.extend(self.about_membership(subject, principal, target).await?);
            let mut grants = self.meta.grants_at(principal, org, repository).await?;
            // Who gave it does not know whose address that is.
            grants.retain(|grant| subject.is_open || !matches!(grant.to, Grantee::Email(_)));
            if grants.is_empty() {
                lines.push(format!("nothing there is granted to {}", subject.caller.name()));
            }
            let line = |grant: &wharf_meta::Grant| {
                let to = match &grant.to {
                    Grantee::Team(team) => format!("the team {team}, which {} is in,", subject.caller.name()),
                    to => to.name().to_owned(),
                };
                format!("{to} is {} of {}, granted by {}", grant.role, grant.target(), grant.granted_by)
            };
            lines.extend(grants.iter().map(line));
            if let (false, Principal::User(_)) = (subject.is_open, principal) {
                lines.push("what is granted to addresses is left out: whose they are, administrators see".into());
            }
        }
        if let Some(cap) = subject.caller.cap() {
            lines.push(format!(
                "signed in by {}, which leaves {} at most where it is good",
                subject.caller.via(),
                cap.role
            ));
        }
        if !self.settings.token_auth && matches!(action, Action::Push | Action::Delete) {
            lines.push("token_auth is off: only administrators push and delete".into());
        }
        lines.push(format!("to {} takes {}", action.verb(), action.taken_by()));
        Ok(lines)
    }

    fn about_subject(&self, subject: &Subject) -> String {
        let name = subject.caller.name();
        if subject.is_disabled && subject.is_open {
            return format!("{name} is disabled, and may do nothing");
        }
        match subject.caller.identity() {
            Identity::Anonymous if self.settings.anonymous == Anonymous::Pull => {
                "who shows nothing may pull what is public: anonymous = pull".into()
            }
            Identity::Anonymous => "who shows nothing may do nothing: anonymous = none".into(),
            Identity::User { is_admin: true, .. } if subject.is_open => {
                format!("{name} is an administrator, who may do everything")
            }
            Identity::User { .. } => format!("{name} is a user"),
            Identity::Robot { .. } => format!("{name} is a robot"),
        }
    }

    async fn about_place(&self, target: &Target<'_>) -> Result<Vec<String>> {
        let org = target.org();
        let Some(found) = self.meta.org(org).await? else {
            return Ok(vec![format!("there is no org {org}, and only administrators make one by pushing")]);
        };
        let own = match &target.repository {
            Some(name) => self.meta.repository_settings(name).await?,
            None => None,
        };
        let mut lines = Vec::new();
        if target.repository.is_some() && own.is_none() {
            lines.push(format!("there is no repository {}: what holds in all of {org} counts", target.text));
        }
        let own = own.and_then(|own| own.own_visibility);
        let (visibility, by) = match (own, found.visibility) {
            (Some(own), _) => (own, "by its own setting".to_owned()),
            (None, Some(set)) if target.repository.is_some() => (set, format!("as the org {org} says")),
            (None, Some(set)) => (set, "by its own setting".to_owned()),
            (None, None) => (self.settings.visibility, "as the registry is set".to_owned()),
        };
        lines.push(format!("{} is {visibility}, {by}", target.text));
        Ok(lines)
    }

    async fn about_membership(
        &self,
        subject: &Subject,
        principal: Principal,
        target: &Target<'_>,
    ) -> Result<Option<String>> {
        let (Principal::User(user), Some(org)) = (principal, target.place.org) else { return Ok(None) };
        let (name, org_name) = (subject.caller.name(), target.org());
        Ok(self.meta.member(org, user).await?.map(|member| match member.role {
            super::Membership::Owner => format!("{name} is an owner of {org_name}"),
            super::Membership::Member => format!("{name} is a member of {org_name}, which by itself gives no right"),
        }))
    }
}

fn sentence(subject: &Subject, action: Action, target: &Target<'_>, decision: Decision) -> String {
    let (name, verb, place) = (subject.caller.name(), action.verb(), target.text);
    if subject.is_disabled {
        let why = if subject.is_open { ": the account is disabled" } else { "" };
        return format!("{name} may not {verb} {place}{why}");
    }
    match decision {
        Decision::Allow(Because::Administrator) if !subject.is_open => format!("{name} may {verb} {place}"),
        Decision::Allow(Because::Administrator) => format!("{name} may {verb} {place}, as an administrator"),
        Decision::Allow(Because::Role(role)) => format!("{name} may {verb} {place}, as {role} there"),
        Decision::Allow(Because::Visibility(visibility)) => {
            format!("{name} may {verb} {place}, because it is {visibility}")
        }
        Decision::Deny(Reason::SignIn) => format!("{name} may not {verb} {place}: somebody has to sign in for it"),
        Decision::Deny(Reason::TokenTooNarrow) => {
            format!("{name} may {verb} {place}, but not with what they are signed in by")
        }
        Decision::Deny(Reason::Hidden) => format!("{name} may not {verb} {place}: to them it is not there"),
        Decision::Deny(Reason::NoRight) => match target.place.role {
            Some(role) if action.is_within(role) => {
                format!("{name} may not {verb} {place}: only administrators do, while token_auth is off")
            }
            Some(role) => {
                format!("{name} may not {verb} {place}: they are {role} there, and it takes {}", action.taken_by())
            }
            None => {
                format!("{name} may not {verb} {place}: they have no role there, and it takes {}", action.taken_by())
            }
        },
    }
}

use super::*;

const ROLES: [Option<Role>; 5] =
    [None, Some(Role::Reader), Some(Role::Writer), Some(Role::Maintainer), Some(Role::Owner)];
const POWERS: [Power; 6] =
    [Power::Nothing, Power::Reader, Power::Writer, Power::Maintainer, Power::Owner, Power::Administrator];

fn user(is_admin: bool) -> Identity {
    Identity::User { id: 1, name: "u".into(), is_admin }
}

fn robot() -> Identity {
    Identity::Robot { id: 1, name: "team+ci".into() }
}

/// Calls `each` with every combination of what a decision can rest on.
fn every(mut each: impl FnMut(&Facts<'_>, Action)) {
    let tokens =
        [None, Some(Actions::NONE), Some(Actions::PULL), Some(Actions::PULL | Actions::PUSH), Some(Actions::ALL)];
    let identities = [Identity::Anonymous, user(false), user(true), robot()];
    for identity in &identities {
        for role in ROLES {
            for visibility in [Visibility::Private, Visibility::Internal, Visibility::Public] {
                for anonymous in [Anonymous::Nothing, Anonymous::Pull] {
                    for ceiling in POWERS {
                        for token in tokens {
                            for only_admins_write in [false, true] {
                                let role = role.filter(|_| *identity != Identity::Anonymous);
                                let facts =
                                    Facts { identity, role, visibility, anonymous, ceiling, token, only_admins_write };
                                for action in Action::ALL {
                                    each(&facts, action);
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The table of HOUSE.md, answers, put another way than the code does.
#[test]
fn the_whole_table() {
    let mut decisions = 0;
    every(|facts, action| {
        decisions += 1;
        let is_admin = *facts.identity == user(true);
        let for_all = facts.visibility == Visibility::Public && facts.anonymous == Anonymous::Pull;
        let for_known = facts.visibility != Visibility::Private && *facts.identity != Identity::Anonymous;
        let rank = facts.role.map_or(0, |role| role as usize);
        let by_role = match action {
            Action::Pull => rank >= 1,
            Action::Push => rank >= 2 && !facts.only_admins_write,
            Action::Delete => rank >= 3 && !facts.only_admins_write,
            Action::Manage => rank >= 3,
            Action::Own => rank >= 4,
            Action::Administer => false,
        };
        let open = action == Action::Pull && (for_all || for_known);
        let has_right = is_admin || by_role || open;
        let asked = match (facts.token, action) {
            (None, _) => true,
            (Some(token), Action::Pull) => token.contains(Actions::PULL),
            (Some(token), Action::Push) => token.contains(Actions::PUSH),
            (Some(token), Action::Delete) => token.contains(Actions::DELETE),
            (Some(_), _) => false,
        };
        let needed = [Power::Reader, Power::Writer, Power::Maintainer, Power::Maintainer, Power::Owner];
        let needed = needed.get(action as usize).copied().unwrap_or(Power::Administrator);
        let left = facts.ceiling >= needed || (action == Action::Pull && for_all);
        let found = decide(facts, action);
        match (has_right, asked && left, facts.identity, action) {
            (true, true, ..) => assert!(matches!(found, Decision::Allow(_)), "{facts:?} {action:?}: {found:?}"),
            (true, false, ..) => {
                assert_eq!(found, Decision::Deny(Reason::TokenTooNarrow), "{facts:?} {action:?}");
            }
            (false, _, Identity::Anonymous, _) => assert_eq!(found, Decision::Deny(Reason::SignIn)),
            (false, _, _, Action::Pull) => assert_eq!(found, Decision::Deny(Reason::Hidden)),
            (false, ..) => assert_eq!(found, Decision::Deny(Reason::NoRight)),
        }
    });
    assert_eq!(decisions, 4 * 5 * 3 * 2 * 6 * 5 * 2 * 6);
}

#[test]
fn a_narrower_credential_never_allows_more() {
    every(|facts, action| {
        if matches!(decide(facts, action), Decision::Allow(_)) {
            for ceiling in POWERS.into_iter().filter(|power| *power > facts.ceiling) {
                assert!(matches!(decide(&Facts { ceiling, ..*facts }, action), Decision::Allow(_)));
            }
            assert!(matches!(decide(&Facts { token: None, ..*facts }, action), Decision::Allow(_)));
        }
    });
}

#[test]
fn a_greater_role_never_allows_less() {
    every(|facts, action| {
        if matches!(decide(facts, action), Decision::Allow(_)) && *facts.identity != Identity::Anonymous {
            for role in ROLES.into_iter().filter(|role| *role > facts.role) {
                assert!(matches!(decide(&Facts { role, ..*facts }, action), Decision::Allow(_)));
            }
        }
    });
}

#[test]
fn a_yes_names_the_least_that_gave_it() {
    let facts = |identity, role, visibility| Facts {
        identity,
        role,
        visibility,
        anonymous: Anonymous::Nothing,
        ceiling: Power::Administrator,
        token: None,
        only_admins_write: false,
    };
    let (admin, other) = (user(true), user(false));
    let because = |facts: &Facts<'_>, action| match decide(facts, action) {
        Decision::Allow(because) => because,
        Decision::Deny(reason) => panic!("{reason:?}"),
    };
    let at = facts(&other, Some(Role::Writer), Visibility::Internal);
    assert_eq!(because(&at, Action::Pull), Because::Visibility(Visibility::Internal));
    assert_eq!(because(&at, Action::Push), Because::Role(Role::Writer));
    let at = facts(&admin, None, Visibility::Private);
    assert_eq!(because(&at, Action::Pull), Because::Administrator);
    assert_eq!(
        because(&facts(&admin, Some(Role::Owner), Visibility::Private), Action::Own),
        Because::Role(Role::Owner)
    );
}

use super::*;

fn user(is_admin: bool) -> Identity {
    Identity::User { id: 1, name: "u".into(), is_admin }
}

/// The table of HOUSE.md, answers: every identity × visibility × anonymous × token × action.
#[test]
fn the_whole_table() {
    use Decision::{Allow, Deny};
    let visibilities = [None, Some(Visibility::Private), Some(Visibility::Internal), Some(Visibility::Public)];
    let tokens =
        [None, Some(Actions::NONE), Some(Actions::PULL), Some(Actions::PULL | Actions::PUSH), Some(Actions::ALL)];
    for identity in [Identity::Anonymous, user(false), user(true)] {
        for visibility in visibilities {
            for anonymous in [Anonymous::Nothing, Anonymous::Pull] {
                for token in tokens {
                    for action in [Action::Pull, Action::Push, Action::Delete] {
                        let found = decide(&Facts { identity: &identity, anonymous, visibility, token }, action);
                        let anybody =
                            anonymous == Anonymous::Pull && matches!(visibility, None | Some(Visibility::Public));
                        let has_right = match &identity {
                            Identity::User { is_admin: true, .. } => true,
                            Identity::User { .. } => {
                                let members = matches!(visibility, Some(Visibility::Internal | Visibility::Public));
                                action == Action::Pull && (members || anybody)
                            }
                            Identity::Anonymous => action == Action::Pull && anybody,
                        };
                        let covered = token.is_none_or(|token| token.contains(action.needs()));
                        let expected = match (has_right, covered, &identity, action) {
                            (true, true, ..) => Allow,
                            (true, false, ..) => Deny(Reason::TokenTooNarrow),
                            (false, _, Identity::Anonymous, _) => Deny(Reason::SignIn),
                            (false, _, _, Action::Pull) => Deny(Reason::Hidden),
                            (false, ..) => Deny(Reason::NoRight),
                        };
                        assert_eq!(found, expected, "{identity:?} {visibility:?} {anonymous:?} {token:?} {action:?}");
                    }
                }
            }
        }
    }
}

use wharf_e2e::Wharf;

use super::Person;

#[test]
fn a_password_that_is_typed_is_not_shown() {
    let wharf = Wharf::start();
    let person = Person::of(&wharf);
    let mut terminal = person.at_terminal("auth login");
    terminal.sees("Server: ");
    terminal.types(&wharf.host());
    terminal.sees("User name (none to sign in by a browser): ");
    terminal.types("admin");
    terminal.sees("Password: ");
    terminal.types(wharf.password());
    let (code, screen) = terminal.ends();
    assert!(code == 0 && screen.contains("admin is signed in to"), "{screen}");
    assert!(!screen.contains(wharf.password()), "{screen}");
    person.wharf("auth status").ok();
}

#[test]
fn ctrl_c_at_a_question_leaves_the_terminal_as_it_was() {
    let wharf = Wharf::start();
    let person = Person::of(&wharf);
    let line = format!("{} auth login {} -u admin", wharf_e2e::binary().display(), wharf.host());
    let mut terminal = person.sandbox.terminal(&format!("sh -c 'trap : INT; {line}; echo code $?; stty -a'"));
    terminal.sees("Password: ");
    terminal.interrupts();
    let (_, screen) = terminal.ends();
    assert!(screen.contains("code 130"), "{screen}");
    assert!(screen.contains(" echo ") && !screen.contains("-echo "), "{screen}");
}

#[test]
fn who_is_signed_in_is_signed_out_for_another_only_after_a_yes() {
    let wharf = Wharf::start();
    let person = Person::of(&wharf);
    person.signs_in(&wharf);
    let password = person.wharf("users create bob").ok();
    for (answer, code, user) in [("n", 1, "admin"), ("y", 0, "bob")] {
        let mut terminal = person.at_terminal(&format!("auth login {} -u bob", wharf.host()));
        terminal.sees(&format!("admin is signed in there (context {}). Sign admin out? [y/N] ", wharf.host()));
        terminal.types(answer);
        if code == 0 {
            terminal.sees("Password: ");
            terminal.types(&password);
        }
        let (ended, screen) = terminal.ends();
        assert_eq!(ended, code, "{screen}");
        assert_eq!(person.wharf("auth status --quiet").ok(), user);
    }
}

#[test]
fn a_delete_asks_before_it_does() {
    let wharf = Wharf::start();
    let person = Person::of(&wharf);
    person.signs_in(&wharf);
    for answer in ["n", "", "yess"] {
        let mut terminal = person.at_terminal(&format!("contexts delete {}", wharf.host()));
        terminal.sees(&format!("Forget context {}? [y/N] ", wharf.host()));
        terminal.types(answer);
        let (code, screen) = terminal.ends();
        assert!(code == 1 && screen.contains("nothing was changed"), "{screen}");
    }
    let mut terminal = person.at_terminal(&format!("contexts delete {}", wharf.host()));
    terminal.sees("[y/N] ");
    terminal.types("y");
    assert_eq!(terminal.ends().0, 0);
    assert_eq!(person.wharf("contexts list --json").ok(), "[]");
}

use std::time::Duration;

use wharf_e2e::{Setup, Wharf, since_start, wait_for};

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

#[test]
fn what_waits_for_its_input_ends_at_the_first_ctrl_c() {
    let wharf = Wharf::start();
    let person = Person::of(&wharf);
    person.signs_in(&wharf);
    let host = wharf.host();
    for line in [format!("import - {host}/team/x:1"), format!("push {host}/team/x:1 - --name x")] {
        let mut terminal = person.at_terminal(&line);
        terminal.catches_ctrl_c();
        // Then it soon waits for its standard input.
        std::thread::sleep(Duration::from_secs(1));
        let start = since_start();
        terminal.interrupts();
        let (code, screen) = terminal.ends();
        assert!(code == 130 && since_start() < start + Duration::from_secs(5), "{line}: {code} {screen}");
        assert!(screen.contains("wharf: interrupted"), "{screen}");
    }
}

#[test]
fn ctrl_c_takes_the_bars_away() {
    // The push could be gone on with.
    let wharf = Setup::new().keeps_uploads().start();
    let mut person = Person::of(&wharf);
    person.signs_in(&wharf);
    person.sandbox.set("TERM", "xterm");
    let file = person.sandbox.path("work/large");
    std::fs::write(&file, wharf_e2e::blob(&mut fastrand::Rng::new(), 192 << 20)).unwrap();
    let mut terminal = person.at_terminal(&format!("push {}/team/large:1 {}", wharf.host(), file.display()));
    wait_for("a bar", 30, || terminal.screen().contains("total").then_some(()));
    terminal.interrupts();
    let (code, screen) = terminal.ends();
    assert_eq!(code, 130, "{screen}");
    // Nothing was drawn after the line was cleared for the last time, but the words.
    let left = screen.rsplit("\u{1b}[2K").next().unwrap_or_default();
    assert_eq!(left.trim_matches(['\r', '\n']), "wharf: interrupted", "{screen:?}");
}

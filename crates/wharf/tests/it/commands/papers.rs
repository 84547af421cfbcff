//! Completions and manual pages.

use super::*;

/// Has the shell complete a line, whose words are those of `COMP_WORDS`, by what the program gave it.
const BASH: &str = r#"
eval "$(cat)"
COMP_WORDS=($LINE) COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_TYPE=9
_clap_complete_wharf wharf "${COMP_WORDS[COMP_CWORD]}" ""
printf '%s\n' "${COMPREPLY[@]}"
"#;

/// What bash offers at the end of a line.
async fn offered(desk: &Desk, line: &str) -> Vec<String> {
    let script = desk.wharf("completions bash").await.ok();
    let mut bash = desk.program("/bin/bash".as_ref(), "");
    let ours = Path::new(env!("CARGO_BIN_EXE_wharf")).parent().unwrap().display();
    bash.args(["-c", BASH]).env("PATH", format!("{ours}:/usr/bin:/bin")).env("LINE", line);
    let out = run(bash, &script, line).await.ok();
    out.lines().map(|offer| offer.trim().to_owned()).collect()
}

#[tokio::test]
async fn bash_completes_commands_contexts_and_places() {
    let desk = Desk::of_admin().await;
    assert_eq!(offered(&desk, "wharf auth log").await, ["login", "logout"]);
    assert_eq!(offered(&desk, "wharf contexts use 127").await, [desk.host()]);
    assert_eq!(offered(&desk, "wharf repos list --context 127").await, [desk.host()]);
    assert_eq!(offered(&desk, "wharf copy oci").await, ["oci:", "oci-archive:"]);
    let folder = desk.home.path().join("layouts").display().to_string();
    std::fs::create_dir_all(format!("{folder}/mine")).unwrap();
    assert_eq!(offered(&desk, &format!("wharf inspect oci:{folder}/m")).await, [format!("oci:{folder}/mine/")]);
    let options = offered(&desk, "wharf copy --src-").await;
    assert!(options.contains(&"--src-authfile".to_owned()), "{options:?}");
    assert!(!options.iter().any(|option| option.contains("creds") && !option.contains("no-creds")), "{options:?}");
    // Where nobody is signed in there is nothing to name, and nothing to complain of.
    assert!(offered(&Desk::new().await, "wharf contexts use 127").await.iter().all(String::is_empty));
}

#[tokio::test]
async fn zsh_and_fish_ask_the_program_and_an_unknown_shell_is_told() {
    let desk = Desk::new().await;
    for shell in ["zsh", "fish"] {
        let script = desk.wharf(&format!("completions {shell}")).await.ok();
        assert!(script.contains("WHARF_COMPLETE") && script.contains("wharf --"), "{shell}: {script}");
    }
    desk.wharf("completions tcsh").await.fails(2, "zsh");
}

#[tokio::test]
async fn each_command_has_a_manual_page() {
    let desk = Desk::new().await;
    let folder = desk.home.path().join("share/man1");
    desk.wharf(&format!("man --to {}", folder.display())).await.ok();
    for (page, words) in
        [("wharf", "wharf\\-auth"), ("wharf-auth-login", "password\\-stdin"), ("wharf-serve", "listen")]
    {
        let text = std::fs::read_to_string(folder.join(format!("{page}.1"))).unwrap();
        assert!(text.contains(".TH") && text.contains(words), "{page}: {text}");
    }
    let copy = std::fs::read_to_string(folder.join("wharf-copy.1")).unwrap();
    for words in [
        "wharf copy [OPTIONS] <SOURCE> <DESTINATION>",
        ".SH \"PLACES\"\n.nf\n",
        ".SH \"EXAMPLES\"\n.nf\n",
        ".SH \"EXIT STATUS\"",
        ".SH \"FILES\"",
        ".SH \"SEE ALSO\"\n\\fBwharf\\fR(1)\n",
        "Wharfinger",
    ] {
        assert!(copy.contains(words), "no {words} in {copy}");
    }
    assert!(!copy.contains("SH EXTRA") && !copy.contains("insecure\\-policy"), "{copy}");
    assert!(!folder.join("wharf-login.1").exists(), "hidden words have no page");
    std::fs::write(desk.home.path().join("file"), "").unwrap();
    desk.wharf(&format!("man --to {}/file/x", desk.home.path().display())).await.fails(1, "file/x");
}

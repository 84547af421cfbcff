//! Completions and manual pages.

use super::*;

/// Has the shell complete `wharf auth l`, by what the program gave it.
const BASH: &str = r#"
eval "$(cat)"
COMP_WORDS=(wharf auth l) COMP_CWORD=2 COMP_LINE="wharf auth l" COMP_POINT=12
_wharf wharf l auth
printf '%s\n' "${COMPREPLY[@]}"
"#;

#[tokio::test]
async fn bash_completes_the_commands() {
    let desk = Desk::new().await;
    let script = desk.wharf("completions bash").await.ok();
    let mut bash = desk.program("/bin/bash".as_ref(), "");
    bash.args(["-c", BASH]).env("PATH", "/usr/bin:/bin");
    assert_eq!(run(bash, &script, "bash").await.ok(), "login\nlogout\n");
}

#[tokio::test]
async fn zsh_and_fish_get_every_command_and_an_unknown_shell_is_told() {
    let desk = Desk::new().await;
    for shell in ["zsh", "fish"] {
        let script = desk.wharf(&format!("completions {shell}")).await.ok();
        for command in ["login", "serve", "token-stdin", "completions"] {
            assert!(script.contains(command), "{shell}: {command}");
        }
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
    std::fs::write(desk.home.path().join("file"), "").unwrap();
    desk.wharf(&format!("man --to {}/file/x", desk.home.path().display())).await.fails(1, "file/x");
}

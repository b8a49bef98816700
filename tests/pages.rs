//! The manual and the shell completions: `echo-host man` and `echo-host completions`.

use crate::configuration::site::Site;
use crate::fixture::{echo_host, run};
use std::fs;
use std::process::Command;

/// The commands that `--help` lists.
fn commands() -> Vec<String> {
    let help = echo_host(&["--help"]).stdout;
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let list = list.split("\n\n").next().unwrap();
    let names = list
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.map(|line| line.split_whitespace().next().unwrap().to_owned());
    names.filter(|name| name != "help").collect()
}

#[test]
fn every_command_has_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man/man1");
    let finished = echo_host(&["man", pages.to_str().unwrap()]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let commands = commands();
    assert!(commands.len() > 10, "{commands:?}");
    for command in commands {
        let page = pages.join(format!("echo-host-{command}.1"));
        let page = fs::read_to_string(&page).unwrap_or_else(|_| panic!("{command} has none"));
        assert!(page.contains(".SH SYNOPSIS"), "{page}");
    }
    let page = folder.path().join("man/man5/echo-host.toml.5");
    let mut manual = Command::new("man");
    manual.arg("-M").arg(folder.path().join("man"));
    let shown = run(manual.args(["-P", "cat", "5", "echo-host.toml"]), b"");
    assert_eq!(shown.code, Some(0), "{shown:?}");
    for part in [
        "tls-cert = FILE",
        "idle-timeout = TIME",
        "listen = [URI, ...]",
        "Default: 10min.",
    ] {
        assert!(shown.stdout.contains(part), "{part}: {shown:?}");
    }
    let text = fs::read_to_string(page).unwrap();
    assert!(text.contains(".TH echo-host.toml 5"), "{text}");
    let serve = fs::read_to_string(pages.join("echo-host-serve.1")).unwrap();
    assert!(serve.contains("ECHO_HOST_LISTEN"), "{serve}");
}

#[test]
fn the_page_of_the_host_is_printed_without_a_folder() {
    let finished = echo_host(&["man"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(finished.stdout.contains(".TH echo-host 1"), "{finished:?}");
    assert!(
        finished.stdout.contains("inetd for WebAssembly"),
        "{finished:?}"
    );
}

#[test]
fn bash_completes_commands_and_options() {
    let script = echo_host(&["completions", "bash"]).stdout;
    let ask = |words: &str, at: usize| {
        let script = format!(
            "{script}\nCOMP_WORDS=({words}); COMP_CWORD={at}\n\
             completer=$(complete -p echo-host | sed 's/.* -F \\([^ ]*\\).*/\\1/')\n\
             $completer echo-host \"${{COMP_WORDS[{at}]}}\" \"${{COMP_WORDS[{before}]}}\"\n\
             printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            before = at - 1
        );
        run(Command::new("bash").args(["-c", &script]), b"").stdout
    };
    assert_eq!(ask("echo-host swa", 1), "swap\n");
    assert_eq!(
        ask("echo-host serve --max-conn", 2),
        "--max-connections\n--max-connections-per-ip\n--max-connections-per-uid\n"
    );
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        let finished = echo_host(&["completions", shell]);
        assert!(finished.stdout.contains("max-connections"), "{finished:?}");
    }
}

#[test]
fn bash_completes_the_names_that_a_running_host_knows() {
    let site = Site::new(
        "[service.chat]\nlisten = 'tcp://127.0.0.1:0'\n[service.calc]\nlisten = 'tcp://127.0.0.1:0'",
    );
    let _host = site.serve(2);
    let script = echo_host(&["completions", "bash"]).stdout;
    let control = site.path("host.sock");
    let ask = |words: &[&str]| {
        let at = words.len();
        let script = format!(
            "{script}\nCOMP_WORDS=({program} swap --control {control} {words}); COMP_CWORD={at}\n\
             completer=$(complete -p echo-host | sed 's/.* -F \\([^ ]*\\).*/\\1/')\n\
             $completer {program} \"${{COMP_WORDS[{at}]}}\" \"${{COMP_WORDS[{before}]}}\"\n\
             printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            program = env!("CARGO_BIN_EXE_echo-host"),
            words = words.join(" "),
            at = at + 3,
            before = at + 2,
        );
        run(Command::new("bash").args(["-c", &script]), b"").stdout
    };
    assert_eq!(ask(&["--service", "''"]), "calc\nchat\n");
    assert_eq!(ask(&["--service", "ch"]), "chat\n");
    assert_eq!(ask(&["--service", "calc", "--generation", "''"]), "1\n");
    assert_eq!(ask(&["--roll"]), "--rollback\n");
    // Without a host there is nothing, and no error.
    let nobody = echo_host(&["words-of-host", "--service", "--control", "/no/such.sock"]);
    assert_eq!(
        (nobody.code, &*nobody.stdout, &*nobody.stderr),
        (Some(0), "", "")
    );
    let zsh = echo_host(&["completions", "zsh"]).stdout;
    assert!(
        zsh.contains(":NAME: _echo-host-of-host --service'"),
        "{zsh}"
    );
}

#[test]
fn what_cannot_be_written_is_named() {
    let finished = echo_host(&["man", "/dev/null/man1"]);
    assert_eq!(finished.code, Some(74), "{finished:?}");
    let said = "echo-host: cannot write man pages to /dev/null/man1: Not a directory";
    assert!(finished.stderr.starts_with(said), "{finished:?}");
}

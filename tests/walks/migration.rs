//! Authors move a live session to a new version, each in a language, with the commands of
//! docs/handlers/migrate.md and the handlers of the languages' pages.

use super::{BUILD_DEADLINE, User, block, build_without_target, succeeded, unit_tests, with_rust};
use crate::fixture::{
    Client, Finished, Host, cargo, client_python, guest, needs, root, run_within,
};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

const PAGE: &str = "docs/handlers/migrate.md";

/// In place of a minute: enough for a swap while other tests keep the machine busy.
const DELAY_SECONDS: &str = "20";

/// A language of the page's table.
struct Language {
    title: &'static str,
    page: &'static str,
    /// What its code blocks are called.
    fence: &'static str,
    /// Parts of the blocks with the handler and its unit test.
    parts: [&'static str; 2],
}

const RUST: Language = Language {
    title: "Rust",
    page: "docs/handlers/rust.md",
    fence: "rust",
    parts: ["Session for Reminder", "mod tests"],
};
const PYTHON: Language = Language {
    title: "Python",
    page: "docs/handlers/python.md",
    fence: "python",
    parts: ["class Session", "unittest"],
};
const JAVASCRIPT: Language = Language {
    title: "JavaScript",
    page: "docs/handlers/javascript.md",
    fence: "js",
    parts: ["class Session", "node:assert"],
};

/// Someone with a directory of a handler.
struct Author {
    user: User,
    language: Language,
    folder: PathBuf,
    /// The files with the handler, its unit test and its exchange.
    files: Vec<PathBuf>,
    unit_tests: String,
}

impl Author {
    /// Creates the handler, and replaces what the page replaces.
    fn begins(language: Language, name: &str) -> Self {
        let user = User::new();
        let page = fs::read_to_string(root().join(PAGE)).unwrap();
        let begin = format!("| [{}](", language.title);
        let row = page.lines().find(|line| line.starts_with(&begin)).unwrap();
        let cells: Vec<_> = row
            .split('|')
            .map(|it| it.trim().trim_matches('`'))
            .collect();
        let [_, _, handler, unit_test, command, _] = cells[..] else {
            panic!("{row}")
        };
        let commands = block(PAGE, "sh", "echo-host new reminders").replace("reminders", name);
        let [new, cd] = commands.lines().collect::<Vec<_>>()[..] else {
            panic!("{commands}")
        };
        let lang = format!("--lang {}", language.title.to_lowercase());
        let new = new.replace("--lang python", &lang);
        succeeded(&user.types(new.strip_prefix("echo-host ").unwrap()));
        let folder = user.folder().join(cd.strip_prefix("cd ").unwrap());
        let shown = language
            .parts
            .map(|part| block(language.page, language.fence, part));
        let [source, tests] = shown.map(|text| text.replace("60", DELAY_SECONDS));
        assert!(source.contains(DELAY_SECONDS), "{source}");
        let exchange = format!("{name}.exchange");
        let files = match unit_test {
            "in the same file" => vec![(handler, source + &tests)],
            path => vec![(handler, source), (path, tests)],
        };
        let text = block(PAGE, "text", "== a reminder");
        let files = files.into_iter().chain([(&*exchange, text)]);
        let write = |(path, text): (&str, String)| {
            let path = folder.join(path);
            fs::write(&path, text).unwrap();
            path
        };
        let author = Author {
            files: files.map(write).collect(),
            unit_tests: command.to_owned(),
            user,
            language,
            folder,
        };
        author.installs();
        author
    }

    /// Uses what the suite has installed, in place of a download of their own.
    fn installs(&self) {
        match self.language.title {
            "Rust" => build_without_target(&self.folder),
            "JavaScript" => {
                needs("client-libraries");
                let modules = root().join("target/test-clients/node_modules");
                std::os::unix::fs::symlink(modules, self.folder.join("node_modules")).unwrap();
            }
            _ => {}
        }
    }

    /// A command in the directory.
    fn at_home(&self, mut command: Command) -> Command {
        with_rust(command.current_dir(&self.folder));
        match self.language.title {
            "JavaScript" => {
                command.env("NPM", "true");
            }
            "Python" => {
                let tool = client_python("componentize-py");
                command.env("COMPONENTIZE_PY", tool.get_program());
            }
            _ => {}
        }
        command
    }

    /// Types a command of `echo-host` in the directory.
    fn types(&self, line: &str) -> Finished {
        let words: Vec<_> = line.split_whitespace().collect();
        let command = self.at_home(self.user.command(&words));
        run_within(BUILD_DEADLINE, &mut { command }, b"")
    }

    fn runs_unit_tests(&self) {
        if self.language.title == "Rust" {
            assert_eq!(self.unit_tests, "cargo test");
            return unit_tests(&self.user, &self.folder);
        }
        needs("make");
        let (make, target) = self.unit_tests.split_once(' ').unwrap();
        let mut command = Command::new(make);
        command.arg(target).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap());
        command.env("HOME", self.user.folder());
        let tested = run_within(BUILD_DEADLINE, &mut self.at_home(command), b"");
        let shown = succeeded(&tested).to_owned() + &tested.stderr;
        // Node.js and unittest count them.
        let counts = ["# pass ", "Ran "].map(|count| shown.contains(&format!("{count}0")));
        assert_eq!(counts, [false; 2], "{tested:?}");
    }

    /// The path of the component, in place of the page's.
    fn component(&self) -> String {
        match self.language.title {
            "Rust" => guest(self.folder.file_name().unwrap().to_str().unwrap()),
            _ => "reminders.wasm".to_owned(),
        }
    }

    /// Follows the page to a running host.
    fn serves(&self) -> Host {
        let commands = block(PAGE, "sh", "echo-host serve");
        let [unit_tests, test, serve] = commands.lines().collect::<Vec<_>>()[..] else {
            panic!("{commands}")
        };
        assert_eq!(unit_tests, "make test");
        self.runs_unit_tests();
        succeeded(&self.types(test.strip_prefix("echo-host ").unwrap()));
        self.hosts(&serve.replace("reminders.wasm", &self.component()))
    }

    fn hosts(&self, serve: &str) -> Host {
        let words: Vec<_> = serve.split_whitespace().skip(1).collect();
        Host::start(&mut self.at_home(self.user.command(&words)), &[])
    }

    /// Makes the next version, as the page says.
    fn edits(&self) {
        for file in &self.files {
            let text = fs::read_to_string(file).unwrap();
            assert!(text.contains("Remember"), "{text}");
            fs::write(file, text.replace("Remember", "Do not forget")).unwrap();
        }
        self.runs_unit_tests();
        succeeded(&self.types("test"));
    }

    /// Swaps under a client that waits for its reminder. It gets it from the new version.
    fn swaps(&self, host: &Host, swap: &str) {
        let mut client = asks_for_a_reminder(host);
        let swap = swap.replace("reminders.wasm", &self.component());
        let swapped = self.types(swap.strip_prefix("echo-host ").unwrap());
        let expected = block(PAGE, "text", "connection migrated");
        assert_eq!(
            succeeded(&swapped).lines().last(),
            Some(expected.trim()),
            "{swapped:?}"
        );
        client.expect(block(PAGE, "text", "Do not forget: tea"));
    }

    /// The whole page.
    fn walks(&self) {
        let host = self.serves();
        self.edits();
        self.swaps(&host, block(PAGE, "sh", "echo-host swap").trim());
        assert_eq!(host.stop().matches("ERROR").count(), 0);
        self.user.arrives(self.language.title);
    }
}

fn asks_for_a_reminder(host: &Host) -> Client {
    let session = block(PAGE, "console", "nc 127.0.0.1 8888");
    let [_, typed, reply] = session.lines().collect::<Vec<_>>()[..] else {
        panic!("{session}")
    };
    let mut client = host.connect();
    client.send(format!("{typed}\n"));
    client.expect(format!("{reply}\n"));
    client
}

#[test]
fn an_author_in_rust_moves_a_live_session() {
    let author = Author::begins(RUST, "reminders");
    author.walks();
    let _ = fs::remove_file(author.component());
}

#[test]
fn an_author_in_javascript_moves_a_live_session() {
    Author::begins(JAVASCRIPT, "reminders").walks();
}

#[test]
fn an_author_in_python_moves_a_live_session_also_from_rust() {
    let author = Author::begins(PYTHON, "reminders");
    author.walks();

    // The version in Rust says `Remember` still.
    let elder = Author::begins(RUST, "elder");
    let mut build = cargo(&root());
    let build = build.args(["xtask", "build-guests"]).arg(&elder.folder);
    succeeded(&run_within(BUILD_DEADLINE, build, b""));
    fs::copy(elder.component(), author.folder.join("elder.wasm")).unwrap();
    fs::remove_file(elder.component()).unwrap();
    let serve = block(PAGE, "sh", "echo-host serve");
    let serve = serve.lines().last().unwrap();
    let host = author.hosts(&serve.replace("reminders.wasm", "elder.wasm"));
    author.swaps(&host, block(PAGE, "sh", "--allow-import").trim());
    assert_eq!(host.stop().matches("ERROR").count(), 0);
}

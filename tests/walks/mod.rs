//! Walks through the product as new users make them: a fresh home, a fresh folder, the
//! documents' own commands, and each step checked.

mod migration;

use crate::fixture::{Finished, Host, Process, root, run, run_within, tool};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// For a command that downloads crates and compiles them, while other tests keep the machine busy.
const BUILD_DEADLINE: Duration = Duration::from_secs(15 * 60);

/// A new user's machine: an empty home, and nothing of ours in the environment.
struct User {
    home: TempDir,
    begun: Instant,
}

impl User {
    fn new() -> Self {
        User {
            home: TempDir::new().unwrap(),
            begun: Instant::now(),
        }
    }

    fn folder(&self) -> &Path {
        self.home.path()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap());
        command
            .env("HOME", self.folder())
            .current_dir(self.folder());
        command.env("XDG_RUNTIME_DIR", self.folder());
        command.args(args);
        command
    }

    /// Types a command of the documents, without its first word.
    fn types(&self, line: &str) -> Finished {
        let words: Vec<_> = line.split_whitespace().collect();
        run(&mut self.command(&words), b"")
    }

    fn serves(&self, line: &str) -> Host {
        let words: Vec<_> = line.split_whitespace().collect();
        Host::start(&mut self.command(&words), &[])
    }

    fn writes(&self, name: &str, text: &str) {
        fs::write(self.folder().join(name), text).unwrap();
    }

    /// Says how long the walk took.
    fn arrives(&self, who: &str) {
        println!("{who} arrived after {:?}", self.begun.elapsed());
    }
}

/// The lines of a document's code block in this language that contain `part`.
fn block(page: &str, language: &str, part: &str) -> String {
    let page = fs::read_to_string(root().join(page)).unwrap();
    let fence = format!("```{language}\n");
    let mut blocks = page
        .split(&fence)
        .skip(1)
        .map(|it| it.split("```").next().unwrap());
    blocks.find(|it| it.contains(part)).expect(part).to_owned()
}

fn succeeded(finished: &Finished) -> &str {
    assert_eq!(finished.code, Some(0), "{finished:?}");
    &finished.stdout
}

#[test]
fn a_beginner_gets_from_telnet_to_a_chat() {
    let beginner = User::new();
    // What is there to see?
    let demos = beginner.types("demos");
    assert!(
        succeeded(&demos).contains("echo-host serve hello"),
        "{demos:?}"
    );

    // The tutorial's server, by the README's command, and its client.
    let serve = block("README.md", "sh", "serve hello");
    let (_, serve) = serve.trim().split_once(" -- ").unwrap();
    let host = beginner.serves(serve);
    let port = host.address().port().to_string();
    let client = block("README.md", "python", "sendall").replace("8888", &port);
    assert!(client.lines().count() <= 8, "{client}");
    let greeted = run(tool("python3").args(["-c", &client]), b"");
    assert_eq!(succeeded(&greeted), "Received: Hello, client!\n");
    host.wait_for_log("Received: Hello, server!");

    // Test it with telnet.
    let mut telnet = Process::start(tool("telnet").args(["127.0.0.1", &port]));
    telnet.stdout.wait_for("Escape character");
    telnet
        .stdin()
        .as_mut()
        .unwrap()
        .write_all(b"Hello!\n")
        .unwrap();
    telnet.stdout.wait_for("Hello, client!");

    // A browser comes by, and then TLS: the log says what is wrong, once.
    let mut browser = host.connect();
    browser.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    browser.expect("Hello, client!");
    let hint = host.wait_for_log("looks like HTTP");
    assert!(hint.contains("serve http-hello"), "{hint}");
    drop(host);

    // What the documents of an older checkout name, and a slip of the pen.
    let missing = beginner.types("serve target/guests/chat.wasm --listen tcp://127.0.0.1:0");
    assert!(missing.stderr.contains("`chat` is a demo"), "{missing:?}");
    let slip = beginner.types("serve --port 9000");
    assert!(slip.stderr.contains("--listen tcp://"), "{slip:?}");

    // A chat, as the page shows it.
    let serve = block("docs/get-started.md", "sh", "serve chat");
    let (_, serve) = serve.trim().split_once("echo-host ").unwrap();
    let host = beginner.serves(serve);
    let mut ada = host.connect();
    ada.expect("* Welcome, ");
    ada.send("/nick ada\n");
    let mut bob = host.connect();
    bob.send("hello, ada\n");
    while !ada.line().ends_with(": hello, ada") {}
    assert_eq!(host.stop().matches("ERROR").count(), 0);
    beginner.arrives("the beginner");
}

#[test]
fn an_operator_gets_from_a_file_to_a_rollback() {
    let operator = User::new();
    let documented = block("docs/operate/configuration.md", "toml", "[service.chat]");
    let text = documented
        .replace("tcp://127.0.0.1:7\"", "tcp://127.0.0.1:0\"")
        .replace("tcp://127.0.0.1:7000", "tcp://127.0.0.1:0")
        .replace("tcp://[::1]:7000", "tcp://[::1]:0");
    assert!(!text.contains(":7000"), "{text}");

    // The file names a handler that is not there yet.
    operator.writes("echo-host.toml", &text);
    let missing = operator.types("check --config echo-host.toml");
    assert_ne!(missing.code, Some(0), "{missing:?}");
    assert!(missing.stderr.contains("chat.wasm"), "{missing:?}");
    fs::copy(
        crate::fixture::guest("chat"),
        operator.folder().join("chat.wasm"),
    )
    .unwrap();

    // A mistake is told with its place, and leaves the exit code of the table.
    operator.writes("echo-host.toml", &text.replace("isolation", "isolaton"));
    let mistake = operator.types("check --config echo-host.toml");
    assert_eq!(mistake.code, Some(78), "{mistake:?}");
    assert!(mistake.stderr.contains("isolation"), "{mistake:?}");
    operator.writes("echo-host.toml", &text);
    succeeded(&operator.types("check --config echo-host.toml"));

    // Start, look, and reload after a change.
    let listeners = 3;
    let mut serve = operator.command(&["serve", "--config", "echo-host.toml"]);
    let host = Host::start_as_it_is(&mut serve, listeners);
    let greeting = host.addresses().into_iter().find_map(|address| {
        let mut client = crate::fixture::Client::connect(address);
        client.send("hi\n");
        let line = client.line();
        line.starts_with("* hello").then_some(line)
    });
    assert_eq!(greeting.as_deref(), Some("* hello"));
    let status = operator.types("status");
    for seen in ["chat", "echo", "up "] {
        assert!(succeeded(&status).contains(seen), "{status:?}");
    }
    operator.writes(
        "echo-host.toml",
        &text.replace("isolation = ", "isolaton = "),
    );
    let refused = operator.types("reload");
    assert_eq!(refused.code, Some(78), "{refused:?}");
    operator.writes("echo-host.toml", &text.replace("hello", "Be kind."));
    let reloaded = operator.types("reload");
    assert!(
        succeeded(&reloaded).contains("service `chat`: generation 2"),
        "{reloaded:?}"
    );

    // A bad version is refused, a good one is swapped in, and taken back.
    operator.writes("broken.wasm", "(component");
    let refused = operator.types("swap broken.wasm --service chat");
    assert_eq!(refused.code, Some(65), "{refused:?}");
    let swapped = operator.types("swap upper --service chat");
    assert!(
        succeeded(&swapped).starts_with("generation 3 "),
        "{swapped:?}"
    );
    let back = operator.types("swap --rollback --service chat");
    assert!(succeeded(&back).starts_with("generation 2 "), "{back:?}");
    let history = operator.types("status --history");
    assert!(
        succeeded(&history).contains("chosen by the operator"),
        "{history:?}"
    );

    // And stop: everything drains.
    let log = host.stop();
    assert!(!log.contains("ERROR chat"), "{log}");
    operator.arrives("the operator");
}

/// An author's cargo is that of the machine, whose home is elsewhere.
fn with_rust(command: &mut Command) -> &mut Command {
    let home = std::env::var("HOME").unwrap_or_default();
    for (name, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
        let place = std::env::var(name).unwrap_or(format!("{home}/{folder}"));
        command.env(name, place);
    }
    // The compilers of this machine are used as they are: a test must never install or change one.
    command.env("RUSTUP_AUTO_INSTALL", "0")
}

/// Compiles a handler's unit tests, and runs them, in its folder.
fn unit_tests(author: &User, folder: &Path) {
    let mut test = Command::new("cargo");
    test.env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap());
    test.env("HOME", author.folder()).current_dir(folder);
    test.args(["test", "--target-dir"]);
    test.arg(root().join("target/scaffold"));
    let tested = run_within(BUILD_DEADLINE, with_rust(&mut test), b"");
    assert!(
        !succeeded(&tested).contains("running 0 tests"),
        "{tested:?}"
    );
}

/// Lets a handler be built as docs/handlers/rust.md says for machines without the target, so that
/// it builds on each.
fn build_without_target(folder: &Path) {
    let build = block("docs/handlers/rust.md", "toml", "build-guests");
    let name = folder.file_name().unwrap().to_str().unwrap();
    let build = build
        .replace("../greeter", folder.to_str().unwrap())
        .replace("../echo-host", root().to_str().unwrap())
        .replace("greeter.wasm", &format!("{name}.wasm"));
    let rest = format!("watch = ['src']\nexchanges = ['{name}.exchange']\n");
    fs::write(folder.join("handler.toml"), build + &rest).unwrap();
}

#[test]
fn an_author_gets_from_new_to_a_line_with_an_ending() {
    let author = User::new();
    let page = "docs/handlers/start.md";
    let commands = block(page, "sh", "echo-host new greeter");
    let mut commands = commands
        .lines()
        .map(|line| line.split(" #").next().unwrap().trim());
    let mut next = |begin: &str| commands.next().unwrap().strip_prefix(begin).unwrap();
    let created = author.types(next("echo-host "));
    succeeded(&created);
    let folder = author.folder().join(next("cd "));
    assert_eq!(next("cargo "), "test");
    unit_tests(&author, &folder);

    build_without_target(&folder);
    let words = next("echo-host ");
    assert_eq!(words, "test");
    let test = || {
        let mut test = author.command(&[words]);
        run_within(BUILD_DEADLINE, with_rust(test.current_dir(&folder)), b"")
    };
    succeeded(&test());

    // The edit: the exchange fails until it says what is right now.
    fs::write(folder.join("src/lib.rs"), block(page, "rust", "respond")).unwrap();
    unit_tests(&author, &folder);
    let differs = test();
    assert_eq!(differs.code, Some(65), "{differs:?}");
    let exchange = block(page, "text", "== lines");
    fs::write(folder.join("greeter.exchange"), exchange).unwrap();
    succeeded(&test());

    // And what a client then sees.
    let dev = next("echo-host ");
    let session = block(page, "console", "nc 127.0.0.1 8888");
    let [_, typed, reply] = session.lines().collect::<Vec<_>>()[..] else {
        panic!("{session}")
    };
    let mut dev = author.command(&[dev, "--", "--listen", "tcp://127.0.0.1:0"]);
    let host = Host::start_as_it_is(with_rust(dev.current_dir(&folder)), 1);
    let mut client = host.connect();
    client.send(format!("{typed}\n"));
    client.expect(format!("{reply}\n"));
    drop(host);
    author.arrives("the author");
    let _ = fs::remove_file(root().join("target/guests/greeter.wasm"));
}

#[test]
fn the_handler_on_the_page_of_rust_passes_its_tests() {
    let author = User::new();
    succeeded(&author.types("new reminders --tier conversation"));
    let folder = author.folder().join("reminders");
    let page = "docs/handlers/rust.md";
    let source = block(page, "rust", "Session for Reminder") + &block(page, "rust", "mod tests");
    fs::write(folder.join("src/lib.rs"), source).unwrap();
    unit_tests(&author, &folder);
}

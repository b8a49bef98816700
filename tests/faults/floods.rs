//! What guests write to the log: of each kind of handler, and in both formats.

use super::scene::Scene;
use serde_json::Value;

/// Controls terminals, forges lines, and hides or reorders text.
const TEXT: &str = "\\e[2J\u{9b}31m red\\r\\nERROR connection{id=7}: forged \u{2028}ERROR \u{202e}dne\u{2066}\u{200b}\u{61c}";

const ESCAPED: [&str; 2] = [
    "\\u{1b}[2J\\u{9b}31m red",
    "ERROR connection{id=7}: forged \\u{2028}ERROR \\u{202e}dne\\u{2066}\\u{200b}\\u{61c}",
];

/// Makes a guest of each kind of handler log this, and returns the log.
fn complain(text: &str, args: &[&str]) -> Vec<String> {
    let kinds = ["probe", "rogue", "saboteur"].map(|guest| {
        let scene = match guest {
            "saboteur" => Scene::of_saboteur(args),
            _ => Scene::of(guest, args),
        };
        let line = format!("complain {text}");
        let mut client = match guest {
            "saboteur" => scene.greeted(),
            _ => scene.connect(),
        };
        if guest == "saboteur" {
            scene.order("message", &line);
        }
        client.ask(&line);
        client.finish();
        client.rest();
        scene.post.host.stop()
    });
    kinds.to_vec()
}

#[test]
fn no_kind_of_guest_drives_the_terminal_or_forges_a_line() {
    for log in complain(TEXT, &[]) {
        let foul = |char: char| {
            char.is_control() && char != '\n'
                || "\u{2028}\u{202e}\u{2066}\u{200b}\u{61c}".contains(char)
        };
        assert!(!log.contains(foul), "{log:?}");
        for part in ESCAPED {
            let line = log.lines().find(|line| line.contains(part));
            let line = line.unwrap_or_else(|| panic!("no {part:?} in {log:?}"));
            assert!(line.contains("connection{id=1 "), "{line}");
        }
    }
}

#[test]
fn in_json_it_is_the_same_text() {
    for log in complain(TEXT, &["--log-format", "json"]) {
        let lines = log
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        let lines: Vec<_> = lines.filter(|line| line["target"] == "guest").collect();
        let said: Vec<_> = lines.iter().map(|line| &line["message"]).collect();
        assert!(
            ESCAPED.iter().all(|part| said.iter().any(|it| *it == part)),
            "{said:?}"
        );
        assert!(
            lines.iter().all(|line| line["connection"] == 1),
            "{lines:?}"
        );
    }
}

/// With message isolation each message has an instance with an allowance of its own.
#[test]
fn a_flood_by_many_instances_is_capped_as_well() {
    let scene = Scene::of(
        "probe",
        &["--isolation", "message", "--max-message", "64KiB"],
    );
    let mut client = scene.connect();
    let line = format!("print {}", "flood\\n".repeat(100));
    for _ in 0..100 {
        client.ask(&line);
    }
    drop(client);
    scene
        .post
        .host
        .wait_for_log("the guests of this handler print more than 1000 a second");
    let log = scene.post.host.stop();
    let shown = log.matches("flood").count();
    // Of ten thousand. A slow machine shows more, but omitted lines are not reported one by one.
    assert!((1000..10_000).contains(&shown), "{shown}");
    assert!(log.lines().count() < shown + 100, "{log}");
}

#[test]
fn a_long_line_is_cut_whoever_prints_it() {
    let scene = Scene::of("rogue", &[]);
    let mut client = scene.connect();
    client.ask(&format!("complain {}", "x".repeat(10_000)));
    let line = scene.post.host.wait_for_log("… (cut at 4096 bytes)");
    assert!(line.len() < 4096 + 300, "{}", line.len());
}

//! The example is complete and correct, and so is the reference of keys.

use super::site::Site;
use crate::fixture::{echo_host, root};
use rustix::process::{getgid, getuid};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;

fn schema() -> Value {
    let text = fs::read_to_string(root().join("host/echo-host.schema.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn example() -> String {
    fs::read_to_string(root().join("host/echo-host.example.toml")).unwrap()
}

/// The keys of the host, of a service and of a listener.
fn keys() -> [BTreeSet<String>; 3] {
    let schema = schema();
    let of = |table: &Value| {
        let properties = table["properties"].as_object().unwrap();
        properties.keys().cloned().collect()
    };
    let definitions = &schema["definitions"];
    [
        of(&schema),
        of(&definitions["ServiceSettings"]),
        of(&definitions["ListenerSettings"]["anyOf"][1]),
    ]
}

/// The example, with commented-out keys enabled.
fn uncommented() -> String {
    let is_key = |line: &str| {
        let key = line.split(" = ").next().unwrap_or_default();
        line.contains(" = ")
            && key
                .chars()
                .all(|char| char.is_ascii_lowercase() || char == '-')
    };
    // The service that is commented out completely, and its listeners.
    let is_listener = |line: &str| {
        let begin = line.trim_start();
        begin.starts_with("[service.") || begin.starts_with("[[service.")
    };
    let lines = example();
    let lines = lines
        .lines()
        .map(|line| match line.trim().strip_prefix("# ") {
            Some(rest) if is_key(rest) || is_listener(rest) => rest.to_owned(),
            _ => line.to_owned(),
        });
    lines.collect::<Vec<_>>().join("\n")
}

/// The host serves the example on other ports, as it is and with everything enabled.
#[test]
fn the_example_is_served() {
    for (text, listeners) in [(example(), 1), (uncommented(), 8)] {
        // The ports may be taken, and directories and users may differ on this machine.
        let site = Site::new("");
        let owner = format!("{}:{}", getuid().as_raw(), getgid().as_raw());
        let socket = site.path("echo.sock");
        let text: Vec<_> = [8888, 7000, 7001, 7443, 7444, 2323, 7080]
            .iter()
            .fold(text, |text, port| {
                let text = text.replace(&format!(":{port}\""), ":0\"");
                text.replace(&format!(":{port}/"), ":0/")
            })
            .replace("0.0.0.0:", "127.0.0.1:")
            .replace("/run/echo-host/echo.sock", &socket)
            .replace("www-data:www-data", &owner)
            .lines()
            .filter(|line| {
                let of_this_machine = ["cache = ", "control = ", "user = "];
                !of_this_machine.iter().any(|key| line.starts_with(key))
            })
            .map(str::to_owned)
            .collect();
        let echo = fs::read(root().join("guest/echo.wat")).unwrap();
        site.put("echo.wasm", echo);
        for name in ["example.org", "example.net"] {
            let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
            site.put(&format!("{name}.pem"), made.cert.pem());
            site.put(&format!("{name}.key"), made.signing_key.serialize_pem());
            site.put("clients.pem", made.cert.pem());
        }
        site.write(&text.join("\n"));
        let host = site.serve(listeners);
        // With or without the line ending, depending on the framing.
        let mut client = host.connect();
        client.send("hello\n");
        client.expect("hello");
    }
}

#[test]
fn the_example_names_every_key() {
    let text = uncommented();
    let [host, service, listener] = keys();
    for key in host.iter().chain(&service).filter(|key| *key != "service") {
        let line = format!("{key} = ");
        assert!(text.lines().any(|it| it.starts_with(&line)), "{key}");
    }
    for key in listener {
        assert!(text.contains(&format!("{key} = ")), "{key}");
    }
}

#[test]
fn the_schema_comes_with_the_host() {
    let printed = echo_host(&["check", "--schema"]);
    assert_eq!(printed.code, Some(0), "{printed:?}");
    let printed: Value = serde_json::from_str(&printed.stdout).unwrap();
    assert_eq!(printed, schema());
}

#[test]
fn the_reference_lists_every_key() {
    let page = fs::read_to_string(root().join("docs/reference/keys.md")).unwrap();
    let (_, reference) = page.split_once("## Every key\n").unwrap();
    let reference = reference.split("\n#").next().unwrap();
    let listed = |level: &str| -> BTreeSet<String> {
        let rows = reference.lines().filter(|line| line.starts_with("| `"));
        let cells = rows.map(|row| row.split('|').map(str::trim).collect::<Vec<_>>());
        let own = cells.filter(|cells| cells[2] == level);
        own.map(|cells| cells[1].trim_matches('`').to_owned())
            .collect()
    };
    let [host, service, listener] = keys();
    assert_eq!(listed("host"), host);
    assert_eq!(listed("service"), service);
    assert_eq!(listed("listener"), listener);
}

//! Configuration files, and the messages about them.

use super::site::{Site, service};
use crate::fixture::{Client, Host, echo_host, guest, run};
use std::process::Command;

/// A host that does not start: its exit code and its output.
#[track_caller]
fn refused(site: &Site, args: &[&str], code: i32) -> String {
    let finished = run(site.command().args(args), b"");
    assert_eq!(finished.code, Some(code), "{finished:?}");
    assert_eq!(finished.stdout, "");
    assert!(finished.stderr.starts_with("echo-host: "), "{finished:?}");
    finished.stderr
}

fn three_services() -> Site {
    Site::new(&format!(
        "
        [service.echo]
        listen = ['tcp://127.0.0.1:0', {{ uri = 'tcp://127.0.0.1:0' }}]
        [service.upper]
        handler = '{}'
        listen = ['tcp://127.0.0.1:0']
        framing = 'lines'
        [service.count]
        handler = '{}'
        listen = ['tcp://127.0.0.1:0', 'tcp://127.0.0.1:0']
        isolation = 'shared'
        env = {{ GREETING = 'from the file', OTHER = 'kept' }}
        ",
        guest("upper"),
        guest("probe"),
    ))
}

#[test]
fn each_service_has_its_own_handler_and_its_listeners_share_it() {
    let site = three_services();
    let host = site.serve(5);
    for address in site.addresses("echo") {
        let mut client = Client::connect(address);
        client.send("Hello");
        client.expect("Hello");
    }
    assert_eq!(site.addresses("echo").len(), 2);
    let mut client = site.connect("upper");
    client.send("Hello\n");
    client.expect("HELLO");
    let [one, other] = &site.addresses("count")[..] else {
        panic!("two listeners were given");
    };
    // One instance behind both listeners.
    assert_eq!(Client::connect(*one).ask("count"), "1");
    assert_eq!(Client::connect(*other).ask("count"), "2");
    host.wait_for_log("service{name=upper}");

    let status = site.run(&["status"]).stdout;
    for part in ["(echo)", "(upper)", "(count)", "SERVICE  OPEN"] {
        assert!(status.contains(part), "{status}");
    }
    let status = site.status();
    assert_eq!(service(&status, "count")["messages"], 2);
    assert_eq!(service(&status, "upper")["connections"]["open"], 1);
    assert_eq!(status["messages"], 5);
}

#[test]
fn options_override_variables_which_override_the_file() {
    let text = format!(
        "
        [service.probe]
        handler = '{}'
        listen = ['tcp://127.0.0.1:0']
        env = {{ A = 'file', B = 'file', C = 'file' }}
        isolation = 'shared'
        idle-timeout = '1h'
        ",
        guest("probe")
    );
    let site = Site::new(&text);
    let mut command = site.command();
    command.env("ECHO_HOST_ISOLATION", "message");
    let host = Host::start_as_it_is(command.args(["--env", "A=option"]), 1);
    let mut client = host.connect();
    assert_eq!(client.ask("env A"), "option");
    assert_eq!(client.ask("env B"), "file");
    // Each message has its own instance: the variable overrides the file.
    assert_eq!(client.ask("count"), "1");
    assert_eq!(client.ask("count"), "1");
    drop(client);
    drop(host);

    let mut command = site.command();
    command.env("ECHO_HOST_ISOLATION", "message");
    let host = Host::start_as_it_is(command.args(["--isolation", "connection"]), 1);
    let mut client = host.connect();
    assert_eq!(client.ask("count"), "1");
    assert_eq!(client.ask("count"), "2");
}

#[test]
fn the_file_may_come_by_its_variable_and_its_only_service_by_options() {
    let site = Site::new("[service.any]");
    let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
    command
        .env("ECHO_HOST_CONFIG", site.path("echo-host.toml"))
        .args(["serve", &guest("upper"), "-l", "tcp://127.0.0.1:0"]);
    let host = Host::start_as_it_is(&mut command, 1);
    let mut client = host.connect();
    client.send("Hello");
    client.expect("HELLO");
}

#[test]
fn mistakes_are_reported_with_their_position() {
    let site = Site::new("[service.chat]\n  isolaton = 'shared'\n");
    let said = refused(&site, &[], 78);
    let position = format!(" --> {}:3:3\n", site.path("echo-host.toml"));
    assert!(said.contains(&position), "{said}");
    assert!(
        said.ends_with("  isolaton = '******'\n  |   ^^^^^^^^ did you mean `isolation`?\n"),
        "{said}"
    );
    let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
    let none = run(command.args(["serve", "--config", "/no/such.toml"]), b"");
    assert_eq!(none.code, Some(78));
    assert!(
        none.stderr
            .contains("cannot read the configuration /no/such.toml: No such file"),
        "{none:?}"
    );
}

#[test]
fn what_makes_no_sense_is_found_before_anything_is_bound() {
    let site = three_services();
    let said = refused(&site, &["--listen", "tcp://127.0.0.1:0"], 78);
    assert!(
        said.contains("--listen (ECHO_HOST_LISTEN) applies to one service"),
        "{said}"
    );
    assert!(said.contains("`count`, `echo` and `upper`"), "{said}");
    let said = refused(&site, &[&guest("upper")], 78);
    assert!(
        said.contains("HANDLER (ECHO_HOST_HANDLER) applies to one service"),
        "{said}"
    );

    site.write(
        "[service.a]\nlisten = ['tcp://127.0.0.1:7']\n[service.b]\nlisten = ['tcp://127.0.0.1:7']",
    );
    let said = refused(&site, &[], 78);
    assert!(
        said.contains("the services `a` and `b` cannot both"),
        "{said}"
    );

    site.write("[service.a]\nlisten = ['tcp://127.0.0.1:0']\nhandler = 'none.wasm'");
    let said = refused(&site, &[], 78);
    let path = site.path("none.wasm");
    let what = format!("echo-host: there is no handler {path}\n");
    assert!(said.starts_with(&what), "{said}");
}

#[test]
fn check_loads_all_of_a_file_and_listens_nowhere() {
    let site = three_services();
    let file = site.path("echo-host.toml");
    let host = site.serve(5);
    // Bound by another process: serving would fail.
    let taken = format!("tcp://{}", host.address());
    site.write(&format!(
        "[service.echo]\nlisten = ['{taken}']\n[service.x]"
    ));
    let checked = echo_host(&["check", "--config", &file]);
    assert_eq!(checked.code, Some(0), "{checked:?}");
    for part in [
        "can be served\nservice echo\n",
        &format!("  listens   {taken}\n"),
        "service x\n  handler   the built-in echo\n",
        "  listens   tcp://127.0.0.1:8888\n",
    ] {
        assert!(checked.stdout.contains(part), "{part:?} in {checked:?}");
    }
    site.put("bad.wasm", "bad");
    site.write("[service.x]\nhandler = 'bad.wasm'");
    let checked = echo_host(&["check", "--config", &file]);
    assert_eq!(checked.code, Some(65), "{checked:?}");
    assert!(
        checked.stderr.contains("service `x`: handler"),
        "{checked:?}"
    );
    site.write("[service.x]\nlissten = []");
    let checked = echo_host(&["check", "--config", &file]);
    assert_eq!(checked.code, Some(78), "{checked:?}");
    assert!(
        checked.stderr.contains("did you mean `listen`?"),
        "{checked:?}"
    );
    for args in [&["check"][..], &["check", "x.wasm", "--config", &file]] {
        let usage = echo_host(args);
        assert_eq!(usage.code, Some(2), "{usage:?}");
        assert!(
            usage.stderr.contains("check [OPTIONS] --config <FILE>"),
            "{usage:?}"
        );
    }
}

#[test]
fn ten_listeners_of_ten_services_start() {
    let services = (0..10)
        .map(|number| format!("[service.number-{number}]\nlisten = ['tcp://127.0.0.1:0']\n"));
    let site = Site::new(&services.collect::<String>());
    let host = site.serve(10);
    for address in host.addresses() {
        let mut client = Client::connect(address);
        client.send("Hello");
        client.expect("Hello");
    }
}

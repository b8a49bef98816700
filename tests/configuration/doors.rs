//! Listeners of all kinds in one file, and how a reload changes them.

use super::site::Site;
use crate::fixture::{Client, Finished, Host, echo_host, free_port, run};
use crate::transports::certificates::Authority;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;
use std::time::Instant;

fn connect(arguments: &[&str]) -> Finished {
    let mut connect = Command::new(env!("CARGO_BIN_EXE_echo-host"));
    let wait = ["--wait", "1s"];
    run(
        connect.arg("connect").args(arguments).args(wait),
        b"Hello, server!",
    )
}

#[test]
fn ten_doors_of_all_kinds_lead_to_one_handler() {
    let authority = Authority::new();
    let files = authority.sign("server", &["localhost", "127.0.0.1", "::1"], "localhost");
    let tls = format!(
        "tls-cert = '{}', tls-key = '{}'",
        files.certificate, files.key
    );
    let site = Site::new(&format!(
        "
        [service.echo]
        listen = [
            'tcp://127.0.0.1:0', 'tcp://[::1]:0', {{ uri = 'tcp://127.0.0.1:0', allow = ['127.0.0.0/8'] }},
            {{ uri = 'tls://127.0.0.1:0', {tls} }}, {{ uri = 'tls://[::1]:0', {tls} }},
            'udp://127.0.0.1:0', 'udp://[::1]:0', {{ uri = 'udp://127.0.0.1:0', udp-amplification = 'off' }},
            'unix:a.sock', {{ uri = 'unix:b.sock', unix-mode = '600' }},
        ]
        "
    ));
    // The first start compiles, the others use the cache.
    drop(site.serve(10));
    let begin = Instant::now();
    let host = site.serve(10);
    eprintln!("ten doors are open after {:?}", begin.elapsed());
    for uri in host.uris() {
        let finished = connect(&[uri, "--ca", &authority.file()]);
        assert_eq!(finished.stdout, "Hello, server!", "{uri}: {finished:?}");
    }
    let status = site.status();
    assert_eq!(status["listeners"].as_array().unwrap().len(), 10);
    assert_eq!(status["messages"], 10);
}

#[test]
fn a_reload_puts_tls_on_an_open_door_and_shows_each_client_its_certificate() {
    let authority = Authority::new();
    let org = authority.sign("org", &["example.org"], "example.org");
    let net = authority.sign("net", &["*.example.net"], "example.net");
    // The port that the system chose stays with the same file, and is taken over by number.
    let site = Site::new("[service.echo]\nlisten = ['tcp://127.0.0.1:0']");
    let first = site.serve(1);
    let address = first.address();
    site.write(&format!("[service.echo]\nlisten = ['tcp://{address}']"));
    let mut command = site.command();
    command.arg("--takeover").arg("--sandbox-read");
    command.arg(authority.folder.path());
    let host = crate::fixture::Host::start_as_it_is(&mut command, 1);
    drop(first);
    let mut plain = Client::connect(address);
    assert_eq!(plain.ask("hello"), "hello");
    site.write(&format!(
        "[service.echo]\nlisten = [{{ uri = 'tls://{address}', tls-cert = '{}', tls-key = '{}', \
         tls-more = [{{ cert = '{}', key = '{}' }}] }}]",
        org.certificate, org.key, net.certificate, net.key
    ));
    let said = site.reload().unwrap();
    assert!(
        said.contains(&format!("service `echo` listens on tls://{address}\n")),
        "{said}"
    );
    let uri = format!("tls://{address}");
    let ca = authority.file();
    for (name, is_known) in [
        ("example.org", true),
        ("chat.example.net", true),
        ("example.com", false),
    ] {
        let finished = connect(&[&uri, "--ca", &ca, "--server-name", name]);
        assert_eq!(
            finished.stdout == "Hello, server!",
            is_known,
            "{finished:?}"
        );
    }
    // The client of the plain listener is still connected.
    assert_eq!(plain.ask("hello again"), "hello again");
    drop(plain);
    host.stop();
}

#[test]
fn a_unix_socket_keeps_its_file_when_its_mode_changes() {
    let with = |mode: &str| {
        format!("[service.echo]\nlisten = [{{ uri = 'unix:echo.sock', unix-mode = '{mode}' }}]")
    };
    let site = Site::new(&with("600"));
    let host = Host::start_as_it_is(site.command().args(["--sandbox", "off"]), 1);
    let path = site.path("echo.sock");
    let before = fs::metadata(&path).unwrap();
    site.write(&with("660"));
    site.reload().unwrap();
    let after = fs::metadata(&path).unwrap();
    assert_eq!(before.ino(), after.ino());
    assert_eq!(after.permissions().mode() & 0o777, 0o660);
    let finished = connect(&[&format!("unix:{path}")]);
    assert_eq!(finished.stdout, "Hello, server!", "{finished:?}");
    host.stop();
    assert!(!fs::exists(&path).unwrap());
}

#[cfg(target_os = "linux")]
#[test]
fn a_confined_host_makes_sockets_with_their_mode_and_changes_none() {
    let with = |listeners: &str| format!("[service.echo]\nlisten = [{listeners}]");
    let first = "{ uri = 'unix:a.sock', unix-mode = '600' }";
    let site = Site::new(&with(first));
    let mut command = site.command();
    let host = Host::start_as_it_is(command.args(["--sandbox", "on"]), 1);
    site.write(&with(&first.replace("600", "660")));
    let refused = site.run(&["reload"]);
    assert!(
        refused
            .stderr
            .contains("does not allow changing the mode or owner of a file while the host runs"),
        "{refused:?}"
    );
    // More than the umask permits.
    let more = "{ uri = 'unix:b.sock', unix-mode = '666' }, 'unix:c.sock'";
    site.write(&with(&format!("{first}, {more}")));
    site.reload().unwrap();
    let mode = |name: &str| fs::metadata(site.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("a.sock"), mode("b.sock")), (0o600, 0o666));
    let finished = connect(&[&format!("unix:{}", site.path("c.sock"))]);
    assert_eq!(finished.stdout, "Hello, server!", "{finished:?}");
    host.stop();
    assert!(!fs::exists(site.path("b.sock")).unwrap());
}

#[test]
fn what_makes_no_sense_for_a_listener_is_told() {
    for (listener, why) in [
        (
            "{ uri = 'udp://127.0.0.1:0', tls-self-signed = true }",
            "`tls-self-signed` does not apply to udp://127.0.0.1:0\n",
        ),
        (
            "{ uri = 'tcp://127.0.0.1:0', unix-mode = '600' }",
            "`unix-mode` does not apply to tcp://127.0.0.1:0\n",
        ),
        (
            "{ uri = 'tcp://127.0.0.1:0', telnet-interrupt = 'pass' }",
            "`telnet-interrupt` does not apply to tcp://127.0.0.1:0\n",
        ),
        (
            "{ uri = 'tls://127.0.0.1:0', tls-cert = 'x.pem' }",
            "needs both a certificate and its key",
        ),
        ("'tls://127.0.0.1:0'", "no certificate"),
        ("'stdio:', 'tcp://127.0.0.1:0'", "cannot be combined"),
        (
            "{ uri = 'udp://127.0.0.1:0', udp-amplification = 0 }",
            "^ expected a whole number of at least 1, or off\n",
        ),
        (
            "{ uri = 'tcp://127.0.0.1:0', alow = [] }",
            "^^^^ did you mean `allow`?",
        ),
    ] {
        let site = Site::new(&format!("\n[service.a]\nlisten = [{listener}]"));
        let checked = echo_host(&["check", "--config", &site.path("echo-host.toml")]);
        assert_eq!(checked.code, Some(78), "{checked:?}");
        assert!(checked.stderr.contains(why), "{checked:?}");
    }
}

#[test]
fn a_listener_becomes_one_for_telnet_without_a_new_socket() {
    let address = format!("127.0.0.1:{}", free_port());
    let listening = |scheme: &str| format!("[service.echo]\nlisten = ['{scheme}://{address}']");
    let site = Site::new(&listening("tcp"));
    let host = site.serve(1);
    let mut plain = host.connect();
    assert_eq!(plain.ask("hello"), "hello");
    site.write(&listening("telnet"));
    let said = site.reload().unwrap();
    let listens = format!("service `echo` listens on telnet://{address}\n");
    assert!(said.contains(&listens), "{said}");
    let mut client = host.connect();
    client.expect(b"\xff\xfd\x18\xff\xfd\x1f");
    client.send(b"hello\r\0");
    client.expect(b"hello\r\n");
    assert_eq!(plain.ask("hello again"), "hello again");
}

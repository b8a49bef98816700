//! Connections that begin in clear and go on under TLS when their session wants it.

use super::certificates::{Authority, Files};
use crate::fixture::{Host, guest, run, script, tool};
use std::net::Shutdown;

struct Site {
    authority: Authority,
    files: Files,
}

impl Site {
    fn new() -> Self {
        let authority = Authority::new();
        let files = authority.sign("server", &["localhost", "127.0.0.1"], "localhost");
        Site { authority, files }
    }

    fn serve(&self, listen: &str, handler: &str, more: &[&str]) -> Host {
        let Files { certificate, key } = &self.files;
        let tls = [
            "--listen",
            listen,
            "--tls-cert",
            certificate,
            "--tls-key",
            key,
        ];
        Host::serve(&[&tls[..], &[&guest(handler)], more].concat())
    }

    /// What a Python program prints that talks to a puppet.
    fn talk(&self, place: &str, port: u16) -> String {
        let mut python = tool("python3");
        python.args([&script("start_tls.py"), place, &port.to_string()]);
        let finished = run(python.arg(self.authority.file()), b"");
        assert_eq!(finished.code, Some(0), "{finished:?}");
        finished.stdout
    }
}

const TCP: &str = "tcp://127.0.0.1:0";

#[test]
fn what_comes_before_is_in_clear_and_what_comes_after_is_not() {
    let site = Site::new();
    let host = site.serve(TCP, "puppet", &[]);
    host.wait_for_log("begins in clear, and lets handlers start TLS");
    let said = site.talk("127.0.0.1", host.address().port());
    let expected = "ready\nSome(\"offered\")\nclear\nTLSv1.3\nbehind\nsecured\nNone\n\
                    Some(\"localhost\")\nPeerInfo { transport: \"tcp\",";
    assert!(said.starts_with(expected), "{said}");
    assert!(said.ends_with("\nb''\n"), "{said}");
}

#[test]
fn a_unix_socket_can_do_it_too() {
    let site = Site::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("puppet.sock");
    let path = path.to_str().unwrap();
    let _host = site.serve(&format!("unix:{path}"), "puppet", &[]);
    let said = site.talk(path, 0);
    assert!(said.contains("clear\nTLSv1.3\nbehind\nsecured\n"), "{said}");
    assert!(said.contains("transport: \"unix\""), "{said}");
}

#[test]
fn where_there_is_no_certificate_a_session_cannot_start_it() {
    let host = Host::serve(&[&guest("puppet")]);
    let mut client = host.connect();
    client.expect("ready\n");
    assert_eq!(client.ask("info start-tls"), "None");
    client.send("tls\n");
    client.expect_closed();
    host.wait_for_log("the handler trapped: start-tls is not offered here");
}

#[test]
fn it_starts_once() {
    let site = Site::new();
    let host = site.serve(TCP, "puppet", &[]);
    let mut client = host.connect();
    client.expect("ready\n");
    client.send("tls; tls\n");
    client.expect_closed();
    host.wait_for_log("start-tls is not offered here");
}

#[test]
fn bytes_in_clear_after_the_command_are_never_used() {
    let site = Site::new();
    let host = site.serve(TCP, "puppet", &[]);
    let mut client = host.connect();
    client.expect("ready\n");
    client.send("tls\nsay injected\n");
    client.expect_closed();
    host.wait_for_log("cannot start TLS: the client sent more in clear");
    let host = site.serve(TCP, "smtp-sink", &[]);
    let mut client = host.connect();
    client.expect("220 smtp-sink ESMTP, mail is discarded\r\n");
    client.send("STARTTLS\r\nMAIL FROM:<evil@example.org>\r\n");
    client.expect_closed();
    host.wait_for_log("the client broke the protocol: commands in clear after STARTTLS");
}

#[test]
fn bytes_in_clear_that_come_later_are_no_handshake() {
    let site = Site::new();
    let host = site.serve(TCP, "puppet", &[]);
    let mut client = host.connect();
    client.expect("ready\n");
    client.send("say go; tls\n");
    client.expect("go\n");
    client.send("say injected\n");
    client.rest();
    host.wait_for_log("cannot start TLS: the handshake failed: the client does not speak TLS");
}

#[test]
fn a_client_that_does_not_shake_hands_is_not_waited_for() {
    let site = Site::new();
    let host = site.serve(TCP, "puppet", &["--handshake-timeout", "100ms"]);
    let mut client = host.connect();
    client.expect("ready\n");
    client.send("say go; tls\n");
    client.expect("go\n");
    client.expect_closed();
    host.wait_for_log("the handshake failed: it took longer than 100ms (--handshake-timeout)");
    let mut client = host.connect();
    client.expect("ready\n");
    client.send("say go; tls\n");
    client.stream.shutdown(Shutdown::Write).unwrap();
    client.expect("go\n");
    client.rest();
    host.wait_for_log("cannot start TLS: the handshake failed: ");
}

#[test]
fn pythons_smtplib_sends_a_mail() {
    let site = Site::new();
    let host = site.serve(TCP, "smtp-sink", &[]);
    let port = host.address().port().to_string();
    let mut python = tool("python3");
    python.args([&script("smtp_starttls.py"), "127.0.0.1", &port]);
    let finished = run(python.arg(site.authority.file()), b"");
    let expected = "offered in clear: True\noffered under TLS: False\ndelivered\n";
    assert_eq!(finished.stdout, expected, "{finished:?}");
    host.wait_for_log("mail from <ann@example.org> to <bob@example.org>");
}

#[test]
fn swaks_sends_a_mail() {
    let site = Site::new();
    let host = site.serve(TCP, "smtp-sink", &[]);
    let mut swaks = tool("swaks");
    swaks.args(["--server", &host.address().to_string(), "--helo", "me"]);
    swaks.args(["--from", "ann@example.org", "--to", "bob@example.org"]);
    let finished = run(swaks.arg("--tls"), b"");
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(finished.stdout.contains("TLS started"), "{finished:?}");
    host.wait_for_log("mail from <ann@example.org> to <bob@example.org>");
}

#[test]
fn openssl_speaks_smtp_under_tls() {
    let site = Site::new();
    let host = site.serve(TCP, "smtp-sink", &[]);
    let mut openssl = tool("openssl");
    openssl.args([
        "s_client",
        "-starttls",
        "smtp",
        "-quiet",
        "-verify_return_error",
    ]);
    openssl.args(["-connect", &host.address().to_string()]);
    let finished = run(
        openssl.args(["-CAfile", &site.authority.file()]),
        b"EHLO me\r\nQUIT\r\n",
    );
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(
        finished.stdout.ends_with("221 2.0.0 Goodbye\r\n"),
        "{finished:?}"
    );
}

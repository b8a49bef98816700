//! TLS with common clients, certificates that are renewed under load, and clients that misbehave.

use super::certificates::{Authority, Files};
use super::connect;
use crate::fixture::{DEADLINE, Host, Process, echo_host, guest, run, script, tool};
use rustix::process::Signal;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

fn serve(files: &Files, arguments: &[&str]) -> Host {
    let tls = ["--tls-cert", &files.certificate, "--tls-key", &files.key];
    Host::serve(&[&["--listen", "tls://127.0.0.1:0"], &tls[..], arguments].concat())
}

fn port(host: &Host) -> String {
    host.address().port().to_string()
}

#[test]
fn a_python_client_verifies_agrees_on_a_protocol_and_resumes_its_session() {
    let authority = Authority::new();
    let files = authority.sign("server", &["localhost"], "localhost");
    let host = serve(&files, &["--tls-alpn", "echo,chat"]);
    let mut python = tool("python3");
    python.args([
        &script("tls_client.py"),
        "127.0.0.1",
        &port(&host),
        &authority.file(),
        "localhost",
    ]);
    let finished = run(&mut python, b"");
    assert_eq!(
        finished.stdout, "Hello, server! echo False\nHello, server! echo True\n",
        "{finished:?}"
    );
}

#[test]
fn our_client_verifies_unless_it_is_told_not_to() {
    let authority = Authority::new();
    let files = authority.sign("server", &["localhost", "127.0.0.1"], "localhost");
    let host = serve(&files, &[]);
    let (uri, ca) = (host.uri(), authority.file());
    for arguments in [&[uri, "--ca", &ca][..], &[uri, "--insecure"]] {
        let finished = connect(arguments, "Hello, server!");
        assert_eq!(finished.stdout, "Hello, server!", "{finished:?}");
    }
    for (arguments, why) in [
        (&[uri][..], "UnknownIssuer"),
        (
            &[uri, "--ca", &ca, "--server-name", "example.org"],
            "not valid for name \"example.org\"",
        ),
    ] {
        let finished = connect(arguments, "Hello, server!");
        assert_eq!(finished.code, Some(69), "{finished:?}");
        let said = &finished.stderr;
        assert!(
            said.contains("the server's certificate is not trusted") && said.contains(why),
            "{finished:?}"
        );
    }
}

#[test]
fn a_self_signed_certificate_is_trusted_for_its_name_alone() {
    let authority = Authority::new();
    let files = authority.self_signed(&["localhost", "127.0.0.1"]);
    let host = serve(&files, &[]);
    let ca = &files.certificate;
    let finished = connect(&[host.uri(), "--ca", ca], "Hello, server!");
    assert_eq!(finished.stdout, "Hello, server!", "{finished:?}");
    for arguments in [
        &["--ca", ca.as_str(), "--server-name", "example.org"][..],
        &["--ca", &authority.file()],
    ] {
        let refused = connect(&[&[host.uri()], arguments].concat(), "Hello, server!");
        assert_eq!(refused.code, Some(69), "{refused:?}");
        let why = "the server's certificate is not trusted: ";
        assert!(refused.stderr.contains(why), "{refused:?}");
        assert!(!refused.stderr.contains("CaUsed"), "{refused:?}");
    }
}

#[test]
fn openssl_and_curl_are_served() {
    let authority = Authority::new();
    let files = authority.sign("server", &["localhost"], "localhost");
    let host = serve(&files, &[&guest("reverse")]);
    for version in ["-tls1_2", "-tls1_3"] {
        let mut openssl = tool("openssl");
        openssl.args([
            "s_client",
            "-quiet",
            "-verify_return_error",
            "-no_ign_eof",
            version,
        ]);
        openssl.args(["-servername", "localhost", "-CAfile", &authority.file()]);
        openssl.args(["-connect", &host.address().to_string()]);
        let mut openssl = Process::start(&mut openssl);
        let mut stdin = openssl.stdin().take().unwrap();
        stdin.write_all(b"hello\n").unwrap();
        openssl.stdout.wait_for("olleh");
    }
    let host = serve(&files, &[&guest("http-hello")]);
    let mut curl = tool("curl");
    let port = port(&host);
    curl.args(["-sS", "--cacert", &authority.file()]);
    curl.args(["--resolve", &format!("localhost:{port}:127.0.0.1")]);
    curl.arg(format!("https://localhost:{port}/"));
    let finished = run(&mut curl, b"");
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(finished.stdout.contains("Hello"), "{finished:?}");
}

#[test]
fn clients_must_show_a_certificate_where_there_is_an_authority_for_them() {
    let authority = Authority::new();
    let server = authority.sign("server", &["localhost", "127.0.0.1"], "localhost");
    let ada = authority.sign("ada", &[], "Ada");
    let ca = authority.file();
    let host = serve(&server, &["--tls-client-ca", &ca, &guest("puppet")]);
    let trusted = [host.uri(), "--ca", &ca, "--server-name", "localhost"];
    let shown = ["--cert", &ada.certificate, "--key", &ada.key];
    let asked =
        "peer\ninfo tls.server-name\ninfo tls.client-subject\ninfo tls.alpn\ninfo unheard.of\n";
    let said = connect(&[&trusted[..], &shown].concat(), asked).stdout;
    assert!(said.contains(r#"transport: "tls""#), "{said}");
    let details = "\nSome(\"localhost\")\nSome(\"O=Echo\\\\, Ltd.,CN=Ada\")\nNone\nNone\n";
    assert!(said.contains(details), "{said}");
    let finished = connect(&trusted, "peer\n");
    assert_eq!(finished.stdout, "", "{finished:?}");
    host.wait_for_log("TLS handshake failed: peer sent no certificates");
}

#[test]
fn a_throw_away_certificate_is_made_on_request() {
    let host = Host::serve(&["--listen", "tls://127.0.0.1:0", "--tls-self-signed"]);
    let finished = connect(&[host.uri(), "--insecure"], "Hello, server!");
    assert_eq!(finished.stdout, "Hello, server!", "{finished:?}");
    host.wait_for_log("using a self-signed certificate, which clients cannot verify");
}

#[test]
fn bad_certificates_are_told_before_anything_is_bound() {
    let authority = Authority::new();
    let (good, other) = (
        authority.sign("good", &["localhost"], "localhost"),
        authority.sign("other", &["localhost"], "localhost"),
    );
    let listen = ["serve", "--listen", "tls://127.0.0.1:0"];
    for (arguments, why) in [
        (
            &[][..],
            "no certificate\nhint: use --tls-cert and --tls-key",
        ),
        (
            &["--tls-cert", &good.certificate, "--tls-key", &other.key],
            "does not match the key",
        ),
        (
            &["--tls-cert", &good.key, "--tls-key", &good.key],
            "no certificate in",
        ),
        (
            &[
                "--tls-cert",
                &good.certificate,
                "--tls-key",
                &good.certificate,
            ],
            "no private key in",
        ),
        (
            &["--tls-cert", "/nowhere.pem", "--tls-key", &good.key],
            "cannot read the certificate in /nowhere.pem: No such file",
        ),
        (
            &["--tls-self-signed", "--tls-client-ca", &good.key],
            "no certificate in",
        ),
    ] {
        let finished = echo_host(&[&listen[..], arguments].concat());
        assert_eq!(finished.code, Some(78), "{finished:?}");
        assert!(finished.stderr.contains(why), "{finished:?}");
        assert_eq!(finished.stdout, "");
    }
    let alone = echo_host(&["serve", "--tls-cert", &good.certificate]);
    assert_eq!(alone.code, Some(2), "{alone:?}");
    let nowhere = echo_host(&[
        "serve",
        "--tls-self-signed",
        "--listen",
        "udp://127.0.0.1:0",
    ]);
    assert_eq!(nowhere.code, Some(78), "{nowhere:?}");
    assert!(
        nowhere.stderr.contains("need a listener that can have it"),
        "{nowhere:?}"
    );
}

#[test]
fn a_handshake_that_takes_too_long_keeps_nobody_waiting() {
    let authority = Authority::new();
    let files = authority.sign("server", &["localhost", "127.0.0.1"], "localhost");
    let host = serve(&files, &["--handshake-timeout", "1s"]);
    let mut silent: Vec<_> = (0..20).map(|_| host.connect()).collect();
    let finished = connect(&[host.uri(), "--ca", &authority.file()], "Hello, server!");
    assert_eq!(finished.stdout, "Hello, server!", "{finished:?}");
    for client in &mut silent {
        client.expect_closed();
    }
    host.wait_for_log("handshake took longer than 1s (--handshake-timeout)");
}

#[test]
fn a_client_without_tls_is_told_from_one_that_broke_it() {
    let host = Host::serve(&["--listen", "tls://127.0.0.1:0", "--tls-self-signed"]);
    let mut client = host.connect();
    client.send("GET / HTTP/1.0\r\n\r\n");
    // An alert, then the end.
    assert!(client.rest().len() < 10);
    host.wait_for_log("not served: TLS handshake failed: the client does not speak TLS");
}

/// A client that trusts an authority.
struct Trusting(Arc<ClientConfig>);

impl Trusting {
    fn new(authority: &Authority) -> Self {
        let mut roots = RootCertStore::empty();
        let certificate = CertificateDer::from_pem_file(authority.file()).unwrap();
        roots.add(certificate).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Trusting(Arc::new(config))
    }

    fn connect(&self, address: SocketAddr) -> StreamOwned<ClientConnection, TcpStream> {
        let plain = TcpStream::connect(address).unwrap();
        plain.set_read_timeout(Some(DEADLINE)).unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let session = ClientConnection::new(self.0.clone(), name).unwrap();
        StreamOwned::new(session, plain)
    }

    /// The host's certificate.
    fn shown(&self, address: SocketAddr) -> Vec<u8> {
        let mut stream = self.connect(address);
        ask(&mut stream, b"hello");
        stream.conn.peer_certificates().unwrap()[0].to_vec()
    }
}

fn ask(stream: &mut StreamOwned<ClientConnection, TcpStream>, message: &[u8]) {
    stream.write_all(message).unwrap();
    let mut reply = vec![0; message.len()];
    stream.read_exact(&mut reply).unwrap();
    assert_eq!(reply, message);
}

#[test]
fn certificates_are_renewed_under_load_and_nobody_notices() {
    let authority = Authority::new();
    let files = authority.sign("server", &["localhost"], "localhost");
    let host = serve(&files, &[]);
    let address = host.address();
    let (enough, served) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let client = Trusting::new(&authority);
                let mut lasting = client.connect(address);
                while !enough.load(Ordering::Relaxed) {
                    ask(&mut lasting, b"still here");
                    ask(&mut client.connect(address), b"a new client");
                    served.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let probe = Trusting::new(&authority);
        let mut shown = probe.shown(address);
        for round in 0..6 {
            authority.sign("server", &["localhost"], "localhost");
            if round % 2 == 1 {
                host.process.signal(Signal::HUP);
            }
            let deadline = Instant::now() + DEADLINE;
            let mut now = probe.shown(address);
            while now == shown {
                assert!(Instant::now() < deadline, "the old certificate stays");
                now = probe.shown(address);
            }
            shown = now;
        }
        // The invalid files change nothing.
        std::fs::write(&files.key, "no key").unwrap();
        host.wait_for_log("cannot reload certificates, keeping the old ones: no private key in");
        assert_eq!(probe.shown(address), shown);
        enough.store(true, Ordering::Relaxed);
    });
    assert!(served.into_inner() > 50);
}

#[test]
fn a_cut_connection_is_not_taken_for_a_finished_one() {
    let authority = Authority::new();
    let files = authority.sign("server", &["localhost"], "localhost");
    let host = serve(&files, &["--log-level", "debug", &guest("reverse")]);
    let mut stream = Trusting::new(&authority).connect(host.address());
    stream.write_all(b"whole\n").unwrap();
    let mut reply = [0; 6];
    stream.read_exact(&mut reply).unwrap();
    stream.write_all(b"rm -r /tmp/x").unwrap();
    // Without TLS's close_notify, the rest after the last line may be incomplete.
    stream.sock.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(stream.read(&mut reply).unwrap(), 0);
    host.wait_for_log("end=\"left\"");
}

#[test]
fn a_host_says_close_notify_to_whoever_does_not() {
    let authority = Authority::new();
    let files = authority.sign("server", &["localhost"], "localhost");
    for handler in [guest("reverse"), guest("counter")] {
        let host = serve(&files, &["--framing", "lines", &handler]);
        for _ in 0..20 {
            let mut stream = Trusting::new(&authority).connect(host.address());
            stream.write_all(b"one\ntwo\n").unwrap();
            stream.sock.shutdown(std::net::Shutdown::Write).unwrap();
            let mut said = String::new();
            // It fails without the option.
            stream.read_to_string(&mut said).unwrap();
            assert_eq!(said.lines().count(), 2, "{said}");
        }
    }
}

#[test]
fn an_idle_connection_ends_with_close_notify() {
    let authority = Authority::new();
    let files = authority.sign("server", &["localhost"], "localhost");
    for handler in ["reverse", "counter", "wordcount"] {
        let host = serve(&files, &["--idle-timeout", "300ms", &guest(handler)]);
        let mut stream = Trusting::new(&authority).connect(host.address());
        stream.write_all(b"hello\n").unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap();
        host.wait_for_log("no byte moved for 300ms");
    }
}

/// The output of openssl with these arguments.
fn openssl(words: &[&str]) {
    let finished = run(tool("openssl").args(words), b"");
    assert_eq!(finished.code, Some(0), "{finished:?}");
}

#[test]
fn an_encrypted_key_is_told_as_that_and_the_command_that_is_named_helps() {
    let authority = Authority::new();
    let files = authority.sign("server", &["localhost"], "localhost");
    let folder = authority.folder.path().to_str().unwrap();
    let (modern, old) = (format!("{folder}/modern.pem"), format!("{folder}/old.pem"));
    let password = "pass:secret";
    openssl(&[
        "pkcs8", "-topk8", "-in", &files.key, "-out", &modern, "-passout", password,
    ]);
    openssl(&[
        "ec", "-aes128", "-in", &files.key, "-out", &old, "-passout", password,
    ]);
    for key in [&modern, &old] {
        let serve = |key: &str| {
            let tls = ["--tls-cert", &files.certificate, "--tls-key", key];
            let listen = [
                "--listen",
                "tls://127.0.0.1:0",
                "--listen",
                "tcp://192.0.2.1:0",
            ];
            echo_host(&[&["serve"], &tls[..], &listen].concat())
        };
        let finished = serve(key);
        assert_eq!(finished.code, Some(78), "{finished:?}");
        let command = format!("decrypt it with `openssl pkey -in {key} -out key.pem`");
        assert!(finished.stderr.contains("is encrypted"), "{finished:?}");
        assert!(finished.stderr.contains(&command), "{finished:?}");
        let plain = format!("{folder}/plain.pem");
        openssl(&["pkey", "-in", key, "-out", &plain, "-passin", password]);
        // It is read: the other address is the error.
        assert_eq!(serve(&plain).code, Some(69));
    }
}

#[test]
fn a_file_may_begin_with_a_byte_order_mark() {
    let authority = Authority::new();
    let files = authority.sign("server", &["localhost", "127.0.0.1"], "localhost");
    for path in [&files.certificate, &files.key, &authority.file()] {
        let text = std::fs::read(path).unwrap();
        std::fs::write(path, [b"\xef\xbb\xbf", &text[..]].concat()).unwrap();
    }
    let host = serve(&files, &[]);
    let finished = connect(&[host.uri(), "--ca", &authority.file()], "hello");
    assert_eq!(finished.stdout, "hello", "{finished:?}");
}

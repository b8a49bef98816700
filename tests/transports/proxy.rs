//! The PROXY protocol: accepted from trusted networks only. Real proxies speak it.

use super::certificates::Authority;
use super::connect;
use super::websocket::Socket;
use crate::fixture::{Client, DEADLINE, Host, Process, free_port, guest, root, run, tool};
use std::fs;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Instant;

/// What the documentation tells nginx.
const NGINX_OF_DOCS: &str = "\
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection upgrade;
    proxy_set_header Host $host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
";

const LINE: &str = "PROXY TCP4 192.0.2.7 198.51.100.1 4711 8888\r\n";

/// Version 2: the signature, PROXY over TCP and IPv4, twelve bytes of addresses and one extension.
const BINARY: &[u8] =
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x13\xc0\0\x02\x07\xc6\x33\x64\x01\x12\x67\x22\xb8\
                        \x04\0\x04more";

fn behind_proxy(arguments: &[&str]) -> Host {
    Host::serve(
        &[
            &["--proxy-from", "127.0.0.0/8", &guest("puppet")],
            arguments,
        ]
        .concat(),
    )
}

fn peer(client: &mut Client) -> String {
    client.expect("ready\n");
    client.ask("peer")
}

#[test]
fn both_versions_tell_who_the_client_is() {
    let host = behind_proxy(&[]);
    for header in [LINE.as_bytes(), BINARY] {
        let mut client = host.connect();
        client.send(header);
        let said = peer(&mut client);
        assert!(said.contains(r#"peer: "192.0.2.7:4711""#), "{said}");
        assert!(said.contains(r#"local: "198.51.100.1:8888""#), "{said}");
        assert!(said.contains(r#"transport: "tcp""#), "{said}");
    }
    host.wait_for_log("serving");
}

#[test]
fn the_header_may_come_in_any_pieces_and_takes_nothing_from_what_follows() {
    let host = behind_proxy(&[]);
    for header in [LINE.as_bytes(), BINARY] {
        let whole = [header, b"say hello\n"].concat();
        for cut in 1..whole.len() {
            let mut client = host.connect();
            client.send(&whole[..cut]);
            client.send(&whole[cut..]);
            client.expect("ready\nhello\n");
        }
    }
}

/// Version 2: a command and a family, and a block of N zeros.
fn binary(start: [u8; 2], length: u16) -> Vec<u8> {
    let block = vec![0; usize::from(length)];
    [
        &b"\r\n\r\n\0\r\nQUIT\n"[..],
        &start,
        &length.to_be_bytes(),
        &block,
    ]
    .concat()
}

#[test]
fn a_proxy_may_speak_for_itself_and_claim_any_family_and_length() {
    // It is never a client, so no limit of clients applies.
    let host = behind_proxy(&["--allow", "192.0.2.0/24"]);
    let own = host.address().ip().to_string();
    for (family, length) in [(0, 0), (0x11, 0), (0x31, 5), (0xff, 12), (0x21, u16::MAX)] {
        let mut client = host.connect();
        client.send(binary([0x20, family], length));
        let said = peer(&mut client);
        assert!(said.contains(&format!("peer: \"{own}:")), "{said}");
    }
}

#[test]
fn a_client_without_an_address_is_judged_by_the_proxys() {
    let unknown = || {
        [
            b"PROXY UNKNOWN\r\n".to_vec(),
            b"PROXY UNKNOWN 192.0.2.7 192.0.2.8 1 2\r\n".to_vec(),
            binary([0x21, 0], 0),
            binary([0x21, 0x31], 216),
            binary([0x21, 0x32], 216),
        ]
    };
    for admitting in [&[][..], &["--allow", "127.0.0.1"]] {
        let host = behind_proxy(admitting);
        let own = host.address().ip().to_string();
        for header in unknown() {
            let mut client = host.connect();
            client.send(header);
            let said = peer(&mut client);
            assert!(said.contains(&format!("peer: \"{own}:")), "{said}");
        }
    }
    for refusing in [["--allow", "192.0.2.0/24"], ["--deny", "127.0.0.1"]] {
        let host = behind_proxy(&refusing);
        for header in unknown() {
            let mut client = host.connect();
            client.send(header);
            client.expect_closed();
        }
    }
}

#[test]
fn a_proxys_clients_count_by_their_own_addresses() {
    let host = behind_proxy(&["--max-connections-per-ip", "1"]);
    let come_from = |address: &str| {
        let mut client = host.connect();
        client.send(LINE.replace("192.0.2.7", address));
        client
    };
    let mut one = come_from("192.0.2.7");
    one.expect("ready\n");
    let mut other = come_from("192.0.2.8");
    other.expect("ready\n");
    assert_eq!(come_from("192.0.2.7").rest(), b"");
    host.wait_for_log("connection limit of a client reached (--max-connections-per-ip)");
    one.send("close\n");
    one.expect_closed();
    // Its share is released at about this moment.
    let deadline = Instant::now() + DEADLINE;
    while !come_from("192.0.2.7").is_served() {
        assert!(Instant::now() < deadline);
    }
}

#[test]
fn what_is_no_header_is_refused_and_what_is_late_too() {
    let host = behind_proxy(&["--handshake-timeout", "1s"]);
    for (sent, why) in [
        (
            &b"peer\npeer\npeer\npeer\n"[..],
            "bad PROXY header: the connection does not start with one",
        ),
        (b"PROXY TCP4 192.0.2.7 nonsense 1 2\r\n", "bad PROXY header"),
        (
            b"PROXY TCP4 192.0.2.7 192.0.2.8 01 2\r\n",
            "a port must be a number without leading zeros",
        ),
        (
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x13\xc0\0\x02\x07\xc6\x33\x64\x01\x12\x67\x22\xb8\x03\0\x04sums",
            "wrong checksum (CRC32c)",
        ),
        (
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0e\xc0\0\x02\x07\xc6\x33\x64\x01\x12\x67\x22\xb8\x04\0",
            "a field is truncated",
        ),
        (
            &[b"PROXY TCP4 ", &[b'1'; 120][..]].concat(),
            "the line is too long",
        ),
        (
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff",
            "bad PROXY header: longer than 4096 bytes",
        ),
        (b"PROXY TCP4 192.0.2.7", "handshake took longer than 1s"),
    ] {
        let mut client = host.connect();
        client.send(sent);
        client.expect_closed();
        host.wait_for_log(why);
    }
}

#[test]
fn a_stranger_is_not_believed() {
    let host = Host::serve(&["--proxy-from", "10.0.0.0/8", &guest("puppet")]);
    let mut client = host.connect();
    client.send(LINE);
    client.expect("ready\n");
    // To the handler it is a line like any other.
    let said = client.ask("peer");
    assert!(!said.contains("192.0.2.7"), "{said}");
}

#[test]
fn access_is_decided_by_the_proxys_client() {
    let allowed = behind_proxy(&["--allow", "192.0.2.0/24"]);
    let mut client = allowed.connect();
    client.send(LINE);
    client.expect("ready\n");
    let denied = behind_proxy(&["--deny", "192.0.2.0/24"]);
    let mut client = denied.connect();
    client.send(LINE);
    client.expect_closed();
}

#[test]
fn the_header_comes_before_tls() {
    let authority = Authority::new();
    let files = authority.sign("server", &["localhost"], "localhost");
    let tls = ["--tls-cert", &files.certificate, "--tls-key", &files.key];
    let host = behind_proxy(&[&["--listen", "tls://127.0.0.1:0"], &tls[..]].concat());
    let proxy = Proxy::haproxy(host.address(), "send-proxy-v2");
    let uri = format!("tls://127.0.0.1:{}", proxy.port);
    let ca = authority.file();
    let said = connect(&[&uri, "--ca", &ca, "--server-name", "localhost"], "peer\n").stdout;
    assert!(said.contains(r#"transport: "tls""#), "{said}");
    // HAProxy's connection to us has another port than its own client's.
    assert!(
        said.contains(&format!("local: \"127.0.0.1:{}\"", proxy.port)),
        "{said}"
    );
}

/// A running proxy in front of a host.
struct Proxy {
    port: u16,
    _process: Process,
    _folder: tempfile::TempDir,
}

impl Proxy {
    fn haproxy(host: SocketAddr, how: &str) -> Self {
        Proxy::start(
            "haproxy.cfg",
            |port, _| {
                format!(
                    "defaults\n mode tcp\n timeout connect 60s\n timeout client 60s\n timeout server 60s\n\
                 listen echo\n bind 127.0.0.1:{port}\n server echo {host} {how}\n"
                )
            },
            |config| {
                let mut haproxy = tool("haproxy");
                haproxy.args(["-db", "-f", config]);
                haproxy
            },
        )
    }

    fn nginx(host: SocketAddr) -> Self {
        Proxy::start(
            "nginx.conf",
            |port, folder| {
                format!(
                    "daemon off; master_process off; pid {folder}/pid; error_log stderr;\n\
                 include /etc/nginx/modules-enabled/*.conf;\n\
                 events {{}}\n\
                 stream {{ server {{ listen 127.0.0.1:{port}; proxy_pass {host}; proxy_protocol on; }} }}\n"
                )
            },
            |config| {
                let mut nginx = tool("nginx");
                nginx.args(["-c", config]);
                nginx
            },
        )
    }

    /// A proxy of HTTP, which passes WebSockets on and tells the client's address in a header.
    fn nginx_of_http(host: SocketAddr) -> Self {
        Proxy::start(
            "nginx.conf",
            |port, folder| {
                format!(
                    "daemon off; master_process off; pid {folder}/pid; error_log stderr;\n\
                     events {{}}\n\
                     http {{ access_log off; client_body_temp_path {folder}/body;\n\
                     proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;\n\
                     uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;\n\
                     server {{ listen 127.0.0.1:{port}; location /chat {{\n\
                     proxy_pass http://{host};\n{NGINX_OF_DOCS}}} }} }}\n"
                )
            },
            |config| {
                let mut nginx = tool("nginx");
                nginx.args(["-c", config]);
                nginx
            },
        )
    }

    fn start(
        file: &str,
        config: impl Fn(u16, &str) -> String,
        command: impl Fn(&str) -> Command,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let path = folder.path().join(file);
        fs::write(&path, config(port, folder.path().to_str().unwrap())).unwrap();
        let process = Process::start_listening(&mut command(path.to_str().unwrap()), port);
        Proxy {
            port,
            _process: process,
            _folder: folder,
        }
    }
}

#[test]
fn haproxy_and_nginx_are_understood() {
    let host = behind_proxy(&[]);
    for proxy in [
        Proxy::haproxy(host.address(), "send-proxy"),
        Proxy::haproxy(host.address(), "send-proxy-v2"),
        Proxy::haproxy(
            host.address(),
            "send-proxy-v2 proxy-v2-options crc32c,unique-id",
        ),
        Proxy::nginx(host.address()),
    ] {
        let mut client = Client::connect(SocketAddr::from(([127, 0, 0, 1], proxy.port)));
        let own = client.stream.local_addr().unwrap();
        let said = peer(&mut client);
        assert!(said.contains(&format!("peer: \"{own}\"")), "{said}");
    }
}

#[test]
fn websockets_come_through_proxies_with_their_clients_address() {
    let page = fs::read_to_string(root().join("docs/operate/websocket.md")).unwrap();
    assert!(NGINX_OF_DOCS.lines().all(|line| page.contains(line.trim())));
    let puppet = guest("puppet");
    let arguments = [
        "--proxy-from",
        "127.0.0.1",
        &puppet,
        "--listen",
        "ws://127.0.0.1:0/chat",
    ];
    let host = Host::serve(&arguments);
    let haproxy = Proxy::haproxy(host.address(), "send-proxy-v2");
    let nginx = Proxy::nginx_of_http(host.address());
    for (proxy, tells_port) in [(&haproxy, true), (&nginx, false)] {
        let proxy = SocketAddr::from(([127, 0, 0, 1], proxy.port));
        let client = Client::connect_from("127.0.0.5", proxy);
        let mut own = client.stream.local_addr().unwrap();
        if !tells_port {
            own.set_port(0);
        }
        // What the client claims is not believed.
        let mut socket = Socket::begin(client, "/chat", "X-Forwarded-For: 192.0.2.1\r\n");
        socket.receive();
        let said = socket.ask("peer\n");
        assert!(said.contains(&format!("peer: \"{own}\"")), "{said}");
    }
}

#[test]
fn haproxy_passes_a_load_on_and_nothing_is_lost() {
    let host = Host::serve(&["--proxy-from", "127.0.0.1", "--max-connections", "400"]);
    let proxy = Proxy::haproxy(host.address(), "send-proxy-v2");
    let mut bench = Command::new(env!("CARGO_BIN_EXE_echo-host"));
    bench.args(["bench", &format!("tcp://127.0.0.1:{}", proxy.port)]);
    // Many connect anew, so that many headers are read.
    let load = ["--connections", "50", "--messages-per-connection", "10"];
    bench.args(load).args(["--duration", "2s", "--json"]);
    let finished = run(&mut bench, b"");
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let report: serde_json::Value = serde_json::from_str(&finished.stdout).unwrap();
    assert!(report["messages"].as_u64().unwrap() > 1000, "{report}");
    let errors = report["errors"].as_object().unwrap();
    assert!(errors.values().all(|count| count == 0), "{report}");
}

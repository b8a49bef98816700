use super::*;

#[test]
fn parsed_values_print_as_written() {
    for text in [
        "tcp://127.0.0.1:8888",
        "tcp://0.0.0.0:0",
        "tcp://[::1]:8888",
        "tcp://[::]:65535",
        "tcp://localhost:80",
        "tls://localhost:443",
        "udp://[::1]:53",
        "ws://127.0.0.1:8080",
        "ws://[::1]:8080/",
        "wss://localhost:8443/chat/room",
        "tcp://[fe80::1%eth0]:8888",
        "udp://[fe80::1%3]:53",
        "unix:/run/echo.sock",
        "unix:echo.sock",
        "unix:////run/echo.sock",
        "unix:@echo",
        "stdio:",
    ] {
        assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), text);
    }
}

#[test]
fn a_path_may_follow_an_empty_host() {
    for (text, plain) in [
        ("unix:///run/echo.sock", "unix:/run/echo.sock"),
        ("stdio://", "stdio:"),
        ("tcp://[fe80::1%25eth0]:80", "tcp://[fe80::1%eth0]:80"),
    ] {
        assert_eq!(text.parse::<Endpoint>(), plain.parse(), "{text}");
    }
}

#[test]
fn each_mistake_has_its_own_message() {
    use InvalidEndpoint as E;
    for (text, expected) in [
        ("8888", E::NotAUri),
        ("127.0.0.1:8888", E::NotAUri),
        ("ftp://127.0.0.1:21", E::Scheme("ftp".into())),
        ("tcp:127.0.0.1:1", E::NoSlashes("tcp")),
        ("tcp://127.0.0.1", E::NoPort("tcp")),
        ("udp://[::1]", E::NoPort("udp")),
        ("tcp://127.0.0.1:port", E::Port("port".into())),
        ("tcp://127.0.0.1:65536", E::Port("65536".into())),
        ("tls://:8888", E::NoHost("tls")),
        ("ws://127.0.0.1/chat", E::NoPort("ws")),
        ("wss:127.0.0.1:1", E::NoSlashes("wss")),
        ("ws://a:1/b?c", E::WebPath("ws", "/b?c".into())),
        ("tcp://[fe80]:1", E::Ipv6("fe80".into())),
        ("tcp://[127.0.0.1]:1", E::Ipv6("127.0.0.1".into())),
        (
            "tcp://[::1%lo]:1",
            E::Zone(NotAnAddress::NotLinkLocal("::1".parse().unwrap())),
        ),
        ("tcp://::1:8888", E::Unbracketed("tcp")),
        ("tcp://127.0.0.1:1/path", E::Trailing("tcp", "/path".into())),
        ("unix:", E::NoPath),
        ("unix:/", E::NoPath),
        ("unix://", E::NoPath),
        ("unix:@", E::NoPath),
        ("unix://run/echo.sock", E::UnixHost("run/echo.sock".into())),
        ("stdio:1", E::StdioTrailing("1".into())),
    ] {
        assert_eq!(text.parse::<Endpoint>(), Err(expected), "{text}");
    }
}

#[test]
fn a_bound_socket_matches_its_configured_endpoint() {
    let admits = |wanted: &str, bound: &str| {
        let wanted: Endpoint = wanted.parse().unwrap();
        wanted.admits(&bound.parse().unwrap())
    };
    assert!(admits("tcp://127.0.0.1:7", "tcp://127.0.0.1:7"));
    assert!(admits("tcp://[0:0:0:0:0:0:0:1]:7", "tcp://[::1]:7"));
    assert!(admits("unix:/run/a.sock", "unix:/run/a.sock"));
    for other in [
        "tcp://127.0.0.1:8",
        "tcp://127.0.0.2:7",
        "tls://127.0.0.1:7",
    ] {
        assert!(!admits("tcp://127.0.0.1:7", other), "{other}");
    }
    assert!(!admits("tcp://127.0.0.1:0", "tcp://127.0.0.1:7"));
    assert!(!admits("unix:/run/a.sock", "unix:/run/b.sock"));
}

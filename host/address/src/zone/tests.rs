use super::*;

#[test]
fn a_zone_may_be_percent_encoded_or_plain() {
    for (text, shown) in [
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("fe80::1%25eth0", "fe80::1%eth0"),
        ("fe80::1%25", "fe80::1%25"),
        ("fe80::1%2525", "fe80::1%25"),
        ("fe80::1%25251", "fe80::1%25251"),
        ("fe80:0::1%3", "fe80::1%3"),
        ("::1", "::1"),
        ("192.0.2.1", "192.0.2.1"),
    ] {
        let address: ZonedAddress = text.parse().unwrap();
        assert_eq!(address.to_string(), shown, "{text}");
        assert_eq!(shown.parse(), Ok(address), "{text}");
    }
    for text in [
        "",
        "fe80::1%",
        "fe80::1%a%b",
        "fe80::1%a b",
        "::1%eth0",
        "192.0.2.1%eth0",
        "eth0",
    ] {
        assert!(text.parse::<ZonedAddress>().is_err(), "{text}");
    }
}

#[test]
fn an_interface_has_a_name_and_a_number() {
    let address: ZonedAddress = "fe80::1%lo".parse().unwrap();
    let Some(SocketAddr::V6(socket)) = address.socket_address(7) else {
        panic!("the loopback interface is not called lo");
    };
    assert_ne!(socket.scope_id(), 0);
    assert_eq!(Zone::of(&socket), address.zone);
    assert_eq!(scope(socket.into()), socket.scope_id());
    let unknown: ZonedAddress = "fe80::1%no-such-one".parse().unwrap();
    assert_eq!(unknown.socket_address(7), None);
}

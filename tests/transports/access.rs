//! Networks that are served, and networks that are not.

use crate::fixture::{Host, echo_host};

fn served(arguments: &[&str]) -> bool {
    let host = Host::serve(arguments);
    let mut client = host.connect();
    client.send("hello");
    // A client that is not served finds its connection closed, or reset if it had sent something.
    let mut byte = [0; 5];
    let served = std::io::Read::read_exact(&mut client.stream, &mut byte).is_ok();
    let log = host.stop();
    assert!(
        log.contains(&format!("turned_away={}", u8::from(!served))),
        "{log}"
    );
    served
}

#[test]
fn clients_are_served_by_network() {
    for (arguments, expected) in [
        (&["--allow", "127.0.0.0/8"][..], true),
        (&["--allow", "127.0.0.1"], true),
        (&["--allow", "10.0.0.0/8,::1"], false),
        (&["--deny", "127.0.0.1"], false),
        (&["--deny", "10.0.0.0/8"], true),
        (&["--allow", "127.0.0.0/8", "--deny", "127.0.0.0/30"], false),
    ] {
        assert_eq!(served(arguments), expected, "{arguments:?}");
    }
}

#[test]
fn what_is_no_network_is_a_usage_error() {
    let finished = echo_host(&["serve", "--allow", "example.org"]);
    assert_eq!(finished.code, Some(2), "{finished:?}");
    assert!(
        finished
            .stderr
            .contains("expected a network such as 192.0.2.0/24"),
        "{finished:?}"
    );
}

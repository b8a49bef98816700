//! Clients whose machines are gone: nothing comes from them any more, no FIN, no reset, no
//! acknowledgement.

use crate::fixture::{Client, Host};
use socket2::{SockFilter, SockRef};

const OPTIONS: [&str; 4] = ["--peer-timeout", "2s", "--idle-timeout", "off"];
const SAID: &str = "the peer did not respond for too long (--peer-timeout)";

/// From now on the kernel drops every packet for this client, as if its cable were cut.
fn unplug(client: &Client) {
    // A packet filter of one instruction: keep no byte (BPF_RET of 0).
    let nothing = SockFilter::new(0x06, 0, 0, 0);
    SockRef::from(&client.stream)
        .attach_filter(&[nothing])
        .unwrap();
}

#[test]
fn an_idle_client_that_is_gone_is_noticed() {
    let host = Host::serve(&OPTIONS);
    let mut gone = host.connect();
    let mut quiet = host.connect();
    for client in [&mut gone, &mut quiet] {
        client.send("hello");
        client.expect("hello");
    }
    unplug(&gone);
    host.wait_for_log(SAID);
    // The other client has been as quiet, but its kernel answers.
    quiet.send("still here");
    quiet.expect("still here");
    let status = host.wait_for_open(1);
    assert_eq!(status["limits_reached"]["peer-timeout"], 1);
}

#[test]
fn a_client_that_is_gone_while_it_is_answered_is_noticed() {
    let host = Host::serve(&OPTIONS);
    let mut client = host.connect();
    client.send("hello");
    client.expect("hello");
    unplug(&client);
    client.send("are you there?");
    host.wait_for_log(SAID);
}

#[test]
fn with_off_the_host_does_not_ask() {
    let mut host = Host::serve(&["--peer-timeout", "off", "--idle-timeout", "3s"]);
    let mut client = host.connect();
    client.send("hello");
    client.expect("hello");
    unplug(&client);
    host.wait_for_log("no byte moved for 3s (--idle-timeout)");
    assert!(!host.process.stderr.text().contains(SAID));
    assert!(!host.process.has_ended());
}

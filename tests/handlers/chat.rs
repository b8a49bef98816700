//! The chat, with people at telnets and programs that behave worse.

use super::{Talker, Telnet, assert_replies, client};
use crate::fixture::{Host, guest, run, tool};

fn serve() -> Host {
    Host::serve(&[&guest("chat"), "--isolation", "shared"])
}

/// A client with a name who has received all notices about their own arrival.
fn join(host: &Host, name: &str) -> Talker {
    let mut talker = Talker::connect(host);
    talker.says(&format!("/nick {name}"));
    talker.waits_for(&format!("* you are {name} now"));
    talker
}

#[test]
fn two_talk_while_a_third_never_reads() {
    // More bytes than the buffers on the way hold.
    const FLOOD: usize = 16 << 20;
    let host = serve();
    let sleeper = join(&host, "sleeper");
    let mut flooder = join(&host, "flooder");
    let line = "x".repeat(2000);
    for _ in 0..FLOOD / line.len() {
        flooder.says(&line);
    }
    // Everything was sent without waiting for anybody.
    flooder.says("/who");
    flooder.waits_for("* in lobby: ");
    flooder.says("/quit");
    flooder.waits_for("* Goodbye.");

    let mut ann = Telnet::connect(&host);
    ann.types("/nick ann");
    ann.sees("* you are ann now");
    let mut bob = Telnet::connect(&host);
    bob.types("/nick bob");
    bob.sees("* you are bob now");
    ann.sees("is bob now");
    ann.types("hello, Bob");
    bob.sees("ann: hello, Bob");
    bob.types("hello, Ann");
    ann.sees("bob: hello, Ann");
    bob.types("/quit");
    bob.sees("* Goodbye.");
    bob.0.wait();
    ann.sees("* bob left");
    // A client does not receive its own words.
    assert!(!ann.0.stdout.text().contains("ann: "));
    host.wait_for_log("the client reads too slowly");
    drop(sleeper);
}

#[test]
fn however_one_leaves_it_is_noticed() {
    let host = serve();
    let mut ann = join(&host, "ann");

    let mut bob = join(&host, "bob");
    ann.waits_for("is bob now");
    bob.says("/quit");
    assert_eq!(ann.hears(), "* bob left");

    let mut cid = join(&host, "cid");
    ann.waits_for("is cid now");
    cid.client.finish();
    assert_eq!(ann.hears(), "* cid left");
    cid.client.expect_closed();

    let dan = join(&host, "dan");
    ann.waits_for("is dan now");
    drop(dan);
    assert_eq!(ann.hears(), "* dan left");

    let mut eve = join(&host, "eve");
    ann.waits_for("is eve now");
    eve.says(&"too long".repeat(1000));
    assert_eq!(ann.hears(), "* eve left");
    ann.says("/who");
    assert_eq!(ann.hears(), "* in lobby: ann");
}

#[test]
fn rooms_are_apart() {
    let host = serve();
    let mut ann = join(&host, "ann");
    let mut bob = join(&host, "bob");
    ann.waits_for("is bob now");
    ann.says("/join Tea");
    assert_eq!(ann.hears(), "* in tea: ann");
    assert_eq!(bob.hears(), "* ann left");
    ann.says("nobody hears this");
    ann.says("/join lobby");
    assert_eq!(ann.hears(), "* in lobby: ann, bob");
    ann.says("but this");
    assert_eq!(bob.hears(), "* ann joined");
    assert_eq!(bob.hears(), "ann: but this");
}

#[test]
fn a_name_belongs_to_one_at_a_time() {
    let host = serve();
    let mut ann = join(&host, "ann");
    let mut other = Talker::connect(&host);
    other.says("/nick Ann");
    other.waits_for("* that name is taken");
    ann.waits_for("joined");
    ann.says("/quit");
    other.waits_for("* ann left");
    other.says("/nick Ann");
    assert_eq!(other.hears(), "* you are Ann now");
}

#[test]
fn nobody_drives_another_ones_terminal() {
    let host = serve();
    let mut ann = join(&host, "ann");
    let mut bob = join(&host, "bob");
    ann.waits_for("is bob now");
    bob.client.send(b"\x1b[2J\x07hi\x9b\r * ann left\r\n");
    assert_eq!(ann.hears(), "bob: [2Jhi\u{fffd} * ann left");
    bob.says("/nick \x1b[31mred");
    bob.waits_for("* a name has letters, digits");
}

#[test]
fn cuts_change_nothing() {
    // Each client has an instance, and so a lobby, of its own.
    let host = Host::serve(&[&guest("chat")]);
    assert_replies(
        &host,
        b"/nick ann\r\nhello\n\n/who\n/join Tea\r\n/nick a b\n/dance\n/join tea\n/quit\n",
        "* you are ann now\n* in lobby: ann\n* in tea: ann\n\
         * a name has letters, digits, - _ and . only\n\
         * unknown command /dance; /help lists all\n* you are already in tea\n* Goodbye.\n",
        |replies| {
            // The generated name, which occurs twice, differs each time.
            let welcome = replies.find("* you are").unwrap_or(replies.len());
            &replies[welcome..]
        },
    );
}

#[test]
fn nc_says_something_in_passing() {
    let host = serve();
    let mut ann = join(&host, "ann");
    let finished = run(&mut client(tool("nc"), &["-N"], &host), b"/nick cat\nmeow");
    assert_eq!(finished.code, Some(0));
    assert!(
        finished.stdout.ends_with("* you are cat now\n"),
        "{finished:?}"
    );
    ann.waits_for("is cat now");
    assert_eq!(ann.hears(), "cat: meow");
    assert_eq!(ann.hears(), "* cat left");
}

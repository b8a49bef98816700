//! The mail sink, with Python's smtplib.

use super::{Telnet, assert_replies, client, whole};
use crate::fixture::{Host, guest, run, script};

#[test]
fn smtplib_delivers() {
    let host = Host::serve(&[&guest("smtp-sink")]);
    let finished = run(
        &mut client("python3", &[&script("smtp_client.py")], &host),
        b"",
    );
    let expected = "delivered 115 bytes\nrefused: 552\n";
    assert_eq!(finished.stdout, expected, "{finished:?}");
    let line = host.wait_for_log("mail from");
    let summary = "mail from <ann@example.org> to <bob@example.org> <cid@example.org>: \
                   115 bytes, subject \"Dots and all\"";
    assert!(line.contains(summary), "{line}");
}

#[test]
fn telnet_is_led_through() {
    let host = Host::serve(&[&guest("smtp-sink")]);
    let mut telnet = Telnet::connect(&host);
    telnet.sees("220 smtp-sink ESMTP");
    telnet.types("MAIL FROM:<ann@example.org>");
    telnet.sees("503 5.5.1 Say HELO or EHLO first");
    telnet.types("HELO me");
    telnet.sees("250 smtp-sink");
    telnet.types("QUIT");
    telnet.sees("221 2.0.0 Goodbye");
    telnet.0.wait();
}

#[test]
fn cuts_change_nothing() {
    let host = Host::serve(&[&guest("smtp-sink")]);
    assert_replies(
        &host,
        b"HELO me\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\nSubject: hi\r\n\r\n..\r\nQUIT\r\n.\r\nDATA\r\nQUIT\r\n",
        "220 smtp-sink ESMTP, I keep nothing\r\n250 smtp-sink\r\n250 2.1.0 Go on\r\n250 2.1.5 Go on\r\n\
         354 End the mail with a dot alone on a line\r\n250 2.0.0 Taken, and thrown away\r\n\
         503 5.5.1 Say MAIL first\r\n221 2.0.0 Goodbye\r\n",
        whole,
    );
}

#[test]
fn a_host_that_stops_says_so() {
    let host = Host::serve(&[&guest("smtp-sink")]);
    let mut client = host.connect();
    client.expect("220 smtp-sink ESMTP, I keep nothing\r\n");
    let stop = std::thread::spawn(move || host.stop());
    assert_eq!(client.rest(), b"421 4.3.2 smtp-sink is stopping\r\n");
    stop.join().unwrap();
}

//! The mail sink, with Python's smtplib.

use super::{Telnet, assert_replies, client, whole};
use crate::fixture::{Host, guest, run, script, tool};

#[test]
fn smtplib_delivers() {
    let host = Host::serve(&[&guest("smtp-sink")]);
    let finished = run(
        &mut client(tool("python3"), &[&script("smtp_client.py")], &host),
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
    telnet.sees("503 5.5.1 HELO or EHLO required first");
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
        "220 smtp-sink ESMTP, mail is discarded\r\n250 smtp-sink\r\n250 2.1.0 Go on\r\n250 2.1.5 Go on\r\n\
         354 End the mail with a dot alone on a line\r\n250 2.0.0 Accepted and discarded\r\n\
         503 5.5.1 MAIL required first\r\n221 2.0.0 Goodbye\r\n",
        whole,
    );
}

#[test]
fn a_host_that_stops_says_so() {
    let host = Host::serve(&[&guest("smtp-sink")]);
    let mut client = host.connect();
    client.expect("220 smtp-sink ESMTP, mail is discarded\r\n");
    let stop = std::thread::spawn(move || host.stop());
    assert_eq!(client.rest(), b"421 4.3.2 smtp-sink is stopping\r\n");
    stop.join().unwrap();
}

/// A mail, a sequence that some servers take for its end, and a second mail that the sender
/// smuggles in.
fn smuggling(end: &str) -> String {
    format!(
        "EHLO me\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\nSubject: first\r\n\r\nhello{end}\
         MAIL FROM:<evil@x>\r\nRCPT TO:<b@x>\r\nDATA\r\nSubject: smuggled\r\n\r\nhello\r\n.\r\nQUIT\r\n"
    )
}

#[test]
fn only_cr_lf_dot_cr_lf_ends_a_mail() {
    let host = Host::serve(&[&guest("smtp-sink")]);
    for end in [
        "\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r\n", "\r.\r", "\r\n.\r", "\n.\r", "\r.\n",
    ] {
        let mut client = host.connect();
        client.send(smuggling(end));
        let said = String::from_utf8(client.rest()).unwrap();
        assert_eq!(said.matches("354 ").count(), 1, "{end:?}: {said}");
        assert!(!said.contains("Accepted"), "{end:?}: {said}");
        assert!(
            said.ends_with("550 5.6.0 Lines must end with CR LF, without lone CR or LF\r\n221 2.0.0 Goodbye\r\n"),
            "{end:?}: {said}"
        );
    }
    let mut client = host.connect();
    client.send(smuggling("\r\n.\r\n"));
    let said = String::from_utf8(client.rest()).unwrap();
    assert_eq!(said.matches("Accepted").count(), 2, "{said}");
}

#[test]
fn a_mail_that_is_cut_off_is_not_taken() {
    let host = Host::serve(&[&guest("smtp-sink")]);
    let mut client = host.connect();
    client.send("EHLO me\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\nhello\r\n.");
    client.finish();
    assert!(
        !String::from_utf8(client.rest())
            .unwrap()
            .contains("Accepted")
    );
}

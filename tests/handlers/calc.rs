//! The calculator, as used over telnet and by scripts.

use super::{Telnet, assert_replies, client, whole};
use crate::fixture::{Host, guest, run, tool};
use std::time::{Duration, Instant};

const GREETING: &str = "Type an expression, help or quit.\n> ";
const GOODBYE: &str = "\nNothing more? Goodbye.\n";

#[test]
fn telnet_computes() {
    let host = Host::serve(&[&guest("calc")]);
    let mut telnet = Telnet::connect(&host);
    telnet.sees("Type an expression");
    telnet.types("(1 + 2) * 3");
    telnet.sees("> 9");
    telnet.types("ans ^ 2 - 0.5");
    telnet.sees("> 80.5");
    telnet.types("1 + * 2");
    telnet.sees(">       ^ expected a number");
    telnet.types("quit");
    telnet.sees("> Goodbye.");
    telnet.0.wait();
}

#[test]
fn nc_gets_all_results() {
    let host = Host::serve(&[&guest("calc")]);
    // The idle timer must not keep the connection open: everything arrives at once.
    let finished = run(
        &mut client(tool("nc"), &["-N"], &host),
        b"6 * 7\nans / 0\nans",
    );
    assert_eq!(
        (finished.code, finished.stdout.as_str()),
        (
            Some(0),
            "Type an expression, help or quit.\n> 42\n>       ^ division by zero\n> 42\n> "
        )
    );
}

#[test]
fn cuts_change_nothing() {
    let host = Host::serve(&[&guest("calc")]);
    assert_replies(
        &host,
        b"6 * 7\r\n\r\nans +\n2 ^ -1\nwhat",
        "Type an expression, help or quit.\n> 42\n> >        ^ expected a number\n> 0.5\n\
         >   ^ unknown name; only `ans` is known\n> ",
        whole,
    );
}

#[test]
fn hostile_lines_are_answered() {
    let host = Host::serve(&[&guest("calc")]);
    let mut client = host.connect();
    client.expect(GREETING);
    for deep in ["(", "-", "2^"] {
        client.send(format!("{}\n", deep.repeat(1000 / deep.len())));
        let caret = 2 + 64 * deep.len();
        client.expect(format!("{:caret$}^ nested too deeply\n> ", ""));
    }
    client.send(b"1 + \xff\xfe\n");
    client.expect("      ^ expected a number\n> ");
    client.send("1 + 1\n");
    client.expect("2\n> ");
}

#[test]
fn each_connection_has_its_own_results() {
    let host = Host::serve(&[&guest("calc"), "--isolation", "shared"]);
    let (mut first, mut second) = (host.connect(), host.connect());
    first.expect(GREETING);
    second.expect(GREETING);
    first.send("1 + 1\n");
    first.expect("2\n> ");
    second.send("ans\n");
    second.expect("0\n> ");
}

#[test]
fn who_is_quiet_is_let_go() {
    let host = Host::serve(&[&guest("calc"), "--env", "CALC_IDLE_MS=100"]);
    let mut client = host.connect();
    assert_eq!(
        String::from_utf8(client.rest()).unwrap(),
        format!("{GREETING}{GOODBYE}")
    );
}

#[test]
fn who_is_not_quiet_is_not_let_go() {
    const PATIENCE: Duration = Duration::from_secs(2);
    let host = Host::serve(&[&guest("calc"), "--env", "CALC_IDLE_MS=2000"]);
    let mut client = host.connect();
    client.expect(GREETING);
    // Longer than the idle time in total, but never between two lines.
    let begin = Instant::now();
    while begin.elapsed() < PATIENCE * 3 / 2 {
        client.send("1\n");
        client.expect("1\n> ");
    }
    assert_eq!(String::from_utf8(client.rest()).unwrap(), GOODBYE);
}

#[test]
fn a_host_that_stops_says_so() {
    let host = Host::serve(&[&guest("calc")]);
    let mut client = host.connect();
    client.expect(GREETING);
    let stop = std::thread::spawn(move || host.stop());
    assert_eq!(
        String::from_utf8(client.rest()).unwrap(),
        "\nThe server is stopping. Goodbye.\n"
    );
    stop.join().unwrap();
}

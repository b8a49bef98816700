//! The handlers of guest/, each with the clients it is for.

mod calc;
mod chat;
mod http_hello;
mod kv;
mod smtp_sink;
mod wordcount;

use crate::fixture::{Client, Host, Process, tool};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::Command;

/// A command that takes the host's address as two more arguments.
fn client(mut command: Command, args: &[&str], host: &Host) -> Command {
    let address = host.address();
    command
        .args(args)
        .arg(address.ip().to_string())
        .arg(address.port().to_string());
    command
}

/// A person at a telnet.
struct Telnet(Process);

impl Telnet {
    fn connect(host: &Host) -> Self {
        Telnet(Process::start(&mut client(tool("telnet"), &[], host)))
    }

    fn types(&mut self, line: &str) {
        let stdin = self.0.stdin().as_mut().unwrap();
        stdin.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// Waits for a line that contains this.
    fn sees(&self, text: &str) {
        self.0.stdout.wait_for(text);
    }
}

/// A client that looks for lines.
struct Talker {
    client: Client,
    lines: BufReader<TcpStream>,
}

impl Talker {
    fn connect(host: &Host) -> Self {
        let client = host.connect();
        let lines = BufReader::new(client.stream.try_clone().unwrap());
        Talker { client, lines }
    }

    fn says(&mut self, line: &str) {
        self.client.send(format!("{line}\n"));
    }

    /// The next line, without its ending.
    fn hears(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'), "the stream ended with {line:?}");
        line.trim_end().to_owned()
    }

    /// Skips lines until one contains this, and returns it.
    fn waits_for(&mut self, text: &str) -> String {
        loop {
            let line = self.hears();
            if line.contains(text) {
                return line;
            }
        }
    }
}

/// Sends a conversation whole, cut in two at each position, and byte by byte. Each time the replies
/// must be the same, apart from what `strip` removes.
fn assert_replies(host: &Host, stream: &[u8], expected: &str, strip: fn(&str) -> &str) {
    let mut cuts: Vec<Vec<&[u8]>> = vec![vec![stream], stream.chunks(1).collect()];
    cuts.extend((1..stream.len()).map(|cut| vec![&stream[..cut], &stream[cut..]]));
    for pieces in cuts {
        let mut client = host.connect();
        for piece in &pieces {
            client.send(piece);
        }
        client.finish();
        let replies = String::from_utf8(client.rest()).unwrap();
        assert_eq!(
            strip(&replies),
            expected,
            "{} {:?}",
            pieces.len(),
            pieces[0]
        );
    }
}

fn whole(replies: &str) -> &str {
    replies
}

//! A protocol of lines: each client keeps a list of tasks, and each command has one reply.
//!
//! This file connects the tasks to the client. `command.rs` reads a line, `tasks.rs` knows neither
//! lines nor clients.

mod command;
mod tasks;

use command::Command;
use echo_host_guest::{Connection, Result, Session, Timer, text};
use std::time::Duration;
use tasks::Tasks;

echo_host_guest::conversation!(Client, framing: "lines", max_message_bytes: 1024);

/// A client that is silent for so long is sent away.
const IDLE_TIME: Duration = Duration::from_secs(300);
const IDLE: Timer = Timer::named("idle");

const HELP: &str = "ok ADD TEXT, DONE NUMBER, LIST, HELP, QUIT";

/// The state of one connection.
struct Client {
    connection: Connection,
    tasks: Tasks,
}

impl Session for Client {
    fn open(connection: Connection, saved: Option<Vec<u8>>) -> Result<Self> {
        let tasks = match saved {
            // Another version has served this client, and set its timer.
            Some(saved) => Tasks::resume(&text(saved)?),
            None => {
                connection.send_line("ok {{name}} is ready; HELP lists the commands");
                connection.set_timer(IDLE, IDLE_TIME);
                Tasks::default()
            }
        };
        Ok(Client { connection, tasks })
    }

    fn on_message(&mut self, line: Vec<u8>) -> Result {
        self.connection.set_timer(IDLE, IDLE_TIME);
        match Command::read(&text(line)?) {
            Ok(Command::Add(task)) => {
                let number = self.tasks.add(task);
                writeln!(self.connection, "ok task {number}");
            }
            Ok(Command::Done(number)) => match self.tasks.remove(number) {
                Some(task) => writeln!(self.connection, "ok {task} is done"),
                None => writeln!(self.connection, "error there is no task {number}"),
            },
            Ok(Command::List) => {
                for (number, task) in self.tasks.numbered() {
                    writeln!(self.connection, "{number} {task}");
                }
                writeln!(self.connection, "ok {} tasks", self.tasks.count());
            }
            Ok(Command::Help) => self.connection.send_line(HELP),
            Ok(Command::Quit) => self.part("ok goodbye"),
            Err(reason) => writeln!(self.connection, "error {reason}"),
        }
        Ok(())
    }

    fn on_timer(&mut self, _: Timer) -> Result {
        self.part("error you were silent for too long");
        Ok(())
    }

    fn on_eof(&mut self) -> Result {
        // A timer would keep the connection open.
        self.connection.cancel_timer(IDLE);
        Ok(())
    }

    fn on_shutdown(&mut self) -> Result {
        self.connection.send_line("error the server is stopping");
        Ok(())
    }

    fn save(&mut self) -> Option<Vec<u8>> {
        Some(self.tasks.save().into())
    }
}

impl Client {
    fn part(&self, farewell: &str) {
        self.connection.send_line(farewell);
        self.connection.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use echo_host_guest::testing::{self, CloseMode};

    fn connect() -> testing::Client<Client> {
        let mut client = testing::Client::connect().unwrap();
        assert!(client.received().text().starts_with("ok "));
        client
    }

    #[test]
    fn each_command_has_a_reply() {
        let mut client = connect();
        for (line, reply) in [
            ("ADD buy milk", "ok task 1\n"),
            ("add sleep", "ok task 2\n"),
            ("LIST", "1 buy milk\n2 sleep\nok 2 tasks\n"),
            ("DONE 1", "ok buy milk is done\n"),
            ("DONE 7", "error there is no task 7\n"),
            ("DONE it", "error DONE needs the number of a task\n"),
            ("HELP", "ok ADD TEXT, DONE NUMBER, LIST, HELP, QUIT\n"),
        ] {
            client.message(line).unwrap();
            assert_eq!(client.received(), reply, "{line}");
        }
        client.message("QUIT").unwrap();
        assert_eq!(client.received(), "ok goodbye\n");
        assert_eq!(client.closed(), Some(CloseMode::Graceful));
    }

    #[test]
    fn a_line_that_is_not_text_ends_the_session() {
        let failure = connect().message(*b"ADD \xff").unwrap_err();
        assert_eq!(failure.kind, "protocol");
    }

    #[test]
    fn a_silent_client_is_sent_away() {
        let mut client = connect();
        assert_eq!(client.timer("idle"), Some(IDLE_TIME));
        client.fire("idle").unwrap();
        assert_eq!(client.received(), "error you were silent for too long\n");
        assert_eq!(client.closed(), Some(CloseMode::Graceful));
        let mut client = connect();
        client.eof().unwrap();
        assert_eq!(client.timer("idle"), None);
    }

    #[test]
    fn the_next_version_knows_the_tasks() {
        let mut client = connect();
        client.message("ADD one").unwrap();
        client.message("ADD two").unwrap();
        let mut next = testing::Client::<Client>::resume(client.save().unwrap()).unwrap();
        next.message("LIST").unwrap();
        next.shutdown().unwrap();
        let rest = "1 one\n2 two\nok 2 tasks\nerror the server is stopping\n";
        assert_eq!(next.received(), rest);
    }
}

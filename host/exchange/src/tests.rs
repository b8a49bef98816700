//! Tests of exchanges with handlers in plain Rust.

use super::{Exchange, Mismatch, Plan, Problem, Rehearsal, Run, parse, rehearse};
use bytes::Bytes;
use connection::handle::{CloseMode, ConnectionHandle, TimerChange};
use connection::handler::{CallError, Event, Handler, Program, Service, Session, SessionError};
use connection::limits::ConnectionLimits;
use connection::task::ConnectionSettings;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

const STEP_LIMIT: Duration = Duration::from_secs(5);

/// Handles an event of a connection.
type Does = fn(&ConnectionHandle, &Event) -> Result<(), SessionError>;

#[derive(Clone, Copy)]
struct Plain {
    does: Does,
    is_program: bool,
}

struct PlainSession(Does, Arc<ConnectionHandle>);

/// Replies to everything at the end of its input.
struct Patient;

impl Handler for Plain {
    type Session = PlainSession;
    type Program = Patient;

    fn serve(&self, handle: &Arc<ConnectionHandle>) -> Service<PlainSession, Patient> {
        if self.is_program {
            Service::Program(Patient)
        } else {
            Service::Session(PlainSession(self.does, handle.clone()))
        }
    }

    fn renewed(&self) -> Self {
        *self
    }

    fn converses(&self) -> bool {
        true
    }

    fn is_shared(&self) -> bool {
        false
    }
}

impl Session for PlainSession {
    async fn tell(&mut self, event: Event) -> Result<Option<Bytes>, SessionError> {
        (self.0)(&self.1, &event).map(|()| None)
    }

    async fn save(&mut self) -> Result<Option<Bytes>, SessionError> {
        Ok(None)
    }

    async fn end(self) {}
}

impl Program for Patient {
    async fn run(self, mut stream: DuplexStream) -> Result<(), CallError> {
        let mut input = Vec::new();
        let _ = stream.read_to_end(&mut input).await;
        let _ = stream.write_all(&input).await;
        Ok(())
    }
}

fn exchange(file: &str) -> Exchange {
    parse(file.as_bytes()).unwrap().exchanges.remove(0)
}

async fn rehearsed(handler: Plain, file: &str, framing: &str) -> Result<Rehearsal, Mismatch> {
    let settings = ConnectionSettings {
        framing: framing.parse().unwrap(),
        limits: ConnectionLimits {
            max_message_bytes: 64,
            max_unsent_bytes: 1 << 20,
            idle_timeout: None,
        },
        converses: true,
    };
    let plan = Plan {
        cuts: true,
        step_limit: STEP_LIMIT,
    };
    rehearse(|_| handler, &exchange(file), plan, &settings).await
}

/// A mismatch as reported, and its diff.
async fn mismatch(does: Does, file: &str, framing: &str) -> (String, String) {
    let handler = Plain {
        does,
        is_program: false,
    };
    let mismatch = rehearsed(handler, file, framing).await.unwrap_err();
    (format!("{}: {mismatch}", mismatch.line), mismatch.diff)
}

async fn runs(does: Does, file: &str, framing: &str) -> usize {
    let handler = Plain {
        does,
        is_program: false,
    };
    rehearsed(handler, file, framing).await.unwrap().runs
}

/// Greets, replies in brackets, says goodbye to `quit`.
fn bracket(handle: &ConnectionHandle, event: &Event) -> Result<(), SessionError> {
    match event {
        Event::Open(_) => handle.send("hello\n"),
        Event::Message(message) if &message[..] == b"quit" => {
            handle.send("goodbye\n");
            handle.close(CloseMode::Graceful);
        }
        Event::Message(message) if &message[..] == b"trap" => {
            return Err(CallError::Trap("as asked".into()).into());
        }
        Event::Message(message) if &message[..] == b"rude" => {
            return Err(SessionError::Protocol("it is rude".into()));
        }
        Event::Message(message) => handle.send([b"[", &message[..], b"]\n"].concat()),
        _ => {}
    }
    Ok(())
}

#[tokio::test]
async fn a_matching_handler_passes_in_every_run() {
    let file = "< hello\n> ab\n<~ [*]\n> c\n< [c]";
    // As written, half-closed, byte by byte, and three cuts.
    assert_eq!(runs(bracket, file, "lines").await, 6);
    let file = "> quit\n< hello\n< goodbye\n<eof";
    assert_eq!(runs(bracket, file, "lines").await, 1 + 1 + 4);
    let file = "> rude\n< hello\n<eof";
    assert_eq!(runs(bracket, file, "lines").await, 6);
    let file = "> last\\\n>eof\n< hello\n< [last]";
    assert_eq!(runs(bracket, file, "lines").await, 1 + 1 + 3);
    let file = format!("< hello\n> {}\n<eof", "x".repeat(100));
    assert_eq!(runs(bracket, &file, "lines").await, 102);
}

#[tokio::test]
async fn a_program_is_played_as_it_is_served() {
    let handler = Plain {
        does: bracket,
        is_program: true,
    };
    let played = rehearsed(handler, "> ab\n>eof\n< ab", "chunks").await;
    assert_eq!(played.unwrap().runs, 4);
}

#[tokio::test]
async fn a_different_reply_is_shown_beside_the_expected_one() {
    let (what, diff) = mismatch(bracket, "> a\n> b\n< hello\n< [a]\n< [c]", "lines").await;
    assert_eq!(what, "5: as written: unexpected bytes");
    assert_eq!(
        diff,
        "    > b\n    < hello\n    < [a]\n  - < [c]\n  + < [b]\n"
    );
}

#[tokio::test]
async fn unexpected_bytes_are_found_at_the_end() {
    let (what, diff) = mismatch(bracket, "< hello\n> a", "lines").await;
    assert_eq!(
        what,
        "2: half-closed after the last send: more bytes than expected"
    );
    assert_eq!(
        diff,
        "    < hello\n    > a\n    >eof\n  + < [a]\n    <eof\n"
    );
}

#[tokio::test]
async fn a_handler_that_expects_whole_messages_per_read_is_detected() {
    let (what, diff) = mismatch(bracket, "> ab\n< hello\n< [ab\\n]", "chunks").await;
    assert_eq!(what, "3: sent byte by byte: unexpected bytes");
    assert!(diff.contains("  + < [a]\n"), "{diff}");
}

#[tokio::test]
async fn a_handler_that_expects_one_message_per_read_is_detected() {
    let (what, _) = mismatch(bracket, "> a\\\n> b\\\n< hello\n< [a]\n< [b]", "chunks").await;
    assert_eq!(what, "4: consecutive sends joined: unexpected bytes");
}

/// Replies later, and drops pending replies when the client half-closes.
fn forgetful(handle: &ConnectionHandle, event: &Event) -> Result<(), SessionError> {
    match event {
        Event::Message(_) => handle.change_timer(TimerChange::Set {
            id: 0,
            delay: Duration::from_millis(1),
        }),
        Event::Timer(_) => handle.send("here\n"),
        Event::Eof => handle.close(CloseMode::Graceful),
        _ => {}
    }
    Ok(())
}

#[tokio::test]
async fn replies_lost_at_a_half_close_are_detected() {
    let (what, diff) = mismatch(forgetful, "> a\n< here", "lines").await;
    assert_eq!(
        what,
        "2: half-closed after the last send: the connection ended early"
    );
    assert_eq!(diff, "    > a\n    >eof\n  - < here\n    <eof\n");
}

#[tokio::test]
async fn a_trap_is_reported_even_if_the_end_is_expected() {
    let trapped = "the handler trapped: as asked";
    let (what, _) = mismatch(bracket, "> trap\n< hello\n< [trap]", "lines").await;
    assert_eq!(
        what,
        format!("3: as written: the connection ended early: {trapped}")
    );
    let (what, diff) = mismatch(bracket, "< hello\n> trap\n<eof", "lines").await;
    let failed = "all expected bytes arrived, but the connection ended with an error";
    assert_eq!(what, format!("3: as written: {failed}: {trapped}"));
    assert_eq!(diff, "");
}

#[tokio::test]
async fn a_handler_that_waits_for_the_client_fails_at_once() {
    let begun = Instant::now();
    let (what, diff) = mismatch(bracket, "< hello\n> a\n< [a]\n< more", "lines").await;
    let waits = "the handler waits for the client";
    assert_eq!(
        what,
        format!("4: as written: nothing more arrived: {waits}")
    );
    assert_eq!(diff, "    < hello\n    > a\n    < [a]\n  - < more\n");
    let (what, _) = mismatch(bracket, "< hello\n<eof", "lines").await;
    let still_open = "the connection was not closed";
    assert_eq!(what, format!("2: as written: {still_open}: {waits}"));
    assert!(begun.elapsed() < STEP_LIMIT);
}

#[tokio::test(start_paused = true)]
async fn a_program_that_says_nothing_fails_at_the_step_limit() {
    let handler = Plain {
        does: bracket,
        is_program: true,
    };
    let played = rehearsed(handler, "> ab\n< ab", "chunks").await;
    let mismatch = played.unwrap_err().to_string();
    assert_eq!(mismatch, "as written: nothing more arrived within 5s");
}

/// Reminds of each message after an hour, and after another one.
fn reminder(handle: &ConnectionHandle, event: &Event) -> Result<(), SessionError> {
    match event {
        Event::Message(_) => {
            for id in 1..=2 {
                let delay = Duration::from_secs(60 * 60) * id;
                handle.change_timer(TimerChange::Set { id, delay });
            }
        }
        Event::Timer(_) => handle.send("ding\n"),
        _ => {}
    }
    Ok(())
}

#[tokio::test]
async fn the_time_until_a_timer_is_skipped() {
    let begun = Instant::now();
    assert_eq!(runs(reminder, "> abc\n< ding\n<~ d*", "lines").await, 6);
    // The one that follows is no part of the difference.
    let (what, diff) = mismatch(reminder, "> a\n< dong", "lines").await;
    assert_eq!(what, "2: as written: unexpected bytes");
    assert_eq!(diff, "    > a\n  - < dong\n  + < ding\n");
    assert!(begun.elapsed() < STEP_LIMIT);
}

/// Replies without line endings, or with others.
fn unending(handle: &ConnectionHandle, event: &Event) -> Result<(), SessionError> {
    if let Event::Message(message) = event {
        handle.send(message.clone());
        handle.send(if message.len() == 3 { "\r\n" } else { "" });
    }
    Ok(())
}

#[tokio::test]
async fn replies_that_differ_in_line_endings_only_are_told() {
    for (file, expected) in [
        ("> a\n< a", "2: as written: only line endings are missing"),
        (
            "> a\n> b\n< a\n< b",
            "3: as written: only line endings are missing",
        ),
        ("> abc\n< abc", "2: as written: only line endings differ"),
        ("> a\n< ab", "2: as written: nothing more arrived"),
        ("> a\n< b", "2: as written: unexpected bytes"),
    ] {
        let (what, _) = mismatch(unending, file, "lines").await;
        assert!(what.starts_with(expected), "{file:?}: {what}");
    }
}

#[test]
fn a_run_says_how_it_was_played() {
    let mismatch = Mismatch {
        line: 1,
        run: Run::CutAt { line: 7, offset: 3 },
        problem: Problem::Different,
        cause: None,
        diff: String::new(),
    };
    let text = "line 7 cut after byte 3: unexpected bytes";
    assert_eq!(mismatch.to_string(), text);
}

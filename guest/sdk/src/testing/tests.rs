use super::*;
use crate::Failure;
use std::cell::RefCell;

/// Does what the test says, and remembers all connections.
struct Obedient {
    connection: Rc<Connection>,
    count: u64,
}

const REMINDER: Timer = Timer::named("reminder");

thread_local! {
    static ROOM: RefCell<Vec<Rc<Connection>>> = const { RefCell::new(Vec::new()) };
}

impl Session for Obedient {
    fn open(connection: Connection, saved: Option<Vec<u8>>) -> Result<Self> {
        if connection.peer().transport == "udp" {
            return Err(Failure::refused("no datagrams"));
        }
        let connection = Rc::new(connection);
        connection.send("ready\n");
        ROOM.with_borrow_mut(|room| room.push(connection.clone()));
        let count = saved.map_or(0, |saved| u64::from(saved[0]));
        Ok(Obedient { connection, count })
    }

    fn on_message(&mut self, message: Vec<u8>) -> Result {
        self.count += 1;
        match &*message {
            b"count" => self.connection.send(format!("{}\n", self.count)),
            b"queued" => {
                let queued = self.connection.queued();
                self.connection.send(queued.to_string());
            }
            b"alpn" => {
                let alpn = self.connection.info("tls.alpn");
                self.connection.send(alpn.unwrap_or_default());
            }
            b"all" => ROOM.with_borrow(|room| room.iter().for_each(|other| other.send("all\n"))),
            b"fail" => {
                ROOM.with_borrow(|room| room.iter().for_each(|other| other.send("half a reply")));
                return Err(Failure::internal("as told"));
            }
            b"close" => self.connection.close(),
            b"reset" => self.connection.reset(),
            b"fixed" => self.connection.set_framing("fixed:4"),
            b"line" => self.connection.send_line("a line"),
            b"write" => {
                write!(self.connection, "{} of ", self.count);
                writeln!(self.connection, "many");
            }
            b"remind" => self
                .connection
                .set_timer("reminder", Duration::from_secs(60)),
            b"forget" => self.connection.cancel_timer("reminder"),
            b"timer" => self.connection.set_timer(7, Duration::from_secs(3)),
            b"cancel" => self.connection.cancel_timer(7),
            other => self.connection.send(other),
        }
        Ok(())
    }

    fn on_timer(&mut self, timer: Timer) -> Result {
        match timer {
            REMINDER => self.connection.send_line("remember"),
            other => writeln!(self.connection, "timer {}", other.id()),
        }
        Ok(())
    }

    fn on_shutdown(&mut self) -> Result {
        self.connection.send("goodbye\n");
        Ok(())
    }

    fn save(&mut self) -> Option<Vec<u8>> {
        Some(vec![self.count as u8])
    }
}

/// The others are told.
impl Drop for Obedient {
    fn drop(&mut self) {
        ROOM.with_borrow_mut(|room| {
            room.retain(|other| !Rc::ptr_eq(other, &self.connection));
            let leaver = self.connection.info("leaver");
            let told = |other: &Rc<Connection>| leaver.iter().for_each(|it| other.send_line(it));
            room.iter().for_each(told);
        });
    }
}

fn connect() -> Client<Obedient> {
    let mut client = Client::connect().unwrap();
    assert_eq!(client.received(), "ready\n");
    client
}

#[test]
fn what_is_sent_is_received_once() {
    let mut client = connect();
    client.message("one").unwrap();
    client.message(*b"\xff\0").unwrap();
    let received = client.received();
    assert_eq!(received, b"one\xff\0");
    assert_eq!(received.text(), "one\u{fffd}\0");
    assert_eq!(client.received(), "");
}

#[test]
fn lines_and_formatted_text_are_sent() {
    let mut client = connect();
    client.message("line").unwrap();
    client.message("write").unwrap();
    assert_eq!(client.received(), "a line\n2 of many\n");
}

#[test]
fn what_is_queued_is_what_was_not_received() {
    let mut client = connect();
    client.message("four").unwrap();
    client.message("queued").unwrap();
    assert_eq!(client.received(), "four4");
    client.message("queued").unwrap();
    assert_eq!(client.received(), "0");
}

#[test]
fn a_callback_that_fails_has_done_nothing_to_anybody() {
    let (mut one, mut other) = (connect(), connect());
    let failure = one.message("fail").unwrap_err();
    assert_eq!(failure, Failure::internal("as told"));
    assert_eq!(one.closed(), Some(CloseMode::Reset));
    assert_eq!(
        (one.received(), other.received()),
        (Received(vec![]), Received(vec![]))
    );
    other.message("all").unwrap();
    assert_eq!(other.received(), "all\n");
    assert_eq!(one.received(), "");
}

#[test]
fn a_client_can_be_refused() {
    let peer = PeerInfo {
        transport: "udp".to_owned(),
        ..peer()
    };
    let refused = Client::<Obedient>::connect_as(peer, &[]).err();
    assert_eq!(refused, Some(Failure::refused("no datagrams")));
}

#[test]
fn details_are_those_of_the_client() {
    let mut client = Client::<Obedient>::connect_as(peer(), &[("tls.alpn", "irc")]).unwrap();
    client.message("alpn").unwrap();
    assert_eq!(client.received(), "ready\nirc");
    let mut client = connect();
    client.message("alpn").unwrap();
    assert_eq!(client.received(), "");
}

#[test]
fn timers_and_framings_are_noted() {
    let mut client = connect();
    assert_eq!((client.timer(7), client.framing()), (None, None));
    client.message("timer").unwrap();
    assert_eq!(client.timer(7), Some(Duration::from_secs(3)));
    client.fire(7).unwrap();
    assert_eq!(client.received(), "timer 7\n");
    assert_eq!(client.timer(7), None);
    client.message("timer").unwrap();
    client.message("cancel").unwrap();
    assert_eq!(client.timer(7), None);
    client.message("fixed").unwrap();
    assert_eq!(client.framing(), Some("fixed:4".to_owned()));
}

#[test]
fn timers_have_names() {
    let mut client = connect();
    client.message("remind").unwrap();
    assert_eq!(client.timer("reminder"), Some(Duration::from_secs(60)));
    client.fire("reminder").unwrap();
    assert_eq!(client.received(), "remember\n");
    client.message("remind").unwrap();
    client.message("forget").unwrap();
    assert_eq!(client.timer("reminder"), None);
}

#[test]
#[should_panic = "the session has set no timer \"reminder\""]
fn a_named_timer_that_is_not_set_does_not_fire() {
    let _ = connect().fire("reminder");
}

#[test]
#[should_panic = "the session has set no timer 7"]
fn a_timer_that_is_not_set_does_not_run_out() {
    let _ = connect().fire(7);
}

#[test]
fn a_closed_connection_ends_its_session() {
    for (how, mode) in [("close", CloseMode::Graceful), ("reset", CloseMode::Reset)] {
        let mut client = connect();
        client.message(how).unwrap();
        assert_eq!(client.closed(), Some(mode));
        let after = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| client.message("x")));
        assert!(after.is_err());
    }
}

#[test]
fn a_session_goes_on_in_the_next_version() {
    let mut client = connect();
    client.message("count").unwrap();
    assert_eq!(client.received(), "1\n");
    let mut next = Client::<Obedient>::resume(client.save().unwrap()).unwrap();
    next.message("count").unwrap();
    assert_eq!(next.received(), "ready\n2\n");
    next.shutdown().unwrap();
    assert_eq!(next.received(), "goodbye\n");
}

#[test]
fn what_a_session_sends_when_it_is_dropped_is_received() {
    let mut other = connect();
    for how in ["close", "fail", "shutdown", "disconnect"] {
        let leaver = [("leaver", how)];
        let mut client = Client::<Obedient>::connect_as(peer(), &leaver).unwrap();
        match how {
            "shutdown" => client.shutdown().unwrap(),
            "disconnect" => drop(client),
            order => drop(client.message(order)),
        }
        assert_eq!(other.received(), format!("{how}\n"));
    }
}

#[test]
fn each_connection_has_its_number() {
    let (one, other) = (connect(), connect());
    let id = |client: &Client<Obedient>| client.session.as_ref().unwrap().connection.id();
    assert_ne!(id(&one), id(&other));
}

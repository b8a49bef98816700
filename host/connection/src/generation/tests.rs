//! Tests of moving sessions, with handlers in plain Rust.

use super::{Candidate, End, Generations, MigratingSession, Probation, Rules, SwapPolicy};
use crate::handle::{ConnectionHandle, Outgoing, Peer, Transport};
use crate::handler::{CallError, Event, Handler, Program, Service, Session, SessionError};
use crate::limits::ConnectionLimits;
use crate::task::ConnectionSettings;
use bytes::Bytes;
use framing::Framing;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::DuplexStream;

/// Adds its name to replies, counts messages, and saves the count.
struct Named {
    name: &'static str,
    converses: bool,
    /// Whether it saves its state and accepts saved state.
    saves: bool,
    opens: bool,
}

struct NamedSession {
    handler: Arc<Named>,
    handle: Arc<ConnectionHandle>,
    count: u8,
}

struct NoProgram;

impl Program for NoProgram {
    async fn run(self, _: DuplexStream) -> Result<(), CallError> {
        Ok(())
    }
}

impl Handler for Arc<Named> {
    type Session = NamedSession;
    type Program = NoProgram;

    fn serve(&self, handle: &Arc<ConnectionHandle>) -> Service<NamedSession, NoProgram> {
        Service::Session(NamedSession {
            handler: self.clone(),
            handle: handle.clone(),
            count: 0,
        })
    }

    fn renewed(&self) -> Self {
        self.clone()
    }

    fn converses(&self) -> bool {
        self.converses
    }

    fn is_shared(&self) -> bool {
        false
    }
}

impl Session for NamedSession {
    async fn tell(&mut self, event: Event) -> Result<Option<Bytes>, SessionError> {
        match event {
            Event::Open(_) if !self.handler.opens => {
                return Err(SessionError::Refused("not here".into()));
            }
            Event::Open(Some(saved)) => self.count = saved[0],
            Event::Message(message) if &message[..] == b"trap" => {
                return Err(CallError::Trap("as asked".into()).into());
            }
            Event::Message(_) => {
                self.count += 1;
                self.handle
                    .send(format!("{} {}\n", self.handler.name, self.count));
            }
            _ => {}
        }
        Ok(None)
    }

    async fn save(&mut self) -> Result<Option<Bytes>, SessionError> {
        Ok(self.handler.saves.then(|| vec![self.count].into()))
    }

    async fn end(self) {}
}

fn named(name: &'static str, converses: bool) -> Named {
    Named {
        name,
        converses,
        saves: true,
        opens: true,
    }
}

fn candidate(handler: Named, framing: Framing) -> Candidate<Arc<Named>> {
    Candidate {
        settings: ConnectionSettings {
            framing,
            limits: ConnectionLimits {
                max_message_bytes: 100,
                max_unsent_bytes: 100,
                idle_timeout: None,
            },
            converses: handler.converses,
        },
        name: handler.name.into(),
        tier: "plain Rust".into(),
        hash: handler.name.into(),
        imports: Vec::new(),
        handler: Arc::new(handler),
    }
}

type Sessions = Generations<Arc<Named>>;

/// A connection, and its session.
struct Talk {
    handle: Arc<ConnectionHandle>,
    session: MigratingSession<Arc<Named>>,
}

async fn connect(generations: &Arc<Sessions>, id: u64) -> Talk {
    let (client, host) = ("client".into(), "host".into());
    let peer = Peer::new(Transport::Tcp, client, host, "tcp://host".into());
    let handle = Arc::new(ConnectionHandle::new(id, peer, 1000, tracing::Span::none()));
    let current = generations.current();
    let Service::Session(session) = current.made_from.handler.serve(&handle) else {
        unreachable!("it has sessions only")
    };
    let guard = generations.guard(current, &handle);
    let mut session = MigratingSession::new(generations.clone(), session, guard);
    session.tell(Event::Open(None)).await.unwrap();
    Talk { handle, session }
}

impl Talk {
    /// Delivers pending notices and a message. Returns the reply.
    async fn say(&mut self, message: &'static str) -> String {
        let mut notice = None;
        self.handle.collect(|orders| notice = orders.notice.take());
        if notice.is_some() {
            self.session.tell(Event::Move).await.unwrap();
        }
        self.session
            .tell(Event::Message(message.into()))
            .await
            .unwrap();
        let mut reply = Outgoing::default();
        self.handle
            .collect(|orders| reply.append(&mut orders.bytes));
        String::from_utf8(reply.chunk().to_vec()).unwrap()
    }
}

fn begin(first: Named, on_swap: SwapPolicy) -> Arc<Sessions> {
    let rules = Rules {
        on_swap,
        probation: None,
    };
    Generations::new(candidate(first, Framing::Lines), rules)
}

#[tokio::test]
async fn open_connections_stay_and_new_ones_get_the_new_generation() {
    let generations = begin(named("old", true), SwapPolicy::NewConnections);
    let mut before = connect(&generations, 1).await;
    generations.swap(candidate(named("new", true), Framing::Lines));
    let mut after = connect(&generations, 2).await;
    assert_eq!(before.say("x").await, "old 1\n");
    assert_eq!(after.say("x").await, "new 1\n");
    let [old] = &generations.old()[..] else {
        panic!("one generation is old")
    };
    assert_eq!((old.number, old.live()), (1, 1));
}

#[tokio::test]
async fn a_responder_moves_between_two_messages_and_a_conversation_does_not() {
    for (converses, expected) in [(false, "new 1\n"), (true, "old 2\n")] {
        let generations = begin(named("old", converses), SwapPolicy::NextMessage);
        let mut talk = connect(&generations, 1).await;
        assert_eq!(talk.say("x").await, "old 1\n");
        generations.swap(candidate(named("new", converses), Framing::Lines));
        assert_eq!(talk.say("x").await, expected);
    }
}

#[tokio::test]
async fn a_conversation_migrates_with_its_saved_state() {
    let generations = begin(named("old", true), SwapPolicy::Migrate);
    let mut talk = connect(&generations, 1).await;
    assert_eq!(talk.say("x").await, "old 1\n");
    let swapped = generations.swap(candidate(named("new", true), Framing::Lines));
    assert_eq!(talk.say("x").await, "new 2\n");
    assert_eq!((swapped.replaced.live(), swapped.current.live()), (0, 1));
    generations.go_to(None, End::Left).unwrap();
    assert_eq!(talk.say("x").await, "old 3\n");
    assert!(generations.go_to(None, End::Left).is_none());
}

#[tokio::test]
async fn a_session_that_cannot_migrate_stays() {
    let unsaved = |name| Named {
        saves: false,
        ..named(name, true)
    };
    let closed = |name| Named {
        opens: false,
        ..named(name, true)
    };
    for (old, new, framing) in [
        (unsaved("old"), named("new", true), Framing::Lines),
        (named("old", true), closed("new"), Framing::Lines),
        (named("old", true), named("new", true), Framing::Chunks),
        (named("old", true), named("new", false), Framing::Lines),
    ] {
        let generations = begin(old, SwapPolicy::Migrate);
        let mut talk = connect(&generations, 1).await;
        assert_eq!(talk.say("x").await, "old 1\n");
        generations.swap(candidate(new, framing));
        assert_eq!(talk.say("x").await, "old 2\n");
    }
}

#[tokio::test]
async fn a_generation_is_freed_with_its_last_connection() {
    let generations = begin(named("first", true), SwapPolicy::NewConnections);
    let talk = connect(&generations, 1).await;
    let first = Arc::downgrade(&generations.current());
    for name in ["second", "third"] {
        generations.swap(candidate(named(name, true), Framing::Lines));
    }
    assert_eq!(generations.old().len(), 1);
    assert!(first.upgrade().is_some());
    talk.session.end().await;
    assert!(first.upgrade().is_none());
    assert_eq!(generations.old().len(), 0);
}

#[tokio::test]
async fn a_generation_that_fails_too_often_too_soon_is_unfit() {
    let probation = Probation {
        failed_calls: 1,
        time: Duration::from_secs(60),
    };
    let first = candidate(named("old", true), Framing::Lines);
    let rules = Rules {
        on_swap: SwapPolicy::NewConnections,
        probation: Some(probation),
    };
    let generations = Generations::new(first, rules);
    generations.swap(candidate(named("new", true), Framing::Lines));
    for id in 1..=2 {
        let unfit = tokio::time::timeout(Duration::ZERO, generations.unfit()).await;
        assert!(unfit.is_err());
        let mut talk = connect(&generations, id).await;
        let told = talk.session.tell(Event::Message("trap".into())).await;
        assert!(told.is_err());
    }
    let unfit = generations.unfit().await;
    assert_eq!((unfit.number, unfit.failed_calls()), (2, 2));
    // Only once: the next current generation has not failed, and the first has no previous one.
    generations.go_to(None, End::Left).unwrap();
    for id in 3..=5 {
        let mut talk = connect(&generations, id).await;
        let unfit = tokio::time::timeout(Duration::ZERO, generations.unfit()).await;
        assert!(unfit.is_err());
        let told = talk.session.tell(Event::Message("trap".into())).await;
        assert!(told.is_err());
    }
    generations.swap(candidate(named("newer", true), Framing::Lines));
    let unfit = tokio::time::timeout(Duration::ZERO, generations.unfit()).await;
    assert!(unfit.is_err());
}

#[tokio::test]
async fn a_swap_knows_what_became_of_each_connection() {
    let generations = begin(named("old", true), SwapPolicy::Migrate);
    let mut talks = Vec::new();
    for id in 1..=3 {
        talks.push(connect(&generations, id).await);
    }
    let first = generations.swap(candidate(named("new", true), Framing::Lines));
    assert_eq!(
        first.moves.outcome().to_string(),
        "3 connections still in a call"
    );
    assert_eq!(talks[0].say("x").await, "new 1\n");
    drop(talks.pop());
    assert_eq!(
        first.moves.outcome().to_string(),
        "1 connection migrated, 1 still in a call"
    );
    // The next swap overtakes it, and asks those that moved, too.
    let unsaved = Named {
        saves: false,
        ..named("newest", true)
    };
    let second = generations.swap(candidate(unsaved, Framing::Lines));
    assert_eq!(talks[1].say("x").await, "newest 1\n");
    assert_eq!(
        first.moves.settled(Duration::ZERO).await.to_string(),
        "1 connection migrated, 1 still in a call"
    );
    assert_eq!(talks[0].say("x").await, "newest 2\n");
    assert_eq!(second.moves.outcome().to_string(), "2 connections migrated");
    let third = generations.go_to(None, End::Left).unwrap();
    for talk in &mut talks {
        talk.say("x").await;
    }
    assert_eq!(
        third.moves.outcome().to_string(),
        "2 connections stayed: their sessions saved nothing"
    );
    let (reigns, kept) = generations.history();
    let numbers: Vec<_> = reigns.iter().map(|it| it.number).collect();
    assert_eq!((numbers, kept), (vec![1, 2, 3, 2], vec![1, 2, 3]));
}

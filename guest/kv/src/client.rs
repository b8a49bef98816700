//! One client: its stream of requests, answered in order.

use crate::arguments::is;
use crate::commands::obey;
use crate::profile::Profile;
use crate::reply::Reply;
use crate::requests::{ProtocolError, Requests};
use crate::store::Store;

#[derive(Default)]
pub struct Client {
    requests: Requests,
    profile: Profile,
    /// Bytes of this client that the store counts.
    held: usize,
}

/// How a client continues.
#[derive(Debug, PartialEq)]
pub enum Next {
    /// Read more requests.
    Read,
    /// Wait until the client has read its replies.
    Write,
    /// Let other connections run first.
    Later,
    /// Close: the client said goodbye, or sent nonsense.
    Close,
}

impl Client {
    pub fn new(id: u64) -> Self {
        let profile = Profile {
            id,
            ..Profile::default()
        };
        Client {
            profile,
            ..Client::default()
        }
    }

    pub fn push(&mut self, bytes: Vec<u8>) {
        self.requests.push(bytes);
    }

    /// Answers requests until there are none left, the replies reach this many bytes, or the store
    /// has worked enough. Requests are short and replies long: without this limit a few packets
    /// could fill the memory.
    pub fn answer(&mut self, store: &mut Store, replies: &mut Vec<u8>, enough: usize) -> Next {
        let next = self.answer_requests(store, replies, enough);
        if next == Next::Close {
            self.leave(store);
            return next;
        }
        let held = self.requests.held();
        store.hold(std::mem::replace(&mut self.held, held), held);
        if held > 0 && store.is_crowded() {
            let error = "OOM unfinished requests are not kept when used memory > 'maxmemory'.";
            Reply::Error(error.into()).write(self.profile.protocol, replies);
            self.leave(store);
            return Next::Close;
        }
        next
    }

    /// Returns what the client holds to the store.
    pub fn leave(&mut self, store: &mut Store) {
        self.requests = Requests::default();
        store.hold(std::mem::take(&mut self.held), 0);
    }

    fn answer_requests(&mut self, store: &mut Store, replies: &mut Vec<u8>, enough: usize) -> Next {
        while replies.len() < enough {
            if store.turn_is_over() {
                return Next::Later;
            }
            match self.requests.next() {
                Ok(Some(request)) if is_http(&request[0]) => return Next::Close,
                Ok(Some(request)) => {
                    // A complete request counts by what it stores.
                    store.hold(std::mem::take(&mut self.held), 0);
                    let reply = obey(store, &mut self.profile, &request);
                    reply.write(self.profile.protocol, replies);
                    if is(&request[0], "quit") {
                        return Next::Close;
                    }
                }
                Ok(None) => return Next::Read,
                Err(ProtocolError(what)) => {
                    let error = Reply::Error(format!("ERR Protocol error: {what}").into());
                    error.write(self.profile.protocol, replies);
                    return Next::Close;
                }
            }
        }
        Next::Write
    }
}

/// A web page can make a browser send HTTP requests here, with commands in them. Like Redis, stop
/// at the first word that reveals HTTP.
fn is_http(command: &[u8]) -> bool {
    is(command, "post") || is(command, "host:")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Expiry;
    use proptest::prelude::*;
    use std::time::Instant;

    fn answer(stream: &[u8]) -> (String, Next) {
        let mut replies = Vec::new();
        let mut client = Client::default();
        client.push(stream.to_vec());
        let next = client.answer(&mut Store::new(Instant::now()), &mut replies, usize::MAX);
        (replies.escape_ascii().to_string(), next)
    }

    #[test]
    fn requests_sent_ahead_are_answered_together() {
        let (replies, next) = answer(b"ping\r\n*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\nping\r\npi");
        assert_eq!(replies, r"+PONG\r\n$2\r\nhi\r\n+PONG\r\n");
        assert_eq!(next, Next::Read);
    }

    #[test]
    fn nothing_is_answered_after_the_end() {
        assert_eq!(
            answer(b"QUIT\r\nping\r\n"),
            (r"+OK\r\n".to_owned(), Next::Close)
        );
        let error = r"-ERR Protocol error: expected \'$\', got \'x\'\r\n";
        assert_eq!(
            answer(b"*1\r\nx\r\nping\r\n"),
            (error.to_owned(), Next::Close)
        );
        assert_eq!(
            answer(b"POST / HTTP/1.1\r\nset k v\r\n"),
            (String::new(), Next::Close)
        );
    }

    #[test]
    fn long_replies_are_not_piled_up() {
        let mut store = Store::new(Instant::now());
        let mut client = Client::default();
        client.push(b"set k 0123456789\r\n".to_vec());
        client.push(b"get k\r\n".repeat(10));
        let mut rounds = 0;
        let mut all: Vec<u8> = Vec::new();
        loop {
            let mut replies = Vec::new();
            let next = client.answer(&mut store, &mut replies, 40);
            all.extend(&replies);
            if next == Next::Read {
                break;
            }
            assert!((40..60).contains(&replies.len()), "{}", replies.len());
            rounds += 1;
        }
        assert_eq!(rounds, 3);
        assert_eq!(
            all,
            [b"+OK\r\n".to_vec(), b"$10\r\n0123456789\r\n".repeat(10)].concat()
        );
    }

    #[test]
    fn a_client_that_asks_for_much_work_lets_others_go_first() {
        let mut store = Store::new(Instant::now());
        store.set(&b"a".repeat(40_000), vec![], Expiry::Never);
        let mut client = Client::default();
        let pattern = [&b"*"[..], &b"a".repeat(100), b"b"].concat();
        client.push([b"keys ", &pattern[..], b"\r\n"].concat().repeat(3));
        let mut replies = Vec::new();
        let mut turns = 1;
        while client.answer(&mut store, &mut replies, usize::MAX) == Next::Later {
            store.begin_turn(Instant::now());
            turns += 1;
        }
        assert_eq!(
            (replies.escape_ascii().to_string().as_str(), turns),
            (r"*0\r\n*0\r\n*0\r\n", 4)
        );
    }

    #[test]
    fn what_is_not_finished_is_counted_until_the_client_leaves() {
        let mut store = Store::new(Instant::now());
        let half = [
            &b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$500000\r\n"[..],
            &[b'v'; 450_000],
        ]
        .concat();
        let mut clients = Vec::new();
        let refused = loop {
            let mut client = Client::default();
            client.push(half.clone());
            let mut replies = Vec::new();
            match client.answer(&mut store, &mut replies, usize::MAX) {
                Next::Read => clients.push(client),
                next => break (replies, next),
            }
        };
        let error = "-OOM unfinished requests are not kept when used memory > 'maxmemory'.\r\n";
        assert_eq!(refused, (error.as_bytes().to_vec(), Next::Close));
        assert!((40..70).contains(&clients.len()), "{}", clients.len());
        assert!(!store.has_room());
        // Complete requests are still answered.
        let mut replies = Vec::new();
        let mut other = Client::default();
        other.push(b"get k\r\n".to_vec());
        assert_eq!(
            other.answer(&mut store, &mut replies, usize::MAX),
            Next::Read
        );
        clients
            .iter_mut()
            .for_each(|client| client.leave(&mut store));
        assert!(store.has_room());
        assert_eq!(store.bytes(), 0);
    }

    /// Random bytes, mixed with pieces of the protocol.
    fn stream() -> impl Strategy<Value = Vec<u8>> {
        let token = prop_oneof![
            any::<Vec<u8>>(),
            prop::sample::select(vec![
                "*2\r\n",
                "*-1\r\n",
                "$3\r\n",
                "$0\r\n\r\n",
                "\r\n",
                "\n",
                "\0",
                "\0\n",
                "'",
                "\"",
                "set ",
                "get k\r\n",
                "k ",
                "keys *\r\n",
                "scan 0 count 5\r\n",
                "hello 3\r\n",
                "mget k k\r\n",
                "incrby k 9\r\n",
                "\x0b",
                "\x0c",
                "\\x",
                "[a-",
                "client setname \r\n",
            ])
            .prop_map(|text| text.as_bytes().to_vec()),
        ];
        prop::collection::vec(token, 0..40).prop_map(|tokens| tokens.concat())
    }

    proptest! {
        /// Any input is answered or refused in a bounded number of turns, and nothing is held
        /// afterwards.
        #[test]
        fn no_input_harms_the_store(stream in stream(), cut in 1_usize..64) {
            let mut store = Store::new(Instant::now());
            let mut client = Client::new(1);
            'stream: for piece in stream.chunks(cut) {
                client.push(piece.to_vec());
                for turn in 0.. {
                    prop_assert!(turn <= stream.len());
                    store.begin_turn(Instant::now());
                    let mut replies = Vec::new();
                    match client.answer(&mut store, &mut replies, 1000) {
                        Next::Read => break,
                        Next::Write | Next::Later => {}
                        Next::Close => break 'stream,
                    }
                }
            }
            client.leave(&mut store);
            prop_assert!(store.has_room());
        }
    }
}

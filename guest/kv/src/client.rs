//! One client: its stream of requests, answered in order.

use crate::arguments::is;
use crate::commands::obey;
use crate::reply::Reply;
use crate::requests::{ProtocolError, Requests};
use crate::store::Store;

#[derive(Default)]
pub struct Client {
    requests: Requests,
}

/// How a client goes on.
#[derive(Debug, PartialEq)]
pub enum Next {
    /// It is to send more.
    Read,
    /// It is to take its replies before it gets more of them.
    Write,
    /// It has said goodbye, or nonsense.
    Close,
}

impl Client {
    pub fn push(&mut self, bytes: Vec<u8>) {
        self.requests.push(bytes);
    }

    /// Answers requests until there is none left, or there are this many bytes of replies. Requests are
    /// short and replies long: without such a bound a few packets would fill the memory.
    pub fn answer(&mut self, store: &mut Store, replies: &mut Vec<u8>, enough: usize) -> Next {
        while replies.len() < enough {
            match self.requests.next() {
                Ok(Some(request)) if is_http(&request[0]) => return Next::Close,
                Ok(Some(request)) => {
                    obey(store, &request).write(replies);
                    if is(&request[0], "quit") {
                        return Next::Close;
                    }
                }
                Ok(None) => return Next::Read,
                Err(ProtocolError(what)) => {
                    Reply::Error(format!("ERR Protocol error: {what}").into()).write(replies);
                    return Next::Close;
                }
            }
        }
        Next::Write
    }
}

/// A web page can make a browser send HTTP requests here, with commands in them: like Redis, stop at the
/// first word that shows it.
fn is_http(command: &[u8]) -> bool {
    is(command, "post") || is(command, "host:")
}

#[cfg(test)]
mod tests {
    use super::*;
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
}

//! One client: its stream of requests, answered in order.

use crate::head::Head;
use crate::pages;
use crate::requests::{Event, Flow, Requests};
use crate::response::{CONTINUE, Connection, Response};

#[derive(Default)]
pub struct Client {
    requests: Requests,
}

impl Client {
    /// Whether no request has begun.
    pub fn is_idle(&self) -> bool {
        self.requests.is_idle()
    }

    /// Takes bytes of the client and writes replies. Returns whether the connection stays open.
    pub fn answer(&mut self, bytes: Vec<u8>, out: &mut Vec<u8>) -> Flow {
        self.requests.push(bytes);
        let read = self.requests.read(|event| match event {
            Event::MayContinue => {
                out.extend_from_slice(CONTINUE);
                Flow::GoOn
            }
            Event::Request(head, body) => respond(&head, body, out),
        });
        read.unwrap_or_else(|status| {
            // The start of the next request is unknown now.
            Response::plain(status).write(out, Connection::Close, true);
            Flow::Stop
        })
    }
}

fn respond(head: &Head, body: Vec<u8>, out: &mut Vec<u8>) -> Flow {
    let (connection, flow) = match (head.keep_alive, head.minor) {
        (false, _) => (Connection::Close, Flow::Stop),
        (true, 0) => (Connection::KeepAlive, Flow::GoOn),
        (true, _) => (Connection::Usual, Flow::GoOn),
    };
    let response = pages::answer(&head.method, &head.path, body);
    response.write(out, connection, head.method != "HEAD");
    flow
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn answer(stream: &str) -> (String, Flow) {
        let mut out = Vec::new();
        let flow = Client::default().answer(stream.into(), &mut out);
        (String::from_utf8(out).unwrap(), flow)
    }

    /// The status line and fields of the reply to an HTTP/1.1 request.
    fn head(method: &str, path: &str) -> String {
        let (answer, flow) = answer(&format!("{method} {path} HTTP/1.1\r\nHost: h\r\n\r\n"));
        assert_eq!(flow, Flow::GoOn);
        answer.split_once("\r\n\r\n").unwrap().0.to_owned()
    }

    #[test]
    fn a_page_is_served() {
        let (answer, _) = answer("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_eq!(
            answer,
            "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 61\r\n\r\n\
             <!doctype html>\n<title>Hello</title>\n<h1>Hello, client!</h1>\n"
        );
    }

    #[test]
    fn head_is_get_without_a_body() {
        let (got, _) = answer("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        let (headed, _) = answer("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_eq!(headed, got[..got.find("\r\n\r\n").unwrap() + 4]);
    }

    #[test]
    fn what_is_not_there_or_not_allowed_is_said_so() {
        assert!(head("GET", "/nothing").starts_with("HTTP/1.1 404 Not Found\r\n"));
        let refused = head("DELETE", "/");
        assert!(refused.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"));
        assert!(refused.ends_with("\r\nAllow: GET, HEAD"));
        assert!(head("GET", "/echo").ends_with("\r\nAllow: POST"));
        assert!(head("BREW", "/").starts_with("HTTP/1.1 501 Not Implemented\r\n"));
    }

    #[test]
    fn connections_are_kept_or_closed_as_asked() {
        for (request, said, flow) in [
            (
                "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
                "Connection: close",
                Flow::Stop,
            ),
            ("GET / HTTP/1.0\r\n\r\n", "Connection: close", Flow::Stop),
            (
                "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
                "Connection: keep-alive",
                Flow::GoOn,
            ),
            ("nonsense\r\n\r\n", "Connection: close", Flow::Stop),
        ] {
            let (answer, goes_on) = answer(request);
            assert!(answer.contains(said), "{answer}");
            assert_eq!(goes_on, flow, "{request}");
        }
        // Bytes after the last request are ignored.
        let (answer, _) = answer("GET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1);
    }

    #[test]
    fn a_body_comes_back() {
        let (answer, _) = answer(
            "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello",
        );
        let (first, second) = answer.split_once("\r\n\r\n").unwrap();
        assert_eq!(first, "HTTP/1.1 100 Continue");
        assert!(second.starts_with("HTTP/1.1 200 OK\r\n"));
        assert!(second.ends_with("\r\n\r\nhello"));
    }

    proptest! {
        /// The replies do not depend on how the input is split.
        #[test]
        fn any_bytes_are_answered_however_they_are_cut(
            words in proptest::collection::vec("(GET|POST|HEAD| |/|/echo|HTTP/1\\.[01]|\r\n|\r\n\r\n|Host: h|Content-Length: [0-9]{1,25}|Transfer-Encoding: chunked|[0-9a-f]{1,18}|;|:|é|\u{0}|[a-z]{0,9}){0,12}", 0..8),
            noise in proptest::collection::vec(any::<u8>(), 0..40),
            cut in 1_usize..40
        ) {
            let stream = [words.concat().as_bytes(), &noise].concat();
            let replies = |pieces: &mut dyn Iterator<Item = &[u8]>| {
                let (mut client, mut out) = (Client::default(), Vec::new());
                for piece in pieces {
                    if client.answer(piece.to_vec(), &mut out) == Flow::Stop {
                        break;
                    }
                }
                out
            };
            let whole = replies(&mut [&stream[..]].into_iter());
            prop_assert_eq!(replies(&mut stream.chunks(cut)), whole);
        }
    }
}

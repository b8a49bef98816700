//! A small HTTP/1.1 server, for behind a proxy or for tests.
//!
//! The host cuts the head of a request at the empty line; if a body follows, this session asks for
//! as many bytes. `request.rs` reads heads, `response.rs` writes responses, `pages.rs` decides what
//! is served.

mod pages;
mod request;
mod response;

use echo_host_guest::{Connection, Result, Session};
use request::Request;
use response::Response;

/// A head ends with CR LF CR LF.
const HEAD: &str = "delimited:0d0a0d0a";
/// The longest head, and the longest body.
const MAX_BYTES: u32 = 65_536;

echo_host_guest::conversation!(Client, framing: HEAD, max_message_bytes: MAX_BYTES);

/// One connection, and the request whose body it waits for.
struct Client {
    connection: Connection,
    waiting: Option<Request>,
}

impl Session for Client {
    fn open(connection: Connection, _saved: Option<Vec<u8>>) -> Result<Self> {
        Ok(Client {
            connection,
            waiting: None,
        })
    }

    fn on_message(&mut self, message: Vec<u8>) -> Result {
        if let Some(request) = self.waiting.take() {
            self.connection.set_framing(HEAD);
            self.answer(&request, &message);
            return Ok(());
        }
        match Request::read(&message) {
            Err(status) => self.refuse(status),
            Ok(request) if request.body_bytes > MAX_BYTES.into() => {
                self.refuse("413 Content Too Large");
            }
            Ok(request) if request.body_bytes > 0 => {
                if request.expects_continue {
                    self.connection.send("HTTP/1.1 100 Continue\r\n\r\n");
                }
                let framing = format!("fixed:{}", request.body_bytes);
                self.connection.set_framing(&framing);
                self.waiting = Some(request);
            }
            Ok(request) => self.answer(&request, b""),
        }
        Ok(())
    }
}

impl Client {
    fn answer(&self, request: &Request, body: &[u8]) {
        let response = pages::answer(request, body);
        self.connection.send(response.write(request));
        if request.closes {
            self.connection.close();
        }
    }

    /// Answers what cannot be understood. Where the next request would start is unknown then.
    fn refuse(&self, status: &'static str) {
        self.connection.send(Response::error(status).write_last());
        self.connection.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use echo_host_guest::testing::{self, CloseMode};

    fn connect() -> testing::Client<Client> {
        testing::Client::connect().unwrap()
    }

    #[test]
    fn a_connection_serves_several_requests() {
        let mut client = connect();
        client.message("GET / HTTP/1.1\r\nHost: h").unwrap();
        let page = client.received().text();
        assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
        client
            .message("HEAD /nothing HTTP/1.1\r\nHost: h\r\nConnection: close")
            .unwrap();
        let head = client.received().text();
        assert!(head.starts_with("HTTP/1.1 404 Not Found\r\n"), "{head}");
        assert!(head.ends_with("\r\n\r\n"), "{head}");
        assert_eq!(client.closed(), Some(CloseMode::Graceful));
    }

    #[test]
    fn a_body_is_read_whole() {
        let mut client = connect();
        let head = "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue";
        client.message(head).unwrap();
        assert_eq!(client.framing().as_deref(), Some("fixed:5"));
        assert_eq!(client.received(), "HTTP/1.1 100 Continue\r\n\r\n");
        client.message("hello").unwrap();
        assert_eq!(client.framing().as_deref(), Some(HEAD));
        assert!(client.received().text().ends_with("\r\n\r\nhello"));
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for (head, status) in [
            ("hello", "400"),
            ("GET / HTTP/2.0", "505"),
            ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 65537", "413"),
        ] {
            let mut client = connect();
            client.message(head).unwrap();
            let answer = client.received().text();
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status} ")),
                "{answer}"
            );
            assert_eq!(client.closed(), Some(CloseMode::Graceful));
        }
    }
}

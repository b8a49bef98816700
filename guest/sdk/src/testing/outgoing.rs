//! Servers of a unit test, for [`outgoing`](crate::outgoing): closures that answer.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, ErrorKind};
use std::rc::Rc;

type Server = Rc<RefCell<dyn FnMut(&[u8]) -> Vec<u8>>>;

thread_local! {
    /// By host and port.
    static SERVERS: RefCell<BTreeMap<(String, u16), Server>> = RefCell::default();
}

/// Serves this address, `HOST:PORT`, in this thread. Whenever the handler reads, and all earlier
/// replies are read, the closure gets what the handler has written since, and returns the reply.
/// Without one, the server has closed the connection. Other addresses refuse connections.
///
/// # Panics
///
/// If the address is no `HOST:PORT`.
pub fn serve(address: &str, server: impl FnMut(&[u8]) -> Vec<u8> + 'static) {
    let (host, port) = crate::outgoing::parse(address).expect("an address is HOST:PORT");
    let server: Server = Rc::new(RefCell::new(server));
    let address = (host.to_owned(), port);
    SERVERS.with_borrow_mut(|servers| servers.insert(address, server));
}

/// Removes all servers of this thread.
pub fn clear() {
    SERVERS.take();
}

pub(crate) fn connect(host: &str, port: u16) -> io::Result<Stream> {
    let address = (host.to_owned(), port);
    let server = SERVERS.with_borrow(|servers| servers.get(&address).cloned());
    Ok(Stream {
        server: server.ok_or(ErrorKind::ConnectionRefused)?,
        written: Vec::new(),
        reply: Vec::new(),
    })
}

pub(crate) struct Stream {
    server: Server,
    written: Vec<u8>,
    reply: Vec<u8>,
}

impl Stream {
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.reply.is_empty() {
            let written = std::mem::take(&mut self.written);
            self.reply = (self.server.borrow_mut())(&written);
        }
        let length = buffer.len().min(self.reply.len());
        for (to, byte) in buffer.iter_mut().zip(self.reply.drain(..length)) {
            *to = byte;
        }
        Ok(length)
    }

    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.written.extend(bytes);
        Ok(bytes.len())
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stream({} bytes to read)", self.reply.len())
    }
}

#[cfg(test)]
mod tests {
    use super::{clear, serve};
    use crate::outgoing::connect;
    use std::io::{ErrorKind, Read, Write};

    #[test]
    fn a_server_answers_what_was_written() {
        let mut count = 0;
        serve("[::1]:7", move |request: &[u8]| {
            count += 1;
            match request {
                b"" => Vec::new(),
                request => [request, format!(" {count}").as_bytes()].concat(),
            }
        });
        let mut stream = connect("[::1]:7").unwrap();
        stream.write_all(b"he").unwrap();
        stream.write_all(b"llo").unwrap();
        let mut start = [0; 3];
        stream.read_exact(&mut start).unwrap();
        assert_eq!(&start, b"hel");
        let mut rest = String::new();
        stream.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "lo 1");
    }

    #[test]
    fn nobody_else_listens() {
        serve("db:7", |_: &[u8]| Vec::new());
        assert_eq!(
            connect("db:8").unwrap_err().kind(),
            ErrorKind::ConnectionRefused
        );
        assert!(connect("db:7").is_ok());
        clear();
        assert_eq!(
            connect("db:7").unwrap_err().kind(),
            ErrorKind::ConnectionRefused
        );
    }
}

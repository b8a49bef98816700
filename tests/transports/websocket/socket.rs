//! A WebSocket client that can do everything wrong.

use crate::fixture::Client;
use std::net::SocketAddr;

pub const TEXT: u8 = 0x81;
pub const BINARY: u8 = 0x82;
pub const CLOSE: u8 = 0x88;
pub const PING: u8 = 0x89;
pub const PONG: u8 = 0x8a;

/// The headers of a handshake but Host.
pub const HANDSHAKE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\n\
                             Sec-WebSocket-Version: 13\r\n\
                             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

pub struct Socket {
    pub client: Client,
}

impl Socket {
    /// Opens a WebSocket at `/` of this address.
    pub fn open(address: SocketAddr) -> Self {
        Socket::begin(Client::connect(address), "/", "")
    }

    /// Shakes hands with further headers, each ended by CR LF.
    pub fn begin(mut client: Client, target: &str, headers: &str) -> Self {
        client.send(format!(
            "GET {target} HTTP/1.1\r\nHost: localhost\r\n{headers}{HANDSHAKE}\r\n"
        ));
        assert_eq!(client.line(), "HTTP/1.1 101 Switching Protocols");
        while !client.line().is_empty() {}
        Socket { client }
    }

    pub fn send(&mut self, first: u8, payload: &[u8]) {
        self.client.send(frame(first, payload));
    }

    /// Sends a text message and returns the text that comes back.
    pub fn ask(&mut self, text: &str) -> String {
        self.send(TEXT, text.as_bytes());
        self.text()
    }

    pub fn text(&mut self) -> String {
        let (first, payload) = self.receive();
        let text = String::from_utf8(payload).unwrap();
        assert_eq!(first, TEXT, "{text}");
        text
    }

    /// The next frame: its first byte and its payload.
    pub fn receive(&mut self) -> (u8, Vec<u8>) {
        let [first, length] = self.bytes(2)[..] else {
            unreachable!()
        };
        let length = match length {
            126 => self
                .bytes(2)
                .iter()
                .fold(0, |sum, it| sum << 8 | usize::from(*it)),
            127 => self
                .bytes(8)
                .iter()
                .fold(0, |sum, it| sum << 8 | usize::from(*it)),
            short => usize::from(short),
        };
        (first, self.bytes(length))
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        use std::io::Read;
        let mut bytes = vec![0; count];
        self.client.stream.read_exact(&mut bytes).unwrap();
        bytes
    }

    pub fn expect(&mut self, first: u8, payload: impl AsRef<[u8]>) {
        let (received, bytes) = self.receive();
        let shown = bytes.escape_ascii().to_string();
        assert_eq!(shown, payload.as_ref().escape_ascii().to_string());
        assert_eq!(received, first, "{shown}");
    }

    /// Expects a close frame with this code, and the end.
    pub fn expect_close(&mut self, code: u16) {
        let (first, payload) = self.receive();
        let shown = payload.escape_ascii();
        assert_eq!(first, CLOSE, "{shown}");
        assert_eq!(payload.get(..2), Some(&code.to_be_bytes()[..]), "{shown}");
        self.client.expect_closed();
    }
}

/// A masked frame that starts with this byte.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    const KEY: [u8; 4] = [0x12, 0x34, 0x56, 0x78];
    let mut frame = vec![first];
    match payload.len() {
        short @ 0..126 => frame.push(0x80 | short as u8),
        medium @ 126..=0xffff => {
            frame.push(0x80 | 126);
            frame.extend((medium as u16).to_be_bytes());
        }
        long => {
            frame.push(0x80 | 127);
            frame.extend((long as u64).to_be_bytes());
        }
    }
    frame.extend(KEY);
    frame.extend(
        payload
            .iter()
            .zip(KEY.iter().cycle())
            .map(|(it, key)| it ^ key),
    );
    frame
}

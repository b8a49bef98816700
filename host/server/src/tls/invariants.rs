//! What holds for whatever a client sends to a host that takes TLS off.

use super::server::{TlsConfig, load};
use rustls::{ServerConfig, ServerConnection};
use std::io::{self, Read};
use std::sync::{Arc, LazyLock};

static CONFIG: LazyLock<Arc<ServerConfig>> = LazyLock::new(|| {
    let config = TlsConfig {
        self_signed: true,
        alpn: vec!["echo".to_owned()],
        ..TlsConfig::default()
    };
    load(&config).expect("a certificate that nobody trusts can be made")
});

/// How much a host may say to a client that has not shaken hands: its certificate, and what goes with it. It is never
/// more than so much, however many messages come.
const MAX_ANSWER_BYTES: usize = 64 << 10;

/// Checks a stream that comes in pieces: it ends the handshake or leaves it where it is, and nothing of it is taken for
/// what a client has said to the handler.
pub fn check(stream: &[u8], piece: usize) {
    let Ok(mut server) = ServerConnection::new(CONFIG.clone()) else {
        panic!("TLS cannot be set up");
    };
    let mut said = 0;
    for mut piece in stream.chunks(piece) {
        while !piece.is_empty() {
            match server.read_tls(&mut piece) {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
            let processed = server.process_new_packets();
            while server.wants_write() {
                said += server.write_tls(&mut io::sink()).unwrap_or_default();
            }
            assert!(
                said <= MAX_ANSWER_BYTES,
                "{said} bytes for {}",
                stream.len()
            );
            assert!(
                server.is_handshaking(),
                "somebody shook hands who knows no key"
            );
            assert!(!matches!(server.reader().read(&mut [0; 1]), Ok(1..)));
            if processed.is_err() {
                return;
            }
        }
    }
}

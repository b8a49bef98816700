//! A protocol of binary frames: each has its length in two bytes (big-endian) before it.
//!
//! A request is an operation, one byte, and its payload. A reply is a status, one byte, and the
//! result. The host cuts requests out of the stream; `frame.rs` reads them and writes replies.

mod frame;

use frame::{Reply, Request};

echo_host_guest::responder!(respond, framing: "length-prefixed:2", max_message_bytes: 4096);

/// Computes the reply to one request, which comes without its length.
fn respond(message: Vec<u8>) -> Vec<u8> {
    let reply = match Request::read(&message) {
        Ok(request) => answer(request),
        Err(status) => Reply::failed(status),
    };
    reply.write()
}

fn answer(request: Request) -> Reply {
    match request {
        Request::Echo(bytes) => Reply::ok(bytes),
        Request::Sum(numbers) => {
            // At most 1024 numbers of 32 bits fit into a message, so 64 bits are enough.
            let sum: u64 = numbers.iter().copied().map(u64::from).sum();
            Reply::ok(sum.to_be_bytes())
        }
        Request::Name => Reply::ok("{{name}}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operation_is_answered() {
        for (request, reply) in [
            (&b"\x01abc"[..], &b"\0\x04\0abc"[..]),
            (b"\x01", b"\0\x01\0"),
            (
                b"\x02\0\0\0\x01\xff\xff\xff\xff",
                b"\0\x09\0\0\0\0\x01\0\0\0\0",
            ),
            (b"\x02", b"\0\x09\0\0\0\0\0\0\0\0\0"),
        ] {
            assert_eq!(respond(request.to_vec()), reply, "{request:?}");
        }
        assert!(respond(vec![3]).ends_with(b"\0{{name}}"));
    }

    #[test]
    fn what_is_no_request_has_a_status() {
        for (request, status) in [
            (&b""[..], frame::EMPTY),
            (b"\x09", frame::UNKNOWN_OPERATION),
            (b"\x02\0\0\x01", frame::WRONG_PAYLOAD),
            (b"\x03?", frame::WRONG_PAYLOAD),
        ] {
            assert_eq!(respond(request.to_vec()), [0, 1, status], "{request:?}");
        }
    }
}

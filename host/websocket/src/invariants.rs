//! Properties of frames, whatever the other side sends. Used by tests and fuzzing.

use super::{FrameError, FrameReader, MAX_HEADER_BYTES, Opcode, Piece, Role, mask, put_header};
use bytes::BytesMut;

/// The longest message in these checks.
const MAX_MESSAGE_BYTES: usize = 300;
/// The most that may be left: a header and the payload of a control frame.
const MAX_LEFT_BYTES: usize = MAX_HEADER_BYTES + 125;

/// The first byte says how the rest is cut. The rest is read as frames of a client and of a server,
/// at once and in pieces, with the same result. Each message is read again as it is written.
pub fn check(input: &[u8]) {
    let Some((piece, stream)) = input.split_first() else {
        return;
    };
    for role in [Role::Server, Role::Client] {
        let whole = read(role, stream, usize::MAX);
        assert_eq!(whole, read(role, stream, usize::from(*piece).max(1)));
        for (is_text, message) in &whole.messages {
            reads_the_same_when_it_is_written_again(*is_text, message);
        }
    }
}

#[derive(Debug, Default, PartialEq)]
struct Outcome {
    messages: Vec<(bool, Vec<u8>)>,
    controls: Vec<Vec<u8>>,
    closed: Option<Option<u16>>,
    error: Option<FrameError>,
}

fn read(role: Role, stream: &[u8], piece: usize) -> Outcome {
    let mut outcome = Outcome::default();
    let (mut reader, mut input) = (FrameReader::new(role), BytesMut::new());
    let mut payload = Vec::new();
    for part in stream.chunks(piece.min(stream.len()).max(1)) {
        input.extend_from_slice(part);
        loop {
            match reader.next(&mut input, payload.len(), MAX_MESSAGE_BYTES) {
                Ok(None) => break,
                Ok(Some(Piece::Data {
                    bytes,
                    is_text,
                    is_last,
                })) => {
                    payload.extend_from_slice(&bytes);
                    assert!(payload.len() <= MAX_MESSAGE_BYTES);
                    if is_last {
                        let message = std::mem::take(&mut payload);
                        assert!(!is_text || str::from_utf8(&message).is_ok());
                        outcome.messages.push((is_text, message));
                    }
                }
                Ok(Some(Piece::Ping(bytes))) => outcome.controls.push(bytes.to_vec()),
                Ok(Some(Piece::Pong)) => {}
                Ok(Some(Piece::Close(code))) => {
                    outcome.closed = Some(code);
                    return outcome;
                }
                Err(error) => {
                    outcome.error = Some(error);
                    return outcome;
                }
            }
        }
        assert!(
            input.len() <= MAX_LEFT_BYTES,
            "{} bytes are left",
            input.len()
        );
    }
    outcome
}

fn reads_the_same_when_it_is_written_again(is_text: bool, message: &[u8]) {
    let opcode = if is_text {
        Opcode::Text
    } else {
        Opcode::Binary
    };
    for (role, key) in [(Role::Client, None), (Role::Server, Some([1, 2, 3, 4]))] {
        let mut output = BytesMut::new();
        let header = put_header(&mut output, opcode, message.len(), key);
        output.extend_from_slice(message);
        mask(&mut output[header..], key.unwrap_or_default());
        let again = read(role, &output, usize::MAX);
        assert_eq!(again.messages, [(is_text, message.to_vec())]);
    }
}

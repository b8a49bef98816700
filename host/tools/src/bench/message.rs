//! Generates messages and checks replies. Pure.

use super::Shape;
use memchr::memchr;

/// The most bytes generated at once, unless a single message is longer.
const BATCH_BYTES: usize = 64 << 10;
/// A long message repeats its stamp, so that pieces of two messages can be told apart.
const STAMP_EVERY_BYTES: usize = 4096;
const STAMP_BYTES: usize = 16;

/// A buffer for messages. They differ only in their stamps, so generating one is cheap.
pub struct Messages {
    shape: Shape,
    message_bytes: usize,
    batch: Vec<u8>,
}

impl Messages {
    /// A buffer for up to `most` messages, or as many as one write should have.
    pub fn new(shape: Shape, message_bytes: usize, most: usize) -> Self {
        let fit = BATCH_BYTES / message_bytes;
        Messages {
            shape,
            message_bytes,
            batch: blank(shape, message_bytes).repeat(fit.min(most).max(1)),
        }
    }

    /// The connection's next `count` messages back to back, or as many as fit.
    pub fn make(&mut self, connection: u32, first: u64, count: u64) -> &[u8] {
        let room = self.batch.len() / self.message_bytes;
        let count = usize::try_from(count).map_or(room, |count| count.min(room));
        let made = &mut self.batch[..count * self.message_bytes];
        for (message, sequence) in made.chunks_exact_mut(self.message_bytes).zip(first..) {
            let payload = match self.shape {
                Shape::Lines => message.len() - 1,
                Shape::Raw => message.len(),
            };
            stamp(&mut message[..payload], connection, sequence);
        }
        made
    }
}

/// A message without stamps.
fn blank(shape: Shape, message_bytes: usize) -> Vec<u8> {
    match shape {
        Shape::Lines => (b' '..=b'~')
            .cycle()
            .take(message_bytes - 1)
            .chain([b'\n'])
            .collect(),
        Shape::Raw => (0..=u8::MAX).cycle().take(message_bytes).collect(),
    }
}

/// Writes sequence and connection into the payload, the fastest-changing digit first: even messages
/// of one byte differ from their neighbours. Digits are lowercase letters, so every message detects
/// a server that changes case.
fn stamp(payload: &mut [u8], connection: u32, sequence: u64) {
    let number = u64::from(connection) << 32 | sequence & 0xffff_ffff;
    let mut digits = [0; STAMP_BYTES];
    for (digit, shift) in digits.iter_mut().zip((0..).step_by(4)) {
        *digit = b'a' + (number >> shift & 0xf) as u8;
    }
    for block in payload.chunks_mut(STAMP_EVERY_BYTES) {
        let stamped = block.len().min(STAMP_BYTES);
        block[..stamped].copy_from_slice(&digits[..stamped]);
    }
}

/// The progress of checking the replies of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Replies {
    /// The message whose reply is next.
    sequence: u64,
    /// The checked bytes of that reply.
    offset: usize,
    corrupt: bool,
}

impl Replies {
    /// Starts with the reply to message `sequence`.
    pub fn new(sequence: u64) -> Self {
        Replies {
            sequence,
            offset: 0,
            corrupt: false,
        }
    }

    /// Checks `received` up to the end of the current reply. Returns the number of bytes and, if
    /// the reply is complete, whether it is correct.
    pub fn check(
        &mut self,
        messages: &mut Messages,
        connection: u32,
        received: &[u8],
    ) -> (usize, Option<bool>) {
        let expected = &messages.make(connection, self.sequence, 1)[self.offset..];
        let compared = expected.len().min(received.len());
        self.corrupt |= expected[..compared] != received[..compared];
        if self.corrupt && messages.shape == Shape::Lines {
            // A wrong line may have another length; the next one starts after its ending.
            return match memchr(b'\n', received) {
                Some(end) => (end + 1, Some(self.complete())),
                None => (received.len(), None),
            };
        }
        self.offset += compared;
        let complete = self.offset == messages.message_bytes;
        (compared, complete.then(|| self.complete()))
    }

    fn complete(&mut self) -> bool {
        let correct = !self.corrupt;
        *self = Replies::new(self.sequence + 1);
        correct
    }

    /// Marks the next reply as wrong, because the server sent unexpected bytes.
    pub fn distrust(&mut self) {
        self.corrupt = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    const CONNECTION: u32 = 7;

    fn shapes() -> impl Strategy<Value = Shape> {
        prop_oneof![Just(Shape::Lines), Just(Shape::Raw)]
    }

    /// The stream of this many messages.
    fn stream(shape: Shape, message_bytes: usize, count: u64) -> Vec<u8> {
        let mut messages = Messages::new(shape, message_bytes, 3);
        (0..count)
            .flat_map(|sequence| messages.make(CONNECTION, sequence, 1).to_vec())
            .collect()
    }

    /// The verdicts on a stream that arrives in pieces of this size.
    fn verdicts(shape: Shape, message_bytes: usize, stream: &[u8], piece: usize) -> Vec<bool> {
        let mut messages = Messages::new(shape, message_bytes, 3);
        let mut replies = Replies::new(0);
        let mut verdicts = Vec::new();
        for mut received in stream.chunks(piece) {
            while !received.is_empty() {
                let (seen, verdict) = replies.check(&mut messages, CONNECTION, received);
                verdicts.extend(verdict);
                received = &received[seen..];
            }
        }
        verdicts
    }

    #[test]
    fn messages_tell_sequence_and_connection() {
        let mut messages = Messages::new(Shape::Lines, 24, 10);
        assert_eq!(messages.make(0x12, 0xab, 1), b"lkaaaaaacbaaaaaa0123456\n");
        let mut messages = Messages::new(Shape::Raw, 2, 10);
        assert_eq!(messages.make(1, 0xff, 3), b"ppaaba");
        let seen: HashSet<_> = (0..16).map(|at| messages.make(0, at, 1)[0]).collect();
        assert_eq!(seen.len(), 16);
    }

    #[test]
    fn wrong_lines_of_any_length_are_one_reply_each() {
        let right = stream(Shape::Lines, 24, 3);
        let (first, last) = (&right[..24], &right[48..]);
        for wrong in [&b"\n"[..], b"short\n", &[b'x'; 100], &right[24..47]] {
            let wrong = [first, wrong, b"\n", last].concat();
            let lines = wrong.iter().filter(|byte| **byte == b'\n').count();
            for piece in 1..wrong.len() {
                let verdicts = verdicts(Shape::Lines, 24, &wrong, piece);
                assert_eq!(verdicts.len(), lines);
                assert!(verdicts[0]);
            }
        }
    }

    proptest! {
        #[test]
        fn an_echo_is_correct_however_it_is_cut(
            shape in shapes(), message_bytes in 1..9000_usize, count in 1..8_u64, piece in 1..20_000_usize,
        ) {
            let stream = stream(shape, message_bytes, count);
            let verdicts = verdicts(shape, message_bytes, &stream, piece);
            prop_assert_eq!(verdicts, vec![true; count as usize]);
        }

        #[test]
        fn a_wrong_byte_affects_only_its_own_reply(
            shape in shapes(), message_bytes in 2..9000_usize, count in 1..8_u64, piece in 1..20_000_usize,
            at: prop::sample::Index, change in 1..=u8::MAX,
        ) {
            let mut stream = stream(shape, message_bytes, count);
            let at = at.index(stream.len());
            stream[at] ^= change;
            // An added or removed line feed makes other lines, not other bytes of one line.
            prop_assume!(shape == Shape::Raw || (stream[at] != b'\n' && stream[at] ^ change != b'\n'));
            let mut expected = vec![true; count as usize];
            expected[at / message_bytes] = false;
            prop_assert_eq!(verdicts(shape, message_bytes, &stream, piece), expected);
        }
    }
}

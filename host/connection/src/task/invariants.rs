//! Properties of the inbox, whatever datagrams a sender sends. Used by tests and fuzzing.

use super::inbox::{Datagrams, Inbox, NotTaken};
use crate::limits::{MAX_WAITING_DATAGRAM_BYTES, MAX_WAITING_DATAGRAMS};
use bytes::{Bytes, BytesMut};
use framing::{DatagramDecoder, Framing, FramingError};
use std::collections::VecDeque;

/// The longest message in these checks.
const MAX_MESSAGE_BYTES: usize = 100;

/// Runs steps: a byte below 200 is the length of a datagram that follows; one up to 250 repeats the
/// last datagram 64 times; others take all that waits. Queued datagrams come out whole and in
/// order, never more than allowed wait, and each datagram has its own messages.
pub fn check(input: &[u8]) {
    let Some((framing, mut steps)) = input.split_first() else {
        return;
    };
    let framing = match framing % 4 {
        0 => "chunks",
        1 => "lines",
        2 => "length-prefixed:2",
        _ => "fixed:3",
    };
    let Ok(framing) = framing.parse::<Framing>() else {
        return;
    };
    let (inbox, mut waiting) = (Inbox::default(), Waiting::default());
    let mut decoder = DatagramDecoder::new(framing.clone(), MAX_MESSAGE_BYTES);
    let mut last: &[u8] = &[];
    while let Some((step, rest)) = steps.split_first() {
        steps = rest;
        match step {
            0..200 => {
                let (datagram, rest) = rest.split_at(usize::from(*step).min(rest.len()));
                (last, steps) = (datagram, rest);
                put(&inbox, &mut waiting, datagram);
            }
            200..=250 => (0..64).for_each(|_| put(&inbox, &mut waiting, last)),
            _ => take(&inbox, &mut waiting, &mut decoder, &framing),
        }
    }
    take(&inbox, &mut waiting, &mut decoder, &framing);
    assert!(inbox.close_if_empty());
}

/// The expected content of the queue.
#[derive(Default)]
struct Waiting<'a> {
    datagrams: VecDeque<&'a [u8]>,
    bytes: usize,
}

fn put<'a>(inbox: &Inbox, waiting: &mut Waiting<'a>, datagram: &'a [u8]) {
    let has_room = waiting.datagrams.len() < MAX_WAITING_DATAGRAMS
        && waiting.bytes + datagram.len() <= MAX_WAITING_DATAGRAM_BYTES;
    match inbox.put(datagram) {
        Ok(_) => {
            assert!(has_room);
            waiting.datagrams.push_back(datagram);
            waiting.bytes += datagram.len();
        }
        Err(error) => assert!(!has_room && error == NotTaken::Full),
    }
}

fn take(
    inbox: &Inbox,
    waiting: &mut Waiting<'_>,
    decoder: &mut DatagramDecoder,
    framing: &Framing,
) {
    let mut taken = Datagrams::default();
    inbox.take(&mut taken);
    while let Some(datagram) = taken.pop() {
        assert_eq!(Some(&*datagram), waiting.datagrams.pop_front());
        let mut fresh = DatagramDecoder::new(framing.clone(), MAX_MESSAGE_BYTES);
        let alone = messages(&mut fresh, datagram.clone());
        assert_eq!(messages(decoder, datagram), alone);
    }
    assert!(waiting.datagrams.is_empty());
    waiting.bytes = 0;
}

fn messages(
    decoder: &mut DatagramDecoder,
    datagram: BytesMut,
) -> (Vec<Bytes>, Option<FramingError>) {
    let mut found = Vec::new();
    decoder.begin(datagram);
    loop {
        match decoder.next_message() {
            Ok(None) => return (found, None),
            Ok(Some(message)) => {
                assert!(message.len() <= MAX_MESSAGE_BYTES);
                found.push(message);
            }
            Err(error) => return (found, Some(error)),
        }
    }
}

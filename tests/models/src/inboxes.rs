//! The receiver of datagrams, and the task of their session.

use crate::Model;
use crate::inbox::{Datagrams, Inbox, NotTaken};
use loom::future::block_on;
use loom::sync::Arc;
use loom::thread;
use std::future::poll_fn;
use std::task::Waker;

pub const MODELS: [Model; 3] = [
    (
        "every datagram wakes its session and arrives once and in order",
        every_datagram_wakes_its_session_and_arrives_once_and_in_order,
    ),
    (
        "one waker is enough for a batch",
        one_waker_is_enough_for_a_batch,
    ),
    (
        "a datagram is taken out or refused when its session ends",
        a_datagram_is_taken_out_or_refused_when_its_session_ends,
    ),
];

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// Runs a session's task until no more datagrams come.
fn take_all(inbox: &Inbox) -> Vec<Vec<u8>> {
    let mut taken = Vec::new();
    block_on(async {
        let mut datagrams = Datagrams::default();
        loop {
            poll_fn(|cx| inbox.poll_filled(cx)).await;
            let goes_on = inbox.take(&mut datagrams);
            while let Some(datagram) = datagrams.pop() {
                taken.push(datagram.to_vec());
            }
            if !goes_on {
                return;
            }
        }
    });
    taken
}

fn every_datagram_wakes_its_session_and_arrives_once_and_in_order() {
    let inbox = Arc::new(Inbox::default());
    let session = inbox.clone();
    let session = thread::spawn(move || take_all(&session));
    for datagram in [&b"one"[..], b"", b"two"] {
        wake(inbox.put(datagram).unwrap());
    }
    inbox.close();
    assert_eq!(session.join().unwrap(), [&b"one"[..], b"", b"two"]);
}

fn one_waker_is_enough_for_a_batch() {
    let inbox = Arc::new(Inbox::default());
    let session = inbox.clone();
    let session = thread::spawn(move || take_all(&session));
    let wakers = [b"one", b"two"].map(|datagram| inbox.put(datagram).unwrap());
    wakers.into_iter().for_each(wake);
    inbox.close();
    assert_eq!(session.join().unwrap(), [b"one", b"two"]);
}

fn a_datagram_is_taken_out_or_refused_when_its_session_ends() {
    let inbox = Arc::new(Inbox::default());
    let receiver = inbox.clone();
    let receiver = thread::spawn(move || match receiver.put(b"last") {
        Ok(waker) => {
            wake(waker);
            true
        }
        Err(refused) => {
            assert_eq!(refused, NotTaken::Closed);
            false
        }
    });
    let mut taken = Vec::new();
    let mut datagrams = Datagrams::default();
    // Like a session that has been idle: it ends unless something has arrived in the meantime.
    while !inbox.close_if_empty() {
        inbox.take(&mut datagrams);
        taken.extend(std::iter::from_fn(|| datagrams.pop()));
    }
    let was_put = receiver.join().unwrap();
    assert_eq!(taken.len(), usize::from(was_put));
}

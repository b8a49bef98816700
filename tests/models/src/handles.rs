//! Sessions that send to a connection, and the task that serves it.

use crate::Model;
use crate::handle::{CloseMode, ConnectionHandle, Lost, Outgoing, Peer};
use loom::future::block_on;
use loom::sync::Arc;
use loom::thread;
use std::future::poll_fn;
use std::mem;
use tracing::Span;

const LIMIT_BYTES: usize = 6;

pub const MODELS: [Model; 4] = [
    (
        "every send wakes the task and is written once and whole",
        every_send_wakes_the_task_and_is_written_once_and_whole,
    ),
    (
        "a send during a call is found after it",
        a_send_during_a_call_is_found_after_it,
    ),
    (
        "nothing is sent and nothing counts as unsent after the end",
        nothing_is_sent_and_nothing_counts_as_unsent_after_the_end,
    ),
    (
        "a reader is slow only if more waits than may",
        a_reader_is_slow_only_if_more_waits_than_may,
    ),
];

fn handle() -> Arc<ConnectionHandle> {
    let handle = ConnectionHandle::new(1, Peer::unconnected(), LIMIT_BYTES, Span::none());
    Arc::new(handle)
}

/// The orders that a connection's task receives until its end.
fn serve(handle: &ConnectionHandle) -> (Vec<u8>, Result<CloseMode, Lost>) {
    let mut written = Vec::new();
    let end = block_on(async {
        loop {
            poll_fn(|cx| handle.poll_ordered(cx)).await;
            let mut end = None;
            let mut bytes = Outgoing::default();
            handle.collect(|orders| {
                bytes = mem::take(&mut orders.bytes);
                end = orders.lost.clone().map(Err);
                end = end.take().or_else(|| orders.close.map(Ok));
            });
            handle.written(bytes.len());
            written.extend_from_slice(bytes.chunk());
            if let Some(end) = end {
                return end;
            }
        }
    });
    (written, end)
}

fn every_send_wakes_the_task_and_is_written_once_and_whole() {
    let handle = handle();
    let other = handle.clone();
    let other = thread::spawn(move || other.send(&b"bbb"[..]));
    let task = handle.clone();
    let task = thread::spawn(move || serve(&task));
    handle.send(&b"aaa"[..]);
    other.join().unwrap();
    handle.close(CloseMode::Graceful);
    let (written, end) = task.join().unwrap();
    assert!(written == b"aaabbb" || written == b"bbbaaa", "{written:?}");
    assert_eq!(end, Ok(CloseMode::Graceful));
    assert_eq!(handle.unsent_bytes(), 0);
    assert_eq!(handle.traffic().sent_bytes, 6);
}

fn a_send_during_a_call_is_found_after_it() {
    let handle = handle();
    let other = handle.clone();
    let other = thread::spawn(move || other.send(&b"bbb"[..]));
    let task = handle.clone();
    let task = thread::spawn(move || {
        task.set_calling(true);
        task.send(&b"aaa"[..]);
        task.set_calling(false);
        let mut written = Vec::new();
        block_on(async {
            while written.len() < 6 {
                poll_fn(|cx| task.poll_ordered(cx)).await;
                task.collect(|orders| {
                    written.extend_from_slice(mem::take(&mut orders.bytes).chunk());
                });
            }
        });
        written
    });
    other.join().unwrap();
    let written = task.join().unwrap();
    assert!(written == b"aaabbb" || written == b"bbbaaa", "{written:?}");
}

fn nothing_is_sent_and_nothing_counts_as_unsent_after_the_end() {
    let handle = handle();
    let other = handle.clone();
    let other = thread::spawn(move || other.send(&b"bbb"[..]));
    let task = handle.clone();
    let task = thread::spawn(move || serve(&task));
    handle.close(CloseMode::Reset);
    other.join().unwrap();
    let (written, end) = task.join().unwrap();
    assert_eq!(end, Ok(CloseMode::Reset));
    // Orders from before the end may have been taken with it.
    assert!(written.is_empty() || written == b"bbb", "{written:?}");
    assert_eq!(handle.unsent_bytes(), 0);
}

fn a_reader_is_slow_only_if_more_waits_than_may() {
    let handle = handle();
    let task = handle.clone();
    let task = thread::spawn(move || serve(&task));
    let other = handle.clone();
    let other = thread::spawn(move || other.send(&b"bbbb"[..]));
    handle.send(&b"aaaa"[..]);
    other.join().unwrap();
    handle.close(CloseMode::Graceful);
    let (written, end) = task.join().unwrap();
    match end {
        Ok(mode) => {
            assert_eq!(mode, CloseMode::Graceful);
            assert_eq!(written.len(), 8);
        }
        Err(lost) => {
            let limit_bytes = LIMIT_BYTES;
            assert_eq!(lost, Lost::SlowReader { limit_bytes });
            assert_eq!(written.len(), 4);
        }
    }
}

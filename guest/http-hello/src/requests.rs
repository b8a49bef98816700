//! Cuts requests out of a stream of bytes that arrives in pieces of any size.

use crate::chunks::Chunks;
use crate::head::{Body, Head};
use crate::response::Status;

/// Longest request line with all fields, in bytes.
const MAX_HEAD: usize = 16 << 10;
/// Longest body, in bytes.
const MAX_BODY: usize = 256 << 10;

/// The stream of one connection.
#[derive(Default)]
pub struct Requests {
    buffer: Vec<u8>,
    /// A request whose body is incomplete.
    unfinished: Option<Unfinished>,
}

struct Unfinished {
    head: Head,
    body: Vec<u8>,
    missing: Missing,
}

enum Missing {
    Bytes(usize),
    Chunks(Chunks),
}

#[derive(Debug, PartialEq)]
pub enum Event {
    /// The client waits for `100 Continue` before it sends the body.
    MayContinue,
    Request(Head, Vec<u8>),
}

impl Requests {
    pub fn push(&mut self, bytes: Vec<u8>) {
        if self.buffer.is_empty() {
            self.buffer = bytes;
        } else {
            self.buffer.extend(bytes);
        }
    }

    /// Whether no request has begun.
    pub fn is_idle(&self) -> bool {
        self.buffer.is_empty() && self.unfinished.is_none()
    }

    /// Reports events in order, and returns when it needs more bytes.
    pub fn read(&mut self, mut tell: impl FnMut(Event) -> Flow) -> Result<Flow, Status> {
        let buffer = std::mem::take(&mut self.buffer);
        let mut rest = &buffer[..];
        while let Some(event) = self.next(&mut rest)? {
            if tell(event) == Flow::Stop {
                return Ok(Flow::Stop);
            }
        }
        self.buffer = rest.to_vec();
        Ok(Flow::GoOn)
    }

    fn next(&mut self, stream: &mut &[u8]) -> Result<Option<Event>, Status> {
        if let Some(mut request) = self.unfinished.take() {
            if request.collect(stream)? {
                return Ok(Some(Event::Request(request.head, request.body)));
            }
            self.unfinished = Some(request);
            return Ok(None);
        }
        let Some(head) = take_head(stream)? else {
            return Ok(None);
        };
        let head = Head::read(head)?;
        let expects_continue = head.expects_continue;
        self.unfinished = Some(Unfinished::new(head)?);
        if expects_continue {
            return Ok(Some(Event::MayContinue));
        }
        self.next(stream)
    }
}

/// Whether to continue with the stream.
#[derive(Debug, PartialEq)]
pub enum Flow {
    GoOn,
    Stop,
}

impl Unfinished {
    fn new(head: Head) -> Result<Self, Status> {
        let missing = match head.body {
            Body::Length(length) if length > MAX_BODY => return Err(Status::CONTENT_TOO_LARGE),
            Body::Length(length) => Missing::Bytes(length),
            Body::Chunked => Missing::Chunks(Chunks::Size),
        };
        Ok(Unfinished {
            head,
            // Allocate nothing for a length that is only announced.
            body: Vec::new(),
            missing,
        })
    }

    /// Takes the available part of the body. Returns true if the body is complete.
    fn collect(&mut self, stream: &mut &[u8]) -> Result<bool, Status> {
        match &mut self.missing {
            Missing::Chunks(chunks) => chunks.read(stream, &mut self.body, MAX_BODY),
            Missing::Bytes(missing) => {
                let (data, rest) = stream.split_at((*missing).min(stream.len()));
                self.body.extend_from_slice(data);
                *stream = rest;
                *missing -= data.len();
                Ok(*missing == 0)
            }
        }
    }
}

/// Takes a head with the empty line at its end, if it is complete. Skips empty lines before it,
/// which some clients send after a body.
fn take_head<'a>(stream: &mut &'a [u8]) -> Result<Option<&'a [u8]>, Status> {
    while let Some(rest) = stream.strip_prefix(b"\r\n").or(stream.strip_prefix(b"\n")) {
        *stream = rest;
    }
    let window = &stream[..stream.len().min(MAX_HEAD)];
    if let Some(end) = head_end(window) {
        let (head, rest) = stream.split_at(end);
        *stream = rest;
        return Ok(Some(head));
    }
    if window.len() < MAX_HEAD {
        return Ok(None);
    }
    Err(if window.contains(&b'\n') {
        Status::FIELDS_TOO_LARGE
    } else {
        Status::URI_TOO_LONG
    })
}

fn head_end(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += bytes[at..].iter().position(|&byte| byte == b'\n')? + 1;
        match &bytes[at..] {
            [b'\n', ..] => return Some(at + 1),
            [b'\r', b'\n', ..] => return Some(at + 2),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;

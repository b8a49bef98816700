//! A WebSocket as a stream of bytes, for programs and for tools that are clients: payloads in, and
//! each write is one message out.

use super::close_code::NORMAL;
use super::{WebSocketStart, close_code};
use crate::limits::{HIGH_WATER_BYTES, READ_BYTES};
use bytes::BytesMut;
use framing::FramingError;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::io::{poll_read_buf, poll_write_buf};
use websocket::{FrameReader, MessageType, Opcode, Piece, Role, mask, put_header};

/// The payloads of a WebSocket, after its handshake.
pub struct WebSocketStream<S> {
    stream: S,
    /// The keys of a client's frames: nobody else can foresee them (section 5.3).
    keys: Option<Keys>,
    frames: FrameReader,
    input: BytesMut,
    payload: BytesMut,
    output: BytesMut,
    messages: MessageType,
    was_text: bool,
    /// The client's close code, once it has closed.
    closed_with: Option<Option<u16>>,
    /// Whether our close frame is in the output, or gone.
    is_closed: bool,
}

struct Keys {
    state: RandomState,
    used: u64,
}

impl Keys {
    fn next(&mut self) -> [u8; 4] {
        self.used += 1;
        let [a, b, c, d, ..] = self.state.hash_one(self.used).to_ne_bytes();
        [a, b, c, d]
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocketStream<S> {
    /// The client's side, after its handshake. `received` came with it.
    pub fn of_client(stream: S, received: BytesMut) -> Self {
        let messages = MessageType::Auto;
        let start = WebSocketStart { received, messages };
        WebSocketStream {
            frames: FrameReader::new(Role::Client),
            keys: Some(Keys {
                state: RandomState::new(),
                used: 0,
            }),
            was_text: true,
            ..WebSocketStream::new(stream, start)
        }
    }

    /// The payloads of this stream.
    pub fn new(stream: S, start: WebSocketStart) -> Self {
        WebSocketStream {
            stream,
            keys: None,
            frames: FrameReader::new(Role::Server),
            input: start.received,
            payload: BytesMut::new(),
            output: BytesMut::new(),
            messages: start.messages,
            was_text: false,
            closed_with: None,
            is_closed: false,
        }
    }

    fn put(&mut self, opcode: Opcode, payload: &[u8]) {
        if !self.is_closed {
            let key = self.keys.as_mut().map(Keys::next);
            put_header(&mut self.output, opcode, payload.len(), key);
            let start = self.output.len();
            self.output.extend_from_slice(payload);
            if let Some(key) = key {
                mask(&mut self.output[start..], key);
            }
        }
    }

    fn close(&mut self, code: Option<u16>) {
        let code = code.map(u16::to_be_bytes);
        self.put(Opcode::Close, code.as_ref().map_or(&[], |code| code));
        self.is_closed = true;
    }

    /// Writes the output. Ready when all is written.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.output.is_empty() {
            let stream = Pin::new(&mut self.stream);
            if ready!(poll_write_buf(stream, cx, &mut self.output))? == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
        }
        self.output = BytesMut::new();
        Poll::Ready(Ok(()))
    }

    /// Reads until there is payload, or the client has closed.
    fn poll_payload(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.output.is_empty() {
            let _ = self.poll_drain(cx)?;
        }
        while self.payload.is_empty() && self.closed_with.is_none() {
            if self.output.len() >= HIGH_WATER_BYTES {
                // The client does not read our pongs.
                ready!(self.poll_drain(cx))?;
            }
            let piece = self.frames.next(&mut self.input, 0, usize::MAX);
            match piece.inspect_err(|_| self.close(Some(close_code::PROTOCOL))) {
                Ok(Some(Piece::Data { bytes, is_text, .. })) => {
                    (self.payload, self.was_text) = (bytes, is_text);
                }
                Ok(Some(Piece::Ping(bytes))) => {
                    self.put(Opcode::Pong, &bytes);
                    let _ = self.poll_drain(cx)?;
                }
                Ok(Some(Piece::Pong)) => {}
                Ok(Some(Piece::Close(Some(code)))) if self.keys.is_some() && code != NORMAL => {
                    self.closed_with = Some(Some(code));
                    let why = format!("the server closed the WebSocket with code {code}");
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionAborted, why)));
                }
                Ok(Some(Piece::Close(code))) => self.closed_with = Some(code),
                Ok(None) => {
                    self.input.reserve(READ_BYTES);
                    let stream = Pin::new(&mut self.stream);
                    if ready!(poll_read_buf(stream, cx, &mut self.input))? == 0 {
                        return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
                    }
                }
                Err(error) => {
                    let _ = self.poll_drain(cx)?;
                    let error = FramingError::from(error);
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, error)));
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for WebSocketStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_payload(cx))?;
        let length = self.payload.len().min(buffer.remaining());
        buffer.put_slice(&self.payload.split_to(length));
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for WebSocketStream<S> {
    /// A program does not know where its writes are cut: what is no text alone may be sent as
    /// binary.
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_drain(cx))?;
        let is_text = str::from_utf8(bytes).is_ok();
        let opcode = match self.messages.opcode(self.was_text) {
            Opcode::Text if !is_text && self.messages == MessageType::Auto => Opcode::Binary,
            Opcode::Text if !is_text => {
                self.close(Some(close_code::FAILED));
                let _ = self.poll_drain(cx)?;
                let why = "the program sent text that is not UTF-8 (--ws-messages)";
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, why)));
            }
            opcode => opcode,
        };
        self.put(opcode, bytes);
        let _ = self.poll_drain(cx)?;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.is_closed {
            let code = self.closed_with.unwrap_or(Some(NORMAL));
            self.close(code);
        }
        ready!(self.poll_drain(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

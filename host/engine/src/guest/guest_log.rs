//! Turns what a guest prints into log lines of its connection: whole lines, escaped, limited in
//! length and number.

use super::excess::Excess;
use super::log_rate::LogRate;
use connection::guest_text::GuestText;
use connection::limits::{
    Limit, MAX_LOG_LINE_BYTES, MAX_LOG_LINES_PER_SECOND, MAX_LOG_WRITE_BYTES,
};
use connection::rates::LogRateLimiter;
use parking_lot::{Mutex, MutexGuard};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::AsyncWrite;
use tracing::{Level, Span};
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

/// Standard output or standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
}

/// The log of one instance.
#[derive(Clone)]
pub struct GuestLog(Arc<Mutex<Printer>>);

impl GuestLog {
    /// A log in `span`, within the rate of the handler.
    pub fn new(span: Span, handler: LogRate) -> Self {
        GuestLog(Arc::new(Mutex::new(Printer::new(span, handler))))
    }

    /// The span of its lines.
    pub fn span(&self) -> Span {
        self.printer().span.clone()
    }

    /// Changes the span: the guest serves another connection now.
    pub fn speak_for(&self, span: &Span) {
        self.printer().span.clone_from(span);
    }

    /// A stream for one of the guest's outputs.
    pub fn stream(&self, stream: Stream) -> LogStream {
        LogStream {
            log: self.clone(),
            stream,
            permit_bytes: 0,
        }
    }

    /// Logs a message at a level, as one line. The context says what it is about.
    pub fn log(&self, level: Level, context: &str, message: &str) {
        self.printer().log(level, context, message);
    }

    /// Ends unfinished lines, so that the output of one call never mixes with the next, which may
    /// serve another connection.
    pub fn end_call(&self) {
        self.printer().end_call();
    }

    fn printer(&self) -> MutexGuard<'_, Printer> {
        // After a panic elsewhere, go on printing.
        self.0.lock()
    }
}

/// Cuts output into lines and passes them to `tracing`.
struct Printer {
    span: Span,
    stdout: Line,
    stderr: Line,
    lines: LogRateLimiter<MAX_LOG_LINES_PER_SECOND>,
    handler: LogRate,
    suppressed: u64,
}

/// An unfinished line.
#[derive(Default)]
struct Line {
    bytes: Vec<u8>,
    /// Whether the line was truncated.
    cut: bool,
}

impl Line {
    fn text(&self) -> GuestText {
        if self.cut {
            GuestText::cut(&self.bytes)
        } else {
            GuestText::new(&self.bytes)
        }
    }
}

impl Printer {
    fn new(span: Span, handler: LogRate) -> Self {
        Printer {
            span,
            stdout: Line::default(),
            stderr: Line::default(),
            lines: LogRateLimiter::default(),
            handler,
            suppressed: 0,
        }
    }

    fn print(&mut self, stream: Stream, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let line = self.line(stream);
            let text = piece.strip_suffix(b"\n").unwrap_or(piece);
            let room = MAX_LOG_LINE_BYTES - line.bytes.len();
            line.bytes.extend_from_slice(&text[..text.len().min(room)]);
            line.cut |= text.len() > room;
            if piece.len() > text.len() {
                self.end_line(stream);
            }
        }
    }

    fn line(&mut self, stream: Stream) -> &mut Line {
        match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        }
    }

    fn end_call(&mut self) {
        for stream in [Stream::Stdout, Stream::Stderr] {
            self.end_line(stream);
        }
    }

    fn end_line(&mut self, stream: Stream) {
        if self.line(stream).bytes.is_empty() {
            return;
        }
        let line = std::mem::take(self.line(stream));
        self.say(|| {
            let text = line.text();
            match stream {
                Stream::Stdout => tracing::info!(target: "guest", stream = "stdout", "{text}"),
                Stream::Stderr => tracing::warn!(target: "guest", stream = "stderr", "{text}"),
            }
        });
    }

    fn log(&mut self, level: Level, context: &str, message: &str) {
        let context = (!context.is_empty()).then(|| GuestText::from(context).to_string());
        let text = || GuestText::from(message);
        // `tracing` needs a static call site for each level, where it decides whether the level is
        // enabled.
        macro_rules! at {
            ($level:ident) => {
                if tracing::enabled!(target: "guest", Level::$level) {
                    self.say(
                        || tracing::event!(target: "guest", Level::$level, context, "{}", text()),
                    );
                }
            };
        }
        match level {
            Level::TRACE => at!(TRACE),
            Level::DEBUG => at!(DEBUG),
            Level::INFO => at!(INFO),
            Level::WARN => at!(WARN),
            Level::ERROR => at!(ERROR),
        }
    }

    /// Logs a line in the guest's span, within the rate.
    fn say(&mut self, line: impl FnOnce()) {
        match self.lines.admit() {
            Ok(suppressed) => self.suppressed += suppressed,
            Err(_) => return Limit::LogRate.reached(),
        }
        let _entered = self.span.enter();
        if !self.handler.admits() {
            return;
        }
        if self.suppressed > 0 {
            log_suppressed(std::mem::take(&mut self.suppressed));
        }
        line();
    }
}

impl Drop for Printer {
    fn drop(&mut self) {
        let suppressed = self.suppressed + self.lines.take_suppressed();
        if suppressed > 0 {
            let _entered = self.span.enter();
            if self.handler.admits() {
                log_suppressed(suppressed);
            }
        }
    }
}

fn log_suppressed(lines: u64) {
    tracing::warn!(
        target: "guest",
        "{lines} lines dropped: the guest prints more than {MAX_LOG_LINES_PER_SECOND} a second"
    );
}

/// An output of a guest. Always ready: logging never blocks a guest.
pub struct LogStream {
    log: GuestLog,
    stream: Stream,
    /// Bytes that the guest may still write before it asks again.
    permit_bytes: usize,
}

impl LogStream {
    fn print(&self, bytes: &[u8]) {
        self.log.printer().print(self.stream, bytes);
    }

    /// Ends a guest that writes more than permitted: its output is processed on a thread that
    /// serves (`output-stream.write` of wasi:io).
    fn use_permit(&mut self, bytes: usize) -> StreamResult<()> {
        match self.permit_bytes.checked_sub(bytes) {
            Some(left) => self.permit_bytes = left,
            None => return Err(StreamError::Trap(Excess::LogWrite.into())),
        }
        Ok(())
    }
}

impl IsTerminal for LogStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LogStream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.log.stream(self.stream))
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.log.stream(self.stream))
    }
}

#[async_trait]
impl Pollable for LogStream {
    async fn ready(&mut self) {}
}

impl OutputStream for LogStream {
    fn write(&mut self, bytes: bytes::Bytes) -> StreamResult<()> {
        self.use_permit(bytes.len())?;
        self.print(&bytes);
        Ok(())
    }

    fn write_zeroes(&mut self, length: usize) -> StreamResult<()> {
        self.use_permit(length)?;
        self.print(&vec![0; length]);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.permit_bytes = MAX_LOG_WRITE_BYTES;
        Ok(self.permit_bytes)
    }
}

impl AsyncWrite for LogStream {
    fn poll_write(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.print(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_cut_and_says_so() {
        let mut printer = Printer::new(Span::none(), LogRate::default());
        printer.print(Stream::Stdout, &vec![b'a'; 3 * MAX_LOG_LINE_BYTES]);
        assert_eq!(printer.stdout.bytes.len(), MAX_LOG_LINE_BYTES);
        assert!(printer.stdout.cut);
        let text = printer.stdout.text().to_string();
        assert!(text.ends_with("a… (cut at 4096 bytes)"));
    }

    #[test]
    fn a_write_beyond_its_permit_ends_the_guest() {
        let mut stream = GuestLog::new(Span::none(), LogRate::default()).stream(Stream::Stdout);
        let is_trap = |written| matches!(written, Err(StreamError::Trap(_)));
        assert!(is_trap(stream.write("x".into())));
        let permitted = stream.check_write().unwrap();
        assert!(stream.write(vec![b'x'; permitted - 1].into()).is_ok());
        assert!(is_trap(stream.write("xx".into())));
        assert!(is_trap(stream.write_zeroes(usize::MAX)));
        assert!(stream.write("x".into()).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_counted_instead_of_shown() {
        let mut printer = Printer::new(Span::none(), LogRate::default());
        printer.print(Stream::Stderr, "x\n".repeat(250).as_bytes());
        assert_eq!(printer.lines.take_suppressed(), 150);
    }
}

//! What a guest prints becomes log lines of the connection it works for: whole lines, escaped, capped
//! in length and in number.

use super::log_rate::{LogRate, Second};
use crate::limits::{Limit, MAX_LOG_LINE_BYTES, MAX_LOG_LINES_PER_SECOND};
use std::fmt::Write;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use tokio::io::AsyncWrite;
use tracing::{Level, Span};
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// Which of its two outputs a guest printed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
}

/// The log of one instance.
#[derive(Clone)]
pub struct GuestLog(Arc<Mutex<Printer>>);

impl GuestLog {
    /// A log whose lines are logged in `span`, no faster than the handler's.
    pub fn new(span: Span, handler: LogRate) -> Self {
        GuestLog(Arc::new(Mutex::new(Printer::new(span, handler))))
    }

    /// Where its lines are logged.
    pub fn span(&self) -> Span {
        self.printer().span.clone()
    }

    /// Logs in another span from now on: the guest works for another connection.
    pub fn speak_for(&self, span: &Span) {
        self.printer().span.clone_from(span);
    }

    /// One of the guest's outputs.
    pub fn stream(&self, stream: Stream) -> LogStream {
        LogStream {
            log: self.clone(),
            stream,
        }
    }

    /// Logs a message at a level, which is a line however many it has. The context says what it is about.
    pub fn log(&self, level: Level, context: &str, message: &str) {
        self.printer().log(level, context, message);
    }

    /// Brings unfinished lines to an end, so that what one call printed never mixes with the next
    /// one's, which may be another connection's.
    pub fn end_call(&self) {
        self.printer().end_call();
    }

    fn printer(&self) -> MutexGuard<'_, Printer> {
        // A line that was being printed while something panicked is no reason to print no more.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Cuts what is printed into lines and hands them to `tracing`.
struct Printer {
    span: Span,
    stdout: Line,
    stderr: Line,
    second: Second,
    handler: LogRate,
    suppressed: u64,
}

/// The beginning of a line whose end was not printed yet.
#[derive(Default)]
struct Line {
    bytes: Vec<u8>,
    /// Whether bytes were left out because the line is too long.
    cut: bool,
}

impl Printer {
    fn new(span: Span, handler: LogRate) -> Self {
        Printer {
            span,
            stdout: Line::default(),
            stderr: Line::default(),
            second: Second::default(),
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
        let Line { bytes, cut } = std::mem::take(self.line(stream));
        self.say(|| {
            let text = escape(&bytes, cut);
            match stream {
                Stream::Stdout => tracing::info!(target: "guest", stream = "stdout", "{text}"),
                Stream::Stderr => tracing::warn!(target: "guest", stream = "stderr", "{text}"),
            }
        });
    }

    fn log(&mut self, level: Level, context: &str, message: &str) {
        let (context, message) = (within(context), within(message));
        let context = (!context.0.is_empty()).then(|| escape(context.0, context.1));
        let text = || escape(message.0, message.1);
        // Each level has a place of its own in `tracing`, which decides there whether anybody wants to see it.
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

    /// Logs a line in the guest's span, unless there were too many.
    fn say(&mut self, line: impl FnOnce()) {
        if !self.second.admits(MAX_LOG_LINES_PER_SECOND) {
            self.suppressed += 1;
            Limit::LogRate.reached();
            return;
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

/// What fits into a line, and whether that is less than there is.
fn within(text: &str) -> (&[u8], bool) {
    let length = text.floor_char_boundary(MAX_LOG_LINE_BYTES);
    (&text.as_bytes()[..length], length < text.len())
}

impl Drop for Printer {
    fn drop(&mut self) {
        if self.suppressed > 0 {
            let _entered = self.span.enter();
            if self.handler.admits() {
                log_suppressed(self.suppressed);
            }
        }
    }
}

fn log_suppressed(lines: u64) {
    tracing::warn!(
        target: "guest",
        "{lines} lines left out: the guest prints more than {MAX_LOG_LINES_PER_SECOND} a second"
    );
}

/// Makes text safe to print on a terminal and impossible to mistake for other log lines: what is shown as escapes
/// are control characters, line separators, and of the marks that nobody sees all that reorder or hide text. Those
/// that join letters stay: languages and pictures need them.
fn escape(bytes: &[u8], cut: bool) -> String {
    let text = String::from_utf8_lossy(bytes.strip_suffix(b"\r").unwrap_or(bytes));
    let mut safe = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}' => safe.extend(char.escape_unicode()),
            _ if char.is_control() => safe.extend(char.escape_default()),
            _ => safe.push(char),
        }
    }
    if cut {
        Limit::LogLine.reached();
        // Writing to a String cannot fail.
        let _ = write!(safe, "… (cut at {MAX_LOG_LINE_BYTES} bytes)");
    }
    safe
}

/// One of a guest's outputs. Always ready: a log never makes a guest wait.
pub struct LogStream {
    log: GuestLog,
    stream: Stream,
}

impl LogStream {
    fn print(&self, bytes: &[u8]) {
        self.log.printer().print(self.stream, bytes);
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
        self.print(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(64 << 10)
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
    fn what_could_drive_a_terminal_or_forge_a_line_is_escaped() {
        assert_eq!(escape(b"plain \xc3\xa9\r", false), "plain é");
        assert_eq!(escape(b"\x1b[2J\x07\x00", false), "\\u{1b}[2J\\u{7}\\u{0}");
        assert_eq!(
            escape("\u{9b}1m\u{202e}txt\u{2028}".as_bytes(), false),
            "\\u{9b}1m\\u{202e}txt\\u{2028}"
        );
        assert_eq!(
            escape(
                "a\u{200b}\u{61c}b\u{feff}\u{2064}c\u{e0041}".as_bytes(),
                false
            ),
            "a\\u{200b}\\u{61c}b\\u{feff}\\u{2064}c\\u{e0041}"
        );
        assert_eq!(escape("👩\u{200d}🔬".as_bytes(), false), "👩\u{200d}🔬");
        assert_eq!(escape(b"a\rb\tc", false), "a\\rb\\tc");
        assert_eq!(escape(b"\xff", false), "\u{fffd}");
    }

    #[test]
    fn a_long_line_is_cut_and_says_so() {
        let mut printer = Printer::new(Span::none(), LogRate::default());
        printer.print(Stream::Stdout, &vec![b'a'; 3 * MAX_LOG_LINE_BYTES]);
        assert_eq!(printer.stdout.bytes.len(), MAX_LOG_LINE_BYTES);
        assert!(printer.stdout.cut);
        assert!(escape(&printer.stdout.bytes, true).ends_with("a… (cut at 4096 bytes)"));
    }

    #[test]
    fn a_flood_is_counted_instead_of_shown() {
        let mut printer = Printer::new(Span::none(), LogRate::default());
        printer.second = Second::endless();
        printer.print(Stream::Stderr, "x\n".repeat(250).as_bytes());
        assert_eq!(printer.suppressed, 150);
    }
}

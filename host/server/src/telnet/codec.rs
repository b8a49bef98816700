//! Encodes and decodes what travels over a telnet connection (RFC 854). Pure: no sockets, no clock.

use super::Interrupt;
use super::options::{Options, TERMINAL_TYPE, Verb, WINDOW_SIZE};
use bytes::{BufMut, BytesMut};
use connection::handle::TelnetInfo;
use connection::limits::{MAX_TELNET_NEGOTIATIONS, MAX_TELNET_SUBNEGOTIATION_BYTES};
use std::sync::Arc;

/// How much of a subnegotiation is kept, in bytes: a terminal type has at most 40 characters.
const KEPT_BYTES: usize = 64;

const LF: u8 = b'\n';
const CR: u8 = b'\r';
const NUL: u8 = 0;
/// What a handler gets for an interrupt: End of Text, as terminals send for Ctrl-C.
const INTERRUPT: u8 = 3;

/// Commands, each after an `IAC`.
const IAC: u8 = 255;
const SUBNEGOTIATE: u8 = 250;
const ARE_YOU_THERE: u8 = 246;
const INTERRUPT_PROCESS: u8 = 244;
const BREAK: u8 = 243;
const END_SUBNEGOTIATION: u8 = 240;
/// RFC 1184, section 2.
const ABORT: u8 = 238;
const SUSPEND: u8 = 237;
const END_OF_FILE: u8 = 236;

/// In a subnegotiation of the terminal type (RFC 1091).
const IS: u8 = 0;
const SEND: u8 = 1;

/// Why a connection with telnet cannot go on.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum TelnetError {
    #[error("a telnet subnegotiation is longer than {MAX_TELNET_SUBNEGOTIATION_BYTES} bytes")]
    Subnegotiation,
    #[error("the client negotiated telnet options more than {MAX_TELNET_NEGOTIATIONS} times")]
    Negotiations,
}

/// How the other side ended its input by a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// End of file.
    File,
    /// An interrupt, a break, an abort or a suspension.
    Interrupted,
}

/// Where the decoder is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    Command,
    Option(Verb),
    Subnegotiation,
    /// In a subnegotiation, after an `IAC`.
    SubnegotiationCommand,
}

/// One end of a telnet connection.
///
/// Every line end of the other side (CR LF, CR NUL, or a CR alone) becomes LF. Of our text, a LF
/// becomes CR LF, CR LF stays, and a CR without LF gets the NUL that it needs.
#[derive(Debug)]
pub struct Codec {
    interrupt: Interrupt,
    /// What the other side says of itself.
    info: Arc<TelnetInfo>,
    options: Options,
    state: State,
    /// Whether the last byte of text that came was a CR, whose line end is known already.
    is_after_cr: bool,
    /// Whether the last byte of text that we sent was a CR.
    has_sent_cr: bool,
    subnegotiation: Vec<u8>,
    subnegotiation_bytes: usize,
    negotiations: u32,
    end: Option<End>,
    /// What is to be sent: encoded text, and answers.
    pub output: BytesMut,
}

impl Codec {
    /// The end of a server, which asks for the client's terminal type and window size.
    pub fn server(interrupt: Interrupt, info: Arc<TelnetInfo>) -> Self {
        let mut codec = Codec {
            interrupt,
            info,
            ..Codec::client()
        };
        for option in codec.options.ask() {
            codec.say(Verb::Do, option);
        }
        codec
    }

    /// The end of a client that has nothing to tell.
    pub fn client() -> Self {
        Codec {
            interrupt: Interrupt::Pass,
            info: Arc::default(),
            options: Options::default(),
            state: State::Text,
            is_after_cr: false,
            has_sent_cr: false,
            subnegotiation: Vec::new(),
            subnegotiation_bytes: 0,
            negotiations: 0,
            end: None,
            output: BytesMut::new(),
        }
    }

    /// How the other side has ended its input, if it has. What it sends afterwards is dropped.
    pub fn end(&self) -> Option<End> {
        self.end
    }

    /// Decodes what came, in place. Returns the length of the text at its front.
    pub fn decode(&mut self, bytes: &mut [u8]) -> Result<usize, TelnetError> {
        let (mut from, mut to) = (0, 0);
        while from < bytes.len() && self.end.is_none() {
            if self.state == State::Text && !self.is_after_cr {
                let rest = &bytes[from..];
                let special = rest.iter().position(|byte| matches!(*byte, IAC | CR));
                let plain = special.unwrap_or(rest.len());
                bytes.copy_within(from..from + plain, to);
                from += plain;
                to += plain;
                if special.is_none() {
                    break;
                }
            }
            if let Some(byte) = self.step(bytes[from])? {
                bytes[to] = byte;
                to += 1;
            }
            from += 1;
        }
        self.info.note_command_bytes(bytes.len() - to);
        Ok(to)
    }

    /// Takes a byte of the other side. Returns a byte of text, if it is one.
    fn step(&mut self, byte: u8) -> Result<Option<u8>, TelnetError> {
        match self.state {
            State::Text if byte == IAC => self.state = State::Command,
            State::Text => return Ok(self.text(byte)),
            State::Command => {
                self.state = State::Text;
                return Ok(self.command(byte));
            }
            State::Option(verb) => {
                self.state = State::Text;
                self.negotiate(verb, byte)?;
            }
            State::Subnegotiation if byte == IAC => self.state = State::SubnegotiationCommand,
            State::Subnegotiation => self.collect(byte)?,
            State::SubnegotiationCommand if byte == IAC => {
                self.state = State::Subnegotiation;
                self.collect(byte)?;
            }
            State::SubnegotiationCommand => {
                // Any other command ends it, too: the other side has forgotten the end.
                self.state = State::Text;
                if byte != END_SUBNEGOTIATION {
                    return Ok(self.command(byte));
                }
                self.learn();
            }
        }
        Ok(None)
    }

    fn text(&mut self, byte: u8) -> Option<u8> {
        let follows_cr = std::mem::replace(&mut self.is_after_cr, byte == CR);
        match byte {
            CR => Some(LF),
            LF | NUL if follows_cr => None,
            byte => Some(byte),
        }
    }

    fn command(&mut self, command: u8) -> Option<u8> {
        if let Some(verb) = Verb::of(command) {
            self.state = State::Option(verb);
            return None;
        }
        match command {
            IAC => return self.text(IAC),
            SUBNEGOTIATE => {
                self.state = State::Subnegotiation;
                self.subnegotiation.clear();
                self.subnegotiation_bytes = 0;
            }
            ARE_YOU_THERE => self.output.extend_from_slice(b"\r\n[yes]\r\n"),
            END_OF_FILE => self.end = Some(End::File),
            INTERRUPT_PROCESS | BREAK | ABORT | SUSPEND => match self.interrupt {
                Interrupt::Pass => return self.text(INTERRUPT),
                Interrupt::End => self.end = Some(End::Interrupted),
            },
            // Go ahead, no operation, data mark, erasing: a handler edits no lines.
            _ => {}
        }
        None
    }

    fn negotiate(&mut self, verb: Verb, option: u8) -> Result<(), TelnetError> {
        self.negotiations += 1;
        if self.negotiations > MAX_TELNET_NEGOTIATIONS {
            return Err(TelnetError::Negotiations);
        }
        if let Some(answer) = self.options.hear(verb, option) {
            self.say(answer, option);
        }
        if option == TERMINAL_TYPE && verb == Verb::Will && self.options.is_on(option) {
            let ask = [IAC, SUBNEGOTIATE, option, SEND, IAC, END_SUBNEGOTIATION];
            self.output.extend_from_slice(&ask);
        }
        Ok(())
    }

    fn say(&mut self, verb: Verb, option: u8) {
        self.output.extend_from_slice(&[IAC, verb as u8, option]);
    }

    fn collect(&mut self, byte: u8) -> Result<(), TelnetError> {
        self.subnegotiation_bytes += 1;
        if self.subnegotiation_bytes > MAX_TELNET_SUBNEGOTIATION_BYTES {
            return Err(TelnetError::Subnegotiation);
        }
        if self.subnegotiation.len() < KEPT_BYTES {
            self.subnegotiation.push(byte);
        }
        Ok(())
    }

    /// Keeps what a subnegotiation says, if it is about an option that is on.
    fn learn(&mut self) {
        match &*std::mem::take(&mut self.subnegotiation) {
            [TERMINAL_TYPE, IS, name @ ..] if self.options.is_on(TERMINAL_TYPE) => {
                self.info.set_terminal_type(name);
            }
            [WINDOW_SIZE, a, b, c, d] if self.options.is_on(WINDOW_SIZE) => {
                let [columns, rows] = [[*a, *b], [*c, *d]].map(u16::from_be_bytes);
                self.info.set_window(columns, rows);
            }
            _ => {}
        }
    }

    /// Encodes our text into the output.
    pub fn encode(&mut self, text: &[u8]) {
        let mut rest = text;
        while let Some(first) = rest.first() {
            if std::mem::take(&mut self.has_sent_cr) {
                match *first {
                    LF | NUL => {
                        self.output.put_u8(*first);
                        rest = &rest[1..];
                        continue;
                    }
                    _ => self.output.put_u8(NUL),
                }
            }
            let special = rest.iter().position(|it| matches!(*it, IAC | CR | LF));
            let (plain, following) = rest.split_at(special.unwrap_or(rest.len()));
            self.output.extend_from_slice(plain);
            rest = match following.split_first() {
                None => following,
                Some((byte, following)) => {
                    match *byte {
                        IAC => self.output.extend_from_slice(&[IAC, IAC]),
                        LF => self.output.extend_from_slice(b"\r\n"),
                        other => {
                            self.output.put_u8(other);
                            self.has_sent_cr = true;
                        }
                    }
                    following
                }
            };
        }
    }

    /// Ends our text.
    pub fn finish(&mut self) {
        if std::mem::take(&mut self.has_sent_cr) {
            self.output.put_u8(NUL);
        }
    }
}

#[cfg(test)]
mod tests;

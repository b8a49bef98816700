//! Negotiation of telnet options (RFC 855), in the manner of RFC 1143: each side answers only what
//! changes something, so there is no loop. Must not know bytes of the stream.

/// Suppress Go-Ahead (RFC 858). Both sides must accept it (RFC 1123, section 3.2.2).
pub const SUPPRESS_GO_AHEAD: u8 = 3;
/// The name of the client's terminal (RFC 1091).
pub const TERMINAL_TYPE: u8 = 24;
/// The size of the client's window (RFC 1073).
pub const WINDOW_SIZE: u8 = 31;

/// What one side says of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Will = 251,
    Wont = 252,
    Do = 253,
    Dont = 254,
}

impl Verb {
    /// The verb with this byte.
    pub fn of(byte: u8) -> Option<Self> {
        Some(match byte {
            251 => Verb::Will,
            252 => Verb::Wont,
            253 => Verb::Do,
            254 => Verb::Dont,
            _ => return None,
        })
    }
}

/// An option of one side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mode {
    #[default]
    Off,
    /// We have asked for it.
    Asked,
    On,
}

/// The options that may be on.
#[derive(Debug, Default)]
pub struct Options {
    our_suppress_go_ahead: Mode,
    their_suppress_go_ahead: Mode,
    terminal_type: Mode,
    window_size: Mode,
    /// Whether we want to know of the terminal.
    asks: bool,
}

impl Options {
    /// Asks for what a server likes to know; returns the options to say DO about.
    pub fn ask(&mut self) -> [u8; 2] {
        self.asks = true;
        (self.terminal_type, self.window_size) = (Mode::Asked, Mode::Asked);
        [TERMINAL_TYPE, WINDOW_SIZE]
    }

    /// Whether the other side has it on.
    pub fn is_on(&self, option: u8) -> bool {
        match option {
            TERMINAL_TYPE => self.terminal_type == Mode::On,
            WINDOW_SIZE => self.window_size == Mode::On,
            _ => false,
        }
    }

    /// What the other side says. Returns the answer, if it needs one.
    pub fn hear(&mut self, verb: Verb, option: u8) -> Option<Verb> {
        let (is_on, yes, no) = match verb {
            Verb::Will => (true, Verb::Do, Verb::Dont),
            Verb::Wont => (false, Verb::Do, Verb::Dont),
            Verb::Do => (true, Verb::Will, Verb::Wont),
            Verb::Dont => (false, Verb::Will, Verb::Wont),
        };
        let is_theirs = matches!(verb, Verb::Will | Verb::Wont);
        let Some(mode) = self.mode(is_theirs, option) else {
            // Off for good. Only who wants it on needs an answer.
            return is_on.then_some(no);
        };
        let before = std::mem::replace(mode, if is_on { Mode::On } else { Mode::Off });
        match (before, is_on) {
            (Mode::Off, true) => Some(yes),
            (Mode::On, false) => Some(no),
            // An answer to us, or nothing new.
            _ => None,
        }
    }

    fn mode(&mut self, is_theirs: bool, option: u8) -> Option<&mut Mode> {
        match (is_theirs, option) {
            (true, SUPPRESS_GO_AHEAD) => Some(&mut self.their_suppress_go_ahead),
            (false, SUPPRESS_GO_AHEAD) => Some(&mut self.our_suppress_go_ahead),
            (true, TERMINAL_TYPE) if self.asks => Some(&mut self.terminal_type),
            (true, WINDOW_SIZE) if self.asks => Some(&mut self.window_size),
            _ => None,
        }
    }
}

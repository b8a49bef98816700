//! What a telnet client says of itself.

use crate::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The longest terminal type, in characters (RFC 1091, section 4).
const MAX_TERMINAL_TYPE_CHARS: usize = 40;

/// What a telnet client has said of itself so far.
#[derive(Debug, Default)]
pub struct TelnetInfo {
    told: Mutex<Told>,
    /// Bytes of commands that came and were not counted yet.
    command_bytes: AtomicUsize,
}

#[derive(Debug, Default)]
struct Told {
    terminal_type: Option<String>,
    /// Columns and rows.
    window: Option<(u16, u16)>,
}

impl TelnetInfo {
    /// A detail, by its name in the contract (`connection.info`), as it is now.
    pub fn get(&self, name: &str) -> Option<String> {
        let told = self.told.lock();
        match name {
            "telnet.terminal-type" => told.terminal_type.clone(),
            "telnet.window" => told
                .window
                .map(|(columns, rows)| format!("{columns}x{rows}")),
            _ => None,
        }
    }

    /// Notes that commands came, which are no text.
    pub fn note_command_bytes(&self, bytes: usize) {
        self.command_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The bytes of commands that were noted since the last call.
    pub fn take_command_bytes(&self) -> usize {
        self.command_bytes.swap(0, Ordering::Relaxed)
    }

    /// Keeps the terminal type, in lower case (RFC 1091: case does not matter), or forgets it if it
    /// is not one.
    pub fn set_terminal_type(&self, name: &[u8]) {
        let is_name = (1..=MAX_TERMINAL_TYPE_CHARS).contains(&name.len())
            && name.iter().all(u8::is_ascii_graphic);
        let name = is_name.then(|| String::from_utf8_lossy(name).to_ascii_lowercase());
        self.told.lock().terminal_type = name;
    }

    /// Keeps the size of the window, or forgets it if a side is 0, which says nothing (RFC 1073).
    pub fn set_window(&self, columns: u16, rows: u16) {
        let is_size = columns > 0 && rows > 0;
        self.told.lock().window = is_size.then_some((columns, rows));
    }
}

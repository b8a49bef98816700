//! What a telnet client says of itself.

use crate::sync::Mutex;

/// The longest terminal type, in characters (RFC 1091, section 4).
const MAX_TERMINAL_TYPE_CHARS: usize = 40;

/// What a telnet client has said of itself so far.
#[derive(Debug, Default)]
pub struct TelnetInfo {
    told: Mutex<Told>,
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

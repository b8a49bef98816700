//! Bytes as rows of a hex dump.

use std::fmt::Write;

const ROW_BYTES: usize = 16;

/// Dumps a stream piece by piece, with offsets that go on from piece to piece.
#[derive(Default)]
pub struct HexDump {
    offset: usize,
}

impl HexDump {
    /// The rows for the stream's next bytes: offset, sixteen bytes, the same as text.
    pub fn rows(&mut self, bytes: &[u8]) -> String {
        let mut rows = String::new();
        for row in bytes.chunks(ROW_BYTES) {
            let hex: Vec<_> = row.iter().map(|byte| format!("{byte:02x}")).collect();
            let text: String = row.iter().map(|byte| printable(*byte)).collect();
            // Writing to a String cannot fail.
            let _ = writeln!(rows, "{:08x}  {:<47}  |{text}|", self.offset, hex.join(" "));
            self.offset += row.len();
        }
        rows
    }
}

fn printable(byte: u8) -> char {
    match byte {
        b' '..=b'~' => char::from(byte),
        _ => '.',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_offset_bytes_and_text() {
        let mut dump = HexDump::default();
        assert_eq!(
            dump.rows(b"Hello, client!\r\n\x7f"),
            "00000000  48 65 6c 6c 6f 2c 20 63 6c 69 65 6e 74 21 0d 0a  |Hello, client!..|\n\
             00000010  7f                                               |.|\n",
        );
        assert!(dump.rows(b"x").starts_with("00000011  78 "));
    }
}

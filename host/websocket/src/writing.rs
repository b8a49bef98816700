//! Masks payloads and writes headers (RFC 6455, section 5).

use super::Opcode;
use bytes::{BufMut, BytesMut};

/// Masks or unmasks (section 5.3).
pub fn mask(bytes: &mut [u8], key: [u8; 4]) {
    let [a, b, c, d] = key;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = bytes.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
}

/// Writes the header of a frame that is not a fragment, and returns its length. A client's frame
/// has a key.
pub fn put_header(
    output: &mut BytesMut,
    opcode: Opcode,
    payload_bytes: usize,
    key: Option<[u8; 4]>,
) -> usize {
    let before = output.len();
    output.put_u8(0x80 | opcode as u8);
    let masked = if key.is_some() { 0x80 } else { 0 };
    match payload_bytes {
        0..126 => output.put_u8(masked | payload_bytes as u8),
        126..=0xffff => {
            output.put_u8(masked | 126);
            output.put_u16(payload_bytes as u16);
        }
        _ => {
            output.put_u8(masked | 127);
            output.put_u64(payload_bytes as u64);
        }
    }
    output.put_slice(key.as_ref().map_or(&[], |key| key));
    output.len() - before
}

//! Parses PROXY headers (HAProxy's proxy-protocol.txt, versions 1 and 2). Pure: no socket, no
//! clock.

use crc::{CRC_32_ISCSI, Crc};
use proxy_header::{ParseConfig, ProxyHeader};
use std::net::SocketAddr;
use std::ops::Range;

/// The start of version 2, and its length up to the block whose length its last two bytes give.
pub const SIGNATURE_2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
pub const FIXED_PART_2: usize = 16;

/// The start of version 1, and its longest line.
pub const SIGNATURE_1: &[u8] = b"PROXY ";
pub const LONGEST_1: usize = 107;

/// No header of either version is shorter.
pub const SHORTEST: usize = 15;

/// Version 2: the command of connections that the proxy opened for itself.
const LOCAL_2: u8 = 0x20;
/// Version 2: the type of the checksum field, and the length of a checksum.
const CRC32C_FIELD: u8 = 0x03;
const CRC32C_BYTES: usize = 4;

/// The two ends of the connection to the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proxied {
    /// The proxy's client.
    pub client: SocketAddr,
    /// The address that the client reached.
    pub reached: SocketAddr,
}

/// Who a connection of a proxy belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// A client with an address.
    Client(Proxied),
    /// A client without one: `UNKNOWN`, or version 2's UNSPEC and AF_UNIX.
    Unknown,
    /// The proxy itself, for a health check: `LOCAL`.
    Proxy,
}

/// The length of the block after the fixed part of version 2.
pub fn block_bytes(fixed_part: &[u8]) -> usize {
    let length = [fixed_part[FIXED_PART_2 - 2], fixed_part[FIXED_PART_2 - 1]];
    usize::from(u16::from_be_bytes(length))
}

/// Whether a version 2 header is for the proxy itself. Its block is then discarded, "including the
/// family which is ignored" (section 2.2).
pub fn is_local(fixed_part: &[u8]) -> bool {
    fixed_part.starts_with(SIGNATURE_2) && fixed_part[SIGNATURE_2.len()] == LOCAL_2
}

/// Parses exactly one whole header of either version.
pub fn parse(header: &[u8]) -> Result<Speaker, String> {
    if header.len() >= FIXED_PART_2 && is_local(header) {
        return Ok(Speaker::Proxy);
    }
    let is_binary = header.starts_with(SIGNATURE_2);
    if !is_binary {
        check_line(header)?;
    }
    let config = ParseConfig {
        include_tlvs: is_binary,
        ..ParseConfig::default()
    };
    let (parsed, length) = ProxyHeader::parse(header, config).map_err(|error| error.to_string())?;
    if length != header.len() {
        return Err("the header is longer than the length it declares".into());
    }
    if is_binary {
        check_fields(header, header.len() - fields_bytes(header))?;
    }
    Ok(match parsed.proxied_address() {
        Some(addresses) => Speaker::Client(Proxied {
            client: addresses.source,
            reached: addresses.destination,
        }),
        None => Speaker::Unknown,
    })
}

/// Refuses what the parser accepts but the specification does not: a port with a sign or a leading
/// zero, and a protocol that only starts with `UNKNOWN` (section 2.1).
fn check_line(line: &[u8]) -> Result<(), String> {
    let line = line
        .strip_suffix(b"\r\n")
        .ok_or("the line does not end with CR LF")?;
    let mut words = line.split(|byte| *byte == b' ').skip(1);
    if words.next() == Some(b"UNKNOWN") {
        return Ok(());
    }
    let ports: Vec<_> = words.skip(2).collect();
    let is_port = |port: &&[u8]| {
        port.iter().all(u8::is_ascii_digit) && (port.len() == 1 || !port.starts_with(b"0"))
    };
    if ports.len() == 2 && ports.iter().all(is_port) {
        Ok(())
    } else {
        Err("a port must be a number without leading zeros".into())
    }
}

/// The length of the fields after the addresses of a version 2 header.
fn fields_bytes(header: &[u8]) -> usize {
    let addresses = match header[SIGNATURE_2.len() + 1] >> 4 {
        1 => 2 * (4 + 2),
        2 => 2 * (16 + 2),
        3 => 2 * 108,
        _ => 0,
    };
    block_bytes(header).saturating_sub(addresses)
}

/// Refuses fields that exceed the header, and a wrong checksum.
fn check_fields(header: &[u8], first: usize) -> Result<(), String> {
    let mut at = first;
    let mut checksum: Option<Range<usize>> = None;
    while at < header.len() {
        let [kind, high, low] = *header
            .get(at..at + 3)
            .and_then(|start| start.first_chunk())
            .ok_or("a field is truncated")?;
        let value = at + 3..at + 3 + usize::from(u16::from_be_bytes([high, low]));
        if value.end > header.len() {
            return Err("a field is truncated".into());
        }
        at = value.end;
        if kind == CRC32C_FIELD
            && (value.len() != CRC32C_BYTES || checksum.replace(value).is_some())
        {
            return Err("expected one checksum of four bytes".into());
        }
    }
    match checksum {
        Some(range) if header[range.clone()] != checksum_of(header, &range).to_be_bytes() => {
            Err("wrong checksum (CRC32c)".into())
        }
        _ => Ok(()),
    }
}

/// The checksum of a header, with its own field as zeros.
fn checksum_of(header: &[u8], range: &Range<usize>) -> u32 {
    let crc = Crc::<u32>::new(&CRC_32_ISCSI);
    let mut digest = crc.digest();
    digest.update(&header[..range.start]);
    digest.update(&[0; CRC32C_BYTES]);
    digest.update(&header[range.end..]);
    digest.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A version 2 header with this family and block.
    fn binary(command: u8, family: u8, block: &[u8]) -> Vec<u8> {
        let length = u16::try_from(block.len()).unwrap().to_be_bytes();
        [SIGNATURE_2, &[command, family], &length, block].concat()
    }

    const IPV4: [u8; 12] = [192, 0, 2, 7, 198, 51, 100, 1, 0x12, 0x67, 0x22, 0xb8];

    fn client() -> Result<Speaker, String> {
        Ok(Speaker::Client(Proxied {
            client: "192.0.2.7:4711".parse().unwrap(),
            reached: "198.51.100.1:8888".parse().unwrap(),
        }))
    }

    #[test]
    fn ports_follow_the_specification() {
        let line = |ports: &str| {
            parse(format!("PROXY TCP4 192.0.2.7 198.51.100.1 {ports}\r\n").as_bytes())
        };
        assert_eq!(line("4711 8888"), client());
        assert!(line("0 1").is_ok());
        for ports in [
            "04711 8888",
            "4711 08888",
            "+4711 8888",
            "00 1",
            "4711 8888 ",
            " 4711 8888",
            "4711  8888",
            "65536 1",
            "4711",
            "",
        ] {
            assert!(line(ports).is_err(), "{ports:?}");
        }
    }

    #[test]
    fn a_client_without_an_address_is_unknown() {
        for header in [
            b"PROXY UNKNOWN\r\n".to_vec(),
            b"PROXY UNKNOWN 192.0.2.7 nonsense\r\n".to_vec(),
            binary(0x21, 0, &[]),
            binary(0x21, 0x31, &[b'/'; 216]),
        ] {
            assert_eq!(
                parse(&header),
                Ok(Speaker::Unknown),
                "{}",
                header.escape_ascii()
            );
        }
        assert!(parse(b"PROXY UNKNOWNS\r\n").is_err());
        assert!(parse(b"PROXY UNKNOWN\n").is_err());
    }

    #[test]
    fn a_local_header_may_contain_any_block() {
        for family in 0..=u8::MAX {
            for length in [0, 1, 12, 300] {
                let header = binary(LOCAL_2, family, &vec![3; length]);
                assert_eq!(parse(&header), Ok(Speaker::Proxy), "{family:#x}");
            }
        }
    }

    #[test]
    fn a_checksum_is_verified_wherever_it_stands() {
        let filler = [4, 0, 2, 0, 0];
        for before in [&[][..], &filler] {
            for after in [&[][..], &filler] {
                let block = [&IPV4[..], before, &[CRC32C_FIELD, 0, 4, 0, 0, 0, 0], after].concat();
                let mut header = binary(0x21, 0x11, &block);
                let range = FIXED_PART_2 + 12 + before.len() + 3;
                let range = range..range + CRC32C_BYTES;
                let checksum = checksum_of(&header, &range).to_be_bytes();
                header[range].copy_from_slice(&checksum);
                assert_eq!(parse(&header), client());
                // A field of another type is not a checksum.
                let kind = FIXED_PART_2 + 12 + before.len();
                for at in (FIXED_PART_2..header.len()).filter(|at| *at != kind) {
                    let mut damaged = header.clone();
                    damaged[at] ^= 1;
                    assert!(parse(&damaged).is_err(), "byte {at}");
                }
            }
        }
    }

    #[test]
    fn the_checksum_is_the_one_that_rfc_3720_shows() {
        assert_eq!(
            Crc::<u32>::new(&CRC_32_ISCSI).checksum(&[0; 32]),
            0x8a91_36aa
        );
    }

    #[test]
    fn fields_that_make_no_sense_are_refused() {
        for fields in [
            &[4][..],
            &[4, 0],
            &[4, 0, 1],
            &[CRC32C_FIELD, 0, 0],
            &[CRC32C_FIELD, 0, 3, 0, 0, 0],
        ] {
            let header = binary(0x21, 0x11, &[&IPV4[..], fields].concat());
            assert!(parse(&header).is_err(), "{fields:?}");
        }
        for family in [0x13, 0x41, 0xff] {
            assert!(parse(&binary(0x21, family, &IPV4)).is_err());
        }
        assert!(parse(&binary(0x22, 0x11, &IPV4)).is_err());
        assert!(parse(&binary(0x11, 0x11, &IPV4)).is_err());
    }
}

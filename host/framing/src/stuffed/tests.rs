use super::*;
use crate::FramingError as E;
use crate::decoder::tests::{TOO_LONG, assert_cut, truncated};

#[test]
fn cobs_frames_are_decoded_and_frames_of_nothing_are_skipped() {
    assert_cut(
        "cobs",
        &[
            (b"\x03ok\0\x01\0", &[b"ok", b""], None),
            (b"\0\0\x03ok\0\0\x02!\0\0", &[b"ok", b"!"], None),
            (b"\x01\x01\0\x02a\x02b\0", &[b"\0", b"a\0b"], None),
            (b"\x09eight by\0", &[b"eight by"], None),
            (b"\x01\x01\x01\x01\x01\x01\x01\x01\x01\0", &[&[0; 8]], None),
            (b"\x0anine byte\0", &[], TOO_LONG),
            (b"\x0anine byte", &[], TOO_LONG),
            (b"\x03o\0", &[], Some(E::Cobs)),
            (b"\x03ok", &[], truncated(3)),
        ],
    );
}

#[test]
fn slip_packets_are_decoded_and_empty_ones_are_skipped() {
    assert_cut(
        "slip",
        &[
            (b"\xc0ok\xc0\xc0!\xc0\xc0\xc0", &[b"ok", b"!"], None),
            (b"a\xdb\xdcb\xdb\xddc\xc0", &[b"a\xc0b\xdbc"], None),
            (b"\xdb\xdc\xc0", &[b"\xc0"], None),
            (
                b"\xdb\xdd\xdb\xdd\xdb\xdd\xdb\xdd\xdb\xdd\xdb\xdd\xdb\xdd\xdb\xdd\xc0",
                &[&[SLIP_ESCAPE; 8]],
                None,
            ),
            (b"nine byte\xc0", &[], TOO_LONG),
            (b"seventeen bytes o", &[], TOO_LONG),
            (b"\xdb\xc0", &[], Some(E::Slip)),
            (b"\xdbx\xc0", &[], Some(E::Slip)),
            (b"\xdb\xdb\xdc\xc0", &[], Some(E::Slip)),
            (b"ok", &[], truncated(2)),
        ],
    );
}

#[test]
fn a_message_of_any_length_fits_when_encoded() {
    for length in [1, 253, 254, 255, 508, 509, 1000] {
        for byte in [0, 1, SLIP_END] {
            let message = vec![byte; length];
            let mut encoded = vec![0; cobs::max_encoding_length(length)];
            let used = cobs::encode(&message, &mut encoded);
            assert!(used <= Stuffing::Cobs.max_encoded(length), "{length}");
            let used = Stuffing::Cobs.decode(&mut encoded[..used]);
            assert_eq!(used, Ok(length));
            assert_eq!(encoded[..length], message);
        }
    }
}

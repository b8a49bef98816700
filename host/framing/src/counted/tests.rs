use crate::FramingError as E;
use crate::decoder::tests::{TOO_LONG, assert_cut, truncated};

#[test]
fn a_length_field_counts_what_follows_it() {
    assert_cut(
        "length-field:2,2",
        &[
            (b"hh\0\x02okhh\0\0", &[b"ok", b""], None),
            (b"hh\0\x08eight by", &[b"eight by"], None),
            (b"hh\0\x09", &[], TOO_LONG),
            (b"hh\0", &[], truncated(3)),
            (b"hh\0\x02o", &[], truncated(5)),
        ],
    );
    assert_cut(
        "length-field:0,3,le",
        &[
            (b"\x02\0\0ok", &[b"ok"], None),
            (b"\0\0\x01", &[], TOO_LONG),
        ],
    );
    assert_cut("length-field:0,8", &[(&[0xff; 8], &[], TOO_LONG)]);
}

#[test]
fn a_length_may_count_its_header_or_less_than_the_rest() {
    assert_cut(
        "length-field:1,1,adjust=-2",
        &[
            (b"h\x04okh\x02", &[b"ok", b""], None),
            (
                b"h\x01",
                &[],
                Some(E::NegativeLength {
                    value: 1,
                    adjust: -2,
                }),
            ),
        ],
    );
    // A checksum follows that is not counted.
    assert_cut(
        "length-field:0,1,adjust=2",
        &[(b"\x01a##\0##", &[b"a##", b"##"], None)],
    );
    assert_cut(
        "length-field:0,8,adjust=2147483647",
        &[(&[0xff; 8], &[], TOO_LONG)],
    );
}

#[test]
fn a_kept_header_counts_towards_the_limit() {
    assert_cut(
        "length-field:1,1,keep-header",
        &[
            (b"h\x02okh\0", &[b"h\x02ok", b"h\0"], None),
            (b"h\x06sixsix", &[b"h\x06sixsix"], None),
            (b"h\x07", &[], TOO_LONG),
        ],
    );
    assert_cut(
        "length-field:0,8,keep-header",
        &[(&[0xff; 8], &[], TOO_LONG)],
    );
}

#[test]
fn a_varint_has_up_to_10_bytes_and_64_bits() {
    let longest_zero = [&[0x80; 9][..], b"\0"].concat();
    let largest = [&[0xff; 9][..], b"\x01"].concat();
    let too_large = [&[0x80; 9][..], b"\x02"].concat();
    let endless = [0x80; 10];
    assert_cut(
        "varint",
        &[
            (b"\x02ok\0\x01!", &[b"ok", b"", b"!"], None),
            (b"\x82\0ok", &[b"ok"], None),
            (&longest_zero, &[b""], None),
            (&largest, &[], TOO_LONG),
            (b"\x80\x01", &[], TOO_LONG),
            (&too_large, &[], Some(E::Varint)),
            (&endless, &[], Some(E::Varint)),
            (&endless[..9], &[], truncated(9)),
            (b"\x03ok", &[], truncated(3)),
        ],
    );
}

#[test]
fn a_netstring_has_one_spelling() {
    assert_cut(
        "netstring",
        &[
            (b"2:ok,0:,1:,,", &[b"ok", b"", b","], None),
            (b"8:eight by,", &[b"eight by"], None),
            (b"9", &[], TOO_LONG),
            (b"10", &[], TOO_LONG),
            (b"00:", &[], Some(E::NetstringLength)),
            (b"02:ok,", &[], Some(E::NetstringLength)),
            (b":", &[], Some(E::NetstringLength)),
            (b"2 ", &[], Some(E::NetstringLength)),
            (b"-", &[], Some(E::NetstringLength)),
            (b"2:ok;", &[], Some(E::NetstringEnd)),
            (b"2:okay,", &[], Some(E::NetstringEnd)),
            (b"2:ok", &[], truncated(4)),
            (b"2", &[], truncated(1)),
        ],
    );
}

use super::*;

#[test]
fn parsed_values_print_as_written() {
    for text in [
        "chunks",
        "lines",
        "length-prefixed:1",
        "length-prefixed:2",
        "length-prefixed:4",
        "delimited:0d0a",
        "delimited:00",
        "fixed:128",
    ] {
        assert_eq!(text.parse::<Framing>().unwrap().to_string(), text);
    }
}

#[test]
fn each_mistake_has_its_own_message() {
    use InvalidFraming as E;
    for (text, expected) in [
        ("", E::Unknown),
        ("line", E::Unknown),
        ("lines:1", E::Unknown),
        ("fixed", E::Unknown),
        ("length-prefixed:3", E::LengthWidth("3".into())),
        ("length-prefixed:x", E::LengthWidth("x".into())),
        ("delimited:", E::DelimiterLength(0)),
        ("delimited:0", E::Hex("0".into())),
        ("delimited:zz", E::Hex("zz".into())),
        ("delimited:é", E::Hex("é".into())),
        (
            "delimited:0000000000000000000000000000000000",
            E::DelimiterLength(17),
        ),
        ("fixed:0", E::FixedLength("0".into())),
        ("fixed:-1", E::FixedLength("-1".into())),
    ] {
        assert_eq!(text.parse::<Framing>(), Err(expected), "{text}");
    }
}

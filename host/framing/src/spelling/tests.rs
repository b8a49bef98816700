use super::*;

#[test]
fn parsed_values_print_as_written() {
    for text in [
        "chunks",
        "lines",
        "length-prefixed:1",
        "length-prefixed:2",
        "length-prefixed:4",
        "length-field:0,1",
        "length-field:56,8,le,adjust=-2147483648,keep-header",
        "length-field:2,3,adjust=2147483647",
        "length-field:4,2,keep-header",
        "varint",
        "netstring",
        "cobs",
        "slip",
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
    let field = |text: &str| E::LengthField(text.to_owned());
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
        ("varint:1", E::Unknown),
        ("length-field", E::Unknown),
        ("length-field:", field("")),
        ("length-field:2", field("2")),
        ("length-field:2,x", field("2,x")),
        ("length-field:-1,2", field("-1,2")),
        ("length-field:256,2", field("256,2")),
        ("length-field:0,2,", field("0,2,")),
        ("length-field:0,2,be", field("0,2,be")),
        ("length-field:0,2,LE", field("0,2,LE")),
        ("length-field:0,2,adjust=", field("0,2,adjust=")),
        ("length-field:0,2, le", field("0,2, le")),
        (
            "length-field:0,2,adjust=2147483648",
            field("0,2,adjust=2147483648"),
        ),
        ("length-field:0,0", E::FieldWidth(0)),
        ("length-field:0,9", E::FieldWidth(9)),
        (
            "length-field:57,8",
            E::FieldOffset {
                offset: 57,
                width: 8,
            },
        ),
        ("fixed:0", E::FixedLength("0".into())),
        ("fixed:-1", E::FixedLength("-1".into())),
    ] {
        assert_eq!(text.parse::<Framing>(), Err(expected), "{text}");
    }
}

#[test]
fn each_framing_has_one_spelling() {
    for (text, right) in [
        ("fixed:007", "fixed:7"),
        ("fixed:+7", "fixed:7"),
        ("length-prefixed:02", "length-prefixed:2"),
        ("length-field:00,2", "length-field:0,2"),
        ("length-field:0,2,adjust=0", "length-field:0,2"),
        ("length-field:0,2,adjust=+4", "length-field:0,2,adjust=4"),
        ("length-field:0,2,le,le", "length-field:0,2,le"),
        (
            "length-field:0,2,keep-header,adjust=-2,le",
            "length-field:0,2,le,adjust=-2,keep-header",
        ),
    ] {
        let error = text.parse::<Framing>().unwrap_err();
        assert_eq!(error.to_string(), format!("write it as {right}"));
    }
    let delimited: Framing = "delimited:0D0A".parse().unwrap();
    assert_eq!(delimited.to_string(), "delimited:0d0a");
}

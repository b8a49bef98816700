use super::*;

fn bytes(text: &str) -> Vec<u8> {
    read_text(text, false).unwrap().parts.concat()
}

#[test]
fn escapes_stand_for_bytes() {
    assert_eq!(
        bytes(r"a\r\n\t\0\\\x7f\xFFé*"),
        b"a\r\n\t\0\\\x7f\xff\xc3\xa9*"
    );
    let text = read_text(r"> \", false).unwrap();
    assert_eq!(
        (text.parts.concat(), text.is_unended),
        (b"> ".to_vec(), true)
    );
    assert!(!read_text(r"\\", false).unwrap().is_unended);
    for (text, offset, escape) in [
        (r"ab\q", 2, r"\q"),
        (r"\x1", 0, r"\x"),
        (r"\x+1", 0, r"\x"),
        (r"\é", 0, r"\é"),
    ] {
        let escape = escape.to_owned();
        assert_eq!(
            read_text(text, false),
            Err(UnknownEscape { offset, escape })
        );
    }
}

#[test]
fn stars_are_gaps_only_in_patterns() {
    let parts = read_text(r"*a\**", true).unwrap().parts;
    assert_eq!(parts, [&b""[..], b"a*", b""]);
    assert_eq!(write_gaps("<~", &parts), r"<~ *a\**");
}

#[test]
fn hex_is_read_in_pairs() {
    assert_eq!(read_hex("00 ff 0aB0"), Ok(vec![0, 255, 10, 176]));
    assert_eq!(read_hex("00 f"), Err(3));
    assert_eq!(read_hex("0g"), Err(1));
    assert_eq!(read_hex("é"), Err(0));
    assert_eq!(read_hex("+1"), Err(0));
}

#[test]
fn bytes_are_shown_so_that_they_can_be_read_back() {
    for (bytes, line) in [
        (&b"\n"[..], "<"),
        (b"42\n", "< 42"),
        (b"> ", r"< > \"),
        (b"a \n", r"< a\x20"),
        (b"a\r\n", r"< a\r"),
        (b"a\nb\n", r"< a\nb"),
        ("it's \u{202e}é\n".as_bytes(), r"< it's \xe2\x80\xaeé"),
        (b"\\\xff\n", r"< \\\xff"),
    ] {
        assert_eq!(write_text("<", bytes, LineEnding::Lf), line);
    }
    assert_eq!(write_text("<", b"a\n", LineEnding::CrLf), r"< a\n\");
    assert_eq!(write_hex(">", &[0, 0xab]), ">hex 00 ab");
}

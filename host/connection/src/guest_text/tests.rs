use super::*;

fn shown(bytes: &[u8]) -> String {
    GuestText::new(bytes).to_string()
}

#[test]
fn control_characters_and_line_separators_are_escaped() {
    assert_eq!(shown(b"plain \xc3\xa9\r"), "plain é");
    assert_eq!(shown(b"\x1b[2J\x07\x00"), "\\u{1b}[2J\\u{7}\\u{0}");
    assert_eq!(
        shown("\u{9b}1m\u{202e}txt\u{2028}".as_bytes()),
        "\\u{9b}1m\\u{202e}txt\\u{2028}"
    );
    assert_eq!(
        shown("a\u{200b}\u{61c}b\u{feff}\u{2064}c\u{e0041}".as_bytes()),
        "a\\u{200b}\\u{61c}b\\u{feff}\\u{2064}c\\u{e0041}"
    );
    assert_eq!(shown("👩\u{200d}🔬".as_bytes()), "👩\u{200d}🔬");
    assert_eq!(shown(b"a\rb\tc"), "a\\rb\\tc");
    assert_eq!(shown(b"a\r\nWARN b"), "a\\r\\nWARN b");
    assert_eq!(shown(b"\xff"), "\u{fffd}");
}

#[test]
fn a_long_text_is_cut_between_characters_and_says_so() {
    let long = format!("a{}", "é".repeat(MAX_LOG_LINE_BYTES));
    let text = GuestText::from(long).to_string();
    assert!(text.ends_with("é… (cut at 4096 bytes)"), "{text}");
    let exact = "a".repeat(MAX_LOG_LINE_BYTES);
    assert_eq!(GuestText::from(&exact[..]).to_string(), exact);
}

#[test]
fn escaped_text_is_not_presentable() {
    assert!(is_presentable("naïve 👩\u{200d}🔬"));
    assert!(!is_presentable("a\u{202e}b") && !is_presentable("a\nb"));
}

use super::*;
use crate::telnet::invariants;
use proptest::prelude::*;

const NAWS_AND_TYPE: &[u8] = b"\xff\xfd\x18\xff\xfd\x1f";

/// A server that has heard these bytes: the text, its answers, and what it knows of the client.
fn hear(stream: &[u8]) -> (Vec<u8>, Vec<u8>, Arc<TelnetInfo>) {
    let info = Arc::<TelnetInfo>::default();
    let mut codec = Codec::server(Interrupt::Pass, info.clone());
    let mut bytes = stream.to_vec();
    let length = codec.decode(&mut bytes).unwrap();
    bytes.truncate(length);
    let answers = codec.output.strip_prefix(NAWS_AND_TYPE).unwrap().to_vec();
    (bytes, answers, info)
}

fn assert_hears(stream: &[u8], text: &[u8], answers: &[u8]) {
    let (heard, answered, _) = hear(stream);
    assert_eq!(
        heard.escape_ascii().to_string(),
        text.escape_ascii().to_string()
    );
    assert_eq!(
        answered.escape_ascii().to_string(),
        answers.escape_ascii().to_string()
    );
}

#[test]
fn every_line_end_is_lf() {
    assert_hears(
        b"one\r\ntwo\r\0three\rfour\n\r\r\n",
        b"one\ntwo\nthree\nfour\n\n\n",
        b"",
    );
    assert_hears(b"a\0b\r\xff\xf1\nc", b"a\0b\nc", b"");
    assert_hears(b"\xff\xff\r\xff\xff\n", b"\xff\n\xff\n", b"");
}

#[test]
fn options_are_refused_but_for_those_that_help() {
    // DO and WILL of ECHO, and of binary transmission.
    assert_hears(
        b"\xff\xfd\x01\xff\xfb\x01\xff\xfd\0\xff\xfb\0",
        b"",
        b"\xff\xfc\x01\xff\xfe\x01\xff\xfc\0\xff\xfe\0",
    );
    // DO and WILL of suppressing go-ahead, each answered once, also when it is turned off.
    assert_hears(
        b"\xff\xfd\x03\xff\xfb\x03\xff\xfd\x03\xff\xfb\x03",
        b"",
        b"\xff\xfb\x03\xff\xfd\x03",
    );
    assert_hears(
        b"\xff\xfd\x03\xff\xfe\x03\xff\xfe\x03",
        b"",
        b"\xff\xfb\x03\xff\xfc\x03",
    );
    // What is off stays off in silence.
    assert_hears(
        b"\xff\xfc\x01\xff\xfe\x01\xff\xfc\x18\xff\xfc\x1f",
        b"",
        b"",
    );
}

#[test]
fn commands_are_no_text() {
    // No operation, go-ahead, data mark, erase character, erase line, end of record.
    assert_hears(
        b"a\xff\xf1\xff\xf9\xff\xf2\xff\xf7\xff\xf8\xff\xefb",
        b"ab",
        b"",
    );
    assert_hears(b"\xff\xf6", b"", b"\r\n[yes]\r\n");
    assert_hears(
        b"a\xff\xf4b\xff\xf3\xff\xee\xff\xed",
        b"a\x03b\x03\x03\x03",
        b"",
    );
}

#[test]
fn the_terminal_and_its_size_are_learned_and_change() {
    let will = b"\xff\xfb\x18\xff\xfb\x1f";
    let ask = b"\xff\xfa\x18\x01\xff\xf0";
    let told = b"\xff\xfa\x18\0XTERM-256color\xff\xf0\xff\xfa\x1f\0\x50\0\x18\xff\xf0";
    let resized = b"\xff\xfa\x1f\x01\0\0\xff\xff\xff\xf0";
    let know = |parts: &[&[u8]]| {
        let (text, answers, info) = hear(&parts.concat());
        assert_eq!((&*text, &*answers), (&b""[..], &ask[..]));
        ["telnet.terminal-type", "telnet.window"].map(|name| info.get(name))
    };
    assert_eq!(know(&[will]), [None, None]);
    let xterm = Some("xterm-256color".to_owned());
    assert_eq!(
        know(&[will, told]),
        [xterm.clone(), Some("80x24".to_owned())]
    );
    assert_eq!(
        know(&[will, told, resized]),
        [xterm, Some("256x255".to_owned())]
    );
    let nonsense = b"\xff\xfa\x18\0a b\x1b\xff\xf0\xff\xfa\x1f\0\0\0\x18\xff\xf0";
    assert_eq!(know(&[will, told, nonsense]), [None, None]);
    let long = [
        &b"\xff\xfa\x18\0"[..],
        &[b'x'; 41],
        b"\xff\xf0\xff\xfa\x1f\0\x50\xff\xf0",
    ]
    .concat();
    assert_eq!(know(&[will, &long]), [None, None]);
}

#[test]
fn nobody_tells_of_options_that_are_off() {
    let (_, _, info) = hear(b"\xff\xfa\x18\0xterm\xff\xf0\xff\xfa\x1f\0\x50\0\x18\xff\xf0");
    assert_eq!(info.get("telnet.terminal-type"), None);
    assert_eq!(info.get("telnet.window"), None);
}

#[test]
fn a_command_ends_a_subnegotiation() {
    assert_hears(
        b"\xff\xfa\x18\0xterm\xff\xf6text",
        b"text",
        b"\r\n[yes]\r\n",
    );
}

#[test]
fn an_end_is_final() {
    for (command, end) in [
        (244, End::Interrupted),
        (243, End::Interrupted),
        (238, End::Interrupted),
        (237, End::Interrupted),
        (236, End::File),
    ] {
        let mut codec = Codec::server(Interrupt::End, Arc::default());
        let mut bytes = [b'a', IAC, command, b'b', IAC, ARE_YOU_THERE];
        assert_eq!(codec.decode(&mut bytes), Ok(1));
        assert_eq!(codec.end(), Some(end));
        assert_eq!(codec.decode(&mut [b'c']), Ok(0));
        assert_eq!(codec.output, NAWS_AND_TYPE);
    }
}

#[test]
fn floods_are_an_error() {
    let mut codec = Codec::server(Interrupt::End, Arc::default());
    let mut flood = [IAC, 251, 1].repeat(1000);
    assert_eq!(codec.decode(&mut flood.clone()), Ok(0));
    assert_eq!(codec.decode(&mut flood), Err(TelnetError::Negotiations));

    let mut codec = Codec::server(Interrupt::End, Arc::default());
    let mut endless = [
        &[IAC, SUBNEGOTIATE],
        &[0; MAX_TELNET_SUBNEGOTIATION_BYTES][..],
    ]
    .concat();
    assert_eq!(codec.decode(&mut endless), Ok(0));
    assert!(codec.subnegotiation.capacity() <= KEPT_BYTES);
    assert_eq!(codec.decode(&mut [0]), Err(TelnetError::Subnegotiation));
}

#[test]
fn our_text_has_the_line_ends_of_telnet() {
    for (text, said) in [
        (&b"one\ntwo\r\n\n"[..], &b"one\r\ntwo\r\n\r\n"[..]),
        (b"50 %\r100 %\n", b"50 %\r\x00100 %\r\n"),
        (b"a\r\0b\r", b"a\r\0b\r\0"),
        (b"\r\r\n\xff", b"\r\0\r\n\xff\xff"),
    ] {
        let mut codec = Codec::client();
        codec.encode(text);
        codec.finish();
        assert_eq!(codec.output, said);
    }
}

#[test]
fn two_ends_soon_have_nothing_more_to_say() {
    let (mut server, mut client) = (
        Codec::server(Interrupt::End, Arc::default()),
        Codec::client(),
    );
    for _ in 0..3 {
        let mut said = std::mem::take(&mut server.output);
        assert_eq!(client.decode(&mut said), Ok(0));
        let mut said = std::mem::take(&mut client.output);
        assert_eq!(server.decode(&mut said), Ok(0));
    }
    assert!(server.output.is_empty() && client.output.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_split_changes_anything(stream in streams()) {
        invariants::check(&stream);
    }

    #[test]
    fn text_without_cr_comes_back(
        text in prop::collection::vec(prop_oneof![Just(IAC), Just(LF), any::<u8>()], 0..80),
        piece in 1usize..80,
    ) {
        let text: Vec<_> = text.into_iter().filter(|byte| *byte != CR).collect();
        invariants::comes_back(&text, piece);
    }
}

fn streams() -> impl Strategy<Value = Vec<u8>> {
    let special = prop::sample::select(vec![IAC, IAC, CR, LF, NUL, IS, SEND, 3, 24, 31]);
    prop::collection::vec(prop_oneof![special, 236u8..=255, any::<u8>()], 0..120)
}

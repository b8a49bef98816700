use super::*;

fn steps(text: &str) -> Vec<Action> {
    let exchange = parse(text.as_bytes()).unwrap().exchanges.remove(0);
    exchange.steps.into_iter().map(|step| step.action).collect()
}

fn send(bytes: &'static str) -> Action {
    Action::Send(Bytes::from(bytes))
}

fn expect(bytes: &'static str) -> Action {
    Action::Expect(Bytes::from(bytes))
}

#[test]
fn a_file_with_every_kind_of_line_is_parsed() {
    let file = "\u{feff}# A calculator.\r\nframing: lines\r\nending:crlf\ncuts: no\n\n\
                == sums\r\n< > \\\n> 1 + 1\n<\n\n# a comment\n<hex 00fF\n>eof\n<eof\n== other\n>\n";
    let read = parse(file.as_bytes()).unwrap();
    assert_eq!(read.framing, Some("lines".parse().unwrap()));
    assert_eq!((read.ending, read.cuts), (LineEnding::CrLf, Some(false)));
    let [sums, other] = &read.exchanges[..] else {
        panic!("{read:?}")
    };
    assert_eq!((sums.name.as_str(), sums.line), ("sums", 6));
    let actions = steps(file);
    assert_eq!(
        actions,
        [
            expect("> "),
            send("1 + 1\r\n"),
            expect("\r\n"),
            Action::Expect(Bytes::from_static(&[0, 255])),
            Action::Finish,
            Action::Closed,
        ]
    );
    assert_eq!(sums.steps[3].line, 12);
    assert_eq!((other.name.as_str(), other.steps.len()), ("other", 1));
}

#[test]
fn a_title_is_optional() {
    let read = parse(b"> a\n< a").unwrap();
    assert_eq!(read.exchanges[0].name, UNTITLED);
    assert_eq!(steps("> a\n< a"), [send("a\n"), expect("a\n")]);
}

#[test]
fn errors_have_the_right_position() {
    for (text, position, needle) in [
        (&b""[..], "1:1", "no exchange in this file"),
        (b"# nothing\n\n", "3:1", "no exchange in this file"),
        (b"hello", "1:1", "expected `> `"),
        (b" > a", "1:1", "expected `> `"),
        (b"> a\n\n>hello", "3:2", "`> hello`"),
        (b">eoff", "1:2", "`>eof`"),
        (b"<~x", "1:3", "`<~` needs a space"),
        (b"frame: lines", "1:1", "unknown setting `frame`"),
        (b"framing: line", "1:10", "expected chunks, lines"),
        (b"ending: cr", "1:9", "`lf` or `crlf`"),
        (b"cuts: maybe", "1:7", "`yes` or `no`"),
        (b"cuts: no\ncuts: no", "2:1", "appears twice"),
        (b"> a\ncuts: no", "2:1", "before the first exchange"),
        (b"==\n> a", "1:1", "missing title"),
        (b"== a\n== b\n> a", "2:1", "without a step"),
        (b"== a", "1:1", "without a step"),
        (b"== a\n> a\n== a\n> a", "3:1", "line 1 has the same title"),
        ("> é\\q".as_bytes(), "1:4", "unknown escape `\\q`"),
        (b"> \xc3\xa9\xff", "1:4", "not UTF-8"),
        (b">hex 0 1", "1:7", "two hexadecimal digits"),
        (b">hex", "1:1", "sends or expects nothing"),
        (b"> \\", "1:1", "sends or expects nothing"),
        (b"< a ", "1:4", "\\x20"),
        (b"<~ a\\", "1:5", "omit the last"),
        (b"<~ a\\nb", "1:3", "one line"),
        (
            b">eof\n> a",
            "2:1",
            "the client cannot send after `>eof` in line 1",
        ),
        (b"<eof\n< a", "2:1", "no step can follow `<eof` in line 1"),
    ] {
        let shown = String::from_utf8_lossy(text);
        let error = parse(text).expect_err(&shown).to_string();
        assert!(
            error.starts_with(&format!("{position}: ")),
            "{shown:?}: {error}"
        );
        assert!(error.contains(needle), "{shown:?}: {error}");
    }
}

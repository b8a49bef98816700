use super::*;

/// The events of a stream in these pieces, one per line.
fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<String> {
    let mut requests = Requests::default();
    let mut events = Vec::new();
    for piece in pieces {
        requests.push(piece.to_vec());
        let read = requests.read(|event| {
            events.push(match event {
                Event::MayContinue => "continue".to_owned(),
                Event::Request(head, body) => {
                    format!("{} {} {}", head.method, head.path, body.escape_ascii())
                }
            });
            Flow::GoOn
        });
        if let Err(status) = read {
            events.push(status.to_string());
            return events;
        }
    }
    if !requests.is_idle() {
        events.push("unfinished".to_owned());
    }
    events
}

const STREAM: &[u8] = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n\
    POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello\r\n\
    \nPOST /c HTTP/1.1\nHost: h\nContent-Length: 3\nExpect: 100-continue\n\n\n\r\n\
    POST /d HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n\
    GET /e HTTP/1.0\r\n\r\nGET /f HTTP/1.1\r\n\r\n";

#[test]
fn requests_are_the_same_however_they_are_cut() {
    let expected = [
        "GET /a ",
        "POST /b hello",
        "continue",
        "POST /c \\n\\r\\n",
        "POST /d abcde",
        "GET /e ",
        "400 Bad Request",
    ];
    assert_eq!(read([STREAM]), expected);
    for cut in 0..=STREAM.len() {
        let (first, second) = STREAM.split_at(cut);
        assert_eq!(read([first, second]), expected, "cut at {cut}");
    }
    assert_eq!(read(STREAM.chunks(1)), expected);
}

#[test]
fn what_is_not_complete_is_waited_for() {
    assert_eq!(read([&b"\r\n"[..]]), [""; 0]);
    assert_eq!(read([&b"GET / HTTP/1.1\r\n"[..]]), ["unfinished"]);
    let head = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhell";
    assert_eq!(read([&head[..]]), ["unfinished"]);
}

#[test]
fn what_is_too_long_is_refused() {
    let long = "x".repeat(MAX_HEAD);
    let line = format!("GET /{long} HTTP/1.1\r\n");
    assert_eq!(read([line.as_bytes()]), ["414 URI Too Long"]);
    let fields = format!("GET / HTTP/1.1\r\nHost: h\r\nX: {long}\r\n\r\n");
    assert_eq!(
        read([fields.as_bytes()]),
        ["431 Request Header Fields Too Large"]
    );
    assert_eq!(
        read(fields.as_bytes().chunks(1000)),
        ["431 Request Header Fields Too Large"]
    );
    let length = MAX_BODY + 1;
    let body = format!(
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n"
    );
    assert_eq!(read([body.as_bytes()]), ["413 Content Too Large"]);
    let chunk =
        format!("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n");
    assert_eq!(read([chunk.as_bytes()]), ["413 Content Too Large"]);
}

#[test]
fn nothing_is_told_after_a_stop() {
    let mut requests = Requests::default();
    requests.push(STREAM.to_vec());
    let mut told = 0;
    let read = requests.read(|_| {
        told += 1;
        Flow::Stop
    });
    assert_eq!((read, told), (Ok(Flow::Stop), 1));
}

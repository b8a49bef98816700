//! Properties of every line of the protocol. Used by `properties` and fuzzing.

use super::protocol::Reply;
use super::request::Request;
use super::status::Refused;
use connection::limits::MAX_CONTROL_DETAIL_BYTES;

/// Checks a line as a request and as a reply: it round-trips, or is refused in one line.
pub fn check(line: &[u8]) {
    match Request::decode(line) {
        Ok(request) => request_comes_back(request),
        Err(error) => is_one_line(&error.to_string()),
    }
    match Reply::decode(line) {
        Ok(reply) => reply_comes_back(reply),
        Err(error) => is_one_line(&error),
    }
}

fn is_one_line(error: &str) {
    assert!(!error.is_empty() && !error.contains('\n'), "{error:?}");
}

/// A request is one line and round-trips.
pub(super) fn request_comes_back(request: Request) {
    let line = request.encode().expect("its path is UTF-8");
    assert_eq!(first_end(&line), Some(line.len() - 1));
    assert_eq!(Request::decode(&line), Ok(request));
}

/// A reply round-trips, except for details that are cut.
pub(super) fn reply_comes_back(reply: Reply) {
    let line = reply.clone().encode();
    assert_eq!(first_end(&line), Some(line.len() - 1));
    let read = Reply::decode(&line);
    match &reply {
        Reply::Refused(Refused {
            detail: Some(detail),
            ..
        }) if detail.len() > MAX_CONTROL_DETAIL_BYTES => assert!(read.is_ok()),
        _ => assert_eq!(read, Ok(reply)),
    }
}

fn first_end(line: &[u8]) -> Option<usize> {
    line.iter().position(|byte| *byte == b'\n')
}

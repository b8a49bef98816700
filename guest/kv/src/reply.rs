//! Replies, and how they are written.

use std::borrow::Cow;

/// A value of Redis's protocol, version 2, that the server sends.
#[derive(Debug, PartialEq)]
pub enum Reply {
    /// A word such as `OK`.
    Simple(&'static str),
    Integer(i64),
    Bulk(Vec<u8>),
    /// Nothing where a bulk might have been.
    Nil,
    Array(Vec<Reply>),
    Error(Failure),
}

/// Why a command was not obeyed; clients look at the first word.
pub type Failure = Cow<'static, str>;

impl Reply {
    pub const OK: Reply = Reply::Simple("OK");

    pub fn bulk(bytes: impl Into<Vec<u8>>) -> Self {
        Reply::Bulk(bytes.into())
    }

    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Reply::Simple(word) => line(out, '+', word),
            // An error is one line, whatever the client put into it.
            Reply::Error(failure) => line(out, '-', &failure.replace(['\r', '\n'], " ")),
            Reply::Integer(number) => line(out, ':', &number.to_string()),
            Reply::Bulk(bytes) => {
                line(out, '$', &bytes.len().to_string());
                out.extend_from_slice(bytes);
                out.extend_from_slice(b"\r\n");
            }
            Reply::Nil => line(out, '$', "-1"),
            Reply::Array(items) => {
                line(out, '*', &items.len().to_string());
                for item in items {
                    item.write(out);
                }
            }
        }
    }
}

impl From<Option<Vec<u8>>> for Reply {
    fn from(value: Option<Vec<u8>>) -> Self {
        value.map_or(Reply::Nil, Reply::Bulk)
    }
}

fn line(out: &mut Vec<u8>, kind: char, text: &str) {
    out.push(kind as u8);
    out.extend_from_slice(text.as_bytes());
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_written_as_redis_writes_them() {
        let reply = Reply::Array(vec![
            Reply::OK,
            Reply::Integer(-3),
            Reply::bulk("a\r\nb"),
            Reply::Nil,
            Reply::Array(Vec::new()),
            Reply::Error("ERR a\r\nb".into()),
        ]);
        let mut out = Vec::new();
        reply.write(&mut out);
        assert_eq!(
            out.escape_ascii().to_string(),
            b"*6\r\n+OK\r\n:-3\r\n$4\r\na\r\nb\r\n$-1\r\n*0\r\n-ERR a  b\r\n"
                .escape_ascii()
                .to_string()
        );
    }
}

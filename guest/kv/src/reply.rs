//! Replies, and how they are written.

use std::borrow::Cow;

/// The protocol version that a client has requested.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Protocol {
    #[default]
    Resp2,
    Resp3,
}

/// A value of Redis's protocol that the server sends.
#[derive(Debug, PartialEq)]
pub enum Reply {
    /// A word such as `OK`.
    Simple(&'static str),
    Integer(i64),
    Bulk(Vec<u8>),
    /// No value, in place of a bulk.
    Nil,
    Array(Vec<Reply>),
    /// Names and values; in version 2 an array that alternates them.
    Map(Vec<(&'static str, Reply)>),
    /// Text for people; in version 2 a bulk.
    Text(String),
    Error(Failure),
}

/// Why a command failed; clients look at the first word.
pub type Failure = Cow<'static, str>;

impl Reply {
    pub const OK: Reply = Reply::Simple("OK");

    pub fn bulk(bytes: impl Into<Vec<u8>>) -> Self {
        Reply::Bulk(bytes.into())
    }

    pub fn write(&self, protocol: Protocol, out: &mut Vec<u8>) {
        match self {
            Reply::Simple(word) => line(out, '+', word),
            // An error is one line, whatever the client put into it.
            Reply::Error(failure) => line(out, '-', &failure.replace(['\r', '\n'], " ")),
            Reply::Integer(number) => line(out, ':', &number.to_string()),
            Reply::Bulk(bytes) => counted(out, '$', &[bytes]),
            Reply::Text(text) => match protocol {
                Protocol::Resp2 => counted(out, '$', &[text.as_bytes()]),
                Protocol::Resp3 => counted(out, '=', &[b"txt:", text.as_bytes()]),
            },
            Reply::Nil => match protocol {
                Protocol::Resp2 => line(out, '$', "-1"),
                Protocol::Resp3 => line(out, '_', ""),
            },
            Reply::Array(items) => {
                line(out, '*', &items.len().to_string());
                for item in items {
                    item.write(protocol, out);
                }
            }
            Reply::Map(pairs) => {
                match protocol {
                    Protocol::Resp2 => line(out, '*', &(2 * pairs.len()).to_string()),
                    Protocol::Resp3 => line(out, '%', &pairs.len().to_string()),
                }
                for (name, value) in pairs {
                    counted(out, '$', &[name.as_bytes()]);
                    value.write(protocol, out);
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

/// The total length of some parts, and the parts.
fn counted(out: &mut Vec<u8>, kind: char, parts: &[&[u8]]) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    line(out, kind, &length.to_string());
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(reply: &Reply, protocol: Protocol) -> String {
        let mut out = Vec::new();
        reply.write(protocol, &mut out);
        out.escape_ascii().to_string()
    }

    #[test]
    fn each_version_has_its_own_way_to_write() {
        let reply = Reply::Map(vec![("a", Reply::Nil), ("b", Reply::Text("t".to_owned()))]);
        assert_eq!(
            written(&reply, Protocol::Resp2),
            r"*4\r\n$1\r\na\r\n$-1\r\n$1\r\nb\r\n$1\r\nt\r\n"
        );
        assert_eq!(
            written(&reply, Protocol::Resp3),
            r"%2\r\n$1\r\na\r\n_\r\n$1\r\nb\r\n=5\r\ntxt:t\r\n"
        );
    }

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
        assert_eq!(
            written(&reply, Protocol::Resp2),
            b"*6\r\n+OK\r\n:-3\r\n$4\r\na\r\nb\r\n$-1\r\n*0\r\n-ERR a  b\r\n"
                .escape_ascii()
                .to_string()
        );
    }
}

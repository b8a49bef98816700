//! The bytes of requests and replies.

const ECHO: u8 = 1;
const SUM: u8 = 2;
const NAME: u8 = 3;

/// Statuses of replies.
pub const OK: u8 = 0;
pub const EMPTY: u8 = 1;
pub const UNKNOWN_OPERATION: u8 = 2;
pub const WRONG_PAYLOAD: u8 = 3;

/// A request, read from a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// Send these bytes back.
    Echo(&'a [u8]),
    /// Add these numbers, 4 bytes each.
    Sum(Vec<u32>),
    /// Tell who answers.
    Name,
}

impl<'a> Request<'a> {
    /// Reads a message. The error is the status of the reply.
    pub fn read(message: &'a [u8]) -> Result<Self, u8> {
        let (operation, payload) = message.split_first().ok_or(EMPTY)?;
        match *operation {
            ECHO => Ok(Request::Echo(payload)),
            SUM => {
                let (numbers, rest) = payload.as_chunks();
                let numbers = numbers.iter().copied().map(u32::from_be_bytes).collect();
                rest.is_empty()
                    .then_some(Request::Sum(numbers))
                    .ok_or(WRONG_PAYLOAD)
            }
            NAME if payload.is_empty() => Ok(Request::Name),
            NAME => Err(WRONG_PAYLOAD),
            _ => Err(UNKNOWN_OPERATION),
        }
    }
}

/// A reply: a status and a result.
#[derive(Debug)]
pub struct Reply {
    status: u8,
    result: Vec<u8>,
}

impl Reply {
    pub fn ok(result: impl AsRef<[u8]>) -> Self {
        Reply {
            status: OK,
            result: result.as_ref().to_owned(),
        }
    }

    pub fn failed(status: u8) -> Self {
        Reply {
            status,
            result: Vec::new(),
        }
    }

    /// The whole frame: the host adds nothing to a reply.
    pub fn write(&self) -> Vec<u8> {
        let length = u16::try_from(1 + self.result.len()).expect("a result is short");
        [&length.to_be_bytes()[..], &[self.status], &self.result].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_an_operation_and_a_payload() {
        assert_eq!(Request::read(b"\x01hi"), Ok(Request::Echo(b"hi")));
        let numbers = vec![1, 0x0203_0405];
        let message = b"\x02\0\0\0\x01\x02\x03\x04\x05";
        assert_eq!(Request::read(message), Ok(Request::Sum(numbers)));
        assert_eq!(Request::read(b""), Err(EMPTY));
    }

    #[test]
    fn a_reply_has_its_length_before_it() {
        assert_eq!(Reply::ok("hi").write(), b"\0\x03\0hi");
        assert_eq!(Reply::failed(7).write(), b"\0\x01\x07");
    }
}

//! Counts the lines, words and bytes of its input, like `wc`.
//!
//! It is a plain program that knows nothing of connections. Served by echo-host, its standard input
//! and output are the connection: the counts come when the client has finished sending. Its
//! standard error goes to the host's log, and its arguments are those that `--arg` grants.

use std::env;
use std::fmt;
use std::io::{self, BufRead, Write};
use std::process::ExitCode;

fn main() -> io::Result<ExitCode> {
    let options: Vec<String> = env::args().skip(1).collect();
    if let Some(unknown) = options
        .iter()
        .find(|option| !["-l", "-w", "-c"].contains(&option.as_str()))
    {
        eprintln!("wordcount: unknown option {unknown}: use -l, -w or -c");
        return Ok(ExitCode::FAILURE);
    }
    let counts = count(io::stdin().lock())?;
    match &options[..] {
        [] => writeln!(io::stdout(), "{counts}")?,
        chosen => writeln!(io::stdout(), "{}", counts.only(chosen))?,
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Debug, Default, PartialEq)]
struct Counts {
    lines: u64,
    words: u64,
    bytes: u64,
}

impl Counts {
    /// The counts that the options select, in the order of the options.
    fn only(&self, options: &[String]) -> String {
        let chosen = options.iter().map(|option| match option.as_str() {
            "-l" => self.lines.to_string(),
            "-w" => self.words.to_string(),
            _ => self.bytes.to_string(),
        });
        chosen.collect::<Vec<_>>().join(" ")
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts {
            lines,
            words,
            bytes,
        } = self;
        write!(f, "{lines:7} {words:7} {bytes:7}")
    }
}

/// Reads in pieces, so that input of any length takes the same memory.
fn count(mut input: impl BufRead) -> io::Result<Counts> {
    let mut counts = Counts::default();
    let mut is_in_word = false;
    loop {
        let piece = input.fill_buf()?;
        if piece.is_empty() {
            return Ok(counts);
        }
        for &byte in piece {
            let is_blank = matches!(byte, b' ' | b'\t'..=b'\r');
            counts.lines += u64::from(byte == b'\n');
            counts.words += u64::from(!is_blank && !is_in_word);
            is_in_word = !is_blank;
        }
        let length = piece.len();
        counts.bytes += length as u64;
        input.consume(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::BufReader;

    const TEXT: &[u8] = b"one two\n\n  three\tfour\x0bfive \nsix";

    #[test]
    fn lines_words_and_bytes_are_counted() {
        let expected = Counts {
            lines: 3,
            words: 6,
            bytes: 31,
        };
        assert_eq!(count(TEXT).unwrap(), expected);
        assert_eq!(count(&b""[..]).unwrap(), Counts::default());
    }

    #[test]
    fn options_choose_counts() {
        let options = ["-c", "-l"].map(str::to_owned);
        assert_eq!(count(TEXT).unwrap().only(&options), "31 3");
    }

    #[test]
    fn a_word_may_be_cut_anywhere() {
        for capacity in 1..=TEXT.len() {
            let pieces = BufReader::with_capacity(capacity, TEXT);
            assert_eq!(count(pieces).unwrap(), count(TEXT).unwrap(), "{capacity}");
        }
    }

    #[test]
    fn counts_are_written_as_wc_writes_them() {
        assert_eq!(count(TEXT).unwrap().to_string(), "      3       6      31");
    }

    proptest! {
        #[test]
        fn any_bytes_are_counted(bytes in proptest::collection::vec(any::<u8>(), 0..300), room in 1_usize..50) {
            let whole = count(&bytes[..]).unwrap();
            let cut = count(io::BufReader::with_capacity(room, &bytes[..])).unwrap();
            prop_assert_eq!(whole.to_string(), cut.to_string());
        }
    }
}

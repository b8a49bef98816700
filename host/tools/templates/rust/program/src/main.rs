//! Numbers the lines of its input: a plain program, whose input and output are the connection.

use std::io::{self, BufRead, Write};

fn main() -> io::Result<()> {
    number(io::stdin().lock(), io::stdout().lock())
}

fn number(input: impl BufRead, mut output: impl Write) -> io::Result<()> {
    for (number, line) in (1..).zip(input.split(b'\n')) {
        let line = line?;
        let text = String::from_utf8_lossy(&line);
        writeln!(output, "{number} {text}")?;
        // Whoever sent the line waits for this.
        output.flush()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_numbered() {
        let mut output = Vec::new();
        number(&b"one\ntwo"[..], &mut output).unwrap();
        assert_eq!(output, b"1 one\n2 two\n");
    }
}

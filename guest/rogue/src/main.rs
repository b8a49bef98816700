//! A plain program that misbehaves as each line of its input says, to show how the host reacts. It
//! answers any other line with a list of commands.

use std::io::{self, Write};

fn main() -> io::Result<()> {
    let mut line = String::new();
    // Not `lines()`, which would hide standard input from the misdeeds that read it.
    while io::stdin().read_line(&mut line)? > 0 {
        let (name, rest) = line
            .trim_end()
            .split_once(' ')
            .unwrap_or((line.trim_end(), ""));
        let said = misdeeds::commit(name, rest).unwrap_or_else(|| misdeeds::HELP.to_owned());
        writeln!(io::stdout(), "{said}")?;
        line.clear();
    }
    Ok(())
}

//! A plain program that does what each line of its input says, all of which is wrong: so one can watch what the
//! host makes of it. Anything else is answered with a list of what it knows.

use std::io::{self, Write};

fn main() -> io::Result<()> {
    let mut line = String::new();
    // Not `lines()`, which would keep standard input from those misdeeds that read it.
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

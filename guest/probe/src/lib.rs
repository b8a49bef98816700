//! Executes the command in each line: shows what a handler can see and do, and misbehaves on
//! request, to show how the host reacts. `help` lists the commands.

wit_bindgen::generate!({ path: "../../wit", world: "framed-responder" });

use exports::echo_host::handler::manifest;
use std::cell::Cell;
use std::time::Duration;
use std::{env, fs, io, thread};

const HELP: &str = "\
count           how many lines this instance was given
args            its arguments
env NAME        an environment variable
list PATH       the names in a directory
read PATH       a file's contents
write PATH TEXT replaces a file's contents
print TEXT      prints on standard output; \\e, \\n and \\r stand for those characters
reply SIZE      answers with so many bytes
allocate SIZE   asks for so many bytes of memory
try SIZE        asks for so much and goes on if it is refused
sleep MS        waits
";

struct Probe;

impl manifest::Guest for Probe {
    fn describe() -> manifest::About {
        manifest::About {
            name: "probe".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            framing: "lines".to_owned(),
            max_message_bytes: 4096,
        }
    }
}

impl Guest for Probe {
    fn respond(line: Vec<u8>) -> Vec<u8> {
        let line = String::from_utf8_lossy(&line);
        let (command, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let mut reply =
            obey(command, rest).unwrap_or_else(|error| format!("error: {error}").into());
        reply.push(b'\n');
        reply
    }
}

#[cfg(target_family = "wasm")]
export!(Probe);

thread_local! {
    static LINES: Cell<u64> = const { Cell::new(0) };
}

fn obey(command: &str, rest: &str) -> io::Result<Vec<u8>> {
    let lines = LINES.get() + 1;
    LINES.set(lines);
    let done = || Ok(b"done".to_vec());
    match command {
        "count" => Ok(lines.to_string().into()),
        "args" => Ok(env::args().collect::<Vec<_>>().join(" ").into()),
        "env" => Ok(env::var(rest)
            .unwrap_or_else(|error| error.to_string())
            .into()),
        "list" => list(rest),
        "read" => fs::read(rest),
        "write" => {
            let (path, text) = rest.split_once(' ').unwrap_or((rest, ""));
            fs::write(path, text)?;
            done()
        }
        "print" => {
            println!("{}", misdeeds::unescape(rest));
            done()
        }
        "reply" => Ok(vec![b'x'; number(rest)?]),
        "allocate" => Ok(vec![1u8; number(rest)?].len().to_string().into()),
        "try" => Ok(match Vec::<u8>::new().try_reserve_exact(number(rest)?) {
            Ok(()) => "granted".into(),
            Err(_) => "refused".into(),
        }),
        "sleep" => {
            thread::sleep(Duration::from_millis(number(rest)? as u64));
            done()
        }
        _ => Ok(misdeeds::commit(command, rest)
            .unwrap_or_else(|| format!("{HELP}{}", misdeeds::HELP))
            .into()),
    }
}

fn list(path: &str) -> io::Result<Vec<u8>> {
    let mut names = fs::read_dir(path)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names.join(" ").into())
}

fn number(text: &str) -> io::Result<usize> {
    text.parse()
        .map_err(|_| io::Error::other(format!("`{text}` is not a number")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_goes_wrong_is_answered() {
        assert_eq!(
            Probe::respond(b"reply many".to_vec()),
            b"error: `many` is not a number\n"
        );
        assert!(Probe::respond(b"read /no/such/file".to_vec()).starts_with(b"error: "));
    }

    #[test]
    fn lines_are_counted() {
        assert_eq!(obey("count", "").unwrap(), b"1");
        assert_eq!(obey("count", "").unwrap(), b"2");
    }

    #[test]
    fn what_is_unknown_gets_help() {
        let help = obey("what?", "").unwrap();
        assert!(help.starts_with(HELP.as_bytes()) && help.ends_with(misdeeds::HELP.as_bytes()));
    }

    proptest! {
        #[test]
        fn any_text_is_a_number_or_none(text in "[-+0-9 \u{0}-\u{ff}]{0,30}") {
            prop_assert_eq!(number(&text).ok(), text.parse().ok());
        }
    }
}

//! The helper's side: a process that reads nothing but requests, and opens what was named. It also starts the processes
//! that compile.
//!
//! A request is a line: `open` and the path in hexadecimal. The answer is `opened` and a descriptor, `failed` and the
//! number of the error, or `unnamed`. The other is `compile`, with the descriptors of a component and of a stream for the
//! outcome; the answer is `started` or `failed`.

use super::Names;
use crate::descriptors::{Lost, receive, send_blocking};
use crate::limits::MAX_HELPER_LINE_BYTES;
use rustix::io::Errno;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Until the host ends.
const FOR_EVER: Duration = Duration::from_secs(1 << 30);

/// Opens what is `known`, until the other side hangs up. `named` looks up what is named by now; `None` if that can't be
/// told.
pub fn serve(
    stream: &UnixStream,
    mut known: Names,
    mut named: impl FnMut() -> Option<Names>,
    compile: impl Fn(OwnedFd, OwnedFd) -> io::Result<()>,
) -> io::Result<()> {
    loop {
        let (line, mut passed) =
            match receive(stream, MAX_HELPER_LINE_BYTES, Instant::now() + FOR_EVER) {
                // What a compiler would need could not be taken in: the next request can be answered again.
                Err(error) if Lost::is_why(&error) => {
                    answer_with(stream, Some(Err(Errno::MFILE.into())))?;
                    continue;
                }
                received => received?,
            };
        let line = String::from_utf8(line).map_err(|_| io::ErrorKind::InvalidData)?;
        let Some(line) = line.strip_suffix('\n') else {
            return Ok(());
        };
        if line == "compile" {
            let (outcome, component) = (passed.pop(), passed.pop());
            let both = component.zip(outcome).ok_or(io::ErrorKind::InvalidData);
            let (component, outcome) = both?;
            match compile(component, outcome) {
                Ok(()) => send_blocking(stream, b"started\n", &[])?,
                Err(error) => answer_with(stream, Some(Err(error)))?,
            }
            continue;
        }
        let path = line.strip_prefix("open ").and_then(path_of);
        let path = path.ok_or(io::ErrorKind::InvalidData)?;
        let answer = known.open(&path).or_else(|| {
            // What was named before may still be served: the host may refuse the new configuration.
            known.add(named()?);
            known.open(&path)
        });
        answer_with(stream, answer)?;
    }
}

fn path_of(hexadecimal: &str) -> Option<PathBuf> {
    let digits = hexadecimal.as_bytes().chunks(2);
    let bytes = digits.map(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok());
    let bytes = bytes.collect::<Option<Vec<_>>>()?;
    let path = PathBuf::from(OsString::from_vec(bytes));
    path.is_absolute().then_some(path)
}

fn answer_with(stream: &UnixStream, answer: Option<io::Result<File>>) -> io::Result<()> {
    match answer {
        None => send_blocking(stream, b"unnamed\n", &[]),
        Some(Ok(file)) => send_blocking(stream, b"opened\n", &[file.into()]),
        Some(Err(error)) => {
            let code = error.raw_os_error();
            let code = code.unwrap_or(Errno::IO.raw_os_error());
            send_blocking(stream, format!("failed {code}\n").as_bytes(), &[])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::ffi::OsStrExt;
    use std::path::Path;
    use std::thread;

    fn ask(stream: &UnixStream, path: &Path) -> (String, usize) {
        let hexadecimal: String = path
            .as_os_str()
            .as_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let request = format!("open {hexadecimal}\n");
        send_blocking(stream, request.as_bytes(), &[]).unwrap();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
        let (line, passed) = crate::descriptors::receive(stream, 100, deadline).unwrap();
        (String::from_utf8(line).unwrap(), passed.len())
    }

    #[test]
    fn only_what_is_named_is_opened_and_names_are_looked_up_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("a"), "a").unwrap();
        fs::write(path("b"), "b").unwrap();
        let (ours, theirs) = UnixStream::pair().unwrap();
        let names = [vec![path("a")], vec![path("b"), path("c")]];
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut names = names.iter();
                let again = || {
                    let mut named = Names::default();
                    names.next()?.iter().for_each(|path| named.file(path));
                    Some(named)
                };
                serve(&theirs, Names::default(), again, |_, _| Ok(())).unwrap();
            });
            assert_eq!(ask(&ours, &path("a")), ("opened\n".into(), 1));
            assert_eq!(ask(&ours, &path("b")), ("opened\n".into(), 1));
            assert_eq!(ask(&ours, &path("a")), ("opened\n".into(), 1));
            assert_eq!(ask(&ours, &path("c")), ("failed 2\n".into(), 0));
            assert_eq!(ask(&ours, &path("d")), ("unnamed\n".into(), 0));
            assert_eq!(ask(&ours, &path("x/../a")), ("unnamed\n".into(), 0));
            drop(ours);
        });
    }
}

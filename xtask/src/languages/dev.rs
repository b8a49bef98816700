//! `echo-host dev` in the folder of a handler: sources are edited, and clients see what has become of it.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::edits::Edit;

/// How long building and compiling may take, on a busy machine.
const DEADLINE: Duration = Duration::from_secs(300);
/// How long a reply may take, and how often a new version is asked for.
const REPLY: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(10);

/// A folder that is developed in. The command ends with this value.
pub struct Developing {
    process: Child,
    address: SocketAddr,
    folder: PathBuf,
    /// What it has said.
    log: PathBuf,
}

impl Developing {
    /// Starts `command`, which becomes `echo-host dev`, and waits until it serves. What it says goes into a file beside
    /// the folder.
    pub fn start(command: &mut Command, folder: &Path) -> Result<Self> {
        let log = folder.with_extension("dev.log");
        let file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut process = command
            .args(["--", "--listen", "tcp://127.0.0.1:0", "--no-control"])
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(file)
            .spawn()
            .context("cannot start the host")?;
        let stdout = process.stdout.take().context("its output is ours")?;
        let mut developing = Developing {
            process,
            address: ([127, 0, 0, 1], 0).into(),
            folder: folder.to_owned(),
            log,
        };
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line.trim().strip_prefix("listening on tcp://");
        let address = address.and_then(|address| address.parse().ok());
        developing.address = address.with_context(|| developing.complaint("nothing is served"))?;
        Ok(developing)
    }

    /// Makes the edit with this digit, and tells how long it took from then until a client that connects was answered
    /// by what was edited.
    pub fn edit(&self, edit: &Edit, digit: u8) -> Result<Duration> {
        let path = self.folder.join(edit.file);
        let context = || format!("cannot edit {}", path.display());
        let text = fs::read_to_string(&path).with_context(context)?;
        let edited = edit.make(&text, digit).with_context(context)?;
        let begin = Instant::now();
        fs::write(&path, edited).with_context(context)?;
        let expected = edit.answer(digit);
        while begin.elapsed() < DEADLINE {
            if self.answers(&expected) {
                return Ok(begin.elapsed());
            }
            thread::sleep(PAUSE);
        }
        bail!(self.complaint(&format!("no client got {expected:?}")))
    }

    /// Whether a client that connects now gets this.
    fn answers(&self, expected: &str) -> bool {
        let ask = || {
            let mut client = TcpStream::connect(self.address)?;
            client.set_read_timeout(Some(REPLY))?;
            client.write_all(b"ping\n")?;
            let mut answer = vec![0; expected.len()];
            client.read_exact(&mut answer)?;
            std::io::Result::Ok(answer)
        };
        ask().is_ok_and(|answer| answer == expected.as_bytes())
    }

    fn complaint(&self, what: &str) -> String {
        format!("{what}: see {}", self.log.display())
    }
}

impl Drop for Developing {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

//! A host whose handler is swapped: its files, its control socket, and its resources.

use crate::fixture::{DEADLINE, Finished, Host, Usage, guests, run};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Instant;
use tempfile::TempDir;

/// A directory for versions of a handler. Removed with the test.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Folder(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    /// Writes a file atomically, by renaming. Returns its path.
    pub fn put(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        let beside = self.path("unfinished");
        fs::write(&beside, content).unwrap();
        fs::rename(beside, &path).unwrap();
        path
    }
}

/// A host that serves `handler` of its directory.
pub struct Post {
    // Declared first, so dropped first.
    pub host: Host,
    pub folder: Folder,
    control: PathBuf,
}

impl Post {
    /// Serves this content. Unless `args` say otherwise, connections stay with a replaced version
    /// as long as a test may take.
    pub fn serve(content: impl AsRef<[u8]>, args: &[&str]) -> Self {
        let folder = Folder::new();
        folder.put("handler", content);
        Post::serve_from(folder, args)
    }

    /// Serves the handler in the directory.
    pub fn serve_from(folder: Folder, args: &[&str]) -> Self {
        let (handler, control) = (folder.path("handler"), folder.path("host.sock"));
        // Files that a client of the socket names are opened by the host.
        let guests = guests();
        let mut all = vec![handler.as_str(), "--control", &control];
        all.extend(["--sandbox-read", &guests]);
        let beside = folder.path("");
        all.extend(["--sandbox-read", &beside]);
        if !args.contains(&"--drain-timeout") {
            all.extend(["--drain-timeout", "5min"]);
        }
        all.extend(args);
        Post {
            host: Host::serve(&all),
            control: control.into(),
            folder,
        }
    }

    /// Replaces the handler's file with another version.
    pub fn put(&self, content: impl AsRef<[u8]>) -> String {
        self.folder.put("handler", content)
    }

    /// Runs a command for this host.
    pub fn run(&self, args: &[&str]) -> Finished {
        let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
        command.args(args).arg("--control").arg(&self.control);
        run(&mut command, b"")
    }

    /// Asks the control socket, without a process for each request.
    pub fn ask(&self, members: Value) -> Value {
        ask(&self.control, members)
    }

    pub fn status(&self) -> Value {
        self.ask(json!({ "command": "status" }))["status"].take()
    }

    /// Swaps the handler for the one at `path`: the number of its generation, or the refusal.
    pub fn swap(&self, path: &str) -> Result<u64, Value> {
        let mut reply = self.ask(json!({ "command": "swap", "handler": path }));
        match reply["swapped"]["generation"].as_u64() {
            Some(generation) => Ok(generation),
            None => Err(reply["refused"].take()),
        }
    }

    /// Writes a version with this content and swaps to it by the control socket, which must
    /// succeed.
    pub fn swap_to(&self, content: impl AsRef<[u8]>) -> u64 {
        let path = self.folder.put("next", content);
        self.swap(&path).unwrap()
    }

    pub fn roll_back(&self) -> u64 {
        let reply = self.ask(json!({ "command": "roll-back" }));
        reply["swapped"]["generation"].as_u64().unwrap()
    }

    /// Requests the status until the condition holds.
    pub fn wait_until(&self, what: &str, wanted: impl Fn(&Value) -> bool) {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let status = self.status();
            if wanted(&status) {
                return;
            }
            assert!(Instant::now() < deadline, "not {what}: {status:#}");
            thread::yield_now();
        }
    }

    /// Waits until new connections get this generation.
    pub fn wait_for_generation(&self, number: u64) {
        self.wait_until(&format!("generation {number}"), |status| {
            status["generations"][0]["number"] == number
        });
    }

    pub fn usage(&self) -> Usage {
        self.host.usage()
    }
}

fn ask(control: &Path, mut members: Value) -> Value {
    members["version"] = 1.into();
    let stream = UnixStream::connect(control).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    (&stream)
        .write_all(format!("{members}\n").as_bytes())
        .unwrap();
    let mut reply = String::new();
    BufReader::new(stream).read_line(&mut reply).unwrap();
    let reply: Value = serde_json::from_str(&reply).unwrap();
    assert!(reply["error"].is_null(), "{reply}");
    reply
}
